"""docs/reliability.md: every test that a promise names exists, and is run by the command that the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
PROMISES = PAGE.partition("## The longest gap")[0]
ROWS = [line for line in PROMISES.splitlines() if line.startswith("| ") and not line.startswith(("| promise", "|--"))]
NAMED = re.findall(r"(⏱ )?`((?:tests|scripts|\.ci)/[\w/.]+)(?:::(\w+))?`", "\n".join(ROWS))

OUTSIDE_OF_PYTEST = {
    "tests/wheel_check.py": ".ci/check-wheel",
    ".ci/pythons": ".ci/check",
    "scripts/release_check.py": "Makefile",
}
"""Checks that pytest does not collect, and what runs them."""


def functions(path: Path) -> dict[str, bool]:
    """The tests of a file, and whether each is one of the long ones."""
    # By text and not by `ast`: CPython 3.11 raises SystemError when garbage collection parses within a parse.
    found = {}
    for part in path.read_text(encoding="utf-8").split("\n\n\n"):
        if match := re.search(r"^(?:async )?def (\w+)", part, flags=re.MULTILINE):
            found[match[1]] = "@pytest.mark.soak" in part[: match.start()]
    return found


@pytest.mark.parametrize(("mark", "file", "test"), NAMED)
def test_each_named_test_exists(mark, file, test):
    """The file is there, the function is in it, and ⏱ stands at those that make soak runs."""
    path = ROOT / file
    assert path.is_file()
    if file in OUTSIDE_OF_PYTEST:
        command = (ROOT / OUTSIDE_OF_PYTEST[file]).read_text(encoding="utf-8")
        assert re.search(rf"^(?!\s*#).*\b{path.stem}\b", command, flags=re.MULTILINE)
    else:
        assert path.name.startswith("test_")
    if test:
        assert test.startswith("test_")
        tests = functions(path)
        assert test in tests
        assert tests[test] is bool(mark)


def test_each_promise_names_a_test():
    """No row goes without."""
    assert len(ROWS) >= 30
    assert [row for row in ROWS if not re.search(r"`(tests|scripts|\.ci)/", row)] == []
