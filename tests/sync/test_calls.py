"""The sync client in one process, against the emulator: views, threads, batches, errors, misuse."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from authing_mfa import (
    InvalidInputError,
    LoginError,
    MfaRequiredError,
    UsageError,
    WrongCodeError,
)
from authing_mfa.batch import VerifyRequest
from authing_mfa.sync import AuthClient

THREADS = 16


@pytest.fixture
def client(authing_emulator):
    with AuthClient(
        authing_emulator.app_id, base_url=authing_emulator.url, public_key=authing_emulator.public_key
    ) as opened:
        yield opened


@pytest.fixture
def token(authing_emulator):
    return authing_emulator.issue_mfa_token(authing_emulator.add_user(username="bob", password="secret"))


def works(client, token=None):
    """The client can still call."""
    view = client if token is None else client.as_user(token)
    return view.mfa_check(phone="13900139000")


def totp_users(emulator, count):
    return [emulator.add_user(username=f"user{n}", password="secret", mfa=["OTP"], totp=True) for n in range(count)]


def test_a_whole_login_without_an_event_loop(authing_emulator, client):
    """Password, challenge, SMS, and the user's own view."""
    authing_emulator.add_user(username="ada", password="secret", mfa=["SMS"], phone="13800138000")
    with pytest.raises(MfaRequiredError) as caught:
        client.login_by_account("ada", "secret")
    ada = client.as_user(caught.value.challenge.token)
    assert ada.send_sms("13800138000") is None
    with pytest.raises(WrongCodeError):
        ada.mfa_verify_by_phone("13800138000", "000000")
    user = ada.mfa_verify_by_phone("13800138000", authing_emulator.code_for("13800138000"))
    assert client.as_user(user.id_token).get_current_user().username == "ada"


def test_users_in_many_threads_are_never_mixed_up(authing_emulator, client):
    """Each thread logs its own user in, on one client, and gets no other user's answer."""
    for n in range(THREADS):
        authing_emulator.add_user(username=f"user{n}", password=f"secret{n}", mfa=["OTP"], totp=True)
    together = threading.Barrier(THREADS)

    def journey(n):
        together.wait(60)
        with pytest.raises(MfaRequiredError) as caught:
            client.login_by_account(f"user{n}", f"secret{n}")
        code = authing_emulator.user(f"user{n}").totp_code
        user = client.as_user(caught.value.challenge.token).mfa_verify_by_totp(code)
        view = client.as_user(user.id_token)
        return {user.username} | {view.get_current_user().username for _ in range(5)}

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(journey, range(THREADS))) == [{f"user{n}"} for n in range(THREADS)]


def test_a_batch_is_a_plain_iterator(authing_emulator, client):
    """With the options of the async one."""
    users = totp_users(authing_emulator, 20)
    rows = [VerifyRequest.recovery(user.recovery_code, token=authing_emulator.issue_mfa_token(user)) for user in users]
    outcomes = list(client.verify_many(iter(rows), concurrency=4, ordered=True))
    assert [outcome.index for outcome in outcomes] == list(range(20))
    assert all(outcome.ok for outcome in outcomes)


def test_leaving_a_batch_early_stops_it(authing_emulator, client, token):
    """Calls that were sent are waited for; the rest is not started; the client still works."""
    users = totp_users(authing_emulator, 40)
    tokens = [authing_emulator.issue_mfa_token(user) for user in users]
    rows = [VerifyRequest.recovery(user.recovery_code, token=token) for user, token in zip(users, tokens, strict=True)]
    for outcome in client.verify_many(rows, concurrency=2):
        assert outcome.ok
        break
    done = sum(authing_emulator.verify_count(token) for token in tokens)
    assert done < 40
    assert works(client, token)
    assert sum(authing_emulator.verify_count(token) for token in tokens) == done


