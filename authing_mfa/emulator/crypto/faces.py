"""A stand-in for face recognition: whether two pictures are the same picture. No face is looked for.

A picture becomes a thumbnail of 32 by 32 RGB cells, its print. Two prints match when their cells differ little on average and
hardly any cell differs much, which re-encoding and rescaling survive and another picture does not.
"""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    import PIL.Image

    ImageSource = PIL.Image.Image | bytes | str | PathLike[str] | IO[bytes]

__all__ = ["face_fingerprint", "fingerprints_match"]

_SIDE = 32
_MEAN_LIMIT = 7.0  # of 255
_CELL_LIMIT = 40  # a cell that differs by more is another picture's …
_CELLS_ALLOWED = 5  # … but edges that move by a fraction of a cell when a picture is rescaled may do so, of 3,072


def face_fingerprint(picture: ImageSource) -> bytes:
    """The print of *picture*: upright, on white, 32 by 32 RGB cells.

    Raises:
        OSError: it cannot be read as a picture.
    """
    from PIL import Image, ImageOps

    if isinstance(picture, Image.Image):
        return _cells(ImageOps.exif_transpose(picture))
    with Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture) as opened:
        return _cells(ImageOps.exif_transpose(opened))


def _cells(image: PIL.Image.Image) -> bytes:
    from PIL import Image

    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX).tobytes()


def fingerprints_match(one: bytes, other: bytes) -> bool:
    """Whether two prints are of the same picture."""
    differences = [abs(a - b) for a, b in zip(one, other, strict=True)]
    if sum(differences) > _MEAN_LIMIT * len(differences):
        return False
    return sum(difference > _CELL_LIMIT for difference in differences) <= _CELLS_ALLOWED
