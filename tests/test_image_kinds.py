"""Pictures as phones, cameras and programs write them: HEIC, AVIF, wide gamut, very large ones, TIFF pages, a missing end mark.

More than 300 lines: one test for each kind of picture.
"""

from __future__ import annotations

import io
import itertools
import random
import struct
import subprocess
import sys
from typing import Any

import pytest
from PIL import Image, ImageCms

from authing_mfa.errors import ImageError, InvalidInputError
from authing_mfa.images import formats, jpeg_end, prepare
from tests.needs import require_module
from tests.test_images import RED, UPRIGHT, close, corners, noisy, opened, quarters, saved, seen_as


def heic(picture: Image.Image, **options: Any) -> bytes:
    require_module("pillow_heif")
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(picture).save(buffer, quality=90, **options)
    return buffer.getvalue()


# ─────────────────────────────── HEIC, AVIF, GIF ───────────────────────────────


def test_heic_is_read() -> None:
    """An iPhone's own format, without registering anything with Pillow."""
    before = dict(Image.OPEN)
    assert corners(opened(prepare(heic(quarters((256, 128)))))) == UPRIGHT
    assert before == Image.OPEN


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_heic_picture_is_turned_once(orientation: int) -> None:
    """Its decoder turns it, so it must not be turned again by its EXIF."""
    stored, exif = seen_as(orientation)
    content = heic(stored.resize((stored.width * 4, stored.height * 4), Image.Resampling.NEAREST), exif=exif)
    assert corners(opened(prepare(content))) == UPRIGHT


def test_without_pillow_heif_the_error_says_what_to_install() -> None:
    """By name, with the other way out."""
    script = (
        "import sys; sys.modules['pillow_heif'] = None\n"
        "from authing_mfa.images import prepare\n"
        "try: prepare(sys.stdin.buffer.read())\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", script], input=heic(quarters()), capture_output=True, timeout=60)
    assert done.stderr == b""
    said = done.stdout.decode()
    assert said.startswith("ImageError The picture is a HEIC picture, the iPhone's own format.")
    assert "pip install 'authing-mfa[heic]'" in said
    assert "as JPEG" in said


@pytest.mark.parametrize("kind", ["AVIF", "GIF"])
def test_avif_and_gif_are_read(kind: str) -> None:
    """Pillow reads them itself."""
    assert corners(opened(prepare(saved(quarters((256, 128)), kind)))) == UPRIGHT


def test_a_gif_gives_its_first_frame() -> None:
    """The rest of an animation is not looked at."""
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "lime", "blue")]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert close(opened(prepare(content)).getpixel((16, 16)), RED)


def content_of(kind: str) -> bytes:
    picture = noisy().resize((320, 160))
    return heic(picture) if kind == "HEIC" else saved(picture, kind)


@pytest.mark.parametrize("kind", ["HEIC", "AVIF", "GIF"])
def test_a_file_of_a_later_format_that_was_cut_off_is_refused(kind: str) -> None:
    """Wherever it ends."""
    whole = content_of(kind)
    for length in range(0, len(whole) - 2, max(1, len(whole) // 100)):
        with pytest.raises(ImageError):
            prepare(whole[:length])


@pytest.mark.parametrize("kind", ["HEIC", "AVIF", "GIF"])
def test_a_damaged_file_of_a_later_format_gives_a_picture_or_an_image_error(kind: str) -> None:
    """Whatever bytes are changed, nothing of the decoder's own comes out."""
    whole, chance = content_of(kind), random.Random(7)
    for _ in range(100):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 3, 20))):
            damaged[chance.randrange(min(len(damaged), 600))] = chance.randrange(256)
        try:
            result = prepare(bytes(damaged), max_side=64)
        except ImageError:
            continue
        assert max(opened(result).size) <= 64


# ─────────────────────────────── colours ───────────────────────────────


