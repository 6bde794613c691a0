"""The result of `images.prepare` for every kind of picture, and its errors for other values.

More than 300 lines: one test for each property of the picture that is sent.
"""

from __future__ import annotations

import io
import os
import pickle
import random
import struct
import subprocess
import sys
import typing
import warnings
import zlib
from pathlib import Path
from typing import Any

import PIL
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from authing_mfa.errors import ImageError, InvalidInputError
from authing_mfa.images import ImageSource, formats, prepare, sources

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
ORIENTATION = 0x0112
GPS = 0x8825


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """*picture* as a file of *kind*."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(jpeg: bytes) -> Image.Image:
    """The prepared *jpeg*, decoded; it must be one."""
    picture = Image.open(io.BytesIO(jpeg), formats=["JPEG"])
    picture.load()
    return picture


def close(left: Any, right: Any, within: int = 12) -> bool:
    """Whether two colours are the same but for what JPEG does to them."""
    return all(abs(a - b) <= within for a, b in zip(left, right, strict=True))


def quarters(size: tuple[int, int] = (64, 32)) -> Image.Image:
    """Red and green above, blue and white below: every orientation of it looks different."""
    picture = Image.new("RGB", size, WHITE)
    width, height = size[0] // 2, size[1] // 2
    picture.paste(RED, (0, 0, width, height))
    picture.paste(GREEN, (width, 0, size[0], height))
    picture.paste(BLUE, (0, height, width, size[1]))
    return picture


def corners(picture: Image.Image) -> list[Any]:
    """The colours of the four corners, row by row, as names."""
    names = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
    width, height = picture.size
    found = [picture.getpixel(at) for at in ((4, 4), (width - 5, 4), (4, height - 5), (width - 5, height - 5))]
    return [next((name for name, colour in names.items() if close(pixel, colour, 40)), pixel) for pixel in found]


UPRIGHT = ["red", "green", "blue", "white"]


def seen_as(orientation: int) -> tuple[Image.Image, bytes]:
    """`quarters` as a camera with *orientation* stores it, and its EXIF."""
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    picture = quarters() if undo is None else quarters().transpose(undo)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return picture, exif.tobytes()


# ─────────────────────────────── upright, bounded, without metadata ───────────────────────────────


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_exif_orientation_is_turned_upright(kind: str, orientation: int) -> None:
    """All eight EXIF orientations come out as the same upright picture."""
    stored, exif = seen_as(orientation)
    result = opened(prepare(saved(stored, kind, exif=exif)))
    assert (result.size, corners(result)) == ((64, 32), UPRIGHT)


def test_orientation_applies_to_a_picture_that_is_shrunk() -> None:
    """Turning happens after shrinking, and the longest side is still the longest."""
    stored, exif = quarters((400, 200)).transpose(Image.Transpose.ROTATE_90), seen_as(6)[1]
    result = opened(prepare(saved(stored, "JPEG", exif=exif), max_side=100))
    assert (result.size, corners(result)) == ((100, 50), UPRIGHT)


def test_orientation_in_xmp_is_turned_upright() -> None:
    """A picture that says its orientation in XMP only is turned too."""
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r tiff:Orientation="6"/></x:xmpmeta>'
    result = opened(prepare(saved(seen_as(6)[0], "JPEG", xmp=xmp)))
    assert corners(result) == UPRIGHT


@pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning")
@pytest.mark.parametrize("exif", [b"Exif\0\0MM", b"Exif\0\0nonsense that is no TIFF", b"Exif\0\0II*\0\xff\xff\xff\xff"])
def test_broken_exif_does_not_spoil_the_picture(exif: bytes) -> None:
    """A picture whose EXIF cannot be read is used without turning."""
    assert corners(opened(prepare(saved(quarters(), "JPEG", exif=exif)))) == UPRIGHT
    picture = quarters()
    picture.info["exif"] = exif
    assert corners(opened(prepare(picture))) == UPRIGHT


def test_an_orientation_that_is_no_number_is_ignored() -> None:
    """EXIF orientation of a wrong type does not turn the picture."""
    picture = quarters()
    picture.getexif()[ORIENTATION] = "sideways"
    assert corners(opened(prepare(picture))) == UPRIGHT


def tagged() -> dict[str, Any]:
    """Every kind of metadata that a file can carry, each with a word to look for."""
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(GPS)[1] = "N"
    exif.get_ifd(GPS)[29] = "SecretDate"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return {"exif": exif.tobytes(), "icc_profile": profile, "xmp": b"<x>SecretXmp</x>"}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_all_metadata_is_dropped(kind: str) -> None:
    """EXIF with its GPS position, XMP, colour profile and comments are not in the result."""
    extra: dict[str, Any] = {"comment": b"SecretComment"} if kind == "JPEG" else {}
    if kind == "PNG":
        extra["pnginfo"] = PngImagePlugin.PngInfo()
        extra["pnginfo"].add_text("Comment", "SecretComment")
    source = saved(quarters(), kind, **tagged(), **extra)
    assert b"Secret" in source
    result = prepare(source)
    assert b"Secret" not in result
    assert b"Exif" not in result
    assert b"ICC_PROFILE" not in result
    assert {"exif", "icc_profile", "comment", "xmp"} & opened(result).info.keys() == set()


def test_metadata_of_a_given_image_is_dropped() -> None:
    """A PIL image's own info, a comment among it, does not reach the result."""
    picture = quarters()
    picture.info.update({"comment": b"SecretComment", **tagged()})
    assert b"Secret" not in prepare(picture)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((2000, 1000), (1280, 640)),
        ((1000, 2000), (640, 1280)),
        ((1281, 1281), (1280, 1280)),
        ((1280, 960), (1280, 960)),
        ((40, 30), (40, 30)),
        ((5000, 1), (1280, 1)),
        ((1, 5000), (1, 1280)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_longest_side_is_bounded_and_nothing_is_enlarged(
    kind: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    """Large pictures shrink to 1280, keeping their shape; small ones stay as they are."""
    assert opened(prepare(saved(Image.new("RGB", size, BLUE), kind))).size == expected


def test_max_side_is_an_option() -> None:
    """The caller chooses the longest side."""
    assert opened(prepare(quarters((640, 320)), max_side=16)).size == (16, 8)
    assert opened(prepare(quarters((2000, 1000)), max_side=65500)).size == (2000, 1000)


@pytest.mark.parametrize("max_side", [0, -1, 65501, 12.5, True, None, "1280"])
def test_max_side_must_be_a_number_of_pixels(max_side: Any) -> None:
    """An invalid max_side is an error of the caller, not of the picture."""
    with pytest.raises(InvalidInputError, match="max_side"):
        prepare(quarters(), max_side=max_side)


def test_quality_is_85() -> None:
    """The quantization tables are those of JPEG quality 85."""
    reference = opened(saved(quarters(), "JPEG", quality=85))
    assert opened(prepare(quarters())).quantization == reference.quantization  # type: ignore[attr-defined]  # a JPEG has it


def test_shrinking_is_smooth() -> None:
    """A fine checkerboard shrinks to grey, not to another pattern, in every mode."""
    board = Image.frombytes("L", (512, 512), bytes(255 * ((x ^ y) & 1) for y in range(512) for x in range(512)))
    for source in (
        board,
        board.convert("1"),
        board.convert("P"),
        board.convert("RGBA"),
        saved(board, "JPEG", quality=95),
    ):
        result = opened(prepare(source, max_side=64)).convert("L")
        low, high = typing.cast("tuple[float, float]", result.getextrema())
        assert 110 < low <= high < 145


# ─────────────────────────────── every mode ───────────────────────────────


@pytest.mark.parametrize(
    "mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LA", "RGBX", "HSV", "La", "RGBa", "PA"]
)
@pytest.mark.parametrize("max_side", [1280, 16])
def test_a_given_image_of_any_mode_becomes_rgb(mode: str, max_side: int) -> None:
    """Every mode of Pillow gives a picture that looks the same."""
    white = Image.new("RGB", (40, 20), WHITE)
    between = {"La": "LA", "RGBa": "RGBA", "PA": "P"}.get(mode)
    picture = (white.convert(between) if between else white).convert(mode)
    picture.paste(0 if mode in {"1", "L"} else picture.getpixel((0, 0)), (0, 0, 20, 20))
    result = opened(prepare(picture, max_side=max_side))
    assert result.mode == "RGB"
    assert close(result.getpixel((result.width - 2, 4)), WHITE)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *[("JPEG", mode) for mode in ("L", "RGB", "CMYK", "YCbCr")],
        *[("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")],
        *[("WEBP", mode) for mode in ("RGB", "RGBA")],
        *[("BMP", mode) for mode in ("1", "L", "P", "RGB", "RGBA")],
        *[("TIFF", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "LAB", "I;16", "I", "F")],
        *([] if int(PIL.__version__.split(".")[0]) < 13 else [("TIFF", "YCbCr")]),  # older ones cannot read their own
    ],
)
def test_files_of_every_format_and_mode_are_read(kind: str, mode: str) -> None:
    """Mid grey comes out as mid grey from every format and mode."""
    grey = Image.new("RGB", (40, 20), (128, 128, 128))
    if mode == "LAB":
        picture = Image.new("LAB", (40, 20), (137, 128, 128))
    elif mode in {"I", "I;16"}:
        picture = Image.new(mode, (40, 20), 128 * 257)
    elif mode == "F":
        picture = Image.new(mode, (40, 20), 128 / 255)
    else:
        picture = grey.convert(mode)
    pixel = opened(prepare(saved(picture, kind))).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert close(pixel, (128, 128, 128), 6)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_on_white(kind: str, mode: str) -> None:
    """What is see-through becomes white, what is half see-through half white."""
    picture = Image.new("RGBA", (60, 20), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 20, 20))
    picture.paste((0, 0, 0, 128), (20, 0, 40, 20))
    source = saved(
        picture if kind == "WEBP" else picture.convert(mode), kind, **({"lossless": True} if kind == "WEBP" else {})
    )
    result = opened(prepare(source))
    assert [close(result.getpixel((x, 10)), (grey,) * 3) for x, grey in ((8, 0), (30, 127), (52, 255))] == [True] * 3


