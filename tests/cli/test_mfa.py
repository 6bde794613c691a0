"""`mfa`: with a person at a real pseudo-terminal, and without one."""

import os
import re

import pytest

from tests.cli.test_journey import picture


def number_of(text, words):
    """The number that stands before *words* in the list of factors."""
    return re.search(rf"(\d+) +{re.escape(words)}", re.sub(r"\x1b\[[0-9;]*m", "", text)).group(1)


def test_at_a_terminal_every_step_is_asked(cli, emulator):
    """Account, password, factor, code; a wrong code may be corrected; nothing secret is echoed."""
    user = emulator.add_user(totp=True)
    terminal = cli.terminal("mfa")
    terminal.expect("Account (user name, phone or e-mail):")
    terminal.type(user["username"])
    terminal.expect("Password:")
    terminal.type(user["password"])
    shown = terminal.expect("Choose a factor")
    assert re.findall(r"SMS to .*|E-mail to .*|Authenticator app|Face photos .*|Recovery code", shown) == [
        f"SMS to +86 {user['phone']}",
        f"E-mail to {user['email']}",
        "Authenticator app",
        "Face photos (you bind the face now)",
        "Recovery code",
    ]
    terminal.type(number_of(shown, "SMS"))
    terminal.expect("A code was sent to")
    terminal.expect("Code:")
    terminal.type("000000")
    assert "2001" in terminal.expect("Tries left: 2.")
    terminal.expect("Code:")
    code = emulator.code_for(user["phone"])
    terminal.type(code)
    terminal.expect(f"{user['username']} is logged in.")
    assert terminal.end() == 0
    assert code not in terminal.text
    assert user["password"] not in terminal.text
    assert user["username"] in cli.invoke("whoami").out


def test_three_wrong_codes_are_enough(cli, emulator):
    """The third ends it with 1."""
    user = emulator.add_user(mfa=["OTP"], totp=True)
    terminal = cli.with_env(AUTHING_PASSWORD=user["password"]).terminal("mfa", user["username"], "--factor", "totp")
    for _ in range(3):
        terminal.expect("Code:")
        terminal.type("000000")
    assert terminal.end() == 1
    assert terminal.text.count("6001") == 3


def test_totp_is_bound_on_the_way(cli, emulator):
    """The QR picture, the secret's address, the first code, and then the recovery code to keep."""
    user = emulator.add_user()
    terminal = cli.with_env(AUTHING_PASSWORD=user["password"]).terminal("mfa", user["username"], "--factor", "totp")
    terminal.expect("otpauth://")
    uri = "otpauth://" + terminal.expect("Code:").partition("\n")[0]
    code = cli.invoke("totp", "code", "--secret-stdin", stdin=uri).out.strip()
    terminal.type(code)
    terminal.expect("Keep the recovery code:")
    terminal.expect("recovery_code")
    assert terminal.end() == 0
    assert emulator.admin("GET", f"users/{user['id']}")["totp_enabled"] is True


def test_the_recovery_code_of_a_bound_app_survives_a_lost_answer(cli, emulator):
    """The service has bound the app, and its answer does not arrive: the code is in a private file."""
    user = emulator.add_user()
    terminal = cli.with_env(AUTHING_PASSWORD=user["password"]).terminal("mfa", user["username"], "--factor", "totp")
    terminal.expect("otpauth://")
    uri = "otpauth://" + terminal.expect("Code:").partition("\n")[0]
    emulator.fault(path="mfa_confirm_totp", drop="after", count=1)
    terminal.type(cli.invoke("totp", "code", "--secret-stdin", stdin=uri).out.strip())
    terminal.expect("The new recovery code could not be shown.")
    assert terminal.end() == 3
    (kept,) = cli.folder.glob("recovery-code-*.txt")
    assert kept.read_text() == emulator.admin("GET", f"users/{user['id']}")["recovery_code"] + "\n"


def test_ctrl_c_and_the_terminal_is_as_before(cli, emulator):
    """130, and echo is on again for the shell."""
    import termios

    terminal = cli.terminal("mfa", "somebody")
    terminal.expect("Password:")
    keeper = os.dup(terminal.master)
    try:
        assert terminal.interrupt() == 130
        assert termios.tcgetattr(keeper)[3] & termios.ECHO
    finally:
        os.close(keeper)


def test_without_a_terminal_everything_comes_from_stdin(cli, emulator):
    """Password and code are two lines of stdin."""
    user = emulator.add_user(totp=True)
    lines = f"{user['password']}\n{emulator.totp_of(user)}\n"
    arguments = ("mfa", user["username"], "--factor", "totp", "--password-stdin", "--code-stdin")
    done = cli.run(*arguments, stdin=lines)
    assert (done.code, user["username"] in done.out) == (0, True)


def test_without_a_terminal_a_missing_factor_is_named(cli, emulator):
    """The error says which option gives it, and which factors there are."""
    user = emulator.add_user(totp=True)
    done = cli.with_env(AUTHING_PASSWORD=user["password"]).invoke("mfa", user["username"])
    assert done.code == 2
    assert "Factor is missing, and there is no terminal to ask on: use --factor " in done.err
    assert "totp" in done.err


