"""The journal's tables and statements. The one module that imports SQLAlchemy at its top; `journal` imports it late."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite

from authing_mfa.batch.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncEngine

VERSION: Final = 1

_CHECKPOINT: Final = (
    "wal_autocheckpoint=250"  # pages: the -wal file stays near 1 MiB, and on a small disk there is room for it
)
_BLOCK: Final = 128  # lines of one INSERT; SQLite before 3.32 allows 999 values
SHORTEST_IDLE: Final = 5.0  # seconds: a busy machine may take as long between two statements
_LOCK: Final = 0x6D66615F62617463  # the key of a PostgreSQL advisory lock: only one process at a time makes the tables

metadata: sa.MetaData = sa.MetaData()

RUN: Final = sa.Table(
    "mfa_batch_run",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("salt", sa.Text, nullable=False),
    sa.Column("layout", sa.Text, nullable=False),
)
CLAIM: Final = sa.Table(
    "mfa_batch_claim",
    metadata,
    sa.Column("run", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("beat", sa.BigInteger, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("lease", sa.Float, nullable=False),
)
ROW: Final = sa.Table(
    "mfa_batch_row",
    metadata,
    sa.Column("run", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("key", sa.Text),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
OUTCOME: Final = sa.Table(
    "mfa_batch_outcome",
    metadata,
    sa.Column("run", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
SERVICE: Final = sa.Table(
    "mfa_batch_service",  # not columns of RUN: the tables of an earlier version do not have them
    metadata,
    sa.Column("run", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("application", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
)


def sqlite_file(url: sa.URL) -> str | None:
    """Return the file of an SQLite address, None for another database."""
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database == ":memory:":
        raise JournalError("A journal in memory is lost when the process ends: name a file.")
    return url.database


def sqlite_engine(url: sa.URL) -> sa.Engine:
    """Return an engine for one connection whose commits are durable. Values are left out of its errors.

    No pool: the one connection is held. It waits a quarter of a second for another process that holds the file's lock.
    """
    made = sa.create_engine(url, hide_parameters=True, poolclass=sa.NullPool)
    event.listen(made, "connect", _set_up_sqlite)
    event.listen(made, "begin", _begin_sqlite)
    return made


def postgresql_engine(url: sa.URL, connect_args: dict[str, Any]) -> AsyncEngine:
    """Return an engine for one connection. Values are left out of its errors.

    No pool: the one connection is held, and after an outage a new one is made.
    """
    from sqlalchemy.ext.asyncio import create_async_engine  # it needs greenlet, and SQLite does not need it

    return create_async_engine(url, hide_parameters=True, poolclass=sa.NullPool, connect_args=connect_args)


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver begins no transaction by itself, _begin_sqlite does
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA busy_timeout=250")
        (mode,) = cursor.execute("PRAGMA journal_mode=WAL").fetchone()
        if mode != "wal":  # a file system without shared memory: then a commit too must wait until nobody reads
            cursor.execute("PRAGMA busy_timeout=20000")
        for setting in ("synchronous=FULL", "fullfsync=1", _CHECKPOINT):
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()
    except BaseException:
        connection.close()  # SQLAlchemy leaves it open
        raise


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def limit_idle_time(connection: sa.Connection, seconds: float) -> None:
    """Let PostgreSQL end this transaction if its owner stops responding: its lock on the claim would block the next owner for ever.

    SQLite has no such limit; there the next owner's wait is limited, and ends with an error that says so.
    """
    if connection.dialect.name == "postgresql":
        limit = round(max(SHORTEST_IDLE, seconds) * 1000)
        connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {limit}")


def check_whole(connection: sa.Connection) -> None:
    """Check an SQLite file for damage before it is used; PostgreSQL does that itself.

    Raises:
        JournalError: the file is damaged.
    """
    if connection.dialect.name != "sqlite":
        return
    verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if verdict != "ok":
        raise JournalError(
            "The journal is damaged. Nothing is sent, because the journal cannot show what was sent before. "
            f"Restore it from a copy, or try SQLite's .recover. SQLite says: {str(verdict).splitlines()[-1]}."
        )


def knows(connection: sa.Connection, name: str) -> bool:
    """Return True if the journal holds the run *name*."""
    if not sa.inspect(connection).has_table(RUN.name):
        return False
    return connection.execute(sa.select(RUN.c.id).where(RUN.c.name == name)).first() is not None


def create(connection: sa.Connection) -> None:
    """Make the tables if they do not exist."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    metadata.create_all(connection)


def run_of(connection: sa.Connection, name: str, *, salt: str, layout: str) -> tuple[int, str]:
    """Return id and salt of the run *name*; a new run is made with *salt*.

    Raises:
        JournalError: the journal was written by another version, or for rows that were divided in another way.
    """
    query = sa.select(RUN.c.id, RUN.c.salt, RUN.c.version, RUN.c.layout).where(RUN.c.name == name)
    found = connection.execute(query).first()
    if found is None:
        connection.execute(sa.insert(RUN).values(name=name, salt=salt, version=VERSION, layout=layout))
        found = connection.execute(query).one()
    if found.version != VERSION:
        raise JournalError(f"The journal was written by another version ({found.version}) of this package.")
    if found.layout != layout:
        raise JournalError(f"The journal's run {name!r} was started with {found.layout}, but this run has {layout}.")
    return found.id, found.salt


