"""A batch from file to file: everything that the command `authing-mfa batch` does except its options and its progress bar.

The command makes `BatchOptions` from its options and the keywords of `AuthClient` from its settings, and calls::

    summary = asyncio.run(run_file(options, client_options, on_progress=bar.update))

Then it prints `summary` to stderr and exits with `summary.exit_code`:

==== ===============================================================================================================
0    all rows were verified
1    the service rejected some rows
3    the fate of some rows is unknown
4    the run was stopped because its token was refused: get a new one, then ``--resume``
7    some rows failed for another reason, or the run stopped and a person must find the reason
75   the run stopped early, and the same command with ``--resume`` continues it: the service or database was unreachable
130  the run was interrupted (Ctrl-C, SIGTERM, SIGHUP): the calls that were sent are finished and recorded
==== ===============================================================================================================

Of 1, 3 and 7 the largest applies. Errors that are found before the first row is sent are raised: `InvalidInputError` (a wrong
option, a missing column, an output of another program; exit code 2), `OSError` of the input, `JournalError`. An error that stops a
run later is in `summary.stopped`.
"""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from authing_mfa.batch.files.local import check_rows, read_on_thread, recovery_file_for, run_here
from authing_mfa.batch.journal.database import sqlite_path
from authing_mfa.batch.options import BatchOptions, Summary
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authing_mfa.batch.files.input import Detected
    from authing_mfa.batch.models import Outcome, Progress

__all__ = ["BatchOptions", "Summary", "run_file"]


async def run_file(
    options: BatchOptions,
    client_options: Mapping[str, Any],
    *,
    on_progress: Callable[[Progress], Any] | None = None,
    on_invalid: Callable[[Outcome], Any] | None = None,
    on_detected: Callable[[Detected], Any] | None = None,
) -> Summary:
    """Perform the rows of a file and write their outcomes to a file.

    Args:
        options: the options of the run.
        client_options: the keywords of `AuthClient`, with ``app_id``.
        on_progress: called regularly, and at the end, with the progress of the run.
        on_invalid: called with the outcome of each invalid row.
        on_detected: called once with the detected form of the input; of a pipe when its first record is read.

    Returns:
        The summary of the run.

    Raises:
        InvalidInputError: an option is not valid, or the input lacks a column.
        JournalError: the journal or the output cannot be used; nothing was sent.
        OSError: the input cannot be read.
    """
    _check(options)
    began = time.monotonic()
    if options.dry_run:
        summary = await read_on_thread(partial(check_rows, options, on_invalid, on_detected))
    elif options.dask is not None:
        from authing_mfa.batch.dask.driver import run_on_dask
        from authing_mfa.batch.partitions.driver import Listeners

        summary = await run_on_dask(options, client_options, Listeners(on_progress, on_invalid, on_detected))
    elif options.processes > 1:
        from authing_mfa.batch.partitions.driver import Listeners
        from authing_mfa.batch.processes.pool import run_on_processes

        summary = await run_on_processes(options, client_options, Listeners(on_progress, on_invalid, on_detected))
    else:
        summary = await run_here(options, client_options, on_progress, on_invalid, on_detected)
    summary.elapsed = time.monotonic() - began
    return summary


def _check(options: BatchOptions) -> None:
    if options.source != "-" and not Path(options.source).exists():
        raise InvalidInputError(f"There is no file {options.source}.")
    if options.source != "-" and Path(options.source).is_dir():
        raise InvalidInputError(f"{options.source} is a directory.")
    if options.resumes and options.journal is None:
        raise InvalidInputError("resume (--resume) needs a journal: name the journal of the run.")
    if (options.resend_unknown or options.resend_rejected) and not options.resumes:
        raise InvalidInputError(
            "resend_unknown (--resend-unknown) and resend_rejected (--resend-rejected) need resume (--resume)."
        )
    if options.service_moved and not options.resumes:
        raise InvalidInputError("service_moved (--service-moved) needs resume (--resume).")
    if options.dry_run:
        return
    if options.dask is not None and options.processes > 1:
        raise InvalidInputError("A run is on a Dask cluster (--dask) or on processes of this machine (--processes).")
    if options.resumes and options.overwrite:
        raise InvalidInputError("A run that is resumed continues its output: it cannot overwrite it too.")
    _check_apart(options)


def _check_apart(options: BatchOptions) -> None:
    """Check that no two files of a run are the same: one would destroy the other.

    Raises:
        InvalidInputError: two files are the same.
    """
    files = {"input": options.source, "output": options.out, "journal": None, "file for recovery codes": None}
    if options.out != "-":
        files["unfinished output"] = f"{options.out}.partial.jsonl"
    journal = None if options.journal is None else os.fspath(options.journal)
    if journal is not None and "://" in journal:
        journal = sqlite_path(journal)
    if journal is not None:
        files |= {"journal": journal, "journal's -wal file": f"{journal}-wal", "journal's -shm file": f"{journal}-shm"}
    recovery = recovery_file_for(options)
    files["file for recovery codes"] = None if recovery is None else str(recovery)
    seen: dict[object, str] = {}
    for name, file in files.items():
        if file is None or file == "-" or (Path(file).exists() and not Path(file).is_file()):
            continue  # a pipe or a device may be used twice
        path = Path(file)
        for mark in (path.resolve(), (path.stat().st_dev, path.stat().st_ino) if path.exists() else None):
            if mark is not None and seen.setdefault(mark, name) != name:
                raise InvalidInputError(
                    f"The {name} would overwrite the {seen[mark]}: both are {file}. Name another file."
                )
