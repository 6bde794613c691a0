"""Each extra installs alone into a new environment and does what it is for; the core works without any.

The programs are in the folder `extras`, one for each extra.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

from tests.batch.conftest import postgres, postgres_server

__all__ = ["postgres", "postgres_server"]

ROOT = Path(__file__).parent.parent
FOLDER = Path(__file__).parent / "extras"
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
PROGRAMS = sorted(path.stem.removeprefix("use_") for path in FOLDER.glob("use_*.py"))


def test_every_extra_has_its_program():
    """A new extra needs a program that uses it; `core` is the package without any, `all` runs the other programs."""
    assert sorted([*EXTRAS, "core"]) == PROGRAMS
    everything = (FOLDER / "use_all.py").read_text("utf-8")
    assert {name for name in EXTRAS if f'"{name}"' not in everything} == {"all", "postgresql"}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel, built once."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT], check=True, capture_output=True
    )
    [path] = folder.glob("*.whl")
    return path


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("extra", PROGRAMS)
def test_an_extra_works_alone_in_a_clean_environment(extra, wheel, tmp_path, request):
    """pip install authing-mfa[extra] into nothing, then the extra's program, warnings being errors."""
    arguments = [request.getfixturevalue("postgres")] if extra == "postgresql" else []
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    target = str(wheel) if extra == "core" else f"authing-mfa[{extra}] @ {wheel.as_uri()}"
    subprocess.run([python, "-m", "pip", "install", "--quiet", target], check=True, timeout=800)
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    command = [python, "-W", "error", f"use_{extra}.py", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