def test_colour_under_full_transparency_does_not_bleed() -> None:
    """The colour that fully transparent pixels happen to have is not seen, not at the seams of a shrunk picture either."""
    picture = Image.new("RGBA", (400, 400), (255, 0, 0, 0))
    picture.paste((255, 255, 255, 255), (0, 0, 201, 400))
    low, _ = typing.cast("list[tuple[int, int]]", opened(prepare(picture, max_side=80)).getextrema())[1]
    assert low > 245


@pytest.mark.parametrize("transparency", [0, bytes([0, 255])])
def test_a_transparent_palette_colour_is_laid_on_white(transparency: Any) -> None:
    """A palette's see-through entry, given as an index or as bytes, becomes white."""
    picture = Image.new("P", (40, 20), 0)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.paste(1, (20, 0, 40, 20))
    result = opened(prepare(saved(picture, "PNG", transparency=transparency)))
    assert close(result.getpixel((8, 10)), WHITE)
    assert close(result.getpixel((32, 10)), BLUE)


def test_a_transparent_colour_key_is_laid_on_white() -> None:
    """A PNG without alpha whose one colour is see-through has it white."""
    result = opened(prepare(saved(Image.new("RGB", (20, 20), RED), "PNG", transparency=RED)))
    assert close(result.getpixel((10, 10)), WHITE)


