"""Open the bytes of an input: a file, a pipe or standard input, compressed or not."""

from __future__ import annotations

import gzip
import io
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["COMPRESSIONS", "opened"]

COMPRESSIONS: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""The first bytes of a compressed file."""

_HEAD: Final = 4096  # how many bytes tell for certain what a file is
_PACKED: Final = 2048  # bytes that are decompressed at once: a hostile file makes 128 KiB of four of them


@contextmanager
def opened(source: str) -> Iterator[tuple[io.BufferedReader, str | None]]:
    """Open *source*, a path or ``-`` for standard input, and decompress it. Yield the bytes and the compression's name.

    Raises:
        InvalidInputError: the file is compressed with zstd, and the package for it is not installed; or standard input is closed.
        OSError: the file cannot be opened.
    """
    if source == "-":
        with _standard_input() as stdin:
            yield _decompressed(stdin)
        return
    with Path(source).open("rb") as file:
        yield _decompressed(file)


@contextmanager
def _standard_input() -> Iterator[io.BufferedReader]:
    """Open standard input a second time. A thread may read from it when the interpreter ends, which then cannot close `sys.stdin`."""
    if sys.stdin is None:
        raise InvalidInputError("Standard input is closed: name a file.")
    stdin: Any = sys.stdin.buffer
    try:
        handle = os.dup(stdin.fileno())
    except (AttributeError, OSError):  # it is no file, but an object of the caller's
        yield stdin
        return
    with open(handle, "rb") as file:  # noqa: PTH123 - it has no path
        yield file


def _decompressed(file: io.BufferedReader) -> tuple[io.BufferedReader, str | None]:
    file = _begun(file)
    head = file.peek(4)[:4]
    name = next((name for magic, name in COMPRESSIONS.items() if head.startswith(magic)), None)
    if name == "gzip":
        unpacked: Any = gzip.GzipFile(fileobj=file)
        return _begun(io.BufferedReader(unpacked)), name
    if name == "zstd":
        try:
            import zstandard
        except ImportError as error:
            raise InvalidInputError(
                "A file that is compressed with zstd needs the package zstandard: pip install 'authing-mfa[zstd]'."
            ) from error
        return _begun(io.BufferedReader(_Zstd(file, zstandard.ZstdDecompressor))), name
    return file, None


def _begun(file: io.BufferedReader) -> io.BufferedReader:
    """Return *file*, whose next `peek` shows enough to tell what it is. A program may write the first byte of a pipe alone."""
    if _is_enough(file.peek(_HEAD)):
        return file
    head = b""
    while not _is_enough(head) and (more := file.read1(_HEAD)):
        head += more
    return io.BufferedReader(_Rest(head, file))


def _is_enough(head: bytes) -> bool:
    return len(head) >= _HEAD or (len(head) >= 4 and bool(head.strip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")))


class _Rest(io.RawIOBase):
    """A file of which *head* was read already."""

    def __init__(self, head: bytes, file: io.BufferedReader) -> None:
        self._head = head
        self._file = file

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the head, then the rest."""
        if not self._head:
            return self._file.readinto1(buffer)
        size = min(len(buffer), len(self._head))
        buffer[:size], self._head = self._head[:size], self._head[size:]
        return size


class _Zstd(io.RawIOBase):
    """The content of a file that is compressed with zstd. A file that was cut off is an error; zstandard's own reader ends there."""

    def __init__(self, file: io.BufferedReader, decompressor: Callable[[], Any]) -> None:
        self._file = file
        self._decompressor = decompressor
        self._frame: Any = None  # that was begun
        self._packed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes.

        Raises:
            EOFError: the file was cut off.
        """
        while not self._ready:
            self._packed = self._packed or self._file.read(_PACKED)
            if not self._packed:
                if self._frame is not None:
                    raise EOFError("the compressed file was cut off")
                return 0
            frame = self._frame = self._frame or self._decompressor().decompressobj()
            self._ready = memoryview(frame.decompress(self._packed))
            self._packed = frame.unused_data if frame.eof else b""
            if frame.eof:
                self._frame = None
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size
