"""The journal of one application or service is not resumed for another: its rows would count as verified there."""

from __future__ import annotations

import attrs
import pytest

from authing_mfa import AuthClient, InvalidInputError
from authing_mfa._options import ClientOptions
from authing_mfa.batch import JournalError, VerifyRequest
from authing_mfa.batch.journal.journal import Journal
from authing_mfa.batch.run_file import run_file
from authing_mfa.emulator import Emulator
from tests.batch.conftest import FakeClient, totp_rows
from tests.batch.test_engine import collect
from tests.batch.test_journal import query


class ClientOf(FakeClient):
    """Answers from memory, as a client with these options."""

    def __init__(self, **options):
        super().__init__()
        self._service = ClientOptions(**options).service


CLOUD = {"app_id": "app"}
HERE = {"app_id": "app", "base_url": "http://localhost:9000/"}

OTHERS = [
    (CLOUD, {"app_id": "App"}, r"another application \(app_id\)"),
    (CLOUD, {"app_id": "app", "host": "authing.example"}, r"another service \(base_url or host\)"),
    (CLOUD, HERE, "another service"),
    (HERE, CLOUD, "another service"),
    (HERE, {"app_id": "app", "base_url": "http://localhost:9001/"}, "another service"),
    (HERE, {"app_id": "app", "base_url": "http://localhost:9000/api"}, "another service"),
    (HERE, {"app_id": "app", "base_url": "https://localhost:9000/"}, "another service"),
    (HERE, {"app_id": "another", "base_url": "http://localhost:9001/"}, "another application"),
]

SAME = [
    (CLOUD, {"app_id": "app", "host": "Authing.CN", "lang": "zh-CN", "token": "t", "timeout": 5}),
    (CLOUD, {"app_id": "app", "host": "authing.cn:443"}),
    (HERE, {"app_id": "app", "base_url": "http://LocalHost:9000"}),
    (HERE, {"app_id": "app", "host": "localhost:9000", "scheme": "http"}),
    ({"app_id": "a", "base_url": "https://x.example"}, {"app_id": "a", "base_url": "https://X.example:443/"}),
    ({"app_id": "a", "base_url": "http://x.example:80/p/"}, {"app_id": "a", "base_url": "http://x.example/p"}),
    ({"app_id": "a", "base_url": "https://[::1]:444"}, {"app_id": "a", "host": "[0:0:0:0:0:0:0:1]:444"}),
    ({"app_id": "a", "host": "127.0.0.1"}, {"app_id": "a", "base_url": "https://127.0.0.1"}),
]


@pytest.mark.parametrize(("first", "second", "said"), OTHERS)
async def test_a_run_is_not_resumed_with_another_application_or_service(store, first, second, said):
    """Nothing is sent, and the run can still be resumed as it was begun."""
    await collect(ClientOf(**first), totp_rows(3), journal=store)
    client = ClientOf(**second)
    with pytest.raises(JournalError, match=said):
        await collect(client, totp_rows(5), journal=store)
    assert client.sent == []
    client = ClientOf(**first)
    assert len(await collect(client, totp_rows(5), journal=store)) == 5
    assert client.counts() == {"t3": 1, "t4": 1}


@pytest.mark.parametrize(("first", "second"), SAME)
async def test_the_same_service_written_otherwise_is_the_same(store, first, second):
    """Letter case, the last slash, the usual port, the form of an IP address, and settings that do not name the service."""
    await collect(ClientOf(**first), totp_rows(3), journal=store)
    client = ClientOf(**second)
    assert len(await collect(client, totp_rows(4), journal=store)) == 4
    assert client.counts() == {"t3": 1}


async def test_a_service_that_has_moved_is_named_once(store):
    """The option is needed for one run; then the new address is the run's, and the old one is refused."""
    moved = {"app_id": "app", "base_url": "http://localhost:9001"}
    await collect(ClientOf(**HERE), totp_rows(3), journal=store)
    client = ClientOf(**moved)
    await collect(client, totp_rows(4), journal=store, service_moved=True)
    assert client.counts() == {"t3": 1}
    await collect(client, totp_rows(5), journal=store)
    assert client.counts() == {"t3": 1, "t4": 1}
    with pytest.raises(JournalError, match="another service"):
        await collect(ClientOf(**HERE), totp_rows(5), journal=store)


