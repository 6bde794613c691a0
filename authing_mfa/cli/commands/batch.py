"""`batch`: the options of a run from file to file; `authing_mfa.batch` does it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from authing_mfa.cli import exit_codes as exits
from authing_mfa.cli.error_messages import describe
from authing_mfa.cli.lazy import Command
from authing_mfa.cli.output import ReaderGoneError

if TYPE_CHECKING:
    from authing_mfa.batch.models import Outcome
    from authing_mfa.batch.run_file import Summary
    from authing_mfa.cli.context import Run

__all__ = ["batch"]

_BROKEN_SHOWN = 20


def _columns(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if any(not (ours and equals and theirs) for ours, equals, theirs in pairs):
        raise click.BadParameter("use OURS=THEIRS, for example phone=mobile.")
    return {ours: theirs for ours, _, theirs in pairs}


@click.command(cls=Command)
@click.argument("source", metavar="ROWS", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--out", default="-", metavar="FILE", help="Output file; - is stdout. [default: -]")
@click.option(
    "--journal", metavar="FILE", help="Journal: a file or a database URL. A row that was sent is never sent again."
)
@click.option("--concurrency", type=click.IntRange(1), default=64, help="Most calls in flight. [default: 64]")
@click.option("--rate", type=click.FloatRange(0, min_open=True), metavar="N", help="Most calls started per second.")
@click.option("--resume", is_flag=True, help="Continue an earlier run: use its journal and its output.")
@click.option("--resend-unknown", is_flag=True, help="With --resume, send rows with an unknown outcome again.")
@click.option("--dry-run", is_flag=True, help="Check all rows and send nothing.")
@click.option("--ordered", is_flag=True, help="Write outcomes in the order of the rows, not as calls finish.")
@click.option("--kind", metavar="KIND", help="Kind of rows without a kind: check, phone, email, totp, recovery, face.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="OURS=THEIRS",
    callback=_columns,
    help="Rename an input column; repeatable. Example: --column phone=mobile.",
)
@click.option(
    "--format",
    "source_format",
    metavar="FORMAT",
    help="Input format: csv, jsonl or parquet. Default: from the file name.",
)
@click.option("--out-format", metavar="FORMAT", help="Output format. Default: from the file name; jsonl for a pipe.")
@click.option("--tokens", is_flag=True, help="Write the tokens of verified users to the output.")
@click.option("--recovery-file", metavar="FILE", help="File for new recovery codes (mode 0600).")
@click.option(
    "--stop-after-failures",
    type=click.IntRange(0),
    metavar="N",
    help="Stop after this many failures in a row; 0: never.",
)
@click.option("--run-name", metavar="NAME", help="Name of the run, if one database holds several.")
@click.option("--dask", metavar="ADDRESS", help="Run on a Dask cluster: a scheduler's address, or local:N.")
@click.option("--partition-rows", type=click.IntRange(1), metavar="N", help="Number of rows in one Dask task.")
@click.pass_obj
def batch(run: Run, /, **given: Any) -> int:
    """Verify many rows from a file.

    ROWS is CSV, JSON lines or Parquet, or - for stdin. Columns: kind, key, token, phone, phone_country_code, email, code,
    photo_key, image. A row without a token uses the login's token.

    One object per row goes to --out: index, key, kind, status (ok, rejected, failed, unknown), code, message, value, elapsed.
    The summary goes to stderr. With --json and an --out file it is the object on stdout.

    Exit codes: 0 all verified; 1 some rejected; 3 some unknown; 7 some failed, or stopped before the end. The highest of them
    counts. 130 interrupted.
    """
    from authing_mfa.batch.errors import CircuitOpenError, JournalError
    from authing_mfa.batch.run_file import BatchOptions, run_file
    from authing_mfa.cli.progress import shown

    told = {name: value for name, value in given.items() if value is not None}
    if told.get("stop_after_failures") == 0:
        told["stop_after_failures"] = None
    options = BatchOptions(**told)
    broken = _Broken(run)
    try:
        login = run.login()
        keywords = run.client_options(login.token if login is not None else None)
        with shown(run.output) as on_progress:
            summary = asyncio.run(run_file(options, keywords, on_progress=on_progress, on_invalid=broken))
    except (JournalError, CircuitOpenError) as error:
        text = run.explain(error)
        run.output.error(text, describe(error, text), exits.BATCH)
        return exits.BATCH
    except BrokenPipeError as error:
        raise ReaderGoneError from error
    except (OSError, ImportError) as error:
        raise click.UsageError(run.say("batch_unreadable", reason=error)) from error
    _tell(run, summary, to_stdout=options.out != "-" or options.dry_run)
    return summary.exit_code


class _Broken:
    """Says which lines are no rows: the first few, for there may be millions."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._count = 0

    def __call__(self, outcome: Outcome) -> None:
        self._count += 1
        if self._count <= _BROKEN_SHOWN:
            name = f" ({outcome.key})" if outcome.key else ""
            message = outcome.error.message if outcome.error is not None else ""
            self._run.output.warn(self._run.say("row", number=outcome.index + 1, name=name, message=message))
        elif self._count == _BROKEN_SHOWN + 1:
            self._run.output.warn(self._run.say("more_rows"))


def _tell(run: Run, summary: Summary, *, to_stdout: bool) -> None:
    output, told = run.output, summary.as_json()
    counts = {name: told[name] for name in ("done", "ok", "rejected", "failed", "unknown")}
    key = "batch_looked" if summary.dry_run else "batch_done"
    line = run.say(key, seconds=f"{summary.elapsed:.1f}", **counts)
    (output.good if summary.exit_code == 0 else output.warn)(line)
    if any(code != "200" for code in told["codes"]):
        codes = ", ".join(f"{code}: {count}" for code, count in told["codes"].items())
        output.note(run.say("by_code", codes=codes))
    if summary.recovery_file is not None:
        output.warn(run.say("recovery_file", path=summary.recovery_file))
    if summary.stopped is not None:
        output.warn(run.say("stopped", reason=summary.stopped))
    if summary.resumable:
        output.note(run.say("resumable"))
    if output.as_json and to_stdout:
        output.data(told, code=summary.exit_code)
    elif output.as_json:
        import json

        output.note(
            json.dumps({"ok": summary.exit_code == 0, "command": "batch", "exit": summary.exit_code, "data": told})
        )
