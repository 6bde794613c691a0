"""The sections of a run: each measures one thing, notes its figures, and gives its tables."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import batch, cpu, decoding, hop, instructions, official, processes, startup
from benchmarks.servers import ROOT, WORK, Servers, cores, pinned
from benchmarks.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Run:
    """One run: where the servers are, and what has been measured so far."""

    servers: Servers
    quick: bool
    figures: dict[str, Any] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)


def module(name: str, *arguments: object) -> Any:
    """What a module of ours prints, run in a fresh process on the clients' core."""
    command = [*pinned(cores()[0]), sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout)


# name in the table, contender, orjson or not, calls between two counts, sizes beside 64, in a quick run too
COUNTED: list[tuple[str, str, bool, int, tuple[int, ...], bool]] = [
    ("bare aiohttp", "bare", True, 1000, (1, 512), True),
    ("bare aiohttp, the service's headers", "bare-same", True, 1000, (), False),
    ("tuned aiohttp", "tuned-json", True, 1000, (), False),
    ("tuned aiohttp, orjson", "tuned-orjson", True, 1000, (1, 512), True),
    ("AuthClient", "ours", False, 1000, (1, 512), True),
    ("AuthClient, orjson", "ours", True, 1000, (1, 512), True),
    ("callback layer", "compat", False, 1000, (1, 512), False),
    ("requests in threads", "requests", True, 250, (), False),
    ("httpx.AsyncClient", "httpx", True, 250, (), False),
]


def instructions_section(run: Run) -> Iterator[Table]:
    if instructions.VALGRIND is None:
        print("\nvalgrind is not installed: no instruction counts.")
        return
    for size in (64,) if run.quick else (64, 1, 512):
        counts: dict[str, float] = {}
        for name, contender, orjson, between, sizes, quick in COUNTED:
            if (run.quick and not quick) or (size != 64 and size not in sizes):
                continue
            between = 300 if run.quick else max(between, 2 * size)  # noqa: PLW2901 - adapted to the run
            counts[name] = instructions.per_call(contender, run.servers.http, size, orjson=orjson, between=between)
        run.figures[f"instructions-{size}"] = counts
        table = Table(
            f"instructions-{size}",
            f"One call, {size} at a time" if size > 1 else "One call after the other",
            "thousand user instructions per call, counted by cachegrind",
        )
        for name, count in counts.items():
            note = f"{count / counts['bare aiohttp']:.3f} × bare"
            table.add(name, count / 1000, note, ours=name.startswith(("AuthClient", "callback")))
        yield table


def cpu_section(run: Run) -> Iterator[Table]:
    plans = [("64", run.servers.http, 64, 60)]
    if run.quick:
        plans = [("64", run.servers.http, 64, 18)]
    else:
        plans += [("1", run.servers.http, 1, 60), ("512", run.servers.http, 512, 60)]
        plans += [("slow-64", run.servers.slow, 64, 30), ("slow-512", run.servers.slow, 512, 30)]
    for key, base, size, rounds in plans:
        taken = module("cpu", base, "--concurrency", size, "--rounds", rounds)
        figures: dict[str, Any] = cpu.summary(taken)
        run.figures[f"cpu-{key}"] = {
            **figures,
            "noisy": cpu.noisy(figures),
            "httpx_over_ours": cpu.ratio(taken, "httpx.AsyncClient", "AuthClient")
            if "httpx.AsyncClient" in taken
            else None,
            "compat_over_ours": cpu.ratio(taken, "callback layer", "AuthClient"),
        }
        where = "a server 20 ms away" if key.startswith("slow") else "a server next door"
        table = Table(f"cpu-{key}", f"CPU of a call, {size} at a time, {where}", "microseconds per call, all threads")
        for name, row in figures.items():
            note = f"{row['ratio']:.2f} × bare ({row['low']:.2f} to {row['high']:.2f})"
            table.add(name, row["us"], note, ours=name.startswith(("AuthClient", "callback")))
        if cpu.noisy(figures):
            again = figures["bare aiohttp again (A/A)"]["ratio"]
            table.remarks.append(f"Too noisy: the baseline against itself is {again:.2f}.")
        yield table


