"""Hostile input: whatever a caller, a user, a file or the environment gives, it is taken or refused in words, and never a traceback.

More than 300 lines: one set of hostile values for every entrance.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import json
import sys
import urllib.error
import urllib.request

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from authing_mfa import AuthClient, AuthingError, InvalidInputError, sync
from authing_mfa.batch import VerifyRequest, verify_many
from authing_mfa.cli.app import main
from authing_mfa.emulator import Emulator
from authing_mfa.operations import OPERATIONS
from tests.cli.conftest import clean_environ
from tests.needs import examples
from tests.servers import ok, serving

few = settings(max_examples=examples(8), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

NASTY = [
    "", " ", "\0", "\r\n", "a\r\nX-Injected: 1", "\ud800", "\U0010ffff", "％００", "../..", "{}", "%s%n", "'; DROP TABLE--", "١٢٣٤٥٦", "１２３４５６",
    "a" * 70_000, "-1", "NaN", "🔑", "\u202e", "é", "Ｂｅａｒｅｒ", "[::1", "http://[zz]", "x" * 8193, "\x7f", "\x1b[31m", b"", b"\xff", 0, -1, 2**64, 10**400, 1.5,
    float("nan"), float("inf"), True, False, None, [], {}, (), set(), object(), 1j, type, len, ["a"], {"a": 1}, memoryview(b"x"), bytearray(b"y"),
]  # fmt: skip
anything = st.sampled_from(NASTY) | st.text(max_size=30) | st.binary(max_size=30) | st.integers() | st.floats()

METHODS = sorted(cls.python_name for cls in OPERATIONS)


def parameters(function):
    return [name for name in inspect.signature(function).parameters if name != "self"]


async def any_call(client, name, values):
    """Call the method *name* with *values*; what is raised is an AuthingError and nothing else."""
    try:
        await getattr(client, name)(**values)
    except InvalidInputError as error:
        return "refused" if str(error).strip() and error.delivery == "not_sent" else repr(error)
    except AuthingError:
        pass
    return "sent"


def calls(given_values):
    async def run():
        async def script(_seen):
            return ok(None)

        async with (
            serving(script) as server,
            AuthClient("app", token="t", base_url=server.url, user_pool_id="p", max_attempts=1) as client,
        ):
            for name, values in given_values:
                before = len(server.seen)
                came = await any_call(client, name, values)
                assert came in {"sent", "refused"}
                assert came == "sent" or len(server.seen) == before, f"{name} was refused and sent"
                for seen in server.seen[before:]:
                    assert all("injected" not in key.lower() for key, _ in seen.headers)

    asyncio.run(run())


@st.composite
def call_of_a_method(draw, junk=anything):
    name = draw(st.sampled_from(METHODS))
    function = getattr(AuthClient, name)
    required = {
        key for key, value in inspect.signature(function).parameters.items() if value.default is value.empty
    } - {"self"}
    optional = set(parameters(function)) - required
    chosen = sorted(required | draw(st.sets(st.sampled_from(sorted(optional)) if optional else st.nothing())))
    return name, {key: draw(junk) for key in chosen}


@few
@given(st.lists(call_of_a_method(), min_size=20, max_size=20))
def test_any_argument_of_any_call(given_calls):
    """It is refused before anything is sent, or it travels; nothing but an AuthingError is raised, and no header is injected."""
    calls(given_calls)


@pytest.mark.parametrize("name", METHODS)
def test_each_nasty_value_in_each_argument(name):
    """Every value of the corpus in every parameter: refused or sent, and never another exception."""
    good = {"phone": "1", "email": "a@b.test"}
    function = getattr(AuthClient, name)
    required = [
        key
        for key, value in inspect.signature(function).parameters.items()
        if value.default is value.empty and key != "self"
    ]
    base = {key: good.get(key, "word") for key in required}
    calls([(name, {**base, key: value}) for key in parameters(function) for value in NASTY if len(repr(value)) < 1000])


SETTINGS = [
    pytest.param(face, name, id=f"{face.__module__.rpartition('.')[2]}-{name}")
    for face in (AuthClient, sync.AuthClient)
    for name in parameters(face.__init__)
    if name not in {"session", "ssl_context", "on_call"}
]


@pytest.mark.parametrize(("face", "name"), SETTINGS)
def test_each_nasty_value_in_each_setting(face, name):
    """A client is made, or an InvalidInputError says why not."""
    for value in NASTY:
        try:
            client = face(**{"app_id": "app", name: value})
        except InvalidInputError as error:
            assert str(error).strip()  # noqa: PT017 - a client that is made is fine as well
        else:
            with contextlib.suppress(AttributeError):
                client.close()


@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
def test_each_nasty_value_as_a_token(value):
    """A token that no header can hold is refused when the view is made."""
    with contextlib.suppress(InvalidInputError):
        AuthClient("app").as_user(value)


# ─────────────────────── the command line ───────────────────────

EXITS = {0, 1, 2, 3, 4, 5, 6, 7, 130}
WORDS = [
    "mfa", "login", "check", "send", "verify", "totp", "face", "unbind", "whoami", "token", "logout", "config", "completion", "doctor", "sms", "email", "--help",
    "--json", "--phone", "--profile", "--timeout", "--base-url", "--lang", "--code-stdin", "--", "-", "--version", "bash", "list", "set", "get", "status", "code",
]  # fmt: skip
argument = st.sampled_from(WORDS) | st.text(st.characters(blacklist_characters="\0"), max_size=12)


def run_cli(arguments, environ, stdin=""):
    """The exit code and everything that was printed."""
    out, err = (
        io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="surrogateescape", write_through=True) for _ in "12"
    )
    before, sys.stdin = sys.stdin, io.StringIO(stdin)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(arguments, environ)
    finally:
        sys.stdin = before
    return code, out.buffer.getvalue() + err.buffer.getvalue()


@pytest.fixture(scope="module")
def environ(tmp_path_factory):
    """Nothing can be reached from here, and nobody is logged in."""
    folder = tmp_path_factory.mktemp("conf")
    return clean_environ(
        AUTHING_CONFIG_DIR=str(folder),
        AUTHING_BASE_URL="http://127.0.0.1:1",
        AUTHING_HOST="127.0.0.1:1",  # used if the address is blank
        AUTHING_APP_ID="app",
        AUTHING_TIMEOUT="1",
    )


@few
@given(st.lists(argument, max_size=6), st.text(max_size=40))
@example(["verify", "totp", "--code-stdin"], "\ud800\n")
@example(["--base-url", "http://[::1", "whoami"], "")
@example(["config", "set", "timeout", "nan"], "")
def test_any_command_line(environ, arguments, stdin):
    """Any words and any standard input: one of the documented exit codes, and no traceback."""
    code, told = run_cli(arguments, environ, stdin)
    assert code in EXITS
    assert b"Traceback" not in told


VARIABLES = [
    "AUTHING_APP_ID", "AUTHING_BASE_URL", "AUTHING_HOST", "AUTHING_TOKEN", "AUTHING_TIMEOUT", "AUTHING_LANG", "AUTHING_PROXY", "AUTHING_CA_FILE",
    "AUTHING_PUBLIC_KEY", "AUTHING_USER_POOL_ID", "AUTHING_PROFILE", "AUTHING_SCHEME", "AUTHING_ON_PREMISE", "AUTHING_CODE", "LANG", "COLUMNS",
]  # fmt: skip


@pytest.mark.parametrize("variable", VARIABLES)
def test_any_value_of_a_variable(environ, variable):
    """A third of the values that an environment can hold, another third for each variable, and half of an IPv6 address."""
    for value in ["[::1", *NASTY[VARIABLES.index(variable) % 3 : 12 : 3]]:
        if isinstance(value, str) and "\0" not in value:
            code, told = run_cli(["whoami"], {**environ, "AUTHING_TOKEN": "t", variable: value})
            assert code in EXITS
            assert b"Traceback" not in told


@settings(few, max_examples=examples(1))
@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"kind,phone\n\xff\xfe,1\n")
@example(b'kind,"phone\n' * 50)
@example("kind\tphone\n".encode("utf-16"))
@example(b"\xef\xbb\xbfkind,phone,code\nphone,1,2\n")
@example(b"kind,kind\nphone,phone\n")
@example(b"\0" * 100)
def test_any_file_as_a_batch(environ, emulator, tmp_path_factory, content):
    """Any bytes as rows: an exit code and a sentence."""
    path = tmp_path_factory.mktemp("rows") / ("rows.csv" if len(content) % 2 else "rows.jsonl")
    path.write_bytes(content)
    code, told = run_cli(["batch", str(path)], {**environ, "AUTHING_BASE_URL": emulator.url, "AUTHING_TOKEN": "t"})
    assert code in EXITS
    assert b"Traceback" not in told


# ─────────────────────── batch and emulator ───────────────────────

KINDS = ["check", "phone", "email", "totp", "recovery", "face"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_nasty_value_in_each_field_of_a_row(kind):
    """A row is made or refused; a run over what was made gives one outcome for each, and ends."""
    make = getattr(VerifyRequest, kind)
    rows = []
    for name in parameters(make):
        for value in NASTY:
            fields = {
                key: "a@b.test" if key == "email" else "1" for key in parameters(make) if key not in {"token", "key"}
            }
            try:
                rows.append(make(**{**fields, name: value}))
            except InvalidInputError as error:
                assert str(error).strip()  # noqa: PT017 - a row that is made is fine as well

    async def run():
        async def script(_seen):
            return ok(None)

        async with (
            serving(script) as server,
            AuthClient("app", token="t", base_url=server.url, max_attempts=1) as client,
            asyncio.timeout(60),
        ):
            return [outcome async for outcome in verify_many(client, [*rows, *NASTY])]

    outcomes = asyncio.run(run())
    assert sorted(outcome.index for outcome in outcomes) == list(range(len(rows) + len(NASTY)))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
PATHS = [
    "users", "users/x", "users/x/token", "users/x/mfa-token", "users/x/totp", "inbox", "faults", "faults/x", "clock", "settings", "seed", "reset", "state",
    "snapshots", "events/x", "codes", "requests", "photos/x", "..", "%00", "nothing",
]  # fmt: skip
FIELDS = [
    "username", "password", "phone", "email", "mfa", "totp", "face", "path", "latency", "count", "status", "body", "code", "drop", "user", "to", "seconds", "now",
    "users", "settings", "id", "totp_secret", "recovery_code",
]  # fmt: skip


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as running:
        yield running


def ask(emulator, method, path, body):
    data = None if body is None else body
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{emulator.url}/_emulator/{path}", method=method, data=data, headers=headers)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as response:
            return response.status
    except urllib.error.HTTPError as error:
        with error:
            error.read()
            return error.code


@settings(few, max_examples=examples(30))
@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    st.sampled_from(PATHS),
    st.binary(max_size=20)
    | json_values.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=5).map(lambda value: json.dumps(value).encode()),
)
def test_any_request_to_the_admin_api(emulator, method, path, body):
    """It is done or refused: never an internal error, and the emulator goes on."""
    assert ask(emulator, method, path, body) < 500
    assert ask(emulator, "GET", "health", None) == 200


@settings(few, max_examples=examples(2))
@given(json_values | st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=6))
@example({"users": [{"username": "a", "password": 5}]})
@example({"users": "everybody"})
@example({"settings": {"code_ttl": "soon"}})
def test_any_seed(seed):
    """A seed that is none is a ValueError or a TypeError with a sentence."""
    try:
        Emulator(seeds=seed)
    except (ValueError, TypeError) as error:
        assert str(error).strip()  # noqa: PT017 - a seed that is taken is fine as well
