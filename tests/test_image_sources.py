"""Everything in which a picture may be handed over, and the sentence for everything else.

More than 300 lines: one test for each kind of source.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import io
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from authing_mfa.errors import ImageError
from authing_mfa.images import memory, prepare, prepare_async, sources, take
from tests.needs import require, require_module

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 60.0  # seconds; no test waits this long unless it fails


def png(colour: str = "red", size: tuple[int, int] = (32, 16)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


RED = prepare(png())


# ─────────────────────────────── data: URLs ───────────────────────────────


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64," + base64.b64encode(png()).decode(),
        "DATA:image/png;name=a.png;BASE64," + base64.b64encode(png()).decode(),
        "data:;base64," + quote(base64.b64encode(png()).decode()),
        "data:image/png;base64," + base64.encodebytes(png()).decode(),
        "data:image/png," + quote(png()),
    ],
)
def test_a_data_url_is_taken(url: str) -> None:
    """As a browser's canvas gives it: base64 or percent-encoded, with any parameters."""
    assert prepare(url) == RED


@pytest.mark.parametrize(
    "url", ["data:image/png;base64", "data:image/png;base64,c2VjcmV0!", "data:image/png;base64,c2V"]
)
def test_a_broken_data_url_is_refused_without_its_content(url: str) -> None:
    """The error says what is wrong, and does not repeat the picture."""
    with pytest.raises(ImageError, match="data: URL cannot be read") as caught:
        prepare(url)
    assert "c2V" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


# ─────────────────────────────── files and uploads ───────────────────────────────


def test_a_file_at_its_end_says_so() -> None:
    """A file that was read once must be set back to its beginning."""
    file = io.BytesIO(png())
    assert prepare(file) == RED
    with pytest.raises(ImageError, match=r"nothing left to read: seek\(0\) first"):
        prepare(file)


async def test_an_upload_of_starlette_is_taken() -> None:
    """UploadFile, as FastAPI hands it over: its read() is a coroutine, its file a plain one."""
    require_module("starlette")
    from starlette.datastructures import UploadFile

    assert await prepare_async(UploadFile(io.BytesIO(png()))) == RED
    assert prepare(UploadFile(io.BytesIO(png()))) == RED


async def test_an_upload_of_aiohttp_web_is_taken() -> None:
    """A FileField of request.post(), and a part of request.multipart(), of a real form over a real socket."""
    got: list[bytes] = []

    async def form(request: web.Request) -> web.Response:
        field = (await request.post())["photo"]
        got.append(await prepare_async(field))  # type: ignore[arg-type]  # a FileField: the form has a file here
        return web.Response()

    async def parts(request: web.Request) -> web.Response:
        part = await (await request.multipart()).next()
        got.append(await prepare_async(part))  # type: ignore[arg-type]  # a BodyPartReader
        return web.Response()

    async def body(request: web.Request) -> web.Response:
        got.append(await prepare_async(request.content))
        return web.Response(body=png())  # an answer of aiohttp is taken as well

    application = web.Application()
    application.add_routes([web.post("/form", form), web.post("/parts", parts), web.post("/body", body)])
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession() as session:
            for path in ("/form", "/parts"):
                data = aiohttp.FormData()
                data.add_field("photo", png(), filename="p.png", content_type="image/png")
                async with session.post(url + path, data=data) as response:
                    assert response.status == 200
            async with session.post(url + "/body", data=png()) as response:
                got.append(await prepare_async(response))
    finally:
        await runner.cleanup()
    assert got == [RED] * 4


async def test_an_asynchronous_file_is_read_whole_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """In chunks, to its end; more than the limit is refused, an empty one says that nothing is left."""

    class File:
        def __init__(self, content: bytes) -> None:
            self.rest = io.BytesIO(content)

        async def read(self, size: int = -1, /) -> bytes:
            return self.rest.read(min(size, 10))

    assert await prepare_async(File(png())) == RED
    with pytest.raises(ImageError, match="nothing left to read"):
        await prepare_async(File(b""))
    monkeypatch.setattr(sources, "FILE_LIMIT", len(png()) - 1)
    with pytest.raises(ImageError, match="larger than"):
        await prepare_async(File(png()))


