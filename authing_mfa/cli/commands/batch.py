"""`batch`: the options of a run from file to file; `authing_mfa.batch` does the run."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from authing_mfa.cli import exit_codes as exits
from authing_mfa.cli.batch_texts import code_words, finding_words, row_words, say_batch
from authing_mfa.cli.error_messages import describe
from authing_mfa.cli.lazy import Command
from authing_mfa.cli.output import OutputError, ReaderGoneError

if TYPE_CHECKING:
    from authing_mfa.batch.files.input import Detected
    from authing_mfa.batch.models import Outcome
    from authing_mfa.batch.options import BatchOptions, Summary
    from authing_mfa.cli.context import CliContext

__all__ = ["batch"]

_INVALID_SHOWN = 20


def _columns(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if any(not (ours and equals and theirs) for ours, equals, theirs in pairs):
        raise click.BadParameter("use OURS=THEIRS, for example phone=mobile.")
    return {ours: theirs for ours, _, theirs in pairs}


def _journal(_ctx: click.Context, _param: click.Parameter, given: str | None) -> str | None:
    """Replace ``@FILE`` by the first line of FILE, because a database's URL may hold a password."""
    if given is None or not given.startswith("@"):
        return given
    try:
        with Path(given[1:]).open(encoding="utf-8-sig") as file:
            address = file.readline().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"the file {given[1:]} cannot be read.") from error
    if not address:
        raise click.BadParameter(f"the file {given[1:]} is empty.")
    return address


def _delimiter(_ctx: click.Context, _param: click.Parameter, given: str | None) -> str | None:
    return "\t" if given in ("tab", "\\t") else given


@click.command(cls=Command)
@click.argument("source", metavar="ROWS", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--out", default="-", metavar="FILE", help="Output file; - is stdout. [default: -]")
@click.option(
    "--journal",
    metavar="FILE",
    envvar="AUTHING_JOURNAL",
    callback=_journal,
    help="Journal: a file, a database URL, or @FILE that holds a URL. A row that was sent is never sent again. [env: AUTHING_JOURNAL]",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 65535),  # connections of one machine to one address
    default=64,
    help="Maximum number of calls in flight. [default: 64]",
)
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), metavar="N", help="Maximum number of calls started per second."
)
@click.option("--resume", is_flag=True, help="Continue an earlier run: use its journal and its output.")
@click.option(
    "--start-or-resume", is_flag=True, help="Continue an earlier run, or start a run if there is no journal yet."
)
@click.option("--overwrite", is_flag=True, help="Replace the output of an earlier run.")
@click.option("--resend-unknown", is_flag=True, help="With --resume, send rows with an unknown outcome again.")
@click.option(
    "--resend-rejected",
    type=int,
    multiple=True,
    metavar="CODE",
    help="With --resume, send rows that were rejected with CODE again, for example 2021; repeatable.",
)
@click.option(
    "--service-moved",
    is_flag=True,
    help="With --resume, accept another application id or address than before: it is the same service.",
)
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
    help="Input format: csv, jsonl, parquet or xlsx. Default: from the file name.",
)
@click.option(
    "--encoding", metavar="NAME", help="Encoding of a text input, for example gb18030. Default: from the bytes."
)
@click.option(
    "--delimiter",
    metavar="MARK",
    callback=_delimiter,
    help="Character between the cells of a CSV input: , ; | or tab. Default: from the header.",
)
@click.option(
    "--out-format",
    metavar="FORMAT",
    help="Output format: csv, jsonl or parquet. Default: from the file name; jsonl for a pipe.",
)
@click.option("--tokens", is_flag=True, help="Write the tokens of verified users to the output.")
@click.option(
    "--recovery-file",
    metavar="FILE",
    help="File for new recovery codes (mode 0600); with --processes or --dask a folder for such files.",
)
@click.option(
    "--stop-after-failures",
    type=click.IntRange(0),
    metavar="N",
    help="Consecutive failures after which nothing is sent until the service answers; 0: never. [default: 50]",
)
@click.option(
    "--max-outage",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Seconds to wait for an unreachable service before the run stops. [default: 30]",
)
@click.option("--run-name", metavar="NAME", help="Name of the run, if one database holds several.")
@click.option(
    "--processes",
    type=click.IntRange(1),
    metavar="N",
    help="Run on N processes of this machine. Needs --journal and --out FILE.",
)
@click.option("--dask", metavar="ADDRESS", help="Run on a Dask cluster: a scheduler's address, or local:N.")
@click.option(
    "--partition-rows",
    type=click.IntRange(1),
    metavar="N",
    help="Number of rows that a process, or Dask, gets at once.",
)
@click.pass_context
def batch(ctx: click.Context, /, **given: Any) -> int:
    """Verify many rows from a file.

    ROWS is CSV, JSON lines, Parquet or Excel (.xlsx), or - for stdin; gzip and zstd are unpacked. Columns: kind, key, token, phone,
    phone_country_code, email, code, photo_key, image. A row without a token uses the login's token.

    One object per row goes to --out: index, key, kind, status (ok, rejected, failed, unknown), code, message, value, elapsed. index
    counts the rows from 0; messages count rows and lines from 1. The summary goes to stderr; with --json and an --out file it is
    the one object on stdout.

    Exit codes: 0 all verified; 1 some rejected; 3 some unknown; 7 some failed, or the run stopped and a person must find the reason. The
    highest of them applies. 4 the token was refused. 75 stopped early: run the same command with --resume. 130 interrupted.
    """
    from authing_mfa._threads import run as run_on_loop
    from authing_mfa.batch.errors import CircuitOpenError, JournalError
    from authing_mfa.batch.options import BatchOptions
    from authing_mfa.batch.run_file import run_file
    from authing_mfa.cli.progress import shown

    context: CliContext = ctx.obj
    told = {name: value for name, value in given.items() if value is not None}
    if told.get("stop_after_failures") == 0:
        told["stop_after_failures"] = None
    options = BatchOptions(**told)
    if _shows_password(ctx, options):
        context.output.warn(say_batch("password_shown", context.lang))
    reader = _Reader(context, options)
    try:
        login = None if options.dry_run else context.login()
        keywords = {} if options.dry_run else context.client_options(login.token if login else None)
        with shown(context.output, lang=context.lang) as on_progress:
            summary = run_on_loop(
                lambda: run_file(
                    options, keywords, on_progress=on_progress, on_invalid=reader.invalid, on_detected=reader.detected
                )
            )
    except (JournalError, CircuitOpenError) as error:
        text = context.explain(error)
        context.output.error(text, describe(error, text), exits.BATCH)
        return exits.BATCH
    except BrokenPipeError as error:
        raise ReaderGoneError from error
    except (OSError, ImportError) as error:
        raise click.UsageError(say_batch("unreadable", context.lang, reason=error)) from error
    with suppress(OSError, OutputError):  # the exit code of the run says more than that of its lost summary
        _tell(context, summary, to_stdout=options.out != "-" or options.dry_run)
    return summary.exit_code


