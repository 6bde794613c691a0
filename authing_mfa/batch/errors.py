"""What can stop a whole run, as opposed to one row. All are `AuthingError`s; a row's own error is in its outcome."""

from __future__ import annotations

from authing_mfa.errors import AuthingError

__all__ = ["CircuitOpenError", "ClaimLostError", "InputChangedError", "JournalError"]


class JournalError(AuthingError):
    """The journal cannot be opened, read or written, so nothing more is sent: what cannot be recorded is not done."""

    default_code = 10103


class InputChangedError(JournalError):
    """The journal belongs to other rows. Give the old input again, or start with a new journal."""


class ClaimLostError(JournalError):
    """Another worker has taken over this run or this partition: this worker stops writing and sending."""


class CircuitOpenError(AuthingError):
    """Too many calls in a row failed, so the service is taken for dead. The rest of the rows is untouched.

    Attributes:
        failures: how many calls failed one after the other.
        last: the last of these failures.
    """

    default_code = 10104

    failures: int
    last: AuthingError

    def __init__(self, message: str, *, failures: int, last: AuthingError) -> None:
        super().__init__(message)
        self.failures = failures
        self.last = last
