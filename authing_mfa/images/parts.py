"""Refuse a file that consists of very many small parts, before Pillow reads it.

The size in pixels says nothing about these files. Pillow keeps each part, which takes up to 90 times the bytes that the part has
in the file, reads some parts again for each later one, and a progressive JPEG is decoded once for each scan: one megabyte
could take minutes, and twenty megabytes more memory than is allowed. Cameras and programs write a few hundred parts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO, Final, Literal

from authing_mfa.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["PAGES", "PARTS", "check"]

PARTS: Final = 1 << 17
PAGES: Final = 64
"""How many pages of a TIFF are checked for one that is not a reduced copy."""

_EXIF_PARTS: Final = 64  # the specification allows one; Pillow copies the earlier ones for each
_SCANS: Final = 100  # of a progressive JPEG; encoders write up to 20
_SMALL: Final = 256  # bytes; programs write pixels in larger chunks
_BLOCK: Final = 1 << 14

_NO_LENGTH: Final = frozenset((0x00, 0x01, 0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)))  # markers without a segment
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_EXIF: Final = 0xE1
_SCAN: Final = 0xDA
_END: Final = 0xD9
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # in compressed pixels; a byte 0xFF in them is followed by 0
_BYTES: Final = (1, 2, 7)  # types of TIFF values that Pillow keeps as bytes
_REDUCED: Final = 254  # the tag NewSubfileType


def check(name: str, file: BinaryIO) -> None:
    """Check the *file* of format *name*, and go back to its beginning.

    Raises:
        ImageError: the file has more than `PARTS` parts.
    """
    left = PARTS
    for weight in _WALKS.get(name, _no_part)(file):
        left -= weight
        if left < 0:
            raise ImageError("The picture cannot be read: its file has too many parts.")
    file.seek(0)


def _no_part(_file: BinaryIO) -> Iterator[int]:
    yield from ()


def _jpeg(file: BinaryIO) -> Iterator[int]:
    """Yield what each segment weighs, each byte between segments, and each scan, up to the end mark."""
    file.seek(2)
    has_scan = False
    while byte := file.read(1):
        yield 1
        code = file.read(1) if byte == b"\xff" else b"\0"
        while code == b"\xff":  # any number of them may precede a marker
            code = file.read(1)
            yield 1
        marker = int.from_bytes(code)
        if marker == _END and has_scan:
            return
        if marker in _NO_LENGTH:
            continue
        start = file.tell()
        length = int.from_bytes(file.read(2))
        if marker in _FRAMES:
            yield length // 3  # components
        if marker == _EXIF and file.read(6) == b"Exif\0\0":
            yield PARTS // _EXIF_PARTS
        file.seek(start + max(length, 2))
        if marker == _SCAN:
            has_scan = True
            yield PARTS // _SCANS
            _skip_pixels(file)


def _skip_pixels(file: BinaryIO) -> None:
    """Go to the next marker."""
    while block := file.read(_BLOCK):
        found = _MARKER.search(block)
        if found is not None:
            file.seek(found.start() - len(block), 1)
            return
        if block.endswith(b"\xff") and len(block) > 1:  # perhaps the first half of a marker
            file.seek(-1, 1)


def _png(file: BinaryIO) -> Iterator[int]:
    """Yield 1 for each chunk but those of pixels, of which there are many, and which Pillow does not keep."""
    file.seek(8)
    while len(head := file.read(8)) == 8 and not head.endswith(b"IEND"):
        length = int.from_bytes(head[:4])
        if length < _SMALL or not head.endswith(b"IDAT"):
            yield 1
        file.seek(length + 4, 1)


def _webp(file: BinaryIO) -> Iterator[int]:
    file.seek(12)
    while len(head := file.read(8)) == 8:
        yield 1
        length = int.from_bytes(head[4:], "little")
        file.seek(length + length % 2, 1)


def _gif(file: BinaryIO) -> Iterator[int]:
    """Yield 1 for each block before the first picture."""
    head = file.read(13)
    flags = head[10] if len(head) == 13 else 0
    file.seek(3 << (flags % 8 + 1) if flags & 128 else 0, 1)
    while (mark := file.read(1)) not in (b"", b",", b";"):
        yield 1
        if mark != b"!":
            continue
        file.seek(1, 1)
        while size := int.from_bytes(file.read(1)):
            yield 1
            file.seek(size, 1)


def _tiff(file: BinaryIO) -> Iterator[int]:
    """Yield how many values each tag has, up to the first page that is surely not a reduced copy."""
    order: Literal["little", "big"] = "little" if file.read(2) == b"II" else "big"

    def number(size: int) -> int:
        return int.from_bytes(file.read(size), order)

    is_big = number(2) == 43
    word, count = (8, 8) if is_big else (4, 2)
    if is_big:
        file.seek(4, 1)
    for _ in range(PAGES):
        place = number(word)
        if not place:
            return
        file.seek(place)
        may_be_reduced = False  # the bit's place depends on the type; a page too many does no harm
        for _ in range(number(count)):
            tag, kind, values, value = number(2), number(2), number(word), file.read(word)
            yield 1 if kind in _BYTES else max(1, values)
            may_be_reduced |= tag == _REDUCED and any(value)
        if not may_be_reduced:
            return


_WALKS: Final[dict[str, Callable[[BinaryIO], Iterator[int]]]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "GIF": _gif,
    "TIFF": _tiff,
}
