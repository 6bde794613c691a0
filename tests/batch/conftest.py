"""Fixtures of the batch tests: a client that answers from memory, users of an emulator, and a PostgreSQL cluster."""

from __future__ import annotations

import asyncio
import csv
import uuid
from collections import Counter

import pytest

from authing_mfa.batch import VerifyRequest
from authing_mfa.batch.options import BatchOptions
from authing_mfa.emulator import Emulator
from authing_mfa.models import UserInfo
from authing_mfa.operations import MfaCheck, UploadFaceImage, VerifyByRecoveryCode
from tests.postgresql import running_cluster


class FakeClient:
    """Answers from memory. `answer` may be replaced by a function of (operation, token) that returns, raises or awaits."""

    def __init__(self, answer=None, token="client", shared=None):
        self.token = token
        self.answer = answer
        self.shared = shared or self
        if shared is None:
            self.sent = []
            self.running = 0
            self.most = 0
            self.uploads = []

    max_connections = 512

    async def connect(self):
        pass

    def as_user(self, token):
        return FakeClient(self.answer, token, self.shared)

    async def perform(self, operation, *, max_attempts=None):
        assert max_attempts == 1, "waiting and repeating is the batch's own business"
        shared = self.shared
        if isinstance(operation, UploadFaceImage):
            shared.uploads.append(operation.image)
            return f"key-of-{len(shared.uploads)}"
        shared.sent.append((operation, self.token))
        shared.running += 1
        shared.most = max(shared.most, shared.running)
        try:
            if self.answer is None:
                return default_answer(operation, self.token)
            result = self.answer(operation, self.token)
            return await result if asyncio.iscoroutine(result) else result
        finally:
            shared.running -= 1

    def counts(self):
        return Counter(token for _, token in self.sent)


def default_answer(operation, token):
    if isinstance(operation, MfaCheck):
        return True
    new = "NEW-CODE-OF-" + token if isinstance(operation, VerifyByRecoveryCode) else None
    return UserInfo(id=f"user-of-{token}", id_token="secret-id-token", recovery_code=new)


async def until(holds, seconds=60):
    """Wait until *holds* does."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.05)  # asking costs time that the emulator, in this process, needs


def totp_rows(count, first=0):
    return [VerifyRequest.totp("123456", token=f"t{i}", key=f"k{i}") for i in range(first, first + count)]


@pytest.fixture
def fake():
    return FakeClient()


@pytest.fixture(scope="session")
def emulator():
    """One emulator for the session; each test makes its own users."""
    with Emulator() as emu:
        yield emu


@pytest.fixture
def make_users(emulator):
    """Make so many users with a phone, an mfaToken, and a code that was sent: (phone, token, code)."""

    def make(count):
        users = []
        for _ in range(count):
            phone = f"1{uuid.uuid4().int % 10**10:010d}"
            user = emulator.add_user(username=uuid.uuid4().hex, password="x", phone=phone, mfa=["SMS"])
            users.append((phone, emulator.issue_mfa_token(user), emulator.send_code(phone)))
        return users

    return make


@pytest.fixture
def make_job(make_users, tmp_path):
    """Make the options for a run of so many phone rows with a journal, and the rows' tokens."""

    def make(count, **options):
        users = make_users(count)
        source, names = tmp_path / "rows.csv", ("kind", "key", "token", "phone", "code")
        with source.open("w", newline="") as file:
            csv.writer(file).writerows(
                [names, *(("phone", f"k{i}", token, phone, code) for i, (phone, token, code) in enumerate(users))]
            )
        files = {"source": str(source), "out": str(tmp_path / "out.jsonl"), "journal": str(tmp_path / "run.db")}
        return BatchOptions(**{**files, **options}), [token for _, token, _ in users]

    return make


# ─────────────────────────────── PostgreSQL ───────────────────────────────


@pytest.fixture(scope="session")
def postgres_server():
    """The folder of a PostgreSQL's socket: no port."""
    with running_cluster() as cluster:
        yield cluster.home


TABLES = "mfa_batch_run, mfa_batch_claim, mfa_batch_row, mfa_batch_outcome, mfa_batch_service"


@pytest.fixture
def postgres(postgres_server):
    """The URL of a database without our tables."""
    import asyncpg

    async def clear():
        connection = await asyncpg.connect(host=str(postgres_server), user="postgres", database="postgres")
        await connection.execute(f"DROP TABLE IF EXISTS {TABLES}")
        await connection.close()

    asyncio.run(clear())
    return f"postgresql+asyncpg://postgres@/postgres?host={postgres_server}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    """A place for a journal: each test runs on both."""
    if request.param == "sqlite":
        return str(tmp_path / "run.db")
    return request.getfixturevalue("postgres")
