"""Strict JSON both ways, the same with orjson and without it: what is accepted must not depend on what is installed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from typing import NoReturn

try:
    import orjson
except ImportError:  # the extra `speed` installs orjson; the standard library does the same, more slowly
    orjson = None  # type: ignore[assignment]  # a module, or what stands for its absence

__all__ = ["CONTAINER_LIMIT", "DEPTH_LIMIT", "LARGE_FILE", "dump_json", "orjson", "parse_json"]

DEPTH_LIMIT: Final = 100
"""How deep an answer's JSON may nest. The service's own answers nest four levels."""

CONTAINER_LIMIT: Final = 10_000
"""How many objects and lists an answer's JSON may have. The service's own answers have fewer than 200."""

LARGE_FILE: Final = 5_000_000
"""The same for a file of the user: a snapshot or a seed file of the emulator."""

# ─────────────────────────────── writing ───────────────────────────────

_encoder: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def dump_json(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value) if orjson is not None else _stdlib_dumps(value)


def _stdlib_dumps(value: dict[str, Any]) -> bytes:
    """Return a flat object as JSON. Operations are flat, and encoding value by value avoids the slow start of the whole encoder."""
    text = _encoder.encode
    members = [
        f'"{name}":{"true" if item is True else "false" if item is False else text(item)}'
        for name, item in value.items()
    ]
    return f"{{{','.join(members)}}}".encode()


# ─────────────────────────────── reading ───────────────────────────────


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return value


def _whole(text: str) -> int | float:
    """Return a number without a point. Beyond 64 bits it is a float, as orjson has it."""
    value = int(text) if len(text) < 21 else None
    return value if value is not None and -(1 << 63) <= value < 1 << 64 else _finite(text)


# The standard library's parser, as strict as orjson: what is accepted must not depend on what is installed.
_decoder: Final = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite, parse_int=_whole)
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


def _stdlib_loads(body: bytes) -> Any:
    text = str(body, "utf-8")
    try:
        value, end = _decoder.raw_decode(text)
    except ValueError:
        value, end = None, -1
    if end != len(text):  # white space around the JSON, or no JSON at all: the slower parser finds out
        value = _decoder.decode(text)
    if b"\\" in body and _SURROGATE.search(body):
        _encoder.encode(value).encode()  # half of a surrogate pair: UnicodeEncodeError, a ValueError
    return value


def parse_json(body: bytes, *, most: int = CONTAINER_LIMIT) -> Any:
    """Return *body* as JSON.

    Args:
        body: UTF-8, with a byte order mark or without.
        most: how many objects and lists it may have.

    Raises:
        ValueError: *body* is not JSON, nests too deep, or has too many parts. The text is never in the error: it may hold tokens.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    if not body.strip():
        raise ValueError("it is empty")
    # At most so many: a bracket may be part of a text. `replace` leaps from one to the next, `count` looks at each byte.
    containers = 2 * len(body) - len(body.replace(b"{", b"")) - len(body.replace(b"[", b""))
    if containers > most:
        raise ValueError("its JSON has too many parts")
    try:
        value = orjson.loads(body) if orjson is not None else _stdlib_loads(body)
    except RecursionError:
        raise ValueError("its JSON nests too deep") from None
    except ValueError:
        raise ValueError("it is not JSON") from None
    if containers > DEPTH_LIMIT:
        _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH_LIMIT):
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return
    raise ValueError("its JSON nests too deep")
