"""One rate for many workers."""

from __future__ import annotations

import pytest

from authing_mfa.batch.partitions.shared_rate import RateAllocator


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(("rate", "workers"), [(10, 4), (100, 3), (7, 7), (3, 8), (1, 2)])
def test_what_is_out_never_adds_up_to_more_than_the_rate_and_soon_to_all_of_it(rate, workers):
    """However many workers come and ask in turn, their shares fill the rate and do not exceed it."""
    clock = Clock()
    shares = RateAllocator(rate, clock)
    out = {}
    for turn in range(60):
        clock.now += 0.1
        owner = f"w{turn % workers}"
        out = {who: lease for who, lease in out.items() if lease[1] > clock.now and who != owner}
        lease = shares.lease(owner)
        if lease.rate:
            out[owner] = (lease.rate, clock.now + lease.seconds)
        assert sum(share for share, _ in out.values()) <= rate
    assert sum(share for share, _ in out.values()) == rate


def test_a_worker_that_is_gone_leaves_its_share_to_the_others():
    """Three seconds after its last question a worker no longer counts."""
    clock = Clock()
    shares = RateAllocator(10, clock)
    assert shares.lease("a").rate == 10
    clock.now = 1.0
    shares.lease("b")
    clock.now = 1.1
    assert shares.lease("a").rate == 5
    clock.now = 10.0
    assert shares.lease("a").rate == 10


def test_a_rate_below_one_goes_to_one_worker_at_a_time():
    """Half a call per second cannot be divided."""
    shares = RateAllocator(0.5, Clock())
    assert [shares.lease(who).rate for who in ("a", "b")] == [0.5, 0]


def test_one_workers_429_reaches_all_with_their_next_lease():
    """The pause is passed on, shorter by the time that has gone by."""
    clock = Clock()
    shares = RateAllocator(None, clock)
    shares.lease("a", pause=5.0)
    clock.now = 2.0
    assert (shares.lease("b").pause, shares.lease("b").rate) == (3.0, None)


def test_that_the_run_is_over_is_passed_on():
    """A stopped run says so with each lease."""
    shares = RateAllocator(10, Clock())
    shares.stopped = True
    assert shares.lease("a").stop
