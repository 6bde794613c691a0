"""Every operation, broken at every byte: the right `delivery`, at most one act, nobody else's answer, and nothing left behind."""

from __future__ import annotations

import asyncio

import pytest

from authing_mfa import ApiError, AuthClient, AuthingError, CallTimeoutError, NetworkError
from authing_mfa.operations import OPERATIONS, VerifyByTotp
from tests.endpoints import SAMPLES
from tests.hostile.network import CLEAN, CODE, Plan, answer_of, served
from tests.test_operations import CHANGES_SOMETHING

ANSWER = len(answer_of(0))
STEP = 83  # in `make test` each operation is broken at every 83rd byte, each at others; `make soak` takes every byte


def client_of(service, **options) -> AuthClient:
    options = {"timeout": 30.0, "max_connections": 1, "user_pool_id": "pool", **options}
    return AuthClient("app", token="tok-en", base_url=service.url, **options)


def sample(cls):
    """An operation of this class with everything it can hold."""
    return cls(*SAMPLES[cls])


async def call(service, client, operation, plan: Plan) -> tuple[AuthingError, int]:
    """Perform *operation* once under *plan*; its error (a refusal is an answer), and how often the service acted on it."""
    acts, started = len(service.acts), service.started
    service.plan = plan
    with pytest.raises(AuthingError) as caught:
        await client.perform(operation, max_attempts=1)
    service.plan = CLEAN
    error, acted = caught.value, len(service.acts) - acts
    assert acted <= 1, f"acted {acted} times: {plan}: {service.acts[acts:]}"
    if error.delivery == "not_sent":
        assert service.started == started, f"not sent, but something arrived: {plan}"
    if error.delivery == "answered":
        assert acted == 1, f"answered by nobody: {plan}"
    if isinstance(error, ApiError) and error.code == CODE:
        assert error.message == f"answer {len(service.acts):08d}", f"another call's answer: {plan}"
    return error, acted


async def works(service, client, operation) -> None:
    """The connection slot is free, and the next call gets its own answer."""
    error, _ = await call(service, client, operation, CLEAN)
    assert error.code == CODE


async def cut(service, client, operation, plan: Plan) -> None:
    error, _ = await call(service, client, operation, plan)
    assert isinstance(error, NetworkError), f"{error!r}: {plan}"
    assert error.delivery == "unknown", f"{error!r}: {plan}"
    await works(service, client, operation)


async def length_of_request(service, client, operation) -> int:
    await works(service, client, operation)
    return service.length


def positions(length: int, number: int, *, every: bool) -> range:
    return range(1, length) if every else range(1 + number % STEP, length, STEP)


def numbered(operations):
    return [pytest.param(number, cls, id=cls.__name__) for number, cls in enumerate(operations)]


async def broken_requests(number, cls, *, every):
    operation = sample(cls)
    async with served() as service, client_of(service) as client:
        length = await length_of_request(service, client, operation)
        for position in positions(length, number, every=every):
            for end in ("fin", "reset"):
                await cut(service, client, operation, Plan(request=position, end=end))


async def broken_answers(number, cls, *, every):
    operation = sample(cls)
    for chunked in (False, True):
        async with served(chunked=chunked) as service, client_of(service) as client:
            await works(service, client, operation)
            for position in [0, *positions(len(answer_of(0, chunked=chunked)), number, every=every)]:
                for end in ("fin", "reset", "half"):
                    await cut(service, client, operation, Plan(answer=position, end=end))


async def odd_answers(number, cls, *, every):
    operation = sample(cls)
    for chunked in (False, True):
        whole = answer_of(0, chunked=chunked)
        async with served(chunked=chunked) as service, client_of(service) as client:
            for position in positions(len(whole), number, every=every):
                error, _ = await call(service, client, operation, Plan(order="split", cut=position))
                assert error.code == CODE
                error, _ = await call(service, client, operation, Plan(order="swapped", cut=position, end="fin"))
                assert error.code != CODE, f"pieces in the wrong order make no answer: {position}"
                await works(service, client, operation)
                extra = answer_of(99_999_999, chunked=chunked)[:position]
                error, _ = await call(service, client, operation, Plan(extra=extra))
                assert error.code == CODE
                await works(service, client, operation)
            for plan in (Plan(order="bytes"), Plan(extra=answer_of(99_999_999)), Plan(end="fin"), Plan(end="half")):
                error, _ = await call(service, client, operation, plan)
                assert error.code == CODE
                await works(service, client, operation)


