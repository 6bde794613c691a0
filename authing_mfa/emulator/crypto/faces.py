"""A replacement for face recognition: it checks if two pictures are the same picture, and does not look for a face.

A picture becomes a thumbnail of 32 by 32 RGB cells, its fingerprint. Two fingerprints match when their cells differ little on
average and very few cells differ much. A re-encoded or rescaled picture still matches; another picture does not.
"""

from __future__ import annotations

import io
import math
import warnings
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    import PIL.Image

    ImageSource = PIL.Image.Image | bytes | str | PathLike[str] | IO[bytes]

__all__ = ["Fingerprint", "face_fingerprint", "fingerprints_match"]

_SIDE = 32
_MEAN_LIMIT = 7.0  # of 255
_CELL_LIMIT = 40  # a cell that differs by more shows another picture …
_CELLS_ALLOWED = 5  # … but so many of 3,072 may: rescaling moves edges by a fraction of a cell
_JPEG_PIXELS = 220_000_000  # read at an eighth of its size
_OTHER_PIXELS = 25_000_000  # read at full size: 100 MB
_ORIENTATION = 0x0112


class Fingerprint(bytes):
    """The fingerprint of a face: 32 by 32 RGB cells."""

    __slots__ = ()


def face_fingerprint(picture: ImageSource | Fingerprint) -> Fingerprint:
    """Return the fingerprint of *picture*: upright, on white, 32 by 32 RGB cells. A fingerprint is returned unchanged.

    Raises:
        OSError: *picture* cannot be read as a picture, or is too large.
    """
    if isinstance(picture, Fingerprint):
        return picture
    from PIL import Image

    if isinstance(picture, Image.Image):
        return _cells(picture)
    if not isinstance(picture, (bytes, str)) and not hasattr(picture, "read") and not hasattr(picture, "__fspath__"):
        raise OSError(f"a face is a picture, its bytes or the path of a file, not {type(picture).__name__}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # closed below
            with Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture) as opened:
                return _small(opened)
    except (ValueError, SyntaxError, Image.DecompressionBombError) as error:  # errors of decoders besides OSError
        raise OSError(f"the picture cannot be read: {error}") from None


def _small(opened: PIL.Image.Image) -> Fingerprint:
    limit = _JPEG_PIXELS if opened.format == "JPEG" else _OTHER_PIXELS
    if opened.width * opened.height > limit:
        raise OSError(f"the picture has more than {limit // 1_000_000} megapixels")
    opened.draft("RGB", (_SIDE * 8, _SIDE * 8))
    return _cells(opened)


def _cells(image: PIL.Image.Image) -> Fingerprint:
    """Read the picture row by row, so that no conversion needs a second copy of it; turn it upright at the end."""
    from PIL import Image, ImageOps

    cells = Image.new("RGB", (_SIDE, _SIDE))
    for row in range(_SIDE):
        top, bottom = row * image.height / _SIDE, (row + 1) * image.height / _SIDE
        first = int(top)
        band = _on_white(image.crop((0, first, image.width, min(math.ceil(bottom), image.height))))
        box = (0, top - first, image.width, min(bottom - first, band.height))
        cells.paste(band.resize((_SIDE, 1), Image.Resampling.BOX, box=box), (0, row))
    cells.getexif()[_ORIENTATION] = image.getexif().get(_ORIENTATION, 1)
    return Fingerprint(ImageOps.exif_transpose(cells).tobytes())


def _on_white(image: PIL.Image.Image) -> PIL.Image.Image:
    from PIL import Image

    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def fingerprints_match(one: bytes, other: bytes) -> bool:
    """Return True if two fingerprints are of the same picture. The empty fingerprint of a file that is not a picture matches nothing."""
    if len(one) != len(other) or not one:
        return False
    differences = [abs(a - b) for a, b in zip(one, other, strict=True)]
    if sum(differences) > _MEAN_LIMIT * len(differences):
        return False
    return sum(difference > _CELL_LIMIT for difference in differences) <= _CELLS_ALLOWED
