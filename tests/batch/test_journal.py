"""The journal's promise, on SQLite and on a real PostgreSQL: nothing twice, nothing lost, no secrets, one owner.

More than 300 lines: each test runs on both databases, with the fixtures of this file.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
import weakref
from contextlib import aclosing, closing, suppress
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import await_only

from authing_mfa import InvalidInputError, NetworkError, RateLimitedError, UserInfo, WrongCodeError
from authing_mfa.batch import (
    CircuitOpenError,
    ClaimLostError,
    InputChangedError,
    JournalError,
    VerifyRequest,
    verify_many,
)
from authing_mfa.batch.errors import JournalAwayError
from authing_mfa.batch.journal import claims as claims_module
from authing_mfa.batch.journal import schema
from authing_mfa.batch.journal import writer as recorder_module
from authing_mfa.batch.journal.claims import Claim, Owner, takeover
from authing_mfa.batch.journal.fingerprint import fingerprint
from authing_mfa.batch.journal.journal import Journal
from authing_mfa.batch.journal.records import Span, Writing
from authing_mfa.batch.options import RunOptions
from tests.batch.conftest import FakeClient, default_answer, totp_rows, until
from tests.batch.test_engine import collect, collect_into, turns


async def query(store, text):
    """What a database answers to *text*."""
    if "://" not in store:
        with closing(sqlite3.connect(store, timeout=20)) as file, file:
            return file.execute(text).fetchall()
    engine = create_async_engine(store)
    async with engine.begin() as connection:
        result = await connection.execute(sa.text(text))
        lines = result.fetchall() if result.returns_rows else []
    await engine.dispose()
    return [tuple(line) for line in lines]


async def counts(store):
    rows = await query(store, "SELECT count(*) FROM mfa_batch_row")
    outcomes = await query(store, "SELECT count(*) FROM mfa_batch_outcome")
    return rows[0][0], outcomes[0][0]


async def forget_outcomes(store, *positions):
    """As if the run had been killed before these outcomes were written."""
    await query(store, f"DELETE FROM mfa_batch_outcome WHERE position IN ({','.join(map(str, positions))})")


async def test_a_resumed_run_gives_the_outcomes_again_and_sends_nothing(store, tmp_path):
    """All outcomes are there, in value and error as before, and the service gets no request."""

    def answer(operation, token):
        if token == "t3":
            raise WrongCodeError("The code is wrong.", code=6001, request_id="r")
        if token == "t4":
            raise NetworkError("cut")
        return default_answer(operation, token)

    rows = [*totp_rows(20), VerifyRequest.check(phone="1", token="c", key="check")]
    first = await collect(FakeClient(answer), rows, journal=store, ordered=True, concurrency=4)
    again = FakeClient()
    second = await collect(again, iter(rows), journal=store, ordered=True, concurrency=4)
    assert again.sent == []
    assert [(o.index, o.key, o.kind, o.status) for o in second] == [(o.index, o.key, o.kind, o.status) for o in first]
    assert second[0].value == UserInfo(id="user-of-t0")
    assert (second[3].error.code, second[3].error.message, second[3].error.request_id) == (
        6001,
        "The code is wrong.",
        "r",
    )
    assert type(second[3].error) is WrongCodeError
    assert second[20].value is True
    assert all(outcome.restored for outcome in second)


async def test_a_row_that_was_sent_and_not_recorded_is_unknown_and_never_sent_again(store):
    """Announced and without an outcome means that the service may have acted."""
    await collect(FakeClient(), totp_rows(10), journal=store)
    await forget_outcomes(store, 2, 7)
    for _ in range(2):
        client = FakeClient()
        outcomes = await collect(client, totp_rows(10), journal=store, ordered=True)
        assert client.sent == []
        assert [outcome.index for outcome in outcomes if outcome.status == "unknown"] == [2, 7]
        assert outcomes[2].error.delivery == "unknown"
        assert outcomes[2].key == "k2"


async def test_unknown_rows_are_sent_again_only_when_asked(store):
    """resend_unknown sends those, and only those, once; then they are known."""
    fails = {"t5": NetworkError("cut")}

    def answer(operation, token):
        if token in fails:
            raise fails[token]
        return default_answer(operation, token)

    await collect(FakeClient(answer), totp_rows(10), journal=store)
    await forget_outcomes(store, 2)
    client = FakeClient()
    outcomes = await collect(client, totp_rows(10), journal=store, resend_unknown=True)
    assert client.counts() == {"t2": 1, "t5": 1}
    assert {outcome.status for outcome in outcomes} == {"ok"}
    client = FakeClient()
    outcomes = await collect(client, totp_rows(10), journal=store)
    assert (client.sent, {outcome.status for outcome in outcomes}) == ([], {"ok"})


async def test_what_provably_was_not_done_is_sent_when_the_run_is_resumed(store):
    """A refused connection and a 429 are no reason to leave a row undone."""
    fails = {
        "t1": NetworkError("refused", delivery="not_sent"),
        "t2": RateLimitedError("slow", code=429, http_status=429, retry_after=0.0),
    }

    def answer(operation, token):
        if token in fails:
            raise fails[token]
        return default_answer(operation, token)

    first = await collect(FakeClient(answer), totp_rows(4), journal=store, ordered=True, stop_after_failures=None)
    assert [outcome.status for outcome in first] == ["ok", "failed", "failed", "ok"]
    client = FakeClient()
    second = await collect(client, totp_rows(4), journal=store, ordered=True)
    assert client.counts() == {"t1": 1, "t2": 1}
    assert {outcome.status for outcome in second} == {"ok"}


async def test_a_check_may_be_sent_again(store):
    """mfa_check spends nothing: of unknown fate, it is asked again."""
    rows = [VerifyRequest.check(phone="1", key="c", token="t")]
    await collect(FakeClient(), rows, journal=store)
    await forget_outcomes(store, 0)
    client = FakeClient()
    outcomes = await collect(client, rows, journal=store)
    assert (len(client.sent), outcomes[0].status) == (1, "ok")
    assert await counts(store) == (1, 1)


async def test_a_row_is_announced_before_it_is_sent_and_given_after_it_is_recorded(store):
    """At each call its line is in the database, and with each outcome its answer is."""
    seen = []

    async def answer(operation, token):
        known = await query(store, f"SELECT count(*) FROM mfa_batch_row WHERE key = 'k{token[1:]}'")
        seen.append(known[0][0])
        return default_answer(operation, token)

    async for outcome in verify_many(FakeClient(answer), totp_rows(12), journal=store, concurrency=2):
        recorded = await query(store, f"SELECT count(*) FROM mfa_batch_outcome WHERE position = {outcome.index}")
        assert recorded == [(1,)]
    assert seen == [1] * 12


@pytest.mark.parametrize("concurrency", [1, 8])
async def test_at_most_twice_the_concurrency_is_announced_and_not_recorded(store, concurrency):
    """However the calls lag, this is what an interruption can leave unknown."""
    most = 0

    async def answer(operation, token):
        nonlocal most
        rows, outcomes = await counts(store)
        most = max(most, rows - outcomes)
        return default_answer(operation, token)

    await collect(FakeClient(answer), totp_rows(4 + 4 * concurrency), journal=store, concurrency=concurrency)
    assert 1 <= most <= 2 * concurrency


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: [rows[1], rows[0], *rows[2:]],
        lambda rows: [*totp_rows(1, first=99), *rows],
        lambda rows: [VerifyRequest.recovery("1", token="t0", key="k0"), *rows[1:]],
        lambda rows: [attrs.evolve(rows[0], key="other"), *rows[1:]],
        lambda rows: rows[:9],
        lambda rows: [{"broken": 1}, *rows[1:]],
    ],
    ids=["swapped", "inserted", "other kind", "other key", "shorter", "broken"],
)
async def test_a_changed_input_is_refused_and_nothing_is_sent(store, change):
    """A row is recognised by its position, its key and its subject."""
    await collect(FakeClient(), totp_rows(10), journal=store)
    client = FakeClient()
    with pytest.raises(InputChangedError):
        await collect(client, change(totp_rows(10)), journal=store)
    assert client.sent == []


async def test_rows_may_be_added_at_the_end(store):
    """What the journal does not know is sent."""
    await collect(FakeClient(), totp_rows(10), journal=store)
    client = FakeClient()
    outcomes = await collect(client, totp_rows(15), journal=store)
    assert sorted(client.counts()) == ["t10", "t11", "t12", "t13", "t14"]
    assert len(outcomes) == 15


async def test_no_secret_is_in_the_journal(tmp_path):
    """Tokens, codes and recovery codes, old and new, are nowhere in its files; the files are the owner's alone."""
    path = tmp_path / "run.db"
    rows = [
        VerifyRequest.totp("246801", token="secret-token-1"),
        VerifyRequest.recovery("secret-old-code", token="secret-token-2"),
        VerifyRequest.phone("138", "975310", token="secret-token-3"),
    ]

    def answer(operation, token):
        return UserInfo(id="u", token="secret-a", id_token="secret-b", recovery_code="secret-c", raw={"x": "secret-d"})

    async with aclosing(verify_many(FakeClient(answer), rows, journal=path)) as outcomes:
        async for _ in outcomes:
            files = [file for file in tmp_path.iterdir() if file.name.startswith("run.db")]
            for file in files:
                if "recovery-codes" not in file.name:
                    content = file.read_bytes()
                    assert not [word for word in (b"secret", b"246801", b"975310") if word in content]
                assert file.stat().st_mode & 0o777 == 0o600
    assert len(files) >= 2