def icc(red: tuple[float, ...], green: tuple[float, ...], blue: tuple[float, ...], gamma: float, name: str) -> bytes:
    """A matrix profile of these primaries (XYZ, adapted to D50)."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    text = name.encode() + b"\0"
    desc = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = {
        b"desc": desc + bytes(-len(desc) % 4),
        b"cprt": b"text\0\0\0\0none",
        b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1.0, 0.8249),
        b"rXYZ": b"XYZ \0\0\0\0" + fixed(*red),
        b"gXYZ": b"XYZ \0\0\0\0" + fixed(*green),
        b"bXYZ": b"XYZ \0\0\0\0" + fixed(*blue),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for tag, data in tags.items():
        table += tag + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">I", at + len(body)) + bytes(4) + b"\x02\x40\0\0mntrRGB XYZ " + bytes(12) + b"acsp"
    head += bytes(28) + fixed(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


WIDE = {
    "Display P3": icc((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407), 2.2, "P3"),
    "Adobe RGB": icc((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457), 2.2, "A98"),
}
SKIN = (212, 130, 96)


def in_profile(name: str, mode: str = "RGB") -> Image.Image:
    """A picture whose true colour is SKIN, in the numbers of a wide-gamut profile."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(WIDE[name]))
    picture = ImageCms.profileToProfile(Image.new("RGB", (64, 64), SKIN), ImageCms.createProfile("sRGB"), profile)
    assert picture is not None
    return picture.convert(mode)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "HEIC"])
@pytest.mark.parametrize("name", WIDE)
def test_colours_of_a_wide_gamut_profile_become_srgb(name: str, kind: str) -> None:
    """The numbers of a Display P3 photo, read as sRGB, are paler than the photo."""
    picture = in_profile(name)
    plain = picture.getpixel((32, 32))
    assert not close(plain, SKIN, 8)
    content = heic(picture, icc_profile=WIDE[name]) if kind == "HEIC" else saved(picture, kind, icc_profile=WIDE[name])
    assert close(opened(prepare(content)).getpixel((32, 32)), SKIN, 7)


def test_colours_of_a_given_image_and_of_a_transparent_one_become_srgb() -> None:
    """Its profile stands in the image's info; transparency stays what it was."""
    picture = in_profile("Display P3", "RGBA")
    picture.info["icc_profile"] = WIDE["Display P3"]
    assert close(opened(prepare(picture)).getpixel((32, 32)), SKIN, 7)
    picture.putalpha(0)
    assert opened(prepare(picture)).getpixel((32, 32)) == (255, 255, 255)


@pytest.mark.parametrize("profile", [b"", b"junk", WIDE["Adobe RGB"][:200], b"\0" * 4096])
def test_a_broken_profile_is_ignored(profile: bytes) -> None:
    """A picture with a broken profile is still a picture."""
    content = saved(Image.new("RGB", (64, 64), SKIN), "JPEG", icc_profile=profile)
    assert close(opened(prepare(content)).getpixel((32, 32)), SKIN, 7)


def test_a_profile_of_another_kind_of_colours_is_ignored() -> None:
    """An RGB profile in a CMYK picture says nothing about it."""
    picture = Image.new("RGB", (64, 64), SKIN).convert("CMYK")
    assert prepare(saved(picture, "JPEG", icc_profile=WIDE["Adobe RGB"])) == prepare(saved(picture, "JPEG"))


# ─────────────────────────────── very large pictures ───────────────────────────────


@pytest.mark.parametrize("size", [(12000, 9000), (16320, 12240)])
def test_a_jpeg_of_a_very_large_sensor_is_read(size: tuple[int, int]) -> None:
    """108 and 200 megapixels: libjpeg decodes an eighth of each side."""
    assert opened(prepare(saved(Image.new("L", size, 128), "JPEG", quality=30))).size == (1280, 960)


def test_a_picture_that_needs_too_much_memory_is_refused_before_it_is_decoded() -> None:
    """The bound is an option, and counts what the format's decoder needs."""
    content = saved(noisy().resize((640, 320)), "WEBP")
    assert opened(prepare(content, max_memory=32 << 20)).size == (640, 320)
    with pytest.raises(ImageError, match="640 x 320 pixels of this format need more memory"):
        prepare(content, max_memory=1 << 20)
    with pytest.raises(ImageError, match="640 x 320"):
        prepare(quarters((640, 320)), max_memory=1 << 20)


def test_a_progressive_jpeg_counts_its_coefficients() -> None:
    """libjpeg keeps all of them at full size, however small the picture is decoded."""
    picture = noisy().resize((4000, 2000))
    plain, progressive = saved(picture, "JPEG"), saved(picture, "JPEG", progressive=True)
    assert opened(prepare(plain, max_memory=40 << 20)).size == (1280, 640)
    with pytest.raises(ImageError, match="4000 x 2000"):
        prepare(progressive, max_memory=40 << 20)


