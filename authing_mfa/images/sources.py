"""Open every kind of picture source as a binary file; other values are refused, and the error says how to write the call."""

from __future__ import annotations

import base64
import inspect
import io
import os
import re
import stat
from collections.abc import Awaitable  # noqa: TC003 - typing.get_type_hints resolves it
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol
from urllib.parse import unquote_to_bytes

from authing_mfa.errors import ImageError
from authing_mfa.images import careful

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

__all__ = ["FILE_LIMIT", "AsyncReadable", "HasFile", "is_async", "opened", "picture_class", "read_async"]

FILE_LIMIT: Final = 1 << 28
_CHUNK: Final = 1 << 20
_READING_FAILED: Final = "The picture file cannot be read: reading it failed, or it is closed."


class AsyncReadable(Protocol):
    """A file with an asynchronous `read`: Starlette's UploadFile, aiofiles, anyio, aiohttp's `request.content` and its answers."""

    def read(self) -> Awaitable[bytes]:
        """Return the whole content. If it takes a number of bytes, it is called with one until nothing is left."""
        ...


class HasFile(Protocol):
    """An upload that holds its binary file: aiohttp.web's FileField, Starlette's UploadFile."""

    @property
    def file(self) -> Any:
        """The binary file."""


def picture_class() -> type[Image]:
    """Return `PIL.Image.Image`."""
    from PIL.Image import Image  # importing Pillow is slow

    return Image


