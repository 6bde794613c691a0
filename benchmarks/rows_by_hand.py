"""What the standard library needs for the files and the journal of a batch: the lower bound of `benchmarks.rows`.

The same inserts, in transactions of the same size, committed as durably; no check, no fingerprint.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from typing import TYPE_CHECKING, Any

from benchmarks.fixture import USER

if TYPE_CHECKING:
    from pathlib import Path

WINDOW = 128  # rows of one transaction
TABLES = """
CREATE TABLE row (run INTEGER, position INTEGER, part INTEGER, key TEXT, kind TEXT, digest TEXT, PRIMARY KEY (run, position)) WITHOUT ROWID;
CREATE TABLE outcome (run INTEGER, position INTEGER, epoch INTEGER, answer TEXT, PRIMARY KEY (run, position)) WITHOUT ROWID;
"""
OPEN = {name: USER[name] for name in ("id", "username", "nickname", "name", "email", "phone", "photo")}


def journal(folder: Path, count: int) -> None:
    """Insert a line and an answer for each row, committed durably in groups."""
    file = sqlite3.connect(folder / "run.db", isolation_level=None)
    for setting in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=250"):
        file.execute(f"PRAGMA {setting}")
    file.executescript(TABLES)
    answer, digest = json.dumps(OPEN), "0123456789abcdef" * 2
    for first in range(0, count, WINDOW):
        numbers = range(first, min(count, first + WINDOW))
        file.execute("BEGIN IMMEDIATE")
        file.executemany(
            "INSERT INTO row VALUES (?, ?, ?, ?, ?, ?)", [(1, n, 0, str(n), "totp", digest) for n in numbers]
        )
        file.executemany("INSERT INTO outcome VALUES (?, ?, ?, ?)", [(1, n, 1, answer) for n in numbers])
        file.execute("COMMIT")
    file.close()


def reading(folder: Path, count: int) -> None:
    with (folder.parent / f"{count}.csv").open(newline="") as file:
        assert sum(1 for _ in csv.reader(file)) == count + 1


def writing(folder: Path, count: int) -> None:
    dumps = json.dumps if json_module() is json else json_module().dumps
    with (folder / "by-hand.jsonl").open("wb") as file:
        for number in range(count):
            line = dumps({"index": number, "key": str(number), "status": "ok", "value": OPEN})
            file.write(line.encode() if isinstance(line, str) else line)
            file.write(b"\n")


def json_module() -> Any:
    """Orjson where it is installed, as in the package."""
    try:
        import orjson
    except ImportError:
        return json
    return orjson