@pytest.mark.parametrize("word", ["same", "code", "token issued anew", "key given"])
def test_a_fingerprint_ignores_what_may_change(word):
    """A newer code and a newer token of the same user are the same row; a row with a key is known by it."""

    def jwt(user, issued):
        times = dict.fromkeys(("iat", "nbf", "auth_time"), issued)
        claims = {"data": {"userId": user}, **times, "exp": issued + 360, "jti": f"token {issued}"}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return f"e30.{body}.sig{issued}"

    one = VerifyRequest.totp("111111", token=jwt("u", 1))
    other = {
        "same": one,
        "code": VerifyRequest.totp("222222", token=jwt("u", 1)),
        "token issued anew": VerifyRequest.totp("111111", token=jwt("u", 2)),
        "key given": one,
    }[word]
    if word == "key given":
        one, other = (VerifyRequest.totp("1", token=token, key="k") for token in ("opaque-1", "opaque-2"))
    assert fingerprint(one, b"salt") == fingerprint(other, b"salt")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (VerifyRequest.phone("1", "2", key="k"), VerifyRequest.phone("9", "2", key="k")),
        (VerifyRequest.phone("1", "2", key="k"), VerifyRequest.phone("1", "2", phone_country_code="+1", key="k")),
        (VerifyRequest.email("a", "2"), VerifyRequest.phone("a", "2")),
        (VerifyRequest.totp("1", token="opaque-1"), VerifyRequest.totp("1", token="opaque-2")),
        (VerifyRequest.totp("1", token="a.b.c"), VerifyRequest.totp("1", token="a.b.d")),
        (VerifyRequest.totp("1", token="a.W10.c"), VerifyRequest.totp("1", token="a.W10.d")),
        (VerifyRequest.totp("1", key="1"), VerifyRequest.totp("1", key="2")),
        (VerifyRequest.totp("1"), VerifyRequest.totp("1", token="t")),
        (VerifyRequest.check(phone="12"), VerifyRequest.check(phone="1", email="2")),
    ],
)
def test_a_fingerprint_tells_rows_apart(one, other):
    """Whom a row is about makes it another row; and each run's salt makes another fingerprint."""
    assert fingerprint(one, b"salt") != fingerprint(other, b"salt")
    assert fingerprint(one, b"salt") != fingerprint(one, b"other")


