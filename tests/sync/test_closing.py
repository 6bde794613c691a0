"""Closing a sync client while calls of it run in other threads: each ends with the error that the client guide names."""

import asyncio
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import aiohttp
import pytest

from authing_mfa import NetworkError, RateLimitedError, UsageError
from authing_mfa.sync import AuthClient


@pytest.fixture
def token(authing_emulator):
    return authing_emulator.issue_mfa_token(authing_emulator.add_user(username="bob", password="secret"))


def check(client):
    return client.mfa_check(phone="13900139000")


@pytest.fixture(params=[True, False], ids=["the last client", "another one is open"])
def closing(request, authing_emulator, token):
    """Return a function that closes a client while a call of it runs, and returns the call's error."""
    other = AuthClient(authing_emulator.app_id, base_url=authing_emulator.url, token=token)
    assert request.param or check(other)

    def closed_during(call, client, begun):
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(call, client)
            assert begun()
            client.close()
            return running.exception(60)

    yield closed_during
    other.close()


def test_closing_while_a_call_runs_ends_the_call(authing_emulator, token, closing):
    """Its caller gets a NetworkError, and does not wait for ever."""
    client = AuthClient(authing_emulator.app_id, base_url=authing_emulator.url, token=token)
    fault = authing_emulator.faults.add(latency=60, count=1)

    def begun():
        deadline = time.monotonic() + 60
        while not fault.fired and time.monotonic() < deadline:
            time.sleep(0.01)
        return fault.fired

    error = closing(check, client, begun)
    assert (type(error), error.delivery) == (NetworkError, "unknown")
    assert "closed" in str(error)


def test_closing_while_a_call_connects_ends_the_call(monkeypatch, closing):
    """Nothing was sent, and the error says so."""
    resolving = threading.Event()

    async def resolve(*_args, **_options):
        resolving.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)
    client = AuthClient("app", base_url="http://service.test", token="tok-en")
    error = closing(lambda client: client.mfa_verify_by_totp("123456"), client, lambda: resolving.wait(60))
    assert (type(error), error.delivery) == (NetworkError, "not_sent")


def test_closing_while_a_photo_is_read_ends_the_call(closing):
    """Nothing was sent, and the error says so."""
    reading = threading.Event()

    class Photo:
        async def read(self, _size=-1):
            reading.set()
            await asyncio.Event().wait()

    client = AuthClient("app", base_url="http://service.test", token="tok-en")
    error = closing(lambda client: client.upload_face_image(Photo()), client, lambda: reading.wait(60))
    assert (type(error), error.delivery) == (UsageError, "not_sent")


def test_closing_while_a_call_waits_for_its_retry_ends_the_call(authing_emulator, token, closing):
    """As its last try ended, however long it was to wait."""
    client = AuthClient(authing_emulator.app_id, base_url=authing_emulator.url, token=token)
    authing_emulator.faults.add(retry_after=50, count=1)
    waiting = threading.Event()

    class Lines(logging.Handler):
        def emit(self, record):
            if "retried in" in record.getMessage():
                waiting.set()

    logger, lines, level = logging.getLogger("authing_mfa"), Lines(), logging.getLogger("authing_mfa").level
    logger.addHandler(lines)
    logger.setLevel(logging.INFO)
    try:
        error = closing(check, client, lambda: waiting.wait(60))
    finally:
        logger.removeHandler(lines)
        logger.setLevel(level)
    assert (type(error), error.delivery) == (RateLimitedError, "answered")


def test_a_call_that_resists_is_cancelled():
    """A photo that is read on although the client was closed: the call ends a second later, and nothing was sent."""
    reading = threading.Event()

    class Photo:
        async def read(self, _size=-1):
            reading.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await asyncio.Event().wait()

    client = AuthClient("app", base_url="http://service.test", token="tok-en")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(client.upload_face_image, Photo())
        assert reading.wait(60)
        client.close()
        error = running.exception(60)
    assert (type(error), error.delivery) == (NetworkError, "not_sent")