@pytest.mark.parametrize(("number", "cls"), numbered(OPERATIONS))
async def test_a_request_that_breaks(number, cls):
    """The connection ends while the request is read: unknown, and the service has not acted twice."""
    await broken_requests(number, cls, every=False)


@pytest.mark.parametrize(("number", "cls"), numbered(OPERATIONS))
async def test_an_answer_that_breaks(number, cls):
    """The connection ends while the answer comes: unknown, and the next call gets its own answer."""
    await broken_answers(number, cls, every=False)


@pytest.mark.parametrize(("number", "cls"), numbered(OPERATIONS))
async def test_an_answer_in_pieces_in_disorder_or_with_more_behind(number, cls):
    """In pieces it is the answer; in disorder it is none; what comes after it reaches no other call."""
    await odd_answers(number, cls, every=False)


CHANGING = [param for param in numbered(OPERATIONS) if param.values[1].python_name in CHANGES_SOMETHING]


@pytest.mark.parametrize(("number", "cls"), CHANGING)
async def test_what_may_have_been_performed_is_not_sent_again(number, cls):
    """A client that retries, as programs have it: whether the answer is lost or cut, the service gets the request once."""
    operation = sample(cls)
    async with served() as service, client_of(service) as client:
        for answer, end in ((0, "fin"), (0, "reset"), (40, "fin"), (40, "reset")):
            await works(service, client, operation)
            acts, service.plan = len(service.acts), Plan(answer=answer, end=end)
            with pytest.raises(NetworkError) as caught:
                await client.perform(operation)
            assert (caught.value.delivery, len(service.acts) - acts) == ("unknown", 1)


@pytest.mark.parametrize("length", [1, 40, ANSWER])
async def test_bytes_that_come_between_two_calls(length):
    """They wait in the socket, unseen by the loop, when the next call begins: it takes another connection and gets its own answer."""
    operation = sample(VerifyByTotp)
    async with served() as service, client_of(service) as client:
        await works(service, client, operation)
        kept = service.newest
        kept.send(answer_of(99_999_999)[:length])
        await works(service, client, operation)
        assert service.newest is not kept


@pytest.mark.soak
@pytest.mark.parametrize(("number", "cls"), numbered(OPERATIONS))
async def test_a_request_that_breaks_at_every_byte(number, cls):
    """The same at each byte."""
    await broken_requests(number, cls, every=True)


@pytest.mark.soak
@pytest.mark.parametrize(("number", "cls"), numbered(OPERATIONS))
async def test_an_answer_that_breaks_at_every_byte(number, cls):
    """The same at each byte."""
    await broken_answers(number, cls, every=True)


@pytest.mark.soak
@pytest.mark.parametrize(("number", "cls"), numbered(OPERATIONS))
async def test_an_answer_in_pieces_in_disorder_or_with_more_behind_at_every_byte(number, cls):
    """The same at each byte."""
    await odd_answers(number, cls, every=True)


async def test_an_answer_that_stops_and_never_ends():
    """Wherever it stops, the call ends at its time-out: unknown, and its slot is free again."""
    operation = sample(VerifyByTotp)
    async with served() as service, client_of(service, timeout=1.0) as client:
        for plan in (Plan(request=1, end="stall"), *(Plan(answer=n, end="stall") for n in (0, 1, 40, ANSWER - 1))):
            error, _ = await call(service, client, operation, plan)
            assert isinstance(error, CallTimeoutError), f"{error!r}: {plan}"
            assert error.delivery == "unknown"
            await asyncio.wait_for(settled(service, client, operation), 60)


async def settled(service, client, operation) -> None:
    """A short time-out may hit a clean call as well when the machine is slow: it is made again."""
    while True:
        error, _ = await call(service, client, operation, CLEAN)
        if error.code == CODE:
            return
        assert isinstance(error, CallTimeoutError)


async def test_a_port_that_closes_each_connection_at_once():
    """Nothing was read, so nothing was sent or it cannot be known; never is it called answered."""
    listening = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with listening:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        async with AuthClient("app", token="t", base_url=url, user_pool_id="p", max_attempts=1) as client:
            for operation in map(sample, OPERATIONS):
                with pytest.raises(NetworkError) as caught:
                    await client.perform(operation)
                assert caught.value.delivery in {"not_sent", "unknown"}
