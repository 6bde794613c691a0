"""Decode with care what the whole process shares: the caller's picture, its file, and Pillow's setting for cut files.

`Image.open` reads no pixel. The first use of the pixels reads them, with one file position and without a lock: two threads would mix
the bytes, and the result can be a picture without an error. So one thread at a time decodes a picture, and one call reads a file.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from authing_mfa.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

__all__ = ["after_fork", "alone", "reading", "whole"]


class _Turn:
    """The lock of one picture, and how many threads hold it or wait for it."""

    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = threading.RLock()  # re-entrant: signal handlers may make calls
        self.users = 0


_guard = threading.RLock()
_turns: dict[int, _Turn] = {}  # by id: pictures are not hashable
_read: dict[int, object] = {}  # the files that are being read, by id


@contextmanager
def alone(picture: Image) -> Iterator[None]:
    """Wait until no other thread decodes *picture*, and make others wait for the block. Blocks this thread."""
    with _guard:
        turn = _turns.setdefault(id(picture), _Turn())
        turn.users += 1
    try:
        with turn.lock:
            yield
    finally:
        with _guard:
            turn.users -= 1
            if not turn.users:
                _turns.pop(id(picture), None)


@contextmanager
def reading(file: object) -> Iterator[None]:
    """Read *file* in the block, and in no other call at the same time: each of the two would get some of the bytes.

    Raises:
        ImageError: another call reads it.
    """
    if _read.setdefault(id(file), mark := object()) is not mark:
        raise ImageError(
            "The picture file is being read by another call: a file can be read once, pass its bytes instead."
        )
    try:
        yield
    finally:
        _read.pop(id(file), None)


# ─────────────────────────────── cut files ───────────────────────────────

_thread = threading.local()
_blocks = 0  # how many threads are in a block of `whole`


class _ElsewhereTrue(int):
    """True, but False on a thread that prepares a picture. Pillow's setting is one for the process, and other code relies on it."""

    def __bool__(self) -> bool:
        return not getattr(_thread, "wants_whole", False)


@contextmanager
def whole() -> Iterator[None]:
    """Let Pillow refuse cut and damaged files in the block, although the program has set `PIL.ImageFile.LOAD_TRUNCATED_IMAGES`.

    With that setting Pillow fills the missing part with grey, and half a photo would be uploaded.
    """
    global _blocks  # noqa: PLW0603 - one count for the process
    module: Any = sys.modules.get("PIL.ImageFile")
    if module is None or not module.LOAD_TRUNCATED_IMAGES:
        yield
        return
    with _guard:
        _blocks += 1
        module.LOAD_TRUNCATED_IMAGES = _ElsewhereTrue(1)
    _thread.wants_whole = True
    try:
        yield
    finally:
        _thread.wants_whole = False
        with _guard:
            _blocks -= 1
            if not _blocks and isinstance(
                module.LOAD_TRUNCATED_IMAGES, _ElsewhereTrue
            ):  # else the program has changed it
                module.LOAD_TRUNCATED_IMAGES = True


def after_fork() -> None:
    """Forget in a forked child what the parent's threads hold: those threads do not exist there."""
    global _guard, _blocks  # a lock that a thread of the parent holds would stay locked for ever
    _guard, _blocks = threading.RLock(), 0
    _turns.clear()
    _read.clear()
