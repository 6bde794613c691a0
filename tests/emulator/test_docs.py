"""The code in the emulator's documentation runs unchanged, and its statements are true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from authing_mfa.emulator import FaultRule, Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "emulator.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("block", [pytest.param(block, id=str(number)) for number, block in enumerate(BLOCKS, 1)])
def test_every_python_block_runs(block, tmp_path, monkeypatch):
    """A block does what it says and warns of nothing; one that is a test is run by pytest with the package's own fixture."""
    monkeypatch.chdir(tmp_path)
    if not re.search(r"^(async )?def test_", block, re.MULTILINE):
        exec(compile(block, "docs/emulator.md", "exec"), {"__name__": "__main__"})
        return
    script = tmp_path / "test_block.py"
    script.write_text(block, "utf-8")
    options = ["-p", "no:randomly", "-p", "no:cacheprovider", "-q", str(script)]
    command = [sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir", str(tmp_path), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_every_link_and_picture_is_there():
    """A link names a file that is there, or a heading of this page."""
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        assert (
            target[1:] in headings if target.startswith("#") else (ROOT / "docs" / target.partition("#")[0]).is_file()
        ), target


def test_every_setting_and_fault_effect_is_documented():
    """No setting and no field of a fault rule is missing from the page."""
    settings = {field.name for field in attrs.fields(Settings)}
    rule = {field.name for field in attrs.fields(FaultRule) if not field.name.startswith("_")}
    rule -= {"id", "matched", "fired", "acts"}
    assert {name for name in settings | rule if name not in TEXT} == set()