async def test_a_run_that_is_stopped_withdraws_what_it_announced_and_did_not_send(store):
    """After a break only sent rows are in the journal, all with their outcomes; the rest is sent by the next run."""
    client = FakeClient()
    async with aclosing(verify_many(client, totp_rows(200), journal=store, concurrency=4)) as outcomes:
        async for _ in outcomes:
            break
    sent = set(client.counts())
    rows, recorded = await counts(store)
    assert rows == recorded == len(sent)
    again = FakeClient()
    outcomes = await collect(again, totp_rows(200), journal=store)
    assert {outcome.status for outcome in outcomes} == {"ok"}
    assert set(again.counts()) == {f"t{i}" for i in range(200)} - sent


async def test_a_dead_service_leaves_a_run_that_can_be_resumed(store):
    """After the circuit opened, resuming sends all that was not."""

    class Dead(FakeClient):
        async def connect(self):
            raise NetworkError("refused", delivery="not_sent")

        async def perform(self, operation, *, max_attempts=None):
            await self.connect()

        def as_user(self, token):
            return self

    first = []
    with pytest.raises(CircuitOpenError):
        await collect_into(
            first, Dead(), totp_rows(100), journal=store, concurrency=4, stop_after_failures=5, max_outage=0.2
        )
    client = FakeClient()
    outcomes = await collect(client, totp_rows(100), journal=store, concurrency=4)
    assert {outcome.status for outcome in outcomes} == {"ok"}
    assert client.counts() == {f"t{i}": 1 for i in range(100)}


async def test_resent_unknown_rows_that_are_not_sent_after_all_stay_unknown(store):
    """A run that was to send them again and was stopped first changes nothing about them."""
    await collect(FakeClient(), totp_rows(50), journal=store)
    await forget_outcomes(store, *range(50))
    client = FakeClient()
    async with aclosing(verify_many(client, totp_rows(50), journal=store, concurrency=2, resend_unknown=True)) as run:
        async for _ in run:
            break
    sent = set(client.counts())
    outcomes = await collect(FakeClient(), totp_rows(50), journal=store)
    assert {outcome.key for outcome in outcomes if outcome.ok} == {token.replace("t", "k") for token in sent}
    assert {outcome.status for outcome in outcomes} == {"ok", "unknown"}


async def test_several_runs_share_a_database_by_name(store):
    """Another name is another run."""
    for name in ("monday", "tuesday"):
        client = FakeClient()
        await collect(client, totp_rows(5), journal=store, run_name=name)
        assert len(client.sent) == 5


# ─────────────────────────────── recovery codes ───────────────────────────────


async def test_a_new_recovery_code_is_on_disk_before_it_is_given_and_comes_back(store, tmp_path):
    """The file is the owner's alone; a resumed run gives the new code again from it."""
    file = tmp_path / "codes.jsonl"
    rows = [VerifyRequest.recovery("old", token=f"t{i}", key=f"k{i}") for i in range(20)]
    async for outcome in verify_many(FakeClient(), rows, journal=store, recovery_file=file, concurrency=4):
        assert outcome.value.recovery_code in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    assert {(line["index"], line["key"], line["recovery_code"]) for line in kept} == {
        (i, f"k{i}", f"NEW-CODE-OF-t{i}") for i in range(20)
    }
    client = FakeClient()
    outcomes = await collect(client, rows, journal=store, recovery_file=file, ordered=True)
    assert client.sent == []
    assert [outcome.value.recovery_code for outcome in outcomes] == [f"NEW-CODE-OF-t{i}" for i in range(20)]


