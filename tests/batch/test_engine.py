"""The run, on a client that answers from memory: what is pulled, what is sent, what comes out, and how it ends.

More than 300 lines: one test for each state of a run and each way it ends.
"""

from __future__ import annotations

import asyncio
import io
import threading
import time
from contextlib import aclosing

import pytest

from authing_mfa import (
    ApiError,
    AuthClient,
    InvalidInputError,
    NetworkError,
    RateLimitedError,
    ResponseError,
    UsageError,
    UserInfo,
    WrongCodeError,
)
from authing_mfa.batch import CircuitOpenError, VerifyRequest, api, verify_many
from authing_mfa.batch.api import engine_for
from authing_mfa.batch.journal.journal import Journal
from authing_mfa.batch.options import RunOptions
from authing_mfa.batch.run.rate_limit import RateLimiter
from authing_mfa.operations import MfaCheck, UploadFaceImage, VerifyByFace
from tests.batch.conftest import FakeClient, totp_rows


async def collect_into(outcomes, *args, **options):
    async for outcome in verify_many(*args, **options):
        outcomes.append(outcome)


async def collect(*args, **options):
    return [outcome async for outcome in verify_many(*args, **options)]


async def turns(count=20):
    """Let everything that can go on go on."""
    for _ in range(count):
        await asyncio.sleep(0)


def gated():
    """A client whose calls wait until the gate is opened."""
    gate = asyncio.Event()

    async def answer(operation, token):
        await gate.wait()
        return UserInfo(id=token)

    return FakeClient(answer), gate


async def test_every_row_gives_an_outcome_with_its_place_and_key(fake):
    """As they finish; nothing is missing, nothing doubled, each with its own user's token."""
    outcomes = await collect(fake, iter(totp_rows(500)), concurrency=16)
    assert sorted(outcome.index for outcome in outcomes) == list(range(500))
    assert all(
        outcome.key == f"k{outcome.index}" and outcome.value.id == f"user-of-t{outcome.index}" for outcome in outcomes
    )
    assert set(fake.counts().values()) == {1}


async def test_a_row_without_a_token_speaks_for_the_client(fake):
    """The client's own token is the default."""
    await collect(fake, [VerifyRequest.totp("1")])
    assert fake.sent[0][1] == "client"


@pytest.mark.parametrize("kind", ["list", "tuple", "generator", "async generator", "set", "iterator"])
async def test_rows_may_come_from_anything_that_can_be_iterated(fake, kind):
    """Sync and async iterables give the same outcomes."""
    rows = totp_rows(50)

    async def awaited():
        for row in rows:
            await asyncio.sleep(0)
            yield row

    made = {
        "list": lambda: rows,
        "tuple": lambda: tuple(rows),
        "generator": lambda: (row for row in rows),
        "async generator": awaited,
        "set": lambda: set(rows),
        "iterator": lambda: iter(rows),
    }
    outcomes = await collect(fake, made[kind](), concurrency=4)
    assert {outcome.key for outcome in outcomes} == {f"k{i}" for i in range(50)}


@pytest.mark.parametrize("rows", [None, 5, "rows", b"rows", {"a": 1}])
def test_what_cannot_be_rows_is_refused_at_once(fake, rows):
    """A wrong argument raises when verify_many is called, not when it is iterated."""
    with pytest.raises(InvalidInputError):
        verify_many(fake, rows)


@pytest.mark.parametrize(
    "options",
    [{"concurrency": 0}, {"concurrency": 1.5}, {"rate": 0}, {"journal": 5}, {"journal": ""}, {"run_name": ""}],
)
def test_options_that_cannot_be_right_are_refused_at_once(fake, options):
    """Each option is checked before anything starts."""
    with pytest.raises(InvalidInputError):
        verify_many(fake, [], **options)


async def test_concurrency_is_the_most_that_runs_at_once():
    """With eight workers there are eight calls in flight, never more."""
    client, gate = gated()
    run = asyncio.create_task(collect(client, totp_rows(40), concurrency=8))
    await turns()
    assert client.running == 8
    gate.set()
    assert len(await run) == 40
    assert client.most == 8