@pytest.mark.parametrize("order", ["I;16", "I;16B"])
def test_sixteen_bit_grey_is_scaled_not_clipped(order: str) -> None:
    """A ramp over the whole 16-bit range is a ramp over the whole 8-bit range."""
    letter = "<" if order == "I;16" else ">"
    ramp = Image.frombytes(order, (256, 16), struct.pack(f"{letter}256H", *(257 * i for i in range(256))) * 16)
    for source in (ramp, saved(ramp, "TIFF")):
        result = opened(prepare(source)).convert("L")
        assert all(abs(int(typing.cast("int", result.getpixel((x, 8)))) - x) < 6 for x in range(0, 256, 5))


def test_sixteen_bit_colour_is_scaled_not_clipped() -> None:
    """A 16-bit RGB PNG keeps its colours."""
    row = b"\0" + struct.pack(">3H", 0x8000, 0xFFFF, 0x4000) * 8
    header = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    picture = png(header, zlib.compress(row * 8))
    assert close(opened(prepare(picture)).getpixel((4, 4)), (128, 255, 64))


@pytest.mark.parametrize(
    ("mode", "values", "expected"),
    [
        ("I", (0, 128, 255), (0, 128, 255)),
        ("I", (0, 32896, 65535), (0, 128, 255)),
        ("I", (-70000, 0, 70000), (0, 128, 255)),
        ("I", (70000, 70000, 70000), (0, 0, 0)),
        ("F", (0.0, 0.5, 1.0), (0, 128, 255)),
        ("F", (0.0, 128.0, 255.0), (0, 128, 255)),
        ("F", (-1.0, 0.0, 1.0), (0, 128, 255)),
    ],
)
def test_wide_grey_is_scaled_by_the_range_it_uses(
    mode: str, values: tuple[float, ...], expected: tuple[int, ...]
) -> None:
    """Integers and floats of 32 bit are scaled by the usual range that holds them, else from least to greatest."""
    picture = Image.new(mode, (60, 20))
    for place, value in enumerate(values):
        picture.paste(value, (place * 20, 0, place * 20 + 20, 20))
    result = opened(prepare(picture)).convert("L")
    assert all(abs(int(typing.cast("int", result.getpixel((10 + 20 * i, 10)))) - e) < 8 for i, e in enumerate(expected))