async def test_the_fingerprint_of_a_recorded_row_is_not_kept_in_memory(tmp_path, monkeypatch):
    """A run of millions of recovery codes needs no more memory than a short one."""

    class Fingerprint(str):
        """Can be referenced weakly."""

        __slots__ = ("__weakref__",)

    def made(row, salt):
        new = Fingerprint(fingerprint(row, salt))
        fingerprints.append(weakref.ref(new))
        return new

    fingerprints = []
    monkeypatch.setattr(recorder_module, "fingerprint", made)
    rows = (VerifyRequest.recovery(f"old{i}", token=f"t{i}") for i in range(300))
    most = 0
    async for _ in verify_many(FakeClient(), rows, journal=tmp_path / "run.db", concurrency=4):
        most = max(most, sum(each() is not None for each in fingerprints))
    assert len(fingerprints) == 300
    assert most < 50


async def test_a_new_recovery_code_is_synced_before_it_is_given(tmp_path, monkeypatch):
    """What is only in the system's memory would be lost with the power."""
    file = tmp_path / "codes.jsonl"
    synced = []
    real = os.fsync

    def noting(handle):
        real(handle)
        synced.append(file.read_text())

    monkeypatch.setattr(os, "fsync", noting)
    rows = [VerifyRequest.recovery("old", token=f"t{i}") for i in range(5)]
    async for outcome in verify_many(FakeClient(), rows, recovery_file=file, concurrency=1):
        assert outcome.value.recovery_code in synced[-1]


async def test_sqlite_commits_are_durable(tmp_path):
    """WAL with a sync for each commit."""
    journal = await Journal.open(tmp_path / "run.db")

    def settings_of(connection):
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in DURABLE]

    settings = await journal._transact("read", settings_of)
    await journal.close()
    assert dict(zip(DURABLE, settings, strict=True)) == DURABLE


DURABLE = {"synchronous": 2, "journal_mode": "wal"}


async def test_an_unrecorded_row_whose_new_code_is_on_disk_did_succeed(store, tmp_path):
    """Killed between the two writes, the row is not unknown: the code proves it."""
    file = tmp_path / "codes.jsonl"
    rows = [VerifyRequest.recovery("old", token="t", key="k")]
    await collect(FakeClient(), rows, journal=store, recovery_file=file)
    await forget_outcomes(store, 0)
    with file.open("a") as opened:
        opened.write('{"run": "run", "index": 1, "ke')
    outcomes = await collect(FakeClient(), rows, journal=store, recovery_file=file)
    assert (outcomes[0].status, outcomes[0].value.recovery_code) == ("ok", "NEW-CODE-OF-t")


async def test_recovery_codes_are_kept_without_a_journal_too(fake, tmp_path):
    """A recovery file alone is written; a new line begins after a line that was cut off; other rows go by it."""
    file = tmp_path / "codes.jsonl"
    file.write_text('{"cut')
    rows = [*totp_rows(5), VerifyRequest.recovery("old", token="t", key="k")]
    assert len(await collect(fake, rows, recovery_file=file)) == 6
    lines = file.read_text().splitlines()
    assert json.loads(lines[1])["recovery_code"] == "NEW-CODE-OF-t"


async def test_no_recovery_code_is_spent_when_the_new_one_could_not_be_kept(store, tmp_path):
    """The file is opened before the first such row is sent; then what cannot be opened stops the run."""
    client = FakeClient()
    rows = [VerifyRequest.recovery("old", token="t", key="k")]
    with pytest.raises(JournalError, match="recovery codes"):
        await collect(client, rows, journal=store, recovery_file=tmp_path / "missing" / "codes.jsonl")
    assert client.sent == []


async def test_new_recovery_codes_that_cannot_be_read_stop_a_resumed_run(store, tmp_path):
    """Its outcomes would be given without their codes."""
    file = tmp_path / "codes.jsonl"
    rows = [VerifyRequest.recovery("old", token="t", key="k")]
    await collect(FakeClient(), rows, journal=store, recovery_file=file)
    file.rename(tmp_path / "kept.jsonl")
    file.mkdir()
    with pytest.raises(JournalError, match="cannot be read"):
        await collect(FakeClient(), rows, journal=store, recovery_file=file)


async def test_a_new_recovery_code_that_cannot_be_written_is_at_least_given(store, tmp_path, monkeypatch):
    """On a full disk the outcome still comes, with its code; the error says so, and nothing more is sent."""
    from authing_mfa.batch.journal import recovery_codes as recovery

    def full(handle, data):
        raise OSError(28, "No space left on device")

    rows = [VerifyRequest.recovery("old", token=f"t{i}", key=f"k{i}") for i in range(50)]
    client = FakeClient()
    monkeypatch.setattr(recovery.os, "write", full)
    outcomes = []
    with pytest.raises(JournalError, match="No space left"):
        await collect_into(outcomes, client, rows, journal=store, concurrency=2, recovery_file=tmp_path / "codes")
    monkeypatch.undo()
    assert {outcome.value.recovery_code for outcome in outcomes} == {
        f"NEW-CODE-OF-{token}" for token in client.counts()
    }
    assert 1 <= len(client.sent) <= 4
    again = FakeClient()
    resumed = await collect(again, rows, journal=store, concurrency=2, recovery_file=tmp_path / "codes")
    assert not set(again.counts()) & set(client.counts())
    assert sum(outcome.status == "unknown" for outcome in resumed) <= 4


