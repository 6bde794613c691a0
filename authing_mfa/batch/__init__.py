"""Millions of verifications: flat memory, a steady rate, and with a journal nothing sent twice and nothing lost.

`verify_many` is the function for programs, `authing_mfa.batch.run_file` for files (the command line's `batch`), `authing_mfa.batch.dask.driver` on a
cluster. docs/batch.md lists the promises, and what happens when something fails.
"""

from authing_mfa.batch.api import verify_many
from authing_mfa.batch.errors import CircuitOpenError, ClaimLostError, InputChangedError, JournalError
from authing_mfa.batch.models import Outcome, Progress, VerifyRequest

__all__ = [
    "CircuitOpenError",
    "ClaimLostError",
    "InputChangedError",
    "JournalError",
    "Outcome",
    "Progress",
    "VerifyRequest",
    "verify_many",
]
