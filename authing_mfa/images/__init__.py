"""Make a photo for the service from any picture: an upright sRGB JPEG of limited size, without metadata.

The first call imports Pillow; importing this package does not.

The order of the steps saves time and memory: the header is checked before a pixel is decoded; a JPEG is decoded at a half, a
quarter or an eighth of its size (`draft`) if that is still large enough; colours are converted and the picture is turned
upright after it has been shrunk.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final, ForwardRef

from authing_mfa.errors import ImageError, InvalidInputError
from authing_mfa.images import careful, formats, memory, pixels, sources
from authing_mfa.images.sources import AsyncReadable, HasFile, picture_class

if TYPE_CHECKING:
    from os import PathLike

    from PIL.Image import Image

    ImageSource = Image | bytes | bytearray | memoryview | str | PathLike[str] | BinaryIO | HasFile | AsyncReadable
else:
    # typing.get_type_hints sees the same union, and only then imports Pillow.
    _PILLOW = ForwardRef("picture_class()", module=__name__)
    ImageSource = _PILLOW | bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO | HasFile | AsyncReadable

__all__ = ["FILE_LIMIT", "MAX_SIDE", "MEMORY_LIMIT", "PIXEL_LIMIT", "ImageSource", "prepare", "prepare_async", "take"]

MAX_SIDE: Final = 1280
"""Pixels of the longest side, unless the caller says otherwise. More than enough for a face."""

MEMORY_LIMIT: Final = memory.LIMIT
"""Bytes that one picture may need while it is prepared, unless the caller says otherwise: 512 MiB."""

PIXEL_LIMIT: Final = formats.PIXEL_LIMIT
"""Pixels that a picture may have: 200 million, the largest phone sensor."""

FILE_LIMIT: Final = sources.FILE_LIMIT
"""Bytes that a picture file may have: 256 MiB."""

WORKERS: Final = 2
"""How many pictures `prepare_async` prepares at a time, in the whole process."""

_JPEG_SIDE_LIMIT: Final = 65500


def prepare(source: ImageSource, *, max_side: int = MAX_SIDE, max_memory: int = MEMORY_LIMIT) -> bytes:
    """Return the picture *source* as a JPEG file: RGB, quality 85, upright (EXIF orientation), at most *max_side* long.

    Pictures are never enlarged, transparency is laid on white, an animation gives its first frame. Colours of a wide-gamut
    profile (Display P3, Adobe RGB) become sRGB. All metadata is dropped: EXIF with its GPS position, XMP, comments, profiles.

    The pictures that are being prepared in one process need 192 MiB together, or as much as the largest one alone; others wait.

    Args:
        source: JPEG, PNG, WebP, HEIC (extra ``heic``), AVIF, GIF, BMP or TIFF: as bytes, the path of a file, a ``data:`` URL, a
            binary file, which is read from its position and not closed, or an object whose `file` is one (an upload of
            FastAPI, Starlette or aiohttp.web); or a `PIL.Image.Image`, which is not modified.
        max_side: in pixels, 1 to 65500.
        max_memory: in bytes; a picture that needs more is refused before it is decoded.

    Raises:
        ImageError: *source* is not such a picture, is broken or cannot be read, has more than `PIXEL_LIMIT` pixels or
            `FILE_LIMIT` bytes, consists of more small parts than any camera writes, or needs more than *max_memory*.
        InvalidInputError: *max_side* or *max_memory* is out of range.
    """
    if not isinstance(max_side, int) or isinstance(max_side, bool) or not 1 <= max_side <= _JPEG_SIDE_LIMIT:
        raise InvalidInputError(f"max_side must be a whole number of pixels from 1 to {_JPEG_SIDE_LIMIT}.")
    if not isinstance(max_memory, int) or isinstance(max_memory, bool) or max_memory < 1:
        raise InvalidInputError("max_memory must be a whole number of bytes, 1 or more.")
    try:
        with careful.whole():
            if isinstance(source, picture_class()):
                need = formats.check_size(source, max_side, max_memory)
                with memory.reserved(need):
                    return pixels.to_jpeg(source, max_side)
            with sources.opened(source) as file:
                return formats.to_jpeg(file, max_side, max_memory)
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly everything on broken files
        raise ImageError(formats.BROKEN) from error


async def prepare_async(source: ImageSource, *, max_side: int = MAX_SIDE, max_memory: int = MEMORY_LIMIT) -> bytes:
    """`prepare` in a thread: the event loop is not blocked. At most two pictures are prepared at a time in the whole process.

    Args:
        source: as for `prepare`, and any object with an asynchronous `read()`.
        max_side: in pixels, 1 to 65500.
        max_memory: in bytes; a picture that needs more is refused before it is decoded.

    Raises:
        ImageError: as `prepare` raises it.
        InvalidInputError: as `prepare` raises it.
    """
    if sources.is_async(source):
        source = await sources.read_async(source)
    work = partial(prepare, source, max_side=max_side, max_memory=max_memory)
    return await asyncio.get_running_loop().run_in_executor(_workers(), work)


def take(source: ImageSource, *, max_memory: int = MEMORY_LIMIT) -> Image | bytes:
    """Return the whole content of *source*, so that the caller may close or change it afterwards.

    Args:
        source: as for `prepare`. A picture is copied; the bytes of anything else are read.
        max_memory: in bytes; a picture that needs more is refused before it is decoded.

    Raises:
        ImageError: *source* cannot be read, needs more than *max_memory*, or is not a picture at all.
    """
    try:
        if not isinstance(source, picture_class()):
            with sources.opened(source) as file:
                return file.read()
        formats.check_size(source, MAX_SIDE, max_memory)
        with careful.whole(), careful.alone(source):
            return source.copy()
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly everything on broken files, and so do odd sources
        raise ImageError(formats.BROKEN) from error


_executor: ThreadPoolExecutor | None = None


def _workers() -> ThreadPoolExecutor:
    """Return two threads for the whole process. In the event loop's pool, waiting pictures would delay other work."""
    global _executor  # noqa: PLW0603 - one for the process, made at the first use
    if _executor is None:
        _executor = ThreadPoolExecutor(WORKERS, "authing-mfa-images")
    return _executor


def _after_fork() -> None:
    global _executor  # noqa: PLW0603 - its threads do not exist in the child
    _executor = None
    memory.after_fork()
    careful.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
