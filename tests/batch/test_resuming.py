"""Resuming: which journal belongs to a run, and which of its rows are known."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from authing_mfa import InvalidInputError, InvalidMfaTokenError
from authing_mfa.batch import JournalError, VerifyRequest, verify_many
from authing_mfa.batch.journal import earlier_run
from authing_mfa.batch.journal.fingerprint import fingerprint
from authing_mfa.batch.journal.journal import Journal
from authing_mfa.batch.journal.records import Span, Writing
from tests.batch.conftest import FakeClient, default_answer, totp_rows
from tests.batch.test_engine import collect
from tests.batch.test_journal import counts, forget_outcomes, line, query


@pytest.mark.parametrize("block", [1, 5, 10])
async def test_rows_that_lie_in_two_blocks_are_known(tmp_path, monkeypatch, block):
    """Wherever a block ends, no row at its edge is sent again."""
    journal = tmp_path / "run.db"
    await collect(FakeClient(), totp_rows(50), journal=journal)
    monkeypatch.setattr(earlier_run, "_BLOCK", block)
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


async def test_a_missing_journal_is_not_made_by_resuming(tmp_path):
    """A typing error in its name leaves no empty file behind."""
    with pytest.raises(JournalError, match="There is no journal"):
        await Journal.open(tmp_path / "run.db", beginning="known")
    assert list(tmp_path.iterdir()) == []


def test_fingerprints_of_earlier_versions_stay_valid():
    """A journal that was begun before an upgrade is resumed after it."""
    assert fingerprint(VerifyRequest.totp("123456", token="t", key="k"), b"salt") == "87c2df558c26c02417e2b45cef0b5613"
    assert fingerprint(VerifyRequest.phone("1", "2", token="opaque"), b"salt") == "4b10d7f25fcdff03fb2c7ff23b71b57a"


async def test_without_a_journal_too_no_recovery_code_is_spent_when_the_new_one_could_not_be_kept(tmp_path):
    """The file is opened before the first such row is sent."""
    client = FakeClient()
    rows = [VerifyRequest.recovery("old", token="t", key="k")]
    with pytest.raises(JournalError, match="recovery codes"):
        await collect(client, rows, recovery_file=tmp_path / "missing" / "codes.jsonl")
    assert client.sent == []


async def test_rows_that_were_to_be_sent_again_and_were_not_keep_their_outcomes(store):
    """A run that is stopped early changes the outcomes of the rows that it has sent, and of no others: nobody sends them by mistake."""

    def expired(operation, token):
        raise InvalidMfaTokenError("The mfaToken has expired.", code=2021)

    async def answer(operation, token):
        if token != "t0":
            await left.wait()
        return default_answer(operation, token)

    left = asyncio.Event()
    rows = totp_rows(50)
    await collect(FakeClient(expired), rows, journal=store, concurrency=4)
    sent = FakeClient(answer)
    run = verify_many(sent, rows, journal=store, concurrency=4, resend_rejected=[2021])
    async with aclosing(run) as outcomes:
        await anext(outcomes)
        left.set()
    client = FakeClient()
    outcomes = await collect(client, rows, journal=store)
    assert client.sent == []
    assert {outcome.key for outcome in outcomes if outcome.ok} == {token.replace("t", "k") for token in sent.counts()}
    assert {outcome.status for outcome in outcomes} == {"ok", "rejected"}
    assert {outcome.error.code for outcome in outcomes if not outcome.ok} == {2021}


async def test_at_most_twice_the_concurrency_of_rows_that_are_sent_again_are_unknown(store):
    """If the run is killed: an old outcome is void only when its row may be sent."""

    def expired(operation, token):
        raise InvalidMfaTokenError("The mfaToken has expired.", code=2021)

    async def watch(operation, token):
        unknown = await query(store, "SELECT count(*) FROM mfa_batch_outcome WHERE answer LIKE '%unknown%'")
        known, recorded = await counts(store)
        open_rows.append(known - recorded + unknown[0][0])
        return default_answer(operation, token)

    open_rows = []
    rows = totp_rows(60)
    await collect(FakeClient(expired), rows, journal=store, concurrency=3)
    await collect(FakeClient(watch), rows, journal=store, concurrency=3, resend_rejected=[2021])
    assert 0 < max(open_rows) <= 2 * 3


async def test_a_code_of_another_run_proves_nothing(store, tmp_path):
    """A file of codes outlives its journal, and every run has the same name: its lines are not the codes of a new journal's rows."""
    file = tmp_path / "codes.jsonl"
    rows = [VerifyRequest.recovery("old", token="t", key="k")]
    await collect(FakeClient(), rows, recovery_file=file)  # without a journal
    await collect(FakeClient(), rows, journal=tmp_path / "last-week.db", recovery_file=file)
    rows = [VerifyRequest.recovery("old", token="another", key="k")]
    await collect(FakeClient(), rows, journal=store, recovery_file=tmp_path / "lost.jsonl")
    outcomes = await collect(FakeClient(), rows, journal=store, recovery_file=file)
    assert outcomes[0].value.recovery_code is None
    await forget_outcomes(store, 0)
    outcomes = await collect(FakeClient(), rows, journal=store, recovery_file=file)
    assert outcomes[0].status == "unknown"
