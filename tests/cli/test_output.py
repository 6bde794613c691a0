"""What goes where: stdout and stderr, JSON, colours, languages, terminals that can do little."""

import io
import json
import sys

import pytest

from authing_mfa import errors
from authing_mfa.cli.diagnosis_texts import DIAGNOSIS_TEXTS
from authing_mfa.cli.error_messages import describe, sentence
from authing_mfa.cli.output import Output, OutputError, wants_colour
from authing_mfa.cli.texts import TEXTS
from authing_mfa.models import MfaChallenge, MfaFactor


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("environ", "terminal", "colour"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
    ],
)
def test_when_there_is_colour(environ, terminal, colour):
    """NO_COLOR, FORCE_COLOR, TERM and the terminal, in this order."""
    assert wants_colour(environ, Screen() if terminal else io.StringIO()) is colour


def test_colours_on_a_terminal_and_none_without(bare):
    """Real output: colours on a pseudo-terminal, none in a pipe or on a dumb terminal, colours when forced."""
    on_terminal = bare.terminal("config", "list")
    assert on_terminal.end() == 0
    assert "\x1b[" in on_terminal.text
    assert "KEY" in on_terminal.text
    dumb = bare.with_env(TERM="dumb").terminal("config", "list")
    assert dumb.end() == 0
    assert "\x1b[" not in dumb.text
    piped = bare.run("config", "list")
    assert "\x1b[" not in piped.out
    assert "KEY" not in piped.out
    assert "\x1b[" in bare.with_env(FORCE_COLOR="1").invoke("whoami").err


def test_no_color_at_a_terminal(bare):
    """NO_COLOR is obeyed there too."""
    terminal = bare.with_env(NO_COLOR="1").terminal("whoami")
    terminal.end()
    assert "\x1b[" not in terminal.text


def test_json_is_one_object_for_success_and_error(cli, emulator):
    """Before and after the command; a success has data, an error has its class, code, sentence and delivery."""
    user = emulator.add_user(totp=True)
    good = cli.with_env(AUTHING_TOKEN=emulator.token_of(user)).run("--json", "whoami").json
    assert (good["ok"], good["command"], good["exit"], good["data"]["id"]) == (True, "whoami", 0, user["id"])
    cli.log_in(user)
    bad = cli.run("verify", "totp", "--code-stdin", "--json", stdin="000000")
    told = bad.json
    assert (told["ok"], told["command"], told["exit"]) == (False, "verify totp", 1)
    assert set(told["error"]) == {
        *("type", "code", "message", "service_message", "delivery", "http_status", "request_id", "retry_after"),
    }
    assert (told["error"]["type"], told["error"]["code"]) == ("WrongCodeError", 6001)
    assert told["error"]["delivery"] == "answered"
    assert told["error"]["message"] in bad.err


def test_json_of_a_challenge_has_the_factors_and_no_token(cli, emulator):
    """A program learns which factor is needed; the mfaToken is stored, and `token` prints it."""
    user = emulator.add_user()
    done = cli.invoke("login", user["username"], "--password-stdin", "--json", stdin=user["password"])
    assert done.json["error"]["challenge"] == {
        "factors": ["SMS", "EMAIL", "OTP", "FACE"],
        "phone": user["phone"],
        "phone_country_code": "+86",
        "email": user["email"],
        "totp_enabled": False,
        "face_enabled": False,
    }
    assert cli.invoke("token").out.strip() not in done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("--json", "nonsense"), ""),
        (("verify", "totp", "--nonsense", "--json"), "verify totp"),
        (("verify", "totp", "--json"), "verify totp"),
    ],
)
def test_json_of_a_usage_error(arguments, command, cli):
    """Errors of usage are objects as well, wherever --json stands."""
    told = cli.with_env(AUTHING_TOKEN="t").invoke(*arguments).json
    assert (told["exit"], told["error"]["type"], told["command"]) == (2, "UsageError", command)


def test_errors_go_to_stderr(cli):
    """Without --json an error leaves stdout empty."""
    done = cli.run("whoami")
    assert (done.out, done.err != "") == ("", True)


