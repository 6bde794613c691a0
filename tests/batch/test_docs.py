"""docs/batch.md: its code runs as it stands, its commands and words exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from authing_mfa.batch.files.formats import FIELDS
from authing_mfa.batch.models import COLUMNS

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