@pytest.mark.parametrize(("factor", "target"), [("sms", "phone"), ("email", "email")])
def test_a_fixed_code_of_the_environment(factor, target, cli, emulator):
    """Every prompt has its variable."""
    user = emulator.add_user()
    emulator.admin("POST", "codes", {"target": user[target], "code": "246813"})
    given = {"AUTHING_ACCOUNT": user["username"], "AUTHING_PASSWORD": user["password"], "AUTHING_CODE": "246813"}
    done = cli.with_env(**given).invoke("mfa", "--factor", factor, "--json")
    assert (done.code, done.json["data"]["username"]) == (0, user["username"])


@pytest.mark.parametrize(("factor", "name"), [("sms", "phone"), ("email", "email")])
def test_a_target_is_bound_on_the_way(factor, name, cli, emulator):
    """If no target is bound, the new one is checked first; a target of another user is refused with 1."""
    taken = emulator.add_user()
    user = emulator.add_user(phone=None, email=None)
    target = {"phone": "16600000001", "email": "new@example.com"}[name]
    emulator.admin("POST", "codes", {"target": target, "code": "246813"})
    given = cli.with_env(AUTHING_PASSWORD=user["password"], AUTHING_CODE="246813")
    refused = given.invoke("mfa", user["username"], "--factor", factor, f"--{name}", taken[name], "--json")
    assert (refused.code, refused.json["error"]["type"]) == (1, "NotBindable")
    assert given.invoke("mfa", user["username"], "--factor", factor, f"--{name}", target).code == 0
    assert emulator.admin("GET", f"users/{user['id']}")[f"mfa_{name}"] == target


def test_the_country_code_of_a_new_phone_is_asked(cli, emulator):
    """Without it the service takes the phone for a Chinese one, and a stranger may get the code."""
    user = emulator.add_user(phone=None, mfa=["SMS"])
    emulator.admin("POST", "codes", {"target": "+447700900999", "code": "246813"})
    terminal = cli.with_env(AUTHING_PASSWORD=user["password"]).terminal("mfa", user["username"])
    terminal.expect("Phone number:")
    terminal.type("7700900999")
    terminal.expect("Country code of the phone, for example +44 (empty: +86):")
    terminal.type("+44")
    terminal.expect("Code:")
    terminal.type("246813")
    assert terminal.end() == 0
    (sent,) = (
        seen for seen in emulator.admin("GET", "requests?limit=5")["requests"] if seen["path"] == "/api/v2/sms/send"
    )
    assert sent["request"]["phoneCountryCode"] == "+44"


def test_by_face(cli, emulator, tmp_path):
    """Two photos bind it, one verifies it."""
    user = emulator.add_user()
    given = cli.with_env(AUTHING_PASSWORD=user["password"])
    photo = picture(tmp_path / "face.png")
    arguments = ("mfa", user["username"], "--factor", "face", "--photo", photo)
    assert given.invoke(*arguments).code == 2
    (last,) = emulator.admin("GET", "requests?limit=1")["requests"]
    assert last["path"] == "/api/v2/login/account", "no photo was uploaded"
    assert given.invoke(*arguments, "--photo", photo).code == 0
    assert given.invoke(*arguments).code == 0


def test_by_recovery_code(cli, emulator):
    """Offered where TOTP is bound; the new code is in the output."""
    user = emulator.add_user(mfa=[], totp=True)
    given = cli.with_env(AUTHING_PASSWORD=user["password"], AUTHING_CODE=user["recovery_code"])
    done = given.invoke("mfa", user["username"], "--factor", "recovery", "--json")
    assert (done.code, done.json["data"]["recovery_code"] != user["recovery_code"]) == (0, True)


def test_no_second_factor(cli, emulator):
    """If no second factor is needed, the login is enough."""
    user = emulator.add_user(mfa=[])
    done = cli.with_env(AUTHING_PASSWORD=user["password"]).invoke("mfa", user["username"])
    assert (done.code, "No second factor is needed." in done.err) == (0, True)


def test_what_cannot_be_asked_is_a_usage_error(cli, emulator):
    """Without a terminal: no account, no password, no factor, no code, or a factor that is not allowed."""
    user = emulator.add_user(mfa=["SMS", "OTP"], totp=True)
    assert cli.run("mfa").code == 2
    assert cli.invoke("mfa", user["username"]).code == 2
    given = cli.with_env(AUTHING_PASSWORD=user["password"])
    choose = given.invoke("mfa", user["username"])
    assert (choose.code, "--factor sms|totp|recovery" in choose.err) == (2, True)
    assert given.invoke("mfa", user["username"], "--factor", "totp").code == 2
    face = given.invoke("mfa", user["username"], "--factor", "face")
    assert (face.code, "Allowed: sms, totp, recovery" in face.err) == (2, True)


def test_in_chinese(cli, emulator):
    """The questions too."""
    user = emulator.add_user(totp=True)
    terminal = cli.with_env(LANG="zh_CN.UTF-8", AUTHING_PASSWORD=user["password"]).terminal("mfa")
    terminal.expect("账号（用户名、手机号或邮箱）:")
    terminal.type(user["username"])
    shown = terminal.expect("请选择")
    assert "验证器应用" in shown
    assert terminal.interrupt() == 130
