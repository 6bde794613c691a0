"""The input and the output of a batch: a row, its outcome, and the progress of a run. No I/O.

(Longer than 300 lines: half of it is the documentation of public classes.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import attrs

from authing_mfa import operations as ops
from authing_mfa.errors import ApiError, AuthingError, InvalidInputError, RateLimitedError
from authing_mfa.protocol import check_header_text

if TYPE_CHECKING:
    from authing_mfa.images import ImageSource

__all__ = ["COLUMNS", "Counts", "Finding", "InvalidRow", "Kind", "Outcome", "Progress", "Status", "VerifyRequest"]

Kind = Literal["check", "phone", "email", "totp", "recovery", "face"]
Status = Literal["ok", "rejected", "failed", "unknown"]

KINDS: Final[tuple[str, ...]] = get_args(Kind)

COLUMNS: Final = ("kind", "key", "token", "phone", "phone_country_code", "email", "code", "photo_key", "image")
"""The fields of a row in a file or a mapping."""

LONGEST_KEY: Final = 512
"""Characters."""


def _check_key(_: object, __: object, key: Any) -> None:
    if key is None:
        return
    if not isinstance(key, str):
        raise InvalidInputError(f"key must be text (str), not {type(key).__name__}.")
    if (problem := key_problem(key)) is not None:
        raise InvalidInputError(f"key {problem}.")


def key_problem(key: str) -> str | None:
    """Return why *key* is not a valid key, or None. The text follows the word "key"."""
    if len(key) > LONGEST_KEY:
        return f"has more than {LONGEST_KEY} characters"
    if "\0" in key or not _is_unicode(key):
        return "holds a character that cannot be stored as UTF-8"
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_token(_: object, __: object, token: Any) -> None:
    if token is not None:
        check_header_text("token", token)


@attrs.frozen
class VerifyRequest:
    """One row of a batch. Make it with one of the constructors; each checks its arguments.

    Attributes:
        kind: the name of the constructor.
        operation: the call; None for a face photo that must be uploaded first.
        image: the face photo that must be uploaded first, else None.
        token: the bearer token of the call; `repr` does not show it.
        key: your own id of the row. With a key, a resumed run may use new tokens.

    Raises:
        InvalidInputError: a field is missing, empty or of the wrong type.
    """

    kind: Kind
    operation: ops.Operation[Any] | None
    image: Any = attrs.field(default=None, repr=False)
    token: str | None = attrs.field(default=None, repr=False, validator=_check_token)
    key: str | None = attrs.field(default=None, validator=_check_key)

    @classmethod
    def check(
        cls, *, phone: str | None = None, email: str | None = None, token: str | None = None, key: str | None = None
    ) -> VerifyRequest:
        """Check whether a phone number or an e-mail address may be bound for MFA. It changes nothing, so it may be sent again.

        Args:
            phone: the phone number, digits without the country code.
            email: the e-mail address. One of the two is needed.
            token: the mfaToken of the row's user; None: the client's token.
            key: your own id of the row; it comes back in the outcome.
        """
        return cls("check", ops.MfaCheck(phone, email), None, token, key)

    @classmethod
    def phone(
        cls,
        phone: str,
        code: str,
        *,
        phone_country_code: str | None = None,
        token: str | None = None,
        key: str | None = None,
    ) -> VerifyRequest:
        """Verify a phone with the code of an SMS.

        Args:
            phone: the phone number, digits without the country code.
            code: the code of the SMS.
            phone_country_code: the country code with its plus sign, e.g. ``+44``: needed if the phone is not Chinese.
            token: the mfaToken of the row's user; None: the client's token.
            key: your own id of the row; it comes back in the outcome.
        """
        return cls("phone", ops.VerifyByPhone(phone, code, phone_country_code), None, token, key)

    @classmethod
    def email(cls, email: str, code: str, *, token: str | None = None, key: str | None = None) -> VerifyRequest:
        """Verify an e-mail address with the code of an e-mail.

        Args:
            email: the e-mail address.
            code: the code of the message.
            token: the mfaToken of the row's user; None: the client's token.
            key: your own id of the row; it comes back in the outcome.
        """
        return cls("email", ops.VerifyByEmail(email, code), None, token, key)

    @classmethod
    def totp(cls, code: str, *, token: str | None = None, key: str | None = None) -> VerifyRequest:
        """Verify with a code of the authenticator app.

        Args:
            code: six digits, which the app changes every 30 seconds.
            token: the mfaToken of the row's user; None: the client's token.
            key: your own id of the row; it comes back in the outcome.
        """
        return cls("totp", ops.VerifyByTotp(code), None, token, key)

    @classmethod
    def recovery(cls, code: str, *, token: str | None = None, key: str | None = None) -> VerifyRequest:
        """Verify with a recovery code. The outcome's value holds the new recovery code.

        Args:
            code: the recovery code.
            token: the mfaToken of the row's user; None: the client's token.
            key: your own id of the row; it comes back in the outcome.
        """
        return cls("recovery", ops.VerifyByRecoveryCode(code), None, token, key)

    @classmethod
    def face(
        cls, key_or_image: str | ImageSource, *, token: str | None = None, key: str | None = None
    ) -> VerifyRequest:
        """Verify a face, by the key of an uploaded photo (text), or by a photo that is uploaded first.

        Args:
            key_or_image: text is always a photo key; a photo is a `pathlib.Path`, bytes, a `PIL.Image` or a binary file.
            token: the mfaToken of the row's user; None: the client's token.
            key: your own id of the row; it comes back in the outcome.

        Raises:
            InvalidInputError: *key_or_image* is neither text nor a photo.
        """
        if isinstance(key_or_image, str):
            return cls("face", ops.VerifyByFace(key_or_image), None, token, key)
        if key_or_image is None or isinstance(key_or_image, (int, float, bool, Mapping, list, tuple)):
            raise InvalidInputError(f"A face is a photo key (text) or a photo, not {type(key_or_image).__name__}.")
        return cls("face", None, key_or_image, token, key)

    @classmethod
    def from_mapping(cls, row: Mapping[str, Any], *, kind: str | None = None) -> VerifyRequest:
        """Return the row with these fields (`COLUMNS`); empty text counts as missing, other fields are ignored.

        Args:
            row: e.g. a line of a CSV file. `image` is a path.
            kind: the kind of a row that has no field ``kind``.

        Raises:
            InvalidInputError: a field is missing or not valid.
        """
        return request_of(
            {name: value for name in COLUMNS if (value := row.get(name)) is not None and value != ""}, kind
        )

    def target(self) -> tuple[str | None, ...]:
        """The subject of the row: the fields that identify it beside its key, without secrets."""
        operation: Any = self.operation
        if operation is None:
            return ("image",)
        names = _open_fields(operation.__class__)
        return tuple([getattr(operation, name) for name in names]) if names else ()


def request_of(fields: Mapping[str, Any], kind: str | None) -> VerifyRequest:
    """Return the row with these fields, of which none is empty; see `VerifyRequest.from_mapping`."""
    named = fields.get("kind", kind)
    if named not in KINDS:
        what = "is missing" if named is None else "has an unknown value"  # not shown: it may be a code
        raise InvalidInputError(f"kind {what}; it must be one of {', '.join(KINDS)}.")
    return _MAKERS[named](fields, fields.get("token"), fields.get("key"))


@cache
def _open_fields(operation: Any) -> tuple[str, ...]:
    """The fields of the row that hold no secret."""
    return tuple(field.name for field in attrs.fields(operation) if field.repr)


def _need(fields: Mapping[str, Any], name: str) -> Any:
    if name not in fields:
        raise InvalidInputError(f"{name} is missing.")
    return fields[name]


def _phone(fields: Mapping[str, Any], token: str | None, key: str | None) -> VerifyRequest:
    phone, code, country = _need(fields, "phone"), _need(fields, "code"), fields.get("phone_country_code")
    return VerifyRequest.phone(phone, code, phone_country_code=country, token=token, key=key)


def _face(fields: Mapping[str, Any], token: str | None, key: str | None) -> VerifyRequest:
    from pathlib import Path

    if "photo_key" in fields:
        if not isinstance(fields["photo_key"], str):
            raise InvalidInputError(f"photo_key must be text (str), not {type(fields['photo_key']).__name__}.")
        return VerifyRequest.face(fields["photo_key"], token=token, key=key)
    image = fields.get("image")
    if image is None:
        raise InvalidInputError("photo_key or image is missing.")
    if not isinstance(image, str):
        raise InvalidInputError(f"image must be the path of a picture (str), not {type(image).__name__}.")
    return VerifyRequest.face(Path(image), token=token, key=key)


def _check(fields: Mapping[str, Any], token: str | None, key: str | None) -> VerifyRequest:
    if "phone" not in fields and "email" not in fields:
        raise InvalidInputError("phone or email is missing.")
    return VerifyRequest.check(phone=fields.get("phone"), email=fields.get("email"), token=token, key=key)


_MAKERS: Final[Mapping[str, Callable[[Mapping[str, Any], str | None, str | None], VerifyRequest]]] = {
    "check": _check,
    "phone": _phone,
    "email": lambda f, token, key: VerifyRequest.email(_need(f, "email"), _need(f, "code"), token=token, key=key),
    "totp": lambda f, token, key: VerifyRequest.totp(_need(f, "code"), token=token, key=key),
    "recovery": lambda f, token, key: VerifyRequest.recovery(_need(f, "code"), token=token, key=key),
    "face": _face,
}


@attrs.frozen
class InvalidRow:
    """An invalid row of a file: it keeps its position, and becomes an outcome with this error."""

    error: AuthingError
    key: str | None = None
    kind: str | None = None


@attrs.frozen
class Outcome:
    """The result of one row.

    Attributes:
        index: the row's position in the input, from 0.
        key: your own id of the row.
        value: the result of the call, or None.
        error: the error of the call, or None. A row whose fate is unknown has an error with delivery ``unknown``.
        elapsed: seconds from the start of the call to its answer.
        kind: the row's kind, None for an invalid row without a known kind.
        restored: the outcome was read from the journal; its value holds no tokens and its `raw` is empty.
    """

    index: int
    key: str | None
    value: Any
    error: AuthingError | None
    elapsed: float
    kind: str | None = None
    restored: bool = False

    @property
    def ok(self) -> bool:
        """True if the call succeeded. A check whose value is False succeeded, too."""
        return self.error is None

    @property
    def status(self) -> Status:
        """``ok``, ``rejected`` (the service refused), ``unknown`` (the service may have acted) or ``failed`` (all other errors)."""
        error = self.error
        if error is None:
            return "ok"
        if error.delivery == "unknown":
            return "unknown"
        refused = isinstance(error, ApiError) and error.http_status < 500 and not isinstance(error, RateLimitedError)
        return "rejected" if refused else "failed"

    @property
    def undone(self) -> bool:
        """True if the service cannot have acted: a resumed run sends the row again."""
        error = self.error
        if error is None:
            return False
        return error.delivery == "not_sent" or (isinstance(error, RateLimitedError) and error.http_status == 429)


@attrs.frozen
class Finding:
    """A certain or possible mistake in a column: how often it occurs, and where first.

    Attributes:
        column: our name of the column.
        problem: the end of a sentence, e.g. "is a decimal number".
        count: how many rows have it.
        where: the place of the first row, e.g. "line 17".
        example: the shape of its value, without a secret.
    """

    column: str
    problem: str
    count: int
    where: str
    example: str

    def __str__(self) -> str:
        rows = "1 row" if self.count == 1 else f"{self.count} rows"
        example = f", like {self.example}" if self.example else ""
        where = f", first {self.where}" if self.where else ""
        return f"{self.column} {self.problem}: {rows}{where}{example}"


@attrs.define
class Counts:
    """Counts of outcomes, by status and by code (200: verified)."""

    statuses: Counter[str] = attrs.Factory(Counter)
    codes: Counter[int] = attrs.Factory(Counter)

    @property
    def done(self) -> int:
        """The number of outcomes."""
        return self.statuses.total()

    def note(self, outcome: Outcome) -> None:
        """Count *outcome*."""
        self.statuses[outcome.status] += 1
        self.codes[200 if outcome.error is None else outcome.error.code] += 1

    def note_kept(self) -> None:
        """Count a row that an earlier run has written as ok."""
        self.statuses["ok"] += 1
        self.codes[200] += 1

    def add(self, other: Counts) -> None:
        """Add the counts of *other*."""
        self.statuses.update(other.statuses)
        self.codes.update(other.codes)

    def progress(self, *, total: int | None, rate: float, elapsed: float) -> Progress:
        """Return the progress of the run."""
        done, ok = self.done, self.statuses["ok"]
        rejected, unknown = self.statuses["rejected"], self.statuses["unknown"]
        return Progress(done, total, ok, done - ok, rate, elapsed, rejected, unknown)


@attrs.frozen
class Progress:
    """The progress of a run.

    Attributes:
        done: the number of outcomes so far.
        total: the number of rows; None if it is unknown.
        ok: the number of successes.
        failed: the number of all other outcomes (``done == ok + failed``).
        rate: outcomes per second over the last seconds.
        elapsed: seconds since the run began.
        rejected: the number of failed rows that the service refused.
        unknown: the number of failed rows with status ``unknown``.
        paused: seconds during which no call starts, because the service answered 429.
        away: True if no call starts until the service can be reached again.
    """

    done: int
    total: int | None
    ok: int
    failed: int
    rate: float
    elapsed: float
    rejected: int = 0
    unknown: int = 0
    paused: float = 0.0
    away: bool = False
