"""A table of figures: printed, and drawn as bars in an SVG of a few dozen lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

WIDTH, ROW, LABEL, VALUE = 910, 26, 300, 260


@dataclass
class Row:
    """One bar: a name, its figure, and what to say beside it."""

    name: str
    figure: float
    note: str = ""
    ours: bool = False


@dataclass
class Table:
    """Figures of one kind, smaller being better unless the title says otherwise."""

    key: str
    title: str
    unit: str
    rows: list[Row] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, name: str, figure: float, note: str = "", *, ours: bool = False) -> None:
        self.rows.append(Row(name, figure, note, ours))

    def text(self) -> str:
        lines = ["", f"{self.title} ({self.unit})"]
        lines += [f"  {row.name:<44}{number(row.figure):>12}   {row.note}".rstrip() for row in self.rows]
        lines += [f"  {remark}" for remark in self.remarks]
        return "\n".join(lines)

    def svg(self) -> str:
        height = 60 + ROW * len(self.rows) + 18 * len(self.remarks)
        most = max((row.figure for row in self.rows), default=1.0) or 1.0
        room = WIDTH - LABEL - VALUE
        parts = [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
                'font-family="system-ui, sans-serif" font-size="13" role="img">'
            ),
            f"<title>{escape(self.title)}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="12" y="24" font-size="15" font-weight="600" fill="#1f2933">{escape(self.title)}</text>',
            f'<text x="12" y="42" fill="#616e7c">{escape(self.unit)}</text>',
        ]
        for place, row in enumerate(self.rows):
            top = 54 + ROW * place
            length = max(2.0, room * row.figure / most)
            fill = "#2563eb" if row.ours else "#a8b3c1"
            note = f"{number(row.figure)}  {row.note}".strip()
            parts += [
                f'<text x="{LABEL - 8}" y="{top + 15}" text-anchor="end" fill="#1f2933">{escape(row.name)}</text>',
                f'<rect x="{LABEL}" y="{top + 2}" width="{length:.1f}" height="{ROW - 8}" rx="2" fill="{fill}"/>',
                f'<text x="{LABEL + length + 6:.1f}" y="{top + 15}" fill="#1f2933">{escape(note)}</text>',
            ]
        for place, remark in enumerate(self.remarks):
            top = 54 + ROW * len(self.rows) + 14 + 18 * place
            parts.append(f'<text x="12" y="{top}" fill="#616e7c" font-size="12">{escape(remark)}</text>')
        return "\n".join([*parts, "</svg>", ""])

    def draw(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"bench-{self.key}.svg").write_text(self.svg(), encoding="utf-8")


def number(value: float) -> str:
    """Three figures that count, thousands apart."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


@dataclass
class Goal:
    """What is aimed at, and what came of it; None where it was not measured in this run."""

    text: str
    limit: float
    value: float | None
    at_least: bool = False
    doubtful: bool = False  # the run was too noisy to say

    @property
    def mark(self) -> str:
        if self.value is None:
            return "not measured"
        kept = self.value >= self.limit if self.at_least else self.value <= self.limit
        return ("kept" if kept else "MISSED") + (", too noisy" if self.doubtful else "")

    def row(self) -> str:
        shown = "" if self.value is None else number(self.value)
        return f"  {self.text:<74} {'≥' if self.at_least else '≤'} {number(self.limit):>6} {shown:>9}   {self.mark}"


def goals_text(goals: Iterable[Goal]) -> str:
    return "\n".join(["", "The goals", *(goal.row() for goal in goals)])
