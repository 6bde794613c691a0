"""The errors that stop a whole run. All are `AuthingError`s; the error of one row is in its outcome."""

from __future__ import annotations

from typing import Final

from authing_mfa.errors import AuthingError, LoginError

__all__ = [
    "NEEDS_A_PERSON",
    "CircuitOpenError",
    "ClaimLostError",
    "InputChangedError",
    "JournalAwayError",
    "JournalError",
    "JournalLostError",
    "RunTokenError",
]


NEEDS_A_PERSON: Final = 10106
"""The code of an error that stops a run and needs a person: an input that cannot be read further, a lost cluster."""


class JournalError(AuthingError):
    """The journal cannot be opened, read or written, so the run stops: a row that cannot be recorded is not sent."""

    default_code = 10103


class JournalAwayError(JournalError):
    """The journal's database cannot be reached at the moment."""


class JournalLostError(JournalError):
    """The journal's file was deleted or replaced during the run. The run cannot be resumed: no journal knows every row that was sent."""


class InputChangedError(JournalError):
    """The rows are not the rows of the journal. Use the input of the first run, or a new journal."""


class ClaimLostError(JournalError):
    """Another worker has taken over this run or this partition: this worker stops writing and sending."""


class CircuitOpenError(AuthingError):
    """Too many consecutive calls failed, so the run stopped. The remaining rows were not sent.

    Attributes:
        failures: the number of consecutive failures.
        last: the last of these failures.
    """

    default_code = 10104

    failures: int
    last: AuthingError

    def __init__(self, message: str, *, failures: int, last: AuthingError) -> None:
        super().__init__(message)
        self.failures = failures
        self.last = last


class RunTokenError(LoginError):
    """The client's token, which rows without a token use, was refused or is missing. These rows were not verified.

    Get a new token and resume the run: it sends these rows.
    """

    default_code = 10105

    @classmethod
    def refused(cls, error: AuthingError) -> RunTokenError:
        """Return the error for a token that the service refused.

        Args:
            error: the answer of the service.
        """
        return cls(
            f"The run's token was refused ({error.code}): {error.message} The rows that share it were not verified. "
            "Log in again and resume.",
            delivery="answered",
        )

    @classmethod
    def missing(cls) -> RunTokenError:
        """Return the error for a run without a token."""
        return cls(
            "The rows have no token of their own, and the run has none: log in, give a token, or add a column token."
        )