@pytest.mark.parametrize("part", [1, 30])
async def test_new_recovery_codes_after_a_line_that_was_cut_off_can_be_read(store, tmp_path, monkeypatch, part):
    """A disk is full in the middle of a line; then there is room again, and the end of the run writes all new codes."""
    from authing_mfa.batch.journal import recovery_codes as recovery

    write, sizes = os.write, [part, 0]

    def nearly_full(handle, data):
        size = sizes.pop(0) if sizes else len(data)
        if not size:
            raise OSError(28, "No space left on device")
        return write(handle, data[:size])

    rows = [VerifyRequest.recovery("old", token=f"t{i}", key=f"k{i}") for i in range(50)]
    client, file = FakeClient(), tmp_path / "codes"
    monkeypatch.setattr(recovery.os, "write", nearly_full)
    with pytest.raises(JournalError, match="No space left"):
        await collect(client, rows, journal=store, concurrency=4, recovery_file=file)
    monkeypatch.undo()
    assert client.sent
    resumed = await collect(FakeClient(), rows, journal=store, recovery_file=file)
    found = {outcome.key: outcome.value.recovery_code for outcome in resumed if outcome.ok}
    assert {f"k{token[1:]}": f"NEW-CODE-OF-{token}" for token in client.counts()}.items() <= found.items()


async def test_a_new_recovery_code_is_not_lost_with_the_journal(tmp_path, monkeypatch):
    """Answers come before, while and after the journal fails, and nobody takes outcomes any more: each new code is in its file, once."""
    file, left, writing, broken = tmp_path / "codes.jsonl", asyncio.Event(), asyncio.Event(), asyncio.Event()
    write = Journal.write

    async def answer(operation, token):
        """The ninth row is answered when the loop is left, the next two while its outcome is written, the last one afterwards."""
        if token >= "t08":
            await left.wait()
        if token > "t08":
            await writing.wait()
        if token == "t11":
            await broken.wait()
            await turns(50)
        return default_answer(operation, token)

    async def written(journal, what):
        if left.is_set():
            writing.set()
            await until(lambda: client.running == 1)
            broken.set()
            raise JournalError("The journal could not be written.")
        await write(journal, what)

    monkeypatch.setattr(Journal, "write", written)
    client = FakeClient(answer)
    rows = [VerifyRequest.recovery("old", token=f"t{i:02}") for i in range(50)]
    outcomes = verify_many(client, rows, journal=tmp_path / "run.db", recovery_file=file, concurrency=4)
    for _ in range(8):
        await anext(outcomes)
    await until(lambda: client.running == 4)
    left.set()
    await outcomes.aclose()
    assert codes_in(file) == [f"NEW-CODE-OF-t{i:02}" for i in range(12)]


async def test_a_new_recovery_code_does_not_wait_for_a_database_that_is_away(tmp_path, monkeypatch):
    """It is written to its file while the run waits for the journal. If the run is killed then, no code is lost."""
    file, away, second = tmp_path / "codes.jsonl", asyncio.Event(), asyncio.Event()
    write = Journal.write

    async def answer(operation, token):
        """The third row is answered while the outcome of the second one is written."""
        await (second if token == "t2" else away).wait()
        return default_answer(operation, token)

    async def written(journal, what):
        if what.outcomes and away.is_set():
            second.set()
            await until(lambda: not client.running)
            raise JournalAwayError("The server does not answer.")
        await write(journal, what)

    async def connected(_journal):
        pass

    monkeypatch.setattr(Journal, "write", written)
    monkeypatch.setattr(Journal, "reconnect", connected)
    client = FakeClient(answer)
    rows = [VerifyRequest.recovery("old", token=f"t{i}") for i in range(3)]
    run = asyncio.create_task(collect(client, rows, journal=tmp_path / "run.db", recovery_file=file, concurrency=3))
    await until(lambda: client.running == 3)
    away.set()
    await until(lambda: len(codes_in(file)) == 3)
    away.clear()
    assert [outcome.status for outcome in await run] == ["ok"] * 3
    assert len(codes_in(file)) == 3


def codes_in(file):
    lines = file.read_text().splitlines() if file.exists() else []
    return sorted(json.loads(entry)["recovery_code"] for entry in lines)


@pytest.mark.parametrize("content", ["not json\n", "[]\n", '{"run": "run"}\n'])
async def test_lines_that_are_no_recovery_codes_are_passed_over(tmp_path, content):
    """A file that was cut off or edited does not stop a resumed run."""
    journal, file = tmp_path / "run.db", tmp_path / "codes"
    rows = [VerifyRequest.recovery("old", token="t", key="k")]
    await collect(FakeClient(), rows, journal=journal, recovery_file=file)
    file.write_text(content)
    outcomes = await collect(FakeClient(), rows, journal=journal, recovery_file=file)
    assert (outcomes[0].status, outcomes[0].value.recovery_code) == ("ok", None)


# ─────────────────────────────── who may write ───────────────────────────────


def line(position):
    return (position, None, "totp", "d")


async def test_a_partition_that_was_taken_over_cannot_be_written_any_more(store):
    """The old owner's next transaction fails, and nothing of it is written."""
    span = Span(part=3, first=30, rows=10)
    old = await Journal.open(store, span=span, lease=0.2)
    await old.write(Writing(rows=[line(30)]))
    new = await Journal.open(store, span=span, lease=0.2, steal=True)
    assert new.epoch == old.epoch + 1
    for writing in (Writing(rows=[line(31)]), Writing(outcomes=[(30, "{}")]), Writing()):
        with pytest.raises(ClaimLostError):
            await old.write(writing)
    assert await counts(store) == (1, 0)
    await new.write(Writing(outcomes=[(30, "{}")]))
    await new.close()
    await old.close()
    assert (await query(store, "SELECT owner FROM mfa_batch_claim")) == [("",)]


