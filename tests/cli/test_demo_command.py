"""`demo`, the command: the same journey in colour, or as JSON."""


def test_every_step_is_shown(bare):
    """A line per step on stdout, the last sentence on stderr."""
    done = bare.run("demo")
    assert (done.code, len(done.out.splitlines())) == (0, 30)
    assert "All 30 steps" in done.err
    assert "Next: run `authing-mfa emulator`" in done.err


def test_as_json(bare):
    """One object with all steps."""
    told = bare.invoke("demo", "--json").json
    assert (told["ok"], len(told["data"]["steps"]), {step["ok"] for step in told["data"]["steps"]}) == (
        True,
        30,
        {True},
    )


def test_a_misbehaving_service_is_6(bare, monkeypatch):
    """The step that failed is the last one, and the exit code says that the service is not as it should be."""
    from authing_mfa.emulator import Emulator

    monkeypatch.setattr(Emulator, "code_for", lambda self, target: "999999")
    done = bare.invoke("demo", "--json")
    assert (done.code, done.json["data"]["steps"][-1]["ok"], "Step 4 failed" in done.err) == (6, False, True)
