"""The trace callbacks of a lent session. They are the application's: an error in one is logged, and the call goes on."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from authing_mfa._log_lines import LOG, log_error
from authing_mfa._transport.deadlines import Phase, current_attempt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["guarded_trace"]

_SIGNALS: Final = tuple(name for name in dir(aiohttp.TraceConfig) if name.startswith("on_"))
_FIRST: Final = "on_request_start"


def guarded_trace(lent: aiohttp.TraceConfig) -> aiohttp.TraceConfig:
    """Return a trace with the callbacks of *lent*, which raise nothing but a cancellation or Ctrl-C."""
    trace = aiohttp.TraceConfig(partial(_context, lent))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - it is only called
    for name in _SIGNALS:
        guard = _before_connecting if name == _FIRST else _guarded
        getattr(trace, name).extend(partial(guard, callback, name) for callback in getattr(lent, name))
    return trace


def _context(lent: aiohttp.TraceConfig, *, trace_request_ctx: Any = None) -> SimpleNamespace:
    """Return the object that *lent*'s callbacks share during one request."""
    try:
        return lent.trace_config_ctx(trace_request_ctx=trace_request_ctx)
    except Exception as error:  # noqa: BLE001 - the application's
        log_error(LOG, "The context of a session's trace callbacks cannot be made.", error=error)
        return SimpleNamespace(trace_request_ctx=trace_request_ctx)


async def _before_connecting(callback: Callable[..., Awaitable[object]], name: str, *arguments: object) -> None:
    """Run a callback before aiohttp looks for a connection: nothing has been sent if the call ends in it."""
    attempt = current_attempt()
    if attempt is not None:
        attempt.phase = Phase.CONNECTING
    await _guarded(callback, name, *arguments)
    if attempt is not None:
        attempt.phase = Phase.BEGUN


async def _guarded(callback: Callable[..., Awaitable[object]], name: str, *arguments: object) -> None:
    task, attempt, handled = asyncio.current_task(), current_attempt(), sys.exc_info()[1]
    try:
        await callback(*arguments)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            raise
        if attempt is not None and attempt.cancelled():
            raise asyncio.CancelledError from error
        _forget_context(error, handled)
        log_error(LOG, "A trace callback of the session raised (%s).", name, error=error)
    if attempt is not None and (attempt.timed_out or attempt.stopped):
        raise asyncio.CancelledError  # the callback has held on to it


def _forget_context(error: BaseException, handled: BaseException | None) -> None:
    """Remove *handled*, aiohttp's own error, from what led to *error*: it may quote the answer, and must not be logged."""
    each: BaseException | None = error
    while each is not None and handled is not None:
        if each.__context__ is handled:
            each.__context__ = None
        each = each.__context__
