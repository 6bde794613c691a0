"""The static types are an interface too: both checkers accept right uses and find each wrong one."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from tests.compat.process import ROOT, environment
from tests.needs import require_module

WRONG = "tests/typing/wrong_compat.py"
RIGHT = "tests/typing/compat_api.py"


def mypy(path):
    require_module("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", path]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=300)
    assert done.stderr == ""
    return {int(line) for line in re.findall(rf"^{re.escape(path)}:(\d+): error", done.stdout, re.MULTILINE)}


def pyright(path, tmp_path):
    require_module("pyright")
    # A copy, for the project's own settings leave the wrong uses out.
    shutil.copy(ROOT / path, tmp_path / "checked.py")
    config = tmp_path / "pyrightconfig.json"
    config.write_text(json.dumps({"include": ["checked.py"], "extraPaths": [str(ROOT)], "pythonVersion": "3.11"}))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=300)
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] == 1
    errors = [each for each in found["generalDiagnostics"] if each["severity"] == "error"]
    return {each["range"]["start"]["line"] + 1 for each in errors}


def marked():
    lines = (ROOT / WRONG).read_text("utf-8").splitlines()
    return {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}


@pytest.mark.timeout(400)
def test_mypy_finds_each_wrong_use_and_no_other():
    """Completions of the wrong shape, misplaced and misspelt arguments."""
    assert mypy(WRONG) == marked()
    assert mypy(RIGHT) == set()


@pytest.mark.timeout(400)
def test_pyright_finds_each_wrong_use_and_no_other(tmp_path):
    """The same lines."""
    assert pyright(WRONG, tmp_path) == marked()
    assert pyright(RIGHT, tmp_path) == set()
