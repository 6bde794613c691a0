"""Photo preparation: milliseconds beside the best pipeline of Pillow, peak memory, and the longest gap of the event loop.

python -m benchmarks.photo times                    JSON: milliseconds of each, taking turns
python -m benchmarks.photo memory KIND WHAT         KiB that one run adds to the peak of a fresh process
python -m benchmarks.photo eight KIND               KiB that eight at once add, as the client prepares them
python -m benchmarks.photo gap KIND                 JSON: the loop's longest gaps, milliseconds
"""

from __future__ import annotations

import asyncio
import io
import json
import random
import resource
import statistics
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.servers import WORK
from benchmarks.turns import Taken, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZE = (4032, 3024)


def picture(kind: str) -> Path:
    """The path of a 12-megapixel photo-like picture: smooth areas with noise over them. Made once."""
    path = WORK / f"photo.{kind.lower()}"
    if not path.exists():
        from PIL import Image

        WORK.mkdir(exist_ok=True)
        chance = random.Random(3)
        noise = Image.frombytes("RGB", (SIZE[0] // 4, SIZE[1] // 4), chance.randbytes(SIZE[0] * SIZE[1] // 16 * 3))
        smooth = Image.merge(
            "RGB", (Image.linear_gradient("L"), Image.radial_gradient("L"), Image.linear_gradient("L"))
        )
        blended = Image.blend(smooth.resize(SIZE), noise.resize(SIZE), 0.12)
        exif = Image.Exif()
        exif[0x0112] = 6
        blended.save(path, kind, exif=exif, **({"quality": 92} if kind == "JPEG" else {}))
    return path


def prepared(content: bytes) -> bytes:
    """Ours."""
    from authing_mfa.images import prepare

    return prepare(content)


def by_hand(content: bytes) -> bytes:
    """The best order of Pillow's steps that was found: decode small, shrink, turn, encode. No checks."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(content)) as image:
        image.draft("RGB", (1280, 1280))
        image.thumbnail((1280, 1280), Image.Resampling.LANCZOS, reducing_gap=None)
        upright = ImageOps.exif_transpose(image)
        buffer = io.BytesIO()
        upright.convert("RGB").save(buffer, "JPEG", quality=85)
        return buffer.getvalue()


def naive(content: bytes) -> bytes:
    """What one writes first: turn, then shrink."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(content)) as image:
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((1280, 1280))
        buffer = io.BytesIO()
        upright.convert("RGB").save(buffer, "JPEG", quality=85)
        return buffer.getvalue()


WAYS = {"ours": prepared, "best pipeline of Pillow": by_hand, "turned first": naive}


def times(rounds: int) -> dict[str, Taken]:
    """Microseconds of each."""

    def turn(way: Callable[[bytes], bytes], content: bytes) -> Callable[[], int]:
        return lambda: min(1, len(way(content)))

    taken = {}
    for kind in ("JPEG", "PNG"):
        content = picture(kind).read_bytes()
        taken[kind] = take_turns({name: turn(way, content) for name, way in WAYS.items()}, rounds)
    return taken


def memory(kind: str, run: Callable[[bytes], object]) -> int:
    import PIL.Image

    small = io.BytesIO()
    PIL.Image.new("RGB", (8, 8)).save(small, kind)
    run(small.getvalue())
    content = picture(kind).read_bytes()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(content)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


def eight(content: bytes) -> None:
    from authing_mfa.images import prepare_async

    async def together() -> None:
        await asyncio.gather(*(prepare_async(content) for _ in range(8)))

    asyncio.run(together())


async def gaps(kind: str) -> dict[str, float]:
    """The longest time between two turns of the loop, while pictures are prepared in a thread as the client does it."""
    from authing_mfa.images import prepare_async

    content = picture(kind).read_bytes()
    prepared(content)
    longest: list[float] = []
    for _ in range(5):
        worst, last, done = 0.0, time.perf_counter(), False

        async def tick() -> None:
            nonlocal worst, last
            while not done:  # noqa: B023 - this round's own
                await asyncio.sleep(0.001)
                now = time.perf_counter()
                worst, last = max(worst, now - last), now

        ticking = asyncio.create_task(tick())
        await prepare_async(content)
        done = True
        await ticking
        longest.append(worst * 1000)
    return {"median": statistics.median(longest), "worst": max(longest)}


if __name__ == "__main__":
    if sys.argv[1] == "times":
        print(json.dumps(times(int(sys.argv[2]))))
    elif sys.argv[1] == "memory":
        print(memory(sys.argv[2], WAYS[sys.argv[3]]))
    elif sys.argv[1] == "eight":
        print(memory(sys.argv[2], eight))
    else:
        print(json.dumps(asyncio.run(gaps(sys.argv[2]))))
