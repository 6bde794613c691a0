"""Write JSON. `parse_json` and `check` accept only values that can be written again.

So the page and the admin API stay readable after any request.
"""

from __future__ import annotations

import json
import re
from typing import Any

from authing_mfa._json import DEPTH_LIMIT

__all__ = ["check", "dump"]

_HALF_PAIR = re.compile("[\ud800-\udfff]")


def check(value: Any) -> None:
    """Raise ValueError if *value* could not be written as JSON text again."""
    level = [value]
    for _ in range(DEPTH_LIMIT):
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
        if _HALF_PAIR.search(node):
            raise ValueError("a text of the JSON holds half of a surrogate pair, which is no character")
    elif isinstance(node, float):
        if node - node != 0:
            raise ValueError("a number of the JSON is not finite")
    elif not isinstance(node, (int, type(None))):
        raise ValueError(f"a {type(node).__name__} is no JSON value")  # noqa: TRY004 - a value of a file, not an argument
    return []


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # json.dumps would make one for each answer


def dump(value: Any) -> bytes:
    """Return *value* as compact JSON text in UTF-8. Half of a surrogate pair (from a header) becomes its escape."""
    return _ENCODER.encode(value).encode("utf-8", "backslashreplace")
