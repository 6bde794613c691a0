"""Files and functions are short, or say why not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(
    path
    for folder in ("authing_mfa", "benchmarks", "examples", "scripts", "tests")
    for path in (ROOT / folder).rglob("*.py")
)


def trees():
    for path in FILES:
        text = path.read_text("utf-8")
        yield path.relative_to(ROOT).as_posix(), text.count("\n"), ast.parse(text)


@pytest.fixture(scope="module")
def parsed():
    """Name, number of lines and syntax tree of each file."""
    return list(trees())


def test_a_file_has_300_lines_or_says_why_not(parsed):
    """The text at its top names the reason; a short file has no such reason left."""
    long = {name for name, lines, _ in parsed if lines > 300}
    with_reason = {name for name, _, tree in parsed if "300 lines" in (ast.get_docstring(tree) or "")}
    assert long == with_reason - {"tests/test_sizes.py"}


def test_the_body_of_a_function_has_40_lines(parsed):
    """Its signature and its docstring are not counted."""
    too_long = []
    for name, _, tree in parsed:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                if body and (node.end_lineno or 0) - body[0].lineno >= 40:
                    too_long.append(f"{name}: {node.name}")
    assert too_long == []
