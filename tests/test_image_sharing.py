"""What two calls share: one picture, one file, and Pillow's setting for cut files."""

from __future__ import annotations

import asyncio
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image, ImageFile

from authing_mfa.errors import ImageError
from authing_mfa.images import careful, prepare, prepare_async, take
from tests.test_image_kinds import heic
from tests.test_images import FILES, ORIENTATION, noisy, saved

PATIENCE = 30.0
COMPANY = 0.2  # seconds that a thread waits for another one that must not come


class Watched(io.BytesIO):
    """A file that knows its readers; the first one gives others time to come."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.readers: set[int] = set()
        self.second = threading.Event()
        self.watching = False

    def read(self, size: int | None = -1, /) -> bytes:
        if self.watching:
            self.readers.add(threading.get_ident())
            if len(self.readers) > 1:
                self.second.set()
            self.second.wait(COMPANY)
        return super().read(size)


def lazily_opened(kind: str) -> tuple[Watched, Image.Image]:
    """A picture as `Image.open` makes it, none of its pixels read yet, and its file."""
    file = Watched(FILES[kind])
    picture = Image.open(file)
    file.watching = True
    return file, picture


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
async def test_one_picture_in_two_calls_at_once_is_read_by_one_thread(kind: str) -> None:
    """Two threads would mix the bytes of its file: both calls get the same photo instead."""
    expected = prepare(FILES[kind])
    file, picture = lazily_opened(kind)
    assert await asyncio.gather(prepare_async(picture), prepare_async(picture)) == [expected] * 2
    assert len(file.readers) == 1


def test_one_picture_is_taken_in_two_threads() -> None:
    """The callback layer copies it when the call is made, on whatever thread that is."""
    file, picture = lazily_opened("JPEG")
    with ThreadPoolExecutor(3) as threads:
        taken = [threads.submit(take, picture), threads.submit(take, picture), threads.submit(prepare, picture)]
        copies = [call.result(PATIENCE) for call in taken[:2]]
    assert [prepare(copy) for copy in copies] == [prepare(FILES["JPEG"])] * 2
    assert len(file.readers) == 1


async def test_the_orientation_of_one_picture_is_read_by_one_thread_at_a_time() -> None:
    """Pillow notes that it has read the EXIF before it reads it: a second thread would find none, and the photo would lie on its side."""
    inside: list[int] = []
    most = 0

    class Slow(Image.Image):
        def getexif(self) -> Image.Exif:
            nonlocal most
            inside.append(1)
            most = max(most, len(inside))
            threading.Event().wait(COMPANY)
            inside.pop()
            return super().getexif()

    exif = Image.Exif()
    exif[ORIENTATION] = 6
    picture = Image.open(io.BytesIO(saved(noisy(), "JPEG", exif=exif)))
    picture.load()
    picture.__class__ = Slow
    first, second = await asyncio.gather(prepare_async(picture), prepare_async(picture))
    assert (first == second, most) == (True, 1)


def test_another_picture_need_not_wait() -> None:
    """Each picture has its own lock, which is gone afterwards."""
    one, other = noisy(), noisy()
    with careful.alone(one), ThreadPoolExecutor(1) as threads:
        assert threads.submit(prepare, other).result(PATIENCE) == prepare(other)
    assert careful._turns == {}


class Chunks:
    """A file with an asynchronous `read`, which lets other tasks run."""

    def __init__(self, content: bytes) -> None:
        self.rest = io.BytesIO(content)

    async def read(self, size: int = -1, /) -> bytes:
        await asyncio.sleep(0)
        return self.rest.read(min(size, 100))


async def test_one_file_in_two_calls_at_once_is_read_by_the_first() -> None:
    """Each call would get half of the parts. The second call gets an error, and a third call after them finds nothing to read."""
    file = Chunks(FILES["JPEG"])
    first, second = await asyncio.gather(prepare_async(file), prepare_async(file), return_exceptions=True)
    assert first == prepare(FILES["JPEG"])
    assert "read by another call" in str(second)
    with pytest.raises(ImageError, match="nothing left to read"):
        await prepare_async(file)


async def test_a_blocking_file_in_two_calls_at_once_is_read_by_the_first() -> None:
    """The same for a file without an asynchronous `read`, which two threads read."""
    reading, go_on = threading.Event(), threading.Event()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            reading.set()
            assert go_on.wait(PATIENCE)
            return super().read(size)

    file = Slow(FILES["JPEG"])
    first = asyncio.ensure_future(prepare_async(file))
    assert await asyncio.to_thread(reading.wait, PATIENCE)
    with pytest.raises(ImageError, match="read by another call"):
        await prepare_async(file)
    go_on.set()
    assert await first == prepare(FILES["JPEG"])


# ─────────────────────────────── cut files ───────────────────────────────


def outcome(content: bytes) -> bytes | str:
    """The photo that *content* gives, or the error."""
    try:
        return prepare(content)
    except ImageError as error:
        return str(error)


def spoiled(kind: str) -> list[bytes]:
    """Files of *kind* that were cut, and some with a byte changed behind the header."""
    whole = heic(noisy()) if kind == "HEIC" else saved(noisy(), "GIF") if kind == "GIF" else FILES[kind]
    lengths = range(0, len(whole), max(1, len(whole) // 40))
    damaged = [bytearray(whole) for _ in lengths]
    for number, content in enumerate(damaged):
        content[len(whole) // 4 + len(whole) * number // 60] ^= 0x55
    return [*(whole[:length] for length in lengths), *map(bytes, damaged), whole]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", [*FILES, "GIF", "HEIC"])
def test_half_a_photo_is_refused_although_pillow_would_fill_it(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`LOAD_TRUNCATED_IMAGES`, which programs for machine learning set for the whole process, changes no photo and no error."""
    files = spoiled(kind)
    expected = [outcome(content) for content in files]
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    assert [outcome(content) for content in files] == expected
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_half_a_photo_that_the_program_has_opened_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as the program has not read its pixels: then Pillow has filled them already."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    half = FILES["JPEG"][:-100]
    for use in (prepare, take):
        with pytest.raises(ImageError, match="cut off"):
            use(Image.open(io.BytesIO(half)))
    filled = Image.open(io.BytesIO(half))
    filled.load()
    assert prepare(filled)


def test_other_threads_of_the_program_keep_their_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a photo is prepared, the program's own pictures are still filled, and what it sets meanwhile stays."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    half = FILES["PNG"][: len(FILES["PNG"]) // 2]

    def open_own() -> Any:
        return Image.open(io.BytesIO(half)).copy().size

    with ThreadPoolExecutor(1) as threads:
        with careful.whole(), careful.whole():
            assert not ImageFile.LOAD_TRUNCATED_IMAGES
            assert threads.submit(open_own).result(PATIENCE) == noisy().size
            assert threads.submit(lambda: bool(ImageFile.LOAD_TRUNCATED_IMAGES)).result(PATIENCE)
        assert ImageFile.LOAD_TRUNCATED_IMAGES is True
        with careful.whole():
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_two_photos_at_once_leave_the_setting_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that ends last gives it back; until then it holds for both."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    inside, go_on = threading.Event(), threading.Event()

    def other() -> bool:
        with careful.whole():
            inside.set()
            assert go_on.wait(PATIENCE)
            return bool(ImageFile.LOAD_TRUNCATED_IMAGES)

    with ThreadPoolExecutor(1) as threads:
        with careful.whole():
            call = threads.submit(other)
            assert inside.wait(PATIENCE)
        go_on.set()
        assert call.result(PATIENCE) is False
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True
