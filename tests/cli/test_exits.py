"""The exit codes, one by one: by class of error, and from the whole command line. For 130 and 141: test_signals.py and test_main.py."""

import socket

import pytest

from authing_mfa import errors
from authing_mfa.batch.errors import JournalError
from authing_mfa.cli.exit_codes import exit_code
from authing_mfa.models import MfaChallenge


def api(cls, code, status=200):
    return cls("no", code=code, http_status=status)


BY_ERROR = [
    (api(errors.WrongCodeError, 6001), 1),
    (api(errors.WrongCodeError, 2001), 1),
    (api(errors.FaceError, 1702), 1),
    (api(errors.AccountLockedError, 2005), 1),
    (api(errors.AccountDisabledError, 1577), 1),
    (api(errors.WrongPasswordError, 2333), 1),
    (errors.InvalidInputError("bad"), 2),
    (errors.UsageError("closed"), 2),
    (errors.ImageError("broken"), 2),
    (errors.NetworkError("broken", delivery="unknown"), 3),
    (errors.NetworkError("refused", delivery="not_sent"), 3),
    (errors.CallTimeoutError("slow"), 3),
    (errors.LoginError("no token"), 4),
    (api(errors.InvalidMfaTokenError, 2021), 4),
    (api(errors.NotAuthenticatedError, 2020), 4),
    (errors.MfaRequiredError("due", challenge=MfaChallenge("t"), code=1636), 4),
    (api(errors.CaptchaRequiredError, 2000), 4),
    (api(errors.PasswordChangeRequiredError, 1639), 4),
    (api(errors.RateLimitedError, 2080), 5),
    (api(errors.ApiError, 422), 6),
    (api(errors.ServiceError, 500, 500), 6),
    (api(errors.ApiError, 500, 500), 6),
    (errors.ResponseError("html"), 6),
    (errors.ConfigError("none"), 6),
    (errors.CancelledCallError("cancelled"), 130),
    (JournalError("disk full"), 6),
]


@pytest.mark.parametrize(("error", "code"), BY_ERROR, ids=lambda value: getattr(type(value), "__name__", value))
def test_every_class_of_error_has_its_code(error, code):
    """The table of the contract."""
    assert exit_code(error) == code


def caused(cause):
    error = errors.ConfigError("no config")
    error.__cause__ = cause
    return error


def test_a_failed_discovery_counts_as_its_cause():
    """No public-config for want of a network is 3, for a refusal 6."""
    assert exit_code(caused(errors.NetworkError("dns"))) == 3
    assert exit_code(caused(api(errors.ApiError, 2011))) == 6
    assert exit_code(caused(errors.ResponseError("html"))) == 6


def test_0_yes(cli, emulator):
    """What works exits with 0."""
    user = emulator.add_user()
    done = cli.with_env(AUTHING_TOKEN=emulator.token_of(user)).run("whoami")
    assert done.code == 0


def test_1_the_service_says_no_to_a_code(cli, emulator):
    """A wrong code is 1, with the sentence of the contract."""
    user = emulator.add_user(totp=True)
    cli.log_in(user)
    done = cli.run("verify", "totp", "--code-stdin", stdin="000000\n")
    assert (done.code, done.out) == (1, "")
    assert "The code is wrong (6001). Codes change every 30 s: wait for the next code." in done.err


def test_1_not_bindable(cli, emulator):
    """A phone that is bound already is 1, and the answer is on stdout."""
    taken, user = emulator.add_user(), emulator.add_user()
    cli.log_in(user)
    done = cli.run("check", "--phone", taken["phone"])
    assert (done.code, done.out) == (1, "false\n")


def test_1_locked(cli, emulator):
    """A locked account is 1."""
    user = emulator.add_user()
    emulator.fault(path="login_by_account", user=user["username"], code=2005, count=1)
    assert cli.log_in(user).code == 1


def test_2_usage(cli, emulator):
    """An unknown option, an unknown command, an invalid value."""
    assert cli.run("verify", "totp", "--nonsense").code == 2
    assert cli.invoke("nonsense").code == 2
    assert cli.invoke("--timeout", "soon", "whoami").code == 2
    assert cli.with_env(AUTHING_TOKEN="t").invoke("verify", "sms", " ", "--code-stdin", stdin="1\n").code == 2


