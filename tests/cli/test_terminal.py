"""What reaches the terminal: in any locale, whatever a service or its users send; `doctor` and `config list` never end in a traceback."""

import base64
import http.server
import json
import subprocess
import sys
import threading

import pytest

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\r\nFAKE LINE\ttab\x00"
RAW = ("\x1b", "\x07", "\x9b", "\u202e", "\r", "\x00")
LOCALES = [
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "cp1252"},
    {"PYTHONIOENCODING": "cp437"},
    {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"},
]


@pytest.mark.parametrize(
    ("environ", "arguments"),
    [
        *((environ, ("--help",)) for environ in LOCALES),
        (LOCALES[1], ("batch", "--help")),
        (LOCALES[1], ("config", "list")),
        (LOCALES[1], ("--lang", "zh-CN", "doctor")),
    ],
)
def test_every_locale_gets_its_output(bare, environ, arguments):
    """Help pages have dots and dashes that 8-bit encodings lack, Chinese has more: something like them is shown, never a traceback."""
    command = [sys.executable, "-m", "authing_mfa", *arguments]
    done = subprocess.run(command, capture_output=True, env={**bare.environ, **environ}, timeout=60)
    assert (done.returncode, done.stderr) == (2 if "doctor" in arguments else 0, b"")
    assert done.stdout


def test_json_is_whole_in_every_locale(bare):
    """What the encoding lacks is escaped as JSON has it, not replaced."""
    done = bare.with_env(PYTHONIOENCODING="ascii", AUTHING_APP_ID="应用").run("--json", "config", "list")
    rows = {row["key"]: row["value"] for row in json.loads(done.out)["data"]["settings"]}
    assert rows["app_id"] == "应用"


@pytest.mark.parametrize("output", [(), ("--json",)])
def test_what_users_send_is_no_order_to_the_terminal(cli, emulator, output):
    """The recipient of a message and the name of a user are shown with escapes, on a terminal with colours as well."""
    user = emulator.add_user(mfa=[])
    emulator.admin("PATCH", f"users/{user['id']}", {"nickname": EVIL})
    emulator.admin("POST", "messages", {"to": f"{EVIL}@example.com", "scene": EVIL})
    colours = cli.with_env(FORCE_COLOR="1")
    for arguments in (
        ("login", user["username"], "--password-stdin"),
        ("whoami",),
        ("emulator", "inbox", "--url", emulator.url),
    ):
        done = colours.invoke(*output, *arguments, stdin=user["password"] + "\n")
        assert done.code == 0
        for raw in RAW[1:]:
            assert raw not in done.out + done.err
        assert "\x1b]0" not in done.out + done.err
        assert "\x1b[2J" not in done.out + done.err
        if not output:
            assert "\nFAKE LINE" not in done.out


class Service:
    """A service that answers *body* to everything."""

    def __init__(self, body, status=200, headers=()):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def date_time_string(self, timestamp=None):
                return "Fri, 31 Dec 9999 23:59:59 -2359" if headers else super().date_time_string(timestamp)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self.url

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


CONFIG = {"id": "a", "userPoolId": "p", "name": EVIL, "requestHostname": ["x"], "publicKey": "QUJD"}


@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [
        (b"[" * 100_000, 200, ()),
        (b'{"code":' + b"[" * 600 + b"]" * 600 + b"}", 200, ()),
        (b'{"code":Infinity}', 200, ()),
        (b'{"code":1e999}', 200, ()),
        (b'{"code":"x"}', 200, ()),
        (b'{"code":true,"data":5}', 200, ()),
        (b"null", 200, ()),
        (b"\xff\xfe", 500, ()),
        (json.dumps({"code": 499, "message": EVIL}).encode(), 200, ()),
        (json.dumps({"code": 200, "data": CONFIG}).encode(), 200, (("X", "y"),)),
        (json.dumps({"code": 200, "data": {**CONFIG, "publicKey": {"a": 1}, "userPoolId": [EVIL]}}).encode(), 200, ()),
        (b"", 204, ()),
        (b"moved", 302, (("Location", "http://[::"),)),
    ],
)
def test_doctor_never_ends_in_a_traceback(bare, body, status, headers):
    """Whatever the service answers, and however far away its clock is."""
    with Service(body, status, headers) as url:
        given = bare.with_env(AUTHING_BASE_URL=url, AUTHING_APP_ID="a", FORCE_COLOR="1")
        done = given.invoke("doctor")
        assert done.code in (0, 3, 6)
        assert "\x1b[2J" not in done.out
        assert "public-config" in done.out


@pytest.mark.parametrize("url", ["http://" + "a" * 64 + ".example.com", "http://xn--.example", "http://127.0.0.1:1"])
def test_doctor_of_a_name_that_cannot_be(bare, url):
    """A sentence and the exit code for the network or for usage."""
    done = bare.with_env(AUTHING_BASE_URL=url, AUTHING_APP_ID="a").invoke("doctor")
    assert done.code in (2, 3)


def token(**claims):
    """An unsigned JSON Web Token."""
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{part}.x"


@pytest.mark.parametrize(
    "given",
    [
        *(token(exp=value) for value in (1e300, -1e300, 1e14, -1e14, float("nan"), float("inf"), "x", [], True, None)),
        "e30." + base64.urlsafe_b64encode(b"[" * 5000).decode().rstrip("=") + ".x",
        "e30.\u00e9.x",
        "..",
        EVIL.replace("\x00", ""),
    ],
)
def test_config_list_and_doctor_take_any_token(bare, given):
    """An odd `exp`, claims that nest deep, or no token at all."""
    service = json.dumps({"code": 200, "data": {"userPoolId": "p"}}).encode()
    with Service(service) as url:
        asking = bare.with_env(AUTHING_TOKEN=given, AUTHING_BASE_URL=url, AUTHING_APP_ID="a", AUTHING_USER_POOL_ID="p")
        for arguments in (("config", "list"), ("--json", "config", "list"), ("doctor",)):
            done = asking.invoke(*arguments)
            assert done.code == 0, done.err
            assert "\x1b" not in done.out


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 5000, 'x = "\x01"', "[default]\napp_id = {a = 1}", "\ud800", "[a.b.c]", "[a]\nb = " + "9" * 5000],
)
def test_config_list_takes_any_profile_file(bare, text):
    """A profile file that cannot be used is a sentence."""
    bare.folder.mkdir()
    (bare.folder / "config.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    done = bare.invoke("config", "list")
    assert done.code in (0, 2)


def test_doctor_knows_that_the_service_has_a_key_of_its_own(cli, emulator):
    """Without the emulator's key a login with a password is refused: doctor says so before, and what to set."""
    assert "ok    public key" in cli.invoke("doctor").out
    environ = {name: value for name, value in cli.environ.items() if name != "AUTHING_PUBLIC_KEY"}
    done = type(cli)(environ, cli.folder).invoke("doctor")
    assert "warn  public key" in done.out
    assert f"AUTHING_PUBLIC_KEY={emulator.ready['public_key']}" in done.out
    assert "warn  public key" in cli.with_env(AUTHING_PUBLIC_KEY="QUJD").invoke("doctor").out