@contextmanager
def opened(source: object) -> Iterator[BinaryIO]:
    """Open *source* as a binary file that can be read and sought; a file that was opened here is closed afterwards.

    Raises:
        ImageError: *source* is of a kind that is not accepted, cannot be read, or is larger than `FILE_LIMIT`.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield io.BytesIO(_checked_length(source))
    elif isinstance(source, str) and source[:5].lower() == "data:":
        yield io.BytesIO(_from_data_url(source))
    elif isinstance(source, (str, PathLike)):
        with _open_path(source) as file:
            yield file
    elif _is_plain_file(source):
        yield io.BytesIO(_read_all(source))
    elif _is_plain_file(getattr(source, "file", None)):
        yield io.BytesIO(_read_all(source.file))  # type: ignore[attr-defined]  # it has just been looked at
    else:
        raise ImageError(_refusal(source))


# ─────────────────────────────── text: data: URLs and paths ───────────────────────────────


def _checked_length(content: bytes | bytearray | memoryview) -> bytes | bytearray | memoryview:
    if len(content) > FILE_LIMIT:
        raise ImageError(_too_large())
    return content


def _too_large() -> str:
    return f"The picture file is larger than {FILE_LIMIT >> 20} MiB."


def _from_data_url(url: str) -> bytes:
    head, comma, payload = url.partition(",")
    if not comma:
        raise ImageError("The data: URL cannot be read: it has no comma.")
    if len(payload) > FILE_LIMIT * 4 // 3 + 4:
        raise ImageError(_too_large())
    content = unquote_to_bytes(payload)
    if not head.lower().rstrip().endswith(";base64"):
        return content
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except ValueError:
        raise ImageError("The data: URL cannot be read: its base64 text is broken.") from None


def _open_path(path: str | PathLike[Any]) -> BinaryIO:
    try:
        file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115 - the caller closes it
    except ValueError:
        raise ImageError("The picture file cannot be read: its name holds a null character.") from None
    except OSError as error:
        # Not chained: the system's error holds the name, and this text may be the picture itself.
        raise ImageError(f"The picture file cannot be read: {error.strerror}.{_meant(path)}") from None
    status = os.fstat(file.fileno())
    if stat.S_ISREG(status.st_mode) and status.st_size <= FILE_LIMIT:
        return file
    file.close()
    raise ImageError(
        _too_large() if stat.S_ISREG(status.st_mode) else "The picture file cannot be read: it is not a regular file."
    )


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting: a named pipe would wait for its writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _meant(path: object) -> str:
    """Return the advice for a text that is not the name of a file, or an empty text."""
    if not isinstance(path, str):
        return ""
    if re.match(r"https?://", path, re.IGNORECASE):
        return " This text is a web address: download the picture, then pass its bytes."
    if path[:7].lower() == "file://":
        return " This text is an address: pass the path after file://."
    if len(path) > 255 and re.fullmatch(r"[A-Za-z0-9+/=_\s-]+", path[:4096]):
        return " This text looks like base64: pass base64.b64decode(text)."
    return ""


# ─────────────────────────────── files ───────────────────────────────


def _is_plain_file(value: object) -> bool:
    read = getattr(value, "read", None)
    return callable(read) and not inspect.iscoroutinefunction(read) and not isinstance(value, type)


def _takes_size(read: Any) -> bool:
    """Return False if *read* takes no number of bytes: the answers of aiohttp and httpx give their whole content at once."""
    try:
        signature = inspect.signature(read)
    except (TypeError, ValueError):  # a function that does not tell its parameters, as some in C
        return True
    try:
        signature.bind(_CHUNK)
    except TypeError:
        return False
    return True


def _read_all(file: Any) -> bytes:
    chunks: list[bytes] = []
    room = FILE_LIMIT + 1
    with careful.reading(file):
        try:
            in_parts = _takes_size(file.read)
            while room > 0 and (chunk := file.read(room) if in_parts else file.read()):
                chunks.append(chunk)
                room -= len(chunk)
                if not in_parts:
                    break
        except Exception as error:  # any error of the caller's own file class
            raise ImageError(_READING_FAILED) from error
    if not chunks and _position(file) > 0:
        raise ImageError("The picture file has nothing left to read: seek(0) first.")
    return _joined(chunks, room)


def _position(file: Any) -> int:
    try:
        return int(file.tell())
    except Exception:  # noqa: BLE001 - a pipe has no position, and a file class of the caller may have none
        return 0


def _joined(chunks: list[bytes], room: int) -> bytes:
    if room <= 0:
        raise ImageError(_too_large())
    if any(isinstance(chunk, str) for chunk in chunks):
        raise ImageError("The picture file cannot be read: it is open as text, open it in binary mode.")
    return b"".join(chunks)


def is_async(source: object) -> bool:
    """Return True if *source* has an asynchronous `read`, and no plain file in it."""
    if _is_plain_file(getattr(source, "file", None)):
        return False
    read = getattr(source, "read_chunk", None) or getattr(source, "read", None)
    return inspect.iscoroutinefunction(read) and not isinstance(source, type)


async def read_async(source: Any) -> bytes:
    """Read the whole content of a source that `is_async`.

    Raises:
        ImageError: *source* cannot be read, or is larger than `FILE_LIMIT`.
    """
    # A part of aiohttp's multipart reader has a read() without a size, and a read_chunk() with one.
    read = getattr(source, "read_chunk", None) or source.read
    chunks: list[bytes] = []
    room = FILE_LIMIT + 1
    with careful.reading(source):
        try:
            in_parts = _takes_size(read)
            while room > 0 and (chunk := await (read(_CHUNK) if in_parts else read())):
                chunks.append(chunk)
                room -= len(chunk)
                if not in_parts:
                    break
        except Exception as error:  # any error of the caller's own file class
            raise ImageError(_READING_FAILED) from error
    if not chunks:
        raise ImageError("The picture file has nothing left to read: was it read before?")
    return _joined(chunks, room)


# ─────────────────────────────── refusals ───────────────────────────────


def _refusal(source: object) -> str:
    kind = type(source)
    name = kind.__name__
    if inspect.isawaitable(source):
        return f"A picture is expected, not a {name}: await it first."
    if is_async(source):
        return f"A {name} has an asynchronous read(): pass its bytes, or use the asynchronous client, which awaits it."
    if hasattr(source, "__array_interface__") or hasattr(source, "__array__"):
        return f"A picture is expected, not a {name}: pass PIL.Image.fromarray(array); OpenCV's arrays are BGR, convert them first."
    if name in {"QImage", "QPixmap"}:
        return f"A picture is expected, not a {name}: pass PIL.ImageQt.from{name.lower()}(…), or the picture's file."
    if name == "PhotoImage":
        return "A picture is expected, not a PhotoImage: pass the PIL image or the file that it was made from."
    return f"A picture must be a PIL image, bytes, a path, a data: URL or a binary file, not {name}."