async def test_the_new_owner_waits_until_the_old_one_can_send_nothing_more(store):
    """An old owner that is alive may send until its lease ends: its deadline is over when the new one begins."""
    old = await Journal.open(store, lease=0.5)
    new = await Journal.open(store, lease=0.5, steal=True)
    assert claims_module.boot_clock() >= old.deadline
    await new.close()
    await old.close()


async def test_an_opening_that_is_cancelled_at_any_moment_leaves_the_journal_free(tmp_path):
    """Neither a transaction nor a claim stays: another one writes to it at once."""
    path = tmp_path / "run.db"
    await (await Journal.open(path)).close()
    for moment in range(40):
        opening = asyncio.create_task(Journal.open(path))
        for _ in range(moment):
            await asyncio.sleep(0.0005)
        opening.cancel()
        [opened] = await asyncio.gather(opening, return_exceptions=True)
        if isinstance(opened, Journal):
            await opened.close()
        assert await query(str(path), "SELECT owner FROM mfa_batch_claim") == [("",)]
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")


@pytest.mark.parametrize("renewing", [False, True], ids=["before a call", "while its renewal is answered"])
async def test_a_worker_whose_partition_was_given_away_while_it_stood_still_sends_nothing_more(
    store, monkeypatch, renewing
):
    """A process that was stopped for longer than its lease looks before its next call: announced rows are not sent any more."""
    from authing_mfa.batch.api import engine_for

    write, renew = Journal.write, recorder_module.JournalWriter.renew
    renewals = []
    sent_until_then = []

    async def take_over():
        other = await Journal.open(store, lease=0.3, steal=True)
        await other.close()

    async def written(journal, writing):
        for_renewal = bool(renewals)
        await write(journal, writing)
        if len(client.sent) >= 3 and not sent_until_then and (for_renewal or not renewing):
            # Here it is in no transaction. Nothing of this run continues meanwhile: its whole event loop is blocked.
            sent_until_then.append(len(client.sent))
            thread = threading.Thread(target=asyncio.run, args=(take_over(),))
            thread.start()
            thread.join()

    async def renewed(writer):
        renewals.append(writer)
        await renew(writer)

    def answer(operation, token):
        if renewing and len(client.sent) == 3:
            time.sleep(0.4)  # longer than the lease: the next call asks for a renewal
        return default_answer(operation, token)

    monkeypatch.setattr(Journal, "write", written)
    monkeypatch.setattr(recorder_module.JournalWriter, "renew", renewed)
    client = FakeClient(answer)
    engine = engine_for(client, totp_rows(50), RunOptions(concurrency=4, journal=store), lease=0.3)
    with pytest.raises(ClaimLostError):
        async for _ in engine.outcomes():
            pass
    assert sent_until_then == [len(client.sent)]


async def test_an_owner_that_hangs_in_a_transaction_does_not_stop_the_next_one(postgres):
    """PostgreSQL ends the transaction after the old owner's lease; its lock on the claim would be held for ever."""
    old = await Journal.open(postgres, lease=0.2)

    async def take_over():
        new = await Journal.open(postgres, lease=0.2, steal=True)
        await new.close()

    def hang(connection):
        connection.execute(sa.text("UPDATE mfa_batch_claim SET beat = beat + 1"))
        await_only(take_over())
        connection.execute(sa.text("SELECT 1"))

    async with asyncio.timeout(60):
        with pytest.raises(JournalError):
            await old._transact("written", hang)
        with pytest.raises(JournalError):
            await old.write(Writing())
        with suppress(JournalError):  # its connection is gone
            await old.close()


async def test_the_wal_file_stays_small(tmp_path):
    """Many small windows, as a slow machine writes them, fit on a small disk: SQLite alone would let it grow to 4 MiB."""
    journal = await Journal.open(tmp_path / "run.db")
    for position in range(350):
        await journal.write(Writing([(position, None, "totp", "digest")], [(position, "{}")]))
    assert (tmp_path / "run.db-wal").stat().st_size < 1 << 20 | 1 << 18
    await journal.close()


async def test_opening_a_journal_twice_takes_no_locks_away(tmp_path):
    """Else another process that closes it takes itself for the last one, and removes the -wal file that is written to."""
    first = await Journal.open(tmp_path / "run.db", run="first")
    second = await Journal.open(tmp_path / "run.db", run="second")
    await second.close()
    visit = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM mfa_batch_run').fetchall(); c.close()"
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", visit, tmp_path / "run.db"], check=True)
    assert (tmp_path / "run.db-wal").exists()
    await first.close()


