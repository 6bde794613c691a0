"""Rate, 429 and circuit breaker, on a clock that the tests move."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise

import pytest

from authing_mfa import ApiError, ConfigError, InvalidInputError, NetworkError, RateLimitedError, WrongCodeError
from authing_mfa.batch.options import RunOptions
from authing_mfa.batch.run.circuit import CircuitBreaker
from authing_mfa.batch.run.rate_limit import RateLimiter, Schedule


class Clock:
    """Time that passes only during a sleep."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


def starts_of(rate, seconds, lateness=lambda: 0.0):
    """When calls start at *rate*, each as soon as it may, plus some lateness of the machine."""
    schedule, now, starts = Schedule(rate), 0.0, []
    while now < seconds:
        now = max(now, schedule.due()) + lateness()
        schedule.note(now)
        starts.append(now)
    return starts


def most_in_a_second(starts):
    """The largest number of starts in any second, windows beginning at every start."""
    most = end = 0
    for begin, start in enumerate(starts):
        while end < len(starts) and starts[end] < start + 1.0:
            end += 1
        most = max(most, end - begin)
    return most


@pytest.mark.parametrize("rate", [1, 7, 100, 500, 3000])
@pytest.mark.parametrize("jitter", [0.0, 0.004])
def test_the_rate_is_met_and_no_second_has_more(rate, jitter):
    """Over ten seconds within 2 %, and in no second more, the first included, on a machine that is late at times."""
    chance = random.Random(1)
    starts = starts_of(rate, 10.0, lambda: chance.random() * jitter if chance.random() < 0.1 else 0.0)
    assert most_in_a_second(starts) <= rate
    assert abs(len(starts) - 10 * rate) <= max(1, 0.02 * 10 * rate)


def test_a_stall_is_not_made_up_for_by_a_burst():
    """After a pause of two seconds, the next second has no more than the rate."""
    schedule, now, starts = Schedule(100), 0.0, []
    for number in range(500):
        now = max(now, schedule.due())
        if number == 200:
            now += 2.0
        schedule.note(now)
        starts.append(now)
    assert most_in_a_second(starts) <= 100


def test_a_rate_below_one_is_a_pause_between_calls():
    """Half a call per second is one every two seconds."""
    assert all(later - sooner >= 2.0 for sooner, later in pairwise(starts_of(0.5, 20.0)))


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan")])
def test_a_rate_that_is_none_is_refused(rate):
    """Zero, negative and infinite rates are errors."""
    with pytest.raises(InvalidInputError):
        Schedule(rate)


async def test_turns_are_given_in_order_at_the_rate():
    """Waiting callers get their turn first come, first served."""
    clock = Clock()
    limiter = RateLimiter(10, clock=clock, sleep=clock.sleep)
    order = []

    async def caller(number):
        assert await limiter.acquire()
        order.append((number, clock.now))

    await asyncio.gather(*[caller(n) for n in range(25)])
    assert [number for number, _ in order] == list(range(25))
    assert order[-1][1] - order[0][1] >= 2.4


async def test_a_429_holds_everybody_for_as_long_as_the_service_asks_and_then_speeds_up():
    """Nothing starts during the pause; after it, half the rate at first, more and more until the brake is off."""
    clock = Clock()
    limiter = RateLimiter(None, clock=clock, sleep=clock.sleep)
    assert limiter.free
    limiter.limited(30.0, clock.now, recent_rate=100.0)
    assert not limiter.free
    held = clock.now
    starts = []
    while not limiter.free:
        assert await limiter.acquire()
        starts.append(clock.now)
    assert starts[0] == held + 30.0
    first_second = [start for start in starts if start < held + 31.0]
    assert 45 <= len(first_second) <= 60
    gaps = [later - sooner for sooner, later in pairwise(starts)]
    assert gaps[-1] < gaps[0] / 4


async def test_many_429_at_once_brake_only_once():
    """The calls that were on their way together do not halve the rate each."""
    clock = Clock()
    limiter = RateLimiter(None, clock=clock, sleep=clock.sleep)
    started = clock.now
    clock.now += 0.01
    for _ in range(50):
        limiter.limited(None, started, recent_rate=100.0)
        clock.now += 0.001
    assert limiter.paused() == pytest.approx(1.0, abs=0.06)
    await limiter.acquire()
    first = clock.now
    await limiter.acquire()
    assert clock.now - first == pytest.approx(1 / 50, rel=0.1)


async def test_closing_wakes_who_waits():
    """A run that stops does not sit out a pause of a minute."""
    limiter = RateLimiter(None, clock=asyncio.get_running_loop().time)
    limiter.limited(3600.0, 0.0, recent_rate=1.0)
    waiting = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    limiter.close()
    async with asyncio.timeout(60):
        assert await waiting is False
    assert await limiter.acquire() is False


