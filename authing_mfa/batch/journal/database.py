"""The address of a journal, a path or a database URL, and the files beside it."""

from __future__ import annotations

import os
import re
import ssl
import threading
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from authing_mfa.batch.errors import JournalError
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from authing_mfa.batch.journal.connection import Database

__all__ = ["default_recovery_file", "is_away", "open_database", "shown", "sqlite_path"]

_MISTYPED: Final = re.compile(r"(postgres(ql)?|sqlite)(\+\w+)?(:|//)", re.IGNORECASE)
_CONNECT_WAIT: Final = 20.0  # seconds, unless the URL has connect_timeout; the driver would wait for a minute
_WITHOUT_EXTRA: Final = "A journal needs SQLAlchemy and its driver: pip install 'authing-mfa[batch]' (for PostgreSQL 'authing-mfa[postgresql]')."


def open_database(address: str | os.PathLike[str], *, make: bool = True) -> Database:
    """Return the database for a journal at *address*, not connected. Imports SQLAlchemy, opens files: not for the event loop.

    Args:
        address: a path or a database URL.
        make: make an SQLite file, with mode 0600, if it does not exist.

    Raises:
        JournalError: the file cannot be made, does not exist, or is read-only, or SQLAlchemy or its driver is missing.
        InvalidInputError: *address* is not the address of a database that can hold a journal.
    """
    try:
        from authing_mfa.batch.journal import schema
        from authing_mfa.batch.journal.connection import PostgreSQL, SQLite

        url = _address(address)
        path = schema.sqlite_file(url)
        if path is None:
            return PostgreSQL(schema.postgresql_engine(*_for_asyncpg(url)))
        _make_private(Path(path), make=make)
        return SQLite(schema.sqlite_engine(url), path)
    except ImportError as error:
        raise JournalError(_WITHOUT_EXTRA) from error


def _for_asyncpg(url: URL) -> tuple[URL, dict[str, Any]]:
    """Return the URL and the arguments that asyncpg needs.

    The names of libpq's parameters in the URL differ from asyncpg's arguments. Statements are prepared under unique names and not kept, so
    that pgbouncer may give each transaction another connection.
    """
    query = dict(url.query)
    mode, root = query.pop("sslmode", None), query.pop("sslrootcert", None)
    arguments: dict[str, Any] = {
        "timeout": _CONNECT_WAIT,
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": lambda: f"mfa_batch_{uuid.uuid4().hex}",
    }
    if (name := query.pop("application_name", None)) is not None:
        arguments["server_settings"] = {"application_name": name}
    if (seconds := query.pop("connect_timeout", None)) is not None:
        arguments["timeout"] = _seconds(str(seconds))
    if isinstance(root, str) and mode in ("verify-ca", "verify-full"):
        try:
            context = ssl.create_default_context(cafile=root)
        except OSError as error:
            raise JournalError(f"The certificates {root} cannot be read: {error.strerror or error}.") from error
        context.check_hostname = mode == "verify-full"
        arguments["ssl"] = context
    elif mode is not None:
        arguments["ssl"] = mode
    return url.set(query=query), arguments


def _seconds(text: str) -> float:
    seconds = None
    with suppress(ValueError):
        seconds = float(text)
    if seconds is None:
        raise InvalidInputError("connect_timeout in the journal's URL must be a number of seconds.")
    return seconds


def is_away(error: BaseException) -> bool:
    """Return True if the database server cannot be reached at the moment: a repeat may succeed."""
    if isinstance(error, (ConnectionError, TimeoutError)):
        return True
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    if isinstance(state, str):
        return state[:2] == "08" or state in ("57P01", "57P02", "57P03", "53300")
    if any(cls.__name__ == "InternalClientError" for cls in type(cause).__mro__):
        return True  # asyncpg: the server said that it ends this connection, and has not ended it yet
    return bool(getattr(error, "connection_invalidated", False))


def _check_not_mistyped(path: str) -> None:
    if _MISTYPED.match(path):  # it may hold a password, and a path would be shown
        raise InvalidInputError("journal looks like a database URL without ://: write postgresql+asyncpg://….")


def _address(address: str | os.PathLike[str]) -> URL:
    """Return the database's address: a plain path is an SQLite file."""
    try:
        from sqlalchemy.engine import URL, make_url
        from sqlalchemy.exc import ArgumentError
    except ImportError as error:
        raise JournalError(_WITHOUT_EXTRA) from error
    text = os.fspath(address)
    if "://" not in text:
        _check_not_mistyped(text)
        return URL.create("sqlite", database=text)
    url = None
    with suppress(ArgumentError, ValueError):  # their texts quote what stands where host and port should
        url = make_url(text)
    if url is None or "@" in (url.host or ""):
        url = None  # not for a report that shows local variables
        raise InvalidInputError(
            "journal must be a path or a database URL. In its password write @ as %40, : as %3A and / as %2F."
        )
    drivers = {"sqlite": "sqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    backend = url.drivername.partition("+")[0]
    if backend not in drivers:
        raise InvalidInputError("journal must be a path, or a URL of sqlite:// or postgresql://.")
    if backend == "sqlite" and "uri" in url.query:  # it may name a database in memory, or switch locks off
        raise InvalidInputError("journal must name a file: write its path or sqlite:///run.db, without uri=.")
    return url.set(drivername=drivers[backend])


def shown(address: str | os.PathLike[str]) -> str:
    """Return *address* for an error's text; of a URL only its kind, because it may hold a password."""
    text = os.fspath(address)
    return f"at {text.partition('://')[0]}://…" if "://" in text else text


def _make_private(path: Path, *, make: bool) -> None:
    """Make an empty file of mode 0600 if it does not exist, so that other users can never read the database.

    A file that exists is not opened. When a process closes a file, the system releases all locks of the process on it, those
    of SQLite's connections too; another process would then delete the -wal file that they write to.
    """
    with _making:  # nobody in this process has a connection to a file that is just made
        if not path.exists():
            if not make:
                raise JournalError(f"There is no journal {path} to resume.")
            with suppress(FileExistsError):  # another process was quicker
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    if path.is_dir():
        raise JournalError(f"The journal {path} is a directory.")
    if not path.is_file():
        raise JournalError(f"The journal {path} is not a file.")
    if not path.stat().st_mode & 0o200:
        raise JournalError(f"The journal {path} is read-only.")  # root could write it nevertheless
    if not os.access(path, os.R_OK | os.W_OK):
        raise JournalError(f"The journal {path} may not be read and written by this user.")


_making: Final = threading.Lock()


def sqlite_path(url: str) -> str | None:
    """Return the file of an SQLite URL, None for another database."""
    return _address(url).database if url.startswith("sqlite") else None


def default_recovery_file(address: str | os.PathLike[str], run: str) -> Path:
    """Return the default file for new recovery codes: beside an SQLite journal, else in the current directory."""
    text = os.fspath(address)
    if "://" not in text:
        _check_not_mistyped(text)
        return Path(f"{text}.recovery-codes.jsonl")
    database = _address(text).database
    if text.startswith("sqlite") and database:
        return Path(f"{database}.recovery-codes.jsonl")
    return Path(f"{run}.recovery-codes.jsonl")
