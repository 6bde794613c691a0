"""The circuit breaker alone, with a clock that only its own waiting moves."""

import asyncio

from authing_mfa.batch.run.circuit import CircuitBreaker
from authing_mfa.errors import NetworkError


async def test_a_service_that_accepts_and_does_not_answer_is_asked_with_pauses():
    """The connection works, and the deciding call stays without an answer: the service is not asked without a pause."""
    now, asked, stopped = 0.0, 0, []

    async def sleep(seconds):
        nonlocal now
        now += seconds
        await asyncio.sleep(0)

    async def probe():
        nonlocal asked
        asked += 1

    circuit = CircuitBreaker(1, 30.0, probe=probe, stop=stopped.append, sleep=sleep, clock=lambda: now)
    circuit.note(NetworkError("refused", delivery="not_sent"))
    for _ in range(1000):
        await asyncio.sleep(0)
    assert [type(error).__name__ for error in stopped] == ["CircuitOpenError"]
    assert now == 40.0
    assert asked <= 10
