"""Whatever is sent, no answer is HTTP 500, and the page and the admin API stay readable."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.request

import pytest

from authing_mfa.emulator import Emulator
from tests.emulator.fuzz import Fuzzer, fire, good_tokens

PLAIN = urllib.request.build_opener(urllib.request.ProxyHandler({}))
READABLE = (
    "info",
    "inbox?limit=1000",
    "users?limit=1000",
    "requests?limit=1000",
    "faults",
    "clock",
    "settings",
    "photos",
)


def read(url: str) -> object:
    """The JSON that a browser's strict parser would read."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    with PLAIN.open(url, timeout=60) as response:
        assert response.status == 200
        return json.loads(response.read().decode("utf-8"), parse_constant=refuse)


def check(emulator: Emulator) -> None:
    """The page and every reading call of the admin API."""
    for path in READABLE:
        read(f"{emulator.url}/_emulator/{path}")
    with PLAIN.open(emulator.url, timeout=60) as response:
        assert b"<title>" in response.read()


def fuzz(seed: int, count: int) -> None:
    with Emulator(seed=seed) as emulator:
        port = int(emulator.url.rpartition(":")[2])
        fuzzer = Fuzzer(seed, lambda: good_tokens(emulator))
        for start in range(0, count, 5000):
            failed: list[bytes] = []
            size = min(count - start, 5000)
            seen = asyncio.run(fire(port, fuzzer, size, failed=failed))
            emulator.faults.clear()  # those that the fuzzer made must not hide what comes next
            assert failed == []
            assert sum(seen.values()) == size
            assert min(seen[200], seen[400], seen[404]) > size // 100
            check(emulator)


def test_odd_requests_leave_everything_readable():
    """Odd methods, paths, headers, JSON and multipart bodies: no HTTP 500, and no unreadable answer afterwards."""
    fuzz(1, 500)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_odd_requests_leave_everything_readable():
    """The same for long; AUTHING_FUZZ_SEED chooses another run."""
    fuzz(int(os.environ.get("AUTHING_FUZZ_SEED", "7")), 100_000)


@pytest.mark.parametrize(
    "body",
    [
        b'{"email":"a@example.com","scene":"\\ud800"}',
        b'{"email":"a@example.com","scene":NaN}',
        b'{"email":"a@example.com","scene":' + b"[" * 600 + b"]" * 600 + b"}",
        b'{"email":"a@example.com","scene":1e999}',
    ],
)
def test_one_request_of_any_page_cannot_blind_the_inbox(emu, body):
    """Half of a surrogate pair, NaN, deep nesting and a number without end are refused; inbox and requests stay readable."""
    for path in ("/api/v2/email/send", "/_emulator/messages", "/_emulator/users"):
        request = urllib.request.Request(emu.url + path, data=body, method="POST")
        with pytest.raises(urllib.error.HTTPError) as refused:
            PLAIN.open(request, timeout=20)
        assert refused.value.code == 400
        refused.value.close()
    check(emu)