async def test_a_batch_that_is_dropped_where_an_event_loop_runs_stops_without_waiting(authing_emulator, client, token):
    """The garbage collector may do that on any thread, our own loop's among them."""
    users = totp_users(authing_emulator, 40)
    tokens = [authing_emulator.issue_mfa_token(user) for user in users]
    rows = [VerifyRequest.recovery(user.recovery_code, token=token) for user, token in zip(users, tokens, strict=True)]
    fault = authing_emulator.faults.add("mfa_verify_by_recovery_code", user=users[1].username, latency=60, count=1)
    held = []  # the only reference: a thread that gets the batch as an argument or result may drop it later, and would wait
    await asyncio.to_thread(lambda: held.append(client.verify_many(rows, concurrency=1)))
    assert await asyncio.to_thread(lambda: next(held[0]).ok)
    while not fault.fired:  # the next row is on its way
        await asyncio.to_thread(works, client, token)
    started = time.monotonic()
    held.clear()
    assert time.monotonic() - started < 30
    assert await asyncio.to_thread(works, client, token)


def test_an_observer_that_calls_back_is_refused(authing_emulator, token):
    """It runs on the background loop's thread, which would wait for itself."""
    refused = []

    def on_call(_):
        try:
            client.get_current_user()
        except UsageError as error:
            refused.append(error)
            client.close()  # allowed: this does not wait

    client = AuthClient(authing_emulator.app_id, base_url=authing_emulator.url, token=token, on_call=on_call)
    assert works(client)
    assert len(refused) == 1


def test_a_batch_checks_its_options_at_once(client):
    """Not with the first row."""
    with pytest.raises(InvalidInputError):
        client.verify_many([], concurrency=0)


def test_an_error_of_the_input_reaches_the_caller(client):
    """It is the caller's own."""

    def rows():
        yield VerifyRequest.totp("123456", token="token")
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        list(client.verify_many(rows()))


async def test_a_thread_whose_loop_runs_is_refused_before_anything_is_sent(authing_emulator, client, token):
    """The sentence says what to do instead; a thread of that program may call."""
    before = len(authing_emulator.requests)
    for call in (
        lambda: client.login_by_account("ada", "secret"),
        lambda: client.verify_many([]),
        lambda: client.upload_face_image(b""),
    ):
        with pytest.raises(UsageError, match=r"authing_mfa\.AuthClient.*asyncio\.to_thread"):
            call()
    assert len(authing_emulator.requests) == before
    assert await asyncio.to_thread(works, client, token)


def test_what_the_arguments_cannot_be_is_said_at_once(authing_emulator, client):
    """By the constructor, by as_user, and by each call."""
    with pytest.raises(InvalidInputError, match="timeout"):
        AuthClient(authing_emulator.app_id, timeout=0)
    with pytest.raises(TypeError, match="session"):
        AuthClient(authing_emulator.app_id, session=None)
    with pytest.raises(InvalidInputError):
        client.as_user("")
    with pytest.raises(InvalidInputError):
        client.mfa_verify_by_totp("")
    with pytest.raises(LoginError):
        client.get_current_user()


def test_a_closed_client_says_so(authing_emulator, token):
    """Closing again has no effect, and neither has closing a view."""
    client = AuthClient(authing_emulator.app_id, base_url=authing_emulator.url, token=token)
    view = client.as_user("other")
    view.close()
    assert works(client)
    client.close()
    client.close()
    for closed in (client, view):
        with pytest.raises(UsageError, match="closed"):
            works(closed)


def test_a_client_that_is_dropped_warns_and_closes(authing_emulator, token):
    """Like a file."""
    client = AuthClient(authing_emulator.app_id, base_url=authing_emulator.url, token=token)
    assert works(client)
    held = [client]
    del client
    with pytest.warns(ResourceWarning, match=r"sync\.AuthClient was not closed"):
        held.clear()


def test_a_client_that_made_no_call_is_dropped_in_silence(authing_emulator):
    """There is nothing to close."""
    AuthClient(authing_emulator.app_id, base_url=authing_emulator.url)


def test_no_repr_shows_a_token():
    """Of a client, and of a view."""
    client = AuthClient("APP", token="secret")
    assert repr(client) == "<sync.AuthClient with a token>"
    assert repr(client.as_user(None)) == "<sync.AuthClient without a token>"


def test_what_a_file_raises_is_the_callers(client, token):
    """Even SystemExit, which would end the loop's thread; the client still works."""

    class File:
        def read(self, *_):
            raise SystemExit(5)

    with pytest.raises(SystemExit):
        client.as_user(token).upload_face_image(File())
    assert works(client, token)