async def test_a_read_without_a_size_gives_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers of HTTP libraries have such a `read`, and give the same content again; the limit holds for them as well."""

    class Answer:
        def __init__(self, content: bytes) -> None:
            self.content = content

        async def read(self) -> bytes:
            return self.content

    class BlockingAnswer(Answer):
        def read(self) -> bytes:  # type: ignore[override]  # another kind of object
            return self.content

    assert [await prepare_async(kind(png())) for kind in (Answer, BlockingAnswer)] == [RED] * 2
    monkeypatch.setattr(sources, "FILE_LIMIT", len(png()) - 1)
    for kind in (Answer, BlockingAnswer):
        with pytest.raises(ImageError, match="larger than"):
            await prepare_async(kind(png()))


def test_a_read_that_does_not_tell_its_parameters_is_called_with_a_size() -> None:
    """As some functions in C: most files take a size."""

    class File:
        def __init__(self) -> None:
            self.rest = io.BytesIO(png())

        @property
        def read(self) -> Callable[..., bytes]:
            return Silent(self.rest.read)

    class Silent:
        __signature__ = "none"  # inspect refuses it

        def __init__(self, read: Callable[..., bytes]) -> None:
            self.read = read

        def __call__(self, size: int) -> bytes:
            return self.read(size)

    assert prepare(File()) == RED  # type: ignore[arg-type] # its `read` is a property, which no protocol describes


def test_an_asynchronous_file_needs_the_asynchronous_client() -> None:
    """Where it cannot be awaited, the error says what to do."""

    class File:
        async def read(self, size: int = -1, /) -> bytes:
            raise AssertionError

    with pytest.raises(ImageError, match="asynchronous read"):
        prepare(File())
    with pytest.raises(ImageError, match="asynchronous read"):
        take(File())


# ─────────────────────────────── taking at once ───────────────────────────────


def test_what_was_taken_outlives_its_source(tmp_path: Path) -> None:
    """A file may be closed, a path removed, an array changed, a lazily opened picture closed."""
    path = tmp_path / "p.png"
    path.write_bytes(png())
    with path.open("rb") as file:
        from_file = take(file)
    with Image.open(path) as picture:
        from_picture = take(picture)
    buffer = bytearray(png())
    from_buffer = take(buffer)
    buffer[:] = bytes(len(buffer))
    from_path = take(path)
    path.unlink()
    for taken in (from_file, from_picture, from_buffer, from_path):
        assert prepare(taken) == RED


class OddPath:
    """A path that does not name one."""

    def __fspath__(self) -> Any:
        return 5


def released() -> memoryview:
    """A view of nothing any more."""
    view = memoryview(png())
    view.release()
    return view


ODD: dict[str, Callable[[], Any]] = {
    "a view with gaps": lambda: memoryview(png())[::2],
    "a released view": released,
    "a data: URL that is no text": lambda: "data:image/png,\ud800",
    "a path that is none": OddPath,
    "a picture without pixels": lambda: Image.new("RGB", (0, 0)),
}


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("function", [take, prepare], ids=["take", "prepare"])
def test_an_odd_source_is_an_image_error(function: Callable[[Any], Any], what: str) -> None:
    """The callback layer takes the picture when the call is made: its completion gets the error, the call raises nothing."""
    with pytest.raises(ImageError):
        function(ODD[what]())


def test_a_broken_picture_that_is_taken_is_an_image_error(tmp_path: Path) -> None:
    """It is refused where it is taken, as it would be later."""
    path = tmp_path / "p.png"
    path.write_bytes(png()[:60])
    with Image.open(path) as picture, pytest.raises(ImageError, match="broken"):
        take(picture)


# ─────────────────────────────── what is refused, and what to write instead ───────────────────────────────


def test_an_array_is_refused_with_the_way_to_write_it() -> None:
    """numpy arrays, as OpenCV's camera gives them."""
    require_module("numpy")
    import numpy as np

    from authing_mfa.operations import UploadFaceImage

    with pytest.raises(ImageError, match=r"PIL.Image.fromarray\(array\)"):
        prepare(np.zeros((8, 8, 3), np.uint8))  # type: ignore[arg-type]  # refused at run time
    UploadFaceImage(np.zeros((8, 8, 3), np.uint8))  # a comparison with an array has no truth value


def test_pictures_of_qt_are_refused_with_the_way_to_write_them() -> None:
    """Pillow itself converts them."""
    require_module("PySide6")
    from PySide6.QtGui import QImage

    with pytest.raises(ImageError, match=r"PIL.ImageQt.fromqimage"):
        prepare(QImage(8, 8, QImage.Format.Format_RGB888))  # type: ignore[arg-type]  # refused at run time


def test_a_photo_image_of_tk_is_refused_with_the_way_to_write_it() -> None:
    """tkinter's class, looked at without a window."""
    import tkinter as tk

    photo = object.__new__(tk.PhotoImage)
    with pytest.raises(ImageError, match="the file that it was made from"):
        prepare(photo)  # type: ignore[arg-type]  # refused at run time
    photo.name = ""  # its __del__ looks at it


