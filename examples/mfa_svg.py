"""Draw an SVG captcha with Pillow, for Tk, which reads no SVG before version 9. Qt reads it without help.

It knows what captchas are made of: rectangles, texts, and paths of straight lines and curves, filled or as lines.
"""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

from PIL import Image, ImageChops, ImageDraw, ImageFont

SCALE = 3  # the picture is drawn larger, and shrunk: that makes smooth edges
STEPS = 8  # straight pieces of a curve
POINTS = {"L": 1, "Q": 2, "C": 3}  # how many points follow the letter of a path's command

Point = tuple[float, float]


def is_svg(content: bytes) -> bool:
    """Return True if *content* is an SVG picture."""
    return content.lstrip()[:4].lower() == b"<svg"


def draw_svg(content: bytes) -> Image.Image:
    """Return the SVG picture *content* on white."""
    root = ET.fromstring(content)  # noqa: S314 - the service's answer, of bounded size; expat limits entities
    width, height = round(float(root.get("width", 150))), round(float(root.get("height", 50)))
    picture = Image.new("RGB", (width * SCALE, height * SCALE), "white")
    for element in root.iter():
        kind = element.tag.rpartition("}")[2]
        if kind == "rect":
            _draw_rectangle(picture, element)
        elif kind == "text":
            _draw_text(picture, element)
        elif kind == "path":
            _draw_path(picture, element)
    return picture.reduce(SCALE)


def _draw_rectangle(picture: Image.Image, element: ET.Element) -> None:
    left, top = _length(element, "x", picture.width), _length(element, "y", picture.height)
    right, bottom = left + _length(element, "width", picture.width), top + _length(element, "height", picture.height)
    ImageDraw.Draw(picture).rectangle((left, top, right, bottom), fill=element.get("fill", "black"))


def _draw_text(picture: Image.Image, element: ET.Element) -> None:
    font = ImageFont.load_default(_length(element, "font-size", picture.height) or 16 * SCALE)
    at = _length(element, "x", picture.width), _length(element, "y", picture.height)
    anchor = "ms" if element.get("text-anchor") == "middle" else "ls"
    ImageDraw.Draw(picture).text(at, element.text or "", element.get("fill", "black"), font, anchor)


def _draw_path(picture: Image.Image, element: ET.Element) -> None:
    outlines = _outlines(element.get("d", ""))
    fill, stroke = element.get("fill", "black"), element.get("stroke", "none")
    if fill != "none":
        covered = Image.new("1", picture.size)
        for outline in outlines:  # an outline inside of another one is a hole: the inside of an "o"
            part = Image.new("1", picture.size)
            ImageDraw.Draw(part).polygon(outline, fill=1)
            covered = ImageChops.logical_xor(covered, part)
        picture.paste(fill, mask=covered)
    if stroke != "none":
        for outline in outlines:
            ImageDraw.Draw(picture).line(outline, stroke, round(float(element.get("stroke-width", 1)) * SCALE))


def _length(element: ET.Element, name: str, whole: int) -> float:
    """Return a length in the larger picture's pixels; it may be a percentage of *whole*."""
    text = element.get(name, "0")
    return whole * float(text[:-1]) / 100 if text.endswith("%") else float(text.removesuffix("px")) * SCALE


def _outlines(path: str) -> list[list[Point]]:
    """Return the outlines of a path (commands M, L, Q, C and Z) as points in the larger picture's pixels."""
    outlines: list[list[Point]] = []
    for letter, text in re.findall(r"([MLQCZ])([^MLQCZ]*)", path):
        numbers = [float(number) * SCALE for number in re.findall(r"-?\d*\.?\d+", text)]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        if letter == "M":
            outlines.append(points)
        elif letter == "Z":
            outlines[-1].append(outlines[-1][0])
        else:
            for first in range(0, len(points), POINTS[letter]):
                control = [outlines[-1][-1], *points[first : first + POINTS[letter]]]
                outlines[-1] += [_on_curve(control, step / STEPS) for step in range(1, STEPS + 1)]
    return [outline for outline in outlines if len(outline) > 1]


def _on_curve(control: list[Point], share: float) -> Point:
    """Return the point of a Bézier curve after this share of the way. With two control points it is a straight line."""
    while len(control) > 1:
        control = [(x + (right - x) * share, y + (bottom - y) * share) for (x, y), (right, bottom) in pairwise(control)]
    return control[0]