async def test_no_more_calls_run_than_the_client_has_connections(emulator):
    """More workers than the real client has connections would only wait inside of it: no row's time counts that wait."""
    rule = emulator.faults.add("mfa_check", latency=0.2)
    try:
        token = emulator.issue_mfa_token(emulator.add_user(username="connections", password="x"))
        async with AuthClient(emulator.app_id, base_url=emulator.url, token=token, max_connections=2) as client:
            rows = [VerifyRequest.check(phone=f"1380000{number:04d}") for number in range(8)]
            most, done = 0, set()

            def pulled():
                nonlocal most
                for number, row in enumerate(rows):
                    most = max(most, number + 1 - len(done))
                    yield row

            async for outcome in verify_many(client, pulled(), concurrency=50):
                done.add(outcome.index)
    finally:
        emulator.faults.remove(rule.id)
    assert len(done) == 8
    assert most <= 4  # 2 x the connections: so many rows are taken in, whatever the concurrency


@pytest.mark.parametrize("ordered", [False, True])
async def test_rows_are_pulled_no_faster_than_outcomes_are_taken(fake, ordered):
    """From pull to hand-over at most 2 x concurrency rows are on their way, however slow the consumer is."""
    pulled = 0

    async def rows():
        nonlocal pulled
        for row in totp_rows(500):
            pulled += 1
            yield row

    taken = 0
    async for _ in verify_many(fake, rows(), concurrency=8, ordered=ordered):
        taken += 1
        await turns(3)
        assert pulled - taken <= 16
    assert (pulled, taken) == (500, 500)


async def test_a_sync_generator_is_pulled_no_faster_either(fake):
    """The reading thread reads no more rows than there are places."""
    pulled = 0

    def rows():
        nonlocal pulled
        for row in totp_rows(300):
            pulled += 1
            yield row

    taken = 0
    async for _ in verify_many(fake, rows(), concurrency=8):
        taken += 1
        await turns(2)
        assert pulled - taken <= 16
    assert taken == 300


async def test_ordered_gives_the_rows_order_whatever_finishes_first():
    """Later calls may finish sooner; their outcomes wait, and no more than the places allow."""
    slow = asyncio.Event()

    async def answer(operation, token):
        if token == "t0":
            await slow.wait()
        return UserInfo(id=token)

    client = FakeClient(answer)
    run = asyncio.create_task(collect(client, totp_rows(100), concurrency=4, ordered=True))
    await turns(50)
    assert len(client.sent) <= 8
    slow.set()
    assert [outcome.index for outcome in await run] == list(range(100))


async def test_a_row_that_is_none_becomes_an_outcome_with_its_place(fake):
    """A dict, a text or None among the rows affects no other row."""
    rows = [*totp_rows(2), {"kind": "totp", "code": "123456"}, None, "row", *totp_rows(1, first=5)]
    outcomes = await collect(fake, rows, ordered=True)
    assert [outcome.ok for outcome in outcomes] == [True, True, False, False, False, True]
    for index in (2, 3, 4):
        assert isinstance(outcomes[index].error, InvalidInputError)
        assert f"Row {index + 1}" in str(outcomes[index].error)
    assert "123456" not in str(outcomes[2].error)


async def test_a_row_never_raises():
    """A refusal of the service, a network failure and a bug are all outcomes of their rows."""
    errors = {
        "t0": WrongCodeError("wrong", code=6001),
        "t1": NetworkError("cut"),
        "t2": ZeroDivisionError("secret"),
        "t3": ResponseError("html", http_status=200),
    }

    def answer(operation, token):
        if token in errors:
            raise errors[token]
        return UserInfo(id=token)

    outcomes = await collect(FakeClient(answer), totp_rows(5), ordered=True)
    assert [outcome.status for outcome in outcomes] == ["rejected", "unknown", "unknown", "failed", "ok"]
    assert "secret" not in str(outcomes[2].error)
    assert isinstance(outcomes[2].error.__cause__, ZeroDivisionError)