def _shows_password(ctx: click.Context, options: BatchOptions) -> bool:
    """Warn about a database's password on the command line, where all users of the machine can see it."""
    journal = str(options.journal or "")
    typed = ctx.get_parameter_source("journal") is click.core.ParameterSource.COMMANDLINE
    shown = journal in sys.argv or f"--journal={journal}" in sys.argv  # with @FILE, only the file's name is
    return typed and shown and re.match(r"[^:/]+://[^/@]*:[^/@]+@", journal) is not None


class _Reader:
    """Prints the form of the input, and the first few of the invalid rows (there may be millions)."""

    def __init__(self, context: CliContext, options: BatchOptions) -> None:
        self._context = context
        self._source = options.source
        self._count = 0

    def detected(self, detected: Detected) -> None:
        """Print the form of the input that was opened."""
        source = "stdin" if self._source == "-" else self._source
        self._context.output.note(say_batch("input", self._context.lang, source=source, detected=detected))

    def invalid(self, outcome: Outcome) -> None:
        """Print a row that cannot be sent."""
        self._count += 1
        lang = self._context.lang
        if self._count <= _INVALID_SHOWN:
            name = f" ({outcome.key})" if outcome.key else ""
            message = "" if outcome.error is None else outcome.error.message.removeprefix(f"Row {outcome.index + 1}: ")
            message = row_words(message, lang)
            self._context.output.warn(say_batch("row", lang, number=outcome.index + 1, name=name, message=message))
        elif self._count == _INVALID_SHOWN + 1:
            self._context.output.warn(say_batch("more_rows", lang))


def _tell(context: CliContext, summary: Summary, *, to_stdout: bool) -> None:
    output, told, lang = context.output, summary.as_json(), context.lang
    (output.good if summary.exit_code == 0 else output.warn)(_first_line(summary, lang))
    for finding in summary.findings:
        output.warn(finding_words(finding, lang))
    if not summary.dry_run and any(code != 200 for code in summary.codes):
        codes = [f"{code}: {count}" + _in_words(code, lang) for code, count in sorted(summary.codes.items())]
        output.note(say_batch("by_code", lang, codes=", ".join(codes)))
    if summary.recovery_file is not None:
        output.warn(say_batch("recovery_file", lang, path=summary.recovery_file))
    if summary.stopped is not None:
        output.warn(say_batch("because", lang, reason=summary.stopped))
    if summary.resumable:
        output.note(say_batch("resumable", lang))
    if output.as_json and to_stdout:
        output.data(told, code=summary.exit_code)
    elif output.as_json:
        import json

        output.note(
            json.dumps({"ok": summary.exit_code == 0, "command": "batch", "exit": summary.exit_code, "data": told})
        )


def _first_line(summary: Summary, lang: str) -> str:
    counts = {status: summary.statuses[status] for status in ("ok", "rejected", "failed", "unknown")}
    fields: dict[str, Any] = {"done": summary.done, "seconds": f"{summary.elapsed:.1f}", "total": summary.total}
    if summary.dry_run:
        return say_batch("looked", lang, **fields, **counts)
    fields["counts"] = say_batch("counts", lang, **counts)
    if not summary.interrupted and summary.stopped is None:
        return say_batch("done", lang, **fields)
    fields["how"] = say_batch("interrupted" if summary.interrupted else "stopped", lang)
    return say_batch("cut" if summary.total is not None else "cut_unknown_total", lang, **fields)


def _in_words(code: int, lang: str) -> str:
    words = code_words(code, lang)
    return f" ({words})" if words else ""
