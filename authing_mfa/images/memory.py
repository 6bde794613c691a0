"""Limit the memory that the pictures of a process need together while they are prepared."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LIMIT", "SHARED", "after_fork", "reserved"]

LIMIT: Final = 512 << 20
SHARED: Final = 192 << 20  # bytes for all pictures together; a picture that needs more is prepared alone

_LARGE: Final = 32 << 20

_changed = threading.Condition()
_used = 0


@contextmanager
def reserved(need: int) -> Iterator[None]:
    """Wait until *need* bytes are free, or nothing is in use, and keep them for the block. Blocks this thread.

    After a large picture the C library returns its free memory: otherwise it keeps tens of megabytes for each thread.
    """
    global _used  # noqa: PLW0603 - one count for the process
    changed = _changed
    with changed:
        changed.wait_for(lambda: _used == 0 or _used + need <= SHARED)
        _used += need
    try:
        yield
    finally:
        if need >= _LARGE:
            _trim()
        with changed:
            _used -= need
            changed.notify_all()


def _trim() -> None:
    """Call `malloc_trim(3)`, which only the GNU C library has."""
    import ctypes

    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library; TypeError: Windows
        return
    trim(0)


def after_fork() -> None:
    """Reset the count in a forked child: the parent's threads do not exist there, so nothing is in use."""
    global _changed, _used  # a lock that a thread of the parent holds would stay locked for ever
    _changed, _used = threading.Condition(), 0
