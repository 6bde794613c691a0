"""`python -m authing_mfa.demo`: the whole journey, with the core dependencies alone; and that it can fail."""

import os
import re
import subprocess
import sys
import textwrap

import pytest

from tests.programs import run_program

CORE_ONLY = """
    import sys

    class Missing:
        names = {"click", "rich", "segno", "keyring", "platformdirs", "yaml", "sqlalchemy", "orjson", "trustme"}

        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in self.names:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    sys.meta_path.insert(0, Missing())
    from authing_mfa import demo
    sys.exit(demo.main())
"""


def run(source: str) -> subprocess.CompletedProcess[str]:
    return run_program([sys.executable, "-c", textwrap.dedent(source)])


def test_the_journey_passes_with_the_core_dependencies_alone():
    """Every step is ok, and it needs no extra."""
    done = run(CORE_ONLY)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    steps = [line for line in lines if re.match(r" +\d+  ", line)]
    assert len(steps) == 30
    assert all(re.search(r" [\d.]+ ms  ok  ", step) for step in steps)
    assert lines[-5].startswith("All 30 steps had the expected result")
    assert lines[-3].startswith("Next: ")
    assert lines[-2:] == [
        f'  {sys.executable} -m pip install "authing-mfa[cli]"',
        f"  {sys.executable} -m authing_mfa emulator",
    ]


def test_the_columns_stand_below_each_other():
    """The outcome begins in the same column on every line."""
    done = subprocess.run([sys.executable, "-m", "authing_mfa.demo"], capture_output=True, text=True, timeout=100)
    steps = [line for line in done.stdout.splitlines() if " ms " in line]
    assert {line.index(" ms  ok  ") for line in steps} == {steps[0].index(" ms  ok  ")}


def test_no_secret_is_printed():
    """Whatever the emulator made as code, token, secret or recovery code is not in the output."""
    done = run("""
        import sys
        from authing_mfa import demo
        from authing_mfa.emulator import Emulator

        with Emulator() as emu:
            status = demo.main(emu)
            user = emu.user("ada")
            secrets = [message.code for message in emu.outbox] + [user.totp_secret, user.recovery_code, demo.PASSWORD]
        print("\\n".join(secrets), file=sys.stderr)
        sys.exit(status)
    """)
    assert done.returncode == 0
    secrets = done.stderr.split("\n")
    assert len([secret for secret in secrets if secret]) >= 5
    assert [secret for secret in secrets if secret and secret in done.stdout] == []
    assert not re.search(r"eyJ[\w-]{8,}", done.stdout)


@pytest.mark.parametrize(
    ("misbehaviour", "step"),
    [
        ('Emulator.code_for = lambda self, target: "999999"', r"Step 4 failed: mfa_verify_by_phone.*WrongCodeError"),
        ("VirtualClock.advance = lambda self, seconds: 0", r"Step 29 failed: .*361 s later: WrongCodeError"),
        (
            "faces.fingerprints_match = rule.fingerprints_match = lambda a, b: True",
            r"Step 26 failed: .*FaceError was expected",
        ),
        ('totp.new_recovery_code = lambda rng: "aaaa-bbbb-cccc-dddd-eeee-ffff"', r"Step 15 failed: .*is the old one"),
        ("State.policies_of = lambda self, user: ()", r"Step 1 failed: .*MfaRequiredError was expected"),
    ],
)
def test_a_misbehaving_service_fails_the_journey_and_names_the_step(misbehaviour, step):
    """A service that does one thing wrong ends the journey at that step with status 1."""
    done = run(f"""
        import sys
        from authing_mfa import demo
        from authing_mfa.emulator import Emulator
        from authing_mfa.emulator.crypto import faces
        from authing_mfa.emulator.crypto import totp
        from authing_mfa.emulator.state.clock import VirtualClock
        from authing_mfa.emulator.rules import face as rule
        from authing_mfa.emulator.state.state import State

        {misbehaviour}
        sys.exit(demo.main())
    """)
    assert done.returncode == 1
    assert re.search(step, done.stderr)
    assert "FAILED" in done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        ('path="mfa_verify_by_email", body="html"', r"Step 7 failed: mfa_verify_by_email.*ResponseError"),
        ('path="mfa_verify_by_recovery_code", drop="after"', r"Step 15 failed: .*NetworkError"),
        ('path="upload_face_image", status=500', r"Step 19 failed: upload_face_image\(photo A\): ServiceError"),
    ],
)
def test_a_fault_of_the_service_fails_the_journey_and_names_the_step(fault, step):
    """The emulator's own faults: an HTML page, a dropped connection, an HTTP 500."""
    done = run(f"""
        import sys
        from authing_mfa import demo
        from authing_mfa.emulator import Emulator

        with Emulator() as emu:
            emu.faults.add({fault})
            sys.exit(demo.main(emu))
    """)
    assert done.returncode == 1
    assert re.search(step, done.stderr)


def test_ctrl_c_ends_it_without_a_traceback():
    """With exit code 130, as in the command line."""
    done = run("""
        import asyncio, signal, sys
        from authing_mfa import demo

        async def interrupted(self, challenge):
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(60)

        demo.Journey.by_phone = interrupted
        sys.exit(demo.main())
    """)
    assert (done.returncode, done.stderr) == (130, "")


def test_a_reader_that_goes_away_ends_it_without_a_traceback():
    """As `python -m authing_mfa.demo | head` does; with exit code 141, as in the command line."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "authing_mfa.demo"], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=100
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")
