"""Read text files of other programs: in UTF-8, GB18030 or UTF-16, with any line endings.

Excel in China saves CSV in GB18030, and "Unicode text" in UTF-16 with tabs. The first bytes decide the encoding; in a file that can
be read twice, all of its lines decide: one damaged line does not change how other lines are read.
"""

from __future__ import annotations

import codecs
import io
from contextlib import contextmanager
from functools import partial
from typing import IO, TYPE_CHECKING, Final, TypeVar

import attrs

from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

T = TypeVar("T")

__all__ = ["LONGEST_LINE", "ReadingStopped", "Survey", "check_encoding", "lines", "survey"]

LONGEST_LINE: Final = 1 << 20
"""Characters; a longer line is not read as a row."""

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_CELL: Final = b' \t\r\n,;|"'  # a line of these characters has no cell
_CJK: Final = "\u2e80"  # the first letter of Chinese, Japanese and Korean
_HEAD: Final = 4096  # how many bytes are checked


@attrs.frozen
class Survey:
    """The facts that reading through a whole text file gives.

    Attributes:
        encoding: the name of a Python codec.
        lines: the approximate number of lines; lines without a cell are left out.
        empty: the file holds only white space.
    """

    encoding: str
    lines: int
    empty: bool


def check_encoding(name: str | None) -> str | None:
    """Return Python's name of the encoding *name*.

    Raises:
        InvalidInputError: *name* is not the name of a text encoding.
    """
    if name is None:
        return None
    try:
        found = codecs.lookup(name)
        "".encode(name)
    except (LookupError, TypeError, ValueError):
        raise InvalidInputError(
            f"There is no text encoding {name!r}: use a name like utf-8, gb18030 or utf-16."
        ) from None
    return "gb18030" if found.name in ("gbk", "gb2312") else found.name


class ReadingStopped(Exception):  # noqa: N818 - it reports no error: nobody waits for the result any more
    """The event that stops a reading is set."""


def survey(file: io.BufferedReader, encoding: str | None, stop: threading.Event) -> Survey:
    """Read all of *file* to find its encoding, unless *encoding* names it, and its number of lines.

    Raises:
        ReadingStopped: *stop* was set before the end of the file.
    """
    head = file.peek(_HEAD)[:_HEAD]
    encoding = encoding or _by_first_bytes(head)
    if encoding is not None and encoding.startswith("utf-16"):
        text = io.TextIOWrapper(file, encoding, errors="replace", newline="")
        try:
            count, empty = 0, True
            for line in _until(stop, iter(lambda: text.readline(LONGEST_LINE), "")):
                count += 1
                empty = empty and not line.strip()
            return Survey(encoding, count, empty)
        finally:
            text.detach()
    return _survey_bytes(_until(stop, iter(partial(file.readline, LONGEST_LINE), b"")), encoding)


def _until(stop: threading.Event, read: Iterator[T]) -> Iterator[T]:
    """Yield the lines of *read*; raise `ReadingStopped` once *stop* is set."""
    for line in read:
        if stop.is_set():
            raise ReadingStopped
        yield line


def _survey_bytes(read: Iterator[bytes], encoding: str | None) -> Survey:
    """Survey a text whose line ends are single bytes. Without a given encoding, the majority of its lines decides."""
    count = good = bad = 0
    empty = True
    for line in read:
        count += bool(line.strip(_NO_CELL))
        empty = empty and not line.strip()
        if encoding is None and not line.isascii():
            if _is(line, "utf-8"):
                good += 1
            else:
                bad += _is(line, "gb18030")
    return Survey(encoding or ("gb18030" if bad > good else "utf-8"), count, empty)


def _by_first_bytes(head: bytes) -> str | None:
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head:  # Latin letters in UTF-16: every other byte is zero
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if odd > len(head) // 4 > even:
            return "utf-16-le"
        if even > len(head) // 4 > odd:
            return "utf-16-be"
    return None


def _is(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


class _Lines:
    """Yields the lines of a text, numbered from 1. A line longer than `LONGEST_LINE` is None."""

    def __init__(self, text: io.TextIOWrapper, *, guess: bool) -> None:
        self._text = text
        self._guess = guess  # UTF-8 until a line is not UTF-8
        self._chinese = False

    def __iter__(self) -> Iterator[str | None]:
        read = self._text.readline
        while line := read(LONGEST_LINE):
            if len(line) < LONGEST_LINE or line.endswith(("\n", "\r")):
                yield self._mended(line) if self._guess and not line.isascii() else line
                continue
            while (more := read(LONGEST_LINE)) and len(more) == LONGEST_LINE and not more.endswith(("\n", "\r")):
                pass
            yield None

    def _mended(self, line: str) -> str:
        """Decode a line of a pipe, which cannot be read twice: the first line of Chinese decides if the text is UTF-8 or GB18030."""
        if not self._chinese:
            try:
                line.encode()
            except UnicodeEncodeError:  # the line holds bytes that are not UTF-8
                self._chinese = True
            else:
                # GB18030 is seldom valid UTF-8, and if it is, its letters are not Chinese.
                self._guess = max(line) < _CJK
                return line
        try:
            return line.encode("utf-8", "surrogateescape").decode("gb18030")
        except UnicodeError:
            return line


@contextmanager
def lines(file: IO[bytes], encoding: str | None) -> Iterator[Iterator[str | None]]:
    """Return the lines of *file*. With *encoding* None the first bytes decide, else UTF-8 is tried, then GB18030.

    Bytes that the encoding does not have stay in the text as lone surrogates, which no row accepts.
    """
    guess = False
    if encoding is None:
        encoding = _by_first_bytes(file.peek(_HEAD)[:_HEAD])  # type: ignore[attr-defined]  # a BufferedReader
        guess = encoding is None
    codec = "utf-8-sig" if encoding in (None, "utf-8") else encoding
    errors = "replace" if codec.startswith("utf-16") else "surrogateescape"
    text = io.TextIOWrapper(file, codec, errors=errors, newline="")
    try:
        yield iter(_Lines(text, guess=guess))
    finally:
        text.detach()
