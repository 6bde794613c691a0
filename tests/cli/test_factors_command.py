"""factors, totp check, refresh, introspect, logout, and what else a login can ask for: captcha, new password."""

from __future__ import annotations

import re
import resource
from pathlib import Path

import pytest

from tests.cli.test_journey import picture

PLAIN = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def eve(cli, emulator):
    """A user without a factor, logged in."""
    user = emulator.add_user(mfa=[])
    assert cli.log_in(user).code == 0
    return user


def listed(cli):
    """The types of the enrolled factors, and of those that can be enrolled."""
    data = cli.invoke("factors", "list", "--json").json["data"]
    return [factor["type"] for factor in data["factors"]], data["can_enroll"]


@pytest.mark.parametrize(("kind", "name", "option"), [("sms", "SMS", "--phone"), ("email", "EMAIL", "--email")])
def test_a_target_is_enrolled_and_removed(cli, emulator, eve, kind, name, option):
    """At a terminal the code that was sent is asked for; the list then has it; remove takes the type's word."""
    assert listed(cli) == ([], ["SMS", "EMAIL", "OTP", "FACE"])
    target = {"sms": "19912345678", "email": "new@example.com"}[kind]
    terminal = cli.terminal("factors", "add", kind, option, target)
    terminal.expect(f"A code was sent to {target}.")
    terminal.expect("Code:")
    terminal.type("000000")
    assert "2001" in terminal.expect("Tries left: 2.")
    terminal.expect("Code:")
    terminal.type(emulator.code_for(target))
    terminal.expect(f"{kind} is enrolled.")
    assert terminal.end() == 0
    (factor,) = cli.invoke("factors", "list", "--json").json["data"]["factors"]
    assert factor["type"] == name
    assert target in (factor["phone"], factor["email"])
    shown = cli.invoke("factors", "show", factor["id"])
    assert (shown.code, target in shown.out) == (0, True)
    assert cli.invoke("factors", "remove", kind).code == 0
    assert listed(cli)[0] == []


def test_an_authenticator_app_is_enrolled(cli, emulator, eve):
    """The terminal shows a QR picture that scans to the address; the recovery code is printed; remove takes the id."""
    terminal = cli.terminal("factors", "add", "totp")
    uri = re.search(r"otpauth://\S+", PLAIN.sub("", terminal.expect("Code:"))).group()
    assert "▀" in terminal.text
    secret = re.search(r"secret=(\w+)", uri).group(1)
    code = cli.with_env(AUTHING_TOTP_SECRET=secret).invoke("totp", "code").out.strip()
    terminal.type(code)
    shown = terminal.expect("recovery_code") + terminal.expect("\n")
    assert terminal.end() == 0
    assert re.search(r"(\w{4}-){5}\w{4}", PLAIN.sub("", shown))
    (factor,) = cli.invoke("factors", "list", "--json").json["data"]["factors"]
    assert cli.invoke("factors", "remove", factor["id"]).code == 0
    assert listed(cli)[0] == []


def test_the_recovery_code_of_an_enrolled_app_survives_a_failure_afterwards(cli, emulator, eve):
    """The app is bound; only the list that the command shows then cannot be had."""
    terminal = cli.terminal("factors", "add", "totp")
    uri = re.search(r"otpauth://\S+", PLAIN.sub("", terminal.expect("Code:"))).group()
    secret = re.search(r"secret=(\w+)", uri).group(1)
    emulator.fault(path="list_enrolled_factors", user=eve["username"], code=403)
    terminal.type(cli.with_env(AUTHING_TOTP_SECRET=secret).invoke("totp", "code").out.strip())
    terminal.expect("The new recovery code could not be shown.")
    assert terminal.end() == 6
    (kept,) = cli.folder.glob("recovery-code-*.txt")
    assert re.fullmatch(r"(\w{4}-){5}\w{4}\n", kept.read_text())


def test_the_recovery_code_of_an_app_survives_a_lost_answer(cli, emulator, eve):
    """The service has enrolled the app, and its answer does not arrive. Of an app that was refused no code is kept."""
    terminal = cli.terminal("factors", "add", "totp")
    terminal.expect("Code:")
    terminal.type("000000")
    terminal.expect("Code:")
    terminal.interrupt()
    assert list(cli.folder.glob("recovery-code-*.txt")) == []
    terminal = cli.terminal("factors", "add", "totp")
    uri = re.search(r"otpauth://\S+", PLAIN.sub("", terminal.expect("Code:"))).group()
    secret = re.search(r"secret=(\w+)", uri).group(1)
    emulator.fault(path="enroll_factor", drop="after", count=1)
    terminal.type(cli.with_env(AUTHING_TOTP_SECRET=secret).invoke("totp", "code").out.strip())
    terminal.expect("The new recovery code could not be shown.")
    assert terminal.end() == 3
    (kept,) = cli.folder.glob("recovery-code-*.txt")
    assert kept.read_text() == emulator.admin("GET", f"users/{eve['id']}")["recovery_code"] + "\n"


