"""Read picture files: the format, the size, the memory that decoding needs, and then the pixels."""

from __future__ import annotations

import io
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO, Final

from authing_mfa.errors import ImageError
from authing_mfa.images import jpeg_end, memory, parts, pixels

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

__all__ = ["BROKEN", "PIXEL_LIMIT", "check_size", "to_jpeg"]

PIXEL_LIMIT: Final = 200 * 1024 * 1024
BROKEN: Final = "The picture cannot be read: it is broken, cut off or closed."

_TAKEN: Final = "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"
_REDUCED_PAGE: Final = 254  # the tag NewSubfileType; bit 0 marks a reduced copy of another page

# Bytes per pixel, as measured with Pillow 13: of the decoded picture, and what these decoders need in addition.
_BYTES_OF_MODE: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}
_BYTES_OF_FORMAT: Final = {"WEBP": 16, "AVIF": 10, "HEIF": 9, "TIFF": 8}

_PLUGINS: Final = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "HEIF": ("pillow_heif", "HeifImageFile"),
}
_MISSING: Final = {
    "HEIF": "The picture is a HEIC picture, the iPhone's own format. To read HEIC: pip install 'authing-mfa[heic]'; "
    "or export the picture as JPEG.",
    "AVIF": "The picture is an AVIF picture, and this Pillow cannot read AVIF: install Pillow 11.3 or newer.",
}

_BRANDS: Final = {
    "AVIF": frozenset({b"avif", b"avis"}),
    "HEIF": frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}),
}
_BEGINNINGS: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)
_OTHERS: Final = (
    (b"%PDF", "a PDF document"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML file"),
    (b"<!DOCTYPE html", "a web page"),
    (b"<html", "a web page"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"8BPS", "a Photoshop file"),
    (b"/9j/", "base64 text (decode it first)"),
    (b"iVBORw0KGgo", "base64 text (decode it first)"),
    (b"data:", "a data: URL as bytes (pass it as text)"),
)


def to_jpeg(file: BinaryIO, max_side: int, max_memory: int) -> bytes:
    """Return the picture in *file* as a JPEG file.

    Raises:
        ImageError: the picture is not accepted.
        Exception: any error that Pillow raises for a broken file.
    """
    picture = _identified(file)
    if picture.format == "TIFF":
        _seek_full_page(picture)
    size = picture.size
    need = 0
    if picture.format == "JPEG":
        if picture.info.get("progressive"):  # libjpeg then keeps all coefficients, 2 bytes each
            need = size[0] * size[1] * len(picture.getbands()) * 2
        picture.draft("RGB", pixels.fitting(size, max_side))
    need += check_size(picture, max_side, max_memory - need, size)
    try:
        with memory.reserved(need):
            jpeg = pixels.to_jpeg(picture, max_side)
            picture.close()  # only this frees the memory of its pixels
            return jpeg
    except OSError:
        whole = jpeg_end.completed(file) if picture.format == "JPEG" else None
        if whole is None:
            raise
    return to_jpeg(io.BytesIO(whole), max_side, max_memory)


def check_size(picture: Image, max_side: int, max_memory: int, size: tuple[int, int] | None = None) -> int:
    """Return the bytes that preparing *picture* needs at most.

    Args:
        picture: its header is read; its pixels need not be decoded yet.
        max_side: of the result, in pixels.
        max_memory: bytes that are allowed.
        size: of the whole picture, if *picture* is decoded at a reduced size.

    Raises:
        ImageError: the picture has too many pixels, or needs more than *max_memory*.
    """
    width, height = picture.size if size is None else size
    if width * height > PIXEL_LIMIT:
        raise ImageError(f"The picture is too large: {width} x {height} pixels, at most {PIXEL_LIMIT} are read.")
    per_pixel = max(_BYTES_OF_MODE.get(picture.mode, 4), _BYTES_OF_FORMAT.get(picture.format or "", 0))
    need = picture.width * picture.height * per_pixel + pixels.working_memory(picture, max_side)
    if need > max_memory:
        raise ImageError(
            f"The picture is too large: {width} x {height} pixels of this format need more memory than is allowed."
        )
    return need


def _identified(file: BinaryIO) -> ImageFile:
    """Open *file* with the plugin of its format.

    `Image.open` would load the plugins of all formats, and warn, for the whole process, of large pictures.
    """
    head = file.read(64)
    file.seek(0)
    if not head:
        raise ImageError("The picture is empty.")
    name = _format(head)
    if name is None:
        other = _other(head)
        raise ImageError(f"The picture cannot be read: it is {f'{other}, ' if other else ''}not {_TAKEN}.")
    module, plugin = _PLUGINS[name]
    try:
        open_picture: Callable[[BinaryIO], ImageFile] = getattr(import_module(module), plugin)
    except ImportError:
        raise ImageError(_MISSING[name]) from None
    if name == "AVIF" and not import_module("PIL.features").check("avif"):
        raise ImageError(_MISSING[name])
    parts.check(name, file)
    return open_picture(file)


def _format(head: bytes) -> str | None:
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        box = head[8 : max(int.from_bytes(head[:4]), 12)]
        brands = {box[at : at + 4] for at in range(0, len(box), 4)}
        return next((name for name, known in _BRANDS.items() if brands & known), None)
    return next((name for beginning, name in _BEGINNINGS if head.startswith(beginning)), None)


def _other(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        return "a video or a camera raw file"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((what for beginning, what in _OTHERS if text.startswith(beginning.lower())), None)


def _seek_full_page(picture: ImageFile) -> None:
    """Go to the first page of a TIFF that is not a reduced copy of another page.

    Raises:
        ImageError: there is no such page: camera raw files keep the picture itself elsewhere.
    """
    for page in range(parts.PAGES):  # `n_frames` would look for all pages, and for each again at all pages before it
        try:
            picture.seek(page)
        except EOFError:
            break
        kind = getattr(picture, "tag_v2", {}).get(_REDUCED_PAGE, 0)
        if not (isinstance(kind, int) and kind & 1):
            return
    raise ImageError(
        "The picture cannot be read: this TIFF holds only a reduced copy of its picture, as camera raw files do; "
        "export the picture as JPEG."
    )
