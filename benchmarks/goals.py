"""What is aimed at, beside what was measured."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Goal

SPEED = "AuthClient, extra speed (orjson, uvloop)"

# Text, limit, and where the figure stands; a last part that begins with ÷ divides by that one beside it.
AT_MOST: list[tuple[str, float, tuple[str, ...]]] = [
    ("AuthClient ÷ bare aiohttp, instructions", 1.00, ("instructions-64", "AuthClient", "÷ bare aiohttp")),
    ("the same with orjson (extra speed)", 0.85, ("instructions-64", "AuthClient, orjson", "÷ bare aiohttp")),
    ("AuthClient ÷ bare aiohttp, CPU seconds", 1.00, ("cpu-64", "AuthClient", "ratio")),
    ("the same with the extra speed (orjson, uvloop), CPU", 0.80, ("cpu-64", SPEED, "ratio")),
    ("sync.AuthClient ÷ requests, CPU, 32 threads", 0.5, ("threads", "over_requests")),
    ("sync.AuthClient ÷ httpx.Client, CPU, 32 threads", 0.35, ("threads", "over_httpx")),
    ("callback hop over the coroutine, one at a time, µs", 50, ("hop", "callback layer, one at a time")),
    ("callback hop over the coroutine, 64 in flight, µs", 15, ("hop", "callback layer, 64 in flight")),
    ("callback layer ÷ coroutine, end to end, CPU", 1.15, ("cpu-64", "compat_over_ours")),
    ("objects per call in flight at 10,000", 40, ("growth-ours", "objects")),
    ("CPU at 10,000 at a time ÷ at 64, a connection each", 1.25, ("growth-ours", "10000", "÷ 64")),
    ("the same as the client comes", 1.25, ("growth-ours-default", "10000", "÷ 64")),
    ("worst ÷ median wait, 5,000 callers, 100 connections, 1 % failing", 2, ("failures-ours", "ratio")),
    ("UserInfo from a decoded 60-field object, µs", 6, ("decoding", "from_wire (ours)", "us")),
    ("12 MP JPEG ÷ the best pipeline of Pillow", 1.0, ("photo-JPEG", "ours", "ratio")),
    ("12 MP JPEG: longest gap of the loop, ms", 25, ("photo-JPEG", "gap_ms", "median")),
    ("12 MP JPEG: peak memory, MiB", 30, ("photo-JPEG", "ours", "mib")),
    ("12 MP PNG, eight at once: peak memory, MiB", 300, ("photo-PNG", "eight_mib")),
    ("import of AuthClient ÷ import aiohttp", 1.10, ("imports", "authing_mfa.AuthClient", "ratio")),
    ("authing-mfa --help ÷ python -c pass, wall clock", 8, ("commands", "authing-mfa --help", "ratio")),
    ("authing-mfa check ÷ python -c pass, wall clock", 25, ("commands", "authing-mfa check", "ratio")),
    ("an empty pytest run with the plugin ÷ without", 1.05, ("commands", "plugin")),
    ("emulator: p99 ÷ p50, 64 at a time", 5, ("emulator", "p99_over_p50")),
    ("memory after many calls − after 10,000, KiB", 2048, ("memory", "growth")),
]
AT_LEAST: list[tuple[str, float, tuple[str, ...]]] = [
    ("official authing 4.5.17 in threads ÷ AuthClient, CPU, http", 7, ("official-http", "ratio")),
    ("the same over https", 120, ("official-https", "ratio")),
    ("httpx.AsyncClient ÷ AuthClient, CPU", 5, ("cpu-64", "httpx_over_ours")),
    ("batch rows/s from CSV to JSON lines with journal ÷ without, new clients", 0.9, ("batch", "files_rate")),
    ("batch on two processes ÷ one, of what is possible", 0.95, ("processes", "ratio", "÷ ceiling")),
    ("emulator ÷ bare aiohttp.web handler, requests per CPU second", 0.5, ("emulator", "share")),
]
GROWTH = 1.3


def goals(figures: dict[str, Any]) -> list[Goal]:
    """The goals in the order of the project's own table, those that have to be at least so much behind them, then growth."""
    noisy = any(figure(figures, section, "noisy") for section in ("cpu-64", "threads", "batch"))

    def goal(text: str, limit: float, path: tuple[str, ...], *, at_least: bool = False) -> Goal:
        doubtful = noisy and ("CPU" in text or "rows/s" in text)
        return Goal(text, limit, figure(figures, *path), at_least, doubtful)

    return [
        *(goal(*row) for row in AT_MOST),
        *(goal(*row, at_least=True) for row in AT_LEAST),
        *(goal(f"growth, {name}", GROWTH, ("items", name)) for name in figures.get("items", {})),
    ]


def figure(figures: dict[str, Any], *path: str) -> Any:
    """The figure at *path*, None where it was not measured."""
    *folders, last = path
    here: Any = figures
    for key in folders[:-1] if last.startswith("÷ ") else folders:
        here = here.get(key, {})
    if last.startswith("÷ "):
        one, two = here.get(folders[-1]), here.get(last[2:])
        return one / two if one and two else None
    return here.get(last)
