"""What is printed where: stdout is data, stderr is everything else. Colour only where it is wanted and can be seen."""

from __future__ import annotations

import json
import sys
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

__all__ = ["Output", "ReaderGoneError", "wants_colour"]


class ReaderGoneError(Exception):
    """Whoever read our output has gone. Not an OSError: click would make exit code 1 of it, which means another thing."""


def wants_colour(environ: Mapping[str, str], stream: IO[str] | None) -> bool:
    """Whether *stream* gets colours.

    NO_COLOR switches them off; else FORCE_COLOR on (0: off); else a terminal has them, unless TERM is ``dumb``.
    """
    if environ.get("NO_COLOR"):
        return False
    force = environ.get("FORCE_COLOR")
    if force:
        return force != "0"
    return stream is not None and stream.isatty() and environ.get("TERM") != "dumb"


class Output:
    """The two streams of one run.

    Attributes:
        as_json: one JSON object goes to stdout, and nothing else does.
    """

    def __init__(self, environ: Mapping[str, str], *, as_json: bool = False) -> None:
        self._environ = environ
        self.as_json = as_json
        self.command = ""

    # ─────────────────────────────── stdout ───────────────────────────────

    def data(self, value: Any, lines: str | Iterable[str] = (), *, code: int = 0) -> None:
        """The answer of the command: *value* as `data` of the one JSON object, or *lines* of text."""
        if self.as_json:
            self.write_json({"ok": code == 0, "command": self.command, "exit": code, "data": value})
            return
        for line in [lines] if isinstance(lines, str) else lines:
            self.write(line)

    def error(self, text: str, found: Mapping[str, Any], code: int) -> None:
        """An error: its sentence on stderr, and with `--json` the one object on stdout."""
        if self.as_json:
            self.write_json({"ok": False, "command": self.command, "exit": code, "error": dict(found)})
        self.note(self.styled(text, sys.stderr, fg="red"))

    def write_json(self, value: Mapping[str, Any]) -> None:
        """*value* on one line of stdout."""
        self.write(json.dumps(value, ensure_ascii=False, default=str))

    def write(self, line: str) -> None:
        """A line of data. What the terminal cannot show is replaced, never an error."""
        _write(sys.stdout, line)

    def fields(self, pairs: Iterable[tuple[str, Any]]) -> list[str]:
        """Names and values in two columns; what is None is left out."""
        shown = [(name, str(value)) for name, value in pairs if value is not None]
        width = max((len(name) for name, _ in shown), default=0)
        return [f"{self.styled(name.ljust(width), sys.stdout, dim=True)}  {value}" for name, value in shown]

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
        """Rows in columns under their titles on a terminal; without one, tab-separated and without titles."""
        shown = [["" if cell is None else str(cell) for cell in row] for row in rows]
        if not sys.stdout.isatty():
            return ["\t".join(row) for row in shown]
        widths = [max(len(row[place]) for row in [list(titles), *shown]) for place in range(len(titles))]
        head = "  ".join(title.ljust(width) for title, width in zip(titles, widths, strict=True)).rstrip()
        body = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]
        return [self.styled(head, sys.stdout, bold=True), *body]

    # ─────────────────────────────── stderr ───────────────────────────────

    def note(self, line: str) -> None:
        """A sentence for the person at the terminal."""
        _write(sys.stderr, line)

    def good(self, line: str) -> None:
        """A sentence about something that worked."""
        self.note(self.styled(line, sys.stderr, fg="green"))

    def warn(self, line: str) -> None:
        """A sentence about something that should be known."""
        self.note(self.styled(line, sys.stderr, fg="yellow"))

    # ─────────────────────────────── looks ───────────────────────────────

    def is_live(self, stream: IO[str] | None) -> bool:
        """Whether *stream* is a terminal on which lines can be drawn over."""
        return stream is not None and stream.isatty() and self._environ.get("TERM") not in ("dumb", "unknown")

    def styled(self, text: str, stream: IO[str] | None, **style: Any) -> str:
        """*text* with a style where *stream* shows it."""
        return click.style(text, **style) if wants_colour(self._environ, stream) else text

    def console(self, *, stderr: bool = False) -> Console:
        """A rich console that keeps to the same rules."""
        from rich.console import Console

        stream = sys.stderr if stderr else sys.stdout
        colour = wants_colour(self._environ, stream)
        return Console(
            file=stream,
            force_terminal=True if colour else None,
            no_color=not colour,
            color_system="auto" if colour else None,
            highlight=False,
            emoji=False,
            legacy_windows=False,
        )


def _write(stream: IO[str] | None, line: str) -> None:
    if stream is None:
        return
    try:
        try:
            stream.write(line + "\n")
        except UnicodeEncodeError:
            encoding = getattr(stream, "encoding", None) or "ascii"
            stream.write(line.encode(encoding, "replace").decode(encoding) + "\n")
        stream.flush()
    except BrokenPipeError as error:
        raise ReaderGoneError from error
