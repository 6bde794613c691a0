"""The engine of every client: it performs one operation for one user, with discovery, the queue and retries.

`AuthClient` is this with a method for each operation. Clock, sleep and randomness are constructor arguments.
"""

from __future__ import annotations

import asyncio
import logging
import random as random_module
import time
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
from yarl import URL

from authing_mfa import operations as ops
from authing_mfa import passwords, retry
from authing_mfa._cancellation import note_delivery, noted_delivery
from authing_mfa._checks import check_whole_number
from authing_mfa._log_lines import LOG, log_attempt, log_retry
from authing_mfa._options import check_token_text
from authing_mfa._progress import Progress
from authing_mfa._sentences import translate
from authing_mfa._transport.transport import Transport
from authing_mfa.discovery import Discovery
from authing_mfa.errors import ApiError, AuthingError, CallTimeoutError, NetworkError, ResponseError, UsageError
from authing_mfa.protocol import Answer, RequestContext, check_token, decode, encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from authing_mfa._options import ClientOptions
    from authing_mfa._progress import Observer
    from authing_mfa._transport.fair_queue import FairQueue
    from authing_mfa.discovery import Endpoint

__all__ = ["Core", "Credentials"]

T = TypeVar("T")

_URLS_KEPT = 256


class Credentials:
    """The token of one user view. `context` is made at the first call, when the user pool is known."""

    __slots__ = ("context", "token")

    def __init__(self, token: str | None) -> None:
        self.token: str | None = check_token_text(token)
        self.context: RequestContext | None = None


