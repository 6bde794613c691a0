"""Check the columns and the cells of an input. Pure.

A spreadsheet may have changed a file: a phone number became 1.39E+10, a code lost its zeros or became ="012340". A value that cannot
be a phone number or a code makes an invalid row; possible mistakes are counted for each column. No value is ever shown: an example
shows its shape, each digit as 9 and each letter as x.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from authing_mfa.batch.models import COLUMNS, KINDS, Finding
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["NULL", "Findings", "check_columns", "forms_fit", "match_columns", "plain_text", "problem_of", "shape"]

_NEEDED: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "check": (("phone",), ("email",)),
    "phone": (("phone", "code"),),
    "email": (("email", "code"),),
    "totp": (("code",),),
    "recovery": (("code",),),
    "face": (("photo_key",), ("image",)),
}
"""The groups of columns for each kind; rows need one group."""

NULL: Final = "\\N"
"""An empty cell, as MySQL and PostgreSQL write it."""

_PHONE: Final = re.compile(r"\+?[0-9(][0-9 ()-]{0,30}")
_CODES: Final = {
    "totp": re.compile(r"[0-9]{1,12}"),
    "recovery": re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,127}"),
}
_CODE: Final = re.compile(r"[0-9A-Za-z]{1,32}")
_COUNTRY: Final = re.compile(r"\+?[0-9]{1,4}([ -]?[0-9]{1,4})?")
_EMAIL: Final = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_FORMS: Final = {"phone": _PHONE, "phone_country_code": _COUNTRY, "email": _EMAIL}
_NAMES: Final = {
    "phone": "a phone number",
    "phone_country_code": "a country code",
    "email": "an e-mail address",
    "code": "a code",
}
_TYPED_WRONG: Final = re.compile("^['‘’]|[\uff01-\uff5e]")
_SCIENTIFIC: Final = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?[Ee][+-]?[0-9]+")
_DECIMAL: Final = re.compile(r"[+-]?[0-9]+[.,][0-9]+")
_ERROR: Final = re.compile(r"#[A-Z0-9/_]+[!?]|#N/A|#+")
# What other programs write into a cell that is empty.
_WORDS: Final = frozenset(("null", "none", "nan", "nat", "na", "n/a", "<na>", "#n/a", "(null)", "<null>", "nil"))
_ODD: Final = frozenset("=#'‘’\"(<")  # no cell that fits begins with one of them, except a phone


# ─────────────────────────────── columns ───────────────────────────────


def _normal(name: str) -> str:
    """Return the form in which two headers of the same column are equal."""
    shown = "".join(letter for letter in unicodedata.normalize("NFKC", name) if unicodedata.category(letter) != "Cf")
    return re.sub(r"[\s-]+", "_", shown.strip().strip("\"'").strip().casefold())


def check_columns(columns: Mapping[str, str], kind: str | None) -> None:
    """Check the user's options for the columns, before the file is opened.

    Raises:
        InvalidInputError: a column or *kind* is unknown.
    """
    for ours in columns:
        if ours not in COLUMNS:
            raise InvalidInputError(f"There is no column {ours!r}; the columns are {', '.join(COLUMNS)}.")
    key, *secrets = (_normal(columns.get(ours, ours)) for ours in ("key", "token", "code"))
    if key in secrets:
        raise InvalidInputError(
            "The column of the tokens or of the codes cannot be the key: keys are in the journal and in the output."
        )
    if kind is not None and kind not in KINDS:
        raise InvalidInputError(f"There is no kind {kind!r}; use {', '.join(KINDS)}.")


def match_columns(
    header: Sequence[str], columns: Mapping[str, str], kind: str | None, *, whole: bool = True
) -> dict[str, int]:
    """Find our columns in *header*. Return the position of each; several may have the same one.

    Args:
        header: the names in the file.
        columns: the file's names of our columns, if they differ.
        kind: the kind of rows without a kind.
        whole: the header is valid for all rows, so a missing column is an error.

    Raises:
        InvalidInputError: a column is missing, or occurs twice.
    """
    theirs: dict[str, list[str]] = {}
    for ours in COLUMNS:
        theirs.setdefault(_normal(columns.get(ours, ours)), []).append(ours)
    found: dict[str, int] = {}
    for position, name in enumerate(header):
        for ours in theirs.get(_normal(name), ()):
            if ours in found:
                raise InvalidInputError(f"The column {_shown(name)} occurs twice: remove or rename one of them.")
            found[ours] = position
    if whole:
        _check_complete(header, columns, kind, set(found))
    return found


def _check_complete(header: Sequence[str], columns: Mapping[str, str], kind: str | None, there: set[str]) -> None:
    seen = ", ".join(_shown(name) for name in header if name.strip()) or "none"
    missing = [theirs for ours, theirs in columns.items() if ours not in there]
    if missing:
        raise InvalidInputError(f"The file has no column {', '.join(missing)}. Its columns: {seen}.")
    if "kind" in there:
        return
    if kind is None:
        name = columns.get("kind", "kind")
        raise InvalidInputError(f"The file has no column {name}, and no kind was given (--kind). Its columns: {seen}.")
    if not any(set(group) <= there for group in _NEEDED[kind]):
        needed = " or ".join(" and ".join(group) for group in _NEEDED[kind])
        raise InvalidInputError(f"Rows of kind {kind} need {needed}. The file's columns: {seen}.")


def _shown(name: str) -> str:
    """Return a header for an error's text. A file without a header has values there: values are not shown."""
    name = name.strip()
    return shape(name) if len(name) > 40 or re.search(r"[0-9]{4}", name) else name


