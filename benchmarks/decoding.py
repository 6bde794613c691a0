"""`UserInfo` from a decoded 60-key object, alone: ours through cattrs, cattrs as it comes, and by hand."""

from __future__ import annotations

import statistics
import timeit
from typing import Any

import cattrs

from authing_mfa.models import UserInfo
from authing_mfa.structuring import from_wire
from benchmarks.fixture import USER

TEXTS = {
    "username": "username",
    "nickname": "nickname",
    "name": "name",
    "email": "email",
    "phone": "phone",
    "phone_country_code": "phoneCountryCode",
    "user_pool_id": "userPoolId",
    "token": "token",
    "access_token": "access_token",
    "refresh_token": "refresh_token",
    "recovery_code": "recoveryCode",
}


def by_hand(raw: dict[str, Any]) -> UserInfo:
    """Checked, by a loop."""
    values = {"id": raw.get("id") or raw.get("sub"), "photo": raw.get("photo") or raw.get("picture")}
    values["id_token"] = raw.get("id_token") or raw.get("token")
    for name, key in TEXTS.items():
        values[name] = raw.get(key)
    for value in values.values():
        if value is not None and type(value) is not str:
            raise TypeError
    return UserInfo(**values, raw=raw)


def measure(rounds: int) -> dict[str, list[float]]:
    """Microseconds of each, taking turns."""
    plain = cattrs.Converter()
    snake = {name: USER.get(key) for name, key in TEXTS.items()} | {"id": USER["id"], "raw": USER}
    ways = {
        "from_wire (ours, cattrs)": lambda: from_wire(UserInfo, USER),
        "cattrs as it comes (coerces, no fall-backs)": lambda: plain.structure(snake, UserInfo),
        "by hand": lambda: by_hand(USER),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(timeit.timeit(way, number=2000) / 2000 * 1e6)
    return taken


def median(taken: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(figures) for name, figures in taken.items()}