KNOWN: Final = (
    sa.select(ROW.c.position, ROW.c.key, ROW.c.kind, ROW.c.digest, OUTCOME.c.answer, OUTCOME.c.epoch)
    .select_from(
        ROW.outerjoin(OUTCOME, sa.and_(OUTCOME.c.run == ROW.c.run, OUTCOME.c.position == ROW.c.position)),
    )
    .where(ROW.c.run == sa.bindparam("run"))
    .where(ROW.c.position.between(sa.bindparam("first"), sa.bindparam("last")))
)
HIGHEST: Final = (
    sa.select(sa.func.coalesce(sa.func.max(ROW.c.position), -1))
    .where(ROW.c.run == sa.bindparam("run"))
    .where(ROW.c.position.between(sa.bindparam("first"), sa.bindparam("last")))
)
_PARTITIONS: Final = (
    sa.select(ROW.c.part, sa.func.min(ROW.c.position).label("first"), sa.func.max(ROW.c.position).label("last"))
    .where(ROW.c.run == sa.bindparam("run"))
    .group_by(ROW.c.part)
    .subquery()
)
EDGES: Final = sa.select(
    _PARTITIONS.c.part, _PARTITIONS.c.first, _PARTITIONS.c.last, ROW.c.key, ROW.c.kind, ROW.c.digest
).join(ROW, sa.and_(ROW.c.run == sa.bindparam("run"), ROW.c.position == _PARTITIONS.c.first))

FORGET_ROW: Final = sa.delete(ROW).where(ROW.c.run == sa.bindparam("run_"), ROW.c.position == sa.bindparam("position_"))
FORGET_OUTCOME: Final = sa.delete(OUTCOME).where(
    OUTCOME.c.run == sa.bindparam("run_"), OUTCOME.c.position == sa.bindparam("position_")
)

EPOCHS: Final = sa.select(CLAIM.c.part, CLAIM.c.epoch).where(CLAIM.c.run == sa.bindparam("run_"))
READ_CLAIM: Final = sa.select(CLAIM.c.epoch, CLAIM.c.beat, CLAIM.c.owner, CLAIM.c.lease).where(
    CLAIM.c.run == sa.bindparam("run_"), CLAIM.c.part == sa.bindparam("part_")
)
_HELD: Final = sa.and_(
    CLAIM.c.run == sa.bindparam("run_"),
    CLAIM.c.part == sa.bindparam("part_"),
    CLAIM.c.epoch == sa.bindparam("epoch_"),
)
RELEASE: Final = sa.update(CLAIM).where(_HELD).values(beat=CLAIM.c.beat + 1, owner="")
TAKE_OVER: Final = (
    sa.update(CLAIM)
    .where(_HELD, CLAIM.c.beat == sa.bindparam("beat_"))
    .values(
        epoch=CLAIM.c.epoch + 1,
        beat=CLAIM.c.beat + 1,
        owner=sa.bindparam("owner"),
        lease=sa.bindparam("lease"),
    )
)


def first_claim(dialect: str) -> Any:
    """Claim a partition that has no claim yet. If another process was faster, nothing happens."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(CLAIM).on_conflict_do_nothing()


def renew(connection: sa.Connection, run: int, part: int, epoch: int) -> bool:
    """Renew the claim with this epoch; False if another owner has it.

    Each window does this. The text is the same each time, and costs a fifth of a statement that SQLAlchemy makes.
    """
    found = connection.exec_driver_sql(
        f"UPDATE {CLAIM.name} SET beat = beat + 1 WHERE run = {run:d} AND part = {part:d} AND epoch = {epoch:d}"  # noqa: S608 - numbers
    )
    return found.rowcount == 1


def insert(
    connection: sa.Connection, table: sa.Table, lines: Sequence[tuple[Any, ...]], *, again: bool = False
) -> None:
    """Insert *lines*, the values of each in the order of the table's columns.

    SQLAlchemy makes the statement for this database; the values go to the driver unchanged, which halves the cost of a line. On
    SQLite a statement inserts up to `_BLOCK` lines: for each statement the thread gives up the interpreter's lock and takes it again.

    Args:
        connection: in a transaction.
        table: the table.
        lines: the lines to insert.
        again: lines that exist already are kept.
    """
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(_insert_text(table, connection.dialect, again=again), lines)
        return
    cursor, start = connection.connection.cursor(), 0
    while left := len(lines) - start:
        size = min(_BLOCK, 1 << left.bit_length() - 1)  # powers of two: few texts, which SQLite keeps prepared
        text = _insert_text(table, connection.dialect, again=again, size=size)
        cursor.execute(text, tuple(chain.from_iterable(lines[start : start + size])))
        start += size
    cursor.close()


def _insert_text(table: sa.Table, dialect: sa.Dialect, *, again: bool, size: int = 1) -> str:
    """Return the statement that inserts *size* lines."""
    key = (table.name, dialect.name, dialect.driver, again, size)  # not the dialect: each engine has another one
    text = _INSERT_TEXTS.get(key)
    if text is None:
        insert: Any = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
        statement = insert(table).on_conflict_do_nothing() if again else sa.insert(table)
        compiled = statement.compile(dialect=dialect)
        assert list(compiled.positiontup or ()) == table.columns.keys()
        before, values, after = str(compiled).partition(f"({', '.join('?' * len(table.columns))})")
        text = _INSERT_TEXTS[key] = before + ", ".join([values] * size) + after
    return text


_INSERT_TEXTS: Final[dict[tuple[str, str, str, bool, int], str]] = {}
