"""The guard: fails when a call needs 5 % more instructions than baseline.json says, as a ratio to bare aiohttp in the same run.

    python -m benchmarks.guard [--update] [--baseline FILE]

It takes no time into account, and makes one call after the other: how many answers are ready at once depends on the machine.
So it can be believed on a busy one. The ratios differ between Pythons: each has its own figures. `--update` writes those of
this Python anew.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import instructions
from benchmarks.servers import all_servers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROWS = {"AuthClient": ("ours", False), "AuthClient, orjson": ("ours", True)}
MOST = 1.05
CALLS = 400  # between the two counts
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def measure() -> dict[str, float]:
    """Instructions of a call of each row ÷ those of bare aiohttp."""
    if instructions.VALGRIND is None:
        raise SystemExit(instructions.NEEDED)
    with all_servers() as servers:

        def count(contender: str, *, orjson: bool = True) -> float:
            return instructions.per_call(contender, servers.http, 1, orjson=orjson, between=CALLS)

        base = count("bare")
        return {name: round(count(key, orjson=orjson) / base, 3) for name, (key, orjson) in ROWS.items()}


def compare(found: Mapping[str, float], known: Mapping[str, float]) -> list[str]:
    """Return a line for each row, `FAILED` first where it rose too far or the baseline lacks it."""
    lines = []
    for name, ratio in found.items():
        before = known.get(name)
        if before is None:
            lines.append(f"FAILED {name}: the baseline has no figure for it on Python {PYTHON}")
        else:
            rise = ratio / before - 1
            mark = "FAILED" if ratio > MOST * before else "fine  "
            lines.append(f"{mark} {name}: {ratio:.3f} × bare aiohttp, baseline {before:.3f}, {rise:+.1%}")
    return lines


def main(arguments: Sequence[str] | None = None, measure: Callable[[], dict[str, float]] = measure) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description=__doc__.partition("\n")[0])
    parser.add_argument("--update", action="store_true", help="write this Python's figures into the baseline")
    parser.add_argument("--baseline", type=Path, default=Path(__file__).with_name("baseline.json"))
    given = parser.parse_args(arguments)
    found = measure()
    baseline = json.loads(given.baseline.read_text("utf-8")) if given.baseline.exists() else {}
    if given.update:
        baseline[PYTHON] = found
        given.baseline.write_text(json.dumps(baseline, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    lines = compare(found, baseline.get(PYTHON, {}))
    print("\n".join(lines))
    if not any(line.startswith("FAILED") for line in lines):
        return 0
    print(f"At most {MOST:g} × the baseline is allowed. Where the cost is meant: python -m benchmarks.guard --update")
    return 1


if __name__ == "__main__":
    sys.exit(main())
