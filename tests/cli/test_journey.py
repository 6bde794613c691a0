"""login, check, send, verify, face, totp, unbind, whoami: the journey in single commands, each once as a process."""

import io
import stat

import pytest
from PIL import Image, ImageDraw

from tests import needs


def picture(path, colour="#e0ac7e"):
    image = Image.new("RGB", (200, 200), "#9cc4e4")
    ImageDraw.Draw(image).ellipse((40, 30, 160, 180), fill=colour)
    image.save(path)
    return str(path)


def test_by_sms_the_challenge_is_carried_from_command_to_command(cli, emulator):
    """login keeps the mfaToken and the phone; send and verify need nothing else; whoami then uses the user's token."""
    user = emulator.add_user()
    login = cli.run("login", user["username"], "--password-stdin", stdin=user["password"] + "\n")
    assert login.code == 4
    assert "Continue with: authing-mfa send sms" in login.err
    send = cli.run("send", "sms")
    assert (send.code, send.out, user["phone"] in send.err) == (0, "", True)
    verify = cli.run("verify", "sms", "--code-stdin", stdin=emulator.code_for(user["phone"]) + "\n")
    assert (verify.code, f"{user['username']} is logged in." in verify.err) == (0, True)
    whoami = cli.run("whoami")
    assert ["username", user["username"]] in [line.split() for line in whoami.out.splitlines()]


def test_by_email(cli, emulator):
    """The same with the address; the code comes from the environment."""
    user = emulator.add_user()
    cli.log_in(user)
    assert cli.run("send", "email").code == 0
    done = cli.with_env(AUTHING_CODE=emulator.code_for(user["email"])).run("verify", "email")
    assert (done.code, user["email"] in done.out) == (0, True)


def test_by_totp_with_both_on_stdin(cli, emulator):
    """The token is the first line of stdin, the code the second."""
    user = emulator.add_user(totp=True)
    lines = f"{emulator.mfa_token_of(user)}\n{emulator.totp_of(user)}\n"
    done = cli.run("verify", "totp", "--token-stdin", "--code-stdin", "--json", stdin=lines)
    assert (done.code, done.json["command"], done.json["data"]["username"]) == (0, "verify totp", user["username"])


def test_recovery_prints_the_new_code_on_stdout(cli, emulator):
    """The old one is spent, the new one is the output's, and it works."""
    user = emulator.add_user(totp=True)
    cli.log_in(user)
    done = cli.run("verify", "recovery", "--code-stdin", stdin=user["recovery_code"])
    fields = dict(line.split(maxsplit=1) for line in done.out.splitlines())
    assert (done.code, "NEW recovery code" in done.err) == (0, True)
    assert fields["recovery_code"] not in (user["recovery_code"], "")
    cli.log_in(user)
    assert cli.invoke("verify", "recovery", "--code-stdin", stdin=user["recovery_code"]).code == 1
    assert cli.invoke("verify", "recovery", "--code-stdin", stdin=fields["recovery_code"]).code == 0


def test_check_answers_on_stdout(cli, emulator):
    """A free one is true and 0; both given, both are asked about."""
    cli.log_in(emulator.add_user())
    done = cli.run("check", "--phone", "19900000001", "--email", "free@example.com")
    assert (done.code, done.out) == (0, "true\n")
    told = cli.invoke("check", "--phone", "19900000001", "--json").json
    assert (told["ok"], told["data"]) == (True, {"bindable": True, "phone": "19900000001", "email": None})
    assert cli.invoke("check").code == 2


def test_login_by_a_code_of_a_message(cli, emulator):
    """--phone and --email log in without a password; nobody needs to be logged in to have a code sent."""
    user = emulator.add_user(mfa=[])
    cli.invoke("send", "sms", user["phone"])
    code = emulator.code_for(user["phone"])
    assert cli.run("login", "--phone", user["phone"], "--code-stdin", stdin=code).code == 0
    cli.invoke("logout")
    cli.invoke("send", "email", "--email", user["email"])
    code = emulator.code_for(user["email"])
    assert cli.invoke("login", "--email", user["email"], "--code-stdin", stdin=code).code == 0
    assert cli.invoke("login", "ada", "--phone", "1").code == 2


def test_a_country_code_travels(cli, emulator):
    """--country reaches the service."""
    done = cli.invoke("send", "sms", "2025550123", "--country", "+1", "--json")
    assert done.json["data"] == {"channel": "sms", "to": "2025550123"}
    (seen,) = emulator.admin("GET", "requests?limit=1")["requests"]
    assert seen["request"] == {"phone": "2025550123", "phoneCountryCode": "+1"}


def test_the_country_code_of_the_challenge_travels(cli, emulator):
    """A phone outside of China needs no --country after the login: the challenge names it."""
    user = emulator.add_user(phone_country_code="+44")
    cli.log_in(user)
    assert cli.invoke("send", "sms").code == 0
    (message,) = emulator.admin("GET", "inbox?limit=1")["messages"]
    assert cli.invoke("verify", "sms", "--code-stdin", stdin=message["code"]).code == 0
    verified, sent = (seen["request"] for seen in emulator.admin("GET", "requests?limit=2")["requests"])
    assert (sent["phoneCountryCode"], verified["phoneCountryCode"]) == ("+44", "+44")


def test_register(cli):
    """--register makes the account."""
    assert cli.invoke("login", "newcomer", "--password-stdin", stdin="a password").code == 1
    assert cli.invoke("login", "newcomer", "--register", "--password-stdin", stdin="a password").code == 0


