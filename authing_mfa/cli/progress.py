"""Show a batch's progress on stderr: a bar on a terminal, else a line every ten seconds and when a pause begins."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from authing_mfa.cli.batch_texts import say_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authing_mfa.batch.models import Progress
    from authing_mfa.cli.output import Output

__all__ = ["shown", "words"]

_LINE_EVERY: Final = 10.0  # seconds


@contextmanager
def shown(
    output: Output, *, lang: str = "en-US", clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[Progress], None]]:
    """Yield the function that shows the progress of the run. A closed terminal does not end the run."""
    if not output.is_live(sys.stderr):
        yield _lines(output, lang, clock)
        return
    bar, tell = ExitStack(), _lines(output, lang, clock)
    with suppress(OSError):
        tell = bar.enter_context(_bar(output, lang))
    try:
        yield tell  # what the run raises here is not an error of the terminal
    finally:
        with suppress(OSError):
            bar.close()


def words(progress: Progress, lang: str = "en-US") -> str:
    """Return *progress* in words, without its bar."""
    failed = progress.failed - progress.rejected - progress.unknown
    fields = {"ok": progress.ok, "rejected": progress.rejected, "failed": failed, "unknown": progress.unknown}
    return say_batch("counts", lang, **fields)


def _pause(progress: Progress, lang: str) -> str:
    if progress.away:
        return say_batch("away", lang)
    return say_batch("paused", lang, seconds=f"{progress.paused:.0f}") if progress.paused >= 0.5 else ""


def _lines(output: Output, lang: str, clock: Callable[[], float]) -> Callable[[Progress], None]:
    due = clock() + _LINE_EVERY
    was_paused = False

    def tell(progress: Progress) -> None:
        nonlocal due, was_paused
        pause = _pause(progress, lang)
        begins, was_paused = bool(pause) and not was_paused, bool(pause)
        if clock() < due and not begins:
            return
        due = clock() + _LINE_EVERY
        known = progress.total is not None
        line = say_batch(
            "progress",
            lang,
            done=progress.done,
            total=say_batch("of", lang, total=progress.total) if known else "",
            rate=f"{progress.rate:.0f}",
            counts=words(progress, lang),
            left=say_batch("left", lang, seconds=f"{_left(progress):.0f}") if known and progress.rate else "",
            pause=pause,
        )
        with suppress(OSError):
            output.note(line)

    return tell


def _left(progress: Progress) -> float:
    return max((progress.total or 0) - progress.done, 0) / progress.rate


@contextmanager
def _bar(output: Output, lang: str) -> Iterator[Callable[[Progress], None]]:
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
    console = output.console(stderr=True)
    with Bar(*columns, console=console, redirect_stdout=False) as bar:  # a closed stdout would look open
        task = bar.add_task("batch", total=None, rate=0.0, words="")

        def tell(progress: Progress) -> None:
            said = words(progress, lang) + _pause(progress, lang)
            with suppress(OSError):
                bar.update(task, completed=progress.done, total=progress.total, rate=progress.rate, words=said)

        yield tell