class Core:
    """The parts that all user views of a client share: pool, discovery, retries.

    Args:
        options: the client's keywords.
        clock: seconds that only grow.
        sleep: waits for a number of seconds.
        random: a number in [0, 1), for the back-off between two tries.
    """

    def __init__(
        self,
        options: ClientOptions,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        self.options = options
        self.discovery: Discovery = Discovery(
            scheme=options.scheme,
            host=options.host,
            on_premise=options.on_premise,
            user_pool_id=options.user_pool_id,
            base_url=options.base_url,
        )
        self.transport: Transport = Transport(
            connect_timeout=options.connect_timeout,
            max_connections=options.max_connections,
            proxy=options.proxy,
            trust_env=options.trust_env,
            ssl_context=options.ssl_context,
            borrowed=options.session,
            limit=options.max_response_size,
        )
        self.call_timeout: float = options.timeout
        self.clock: Callable[[], float] = clock
        self.sleep: Callable[[float], Awaitable[Any]] = sleep
        self.random: Callable[[], float] = random
        on_call = options.on_call
        self.observers: tuple[Observer, ...] = () if on_call is None else (lambda _: on_call,)
        self._context = RequestContext(options.app_id, options.lang)
        self._urls: dict[tuple[str, str], URL] = {}

    async def perform(
        self, operation: ops.Operation[T], credentials: Credentials, *, max_attempts: int | None = None
    ) -> Answer[T]:
        """Perform *operation* with the token of *credentials*, and retry it where `retry` allows that.

        Args:
            operation: the operation. Passwords and pictures in it may be unprepared.
            credentials: whose token to send.
            max_attempts: how often it may be tried; None: as in the client's options.
        """
        progress = Progress(operation.python_name, self.observers, self.clock) if self.observers else None
        try:
            if max_attempts is not None:
                check_whole_number("max_attempts", max_attempts)
            self.transport.enter()
            check_token(operation, credentials.token)
            if operation.encrypted_fields or operation.__class__ is ops.UploadFaceImage:
                with self.transport.waits.until_closed():
                    operation = await self._prepare(operation)
            budget, endpoint = self.call_timeout, self.discovery.endpoint
            if endpoint is None:
                budget, endpoint = await self._discover(budget)
            context = credentials.context
            if context is None:
                own = self._context
                context = RequestContext(own.app_id, own.lang, endpoint.user_pool_id, credentials.token)
                credentials.context = context
            tries = max_attempts or self.options.max_attempts
            answer = await self._try_until_done(operation, context, endpoint.base_url, budget, tries, progress)
        except BaseException as error:
            if isinstance(error, AuthingError):
                translate(error, self.options.lang)
            elif isinstance(error, asyncio.CancelledError) and noted_delivery(error) is None:
                note_delivery(error, "not_sent")  # no try had begun
            if progress is not None:
                progress.failed(error)
            raise
        if progress is not None:
            progress.succeeded(answer)
        return answer

    async def _discover(self, budget: float) -> tuple[float, Endpoint]:
        """Return the rest of *budget* seconds, and the service's endpoint."""
        started = self.clock()
        endpoint = await self.discovery.resolve(self.fetch_public_config)
        budget -= self.clock() - started
        if budget <= 0:
            raise CallTimeoutError("Discovery took all of the call's time.", delivery="not_sent")
        return budget, endpoint

    async def connect(self) -> None:
        """Find the service and make one connection: ask for public-config, from the service's own host.

        Raises:
            ConfigError: public-config is not available.
            NetworkError: the service cannot be reached.
        """
        self.transport.enter()
        known = self.discovery.endpoint is not None
        endpoint = await self.discovery.resolve(self.fetch_public_config)
        if not known and endpoint.base_url == self.discovery.config_base:
            return
        try:
            await self.fetch_public_config(endpoint.base_url)
        except (ApiError, ResponseError) as error:  # not every host has a public-config; any answer proves a connection
            if (error.http_status or 0) >= 500:
                raise NetworkError(f"The service answers HTTP {error.http_status}.", delivery="answered") from None

    async def fetch_public_config(self, base_url: str) -> dict[str, Any]:
        """Return public-config from *base_url*, requested without a token."""
        operation = ops.PublicConfig(self.options.app_id)
        options = self.options
        answer = await self._try_until_done(operation, self._context, base_url, self.call_timeout, options.max_attempts)
        return answer.value

    async def aclose(self) -> None:
        """Close the pool and stop discovery. Calling it again has no effect."""
        if self.transport.stop():
            await self.discovery.aclose()
            await self.transport.aclose()

    async def _prepare(self, operation: ops.Operation[T]) -> ops.Operation[T]:
        """Encrypt the passwords of *operation* and make its picture ready, in a thread: both take milliseconds."""
        changes: dict[str, Any] = {}
        for name in operation.encrypted_fields:
            value = getattr(operation, name)
            if isinstance(value, str) and not isinstance(value, passwords.EncryptedPassword):
                key = self.options.public_key or passwords.CLOUD_PUBLIC_KEY
                changes[name] = await asyncio.to_thread(passwords.encrypt, value, key)
        if isinstance(operation, ops.UploadFaceImage) and not isinstance(operation.image, ops.JpegBytes):
            from authing_mfa import images  # few programs send pictures

            limits = {"max_side": self.options.max_image_side, "max_memory": self.options.max_image_memory}
            prepared = await images.prepare_async(operation.image, **limits)
            changes["image"] = ops.JpegBytes(prepared)
        return attrs.evolve(operation, **changes)  # pyright: ignore[reportReturnType] - it narrows the type above

    async def _try_until_done(
        self,
        operation: ops.Operation[T],
        context: RequestContext,
        base_url: str,
        budget: float,
        max_attempts: int,
        progress: Progress | None = None,
    ) -> Answer[T]:
        request = encode(operation, context)
        url = self._url(base_url, request.target)
        slots = self.transport.slots
        failed: AuthingError | None = None  # how the last try ended
        attempt = 0
        try:
            while True:
                attempt += 1
                if progress is not None:
                    progress.queue()
                if failed is not None or not slots.take():
                    await _acquire(slots, failed)
                started = self.clock()  # waiting for a slot does not count
                if progress is not None:
                    progress.begin(started)
                try:
                    response = await self.transport.send(url, request, budget)
                    answer = decode(operation, response, context)
                    _note(operation, response.status, progress, attempt, started, self.clock)
                    return answer
                except AuthingError as error:
                    _note(operation, error, progress, attempt, started, self.clock)
                    budget -= self.clock() - started
                    if failed is not None and failed.delivery != "not_sent" and error.delivery == "not_sent":
                        error.delivery = "unknown"  # an earlier try of this call was sent
                    pause = self._pause(operation, error, attempt, max_attempts, budget)
                    if pause is None:
                        raise
                    failed = error
                finally:
                    slots.release()
                budget -= pause
                await self._rest(pause, failed)
        except asyncio.CancelledError as cancelled:
            if failed is not None and failed.delivery != "not_sent":
                note_delivery(cancelled, "unknown")  # an earlier try of this call was sent
            raise

    def _pause(
        self, operation: ops.Operation[T], error: AuthingError, attempt: int, max_attempts: int, budget: float
    ) -> float | None:
        """Return how long to wait before *operation* is retried after *error*, or None if it is not retried."""
        if self.transport.closed:
            return None
        pause = retry.retry_delay(
            operation, error, attempt=attempt, max_attempts=max_attempts, budget=budget, jitter=self.random()
        )
        if pause is not None:
            log_retry(operation.python_name, pause, attempt)
        return pause

    async def _rest(self, pause: float, failed: AuthingError) -> None:
        """Wait *pause* seconds. If the client is closed meanwhile, raise the error of the last try."""
        try:
            with self.transport.waits.until_closed():
                await self.sleep(pause)
        except UsageError:
            raise failed from None

    def _url(self, base_url: str, target: str) -> URL:
        """Return the full address, parsed once per endpoint. The queries of factors differ: few of them are kept."""
        url = self._urls.get((base_url, target))
        if url is None:
            url = URL(base_url + target, encoded=True)
            if len(self._urls) < _URLS_KEPT:
                self._urls[base_url, target] = url
        return url


async def _acquire(slots: FairQueue, failed: AuthingError | None) -> None:
    """Wait for a slot. If the client is closed meanwhile, raise the error of the last try, which *failed*, if there was one."""
    try:
        await slots.acquire()
    except UsageError:
        if failed is None:
            raise
        raise failed from None


def _note(
    operation: ops.Operation[Any],
    ended: AuthingError | int,
    progress: Progress | None,
    attempt: int,
    started: float,
    clock: Callable[[], float],
) -> None:
    """Report to *progress* and the log how a try ended: with an error, or with the HTTP status of a success."""
    if progress is not None and isinstance(ended, int):
        progress.http_status = ended
    if LOG.isEnabledFor(logging.DEBUG):
        log_attempt(operation.python_name, ended, (clock() - started) * 1000, attempt)
