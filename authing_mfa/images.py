"""Photos for the service: any picture in, an upright, metadata-free RGB JPEG of bounded size out.

`prepare` is synchronous and touches nothing but its source: the client runs it in a thread. Pillow is imported by the first
call, never by importing this module.

The order of the steps is what keeps it fast and small: the header is checked before a pixel is decoded, a JPEG is decoded at a
half, a quarter or an eighth (`draft`) where that is still large enough, and turning upright comes after shrinking.
"""

from __future__ import annotations

import io
import math
import os
import stat
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING, Any, BinaryIO, Final, ForwardRef

from authing_mfa.errors import ImageError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

    ImageSource = Image | bytes | str | PathLike[str] | BinaryIO
else:
    # typing.get_type_hints sees the same union, and only then imports Pillow.
    ImageSource = ForwardRef("_picture_class()", module=__name__) | bytes | str | PathLike[str] | BinaryIO

__all__ = ["FILE_LIMIT", "MAX_SIDE", "PIXEL_LIMIT", "ImageSource", "prepare"]

MAX_SIDE: Final = 1280
"""Pixels of the longest side, unless the caller says otherwise. Plenty for a face."""

PIXEL_LIMIT: Final = 1 << 26
"""Pixels that a picture may have: 67 million, the largest common phone sensor, 256 MiB once decoded."""

FILE_LIMIT: Final = 1 << 28
"""Bytes that a picture file may have: 256 MiB, an uncompressed picture of the pixel limit."""

_JPEG_SIDE_LIMIT: Final = 65500
_QUALITY: Final = 85
_BROKEN: Final = "The picture cannot be read: it is broken, cut off or closed."


def prepare(source: ImageSource, *, max_side: int = MAX_SIDE) -> bytes:
    """The picture *source* as a JPEG file: RGB, quality 85, upright (EXIF orientation), its longest side at most *max_side*.

    Pictures are never enlarged, transparency is laid on white, an animation gives its first frame. All metadata is dropped,
    EXIF with its GPS position, XMP, comments and colour profiles (these are not applied either).

    Args:
        source: JPEG, PNG, WebP, BMP or TIFF as bytes, the path of a file, or a binary file, which is read from where it
            stands and not closed; or a `PIL.Image.Image`, which is not modified.
        max_side: in pixels, 1 to 65500.

    Raises:
        ImageError: it is not a picture of these formats, is broken, cannot be read, or has more than `PIXEL_LIMIT` pixels
            or `FILE_LIMIT` bytes.
        InvalidInputError: *max_side* is not a number of pixels.
    """
    if not isinstance(max_side, int) or isinstance(max_side, bool) or not 1 <= max_side <= _JPEG_SIDE_LIMIT:
        raise InvalidInputError(f"max_side must be a whole number of pixels from 1 to {_JPEG_SIDE_LIMIT}.")
    try:
        with _opened(source, max_side) as picture:
            picture.load()
            return _encoded(_turned(_on_white(_shrunk(_plain(picture), max_side)), _orientation(picture)))
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly everything on broken files
        raise ImageError(_BROKEN) from error


# ─────────────────────────────── opening ───────────────────────────────


def _picture_class() -> type[Image]:
    from PIL.Image import Image  # Pillow is slow to import

    return Image


@contextmanager
def _opened(source: object, max_side: int) -> Iterator[Image]:
    """The picture of *source*, its size checked, its pixels not yet decoded where they are in a file."""
    if isinstance(source, _picture_class()):
        _check_pixels(source)
        yield source
        return
    with _file(source) as file:
        picture = _identified(file)
        _check_pixels(picture)
        picture.draft("RGB", _fitting(picture, max_side))
        yield picture


@contextmanager
def _file(source: object) -> Iterator[BinaryIO]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield io.BytesIO(source)
    elif isinstance(source, (str, PathLike)):
        with _open_path(source) as file:
            yield file
    elif callable(getattr(source, "read", None)):
        yield io.BytesIO(_read_all(source))
    else:
        raise ImageError(f"A picture must be a PIL image, bytes, a path or a binary file, not {type(source).__name__}.")


def _open_path(path: str | PathLike[Any]) -> BinaryIO:
    try:
        file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115 - the caller closes it
    except ValueError:
        raise ImageError("The picture file cannot be read: its name holds a null character.") from None
    except OSError as error:
        # Not chained: the system's error holds the name, and a name that is none may be the picture itself.
        raise ImageError(f"The picture file cannot be read: {error.strerror}.") from None
    status = os.fstat(file.fileno())
    if stat.S_ISREG(status.st_mode) and status.st_size <= FILE_LIMIT:
        return file
    file.close()
    raise ImageError(
        f"The picture file is larger than {FILE_LIMIT >> 20} MiB."
        if stat.S_ISREG(status.st_mode)
        else "The picture file cannot be read: it is not a regular file."
    )


