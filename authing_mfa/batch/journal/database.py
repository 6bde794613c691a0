"""Where a journal is: a path or a database URL, and what goes beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from authing_mfa.batch.errors import JournalError
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["default_recovery_file", "make_engine", "shown"]

_WITHOUT_EXTRA: Final = "A journal needs SQLAlchemy and its driver: pip install 'authing-mfa[batch]' (for PostgreSQL 'authing-mfa[postgresql]')."


def make_engine(address: str | os.PathLike[str]) -> AsyncEngine:
    """The engine for a journal at *address*; an SQLite file is made with mode 0600. Imports SQLAlchemy, opens files: not for the loop.

    Raises:
        JournalError: the file cannot be made or is read-only, or SQLAlchemy or its driver is missing.
        InvalidInputError: it is no address of a database that can hold a journal.
    """
    try:
        from authing_mfa.batch.journal import schema

        url = _address(address)
        path = schema.sqlite_file(url)
        if path is not None:
            _make_private(Path(path))
        return schema.engine(url)
    except ImportError as error:
        raise JournalError(_WITHOUT_EXTRA) from error


def _address(address: str | os.PathLike[str]) -> URL:
    """The database's address: a plain path is an SQLite file."""
    from sqlalchemy.engine import URL, make_url
    from sqlalchemy.exc import ArgumentError

    text = os.fspath(address)
    if "://" not in text:
        return URL.create("sqlite+aiosqlite", database=text)
    try:
        url = make_url(text)
    except ArgumentError:
        raise InvalidInputError("journal must be a path or a database URL.") from None
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    backend = url.drivername.partition("+")[0]
    if backend not in drivers:
        raise InvalidInputError("journal must be a path, or a URL of sqlite+aiosqlite:// or postgresql+asyncpg://.")
    return url.set(drivername=drivers[backend])


def shown(address: str | os.PathLike[str]) -> str:
    """*address* for an error's text: of a URL no more than its kind, it may hold a password."""
    text = os.fspath(address)
    return f"at {text.partition('://')[0]}://…" if "://" in text else text


def _make_private(path: Path) -> None:
    """An empty file of mode 0600 where there is none, so that the database is never readable by others."""
    if path.exists() and not path.stat().st_mode & 0o200:
        raise JournalError(f"The journal {path} is read-only.")  # root could write it all the same
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def default_recovery_file(address: str | os.PathLike[str], run: str) -> Path:
    """Where new recovery codes go when nothing is said: beside an SQLite journal, else in the current directory."""
    text = os.fspath(address)
    if "://" not in text:
        return Path(f"{text}.recovery-codes.jsonl")
    database = _address(text).database
    if text.startswith("sqlite") and database:
        return Path(f"{database}.recovery-codes.jsonl")
    return Path(f"{run}.recovery-codes.jsonl")