async def test_a_run_that_sent_nothing_may_change_its_service(store):
    """The first row decides."""
    journal = await Journal.open(store, service=ClientOptions(**HERE).service)
    await journal.close()
    await collect(ClientOf(**CLOUD), totp_rows(1), journal=store)
    with pytest.raises(JournalError, match="another service"):
        await collect(ClientOf(**HERE), totp_rows(1), journal=store)


@pytest.mark.parametrize("change", ["DROP TABLE mfa_batch_service", "DELETE FROM mfa_batch_service"])
async def test_journals_of_earlier_versions_are_resumed(store, change):
    """They have no table, or the table of another run in the same database; their service is not known."""
    await collect(ClientOf(**HERE), totp_rows(3), journal=store)
    await query(store, change)
    for options in ({}, {"service_moved": True}, {"run_name": "another"}):
        client = ClientOf(**CLOUD)
        assert len(await collect(client, totp_rows(3), journal=store, **options)) == 3
        assert len(client.sent) == (3 if options.get("run_name") else 0)
    with pytest.raises(JournalError, match="another service"):
        await collect(ClientOf(**HERE), totp_rows(3), journal=store, run_name="another")


async def test_a_user_of_a_database_who_may_not_make_tables_resumes_such_a_journal(postgres):
    """The tables were made by somebody else, and the new one is not missed."""
    await collect(ClientOf(**HERE), totp_rows(3), journal=postgres)
    tables = "mfa_batch_run, mfa_batch_claim, mfa_batch_row, mfa_batch_outcome"
    for statement in (
        "DROP TABLE mfa_batch_service",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "CREATE ROLE plain LOGIN",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO plain",
    ):
        await query(postgres, statement)
    try:
        outcomes = await collect(ClientOf(**HERE), totp_rows(4), journal=postgres.replace("postgres@", "plain@"))
    finally:
        await query(postgres, "DROP OWNED BY plain")
        await query(postgres, "DROP ROLE plain")
    assert len(outcomes) == 4


async def test_the_names_of_application_and_service_are_not_in_the_journal(tmp_path):
    """Digests are, keyed with the run's salt: two runs of one service have different ones."""
    service = {"app_id": "a-secret-app", "base_url": "http://a-secret-host:9000"}
    for name in ("one", "two"):
        await collect(ClientOf(**service), totp_rows(1), journal=tmp_path / "run.db", run_name=name)
    assert b"a-secret" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    lines = await query(str(tmp_path / "run.db"), "SELECT application, address FROM mfa_batch_service")
    assert len({digest for line in lines for digest in line}) == 4


async def test_a_client_and_its_views_name_their_service(store, emulator):
    """Real clients: another application id at the same address is refused."""
    rows = [VerifyRequest.check(phone="13800138001", token="a-token-of-a-user", key="k")]
    async with AuthClient(emulator.app_id, base_url=emulator.url) as client:
        await collect(client, rows, journal=store)
        await collect(client.as_user("another-token"), rows, journal=store)
    async with AuthClient("another", base_url=emulator.url) as client:
        with pytest.raises(JournalError, match="another application"):
            await collect(client, rows, journal=store)


@pytest.mark.parametrize("division", [{}, pytest.param({"processes": 2, "partition_rows": 2})])
async def test_a_rehearsal_with_the_emulator_is_not_resumed_in_production(
    store, make_job, emulator, tmp_path, division
):
    """With files, on one process or several: refused, and the output stays. The option is one of resuming."""
    options, tokens = make_job(3, journal=store, **division)
    client_options = {"app_id": emulator.app_id, "base_url": emulator.url}
    await run_file(options, client_options)
    before = (tmp_path / "out.jsonl").read_bytes()
    with Emulator() as production:
        there = {"app_id": production.app_id, "base_url": production.url}
        for resuming in ({"resume": True}, {"start_or_resume": True}):
            with pytest.raises(JournalError, match=r"another (application|service)"):
                await run_file(attrs.evolve(options, **resuming), there)
        summary = await run_file(attrs.evolve(options, resume=True, service_moved=True), there)
        assert summary.statuses == {"ok": 3}
        assert production.requests == []
    assert (tmp_path / "out.jsonl").read_bytes() == before
    with pytest.raises(InvalidInputError, match="service_moved"):
        await run_file(attrs.evolve(options, service_moved=True), client_options)
    emulator.assert_verified_once(tokens)
