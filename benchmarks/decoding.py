"""`UserInfo` from a decoded 60-key object, alone: ours, cattrs as it comes, and by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cattrs

from authing_mfa.models import UserInfo
from authing_mfa.structuring import from_wire
from benchmarks.fixture import USER
from benchmarks.turns import Taken, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable

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


def measure(rounds: int) -> Taken:
    """Microseconds of each."""
    plain = cattrs.Converter()
    snake = {name: USER.get(key) for name, key in TEXTS.items()} | {"id": USER["id"], "raw": USER}

    def turn(way: Callable[[], UserInfo]) -> Callable[[], int]:
        def calls() -> int:
            for _ in range(2000):
                way()
            return 2000

        return calls

    ways = {
        "from_wire (ours)": lambda: from_wire(UserInfo, USER),
        "cattrs as it comes (coerces, no fall-backs)": lambda: plain.structure(snake, UserInfo),
        "by hand": lambda: by_hand(USER),
    }
    return take_turns({name: turn(way) for name, way in ways.items()}, rounds)
