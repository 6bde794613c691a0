"""docs/batch.md: its code runs as it stands, its commands and words exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from authing_mfa import AuthClient
from authing_mfa.batch import VerifyRequest, verify_many
from authing_mfa.batch.files.formats import FIELDS
from authing_mfa.batch.models import COLUMNS
from authing_mfa.emulator import Emulator

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_code_runs_unchanged(tmp_path, number):
    """Each Python block is a program."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BLOCKS[number]],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "ada ok" in done.stdout
    assert "is it free? ok True" in done.stdout
    assert (tmp_path / "run.db").stat().st_mode & 0o777 == 0o600


def test_the_columns_and_fields_are_those_of_the_code():
    """The page names every column of a row and every field of an outcome."""
    assert BLOCKS
    for word in (*COLUMNS, *FIELDS):
        assert f"`{word}`" in TEXT, word


def test_every_option_of_verify_many_that_the_text_names_exists():
    """`name=` in the text is a keyword of verify_many or of a row."""
    import inspect

    from authing_mfa.batch import VerifyRequest, verify_many

    known = {*inspect.signature(verify_many).parameters, *(field.name for field in attrs.fields(VerifyRequest))}
    named = set(re.findall(r"`([a-z_]+)=", TEXT)) - {"synchronous", "check_same_thread"}
    assert named
    assert named <= known


async def test_the_size_of_a_journal_is_the_one_of_the_page(tmp_path):
    """An operator reserves the disk by it: bytes of a row by its outcome, to a fifth more."""
    told = re.search(
        r"about (\d+) bytes for a check,\s(\d+) for a row that was rejected, and (\d+) for a verified", TEXT
    )
    assert told is not None
    count = 1000
    async with Emulator() as emu, AuthClient(emu.app_id, base_url=emu.url) as client:
        token = emu.issue_mfa_token(emu.add_user(username="ada", password="secret", mfa=["OTP"], totp=True))
        rows = {
            "check": [VerifyRequest.check(phone=f"1390000{n:04}", token=token, key=f"row-{n}") for n in range(count)],
            "rejected": [VerifyRequest.totp("000000", token=token, key=f"row-{n}") for n in range(count)],
            "verified": [],
        }
        for number in range(count):
            user = emu.add_user(username=f"user{number}", password="x", phone=f"1380000{number:04}", mfa=["SMS"])
            code, token = emu.send_code(user.phone), emu.issue_mfa_token(user)
            rows["verified"].append(VerifyRequest.phone(user.phone, code, token=token, key=f"row-{number}"))
        for name, figure in zip(rows, told.groups(), strict=True):
            statuses = {out.status async for out in verify_many(client, rows[name], journal=tmp_path / name)}
            assert statuses == {"rejected" if name == "rejected" else "ok"}
            assert (tmp_path / name).stat().st_size / count <= 1.2 * int(figure), name
