"""The guard: fails when a ratio is twice what baseline.json says. Noise does not double a ratio; a mistake does."""

from __future__ import annotations

import asyncio
import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import cpu, decoding, photo

if TYPE_CHECKING:
    from benchmarks.servers import Servers

BASELINE = Path(__file__).with_name("baseline.json")


def ratios(servers: Servers) -> dict[str, float]:
    taken = asyncio.run(cpu.measure(servers.http, None, 64, 12))
    figures = cpu.summary(taken)
    found = {
        f"{name} ÷ bare aiohttp": figures[name]["ratio"]
        for name in ("AuthClient", "AuthClient, orjson", "callback layer")
    }
    decoded = decoding.median(decoding.measure(15))
    found["UserInfo ÷ by hand"] = decoded["from_wire (ours, cattrs)"] / decoded["by hand"]
    ways = photo.times(3)["JPEG"]
    found["12 MP JPEG ÷ best pipeline"] = statistics.median(ways["ours"]) / statistics.median(
        ways["best pipeline of Pillow"]
    )
    return found


def check(servers: Servers, *, update: bool) -> int:
    found = ratios(servers)
    if update:
        BASELINE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"Written: {BASELINE}")
        return 0
    known = json.loads(BASELINE.read_text(encoding="utf-8"))
    doubled = False
    for name, ratio in found.items():
        before = known.get(name)
        mark = "new" if before is None else "DOUBLED" if ratio > 2 * before else "fine"
        doubled |= mark == "DOUBLED"
        print(f"{name:<40} {ratio:6.2f}   baseline {before if before is None else round(before, 2)}   {mark}")
    return int(doubled)
