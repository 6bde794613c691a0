"""docs/reliability.md: every test that a promise names exists, and is run by the command that the page says; in Chinese, too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def rows(page: str, end: str) -> list[str]:
    """The promises of a page: the rows of its tables in front of the heading *end*, without those that name the columns."""
    promises, found, _ = (ROOT / "docs" / page).read_text(encoding="utf-8").partition(f"## {end}\n")
    assert found
    return [row for table in re.findall(r"(?:^\|.*\n)+", promises, re.MULTILINE) for row in table.splitlines()[2:]]


def named(row: str) -> list[tuple[str, str, str]]:
    """The tests of a row: the mark of the long ones, the file, the function."""
    return re.findall(r"(⏱ )?`((?:tests|scripts|\.ci)/[\w/.]+)(?:::(\w+))?`", row)


ROWS = rows("reliability.md", "The longest gap of the event loop")
NAMED = [test for row in ROWS for test in named(row)]

OUTSIDE_OF_PYTEST = {
    "tests/wheel_check.py": {
        ".ci/check-wheel": ["wheel_check.py"],
        ".ci/check": ["wheel() { .ci/check-wheel; }", "together wheel", "await_all"],
    },
    ".ci/pythons": {".ci/check": ["PY=$PY .ci/pythons", "wait $pythons"]},
    "scripts/release_check.py": {"Makefile": ["-m scripts.release_check"]},
}
"""Checks that pytest does not collect, and the lines that run them."""


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
        for script, lines in OUTSIDE_OF_PYTEST[file].items():
            commands = re.sub(r"#.*", "", (ROOT / script).read_text(encoding="utf-8"))
            assert [line for line in lines if line not in commands] == []
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


def test_the_chinese_page_has_the_same_promises_and_tests():
    """Row by row: the same tests in the same order, with the same marks."""
    chinese = rows("zh/reliability.md", "事件循环的最长停顿")
    assert [named(row) for row in chinese] == [named(row) for row in ROWS]