def official_section(run: Run) -> Iterator[Table]:
    taken = official.measure(run.servers, quick=run.quick)
    if taken is None:
        print(f"\n{official.RELEASE} cannot be installed here: it is left out.")
        return
    for scheme, figures in taken.items():
        ours, theirs = (statistics.median(figures[name]) for name in ("ours", "official"))
        run.figures[f"official-{scheme}"] = {"ours": ours, "official": theirs, "ratio": theirs / ours}
        table = Table(
            f"official-{scheme}", f"The official Python client, over {scheme}", "microseconds of CPU per call"
        )
        table.add("AuthClient, 64 at a time", ours, ours=True)
        table.add("authing 4.5.17, 64 threads", theirs, f"{theirs / ours:.1f} × AuthClient")
        yield table


def fairness_section(run: Run) -> Iterator[Table]:
    table = Table("fairness", "512 callers, 100 connections: the worst wait", "milliseconds")
    for key, name in (("bare", "aiohttp, limit=100"), ("ours", "AuthClient, max_connections=100")):
        figures = module("fairness", key, run.servers.http, 6000 if run.quick else 20_000)
        run.figures[f"fairness-{key}"] = {**figures, "ratio": figures["worst"] / figures["median"]}
        note = f"{figures['worst'] / figures['median']:.1f} × its median of {figures['median']:.1f} ms"
        table.add(name, figures["worst"], note, ours=key == "ours")
    yield table


def hop_section(run: Run) -> Iterator[Table]:
    figures = hop.measure(12 if run.quick else 60)
    run.figures["hop"] = hop.hop(figures)
    table = Table("hop", "The callback layer without a network", "microseconds of CPU per call, all threads")
    for name, costs in figures.items():
        extra = statistics.median(a - b for a, b in zip(costs, figures[hop.BASELINE], strict=True))
        table.add(name, statistics.median(costs), f"{extra:+.1f}", ours=name.startswith("callback"))
    yield table


def decoding_section(run: Run) -> Iterator[Table]:
    figures = run.figures["decoding"] = decoding.median(decoding.measure(15 if run.quick else 60))
    table = Table("decoding", "UserInfo from a decoded object of 60 fields", "microseconds")
    for name, cost in figures.items():
        table.add(name, cost, ours="ours" in name)
    yield table


def photo_section(run: Run) -> Iterator[Table]:
    taken = module("photo", "times", 3 if run.quick else 15)
    for kind, ways in taken.items():
        base = ways["best pipeline of Pillow"]
        figures: dict[str, Any] = {
            name: {
                "ms": statistics.median(costs),
                "ratio": statistics.median(cost / other for cost, other in zip(costs, base, strict=True)),
                "mib": module("photo", "memory", kind, name) / 1024,
            }
            for name, costs in ways.items()
        }
        figures["gap_ms"] = module("photo", "gap", kind)
        run.figures[f"photo-{kind}"] = figures
        table = Table(f"photo-{kind.lower()}", f"A 12-megapixel {kind} to 1280 pixels", "milliseconds")
        for name in ways:
            row = figures[name]
            table.add(name, row["ms"], f"{row['ratio']:.2f} ×, +{row['mib']:.0f} MiB", ours=name == "ours")
        gap = figures["gap_ms"]
        table.remarks.append(
            f"Longest gap of the event loop: {gap['median']:.1f} ms (worst of five {gap['worst']:.1f})."
        )
        yield table


def startup_section(run: Run) -> Iterator[Table]:
    taken = startup.imports(7 if run.quick else 25)
    run.figures["imports"] = {name: statistics.median(costs) for name, costs in taken.items()}
    table = Table("imports", "Importing", "milliseconds of CPU beyond an interpreter that imports nothing")
    for name, costs in taken.items():
        against = statistics.median(a / b for a, b in zip(costs, taken["aiohttp"], strict=True))
        run.figures["imports"][f"{name} ratio"] = against
        table.add(name, statistics.median(costs), f"{against:.2f} × aiohttp", ours=name != "aiohttp")
    yield table
    figures = run.figures["emulator"] = startup.emulator(3 if run.quick else 9)
    table = Table("emulator", "The emulator", "seconds from import to the first answer; MiB resident")
    table.add("first answer, s", figures["seconds"], f"whole process {figures['process_seconds']:.2f} s", ours=True)
    table.add("memory, MiB", figures["mib"], ours=True)
    yield table


