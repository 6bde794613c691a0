"""Exit code 2: the command names what is missing or empty before it sends anything. An empty value is not replaced by a default."""

import pytest


def seen(emulator):
    """How many requests have arrived."""
    return emulator.admin("GET", "requests?limit=1")["total"]


@pytest.mark.parametrize("factor", ["sms", "email", "totp", "recovery"])
def test_mfa_sends_nothing_for_a_code_that_cannot_be_given(factor, cli, emulator):
    """Without a terminal, --code-stdin or AUTHING_CODE, nobody could enter the code."""
    user = emulator.add_user(totp=True)
    before = seen(emulator)
    done = cli.with_env(AUTHING_PASSWORD=user["password"]).invoke("mfa", user["username"], "--factor", factor)
    assert (done.code, "--code-stdin" in done.err, seen(emulator)) == (2, True, before)


@pytest.mark.parametrize(("policy", "about"), [("SMS", {}), ("EMAIL", {}), ("OTP", {}), ("SMS", {"phone": None})])
def test_mfa_has_no_code_sent_that_cannot_be_given(policy, about, cli, emulator):
    """Which factor is needed is known only after the login, and then no further request is sent."""
    user = emulator.add_user(mfa=[policy], **about)
    done = cli.with_env(AUTHING_PASSWORD=user["password"]).invoke("mfa", user["username"])
    assert (done.code, "--code-stdin" in done.err) == (2, True)
    (last,) = emulator.admin("GET", "requests?limit=1")["requests"]
    assert last["path"] == "/api/v2/login/account"


@pytest.mark.parametrize("about", [("sms", "--phone", "16600000009"), ("email", "--email", "n@x.test"), ("totp",)])
def test_factors_add_sends_nothing_for_a_code_that_cannot_be_given(about, cli, emulator):
    """An enrollment would be begun that nobody can finish."""
    cli.log_in(emulator.add_user(mfa=[]))
    before = seen(emulator)
    done = cli.invoke("factors", "add", *about)
    assert (done.code, "--code-stdin" in done.err, seen(emulator)) == (2, True, before)


@pytest.mark.parametrize(
    "arguments",
    [
        ("send", "sms", ""),
        ("send", "sms", "--phone", ""),
        ("send", "sms", "--country", ""),
        ("send", "email", ""),
        ("verify", "sms", ""),
        ("verify", "sms", "--country", ""),
        ("verify", "email", "--email", ""),
        ("mfa", ""),
        ("login", ""),
        ("factors", "add", "sms", "--phone", ""),
        ("factors", "add", "email", "--email", ""),
        ("emulator", "inbox", "--to", ""),
        ("--profile", "", "whoami"),
        ("--public-key", "", "login", "somebody"),
    ],
)
def test_an_empty_value_is_not_replaced_by_another_one(arguments, cli, emulator):
    """A script whose variable is empty must not send a code to the stored phone, or log in as the stored account."""
    user = emulator.add_user()
    given = cli.with_env(AUTHING_ACCOUNT=user["username"], AUTHING_PASSWORD=user["password"], AUTHING_CODE="123456")
    assert given.invoke("login").code == 4, "a challenge is stored: its phone, its address"
    before = seen(emulator)
    done = given.invoke(*arguments)
    assert (done.code, seen(emulator)) == (2, before), done.err


@pytest.mark.parametrize("group", ["totp", "send", "verify", "factors", "face", "unbind", "config"])
@pytest.mark.parametrize("order", [("--json", "{}"), ("{}", "--json")])
def test_a_group_without_its_command_gives_json_if_asked_for(group, order, cli):
    """Wherever --json stands, stdout gets one object."""
    done = cli.invoke(*(part.format(group) for part in order))
    assert (done.code, done.json["error"]["type"]) == (2, "UsageError")