async def test_a_journal_that_was_closed_is_not_kept_in_memory(tmp_path, monkeypatch):
    """The statements that are kept for the next journal belong to the kind of database, not to one engine.

    On SQLite: SQLAlchemy itself keeps up to 128 dialects of PostgreSQL.
    """
    dialects = []

    def make(*arguments):
        made = engine(*arguments)
        dialects.append(weakref.ref(made.dialect))
        return made

    engine = schema.sqlite_engine
    monkeypatch.setattr(schema, "sqlite_engine", make)
    await collect(FakeClient(), totp_rows(2), journal=tmp_path / "run.db")
    assert dialects

    def gone():
        gc.collect()
        return all(dialect() is None for dialect in dialects)

    await until(gone)  # the journal's thread may take a moment to end


async def test_a_second_run_on_a_journal_at_work_is_refused(store):
    """Two runs at once would be two owners; the error of the second names the first."""
    first = await Journal.open(store, lease=60)
    beating = asyncio.create_task(_beat(first))
    with pytest.raises(JournalError, match=f"process {os.getpid()}"):
        await Journal.open(store, lease=60)
    beating.cancel()
    await first.close()
    second = await Journal.open(store, lease=60)
    await second.close()


async def _beat(journal):
    while True:
        await asyncio.sleep(0.1)
        await journal.write(Writing())


async def test_an_owner_that_is_silent_for_its_lease_is_taken_for_gone(store):
    """Also if it is unknown whether its process is alive."""
    silent = await Journal.open(store, lease=0.3)
    other = await Journal.open(store, lease=0.3)
    assert other.epoch == silent.epoch + 1
    await other.close()
    await silent.close()


def test_a_dead_process_of_this_machine_is_known_to_be_dead():
    """Then there is nothing to wait for; of another machine's process that cannot be said."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = claims_module._started(child.pid)
    machine = Owner.me().machine
    owner = Owner(machine, child.pid, started, "n")
    assert not owner.gone(machine)
    child.communicate(b"\n")
    assert owner.gone(machine)
    assert not owner.gone("another")
    assert not Owner(machine, child.pid, "", "n").gone(machine)


@pytest.mark.parametrize(
    ("claim", "steal", "how"),
    [
        (None, False, "take"),
        (Claim(1, 1, "", 15.0), False, "take"),
        (Claim(1, 1, "nonsense", 15.0), False, "take"),
        (Claim(1, 1, "elsewhere|one|1|n", 15.0), False, "take"),
        (Claim(1, 1, "elsewhere|1|1|n", 15.0), False, "watch"),
        (Claim(1, 1, "elsewhere|1||n", 15.0), False, "watch"),  # its system does not say when a process began
        (Claim(1, 1, "elsewhere|1|1|n", 15.0), True, "take and wait"),
        (Claim(1, 1, Owner.me().text(), 15.0), False, "watch"),
    ],
)
def test_how_a_claim_is_taken(claim, steal, how):
    """A free claim is taken; the claim of another owner is watched, or stolen and waited for."""
    assert takeover(claim, Owner.me().machine, steal=steal) == how


def test_owner_text_reads_back():
    """What the journal keeps of an owner is the owner."""
    owner = Owner.me()
    assert Owner.parse(owner.text()) == owner


# ─────────────────────────────── when it cannot be used ───────────────────────────────


async def refused(journal, match, **options):
    client = FakeClient()
    with pytest.raises(JournalError, match=match):
        await collect(client, totp_rows(3), journal=journal, **options)
    assert client.sent == []


async def test_a_journal_in_no_folder_is_refused(tmp_path):
    """Where there is no folder there can be no journal."""
    await refused(tmp_path / "missing" / "run.db", "No such file")


async def test_a_journal_that_is_a_folder_is_refused(tmp_path):
    """A folder is no file."""
    await refused(tmp_path, "directory")


async def test_a_read_only_journal_is_refused(tmp_path):
    """A file that must not be written is not written, by root neither."""
    path = tmp_path / "run.db"
    await collect(FakeClient(), totp_rows(2), journal=path)
    path.chmod(0o400)
    await refused(path, "read-only")


async def test_something_else_than_a_journal_is_refused(tmp_path):
    """A file with other content is not changed."""
    path = tmp_path / "run.db"
    path.write_text("index,key\n" * 1000)
    await refused(path, "not a database")
    assert path.read_text().startswith("index,key")


@pytest.mark.parametrize("page", ["first", "middle", "last"])
async def test_a_damaged_journal_is_refused(tmp_path, page):
    """Damage is looked for before anything is sent."""
    path = tmp_path / "run.db"
    await collect(FakeClient(), totp_rows(400), journal=path)
    size = path.stat().st_size
    pages = size // 4096
    number = {"first": 0, "middle": pages // 2, "last": pages - 1}[page]
    with path.open("r+b") as file:
        file.seek(number * 4096)
        file.write(os.urandom(4096))
    with pytest.raises(JournalError, match=r"damaged|malformed|not a database|cannot be"):
        await Journal.open(path)
    await refused(path, "damaged|malformed|not a database|cannot be")


async def test_a_truncated_journal_is_refused(tmp_path):
    """A file whose end is missing is damaged."""
    path = tmp_path / "run.db"
    await collect(FakeClient(), totp_rows(400), journal=path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 3 * 4096)
    await refused(path, "damaged|malformed")


async def test_a_database_that_cannot_be_reached_is_refused(tmp_path):
    """Without its journal a run does not begin; the password is not shown."""
    url = f"postgresql+asyncpg://u:secret-word@/d?host={tmp_path}"
    client = FakeClient()
    with pytest.raises(JournalError) as caught:
        await collect(client, totp_rows(1), journal=url)
    assert "secret-word" not in str(caught.value)
    assert client.sent == []


@pytest.mark.parametrize("place", ["mysql://x/y", "no url://"])
async def test_another_database_is_refused(place):
    """Only SQLite and PostgreSQL keep the promise."""
    with pytest.raises(InvalidInputError):
        await collect(FakeClient(), totp_rows(1), journal=place)


async def test_a_journal_in_memory_is_refused():
    """It would be forgotten with the process."""
    await refused("sqlite://", "memory")


@pytest.mark.parametrize("spelling", ["sqlite:///{}", "sqlite+aiosqlite:///{}"])
async def test_a_url_of_sqlite_is_a_path(tmp_path, spelling):
    """Both spellings mean the file."""
    await collect(FakeClient(), totp_rows(2), journal=spelling.format(tmp_path / "run.db"))
    assert (tmp_path / "run.db").exists()


async def test_an_entry_that_cannot_be_read_is_an_error_and_nothing_is_guessed(store):
    """An outcome that is no JSON of ours stops the run."""
    await collect(FakeClient(), totp_rows(3), journal=store)
    await query(store, "UPDATE mfa_batch_outcome SET answer = '{}' WHERE position = 1")
    with pytest.raises(JournalError, match="row 2"):
        await collect(FakeClient(), totp_rows(3), journal=store)


async def test_a_journal_of_another_version_is_refused(store):
    """What was written otherwise is not read as if it were ours."""
    await collect(FakeClient(), totp_rows(1), journal=store)
    await query(store, "UPDATE mfa_batch_run SET version = 99")
    await refused(store, "another version")


async def test_a_run_that_was_divided_otherwise_is_refused(store):
    """A claim is on a partition's number, so the partitions must stay."""
    journal = await Journal.open(store, span=Span(part=0, first=0, rows=10))
    await journal.close()
    await refused(store, "partitions of 10 rows")


