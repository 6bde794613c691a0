"""Millions of verifications: constant memory, a steady rate, and with a journal no row is sent twice or lost.

`verify_many` is the function for programs, `authing_mfa.batch.run_file` for files (the command `authing-mfa batch`), and
`authing_mfa.batch.dask.driver` for a cluster. docs/batch.md lists the guarantees.
"""

from authing_mfa.batch.api import verify_many
from authing_mfa.batch.errors import (
    CircuitOpenError,
    ClaimLostError,
    InputChangedError,
    JournalError,
    JournalLostError,
    RunTokenError,
)
from authing_mfa.batch.models import Outcome, Progress, VerifyRequest

__all__ = [
    "CircuitOpenError",
    "ClaimLostError",
    "InputChangedError",
    "JournalError",
    "JournalLostError",
    "Outcome",
    "Progress",
    "RunTokenError",
    "VerifyRequest",
    "verify_many",
]
