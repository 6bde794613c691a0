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


def test_a_captcha_in_svg_is_drawn_for_tk():
    """The paths that a service draws: a letter with a hole, filled, and a curved line across the picture."""
    script = """
import sys
sys.path.insert(0, sys.argv[1])
from mfa_svg import draw_svg, is_svg
ring = "M10 10L40 10L40 40L10 40ZM20 20L20 30L30 30L30 20Z"
svg = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="150" height="50" viewBox="0,0,150,50">'
    '<rect width="100%" height="100%" fill="#f0f0f0"/>'
    f'<path fill="#0000ff" d="{ring}"/><path d="M60 25 Q80 25,100 25 C110 25,120 25,140 25" stroke="#ff0000" stroke-width="4" fill="none"/></svg>'
).encode()
picture = draw_svg(svg)
print(is_svg(svg), is_svg(b"\\x89PNG"), picture.size)
for place in (5, 5), (15, 15), (25, 25), (80, 25), (130, 25), (80, 40):
    print("%02x%02x%02x" % picture.getpixel(place))
"""
    done = run_program([sys.executable, "-W", "error", "-c", script, EXAMPLES])
    pixels = ["f0f0f0", "0000ff", "f0f0f0", "ff0000", "ff0000", "f0f0f0"]
    assert (done.stdout.splitlines(), done.stderr) == (["True False (150, 50)", *pixels], "")


def test_every_face_has_a_short_example():
    """Coroutines, plain code, callbacks."""
    assert [path.stem for path in SHORT] == ["short_async", "short_callbacks", "short_sync"]