async def test_when_the_journal_cannot_be_written_the_run_stops_and_gives_what_it_knows(store, monkeypatch):
    """Nothing is sent that is not announced; answers that did come are given, then the error."""
    real = Journal.write
    client = FakeClient()
    sent_when_it_broke = []

    async def failing(self, writing):
        if len(client.sent) >= 10:
            sent_when_it_broke.append(len(client.sent))
            raise JournalError("The journal could not be written: disk full.")
        await real(self, writing)

    monkeypatch.setattr(Journal, "write", failing)
    outcomes = []
    with pytest.raises(JournalError, match="disk full"):
        await collect_into(outcomes, client, totp_rows(200), journal=store, concurrency=4)
    monkeypatch.undo()
    assert len(client.sent) <= sent_when_it_broke[0] + 8
    assert {outcome.key for outcome in outcomes} == {token.replace("t", "k") for token in client.counts()}
    again = FakeClient()
    resumed = await collect(again, totp_rows(200), journal=store, concurrency=4)
    assert not set(again.counts()) & set(client.counts())
    assert sum(outcome.status == "unknown" for outcome in resumed) <= 8


FULL_DISK = """
import asyncio, resource, signal, sys
sys.path.insert(0, sys.argv[2])
from tests.batch.conftest import FakeClient, totp_rows
from authing_mfa.batch import JournalError, verify_many

async def main():
    client, given = FakeClient(), []
    try:
        async for outcome in verify_many(client, totp_rows(3000), journal=sys.argv[1], concurrency=16):
            given.append(outcome.index)
            if len(given) == 20:
                size = 200_000
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    except JournalError as error:
        print(type(error).__name__, len(client.sent), len(given), error)

asyncio.run(main())
"""


async def test_a_full_disk_stops_the_run_and_nothing_is_sent_that_is_not_recorded(tmp_path):
    """A limit on the file's size stands in for the disk; afterwards the journal knows every row that was sent."""
    path = tmp_path / "run.db"
    root = str(Path(__file__).parents[2])
    child = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", FULL_DISK, str(path), root], capture_output=True, text=True, timeout=60
    )
    assert child.stdout.startswith("JournalError"), child.stdout + child.stderr
    sent, given = (int(number) for number in child.stdout.split()[1:3])
    assert sent == given
    connection = sqlite3.connect(path)
    known = connection.execute("SELECT count(*) FROM mfa_batch_row").fetchone()[0]
    recorded = connection.execute("SELECT count(*) FROM mfa_batch_outcome").fetchone()[0]
    connection.close()
    assert known >= sent
    assert sent - recorded <= 32


async def test_the_claim_is_kept_while_nothing_happens(store, monkeypatch):
    """A slow call does not lose a run its claim: it is renewed meanwhile."""
    from authing_mfa.batch.api import engine_for

    beats = []
    real = Journal.write

    async def counting(self, writing):
        beats.append(writing)
        await real(self, writing)

    monkeypatch.setattr(Journal, "write", counting)

    async def answer(operation, token):
        start = len(beats)
        await until(lambda: len(beats) >= start + 3)
        return default_answer(operation, token)

    engine = engine_for(FakeClient(answer), totp_rows(1), RunOptions(concurrency=1, journal=store), lease=0.3)
    assert [outcome.ok async for outcome in engine.outcomes()] == [True]
    assert recorder_module.Writing() in beats
