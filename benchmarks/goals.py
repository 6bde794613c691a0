"""What is aimed at, beside what was measured."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.tables import Goal


def goals(figures: dict[str, Any]) -> list[Goal]:
    """The goals in the order of the project's own table."""
    at, over = partial(figure, figures), partial(ratio, figures)
    count, noisy = "instructions-64", bool(at("cpu-64", "noisy"))
    again = at("batch", "the same again (A/A)", "rate")
    batch_noisy = again is not None and abs(again - 1) > 0.05
    memory, calls = at("memory", "growth"), "1,000,000" if at("memory", "after_1000000") else "100,000"
    return [
        Goal("AuthClient ÷ bare aiohttp, instructions", 1.00, over(count, "AuthClient", "bare aiohttp")),
        Goal("the same with orjson (extra speed)", 0.88, over(count, "AuthClient, orjson", "bare aiohttp")),
        Goal(
            "the same ÷ tuned aiohttp without an SDK", 1.10, over(count, "AuthClient, orjson", "tuned aiohttp, orjson")
        ),
        Goal(
            "official authing 4.5.17 in threads ÷ AuthClient, CPU, http", 6, at("official-http", "ratio"), at_least=True
        ),
        Goal("the same over https", 50, at("official-https", "ratio"), at_least=True),
        Goal("httpx.AsyncClient ÷ AuthClient, CPU", 5, at("cpu-64", "httpx_over_ours"), at_least=True, doubtful=noisy),
        Goal("fairness: worst ÷ median wait, 512 callers, 100 connections", 3, at("fairness-ours", "ratio")),
        Goal("callback hop over the coroutine, µs", 15, at("hop")),
        Goal("callback layer ÷ coroutine, end to end, CPU", 1.15, at("cpu-64", "compat_over_ours"), doubtful=noisy),
        Goal("UserInfo from a decoded 60-field object, µs", 6, at("decoding", "from_wire (ours, cattrs)")),
        Goal(
            "batch rows/s ÷ a hand-written worker loop",
            0.95,
            at("batch", "verify_many", "rate"),
            at_least=True,
            doubtful=batch_noisy,
        ),
        Goal("batch on two processes ÷ one", 1.7, at("processes", "ratio"), at_least=True),
        Goal("12 MP JPEG ÷ the best pipeline of Pillow", 1.1, at("photo-JPEG", "ours", "ratio")),
        Goal("12 MP JPEG: longest gap of the loop, ms", 25, at("photo-JPEG", "gap_ms", "median")),
        Goal("12 MP JPEG: peak memory, MiB", 30, at("photo-JPEG", "ours", "mib")),
        Goal("import authing_mfa ÷ import aiohttp", 1.15, at("imports", "authing_mfa ratio")),
        Goal("CPU per call at 10,000 concurrent ÷ at 64", 1.3, over("growth-ours-default", "10000", "64")),
        Goal(f"memory after {calls} calls − after 10,000, MiB", 2, None if memory is None else memory / 1024),
    ]


def figure(figures: dict[str, Any], *path: str) -> Any:
    value: Any = figures
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def ratio(figures: dict[str, Any], section: str, name: str, other: str) -> float | None:
    one, two = figure(figures, section, name), figure(figures, section, other)
    return one / two if one and two else None
