"""The code in the README files is run as it stands there."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCKS = [
    pytest.param(block, id=f"{name}-{number}")
    for name in ("README.md", "README.zh-CN.md")
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL), 1)
]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_python_block_runs(block: str, tmp_path: Path) -> None:
    """A block exits with 0 and warns of nothing; one that is a test is run by pytest with the package's own fixture."""
    script = tmp_path / "test_block.py"
    if "async def test_" in block:
        script.write_text(f"from authing_mfa import AuthClient\n{block}", "utf-8")
        options = ["-p", "no:randomly", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "-q", str(script)]
        command = ["-m", "pytest", "-c", "/dev/null", "--rootdir", str(tmp_path), *options]
    else:
        script.write_text(block, "utf-8")
        command = ["-W", "error", str(script)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_both_languages_show_the_same_first_screen() -> None:
    """The Chinese README's first two blocks are the English ones but for comments and printed words."""
    english, chinese = (
        re.findall(r"```python\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)[:2]
        for name in ("README.md", "README.zh-CN.md")
    )
    for ours, theirs in zip(english, chinese, strict=True):
        assert _shape(ours) == _shape(theirs)


def _shape(code: str) -> list[str]:
    """The node types of *code*, which comments and wording do not change."""
    return [type(node).__name__ for node in ast.walk(ast.parse(code))]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_every_link_leads_somewhere(name: str) -> None:
    """A relative link names a file that is there."""
    text = (ROOT / name).read_text("utf-8")
    targets = {target.split("#")[0] for target in re.findall(r"\]\(([^)]+)\)", text) if "://" not in target}
    assert [target for target in sorted(targets) if target and not (ROOT / target).exists()] == []
