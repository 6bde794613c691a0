"""Make the finished JPEG from a picture: shrink, turn upright, convert colours, put on white, encode."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any, Final

from authing_mfa.errors import ImageError
from authing_mfa.images import careful

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image

__all__ = ["fitting", "to_jpeg", "working_memory"]

_QUALITY: Final = 85
_GAP: Final = 1.5  # a picture is averaged to this many times its final size before it is resampled
_STRIP: Final = 1 << 18  # pixels converted at a time
_SMOOTH: Final = frozenset({"L", "RGB", "CMYK", "YCbCr"})  # modes that can be shrunk smoothly as they are
_SPACE_OF_MODE: Final = {"RGB": "RGB", "RGBA": "RGB", "L": "GRAY", "CMYK": "CMYK"}
_ORIENTATION: Final = 0x0112


def to_jpeg(picture: Image, max_side: int) -> bytes:
    """Return *picture* as a JPEG file. Its pixels are decoded here; it is not modified otherwise."""
    with careful.alone(picture):
        picture.load()
        orientation = _orientation(picture)
    return _encoded(_on_white(_to_srgb(_turned(_shrunk(picture, max_side), orientation), picture)))


# ─────────────────────────────── shrinking ───────────────────────────────


def fitting(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    """Return the size of the result: the same proportions, its longest side at most *max_side*."""
    scale = min(1.0, max_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _factor(size: tuple[int, int], max_side: int) -> int:
    return max(1, int(max(size) / (max_side * _GAP)))


def working_memory(picture: Image, max_side: int) -> int:
    """Return how many bytes are needed in addition to the decoded picture, at most."""
    factor = _factor(picture.size, max_side)
    width, height = picture.size
    reduced = -(-width // factor) * -(-height // factor) * 4
    final = math.prod(fitting(picture.size, max_side)) * 4
    copies = 1 if factor > 1 else 0 if picture.mode in _SMOOTH else 2  # the averaged picture, or the converted strips
    return reduced * copies + final * 3 + _STRIP * 12


def _shrunk(picture: Image, max_side: int) -> Image:
    """Return *picture* in a mode that can be shrunk smoothly, its longest side at most *max_side*.

    A much larger picture is first averaged strip by strip, so that no second picture of its size is ever in memory.
    """
    from PIL.Image import Resampling

    size = fitting(picture.size, max_side)
    factor = _factor(picture.size, max_side)
    convert = _conversion(picture)
    small = convert(picture) if factor == 1 else _averaged(picture, factor, convert)
    if size != small.size:
        box = (0.0, 0.0, picture.width / factor, picture.height / factor)
        small = small.resize(size, Resampling.LANCZOS, box)
    return small.convert("RGBA") if small.mode == "RGBa" else small


def _averaged(picture: Image, factor: int, convert: Callable[[Image], Image]) -> Image:
    from PIL.Image import new

    width, height = picture.size
    rows = max(1, _STRIP // (width * factor)) * factor
    averaged: Image | None = None
    for top in range(0, height, rows):
        strip = convert(picture.crop((0, top, width, min(top + rows, height)))).reduce(factor)
        if averaged is None:
            averaged = new(strip.mode, (strip.width, -(-height // factor)))
        averaged.paste(strip, (0, top // factor))
    assert averaged is not None  # a picture has rows
    return averaged


# ─────────────────────────────── modes ───────────────────────────────


def _conversion(picture: Image) -> Callable[[Image], Image]:
    """Return the function that converts *picture*, or a part of it, to L, RGB, CMYK or YCbCr, or to RGBa if a pixel is transparent.

    In RGBa the colours are multiplied by alpha, so that the colour of a transparent pixel does not spread to its neighbours.
    """
    mode = picture.mode
    if mode == "F" or mode.startswith("I"):
        return _eight_bit(picture)
    if mode == "La":
        return lambda part: part.convert("LA").convert("RGBA").convert("RGBa")
    if mode == "RGBa":
        return lambda part: part
    if picture.has_transparency_data:
        return lambda part: part.convert("RGBA").convert("RGBa")
    if mode == "LAB":
        return _lab_to_rgb
    return lambda part: part if part.mode in _SMOOTH else part.convert("RGB")


def _eight_bit(picture: Image) -> Callable[[Image], Image]:
    """Scale grey of more than 8 bits to 8 bits.

    16-bit modes have a known range. 32-bit integers and floats do not: their range is the smallest usual one (floats: 0 to 1;
    then 8 bits, 16 bits) that holds all values, else from the smallest value to the largest.
    """
    if picture.mode.startswith("I;16"):
        low, high = 0.0, 65535.0
    else:
        low, high = (float(value) for value in picture.getextrema())  # type: ignore[arg-type]  # one band: two numbers
        if not math.isfinite(high - low):
            raise ImageError("The picture cannot be read: its pixels are not finite numbers.")
        ranges = ([1.0] if picture.mode == "F" else []) + [255.0, 65535.0]
        usual = next((top for top in ranges if low >= 0 and high <= top), None)
        low, high = (low, high) if usual is None else (0.0, usual)
    scale = 255 / ((high - low) or 1.0)

    def convert(part: Image) -> Image:
        wide = part.convert("I") if part.mode.startswith("I;16") else part
        return wide.point(lambda value: value * scale + (0.5 - low * scale)).convert("L")

    return convert


def _lab_to_rgb(picture: Image) -> Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
    assert converted is not None  # only a conversion in place returns None
    return converted


# ─────────────────────────────── colours ───────────────────────────────


def _to_srgb(picture: Image, source: Image) -> Image:
    """Convert the colours of *picture* from the profile of its *source*. A broken profile, or one of another kind, is ignored."""
    content = source.info.get("icc_profile")
    if not isinstance(content, bytes) or picture.mode not in _SPACE_OF_MODE:
        return picture
    try:
        from PIL import ImageCms
    except ImportError:
        return picture
    try:
        profile: Any = ImageCms.ImageCmsProfile(io.BytesIO(content))
        if profile.profile.xcolor_space.strip() != _SPACE_OF_MODE[picture.mode]:
            return picture
        if "srgb" in ImageCms.getProfileDescription(profile).lower():
            return picture
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(picture, profile, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (OSError, ValueError, ImageCms.PyCMSError):
        return picture
    return picture if converted is None else converted


def _on_white(picture: Image) -> Image:
    """Return *picture* as RGB, always as a copy: the encoder writes attributes into the picture."""
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    from PIL.Image import new

    canvas = new("RGB", picture.size, "white")
    canvas.paste(picture, mask=picture)
    return canvas


# ─────────────────────────────── the rest ───────────────────────────────


def _orientation(picture: Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 where there is none or the EXIF is broken. Pillow itself turns a TIFF."""
    try:
        value = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - a picture with broken EXIF is still a picture
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