def test_a_face_is_enrolled_and_removed(cli, eve, tmp_path):
    """With a photo; it can be unbound, which nothing else can do."""
    photo = picture(tmp_path / "face.png")
    done = cli.run("factors", "add", "face", "--photo", photo)
    assert (done.code, "face is enrolled." in done.err) == (0, True)
    assert listed(cli)[0] == ["FACE"]
    assert cli.invoke("factors", "remove", "face").code == 0
    assert listed(cli)[0] == []


def test_without_a_terminal_the_code_comes_from_stdin(cli, emulator, eve):
    """A wrong value ends it with 1; a missing value is a usage error; without a terminal nothing is asked."""
    done = cli.invoke("factors", "add", "sms", "--phone", "19911112222", "--code-stdin", stdin="000000\n")
    assert (done.code, "2001" in done.err) == (1, True)
    assert cli.invoke("factors", "add", "sms").code == 2
    assert cli.invoke("factors", "add", "face", "--photo", "nowhere").code == 2
    assert cli.invoke("factors", "remove", "totp").code == 2
    assert cli.invoke("factors", "show", "none").code == 6
    assert cli.invoke("factors", "add", "iris").code == 2


def test_factors_need_a_login(cli):
    """Exit code 4, as for every command that acts for a user."""
    for arguments in (("list",), ("add", "totp"), ("remove", "totp"), ("show", "f")):
        assert cli.invoke("factors", *arguments).code == 4


def test_the_step_up_code_of_a_user_who_is_logged_in(cli, emulator):
    """0 for a right code, 1 for a wrong one; nobody is logged in by it."""
    user = emulator.add_user(mfa=[], totp=True)
    given = cli.with_env(AUTHING_TOKEN=emulator.token_of(user))
    wrong = given.invoke("totp", "check", "--code-stdin", stdin="000000")
    assert (wrong.code, wrong.out) == (1, "false\n")
    assert given.invoke("totp", "check", "--code-stdin", "--json", stdin="000000").json["data"] == {"verified": False}
    right = given.run("totp", "check", "--code-stdin", stdin=emulator.totp_of(user))
    assert (right.code, right.out) == (0, "true\n")


def test_the_session_is_renewed_and_ended(cli, emulator, eve):
    """refresh stores a new token; logout also ends the session at the service, so that the token is void there."""
    before = cli.invoke("token").out
    done = cli.invoke("refresh", "--json")
    assert (done.code, done.json["data"]["stored"]) == (0, True)
    after = cli.invoke("token").out.strip()
    assert after not in ("", before.strip())
    assert cli.invoke("whoami").code == 0
    told = cli.run("logout", "--json")
    assert (told.code, told.json["data"]) == (0, {"forgotten": True, "told": True})
    assert cli.with_env(AUTHING_TOKEN=after).invoke("whoami").code == 4
    assert cli.invoke("logout", "--json").json["data"] == {"forgotten": False, "told": False}


def test_logout_forgets_even_if_the_service_cannot_be_reached(cli, emulator, eve):
    """A warning says that the token is still good there; --local does not try."""
    emulator.fault(path="logout", count=1, drop="before")
    done = cli.invoke("logout", "--json")
    assert (done.code, done.json["data"]) == (0, {"forgotten": True, "told": False})
    assert "could not be told" in done.err
    assert cli.invoke("whoami").code == 4
    cli.log_in(eve)
    assert cli.invoke("logout", "--local", "--json").json["data"] == {"forgotten": True, "told": False}


def test_introspect(cli, emulator):
    """0 and its owner for a good mfaToken, 1 for anything else."""
    user = emulator.add_user()
    good = cli.invoke("introspect", "--mfa-token-stdin", "--json", stdin=emulator.mfa_token_of(user))
    assert (good.code, good.json["data"]["active"], good.json["data"]["user_id"]) == (0, True, user["id"])
    bad = cli.with_env(AUTHING_MFA_TOKEN="nonsense").invoke("introspect")
    assert (bad.code, "not valid, or not any more" in bad.err) == (1, True)
    bad = cli.with_env(AUTHING_MFA_TOKEN="nonsense").invoke("introspect", "--json")
    assert bad.json["data"]["active"] is False