def test_2_no_code_and_no_terminal(cli, emulator):
    """Without a code and without a terminal to ask on: 2, and it says what to do."""
    cli.log_in(emulator.add_user(totp=True))
    done = cli.run("verify", "totp")
    assert done.code == 2
    assert "--code-stdin" in done.err
    assert "AUTHING_CODE" in done.err


def test_2_an_empty_line_is_no_code(cli, emulator):
    """`--code-stdin` with nothing on stdin is 2 as well."""
    cli.log_in(emulator.add_user(totp=True))
    assert cli.invoke("verify", "totp", "--code-stdin", stdin="\n").code == 2


def test_3_no_server_listens(cli):
    """A server that is not there is 3, and the sentence says that nothing was sent."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        done = cli.with_env(AUTHING_TOKEN="t").run("--base-url", url, "whoami")
    assert done.code == 3
    assert "Nothing was sent" in done.err


def test_3_unknown_outcome(cli, emulator):
    """A connection that breaks after the service acted is 3, and the sentence warns."""
    user = emulator.add_user(totp=True)
    cli.log_in(user)
    emulator.fault(path="mfa_verify_by_totp", user=user["username"], drop="after", count=1)
    done = cli.invoke("verify", "totp", "--code-stdin", stdin=emulator.totp_of(user))
    assert done.code == 3
    assert "The service may have acted" in done.err


def test_3_timeout(cli, emulator):
    """So is a call that takes too long."""
    user = emulator.add_user(totp=True)
    cli.log_in(user)
    emulator.fault(path="mfa_verify_by_totp", user=user["username"], latency=5, count=1)
    done = cli.invoke("--timeout", "0.3", "verify", "totp", "--code-stdin", stdin="000000")
    assert done.code == 3


def test_4_no_user_is_logged_in(cli):
    """A command that needs a user's token and has none is 4."""
    done = cli.run("whoami")
    assert done.code == 4
    assert "authing-mfa login" in done.err


def test_4_a_bad_token(cli):
    """2020 and 2021 are 4."""
    stranger = cli.with_env(AUTHING_TOKEN="not-a-token")
    assert stranger.invoke("whoami").code == 4
    assert stranger.invoke("verify", "totp", "--code-stdin", stdin="000000").code == 4


def test_4_a_second_factor_is_needed(cli, emulator):
    """1636 and 1635 are 4, and the mfaToken is kept."""
    done = cli.log_in(emulator.add_user())
    assert done.code == 4
    assert "A second factor is needed (1636): SMS, EMAIL, OTP, FACE. The mfaToken is stored" in done.err
    own = cli.log_in(emulator.add_user(mfa=[], totp=True))
    assert (own.code, "1635" in own.err) == (4, True)


def test_5_too_soon(cli, emulator):
    """A second message within the minute is 5."""
    phone = emulator.add_user()["phone"]
    assert cli.run("send", "sms", phone).code == 0
    done = cli.invoke("send", "sms", phone)
    assert done.code == 5
    assert "minute" in done.err


def test_5_says_how_long_to_wait(cli, emulator):
    """A 429 with Retry-After beyond the time-out is 5 and names the seconds."""
    user = emulator.add_user()
    emulator.fault(path="login_by_account", user=user["username"], retry_after=120, count=1)
    done = cli.log_in(user)
    assert (done.code, "wait 120 s" in done.err) == (5, True)


def test_1_a_wrong_password(cli, emulator):
    """The service says no, as to a wrong code."""
    user = emulator.add_user()
    done = cli.run("login", user["username"], "--password-stdin", stdin="wrong\n")
    assert (done.code, "2333" in done.err) == (1, True)


def test_6_another_refusal(cli, emulator):
    """A factor that does not exist is 6: it is neither a wrong code nor a missing login."""
    given = cli.with_env(AUTHING_TOKEN=emulator.token_of(emulator.add_user()))
    assert given.invoke("factors", "show", "none").code == 6


def test_6_not_the_protocol(cli, emulator):
    """An HTML page is 6."""
    user = emulator.add_user()
    emulator.fault(path="login_by_account", user=user["username"], body="html", count=1)
    assert cli.log_in(user).code == 6


def test_7_a_batch_failed_in_part(cli, emulator, tmp_path):
    """A batch with a row that cannot be one is 7."""
    rows = tmp_path / "rows.csv"
    rows.write_text("kind,phone\nnonsense,1\n")
    assert cli.run("batch", str(rows)).code == 7