ERRORS = [
    errors.InvalidInputError("phone is empty."),
    errors.ImageError("The picture is broken."),
    errors.NetworkError("Refused.", delivery="not_sent"),
    errors.CallTimeoutError("Slow."),
    errors.ConfigError("No config."),
    errors.LoginError("No token."),
    errors.ResponseError("HTML."),
    *(errors.WrongCodeError("wrong", code=code) for code in (6001, 6002, 6003, 6004, 2001, 2300, 400)),
    *(errors.FaceError("no face", code=code) for code in range(1700, 1708)),
    errors.ApiError("unknown", code=2333),
    errors.ApiError("unknown", code=2004),
    errors.ApiError("unknown", code=2011),
    errors.ApiError("unknown.", code=4711, request_id="req-1"),
    errors.ApiError("bad request", code=400),
    errors.InvalidMfaTokenError("x", code=2021),
    errors.NotAuthenticatedError("x", code=2020),
    errors.RateLimitedError("x", code=2080),
    errors.RateLimitedError("x", code=429, retry_after=3.5),
    errors.AccountLockedError("x", code=2005),
    errors.MfaRequiredError("x", code=1635, challenge=MfaChallenge("s3cret", (MfaFactor("OTP"),))),
    errors.MfaRequiredError("x", code=1636, challenge=MfaChallenge("s3cret", (MfaFactor("PASSKEY"),))),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{type(error).__name__}-{error.code}")
def test_every_error_is_a_sentence_with_its_code_in_both_languages(error):
    """The code stands in it, the two languages differ, no double stop, and no secret is shown."""
    english, chinese = sentence(error, "en-US", kept=True), sentence(error, "zh-CN", kept=True)
    assert str(error.code) in english
    assert str(error.code) in chinese
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese) or isinstance(error, errors.InvalidInputError)
    for text in (english, chinese):
        assert ".." not in text
        assert "。。" not in text
        assert "{" not in text
        assert "s3cret" not in text
    assert "s3cret" not in json.dumps(describe(error, english))


def test_the_request_id_is_named_for_the_support():
    """An unknown refusal names the request id for the service's support."""
    assert "req-1" in sentence(errors.ApiError("no", code=4711, request_id="req-1"), "en")


def test_every_text_has_both_languages_and_the_same_fields():
    """No sentence is half translated."""
    import string

    for key, (english, chinese) in {**TEXTS, **DIAGNOSIS_TEXTS}.items():
        fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (english, chinese)]
        assert fields[0] == fields[1], key
        assert chinese


@pytest.mark.parametrize("given", [{"LANG": "zh_CN.UTF-8"}, {"AUTHING_LANG": "zh"}])
def test_chinese_by_locale_and_by_setting(given, cli):
    """LANG and AUTHING_LANG both choose."""
    assert "尚未登录" in cli.with_env(**given).run("whoami").err


def test_english_by_flag_in_a_chinese_locale(cli):
    """--lang has the last word; the service is asked in that language too."""
    assert "not logged in" in cli.with_env(LANG="zh_CN.UTF-8").invoke("--lang", "en", "whoami").err


def test_a_terminal_that_shows_ascii_only(bare):
    """What cannot be shown is replaced, never an error."""
    ascii_only = bare.with_env(PYTHONIOENCODING="ascii", AUTHING_LANG="zh", AUTHING_APP_ID="应用")
    assert ascii_only.run("config", "get", "app_id").out == "??\n"
    assert ascii_only.run("whoami").code == 4


def test_without_any_stream_only_data_is_an_error(monkeypatch):
    """A program without a console has no stdout and no stderr; sentences may be lost, an answer may not."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    output = Output({})
    output.data({"a": 1})
    output.warn("careful")
    with pytest.raises(OutputError):
        output.data({"a": 1}, "line")


def test_the_rich_console_keeps_to_the_same_rules(monkeypatch):
    """The progress bar's console is coloured where sentences are, and not where they are not."""
    monkeypatch.setattr(sys, "stderr", Screen())
    assert Output({"TERM": "xterm-256color"}).console(stderr=True).color_system is not None
    plain = Output({"NO_COLOR": "1"}).console(stderr=True)
    plain.print("[red]words[/red]")
    assert "\x1b[31m" not in sys.stderr.getvalue()
    assert "words" in sys.stderr.getvalue()
