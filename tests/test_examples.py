"""The examples run as programs and print what they promise."""

import sys
from pathlib import Path

import pytest

from tests.programs import run_program

EXAMPLES = Path(__file__).parents[1] / "examples"
SHORT = sorted(EXAMPLES.glob("short_*.py"))


@pytest.mark.parametrize("path", SHORT, ids=lambda path: path.name)
def test_a_short_example_signs_in_and_is_short(path):
    """One for each face, with nothing but the package."""
    assert len(path.read_text("utf-8").splitlines()) <= 40
    done = run_program([sys.executable, "-W", "error", path])
    assert (done.stdout, done.stderr) == ("Hello, ada\n", "")


def test_every_face_has_a_short_example():
    """Coroutines, plain code, callbacks."""
    assert [path.stem for path in SHORT] == ["short_async", "short_callbacks", "short_sync"]
