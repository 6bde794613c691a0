"""How figures of time are made: contenders take turns in shuffled slices, and a round gives one ratio of one to another.

The second copy of the baseline says how far to trust a run: when it is off by more than 5 %, so is everything else.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Taken = dict[str, list[float]]  # microseconds per call: for each contender one figure per round
AGAIN = "the same again (A/A)"


def take_turns(
    contenders: Mapping[str, Callable[[], int]],
    rounds: int,
    *,
    clock: Callable[[], float] = time.process_time,
    seed: int = 1,
) -> Taken:
    """Let each contender make its calls (it says how many) once per round. By default the CPU of all threads counts."""
    for run in contenders.values():
        run()  # connections made, caches warm
    gc.collect()
    gc.freeze()
    chance, taken = random.Random(seed), {name: list[float]() for name in contenders}
    for _ in range(rounds):
        for name in chance.sample(list(contenders), len(contenders)):
            started = clock()
            calls = contenders[name]()
            taken[name].append((clock() - started) / calls * 1e6)
    return taken


def ratios(taken: Taken, over: str, under: str) -> list[float]:
    """One ratio per round."""
    return [one / other for one, other in zip(taken[over], taken[under], strict=True)]


def ratio(taken: Taken, over: str, under: str) -> float | None:
    """The median of the ratios; None where one of the two is not installed."""
    return statistics.median(ratios(taken, over, under)) if over in taken and under in taken else None


def quartiles(values: list[float]) -> tuple[float, float, float]:
    low, middle, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
    return low, middle, high


def noisy(taken: Taken, base: str) -> bool:
    found = ratio(taken, AGAIN, base)
    return found is not None and abs(found - 1) > 0.05
