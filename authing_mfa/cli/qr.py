"""Draw QR pictures in the terminal, two rows of modules per line of text."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final

from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from authing_mfa.cli.output import Output

__all__ = ["draw", "drawn"]

# Light modules are drawn, dark modules are left out: right on a dark terminal, and with colours on any terminal.
_BLOCKS: Final = {(True, True): " ", (True, False): "▄", (False, True): "▀", (False, False): "█"}
_ASCII: Final = {True: "  ", False: "##"}


def draw(text: str, output: Output, stream: IO[str] | None = None) -> list[str]:
    """Return *text* as lines that a phone can scan: block characters, or ``##`` if *stream* (stdout) cannot show them.

    Raises:
        InvalidInputError: segno is not installed, or *text* is too long for a QR picture.
    """
    stream = stream if stream is not None else sys.stdout
    try:
        import segno
    except ImportError:
        raise InvalidInputError('QR pictures need segno: pip install "authing-mfa[cli]"') from None
    try:
        picture = segno.make(text, error="l", micro=False)
    except ValueError:  # not chained: its text may be long, and its frames hold the secret
        raise InvalidInputError("The otpauth:// address is too long for a QR picture.") from None
    modules = [[bool(dark) for dark in row] for row in picture.matrix_iter(border=4)]
    if not _shows_blocks(stream):
        return ["".join(_ASCII[dark] for dark in row) for row in modules]
    if len(modules) % 2:
        modules.append([False] * len(modules[0]))
    lines = [
        "".join(_BLOCKS[pair] for pair in zip(above, below, strict=True))
        for above, below in zip(modules[::2], modules[1::2], strict=True)
    ]
    return [output.styled(line, stream, fg="bright_white", bg="black") for line in lines]


def drawn(text: str, output: Output, stream: IO[str] | None = None) -> list[str]:
    """Return what `draw` returns, or no line if it cannot draw: the service has made the secret, so the command must go on to show it."""
    with suppress(InvalidInputError):
        return draw(text, output, stream)
    return []


def _shows_blocks(stream: IO[str] | None) -> bool:
    try:
        "▄▀█".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
