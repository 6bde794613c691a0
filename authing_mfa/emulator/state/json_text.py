"""Write JSON. `parse_json` and `check` accept only values that can be written again.

So the page and the admin API stay readable after any request.
"""

from __future__ import annotations

import json
import re
from typing import Any

from authing_mfa._json import DEPTH_LIMIT

__all__ = ["check", "check_text", "dump"]

_HALF_PAIR = re.compile("[\ud800-\udfff]")


def check(value: Any, levels: int = DEPTH_LIMIT) -> None:
    """Raise ValueError if *value* could not be written as JSON text and read again, or nests deeper than *levels*."""
    level = [value]
    for _ in range(levels):
        if not level:
            return
        level = [child for node in level for child in _children(node)]
    if level:
        raise ValueError("the JSON nests too deep")


def _children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return [*node, *node.values()]
    if isinstance(node, (list, tuple)):
        return list(node)
    if isinstance(node, str):
        check_text("a text of the JSON", node)
    elif isinstance(node, float):
        if node - node != 0:
            raise ValueError("a number of the JSON is not finite")
    elif isinstance(node, int):
        if not -(1 << 63) <= node < 1 << 64:
            raise ValueError("a whole number of the JSON has more than 64 bits")
    elif node is not None:
        raise ValueError(f"a {type(node).__name__} is no JSON value")
    return []


def check_text(name: str, text: str) -> None:
    """Raise ValueError if *text* cannot be written as UTF-8; *name* says which text it is."""
    if _HALF_PAIR.search(text):
        raise ValueError(f"{name} holds half of a surrogate pair, which is no character")


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # json.dumps would make one for each answer


def dump(value: Any) -> bytes:
    """Return *value* as compact JSON text in UTF-8. Half of a surrogate pair (from a header) becomes its escape."""
    return _ENCODER.encode(value).encode("utf-8", "backslashreplace")