async def test_a_blocking_generator_does_not_stall_the_loop():
    """While next() blocks, calls of earlier rows are made and answered."""
    answered = threading.Event()
    blocked_thread = []

    def rows():
        yield totp_rows(1)[0]
        blocked_thread.append(threading.current_thread())
        assert answered.wait(30), "the loop did not go on while the generator blocked"
        yield totp_rows(1, first=1)[0]

    def answer(operation, token):
        answered.set()
        return UserInfo(id=token)

    outcomes = await collect(FakeClient(answer), rows(), concurrency=4)
    assert len(outcomes) == 2
    assert blocked_thread[0] is not threading.main_thread()


async def test_all_of_a_generator_runs_in_one_thread(fake):
    """What a generator opens (a database cursor, say) it uses where it opened it."""
    threads = set()

    def rows():
        for row in totp_rows(200):
            threads.add(threading.get_ident())
            yield row

    await collect(fake, rows(), concurrency=4)
    assert len(threads) == 1


async def test_the_inputs_own_error_ends_the_run_after_what_was_sent(fake):
    """Rows before the error have their outcomes; then the error itself is raised."""

    def rows():
        yield from totp_rows(10)
        raise LookupError("the file is broken")

    outcomes = []
    with pytest.raises(LookupError, match="the file is broken"):
        await collect_into(outcomes, fake, rows(), concurrency=4)
    assert len(outcomes) == 10


async def test_leaving_the_loop_waits_for_what_was_sent_and_starts_nothing_more():
    """After aclose() every call that was made has been answered, and no other was begun."""
    started, finished = [], []

    async def answer(operation, token):
        started.append(token)
        await asyncio.sleep(0.01)
        finished.append(token)
        return UserInfo(id=token)

    async with aclosing(verify_many(FakeClient(answer), totp_rows(100), concurrency=8)) as outcomes:
        async for _ in outcomes:
            break
    assert started == finished
    assert len(started) < 40
    await turns()
    assert len(started) == len(finished)


async def test_a_cancelled_consumer_waits_for_what_was_sent():
    """Cancelling (Ctrl-C does) drains too."""
    client, gate = gated()
    done = []

    task = asyncio.create_task(collect_into(done, client, totp_rows(100), concurrency=8))
    await turns()
    task.cancel()
    await turns()
    assert not task.done()
    assert client.running == 8
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (client.running, len(client.sent)) == (0, 8)


async def test_cancelling_twice_does_not_wait():
    """Who cancels again does not want the answers."""
    client, _ = gated()

    async def consume():
        async for _ in verify_many(client, totp_rows(100), concurrency=8):
            pass

    task = asyncio.create_task(consume())
    await turns()
    task.cancel()
    await turns()
    task.cancel()
    async with asyncio.timeout(60):
        with pytest.raises(asyncio.CancelledError):
            await task
    assert client.running == 0


async def test_stopping_while_the_journal_is_opened_ends_at_once(fake, tmp_path, monkeypatch):
    """Nothing was sent: there is nothing to wait for. Here another run holds the journal, and its lease is waited for."""
    waiting, watch = asyncio.Event(), Journal._watch

    async def watched(journal, claim, seen, limit):
        if seen is not None:
            waiting.set()
        return await watch(journal, claim, seen, limit)

    other = await Journal.open(tmp_path / "run.db", lease=3600.0)
    monkeypatch.setattr(Journal, "_watch", watched)
    engine = engine_for(fake, totp_rows(3), RunOptions(journal=tmp_path / "run.db"))
    run = asyncio.create_task(anext(engine.outcomes(), None))
    await waiting.wait()
    engine.stop()
    async with asyncio.timeout(60):
        assert await run is None
    assert (engine.began, fake.sent) == (False, [])
    await other.close()


async def test_an_abandoned_run_does_not_wait_for_answers():
    """What has an answer is given; the rest of what was sent is not waited for."""
    client, _ = gated()
    engine = engine_for(client, totp_rows(20), RunOptions(concurrency=8))
    run = asyncio.create_task(anext(engine.outcomes(), None))
    await turns()
    assert client.running == 8
    engine.abandon()
    async with asyncio.timeout(60):
        assert await run is None
    assert (client.running, len(client.sent)) == (0, 8)