# ─────────────────────────────── cells ───────────────────────────────


def plain_text(cells: Mapping[str, Any]) -> str | None:
    """Return the cells as one text if all of them are text of visible ASCII characters and spaces, else None."""
    try:
        text = "".join(cells.values())
    except TypeError:  # a cell is not text
        return None
    return text if text.isascii() and text.isprintable() else None


def forms_fit(cells: Mapping[str, Any], kind: str | None) -> bool:
    """Return True if all cells have the right form; of a row with a `plain_text` and without empty cells.

    Then `problem_of` finds no problem in any cell. False says nothing: then each cell must be checked.
    """
    get = cells.get
    code, phone, email, token, key = get("code"), get("phone"), get("email"), get("token"), get("key")
    country = get("phone_country_code")
    if code is not None and (code.isalpha() or not _CODES.get(kind or "", _CODE).fullmatch(code)):
        return False
    if token is not None and (len(token) < 8 or token[0] in _ODD or " " in token):
        return False
    return (
        (phone is None or _PHONE.fullmatch(phone) is not None)
        and (key is None or key[0] not in "=#")
        and (email is None or (email[0] not in _ODD and _EMAIL.fullmatch(email) is not None))
        and (country is None or _COUNTRY.fullmatch(country) is not None)
        and "image" not in cells
        and "photo_key" not in cells
    )


def problem_of(column: str, value: str, kind: str | None) -> str | None:
    """Return the problem of *value*, or None. The text follows the column's name."""
    if not (value.isascii() and value.isprintable()) and (hidden := _hidden(column, value)):
        return hidden
    if (fault := _of_another_program(column, value)) is not None:
        return fault
    if column == "token":
        return _of_a_token(value)
    if column == "email" and _TYPED_WRONG.search(value):  # its form would fit
        return _like_a_spreadsheet(value)
    form, name = _CODES.get(kind or "", _CODE) if column == "code" else _FORMS.get(column), _NAMES.get(column)
    return None if form is None or form.fullmatch(value) else _like_a_spreadsheet(value) or f"is not {name}"


def _of_another_program(column: str, value: str) -> str | None:
    """A word for an empty cell, an error or a formula, where a value is expected. A key may be any word."""
    if value.startswith("="):
        return "is a formula of a spreadsheet"
    if _ERROR.fullmatch(value):
        return "is an error of a spreadsheet"
    if column not in ("key", "kind") and value.casefold() in _WORDS:
        return "is a word like NULL, not an empty cell"
    return None


