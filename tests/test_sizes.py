"""Files and functions are short, or say why not."""

from __future__ import annotations

import ast
import gc
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = sorted(
    path
    for folder in ("authing_mfa", "benchmarks", "examples", "scripts", "tests")
    for path in (ROOT / folder).rglob("*.py")
)


def parsed() -> list[tuple[str, int, ast.Module]]:
    """Name, number of lines and syntax tree of each file."""
    found = []
    gc.disable()  # Python 3.11 raises SystemError when a collection parses something inside of a parse
    try:
        for path in FILES:
            text = path.read_text("utf-8")
            found.append((path.relative_to(ROOT).as_posix(), text.count("\n"), ast.parse(text)))
    finally:
        gc.enable()
    return found


def test_files_and_functions_are_short():
    """300 lines for a file, unless the text at its top names the reason; 40 for a function, without signature and docstring."""
    files = parsed()
    long = {name for name, lines, _ in files if lines > 300}
    with_reason = {name for name, _, tree in files if "300 lines" in (ast.get_docstring(tree) or "")}
    assert long == with_reason
    too_long = []
    for name, _, tree in files:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                if body and (node.end_lineno or 0) - body[0].lineno >= 40:
                    too_long.append(f"{name}: {node.name}")
    assert too_long == []