async def test_a_reader_that_hangs_does_not_hold_up_the_end(fake):
    """An input that blocks for ever is left behind when the consumer has enough."""
    release = threading.Event()

    def rows():
        yield from totp_rows(1)
        release.wait(90)

    try:
        async with asyncio.timeout(60), aclosing(verify_many(fake, rows())) as outcomes:
            async for _ in outcomes:
                break
    finally:
        release.set()


async def test_a_closed_client_ends_the_run_at_once():
    """A misuse is no matter of rows: it is raised."""

    def answer(operation, token):
        raise UsageError("This AuthClient is closed.")

    client = FakeClient(answer)
    with pytest.raises(UsageError):
        await collect(client, totp_rows(1000), concurrency=4)
    assert len(client.sent) <= 4


async def test_what_was_provably_not_sent_is_tried_again():
    """A refused connection is tried up to three times; a sent code never."""
    fails = {"t0": [NetworkError("refused", delivery="not_sent")] * 2, "t1": [NetworkError("cut")]}

    def answer(operation, token):
        if fails.get(token):
            raise fails[token].pop()
        return UserInfo(id=token)

    client = FakeClient(answer)
    outcomes = await collect(client, totp_rows(3), ordered=True)
    assert [outcome.status for outcome in outcomes] == ["ok", "unknown", "ok"]
    assert client.counts() == {"t0": 3, "t1": 1, "t2": 1}


async def test_a_check_may_be_repeated_after_an_unknown_end():
    """mfa_check spends nothing."""
    fails = [NetworkError("cut"), ApiError("down", code=503, http_status=503)]

    def answer(operation, token):
        if fails:
            raise fails.pop()
        return isinstance(operation, MfaCheck)

    client = FakeClient(answer)
    assert [outcome.value for outcome in await collect(client, [VerifyRequest.check(phone="1")])] == [True]
    assert len(client.sent) == 3


async def test_one_429_slows_the_whole_run_for_as_long_as_it_asks():
    """Between the 429 and the end of Retry-After no call starts, and then all rows are done."""
    starts = []
    limited = []

    async def answer(operation, token):
        starts.append(time.monotonic())
        number = len(starts)
        await asyncio.sleep(0)
        if number == 20:
            limited.append(time.monotonic())
            raise RateLimitedError("slow down", code=429, http_status=429, retry_after=0.3)
        return UserInfo(id=token)

    outcomes = await collect(FakeClient(answer), totp_rows(40), concurrency=4)
    assert {outcome.status for outcome in outcomes} == {"ok"}
    assert len(outcomes) == 40
    begun_before = 4  # those that were on their way
    paused = [start for start in starts[20 + begun_before :] if limited[0] < start < limited[0] + 0.3]
    assert paused == []
    assert len(starts) == 41


async def test_a_row_that_is_always_limited_is_given_up_in_the_end():
    """429 for ever is an outcome, not a hang."""

    def answer(operation, token):
        raise RateLimitedError("slow down", code=429, http_status=429, retry_after=0.0)

    client = FakeClient(answer)
    outcomes = await collect(client, totp_rows(1))
    assert outcomes[0].undone
    assert len(client.sent) == 8


async def test_a_dead_service_opens_the_circuit_and_leaves_the_rest_untouched():
    """After N failures in a row the run stops; what failed is given, what was not sent is not."""

    def answer(operation, token):
        raise NetworkError("cut")

    client = FakeClient(answer)
    outcomes = []
    with pytest.raises(CircuitOpenError) as caught:
        await collect_into(outcomes, client, totp_rows(1000), concurrency=4, stop_after_failures=10, max_outage=0)
    assert caught.value.failures == 10
    assert 10 <= len(client.sent) == len(outcomes) <= 14


async def test_rows_that_are_refused_do_not_open_the_circuit():
    """A thousand wrong codes are a thousand answers."""

    def answer(operation, token):
        raise WrongCodeError("wrong", code=6001)

    outcomes = await collect(FakeClient(answer), totp_rows(1000), stop_after_failures=3)
    assert len(outcomes) == 1000