def test_a_target_is_needed_once(cli, emulator):
    """Exactly one target is needed."""
    assert cli.invoke("send", "sms").code == 2
    assert cli.invoke("send", "sms", "1", "--phone", "2").code == 2
    user = emulator.add_user(mfa=["OTP"], totp=True)
    cli.log_in(user)
    assert cli.invoke("verify", "email", "--code-stdin", stdin="1").code == 2


def test_face_upload_bind_verify(cli, emulator, tmp_path):
    """Keys and files both do; another face is refused with 1."""
    user = emulator.add_user()
    one, two = picture(tmp_path / "one.png"), picture(tmp_path / "two.jpg", "#dfab7d")
    upload = cli.run("face", "upload", one)
    key = upload.out.strip()
    assert (upload.code, key.count("\n"), "/" in key) == (0, 0, True)
    cli.log_in(user)
    assert cli.run("face", "bind", key, two).code == 0
    cli.log_in(user)
    assert cli.run("face", "verify", one).code == 0
    cli.log_in(user)
    assert cli.run("verify", "face", key).code == 0
    cli.log_in(user)
    other = cli.invoke("face", "verify", picture(tmp_path / "other.png", "#101010"))
    assert (other.code, "1702" in other.err) == (1, True)


def test_a_photo_that_is_missing_or_invalid(cli, emulator, tmp_path):
    """A name that is no file is a usage error, and so is a file that is no picture; nothing is sent."""
    cli.log_in(emulator.add_user())
    text = tmp_path / "text.png"
    text.write_text("no picture")
    assert cli.invoke("face", "verify", "typo.jpg").code == 2
    assert cli.invoke("face", "verify", str(tmp_path / "none.jpg")).code == 2
    broken = cli.invoke("face", "upload", str(text))
    assert (broken.code, "10101" in broken.err) == (2, True)
    assert cli.invoke("face", "upload", str(tmp_path / "none.jpg")).code == 2


def test_totp_associate_confirm_list_delete(cli, emulator):
    """Bound by two commands, listed, verified with the same code, and unbound again."""
    user = emulator.add_user()
    cli.log_in(user)
    made = cli.run("totp", "associate", "--json").json["data"]
    assert set(made) == {"secret", "uri", "recovery_code"}
    code = cli.run("totp", "code", "--secret-stdin", stdin=made["uri"] + "\n").out.strip()
    confirm = cli.run("totp", "confirm", "--code-stdin", stdin=code)
    assert (confirm.code, "the same code is valid once more" in confirm.err) == (0, True)
    assert cli.invoke("verify", "totp", "--code-stdin", stdin=code).code == 0
    listed = cli.run("totp", "list")
    assert listed.out.rstrip("\n").split("\t")[1:] == ["totp", "enabled", "SELF"]
    assert cli.invoke("totp", "list", "--json").json["data"]["authenticators"][0]["enabled"] is True
    assert cli.run("totp", "delete").code == 0
    empty = cli.invoke("totp", "list")
    assert (empty.code, empty.out) == (0, "")
    assert made["secret"] not in listed.out


def test_a_wrong_first_code_is_a_no(cli, emulator):
    """Code 400 of a confirmation is exit code 1."""
    cli.log_in(emulator.add_user())
    cli.invoke("totp", "associate")
    done = cli.invoke("totp", "confirm", "--code-stdin", stdin="000000")
    assert (done.code, "(400)" in done.err) == (1, True)


def test_totp_associate_writes_the_picture(cli, emulator, tmp_path):
    """--png gives a picture that a phone can scan, readable by the user only."""
    needs.require_module("zxingcpp")
    import zxingcpp

    cli.log_in(emulator.add_user())
    path = tmp_path / "qr.png"
    made = cli.invoke("totp", "associate", "--png", str(path), "--json").json["data"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        assert [found.text for found in zxingcpp.read_barcodes(image)] == [made["uri"]]


def test_the_secret_of_a_picture_that_cannot_be_written_is_shown(cli, emulator):
    """The service has made it; the exit code says that a part of the output is missing. A device is not replaced by a file."""
    cli.log_in(emulator.add_user())
    for done in (
        cli.invoke("totp", "associate", "--json", "--png", "/nowhere/qr.png"),
        cli.invoke("totp", "associate", "--json", "--png", "/dev/null"),
    ):
        assert (done.code, "The QR code cannot be written" in done.err) == (74, True)
        assert set(done.json["data"]) == {"secret", "uri", "recovery_code"}


@pytest.mark.parametrize("what", ["phone", "email", "totp"])
def test_unbind(what, cli, emulator):
    """Each factor can be unbound by the logged-in user, and not with an mfaToken."""
    user = emulator.add_user(totp=True)
    cli.log_in(user)
    assert cli.invoke("unbind", what).code == 4
    speaking = cli.with_env(AUTHING_TOKEN=emulator.token_of(user))
    done = speaking.run("unbind", what, "--json")
    assert (done.code, done.json["data"]) == (0, {"unbound": what})
    now = emulator.admin("GET", f"users/{user['id']}")
    assert not now[{"phone": "mfa_phone", "email": "mfa_email", "totp": "totp_enabled"}[what]]


def test_unbind_a_factor_by_its_id(cli, emulator):
    """The v3 way, with the id that totp list shows."""
    user = emulator.add_user(totp=True)
    speaking = cli.with_env(AUTHING_TOKEN=emulator.token_of(user))
    (one,) = speaking.invoke("totp", "list", "--json").json["data"]["authenticators"]
    assert speaking.run("unbind", "factor", one["id"]).code == 0
    assert speaking.invoke("unbind", "factor", "0" * 24).code != 0


def test_public_photos(cli, tmp_path):
    """--public is sent to the service."""
    told = cli.invoke("face", "upload", picture(tmp_path / "one.png"), "--public", "--json").json["data"]
    assert told["private"] is False
