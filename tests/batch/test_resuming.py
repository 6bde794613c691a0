"""A resumed run reads its journal in blocks, and the file for new recovery codes."""

from __future__ import annotations

import pytest

from authing_mfa import InvalidInputError
from authing_mfa.batch import JournalError
from authing_mfa.batch.journal import writer
from authing_mfa.batch.journal.journal import Journal
from authing_mfa.batch.journal.records import Span, Writing
from tests.batch.conftest import FakeClient, totp_rows
from tests.batch.test_engine import collect
from tests.batch.test_journal import line, query


@pytest.mark.parametrize("block", [1, 5, 10])
async def test_rows_that_lie_in_two_blocks_are_known(tmp_path, monkeypatch, block):
    """Wherever a block ends, no row at its edge is sent again."""
    journal = tmp_path / "run.db"
    await collect(FakeClient(), totp_rows(50), journal=journal)
    monkeypatch.setattr(writer, "_BLOCK", block)
    for concurrency in (1, 3):
        client = FakeClient()
        outcomes = await collect(client, totp_rows(50), journal=journal, concurrency=concurrency)
        assert client.sent == []
        assert [outcome.ok for outcome in outcomes] == [True] * 50


async def test_a_database_without_tables_holds_no_run_to_resume(store):
    """It is not made into a journal, whose rows would all be sent."""
    await query(store, "SELECT 1")
    with pytest.raises(JournalError, match="holds no run 'run' to resume"):
        await Journal.open(store, beginning="known")


async def test_a_journal_of_one_row_is_not_new(store):
    """A run that must begin anew is refused as soon as one row was sent."""
    await collect(FakeClient(), totp_rows(1), journal=store)
    with pytest.raises(InvalidInputError, match="earlier run"):
        await Journal.open(store, beginning="new")
    journal = await Journal.open(store, run="another", beginning="new")
    await journal.close()


async def test_a_partition_knows_its_rows_and_no_others(store):
    """From its first row to its last one; what reads all of a divided run knows the rows of every partition."""
    spans = [Span(part=part, first=10 * part, rows=10) for part in range(3)]
    for span in spans:
        journal = await Journal.open(store, span=span)
        assert journal.last == -1
        await journal.write(Writing(rows=[line(span.first), line(span.first + 9)]))
        await journal.close()
    for span, last in [*zip(spans, (9, 19, 29), strict=True), (Span(rows=10, whole=True), 29)]:
        journal = await Journal.open(store, span=span)
        assert journal.last == last
        await journal.close()