def _of_a_token(value: str) -> str | None:
    if value.startswith(("'", "‘", "’")):
        return "begins with an apostrophe"
    if value.startswith('"'):
        return "is in quotes"
    return "holds a space; write it without the word Bearer" if " " in value else None


def _hidden(column: str, value: str) -> str | None:
    """Characters that a person does not see, and that the service would treat as a part of the value."""
    odd = {letter: unicodedata.category(letter) for letter in value}
    if "Cs" in odd.values() or "\N{REPLACEMENT CHARACTER}" in odd:
        return "has bytes that are not of the file's encoding"
    refused = ("Cc",) if column in ("key", "image") else ("Cc", "Cf", "Co", "Zl", "Zp")
    hidden = sorted(f"U+{ord(letter):04X}" for letter, category in odd.items() if category in refused)
    return f"has characters that cannot be seen ({', '.join(hidden[:3])})" if hidden else None


def _like_a_spreadsheet(value: str) -> str | None:
    if value.startswith(("'", "‘", "’")):
        return "begins with an apostrophe"
    if unicodedata.normalize("NFKC", value) != value:
        return "has full-width characters"
    if _SCIENTIFIC.fullmatch(value):
        return "was rounded to a number like 9.99E+99"
    return "is a decimal number" if _DECIMAL.fullmatch(value) else None


def shape(value: str) -> str:
    """Return the shape of *value*: digits as 9, letters as x, invisible characters as their number."""
    return "".join(_masked(letter) for letter in value[:40]) + ("…" if len(value) > 40 else "")


def _masked(letter: str) -> str:
    category = unicodedata.category(letter)
    if category.startswith("N"):
        return "９" if unicodedata.east_asian_width(letter) == "F" else "9"
    if category.startswith(("L", "M")):
        return "E" if letter in "eE" else "x"
    return letter if letter.isprintable() else f"<U+{ord(letter):04X}>"


class Findings:
    """Counts certain and possible mistakes for each column."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[Any]] = {}
        self._lengths: dict[tuple[str, int], list[Any]] = {}
        self._tokens = 0  # rows with a token of their own
        self._without: list[Any] = [0, ""]  # rows without, and the place of the first

    def note(self, column: str, problem: str, where: str, value: str = "", *, count: int = 1) -> None:
        """Count one, or *count*."""
        entry = self._found.setdefault((column, problem), [0, where, shape(value)])
        entry[0] += count

    def note_code(self, kind: str, code: str, where: str) -> None:
        """Count the lengths of a kind's codes: a spreadsheet removes leading zeros."""
        entry = self._lengths.get((kind, len(code)))
        if entry is None:
            entry = self._lengths[kind, len(code)] = [0, where, code]
        entry[0] += 1

    def note_token(self, token: str | None, where: str) -> None:
        """Count the rows with and without a token of their own: if there are both, the others may have been forgotten."""
        if token is not None:
            self._tokens += 1
        else:
            self._without[0] += 1
            self._without[1] = self._without[1] or where

    def all(self) -> list[Finding]:
        """Return the findings, most frequent first."""
        found = [Finding(column, problem, *entry) for (column, problem), entry in self._found.items()]
        count, first = self._without
        if self._tokens and count:
            found.append(Finding("token", "is empty: the row is verified for the user of the login", count, first, ""))
        usual: dict[str, int] = {}  # the length that most codes of a kind have
        for kind, length in sorted(self._lengths, key=lambda at: -self._lengths[at][0]):
            usual.setdefault(kind, length)
        for (kind, length), (count, where, code) in self._lengths.items():
            if length < usual[kind]:
                problem = f"of {kind} rows is shorter than the others ({length} of {usual[kind]} digits): leading zeros may be lost"
                found.append(Finding("code", problem, count, where, shape(code)))
        return sorted(found, key=lambda finding: -finding.count)
