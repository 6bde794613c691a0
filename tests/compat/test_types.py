"""The static types are an interface too: both checkers accept right uses and find each wrong one."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.compat.process import ROOT, environment
from tests.needs import require_module

WRONG = "tests/typing/wrong_compat.py"
RIGHT = "tests/typing/compat_api.py"


def mypy():
    """The lines with an error, each with the name of its file."""
    require_module("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", WRONG, RIGHT]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=300)
    assert done.stderr == ""
    found = re.findall(r"^tests/typing/(\w+\.py):(\d+): error", done.stdout, re.MULTILINE)
    return {(name, int(line)) for name, line in found}


def pyright(tmp_path):
    """The same."""
    require_module("pyright")
    for path in (WRONG, RIGHT):  # copies: the project's own settings leave the wrong uses out
        shutil.copy(ROOT / path, tmp_path)
    config = tmp_path / "pyrightconfig.json"
    config.write_text(json.dumps({"include": ["*.py"], "extraPaths": [str(ROOT)], "pythonVersion": "3.11"}))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=300)
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] == 2
    errors = [each for each in found["generalDiagnostics"] if each["severity"] == "error"]
    return {(Path(each["file"]).name, each["range"]["start"]["line"] + 1) for each in errors}


def marked():
    """The lines that must have an error; none in the other file."""
    lines = (ROOT / WRONG).read_text("utf-8").splitlines()
    return {(Path(WRONG).name, number) for number, line in enumerate(lines, 1) if line.endswith("# wrong")}


@pytest.mark.timeout(400)
def test_mypy_finds_each_wrong_use_and_no_other():
    """Completions of the wrong shape, misplaced and misspelt arguments."""
    assert mypy() == marked()


@pytest.mark.timeout(400)
def test_pyright_finds_each_wrong_use_and_no_other(tmp_path):
    """The same lines."""
    assert pyright(tmp_path) == marked()