def _open_at_once(path: str, flags: int) -> int:
    """Opens without waiting: a named pipe would wait for its writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read_all(file: Any) -> bytes:
    chunks: list[bytes] = []
    room = FILE_LIMIT + 1
    try:
        while room > 0 and (chunk := file.read(room)):
            chunks.append(chunk)
            room -= len(chunk)
    except Exception as error:  # whatever the caller's own file class raises
        raise ImageError("The picture file cannot be read: reading it failed, or it is closed.") from error
    if room <= 0:
        raise ImageError(f"The picture file is larger than {FILE_LIMIT >> 20} MiB.")
    if any(isinstance(chunk, str) for chunk in chunks):
        raise ImageError("The picture file cannot be read: it is open as text, open it in binary mode.")
    return b"".join(chunks)


def _identified(file: BinaryIO) -> ImageFile:
    """*file* opened by the plugin of its format.

    Not by `Image.open`: that would load the plugins of all formats, and warn, for the whole process, of large pictures.
    """
    head = file.read(12)
    file.seek(0)
    plugin = _plugin(head)
    if plugin is None:
        raise ImageError(
            "The picture cannot be read: it is not JPEG, PNG, WebP, BMP or TIFF." if head else "The picture is empty."
        )
    return plugin(file)


def _plugin(head: bytes) -> Callable[[BinaryIO], ImageFile] | None:
    from PIL import BmpImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

    if head.startswith(b"\xff\xd8\xff"):
        return JpegImagePlugin.JpegImageFile
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PngImagePlugin.PngImageFile
    if head.startswith(b"RIFF") and head.endswith(b"WEBP"):
        return WebPImagePlugin.WebPImageFile
    if head.startswith(b"BM"):
        return BmpImagePlugin.BmpImageFile
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return TiffImagePlugin.TiffImageFile
    return None


def _check_pixels(picture: Image) -> None:
    if picture.width * picture.height > PIXEL_LIMIT:
        raise ImageError(
            f"The picture is too large: {picture.width} x {picture.height} pixels, at most {PIXEL_LIMIT} are read."
        )


# ─────────────────────────────── pixels ───────────────────────────────


def _fitting(picture: Image, max_side: int) -> tuple[int, int]:
    scale = min(1.0, max_side / max(picture.size))
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def _plain(picture: Image) -> Image:
    """*picture* in a mode that can be shrunk smoothly: L, RGB, CMYK, YCbCr, or RGBA where it has any transparency."""
    mode = picture.mode
    if mode == "F" or mode.startswith("I"):
        return _eight_bit(picture)
    if mode == "La":
        return picture.convert("LA").convert("RGBA")
    if picture.has_transparency_data:
        return picture if mode == "RGBA" else picture.convert("RGBA")
    if mode == "LAB":
        return _lab_to_rgb(picture)
    return picture if mode in {"L", "RGB", "CMYK", "YCbCr"} else picture.convert("RGB")


def _eight_bit(picture: Image) -> Image:
    """Grey of more than 8 bit, scaled to 8.

    16-bit modes by their own range. 32-bit integers and floats do not say theirs: it is the smallest usual one
    (floats: 0 to 1; then 8 bit, 16 bit) that holds all values, else from the least to the greatest.
    """
    wide = picture.convert("I") if picture.mode.startswith("I;16") else picture
    low, high = (float(value) for value in wide.getextrema())  # type: ignore[arg-type]  # one band: two numbers
    if not math.isfinite(high - low):
        raise ImageError("The picture cannot be read: its pixels are not finite numbers.")
    if wide is not picture:
        low, high = 0, 65535
    else:
        ranges = ([1.0] if picture.mode == "F" else []) + [255.0, 65535.0]
        usual = next((top for top in ranges if low >= 0 and high <= top), None)
        low, high = (low, high) if usual is None else (0.0, usual)
    scale = 255 / ((high - low) or 1.0)
    return wide.point(lambda value: value * scale + (0.5 - low * scale)).convert("L")


def _lab_to_rgb(picture: Image) -> Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
    assert converted is not None  # only a conversion in place returns None
    return converted


def _shrunk(picture: Image, max_side: int) -> Image:
    from PIL.Image import Resampling

    return (
        picture.resize(size, Resampling.LANCZOS) if (size := _fitting(picture, max_side)) != picture.size else picture
    )


def _on_white(picture: Image) -> Image:
    """*picture* as RGB, always in memory of its own: encoding notes things in the picture that it encodes."""
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    from PIL.Image import new

    canvas = new("RGB", picture.size, "white")
    canvas.paste(picture, mask=picture)
    return canvas


def _orientation(picture: Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or the EXIF is broken. Pillow itself turns a TIFF."""
    try:
        value = picture.getexif().get(0x0112, 1)
    except Exception:  # noqa: BLE001 - whatever it is: a picture with broken EXIF is still a picture
        return 1
    return value if isinstance(value, int) else 1


def _turned(picture: Image, orientation: int) -> Image:
    from PIL.Image import Transpose

    method = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
    return picture if method is None else picture.transpose(method)


def _encoded(picture: Image) -> bytes:
    picture.info.clear()
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
