"""A batch's progress on stderr: a bar on a terminal, else a line every ten seconds."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authing_mfa.batch.models import Progress
    from authing_mfa.cli.output import Output

__all__ = ["shown", "words"]

_LINE_EVERY: Final = 10.0  # seconds


@contextmanager
def shown(output: Output, *, clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[Progress], None]]:
    """What is to be told how far the run is."""
    if output.is_live(sys.stderr):
        with _bar(output) as tell:
            yield tell
    else:
        yield _lines(output, clock)


def words(progress: Progress) -> str:
    """*progress* in words, without its bar."""
    failed = progress.failed - progress.rejected - progress.unknown
    return f"{progress.ok} ok, {progress.rejected} rejected, {failed} failed, {progress.unknown} unknown"


def _lines(output: Output, clock: Callable[[], float]) -> Callable[[Progress], None]:
    due = clock() + _LINE_EVERY

    def tell(progress: Progress) -> None:
        nonlocal due
        if clock() < due:
            return
        due = clock() + _LINE_EVERY
        total = "" if progress.total is None else f" of {progress.total}"
        left = "" if progress.total is None or not progress.rate else f", {_left(progress):.0f} s left"
        output.note(f"{progress.done}{total} rows, {progress.rate:.0f}/s: {words(progress)}{left}")

    return tell


def _left(progress: Progress) -> float:
    return max((progress.total or 0) - progress.done, 0) / progress.rate


@contextmanager
def _bar(output: Output) -> Iterator[Callable[[Progress], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f}/s"),
        TextColumn("{task.fields[words]}"),
        TimeRemainingColumn(compact=True),
    )
    with Bar(*columns, console=output.console(stderr=True)) as bar:
        task = bar.add_task("batch", total=None, rate=0.0, words="")

        def tell(progress: Progress) -> None:
            bar.update(task, completed=progress.done, total=progress.total, rate=progress.rate, words=words(progress))

        yield tell
