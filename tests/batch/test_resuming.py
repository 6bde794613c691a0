"""A resumed run reads its journal in blocks, and the file for new recovery codes."""

from __future__ import annotations

import pytest

from authing_mfa.batch import JournalError
from authing_mfa.batch.journal import writer
from authing_mfa.batch.journal.journal import Journal
from tests.batch.conftest import FakeClient, totp_rows
from tests.batch.test_engine import collect
from tests.batch.test_journal import query


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