def test_a_coroutine_is_refused_with_the_way_to_write_it() -> None:
    """The await that was forgotten is named."""

    async def read() -> bytes:
        return png()

    forgotten = read()
    with pytest.raises(ImageError, match="await it first"):
        prepare(forgotten)  # type: ignore[arg-type]  # refused at run time
    forgotten.close()


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("https://example.org/p.png", "download the picture"),
        ("file:///photos/p.png", "pass the path"),
        (base64.b64encode(os.urandom(900)).decode(), "looks like base64"),
    ],
)
def test_a_text_that_is_no_path_is_refused_with_the_way_to_write_it(text: str, instead: str) -> None:
    """An address, or base64 without its head."""
    with pytest.raises(ImageError, match=instead):
        prepare(text)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"\n<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"<!doctype HTML><html>", "a web page"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a video"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "camera raw"),
        (base64.b64encode(png()), "base64 text"),
        (b"data:image/png;base64,", "pass it as text"),
    ],
)
def test_a_file_of_another_kind_is_named(content: bytes, name: str) -> None:
    """Also what was not downloaded but an error page."""
    with pytest.raises(ImageError, match=name):
        prepare(content)


# ─────────────────────────────── threads ───────────────────────────────


async def test_two_pictures_at_a_time_and_other_work_continues() -> None:
    """The others wait without a thread of the event loop's own pool."""
    go_on, entered = threading.Event(), threading.Semaphore(0)
    inside, most, lock = 0, 0, threading.Lock()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            entered.release()
            assert go_on.wait(PATIENCE)
            with lock:
                inside -= 1
            return super().read(size)

    pending = [asyncio.ensure_future(prepare_async(Slow(png()))) for _ in range(12)]
    for _ in range(2):
        await asyncio.to_thread(entered.acquire, timeout=PATIENCE)
    assert await asyncio.to_thread(lambda: "other work") == "other work"
    go_on.set()
    assert await asyncio.gather(*pending) == [RED] * 12
    assert most == 2


def test_pictures_share_the_memory_and_a_large_one_waits_for_it() -> None:
    """What does not fit beside another waits for it; alone, it is let in whatever it needs."""
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with memory.reserved(memory.SHARED * 2):
            order.append("second in")

    thread = threading.Thread(target=second)
    with memory.reserved(memory.SHARED // 2), memory.reserved(memory.SHARED // 2):
        thread.start()
        assert waiting.wait(PATIENCE)
        order.append("first out")
    thread.join(PATIENCE)
    assert order == ["first out", "second in"]
    assert memory._used == 0


AT_ONCE = """
import asyncio, io, pathlib, resource, sys
from PIL import Image
from authing_mfa.images import prepare, prepare_async
buffer = io.BytesIO()
Image.new("LA", (4096, 4096), (100, 50)).save(buffer, "PNG")
prepare(buffer.getvalue(), max_side=8)
del Image
peak = lambda: int(pathlib.Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024
before = peak()
async def main():
    await asyncio.gather(*(prepare_async(buffer.getvalue()) for _ in range(6)))
asyncio.run(main())
print(peak() - before)
"""


def test_many_large_pictures_at_once_need_little_more_memory_than_one() -> None:
    """Six pictures of 64 MiB each, decoded, after one of them was prepared."""
    require(Path("/proc/self/status").exists(), "/proc/self/status")
    done = subprocess.run([sys.executable, "-c", AT_ONCE], capture_output=True, text=True, timeout=100)
    assert done.stderr == ""
    assert int(done.stdout) < 100


FORK = """
import asyncio, io, os, sys
from PIL import Image
from authing_mfa.images import careful, memory, prepare_async
from tests.test_image_sources import RED, png
import threading
picture, file = Image.open(io.BytesIO(png())), io.BytesIO(png())
assert asyncio.run(prepare_async(png())) == RED
held, go_on = threading.Event(), threading.Event()
def hold():
    with memory.reserved(memory.SHARED), careful.alone(picture), careful.reading(file), careful._guard:
        held.set()
        go_on.wait()
threading.Thread(target=hold, daemon=True).start()
held.wait()
child = os.fork()
if child == 0:
    results = [asyncio.run(asyncio.wait_for(prepare_async(source), 30)) for source in (png(), picture, file)]
    os._exit(0 if results == [RED] * 3 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
go_on.set()
"""


def test_the_child_of_a_fork_prepares_pictures_too() -> None:
    """The parent's threads, and what they have reserved or hold, are not in the child."""
    require(hasattr(os, "fork"), "os.fork")
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK],
        capture_output=True,
        text=True,
        timeout=100,
        cwd=Path(__file__).parents[1],
    )
    assert (done.stdout.strip(), done.stderr) == ("0", "")


def test_nothing_is_left_open() -> None:
    """A path that was taken, prepared or refused is closed again."""
    require(Path("/proc/self/fd").exists(), "/proc/self/fd")
    descriptors = Path("/proc/self/fd")
    gc.collect()
    before = len(list(descriptors.iterdir()))
    for source in (__file__, Path(__file__)):
        with pytest.raises(ImageError):
            prepare(source)
        assert take(source) == Path(__file__).read_bytes()
    gc.collect()
    assert len(list(descriptors.iterdir())) == before
