"""The guard of `make bench-guard`: it notices what became slower, and says what it lacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import guard

ROOT = Path(__file__).parent.parent


def run(folder: Path, found: dict[str, float], known: dict[str, float], *options: str) -> int:
    """Run the guard with the ratios *found* beside a baseline of *known* ones."""
    path = folder / "baseline.json"
    path.write_text(json.dumps({guard.PYTHON: known, "2.7": {"AuthClient": 0.1}}))
    return guard.main(["--baseline", str(path), *options], lambda: found)


def test_six_percent_more_fails_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A call that needs 6 % more instructions fails; the text has the row, both figures and what to do."""
    assert run(tmp_path, {"AuthClient": 1.06}, {"AuthClient": 1.0}) == 1
    said = capsys.readouterr().out
    assert "FAILED AuthClient: 1.060 × bare aiohttp, baseline 1.000, +6.0%" in said
    assert "python -m benchmarks.guard --update" in said


@pytest.mark.parametrize("ratio", [1.04, 1.0, 0.5])
def test_four_percent_more_passes(tmp_path: Path, ratio: float) -> None:
    """What is within 5 %, or better than before, passes."""
    assert run(tmp_path, {"AuthClient": ratio}, {"AuthClient": 1.0}) == 0


def test_one_bad_row_among_good_ones_fails(tmp_path: Path) -> None:
    """Each row counts."""
    assert run(tmp_path, {"a": 1.0, "b": 1.2, "c": 1.0}, {"a": 1.0, "b": 1.0, "c": 1.0}) == 1


def test_a_row_that_the_baseline_lacks_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row without a figure for this Python is a failure, also where another Python has one."""
    assert run(tmp_path, {"AuthClient": 0.1}, {}) == 1
    assert f"FAILED AuthClient: the baseline has no figure for it on Python {guard.PYTHON}" in capsys.readouterr().out


def test_update_writes_this_python_and_keeps_the_others(tmp_path: Path) -> None:
    """After `--update` the same ratios pass, and the figures of other Pythons are still there."""
    assert run(tmp_path, {"AuthClient": 1.3}, {"AuthClient": 1.0}, "--update") == 0
    written = json.loads((tmp_path / "baseline.json").read_text())
    assert written == {guard.PYTHON: {"AuthClient": 1.3}, "2.7": {"AuthClient": 0.1}}


def test_the_baseline_has_every_row_of_every_supported_python() -> None:
    """The committed baseline has no gap."""
    baseline = json.loads((ROOT / "benchmarks" / "baseline.json").read_text())
    assert {version: set(rows) for version, rows in baseline.items()} == {
        version: set(guard.ROWS) for version in ("3.11", "3.12", "3.13")
    }


def test_without_valgrind_it_says_what_to_install(tmp_path: Path) -> None:
    """Where valgrind is missing, the guard fails and names the package."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.guard"],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "valgrind, which counts instructions, is not installed (Debian: apt-get install valgrind)."
    )