async def test_a_leased_rate_is_asked_for_again_when_the_lease_is_over():
    """The share may change with each lease, and a share of nothing means waiting."""
    clock = Clock()
    leases = [(10.0, 1.0), (0.0, 0.5), (2.0, 1.0), (2.0, 1.0)]
    asked = []

    async def lease():
        asked.append(clock.now)
        return leases[len(asked) - 1] if len(asked) <= len(leases) else (2.0, 1.0)

    limiter = RateLimiter(None, clock=clock, sleep=clock.sleep, lease=lease)
    starts = []
    for _ in range(13):
        assert await limiter.acquire()
        starts.append(clock.now - 1000.0)
    assert len([start for start in starts if start < 1.0]) == 10
    assert not [start for start in starts if 1.0 <= start < 1.5]
    assert most_in_a_second(starts) <= 10
    assert starts[-1] - starts[10] >= 1.0


def refused():
    return NetworkError("refused", delivery="not_sent")


async def turns_until(holds):
    """Let everybody have turns of the event loop until *holds* does."""
    while not holds():  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0)


def breaker_of(limit, *, patience=0.0, probe=None, clock=None):
    """A circuit breaker on a test clock, and the errors that it stopped the run with."""
    clock = clock or Clock()
    stopped = []
    breaker = CircuitBreaker(limit, patience, probe=probe, stop=stopped.append, sleep=clock.sleep, clock=clock)
    return breaker, stopped


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (refused(), True),
        (NetworkError("cut"), True),
        (ConfigError("no config"), True),
        (ApiError("down", code=503, http_status=503), True),
        (RateLimitedError("slow", code=429, http_status=429), True),
        (WrongCodeError("wrong", code=6001), False),
        (InvalidInputError("wrong"), False),
        (None, False),
    ],
)
def test_only_the_services_own_failures_open_the_circuit(error, counts):
    """A row that the service says no to is an answer; no answer, or a 5xx, is a failure."""
    breaker, stopped = breaker_of(2)
    breaker.note(refused())
    breaker.note(error)
    assert bool(stopped) == counts


def test_an_answer_in_between_begins_the_count_anew():
    """Only failures that follow each other count."""
    breaker, stopped = breaker_of(3)
    seen = []
    for error in (refused(), refused(), None, refused(), refused(), refused()):
        breaker.note(error)
        seen.append(len(stopped))
    assert seen == [0, 0, 0, 0, 0, 1]
    assert stopped[0].failures == 3
    assert "refused" in str(stopped[0])


async def test_a_service_that_comes_back_gets_one_call_first_and_then_all():
    """Open, half open, closed: after the connection one caller goes, and its answer lets the others go."""
    answers = [refused(), refused(), None]

    async def probe():
        if (answer := answers.pop(0)) is not None:
            raise answer

    breaker, stopped = breaker_of(1, patience=30.0, probe=probe)
    breaker.note(refused())
    assert breaker.open
    gone = []

    async def caller(number):
        await breaker.wait()
        gone.append(number)

    callers = [asyncio.create_task(caller(number)) for number in range(5)]
    async with asyncio.timeout(60):
        await turns_until(lambda: gone and not answers)
        first = list(gone)
        breaker.note(None)
        await asyncio.gather(*callers)
    assert len(first) == 1
    assert sorted(gone) == [0, 1, 2, 3, 4]
    assert not stopped
    breaker.close()


async def test_a_service_that_stays_away_ends_the_run_after_its_patience():
    """Pauses grow, and no longer than the patience is waited."""
    clock = Clock()

    async def probe():
        raise refused()

    breaker, stopped = breaker_of(1, patience=20.0, probe=probe, clock=clock)
    began = clock.now
    breaker.note(refused())
    async with asyncio.timeout(60):
        await turns_until(lambda: stopped)
    assert clock.now - began == pytest.approx(20.0)
    assert "20 s" in str(stopped[0])


async def test_pauses_grow_with_waves_of_429_and_not_with_answers():
    """Calls that were in flight together are one wave; the first pause is one second, and a success makes it that again."""
    clock = Clock()
    limiter = RateLimiter(None, clock=clock, sleep=clock.sleep)
    pauses = []
    for _ in range(3):
        started = clock.now
        clock.now += 0.3
        for _ in range(64):
            limiter.limited(None, started, recent_rate=100.0)
        pauses.append(limiter.paused())
        clock.now += 100.0
    assert pauses == pytest.approx([1.0, 2.0, 4.0])
    limiter.succeeded(clock.now)
    limiter.limited(None, clock.now, recent_rate=100.0)
    assert limiter.paused() == pytest.approx(1.0)


async def test_a_retry_after_of_a_day_does_not_end_the_night():
    """What the service asks for is bounded."""
    clock = Clock()
    limiter = RateLimiter(None, clock=clock, sleep=clock.sleep)
    limiter.limited(86_400.0, clock.now, recent_rate=100.0)
    assert limiter.paused() == 300.0


@pytest.mark.parametrize("limit", [0, -1, True, 1.5])
def test_a_limit_that_is_none_is_refused(limit):
    """The breaker's limit is a whole number from 1, or None."""
    with pytest.raises(InvalidInputError):
        RunOptions(stop_after_failures=limit)
