"""Files of very many small parts: a small file must not take minutes, or memory beyond what is allowed."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from typing import Any

import pytest
from PIL import Image

from authing_mfa.errors import ImageError
from authing_mfa.images import prepare
from authing_mfa.images.parts import PARTS

COUNT = PARTS // 2 + 1
NOISE = Image.effect_noise((64, 48), 80)


def saved(kind: str, **options: Any) -> bytes:
    """A picture as a file of *kind*."""
    buffer = io.BytesIO()
    NOISE.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name: bytes, content: bytes = b"") -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def jpeg_with(parts: bytes) -> bytes:
    """A JPEG file with *parts* before its own segments."""
    jpeg = saved("JPEG")
    return jpeg[:2] + parts + jpeg[2:]


def jpeg_with_scans(count: int, between: bytes = b"") -> bytes:
    """A progressive JPEG whose last scan comes *count* times more, with a segment before each."""
    jpeg = saved("JPEG", progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    return jpeg[:-2] + (between + last) * count + jpeg[-2:]


def png_with(parts: bytes) -> bytes:
    """A PNG file with *parts* behind its header."""
    png = saved("PNG")
    return png[:33] + parts + png[33:]


def gif_with(parts: bytes) -> bytes:
    """A GIF file with *parts* before its picture."""
    gif = saved("GIF")
    start = 13 + 3 * 256
    return gif[:start] + parts + gif[start:]


def webp_with(parts: bytes) -> bytes:
    """A WebP file with *parts* at its end."""
    webp = saved("WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0")
    return b"RIFF" + struct.pack("<I", len(webp) - 8 + len(parts)) + webp[8:] + parts


def tiff(pages: list[list[tuple[int, int, int, int]]], *, big: bool = False, order: str = "<") -> bytes:
    """A TIFF file: for each page its entries of tag, type, number of values, and value or place."""
    entry, number = (f"{order}HHQQ", f"{order}Q") if big else (f"{order}HHLL", f"{order}L")
    mark = b"II" if order == "<" else b"MM"
    head = mark + struct.pack(f"{order}HHHQ", 43, 8, 0, 16) if big else mark + struct.pack(f"{order}HL", 42, 8)
    content = bytearray(head)
    for left, entries in enumerate(reversed(range(len(pages)))):
        page = pages[left]
        body = struct.pack(f"{order}Q" if big else f"{order}H", len(page))
        for tag, kind, values, value in page:
            short = kind == 3 and order == ">"  # the value is at the beginning of its place
            body += struct.pack(entry, tag, kind, values, value << 16 if short else value)
        following = len(content) + len(body) + struct.calcsize(number) if entries else 0
        content += body + struct.pack(number, following)
    return bytes(content)


PAGE = [(256, 4, 1, 1), (257, 4, 1, 1), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 1)]
STRIPS = [*PAGE[:1], (257, 4, 1, COUNT), *PAGE[2:5], (273, 4, COUNT, 8), (278, 4, 1, 1), (279, 4, COUNT, 8)]
MANY = {
    "JPEG segments": lambda: jpeg_with(b"\xff\xe5\0\2" * (PARTS + 1)),
    "JPEG filling": lambda: jpeg_with(b"\xff" * (PARTS + 1)),
    "JPEG bytes between segments": lambda: jpeg_with(b"\xff\xe5\0\2" + bytes(PARTS + 1)),
    "JPEG EXIF": lambda: jpeg_with(b"\xff\xe1\0\x0aExif\0\0XY" * 65),
    "JPEG components": lambda: jpeg_with((b"\xff\xc0\xff\xfe\x08\0\1\0\1\1" + bytes(65526)) * (3 * PARTS // 65526 + 1)),
    "JPEG scans": lambda: jpeg_with_scans(101),
    "JPEG scans behind a comment that looks like the end": lambda: jpeg_with_scans(101, b"\xff\xfe\0\4\xff\xd9"),
    "PNG chunks": lambda: png_with(chunk(b"prVt") * (PARTS + 1)),
    "PNG chunks of pixels": lambda: png_with(chunk(b"IDAT") * (PARTS + 1)),
    "PNG chunks at the end": lambda: saved("PNG")[:-12] + chunk(b"prVt") * (PARTS + 1) + saved("PNG")[-12:],
    "GIF comments": lambda: gif_with(b"!\xfe\1a\0" * (PARTS + 1)),
    "GIF blocks of one comment": lambda: gif_with(b"!\xfe" + b"\1a" * (PARTS + 1) + b"\0"),
    "GIF bytes between blocks": lambda: gif_with(bytes(PARTS + 1)),
    "WebP chunks": lambda: webp_with(b"ABCD\0\0\0\0" * (PARTS + 1)),
    "TIFF strips": lambda: tiff([STRIPS]) + bytes(4 * COUNT),
    "TIFF strips of the second page": lambda: tiff([[(254, 4, 1, 1), *PAGE], STRIPS]) + bytes(4 * COUNT),
    "TIFF strips, big-endian": lambda: tiff([[(254, 3, 1, 1), *PAGE], STRIPS], order=">") + bytes(4 * COUNT),
    "BigTIFF strips": lambda: tiff([STRIPS], big=True) + bytes(4 * COUNT),
}


@pytest.mark.parametrize("what", MANY)
def test_a_file_of_very_many_parts_is_refused(what: str) -> None:
    """Pillow keeps each part, or copies the earlier ones for each, or decodes the picture for each."""
    with pytest.raises(ImageError, match="too many parts"):
        prepare(MANY[what]())


FEW = {
    "a JPEG with a film behind it": lambda: saved("JPEG") + b"\xff\xda\xff\xe1" * PARTS,
    "a JPEG with filling": lambda: jpeg_with(b"\xff" * 64 + b"\0" * 64 + b"\xff\xe1\0\x0aExif\0\0XY"),
    "a progressive JPEG with many scans": lambda: jpeg_with_scans(50),
    "a PNG of many chunks": lambda: png_with(chunk(b"prVt") * 500),
    "a GIF of many comments": lambda: gif_with(b"!\xfe\1a\0" * 500),
    "a WebP of many chunks": lambda: webp_with(b"ABCD\0\0\0\0" * 500),
    "a page of a TIFF": lambda: tiff([[(254, 4, 1, 2), *PAGE]]),
    "a page of a BigTIFF": lambda: tiff([PAGE], big=True),
    "a page of a big-endian TIFF": lambda: tiff([PAGE], order=">"),
}


@pytest.mark.parametrize("what", FEW)
def test_a_file_of_some_hundred_parts_is_read(what: str) -> None:
    """As cameras and programs write them; what follows the picture does not count."""
    assert prepare(FEW[what]()).startswith(b"\xff\xd8\xff")


def test_the_later_pages_of_a_tiff_are_not_looked_for() -> None:
    """Pillow looks for each of them at all earlier ones. Calls of functions are counted, not seconds."""
    content = tiff([PAGE] * 2000)
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    prepare(content)  # whatever is imported only once
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        assert prepare(content)
    finally:
        sys.setprofile(before)
    assert calls < 2000
