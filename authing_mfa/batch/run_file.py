"""A batch from file to file: all that the command `authing-mfa batch` does, but for its options and its progress bar.

The command makes `BatchOptions` from its options and the keywords of `AuthClient` from its settings, and calls::

    summary = asyncio.run(run_file(options, client_options, on_progress=bar.update))

Then it prints `summary` to stderr and exits with `summary.exit_code`:

==== ==================================================================
0    all rows were verified
1    the service said no to some
3    the fate of some is unknown
7    some failed for another reason, or the run was stopped before its end; the highest of these applies
130  it was interrupted (Ctrl-C or SIGTERM): what was sent was waited for and recorded
==== ==================================================================

An `InvalidInputError` (a wrong option, a missing column; a usage error, exit code 2), an `OSError` of the input or a
`JournalError` before the first row is raised; nothing was sent then. What stops a run later is in `summary.stopped`, and
`summary.resumable` says whether the same command with ``--resume`` goes on.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from authing_mfa.batch.files.local import check_rows, run_here
from authing_mfa.batch.options import BatchOptions, Summary
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authing_mfa.batch.models import Outcome, Progress

__all__ = ["BatchOptions", "Summary", "run_file"]


async def run_file(
    options: BatchOptions,
    client_options: Mapping[str, Any],
    *,
    on_progress: Callable[[Progress], Any] | None = None,
    on_invalid: Callable[[Outcome], Any] | None = None,
) -> Summary:
    """Do a run of files.

    Args:
        options: what to do.
        client_options: the keywords of `AuthClient`, ``app_id`` among them.
        on_progress: called now and then, and at the end.
        on_invalid: called with the outcome of each line that is no row.

    Raises:
        InvalidInputError: an option cannot be right, or the input has not the columns.
        JournalError: the journal or the output cannot be used; nothing was sent.
        OSError: the input cannot be read.
    """
    _check(options)
    began = time.monotonic()
    if options.dry_run:
        summary = await asyncio.to_thread(check_rows, options, on_invalid)
    elif options.dask is not None:
        from authing_mfa.batch.dask.driver import run_on_dask

        summary = await run_on_dask(options, client_options, on_progress=on_progress, on_invalid=on_invalid)
    else:
        summary = await run_here(options, client_options, on_progress, on_invalid)
    summary.elapsed = time.monotonic() - began
    return summary


def _check(options: BatchOptions) -> None:
    if options.source != "-" and not Path(options.source).is_file():
        raise InvalidInputError(f"There is no file {options.source}.")
    if options.resume and options.journal is None:
        raise InvalidInputError("resume (--resume) needs a journal: name the journal of the run.")
    if options.resend_unknown and not options.resume:
        raise InvalidInputError("resend_unknown (--resend-unknown) needs resume (--resume).")
    if options.out != "-" and options.source != "-" and Path(options.out).resolve() == Path(options.source).resolve():
        raise InvalidInputError("The output would overwrite the input.")