def test_pixels_that_are_not_finite_are_refused() -> None:
    """A float picture with an infinite pixel has no scale."""
    picture = Image.new("F", (4, 4))
    picture.putpixel((0, 0), float("inf"))
    with pytest.raises(ImageError, match="finite"):
        prepare(picture)


def test_adobe_cmyk_is_not_inverted() -> None:
    """Adobe writes CMYK JPEGs with inverted values; the colours come out right."""
    cmyk = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    source = saved(cmyk, "JPEG", quality=95)
    assert b"Adobe" in source
    assert close(opened(prepare(source)).getpixel((16, 16)), RED, 20)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    """Of several frames or pages the first is taken."""
    frames = [Image.new("RGB", (20, 20), colour) for colour in (GREEN, RED, BLUE)]
    source = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    assert close(opened(prepare(source)).getpixel((10, 10)), GREEN, 20)


def test_a_stereo_jpeg_gives_its_first_picture() -> None:
    """The multi-picture JPEGs of many phones are read as the JPEG that they begin with."""
    frames = [Image.new("RGB", (20, 20), colour) for colour in (GREEN, RED)]
    source = saved(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert close(opened(prepare(source)).getpixel((10, 10)), GREEN, 20)


# ─────────────────────────────── every source ───────────────────────────────


class Dribble(io.RawIOBase):
    """A stream that cannot seek and gives a few bytes at a time."""

    def __init__(self, content: bytes) -> None:
        self._left = io.BytesIO(content)

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Give at most 50 bytes."""
        return self._left.readinto(memoryview(buffer)[:50])


def test_bytes_paths_files_and_images_give_the_same(tmp_path: Path) -> None:
    """The same picture in any kind of source gives the same bytes."""
    content = saved(quarters(), "PNG")
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    with path.open("rb") as file:
        results = {
            prepare(source)
            for source in (
                content,
                bytearray(content),
                memoryview(content),
                path,
                str(path),
                io.BytesIO(content),
                file,
                typing.cast("typing.BinaryIO", Dribble(content)),
                quarters(),
            )
        }
    assert len(results) == 1


def test_a_file_is_read_from_its_position_and_left_open() -> None:
    """What stands before the current position is not looked at; the caller's file stays open."""
    file = io.BytesIO(b"a header of the caller's own" + saved(quarters(), "JPEG"))
    file.seek(28)
    assert corners(opened(prepare(file))) == UPRIGHT
    assert not file.closed


def test_a_path_is_closed_again(tmp_path: Path) -> None:
    """No file stays open, whether the picture is good or broken (an open one would warn, and warnings are errors)."""
    for name, content in (("good", saved(quarters(), "TIFF")), ("bad", saved(quarters(), "TIFF")[:60])):
        (tmp_path / name).write_bytes(content)
        before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
        try:
            prepare(tmp_path / name)
        except ImageError:
            assert name == "bad"
        assert (len(list(Path("/proc/self/fd").iterdir())) if before else 0) == before


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("max_side", [1280, 16])
def test_a_given_image_is_not_modified(mode: str, orientation: int, max_side: int) -> None:
    """Pixels, mode, size, info and EXIF of the caller's image are as before."""
    picture = seen_as(orientation)[0].convert(mode)
    picture.info.update({"exif": seen_as(orientation)[1], "comment": b"mine"})
    before = (picture.tobytes(), picture.mode, picture.size, dict(picture.info), vars(picture).keys() - {"_exif"})
    prepare(picture, max_side=max_side)
    after = (picture.tobytes(), picture.mode, picture.size, dict(picture.info), vars(picture).keys() - {"_exif"})
    assert (after, picture.getexif()[ORIENTATION]) == (before, orientation)


def test_the_orientation_of_a_given_image_is_applied() -> None:
    """An image whose EXIF the caller read or set is turned upright."""
    stored, exif = seen_as(8)
    with Image.open(io.BytesIO(saved(stored, "JPEG", exif=exif))) as lazily:
        assert corners(opened(prepare(lazily))) == UPRIGHT
    stored.getexif()[ORIENTATION] = 8
    assert corners(opened(prepare(stored))) == UPRIGHT


# ─────────────────────────────── refusals ───────────────────────────────


def png(header: bytes, pixels: bytes) -> bytes:
    """A PNG file of a raw header and raw compressed pixels."""
    chunks = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def bombs() -> dict[str, bytes]:
    """Small files that claim to be enormous pictures."""
    side = 30000
    webp = bytearray(saved(Image.new("RGBA", (8, 8), (9, 9, 9, 9)), "WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0"))
    assert webp[12:16] == b"VP8X"
    webp[24:30] = (side - 1).to_bytes(3, "little") * 2
    bmp = bytearray(saved(Image.new("RGB", (8, 8)), "BMP"))
    bmp[18:26] = struct.pack("<ii", side, side)
    jpeg = bytearray(saved(Image.new("RGB", (8, 8)), "JPEG"))
    frame = jpeg.index(b"\xff\xc0") + 5
    jpeg[frame : frame + 4] = struct.pack(">HH", side, side)
    tiff = io.BytesIO()
    Image.new("1", (8, 8)).save(tiff, "TIFF")
    ifd = bytearray(tiff.getvalue())
    for tag in (256, 257):
        at = next(
            i for i in range(8, len(ifd) - 12) if struct.unpack_from("<HHI", ifd, i) in {(tag, 3, 1), (tag, 4, 1)}
        )
        struct.pack_into("<HHII", ifd, at, tag, 4, 1, side)
    return {
        "PNG": png(struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0), zlib.compress(b"\0" * 10)),
        "WEBP": bytes(webp),
        "BMP": bytes(bmp),
        "JPEG": bytes(jpeg),
        "TIFF": bytes(ifd),
    }


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "JPEG", "TIFF"])
def test_a_decompression_bomb_is_refused_from_its_header(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine hundred million pixels are refused before one is decoded, whatever Pillow's own limit is set to."""
    for limit in (Image.MAX_IMAGE_PIXELS, None, 1 << 40):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(ImageError) as caught:
            prepare(bombs()[kind])
        if kind != "WEBP":  # Pillow's plugin may refuse that one itself, its message being its own
            assert "30000 x 30000" in str(caught.value)


def test_a_picture_that_pillow_would_warn_of_is_read_without_a_warning() -> None:
    """Between Pillow's own two limits nothing but the picture comes out."""
    width, height = 10000, 9500
    rows = zlib.compress((b"\0" + b"\xff" * (width // 8)) * height)
    source = png(struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0), rows)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        picture = opened(prepare(source))
    assert seen == []
    assert picture.size == (1280, 1216)
    assert close(picture.getpixel((600, 600)), WHITE)


def test_pillow_is_left_as_it_was() -> None:
    """No global of Pillow or of the warnings module is changed."""
    before = (Image.MAX_IMAGE_PIXELS, list(warnings.filters))
    prepare(quarters())
    with pytest.raises(ImageError):
        prepare(bombs()["PNG"])
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before


def test_a_given_image_of_too_many_pixels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds for images too, and is inclusive."""
    monkeypatch.setattr(formats, "PIXEL_LIMIT", 64 * 32)
    assert corners(opened(prepare(quarters()))) == UPRIGHT
    monkeypatch.setattr(formats, "PIXEL_LIMIT", 64 * 32 - 1)
    with pytest.raises(ImageError, match="too large: 64 x 32 pixels"):
        prepare(quarters())


def test_a_file_of_too_many_bytes_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a path nor a stream that never ends is read beyond the limit."""
    content = saved(quarters(), "PNG")
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    monkeypatch.setattr(sources, "FILE_LIMIT", len(content))
    assert prepare(path) == prepare(io.BytesIO(content))
    monkeypatch.setattr(sources, "FILE_LIMIT", len(content) - 1)
    for source in (path, io.BytesIO(content)):
        with pytest.raises(ImageError, match="larger than"):
            prepare(source)


@pytest.mark.parametrize("kind", ["PPM", "ICO", "PDF", "EPS", "TGA", "JPEG2000", "SGI", "PCX"])
def test_other_formats_are_refused(kind: str) -> None:
    """What the service does not take, and what runs programs to be read, is not even tried."""
    picture = Image.new("RGB", (32, 32), RED)
    with pytest.raises(ImageError, match="not JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"):
        prepare(saved(picture, kind))


@pytest.mark.parametrize(
    "source", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"hello", b"RIFF....AVI ", b"\xff\xd8", b"\x89PNG"]
)
def test_bytes_that_are_no_picture_are_refused(source: bytes) -> None:
    """A file that only begins like a picture, or not even that, says which formats are taken."""
    with pytest.raises(ImageError, match="not JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"):
        prepare(source)


def test_nothing_is_not_a_picture(tmp_path: Path) -> None:
    """An empty source is called empty, in whatever it comes."""
    (tmp_path / "empty").touch()
    for source in (b"", io.BytesIO(), tmp_path / "empty"):
        with pytest.raises(ImageError, match="empty"):
            prepare(source)


def noisy() -> Image.Image:
    """`quarters` with noise, so that its pixels are most of any file of it."""
    noise = Image.frombytes("RGB", (64, 32), random.Random(1).randbytes(64 * 32 * 3))
    return Image.blend(quarters(), noise, 0.05)


FILES = {
    "JPEG": saved(noisy(), "JPEG"),
    "PNG": saved(noisy(), "PNG"),
    "WEBP": saved(noisy(), "WEBP"),
    "BMP": saved(noisy(), "BMP"),
    "TIFF": saved(noisy(), "TIFF"),
    "LZW": saved(noisy(), "TIFF", compression="tiff_lzw"),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", FILES)
def test_a_picture_cut_off_anywhere_is_refused_or_whole(kind: str) -> None:
    """Any prefix of a file gives ImageError, but for prefixes that still hold every pixel."""
    whole = FILES[kind]
    refused = 0
    for length in range(0, len(whole), max(1, len(whole) // 150)):
        try:
            result = opened(prepare(whole[:length]))
        except ImageError:
            refused += 1
        else:
            assert (corners(result), length > len(whole) * 0.9) == (UPRIGHT, True)
    assert refused > 100


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", FILES)
def test_a_damaged_picture_gives_a_picture_or_an_image_error(kind: str) -> None:
    """Whatever bytes are changed, nothing of Pillow's own comes out."""
    chance = random.Random(7)
    for _ in range(150):
        damaged = bytearray(FILES[kind])
        for _ in range(chance.choice((1, 3, 20))):
            damaged[chance.randrange(min(len(damaged), 400))] = chance.randrange(256)
        try:
            result = prepare(bytes(damaged), max_side=64)
        except ImageError:
            continue
        assert max(opened(result).size) <= 64


def test_a_broken_picture_is_not_the_same_as_no_picture() -> None:
    """The error of a broken file says so, keeps Pillow's own as its cause, and pickles."""
    with pytest.raises(ImageError, match="broken, cut off or closed") as caught:
        prepare(FILES["PNG"][:200])
    assert caught.value.__cause__ is not None
    assert (caught.value.code, caught.value.delivery) == (10101, "not_sent")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_closed_image_is_refused() -> None:
    """An image that was closed has no pixels any more."""
    picture = quarters()
    picture.close()
    with pytest.raises(ImageError, match="closed"):
        prepare(picture)


def test_a_closed_file_is_refused() -> None:
    """A file that was closed cannot be read."""
    file = io.BytesIO(FILES["PNG"])
    file.close()
    with pytest.raises(ImageError, match="closed"):
        prepare(file)


def test_a_file_open_as_text_is_refused(tmp_path: Path) -> None:
    """A text file says that binary mode is needed, also where decoding the text fails first."""
    with pytest.raises(ImageError, match="binary mode"):
        prepare(typing.cast("typing.BinaryIO", io.StringIO("text")))
    path = tmp_path / "photo.png"
    path.write_bytes(FILES["PNG"])
    with path.open(encoding="utf-8") as file, pytest.raises(ImageError, match="cannot be read"):
        prepare(typing.cast("typing.BinaryIO", file))


def test_a_path_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    """A missing file, a directory and an impossible name are ImageErrors with the system's reason."""
    with pytest.raises(ImageError, match="No such file or directory"):
        prepare(tmp_path / "missing.png")
    with pytest.raises(ImageError, match="Is a directory"):
        prepare(tmp_path)
    with pytest.raises(ImageError, match="null character"):
        prepare("photo\0.png")


def test_a_named_pipe_is_refused_at_once(tmp_path: Path) -> None:
    """A pipe without a writer would block the thread for ever."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImageError, match="not a regular file"):
        prepare(tmp_path / "pipe")


def test_a_picture_given_as_a_path_by_mistake_is_not_shown() -> None:
    """Base64 text given as a path is not in the error, nor in its cause."""
    with pytest.raises(ImageError) as caught:
        prepare("c2VjcmV0" * 2000)
    assert "c2VjcmV0" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("source", [None, 42, [1, 2], {}, object(), Image])
def test_a_source_of_a_wrong_type_is_refused(source: Any) -> None:
    """Anything else is refused by the name of its type."""
    with pytest.raises(ImageError, match=f"not {type(source).__name__}"):
        prepare(source)


# ─────────────────────────────── importing ───────────────────────────────


def test_importing_the_module_does_not_import_pillow() -> None:
    """Pillow is imported by the first call."""
    script = "import sys; from authing_mfa.images import ImageSource, prepare; print('PIL' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.strip() == "False"


def test_the_annotation_can_be_resolved_at_run_time() -> None:
    """typing.get_type_hints sees the union that checkers see, from any module."""

    def call(image: ImageSource) -> None: ...

    hints = typing.get_type_hints(call)
    expected = {
        Image.Image,
        bytes,
        bytearray,
        memoryview,
        str,
        os.PathLike[str],
        typing.BinaryIO,
        sources.HasFile,
        sources.AsyncReadable,
    }
    assert set(typing.get_args(hints["image"])) == expected
    assert set(typing.get_args(typing.get_type_hints(prepare)["source"])) == expected
