"""What a row of a batch costs beyond its call, by part: user instructions, counted by cachegrind.

python -m benchmarks.rows [PART ...]            the table: thousands of instructions per row
python -m benchmarks.rows [PART ...] --run ROWS ROWS rows in one process, twice as many in another one: what cachegrind counts
python -m benchmarks.rows [PART ...] --cpu ROWS microseconds of CPU per row, of all threads

There is no network: a client in memory answers some calls in each turn of the event loop, as a quick service does. "By hand" is
what the standard library needs for the same files and the same journal, in transactions of the same size, and nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gc
import os
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from unittest.mock import patch

from authing_mfa import UserInfo
from authing_mfa.batch import VerifyRequest, verify_many
from authing_mfa.batch.files import local
from authing_mfa.batch.files.input import Input
from authing_mfa.batch.files.output import results_for
from authing_mfa.batch.journal import writer
from authing_mfa.batch.journal.fingerprint import fingerprint
from authing_mfa.batch.journal.journal import Journal
from authing_mfa.batch.journal.records import Writing
from authing_mfa.batch.journal.serialization import to_journal
from authing_mfa.batch.models import Outcome
from authing_mfa.batch.options import BatchOptions
from authing_mfa.batch.run_file import run_file
from benchmarks import instructions, rows_by_hand
from benchmarks.fixture import USER
from benchmarks.rows_by_hand import WINDOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONCURRENCY = 256
AT_ONCE = 8  # calls that are answered in one turn of the loop
SLOWER = 50  # so many times slower is a program under cachegrind
COUNT = 1000  # rows between the two counts
VALUE = UserInfo(
    id=USER["id"],
    username=USER["username"],
    nickname=USER["nickname"],
    name=USER["name"],
    email=USER["email"],
    phone=USER["phone"],
    phone_country_code=USER["phoneCountryCode"],
    photo=USER["photo"],
    user_pool_id=USER["userPoolId"],
    id_token=USER["token"],
    raw=USER,
    token_expires_at=1796716800.0,
)


class Service:
    """A client whose calls wait, and of which a few are answered in each turn of the loop."""

    max_connections = CONCURRENCY

    def __init__(self, **_options: Any) -> None:
        self._waiting: deque[asyncio.Future[UserInfo]] = deque()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def connect(self) -> None:
        pass

    def as_user(self, _token: str | None) -> Service:
        return self

    async def perform(self, _operation: object, *, max_attempts: int | None = None) -> UserInfo:  # noqa: ARG002 - AuthClient's own
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._answer)
        answer: asyncio.Future[UserInfo] = loop.create_future()
        self._waiting.append(answer)
        return await answer

    def _answer(self) -> None:
        for _ in range(min(AT_ONCE, len(self._waiting))):
            self._waiting.popleft().set_result(VALUE)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._answer)


# ─────────────────────────────── the parts ───────────────────────────────


def made(count: int) -> Iterator[VerifyRequest]:
    return (VerifyRequest.totp("123456", token="token", key=str(number)) for number in range(count))


def rows(_folder: Path, count: int) -> None:
    """The rows alone, made by the program."""
    for _ in made(count):
        pass


def engine(_folder: Path, count: int, journal: Path | None = None) -> None:
    async def run() -> None:
        given = 0
        async for outcome in verify_many(Service(), made(count), concurrency=CONCURRENCY, journal=journal):  # type: ignore[arg-type]  # a client
            given += outcome.ok
        assert given == count

    asyncio.run(run())


def with_journal(folder: Path, count: int) -> None:
    engine(folder, count, folder / "run.db")


def source(folder: Path, count: int) -> Path:
    return folder.parent / f"{count}.csv"


def make_source(folder: Path, count: int) -> None:
    with (folder / f"{count}.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("kind", "key", "token", "code"))
        table.writerows(("totp", number, "token", "123456") for number in range(count))


def reading(folder: Path, count: int) -> None:
    read = Input(BatchOptions(source=str(source(folder, count))))
    read.look(threading.Event())
    assert sum(isinstance(row, VerifyRequest) for row in read.rows()) == count


def writing(folder: Path, count: int) -> None:
    results = results_for(BatchOptions(source="-", out=str(folder / "out.jsonl")))
    results.open()
    for number in range(count):
        results.write(Outcome(number, "0", VALUE, None, 0.0123456, "totp"))
    results.finish(complete=True)


def with_files(folder: Path, count: int, journal: Path | None = None) -> None:
    out = folder / "out.jsonl"
    options = BatchOptions(source=str(source(folder, count)), out=str(out), journal=journal, concurrency=CONCURRENCY)
    with patch.object(local, "AuthClient", Service):
        asyncio.run(run_file(options, {}))
    with out.open("rb") as file:
        assert sum(1 for _ in file) == count


def with_both(folder: Path, count: int) -> None:
    with_files(folder, count, folder / "run.db")


OUTCOME = Outcome(0, "0", VALUE, None, 0.0123456, "totp")


def fingerprints(_folder: Path, count: int) -> None:
    row, salt = next(made(1)), bytes(32)
    for _ in range(count):
        fingerprint(row, salt)


def answers(_folder: Path, count: int) -> None:
    for _ in range(count):
        to_journal(OUTCOME)


def transactions(folder: Path, count: int) -> None:
    """The journal alone, with lines and answers that are made already."""

    async def run() -> None:
        journal = await Journal.open(folder / "run.db")
        answer, digest = to_journal(OUTCOME), fingerprint(next(made(1)), bytes(32))
        for first in range(0, count, WINDOW):
            numbers = range(first, min(count, first + WINDOW))
            lines = [(number, str(number), "totp", digest) for number in numbers]
            await journal.write(Writing(lines, [(number, answer) for number in numbers]))
        await journal.close()

    asyncio.run(run())


PARTS: dict[str, tuple[str, Callable[[Path, int], None]]] = {
    "rows": ("making the row in the program", rows),
    "engine": ("verify_many", engine),
    "journal": ("verify_many, journal", with_journal),
    "files": ("from CSV to JSON lines", with_files),
    "both": ("from CSV to JSON lines, journal", with_both),
    "fingerprint": ("the fingerprint of a row, alone", fingerprints),
    "answer": ("the journal's JSON of an outcome, alone", answers),
    "transactions": ("the journal's transactions, alone", transactions),
    "reading": ("reading and checking the CSV file, alone", reading),
    "writing": ("writing JSON lines, alone", writing),
    "journal-by-hand": ("by hand: inserts and commits of sqlite3", rows_by_hand.journal),
    "reading-by-hand": ("by hand: csv.reader", rows_by_hand.reading),
    "writing-by-hand": ("by hand: JSON and write", rows_by_hand.writing),
}


def run(part: str, folder: str, count: int) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        PARTS[part][1](Path(own), count)


def fork_twice(part: str, count: int) -> None:
    """Let one child do *count* rows, and another one twice as many."""
    with tempfile.TemporaryDirectory() as folder:
        for number in (300, count, 2 * count):
            make_source(Path(folder), number)
        run(part, folder, 300)
        gc.collect()
        gc.freeze()
        for number in (count, 2 * count):
            child = os.fork()
            if child == 0:
                run(part, folder, number)
                os._exit(0)
            if os.waitpid(child, 0)[1]:
                sys.exit(f"{part} failed")


def cpu(part: str, count: int) -> float:
    """Microseconds of CPU per row, the least of several runs: other work on the machine only adds to it."""
    with tempfile.TemporaryDirectory() as folder:
        make_source(Path(folder), count)
        taken = []
        for _ in range(9):
            started = time.process_time()
            run(part, folder, count)
            taken.append(time.process_time() - started)
    return min(taken) / count * 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--run", type=int)
    parser.add_argument("--cpu", type=int)
    given = parser.parse_args()
    parts = given.parts or list(PARTS)
    if given.run:
        writer._GATHER *= SLOWER  # else more and smaller windows are written than in a real run
        for part in parts:
            fork_twice(part, given.run)
    else:
        costs = (
            [cpu(part, given.cpu) for part in parts]
            if given.cpu
            else [cost / 1000 for cost in instructions.counted("benchmarks.rows", [*parts, "--run", str(COUNT)], COUNT)]
        )
        for part, cost in zip(parts, costs, strict=True):
            print(f"{PARTS[part][0]:<44}{cost:8.1f}")
