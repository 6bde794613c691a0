"""Print data to stdout and everything else to stderr. Colours are used only if they are wanted and the terminal has them."""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import re
import sys
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

__all__ = [
    "Output",
    "OutputError",
    "ReaderGoneError",
    "cell",
    "let_streams_degrade",
    "moment",
    "visible",
    "wants_colour",
]


_ESCAPE: Final = f"\ue000{os.urandom(8).hex()}\ue000"
"""Replaces ESC in our own styles until a line is written. It cannot be guessed, so no other text can become an ESC."""

_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that move the cursor, change the terminal or the direction of writing, or are invalid; not tab and line break."""

_PLAIN: Final = str.maketrans(
    {"…": "...", "–": "-", "—": "-", "→": "->", "’": "'", "“": '"', "”": '"', "·": "-", "×": "x"}
)


def _degrade(error: UnicodeError) -> tuple[str, int]:
    """Return the replacement for characters that a stream's encoding lacks: a similar character, else ``?``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return error.object[error.start : error.end].translate(_PLAIN).encode("ascii", "replace").decode(), error.end


codecs.register_error("authing_mfa.degrade", _degrade)


def let_streams_degrade() -> None:
    """Make stdout and stderr replace characters that an 8-bit locale lacks instead of failing; help pages of click use this too."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="authing_mfa.degrade")


def visible(text: str) -> str:
    """Return *text* with its control characters as escapes, so that no text of a service can control the terminal."""
    return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def cell(value: object) -> str:
    """Return *value* as the text of one cell in one line: line breaks and tabs are escaped."""
    return visible(str(value)).replace("\n", "\\n").replace("\t", "\\t")


def moment(epoch: float) -> str:
    """Return *epoch* seconds as a time of day, or as a number if no calendar has that date."""
    try:
        return f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{epoch:g} s after 1970"


class OutputError(Exception):
    """Stdout cannot be written, e.g. because the disk is full. It is not an OSError: those of commands have other meanings."""


class ReaderGoneError(Exception):
    """The reader closed our output. It is not an OSError, because click would turn that into exit code 1, which has another meaning."""


def wants_colour(environ: Mapping[str, str], stream: IO[str] | None) -> bool:
    """Return True if *stream* gets colours.

    NO_COLOR switches colours off; else FORCE_COLOR switches them on (0: off); else a terminal has colours, unless TERM is ``dumb``.
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
        as_json: stdout gets one JSON object and nothing else.
    """

    def __init__(self, environ: Mapping[str, str], *, as_json: bool = False) -> None:
        self._environ = environ
        self.as_json = as_json
        self.command = ""

    # ─────────────────────────────── stdout ───────────────────────────────

    def data(self, value: Any, lines: str | Iterable[str] = (), *, code: int = 0) -> None:
        """Write the answer of the command: *value* as `data` of the one JSON object, or *lines* of text.

        Raises:
            OutputError: stdout is closed or cannot be written.
        """
        shown = [lines] if isinstance(lines, str) else list(lines)
        if sys.stdout is None and (self.as_json or shown):  # it was closed when Python started
            raise OutputError(os.strerror(errno.EBADF))
        if self.as_json:
            self.write_json({"ok": code == 0, "command": self.command, "exit": code, "data": value})
            return
        for line in shown:
            self.write(line)

    def error(self, text: str, found: Mapping[str, Any], code: int) -> None:
        """Write an error: its sentence to stderr, and with `--json` the one object to stdout."""
        if self.as_json:
            self.write_json({"ok": False, "command": self.command, "exit": code, "error": dict(found)})
        self.note(self.styled(text, sys.stderr, fg="red"))

    def write_json(self, value: Mapping[str, Any]) -> None:
        """Write *value* as one line to stdout; characters that the stream or a terminal cannot show are JSON escapes."""
        import json

        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        text = json.dumps(value, ensure_ascii=not encoding.lower().startswith("utf"), default=str)
        self.write(_CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text))

    def write(self, line: str) -> None:
        """Write a line of data. Characters that the terminal cannot show are replaced, control characters are escapes."""
        try:
            _write(sys.stdout, line)
        except OSError as error:
            raise OutputError(error.strerror or type(error).__name__) from error

    def fields(self, pairs: Iterable[tuple[str, Any]]) -> list[str]:
        """Return names and values in two columns, without values that are None."""
        shown = [(name, cell(value)) for name, value in pairs if value is not None]
        width = max((len(name) for name, _ in shown), default=0)
        return [f"{self.styled(name.ljust(width), sys.stdout, dim=True)}  {value}" for name, value in shown]

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
        """Return rows in columns with titles for a terminal, else tab-separated and without titles."""
        shown = [["" if value is None else cell(value) for value in row] for row in rows]
        if sys.stdout is None or not sys.stdout.isatty():
            return ["\t".join(row) for row in shown]
        widths = [max(len(row[place]) for row in [list(titles), *shown]) for place in range(len(titles))]
        head = "  ".join(title.ljust(width) for title, width in zip(titles, widths, strict=True)).rstrip()
        body = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in shown]
        return [self.styled(head, sys.stdout, bold=True), *body]

    # ─────────────────────────────── stderr ───────────────────────────────

    def note(self, line: str) -> None:
        """Write a sentence for the person at the terminal. If it cannot be written, or nobody reads it, the command goes on."""
        with contextlib.suppress(OSError, ReaderGoneError):
            _write(sys.stderr, line)

    def good(self, line: str) -> None:
        """Write a sentence about a success."""
        self.note(self.styled(line, sys.stderr, fg="green"))

    def warn(self, line: str) -> None:
        """Write a warning."""
        self.note(self.styled(line, sys.stderr, fg="yellow"))

    # ─────────────────────────────── looks ───────────────────────────────

    def is_live(self, stream: IO[str] | None) -> bool:
        """Return True if *stream* is a terminal whose lines can be overwritten."""
        return stream is not None and stream.isatty() and self._environ.get("TERM") not in ("dumb", "unknown")

    def styled(self, text: str, stream: IO[str] | None, **style: Any) -> str:
        """Return *text* with a style if *stream* shows styles."""
        if not wants_colour(self._environ, stream):
            return text
        return click.style(visible(text), **style).replace("\x1b", _ESCAPE)

    def console(self, *, stderr: bool = False) -> Console:
        """Return a rich console with the same rules."""
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
    shown = visible(line).replace(_ESCAPE, "\x1b")
    try:
        try:
            stream.write(shown + "\n")
        except UnicodeEncodeError:  # a stream that we must not change
            encoding = getattr(stream, "encoding", None) or "ascii"
            stream.write(shown.encode(encoding, "authing_mfa.degrade").decode(encoding) + "\n")
        stream.flush()
    except BrokenPipeError as error:
        raise ReaderGoneError from error
