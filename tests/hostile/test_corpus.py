"""Each input that once made the package fail is given to its entrance again: see `corpus.py`."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from authing_mfa import AuthClient, AuthingError, sync
from authing_mfa.emulator import Emulator
from tests.cli.conftest import clean_environ
from tests.hostile import corpus
from tests.hostile.test_input import run_cli
from tests.servers import USER, Drop, Seen, ok, serving

ARGUMENTS = {
    "mfa_verify_by_totp": {"code": "123456"},
    "send_sms": {"phone": "13800000000"},
    "mfa_unbind_factor": {"factor_id": "factor"},
}
PLAIN = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def client_of(server):
    return AuthClient("app", token="t", base_url=server.url, user_pool_id="p", max_attempts=1, timeout=30.0)


async def name_of_the_end(call) -> str:
    """The name of the error that *call* raises, or "a value"."""
    try:
        await call
    except AuthingError as error:
        return type(error).__name__
    return "a value"


@pytest.mark.parametrize("what", corpus.ANSWERS)
async def test_an_answer(what):
    """The call ends as it must, and the next call of the client gets its own answer."""
    method, answer = corpus.ANSWERS[what].given
    answers = [answer]

    async def script(seen: Seen) -> bytes:
        if not answers:
            return ok(USER)
        seen.writer.write(answers.pop())
        raise Drop

    async with serving(script) as server, client_of(server) as client:
        ended = await name_of_the_end(getattr(client, method)(**ARGUMENTS.get(method, {})))
        after = await client.get_current_user()
    assert ended == corpus.ANSWERS[what].end
    assert after.id == USER["id"]


@pytest.mark.parametrize("client", [AuthClient, sync.AuthClient], ids=["async", "sync"])
@pytest.mark.parametrize("what", corpus.SETTINGS)
def test_a_setting(client, what):
    """It is refused, and no password is quoted."""
    with pytest.raises(AuthingError) as refused:
        client("app", **corpus.SETTINGS[what].given)
    assert type(refused.value).__name__ == corpus.SETTINGS[what].end
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("what", corpus.ARGUMENTS)
async def test_an_argument(what):
    """It is refused, and nothing is sent."""
    method, values = corpus.ARGUMENTS[what].given

    async def script(_seen: Seen) -> bytes:
        return ok(USER)

    async with serving(script) as server, client_of(server) as client:
        ended = await name_of_the_end(getattr(client, method)(**values))
    assert ended == corpus.ARGUMENTS[what].end
    assert server.seen == []


@pytest.fixture
def environ(tmp_path):
    """Nothing listens at the service's address."""
    return clean_environ(
        AUTHING_CONFIG_DIR=str(tmp_path), AUTHING_BASE_URL="http://127.0.0.1:1", AUTHING_APP_ID="app", AUTHING_TOKEN="t"
    )


@pytest.mark.parametrize("what", corpus.COMMANDS)
def test_a_command(what, environ):
    """It ends with its exit code and without a traceback."""
    arguments, more, stdin = corpus.COMMANDS[what].given
    code, told = run_cli(arguments, environ | more, stdin)
    assert b"Traceback" not in told
    assert code == corpus.COMMANDS[what].end, told


@pytest.mark.parametrize("what", corpus.FILES)
def test_a_file(what, environ, tmp_path):
    """Its rows are checked, or it is refused."""
    path = tmp_path / "rows.csv"
    path.write_bytes(corpus.FILES[what].given)
    code, told = run_cli(["batch", str(path), "--dry-run"], environ)
    assert b"Traceback" not in told
    assert code == corpus.FILES[what].end, told


@pytest.mark.parametrize("what", corpus.JOURNALS)
def test_a_journal(what, environ, tmp_path, monkeypatch):
    """It is refused before anything is sent, and its password is not told."""
    path = tmp_path / "rows.csv"
    path.write_text("kind,code\ntotp,123456\n")
    monkeypatch.setenv("AUTHING_JOURNAL", corpus.JOURNALS[what].given)
    code, told = run_cli(["batch", str(path)], environ)
    assert code == 2
    assert corpus.JOURNALS[what].end in told.decode()
    assert b"sec" not in told


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as running:
        yield running


@pytest.mark.parametrize("what", corpus.REQUESTS)
def test_a_request_to_the_emulator(emulator, what):
    """It is refused, and the inbox can still be read."""
    for path in ("/api/v2/email/send", "/_emulator/messages", "/_emulator/users"):
        request = urllib.request.Request(emulator.url + path, data=corpus.REQUESTS[what].given, method="POST")
        with pytest.raises(urllib.error.HTTPError) as refused:
            PLAIN.open(request, timeout=30)
        assert refused.value.code == corpus.REQUESTS[what].end
        refused.value.close()
    with PLAIN.open(f"{emulator.url}/_emulator/inbox", timeout=30) as inbox:
        assert inbox.status == 200


@pytest.mark.parametrize("what", corpus.SEEDS)
def test_a_seed(what):
    """It is refused with a sentence that names the mistake."""
    with pytest.raises((ValueError, TypeError), match=corpus.SEEDS[what].end):
        Emulator(seeds=corpus.SEEDS[what].given)