def growth_section(run: Run) -> Iterator[Table]:
    sizes = (64, 10_000) if run.quick else (1, 10, 64, 100, 1000, 10_000)
    table = Table("growth", "Many calls at a time", "microseconds of CPU per call")
    contenders = {
        "ours-default": "AuthClient, 512 connections (default)",
        "ours": "AuthClient, a connection each",
        "bare": "bare aiohttp, a connection each",
    }
    for key, name in contenders.items():
        costs = module("growth", "concurrency", key, run.servers.http, 1000 if run.quick else 3000, *sizes)
        run.figures[f"growth-{key}"] = costs
        for size, cost in costs.items():
            table.add(f"{name}, {int(size):,}", cost, f"{cost / costs['64']:.2f} × 64", ours=key != "bare")
    yield table
    calls = 100_000 if run.quick else 1_000_000
    memory = run.figures["memory"] = module("growth", "memory", run.servers.http, calls)
    table = Table("memory", "Many calls one after the other", "MiB resident")
    table.add("after 10,000 calls", memory["after_10000"] / 1024, ours=True)
    table.add(
        f"after {calls:,} calls", memory[f"after_{calls}"] / 1024, f"{memory['growth'] / 1024:+.2f} MiB", ours=True
    )
    yield table


def processes_section(run: Run) -> Iterator[Table]:
    seconds = 3 if run.quick else 10
    one = processes.rows_per_second(run.servers.http, 1, seconds)
    before = run.servers.cpu()
    two = processes.rows_per_second(run.servers.http, 2, seconds)
    server = (run.servers.cpu() - before) / (two * (seconds + processes.WARM)) * 1e6
    # Two cores carry two clients and the server: no more than 2 c / (c + s) of what one core carries for the client alone.
    ceiling = 2 / (1 + server * one / 1e6) if os.cpu_count() == 2 and server == server else 2.0  # noqa: PLR0124 - nan
    run.figures["processes"] = {"one": one, "two": two, "ratio": two / one, "server_us": server, "ceiling": ceiling}
    table = Table("processes", "A batch on one process and on two (more is better)", "rows per second together")
    table.add("one process", one, ours=True)
    table.add("two processes", two, f"{two / one:.2f} ×", ours=True)
    if ceiling < 2:
        table.remarks.append(
            f"The second process shares its core with the server ({server:.0f} µs a row): at most {ceiling:.2f} × is possible."
        )
    yield table


def _batch_table(figures: dict[str, Any]) -> Table:
    table = Table("batch", "Rows of a batch over HTTP (more is better)", "rows per second")
    for name, row in figures.items():
        if isinstance(row, dict) and "rows_per_second" in row:
            note = f"{row['rate']:.2f} × hand-written"
            table.add(name, row["rows_per_second"], note, ours=name.startswith("verify_many"))
    return table


def batch_section(run: Run) -> Iterator[Table]:
    print()
    if run.quick:
        with tempfile.TemporaryDirectory(dir=WORK) as folder:
            taken = asyncio.run(batch.throughput(run.servers.http, 2000, 5, Path(folder)))
        run.figures["batch"] = batch.print_throughput(taken, 2000)
    else:
        run.figures["batch"] = batch.measure(run.servers, quick=False)
    yield _batch_table(run.figures["batch"])


SECTIONS: dict[str, Callable[[Run], Iterator[Table]]] = {
    "instructions": instructions_section,
    "cpu": cpu_section,
    "official": official_section,
    "fairness": fairness_section,
    "hop": hop_section,
    "decoding": decoding_section,
    "photo": photo_section,
    "startup": startup_section,
    "growth": growth_section,
    "processes": processes_section,
    "batch": batch_section,
}