@pytest.mark.parametrize("max_memory", [0, -1, True, 1.5, "1"])
def test_max_memory_must_be_a_number_of_bytes(max_memory: Any) -> None:
    """Anything else is the caller's mistake, and said before anything is read."""
    with pytest.raises(InvalidInputError, match="max_memory"):
        prepare(b"", max_memory=max_memory)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_a_large_picture_is_averaged_strip_by_strip_without_a_seam(mode: str) -> None:
    """A smooth picture stays smooth: no row differs from the next by more than the shade does."""
    shade = Image.linear_gradient("L").resize((2600, 2600))
    picture = shade.convert("RGB").convert(mode) if mode not in {"I;16", "F"} else shade.convert(mode)
    if mode == "I;16":
        picture = picture.point(lambda value: value * 257)
    result = opened(prepare(picture, max_side=260)).convert("L")
    assert result.size == (260, 260)
    column = [result.getpixel((130, row)) for row in range(260)]
    steps = [abs(below - above) for above, below in itertools.pairwise(column)]
    assert max(steps) <= (90 if mode in {"1", "P"} else 4)  # those two have few colours to make a shade of
    if mode not in {"1", "P"}:
        assert (column[5], column[-5]) == (pytest.approx(5, abs=4), pytest.approx(250, abs=4))


# ─────────────────────────────── TIFF pages ───────────────────────────────


def tiff(*pages: tuple[Image.Image, int]) -> bytes:
    """A TIFF file of pages with their NewSubfileType."""
    from PIL.TiffImagePlugin import AppendingTiffWriter

    buffer = io.BytesIO()
    with AppendingTiffWriter(buffer) as writer:
        for picture, kind in pages:
            picture.save(writer, "TIFF", tiffinfo={254: kind})
            writer.newFrame()
    return buffer.getvalue()


def test_a_reduced_first_page_of_a_tiff_is_passed_over() -> None:
    """The next page that is not a copy of another one is the picture."""
    thumbnail = Image.new("RGB", (16, 8), "black")
    content = tiff((thumbnail, 1), (thumbnail, 1), (quarters(), 0))
    assert corners(opened(prepare(content))) == UPRIGHT


def test_a_tiff_of_reduced_pages_alone_is_refused() -> None:
    """So camera raw files begin: their thumbnail must not be uploaded as the photo."""
    with pytest.raises(ImageError, match=r"only a reduced copy.*camera raw.*JPEG"):
        prepare(tiff((quarters(), 1)))


# ─────────────────────────────── a JPEG without its end ───────────────────────────────

JPEGS = {
    "baseline": saved(noisy().resize((320, 160)), "JPEG"),
    "444": saved(noisy().resize((320, 160)), "JPEG", subsampling=0),
    "grey": saved(noisy().resize((320, 160)).convert("L"), "JPEG"),
    "progressive": saved(noisy().resize((320, 160)), "JPEG", progressive=True),
    "restarts": saved(noisy().resize((320, 160)), "JPEG", restart_marker_blocks=4),
}


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_that_lacks_only_its_end_mark_is_taken(name: str) -> None:
    """Whole or half of the mark: every pixel is there."""
    whole = JPEGS[name]
    assert whole.endswith(b"\xff\xd9")
    for content in (whole[:-2], whole[:-1]):
        assert prepare(content) == prepare(whole)


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_that_lacks_more_is_refused(name: str) -> None:
    """Wherever it is cut: a decoder would fill the rest with grey."""
    whole = JPEGS[name]
    chance = random.Random(5)
    for length in [chance.randrange(200, len(whole) - 8) for _ in range(80)]:
        with pytest.raises(ImageError):
            prepare(whole[:length])


def test_a_progressive_jpeg_that_was_cut_between_two_scans_is_refused() -> None:
    """Its pixels are all there, but coarse: what made them sharp is missing."""
    whole = JPEGS["progressive"]
    starts = [at for at in range(len(whole)) if whole[at : at + 2] in {b"\xff\xda", b"\xff\xc4"}][2:]
    assert len(starts) > 5
    for at in starts:
        with pytest.raises(ImageError):
            prepare(whole[:at])


def test_a_file_that_is_no_jpeg_at_all_has_no_end_to_complete() -> None:
    """Nothing is decoded for it."""
    for content in (b"", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\0\x10", saved(quarters(), "PNG"), JPEGS["grey"]):
        assert jpeg_end.completed(io.BytesIO(content)) is None


def test_every_format_that_is_known_by_its_beginning_has_a_plugin() -> None:
    """The tables belong together."""
    names = {name for _, name in formats._BEGINNINGS} | set(formats._BRANDS) | {"WEBP"}
    assert names == set(formats._PLUGINS)
