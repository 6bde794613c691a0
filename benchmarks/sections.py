"""The sections of a run: each measures one thing, notes its figures, and gives its tables."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks import batch, cpu, decoding, emulator, hop, instructions, official, processes, startup
from benchmarks.servers import ROOT, Servers, cores, pinned
from benchmarks.tables import Table
from benchmarks.turns import AGAIN, Taken, noisy, quartiles, ratio, ratios

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


def compare(table: Table, taken: Taken, base: str, beside: str) -> dict[str, Any]:
    """Fill *table* with a row for each contender, and return their costs and ratios to *base*."""
    figures: dict[str, Any] = {"noisy": noisy(taken, base)}
    for name, costs in taken.items():
        low, middle, high = quartiles(ratios(taken, name, base))
        cost = statistics.median(costs)
        figures[name] = {"us": cost, "ratio": middle}
        note = f"{middle:.2f} × {beside} ({low:.2f} to {high:.2f})"
        table.add(name, cost, note, ours=name.startswith(OURS))
    if figures["noisy"]:
        table.remarks.append(f"Too noisy: the baseline against itself is {figures[AGAIN]['ratio']:.2f}.")
    return figures


OURS = ("AuthClient", "callback", "ours", "from_wire", "authing", "sync", "verify_many", "from CSV")

# name in the table, contender, orjson or not, calls between two counts, sizes beside 64, in a quick run too
COUNTED: list[tuple[str, str, bool, int, tuple[int, ...], bool]] = [
    ("bare aiohttp", "bare", True, 1000, (1, 512), True),
    ("bare aiohttp, the service's headers", "bare-same", True, 1000, (), False),
    ("tuned aiohttp", "tuned-json", True, 1000, (), False),
    ("tuned aiohttp, orjson", "tuned-orjson", True, 1000, (1, 512), True),
    ("AuthClient", "ours", False, 1000, (1, 512), True),
    ("AuthClient, orjson", "ours", True, 1000, (1, 512), True),
    ("callback layer", "compat", False, 1000, (1, 512), False),
    ("httpx.AsyncClient", "httpx", True, 250, (), False),
]


def instructions_section(run: Run) -> Iterator[Table]:
    if instructions.VALGRIND is None:
        print(f"\nNo instruction counts: {instructions.NEEDED}")
        return
    for size in (64,) if run.quick else (64, 1, 512):
        counts: dict[str, float] = {}
        for name, contender, orjson, between, sizes, quick in COUNTED:
            if (run.quick and not quick) or (size != 64 and size not in sizes):
                continue
            between = 300 if run.quick else max(between, 2 * size)  # noqa: PLW2901 - adapted to the run
            counts[name] = instructions.per_call(contender, run.servers.http, size, orjson=orjson, between=between)
        run.figures[f"instructions-{size}"] = counts
        title = f"One call, {size} at a time" if size > 1 else "One call after the other"
        table = Table(f"instructions-{size}", title, "thousand user instructions per call, counted by cachegrind")
        for name, count in counts.items():
            table.add(name, count / 1000, f"{count / counts['bare aiohttp']:.3f} × bare", ours=name.startswith(OURS))
        yield table


def cpu_section(run: Run) -> Iterator[Table]:
    plans = [("64", run.servers.http, 64, 18 if run.quick else 60)]
    if not run.quick:
        plans += [("1", run.servers.http, 1, 60), ("512", run.servers.http, 512, 30)]
        plans += [("slow-64", run.servers.slow, 64, 30), ("slow-512", run.servers.slow, 512, 30)]
    for key, base, size, rounds in plans:
        taken = module("cpu", base, "--concurrency", size, "--rounds", rounds)
        where = "a server 20 ms away" if key.startswith("slow") else "a server next door"
        table = Table(f"cpu-{key}", f"CPU of a call, {size} at a time, {where}", "microseconds per call, all threads")
        run.figures[f"cpu-{key}"] = {
            **compare(table, taken, cpu.BASELINE["async"], "bare"),
            "httpx_over_ours": ratio(taken, "httpx.AsyncClient", "AuthClient"),
            "compat_over_ours": ratio(taken, "callback layer", "AuthClient"),
        }
        yield table


def threads_section(run: Run) -> Iterator[Table]:
    rounds = 10 if run.quick else 40
    taken = module("cpu", run.servers.http, "--field", "threads", "--concurrency", 32, "--rounds", rounds)
    table = Table("threads", "CPU of a call from 32 threads", "microseconds per call, all threads")
    run.figures["threads"] = {
        **compare(table, taken, cpu.BASELINE["threads"], "the coroutine"),
        "over_requests": ratio(taken, "sync.AuthClient", "requests"),
        "over_httpx": ratio(taken, "sync.AuthClient", "httpx.Client"),
    }
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
    plans = [("fairness", "512 callers", run.servers.http, 512)]
    plans += [("failures", "5,000 callers, each hundredth call fails", run.servers.failing, 5000)]
    for key, text, base, callers in plans:
        table = Table(key, f"{text}, 100 connections: the worst wait", "milliseconds")
        for contender, name in (("bare", "aiohttp, limit=100"), ("ours", "AuthClient, max_connections=100")):
            calls = 12 * callers if run.quick else max(20_000, 12 * callers)
            figures = module("fairness", contender, base, calls, callers)
            worst = figures["worst"] / figures["median"]
            run.figures[f"{key}-{contender}"] = {**figures, "ratio": worst}
            note = f"{worst:.1f} × its median of {figures['median']:.1f} ms, {figures['failed']:.0f} failed"
            table.add(name, figures["worst"], note, ours=contender == "ours")
        yield table


def hop_section(run: Run) -> Iterator[Table]:
    taken = hop.measure(12 if run.quick else 60)
    table = Table("hop", "The callback layer without a network", "microseconds of CPU per call, all threads")
    for name, costs in taken.items():
        extra = run.figures.setdefault("hop", {})[name] = hop.hop(taken, name)
        table.add(name, statistics.median(costs), f"{extra:+.1f}", ours=name.startswith("callback"))
    yield table


def decoding_section(run: Run) -> Iterator[Table]:
    table = Table("decoding", "UserInfo from a decoded object of 60 fields", "microseconds")
    taken = decoding.measure(15 if run.quick else 60)
    run.figures["decoding"] = compare(table, taken, "by hand", "by hand")
    yield table


def photo_section(run: Run) -> Iterator[Table]:
    for kind, taken in module("photo", "times", 3 if run.quick else 15).items():
        table = Table(f"photo-{kind.lower()}", f"A 12-megapixel {kind} to 1280 pixels", "microseconds")
        figures = compare(table, taken, "best pipeline of Pillow", "best")
        for name in taken:
            figures[name]["mib"] = module("photo", "memory", kind, name) / 1024
        figures["eight_mib"] = module("photo", "eight", kind) / 1024
        gap = figures["gap_ms"] = module("photo", "gap", kind)
        run.figures[f"photo-{kind}"] = figures
        peaks = ", ".join(f"{name} {figures[name]['mib']:.0f}" for name in taken)
        table.remarks += [
            f"Longest gap of the event loop: {gap['median']:.1f} ms (worst of five {gap['worst']:.1f}).",
            f"Peak memory, MiB: {peaks}; ours, eight at once {figures['eight_mib']:.0f}.",
        ]
        yield table


def startup_section(run: Run) -> Iterator[Table]:
    table = Table("imports", "Importing", "microseconds of CPU beyond an interpreter that imports nothing")
    run.figures["imports"] = compare(table, startup.imports(7 if run.quick else 25), "aiohttp", "aiohttp")
    yield table
    table = Table("commands", "Commands and an empty pytest run", "microseconds")
    taken = startup.commands(5 if run.quick else 15)
    run.figures["commands"] = {
        **compare(table, taken, "python -c pass", "python"),
        "plugin": ratio(taken, "pytest with the plugin", "pytest without the plugin"),
    }
    yield table


def emulator_section(run: Run) -> Iterator[Table]:
    figures = run.figures["emulator"] = startup.emulator(3 if run.quick else 9)
    table = Table("emulator", "The emulator", "seconds from import to the first answer; MiB resident")
    table.add("first answer, s", figures["seconds"], f"whole process {figures['process_seconds']:.2f} s", ours=True)
    table.add("memory, MiB", figures["mib"], ours=True)
    yield table
    found = emulator.measure(2000 if run.quick else 10_000)
    figures.update(found["emulator"], share=found["bare"]["us"] / found["emulator"]["us"])
    table = Table("emulator-requests", "The emulator beside a bare handler", "microseconds of server CPU per request")
    for kind, row in found.items():
        note = f"{row['per_second']:.0f}/s, p99 {row['p99_over_p50']:.1f} × p50"
        table.add({"bare": "aiohttp.web, the same bytes"}.get(kind, kind), row["us"], note, ours=kind == "emulator")
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
        held = module("growth", "objects", key, run.servers.silent, 10_000)
        run.figures[f"growth-{key}"] = {**costs, "objects": held}
        for size, cost in costs.items():
            table.add(f"{name}, {int(size):,}", cost, f"{cost / costs['64']:.2f} × 64", ours=key != "bare")
        table.remarks.append(f"{name}: {held:.0f} objects per call in flight at 10,000.")
    yield table
    calls = 100_000 if run.quick else 1_000_000
    memory = run.figures["memory"] = module("growth", "memory", run.servers.http, calls)
    table = Table("memory", "Many calls one after the other", "MiB resident")
    table.add("after 10,000 calls", memory["after_10000"] / 1024, ours=True)
    table.add(
        f"after {calls:,} calls", memory[f"after_{calls}"] / 1024, f"{memory['growth'] / 1024:+.2f} MiB", ours=True
    )
    yield table


def items_section(run: Run) -> Iterator[Table]:
    table = Table("items", "One, ten and a hundred times as many items", "microseconds of CPU per item")
    for name, found in module("growth", "items", 3 if run.quick else 7).items():
        run.figures.setdefault("items", {})[name] = found["worst"]
        for times, cost, ratio_ in zip((1, 10, 100), found["us"], (1.0, *found["ratios"]), strict=True):
            table.add(f"{name}, {times} ×", cost, f"{ratio_:.2f} ×", ours=True)
        table.remarks.append(found["verdict"])
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


def batch_section(run: Run) -> Iterator[Table]:
    table = Table("batch", "Rows of a batch over HTTP", "microseconds per row")
    taken = batch.throughput(run.servers.http, *((2000, 5) if run.quick else (10_000, 11)))
    figures = run.figures["batch"] = compare(table, taken, batch.BASELINE, "hand-written")
    figures["journal_rate"] = ratio(taken, "verify_many", batch.JOURNAL)
    figures["files_rate"] = ratio(taken, batch.OWN_CLIENT, batch.FILES)
    yield table
    if run.quick:
        return
    costs = [asyncio.run(batch.per_row(200_000)) for _ in range(5)]
    few, many = batch.peak_memory(10_000), batch.peak_memory(1_000_000)
    figures.update(overhead_us=statistics.median(costs), memory_growth_mib=many - few)
    table = Table("batch-engine", "The batch engine alone", "")
    table.add("CPU of a row beyond its call, µs", figures["overhead_us"], ours=True)
    table.add("peak memory, 1,000,000 rows − 10,000, MiB", many - few, ours=True)
    for rate in (100.0, 500.0):
        reached, most = asyncio.run(batch.rate_held(rate, 10.0))
        figures[f"rate_{rate:g}"] = {"reached": reached / rate, "most_in_a_second": most}
        table.add(f"rate={rate:g}, reached per second", reached, f"at most {most} in any second", ours=True)
    yield table


SECTIONS: dict[str, Callable[[Run], Iterator[Table]]] = {
    "instructions": instructions_section,
    "cpu": cpu_section,
    "threads": threads_section,
    "official": official_section,
    "fairness": fairness_section,
    "hop": hop_section,
    "decoding": decoding_section,
    "photo": photo_section,
    "startup": startup_section,
    "emulator": emulator_section,
    "growth": growth_section,
    "items": items_section,
    "processes": processes_section,
    "batch": batch_section,
}