def test_whoami_shows_more_when_asked(cli, emulator):
    """The pool's own fields, and how well the account is protected."""
    user = emulator.add_user(mfa=[], totp=True, custom={"department": "sales"})
    given = cli.with_env(AUTHING_TOKEN=emulator.token_of(user))
    data = given.invoke("whoami", "--custom", "--security", "--json").json["data"]
    assert data["custom"] == {"department": "sales"}
    assert data["security"]["mfa"] is True
    assert "custom" not in given.invoke("whoami", "--json").json["data"]


def test_a_code_for_any_scene(cli, emulator):
    """The scene is what was asked for; by default an e-mail is for MFA, and an SMS says nothing."""
    user = emulator.add_user(mfa=[])
    for channel, target, scene, expected in (
        ("sms", user["phone"], None, None),
        ("email", user["email"], None, "MFA_VERIFY"),
        ("sms", "19955556666", "login", "login"),
        ("email", "other@example.com", "VERIFY_CODE", "VERIFY_CODE"),
    ):
        options = () if scene is None else ("--scene", scene)
        assert cli.invoke("send", channel, target, *options).code == 0
        assert emulator.admin("GET", f"inbox?to={target}")["messages"][0]["scene"] == expected


# ─────────────────────────────── what else a login asks for ───────────────────────────────


@pytest.mark.parametrize("command", ["login", "mfa"])
def test_a_captcha_is_shown_and_asked_for(cli, emulator, command):
    """The picture is a file of the user's own; its text logs in; the file is gone afterwards."""
    user = emulator.add_user(mfa=[])
    emulator.admin("POST", "settings", {"captcha_after": 1})
    try:
        wrong = cli.invoke("login", user["username"], "--password-stdin", stdin="wrong\n")
        assert (wrong.code, "2333" in wrong.err) == (1, True)
        asked = cli.log_in(user)
        assert (asked.code, "captcha" in asked.err) == (4, True)  # without a terminal
        terminal = cli.with_env(AUTHING_PASSWORD=user["password"]).terminal(command, user["username"])
        for typed in ("wrong", None):
            shown = PLAIN.sub("", terminal.expect("Text in the picture:"))
            path = Path(re.search(r"\S+\.svg", shown).group())
            assert path.stat().st_mode & 0o777 == 0o600
            text = re.search(r">(\w+)</text>", path.read_text()).group(1)
            terminal.type(typed or text.lower())
        terminal.expect(f"{user['username']} is logged in.")
        assert terminal.end() == 0
        assert not path.exists()
    finally:
        emulator.admin("POST", "settings", {"captcha_after": None})


def test_a_captcha_that_no_file_can_hold(cli, emulator):
    """In a container without a place for files, say: the reason, and the exit code of a captcha."""
    user = emulator.add_user(mfa=[])
    emulator.admin("POST", "settings", {"captcha_after": 0})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # for the command, which inherits it
        try:
            terminal = cli.with_env(AUTHING_PASSWORD=user["password"]).terminal("login", user["username"])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert terminal.end() == 4
    finally:
        emulator.admin("POST", "settings", {"captcha_after": None})
    assert "The picture of the captcha cannot be written to a file" in terminal.text
    assert "Traceback" not in terminal.text


@pytest.mark.parametrize("code", [1639, 2058, 2071])
def test_a_new_password_is_asked_for_and_set(cli, emulator, code):
    """The new password must be typed twice and be safe; then the login continues with it. Neither password is echoed."""
    user = emulator.add_user(mfa=[], password_change=code)
    terminal = cli.with_env(AUTHING_PASSWORD=user["password"]).terminal("login", user["username"])
    terminal.expect("must be changed")
    for first, second, answer in (
        ("one-password", "another", "are not the same"),
        ("short", "short", "not safe enough (2061)"),
        ("quite new 密码", "quite new 密码", "The password is changed."),
    ):
        terminal.expect("New password:")
        terminal.type(first)
        terminal.expect("New password, again:")
        terminal.type(second)
        terminal.expect(answer)
    terminal.expect(f"{user['username']} is logged in.")
    assert terminal.end() == 0
    assert "quite new" not in terminal.text
    assert cli.invoke("login", user["username"], "--password-stdin", stdin="quite new 密码\n").code == 0
    assert cli.log_in(user).code == 1


def test_a_program_gives_the_new_password_by_a_variable(cli, emulator):
    """Without one the login ends with 4 and says what to do; a bad one ends it at once."""
    user = emulator.add_user(mfa=[], password_change=2071)
    asked = cli.log_in(user)
    assert (asked.code, "AUTHING_NEW_PASSWORD" in asked.err) == (4, True)
    assert cli.with_env(AUTHING_NEW_PASSWORD="short").log_in(user).code == 6
    done = cli.with_env(AUTHING_NEW_PASSWORD="long enough").log_in(user)
    assert done.code == 0
    assert "long enough" not in done.out + done.err