async def test_progress_is_reported_and_ends_with_the_total():
    """The last progress counts every row; its parts add up."""

    def answer(operation, token):
        if token in ("t1", "t2"):
            raise WrongCodeError("wrong", code=6001)
        if token == "t3":
            raise NetworkError("cut")
        return UserInfo(id=token)

    told = []
    await collect(FakeClient(answer), totp_rows(50), on_progress=told.append)
    last = told[-1]
    assert (last.done, last.total, last.ok, last.failed, last.rejected, last.unknown) == (50, 50, 47, 3, 2, 1)
    assert last.rate > 0
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)


async def test_a_photo_is_uploaded_and_then_verified(fake):
    """Face by photo is an upload and a verification with its key, by the row's user."""
    outcomes = await collect(fake, [VerifyRequest.face(b"photo", token="t"), VerifyRequest.face("known", token="u")])
    assert {outcome.status for outcome in outcomes} == {"ok"}
    assert [(op, token) for op, token in fake.sent] == [(VerifyByFace("key-of-1"), "t"), (VerifyByFace("known"), "u")]


async def test_a_failed_upload_is_never_of_unknown_fate(fake):
    """Whatever became of the upload, nothing was verified."""

    class Uploading(FakeClient):
        def as_user(self, token):
            return self

        async def perform(self, operation, *, max_attempts=None):
            if not isinstance(operation, UploadFaceImage):
                return await super().perform(operation, max_attempts=max_attempts)
            self.uploads.append(operation.image)
            if operation.image == b"cut":
                raise NetworkError("cut")
            raise FileNotFoundError(operation.image)

    client = Uploading()
    cut, missing, _ = await collect(
        client,
        [VerifyRequest.face(b"cut"), VerifyRequest.face(b"gone"), VerifyRequest.face(io.BytesIO(b"cut"))],
        ordered=True,
    )
    assert (cut.status, cut.undone) == ("failed", True)
    assert isinstance(missing.error, InvalidInputError)
    assert not client.sent
    assert client.uploads.count(b"cut") == 6  # three times, and again when the service was there


async def test_no_rows_are_no_outcomes(fake):
    """An empty input is a run."""
    told = []
    assert await collect(fake, iter(()), on_progress=told.append) == []
    assert told[-1].done == 0


@pytest.mark.parametrize("journal", [None, "run.db"])
async def test_memory_does_not_grow_with_the_number_of_rows(journal, tmp_path):
    """Nothing of a row outlives its hand-over: the number of live rows, values and outcomes stays the same."""
    import gc
    import weakref

    rows, values, outcomes = weakref.WeakSet(), weakref.WeakSet(), weakref.WeakSet()
    alive = (rows, values, outcomes)

    def answer(operation, token):
        value = UserInfo(id="u1")
        values.add(value)
        return value

    def given():
        for number in range(2000):
            row = VerifyRequest.totp(f"{number:06}", token="t", key=str(number))
            rows.add(row)
            yield row

    most = 0
    options = {} if journal is None else {"journal": tmp_path / journal}
    async for outcome in verify_many(FakeClient(answer), given(), concurrency=8, **options):
        outcomes.add(outcome)
        most = max(most, *map(len, alive))
    del outcome
    gc.collect()
    assert most <= 40
    assert [len(kind) for kind in alive] == [0, 0, 0]


async def test_a_run_keeps_to_its_rate(monkeypatch):
    """Each call waits for the limiter, which has the rate of the run."""
    made = []

    class Limiter(RateLimiter):
        def __init__(self, rate, **options):
            super().__init__(rate, **options)
            self.asked_for, self.granted = rate, 0
            made.append(self)

        async def acquire(self):
            granted = await super().acquire()
            self.granted += granted
            return granted

    monkeypatch.setattr(api, "RateLimiter", Limiter)
    outcomes = [outcome async for outcome in verify_many(FakeClient(), totp_rows(7), rate=1000)]
    assert len(outcomes) == 7
    assert [(limiter.asked_for, limiter.granted) for limiter in made] == [(1000, 7)]
