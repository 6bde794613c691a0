"""The event loop's longest gap, counted in calls of functions and not in seconds: no answer holds the loop for long."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from asyncio.base_events import BaseEventLoop

import pytest

from authing_mfa import AuthClient, AuthingError, ResponseError
from authing_mfa._strict import MOST_ENTRIES
from tests.servers import USER, answering, reply, serving

MOST = 60_000
"""Calls between two turns of the loop. The costliest answer that is allowed needs half of it."""


class Turns:
    """Counts the calls that happen in each turn of the loop; `most` is the longest."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0

    def note(self, frame, event, _argument) -> None:
        if event in ("call", "c_call"):
            self.now += 1
            if frame.f_code is BaseEventLoop._run_once.__code__ and event == "call":
                self.most, self.now = max(self.most, self.now), 0


def users(count: int) -> list[dict[str, object]]:
    return [{**USER, "id": f"u{number}"} for number in range(count)]


FACTORS = [{"id": f"a{number}", "authenticatorType": "totp", "enable": True} for number in range(MOST_ENTRIES)]
ANSWERS = {
    "a user": {"code": 200, "data": USER},
    "as many objects as are allowed": {"code": 200, "data": {**USER, "customData": [{} for _ in range(9_900)]}},
    "as many users as are allowed": {"code": 200, "data": users(900)},
    "as many factors as are allowed": {"code": 200, "data": FACTORS},
    "one text of 1 MB": {"code": 200, "data": {**USER, "nickname": "x" * 1_000_000}},
    "more factors than are allowed": {"code": 200, "data": [*FACTORS, *FACTORS]},
    "100,000 numbers": {"code": 200, "data": {**USER, "customData": list(range(100_000))}},
    "50,000 keys": {"code": 200, "data": {**USER, **{f"k{number}": number for number in range(50_000)}}},
    "too many objects": {"code": 200, "data": {**USER, "customData": [{} for _ in range(100_000)]}},
    "a message of 1 MB": {"code": 4321, "message": "\n" * 500_000, "data": None},
}
RAW = {
    "deep lists": b"[" * 45_000 + b"]" * 45_000,
    "deep objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "a number of 900,000 digits": b'{"code":200,"data":' + b"9" * 900_000 + b"}",
    "no JSON": b"<" * 1_000_000,
    **{name: json.dumps(answer).encode() for name, answer in ANSWERS.items()},
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("what", RAW)
async def test_no_answer_holds_the_loop_for_long(what, packed):
    """Between two turns of the loop no more happens than an answer of the allowed size needs."""
    answer = reply(gzip.compress(RAW[what]), 200, "Content-Encoding: gzip") if packed else reply(RAW[what])
    async with (
        serving(answering(answer, answer)) as server,
        AuthClient("app", token="t", base_url=server.url, max_attempts=1) as client,
    ):
        turns = Turns()
        for method in (client.get_current_user, client.mfa_list_authenticators):
            sys.setprofile(turns.note)
            try:
                await method()
            except AuthingError:
                pass
            finally:
                await asyncio.sleep(0)  # the turn that has read the answer ends, and is counted
                sys.setprofile(None)
    assert 0 < turns.most < MOST


async def test_a_list_of_as_many_factors_is_read_and_a_longer_one_refused():
    """The count above is that of a whole answer."""
    longer = json.dumps({"code": 200, "data": [*FACTORS, FACTORS[0]]}).encode()
    async with (
        serving(answering(reply(RAW["as many factors as are allowed"]), reply(longer))) as server,
        AuthClient("app", token="t", base_url=server.url) as client,
    ):
        assert len(await client.mfa_list_authenticators()) == len(FACTORS)
        with pytest.raises(ResponseError, match="at most 1000 entries"):
            await client.mfa_list_authenticators()
