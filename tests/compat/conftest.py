"""A stand-in for the async client, so that the callback layer is tested without a network; and a clean slate for each test."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from authing_mfa.compat import Authing
from authing_mfa.compat.settings import Settings
from authing_mfa.compat.state import STATE
from authing_mfa.protocol import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 60.0  # seconds; no test waits this long unless it fails


class Heard:
    """A completion that keeps its arguments and its thread."""

    def __init__(self, then: Callable[..., Any] | None = None) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.threads: list[threading.Thread] = []
        self._then = then
        self._begun = threading.Semaphore(0)
        self._told = threading.Semaphore(0)

    def __call__(self, *arguments: Any) -> None:
        self.calls.append(arguments)
        self.threads.append(threading.current_thread())
        self._begun.release()
        try:
            if self._then is not None:
                self._then(*arguments)
        finally:
            self._told.release()

    def wait_begun(self) -> None:
        assert self._begun.acquire(timeout=PATIENCE), "not called"

    def wait(self, times: int = 1) -> list[tuple[Any, ...]]:
        for _ in range(times):
            assert self._told.acquire(timeout=PATIENCE), f"told only {self.calls}"
        return self.calls


class Service:
    """What the fake clients answer: `answer` is called with the operation; while held, calls wait."""

    def __init__(self) -> None:
        self.answer: Callable[[Any], Any] = lambda operation: True
        self.seen: list[Any] = []
        self.tokens: list[str | None] = []
        self.clients: list[FakeClient] = []
        self.cancelled = 0
        self._arrived = threading.Semaphore(0)
        self._gate: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._held = False

    def hold(self) -> None:
        self._held = True

    def release(self) -> None:
        self._held = False
        if self._loop is not None and self._gate is not None:
            with suppress(RuntimeError):  # its thread has closed the loop: nobody waits there
                self._loop.call_soon_threadsafe(self._gate.set)

    def wait_for_request(self) -> None:
        assert self._arrived.acquire(timeout=PATIENCE)

    async def perform(self, operation: Any, token: str | None) -> Answer[Any]:
        self.seen.append(operation)
        self.tokens.append(token)
        if self._held:
            if self._loop is not asyncio.get_running_loop():
                self._loop, self._gate = asyncio.get_running_loop(), asyncio.Event()
            self._arrived.release()
            try:
                assert self._gate is not None
                await self._gate.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        else:
            self._arrived.release()
        return Answer(self.answer(operation), "fine")


class FakeClient:
    def __init__(self, service: Service, settings: Settings, token: str | None = None) -> None:
        self.service, self.settings, self.token = service, settings, token
        self.closed = False

    def as_user(self, token: str | None) -> FakeClient:
        return FakeClient(self.service, self.settings, token)

    async def answer(self, operation: Any) -> Answer[Any]:
        return await self.service.perform(operation, self.token)

    async def aclose(self) -> None:
        self.closed = True


def _clean() -> None:
    Authing.shutdown(PATIENCE)
    Authing.setDispatcher(None)
    Authing.setErrorHandler(None)
    Authing.setCurrentToken(None)
    STATE._choices.overrides = {}


@pytest.fixture(autouse=True)
def clean_slate() -> Iterator[None]:
    """The process-wide state, reset."""
    _clean()
    yield
    _clean()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Every client is a fake one that asks this service."""
    service = Service()

    def client(settings: Settings) -> FakeClient:
        made = FakeClient(service, settings)
        service.clients.append(made)
        return made

    monkeypatch.setattr(Settings, "client", client)
    Authing.start("APP")
    Authing.setCurrentToken("token")
    service.clients.clear()
    yield service
    service.release()


@pytest.fixture
def errors() -> Iterator[list[BaseException]]:
    """The errors that the error handler gets."""
    told: list[BaseException] = []
    Authing.setErrorHandler(told.append)
    return told


def set_during_shutdown(event: threading.Event) -> None:
    """Set *event* once this thread waits in `Authing.shutdown` for another one: then the calls' outcomes are decided."""
    caller = threading.get_ident()

    def watch() -> None:
        stack: list[Any] = []
        while not {"shutdown", "join"} <= {frame.f_code.co_name for frame, _ in stack}:
            time.sleep(0.005)
            stack = list(traceback.walk_stack(sys._current_frames()[caller]))
        event.set()

    threading.Thread(target=watch, daemon=True).start()
