"""Accept JPEG files that lack only their end mark. Some cameras and many shortened copies lack it and have every pixel.

Decoders fill missing parts with grey, so a file that was cut in the middle must be distinguished from a file that lacks only two
bytes. A decoder that has all of its data ignores the bytes between the data and the end mark. So the file is decoded twice, with
different bytes in that place: the same pixels mean that nothing was missing.
"""

from __future__ import annotations

import io
import re
from typing import BinaryIO, Final

__all__ = ["completed"]


def _filling(junk: bytes) -> bytes:
    """Return *junk* and every restart marker several times: a decoder that waits for a marker finds it."""
    return junk + b"".join(bytes((0xFF, 0xD0 + number % 8)) + junk for number in range(32))


_END: Final = b"\xff\xd9"
_FILLINGS: Final = (b"", *(_filling(junk * 64) for junk in (b"\x55\xaa\x33", b"\xcc\x0f\xf0")))
_SCAN: Final = b"\xff\xda"
_COEFFICIENTS: Final = 64
_CHECKED: Final = (640, 640)  # pixels; a missing part shows at any size


def completed(file: BinaryIO) -> bytes | None:
    """Return the JPEG in *file* with an end mark, or None if it has an end mark already or lacks more than that."""
    file.seek(0)
    data = file.read()
    scans = _scans(data)
    if not scans or data.find(_END, scans[-1]) >= 0 or not _hold_every_coefficient(data, scans):
        return None
    data = data.removesuffix(_END[:1])
    pictures = {_pixels(data + filling + _END) for filling in _FILLINGS}
    return data + _END if len(pictures) == 1 else None


def _pixels(data: bytes) -> bytes:
    from PIL.JpegImagePlugin import JpegImageFile

    with JpegImageFile(io.BytesIO(data)) as picture:
        picture.draft("RGB", _CHECKED)
        return picture.tobytes()


def _scans(data: bytes) -> list[int]:
    """Return the positions of the scan headers.

    Segments are read one by one up to the first scan, because EXIF may hold a whole JPEG; after that every marker is real.
    """
    at = 2
    while data[at : at + 1] == b"\xff":
        if data[at : at + 2] == _SCAN:
            return [match.start() for match in re.compile(_SCAN).finditer(data, at)]
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return []


def _hold_every_coefficient(data: bytes, scans: list[int]) -> bool:
    """Return True if the scans of a progressive file are complete. Any other file has all scans if it has the last one."""
    missing: dict[int, set[int]] = {}
    for at in scans:
        count = data[at + 4]
        first, last, precision = data[at + 5 + 2 * count : at + 8 + 2 * count]
        for component in data[at + 5 : at + 5 + 2 * count : 2]:
            left = missing.setdefault(component, set(range(_COEFFICIENTS)))
            if precision & 15 == 0:  # all bits
                left.difference_update(range(first, last + 1))
    return not any(missing.values())
