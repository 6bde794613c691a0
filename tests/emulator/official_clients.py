"""The service's own clients, installed once and left as they are."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.emulator.official.process import Official
from tests.needs import require, require_program

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent / "official"
INSTALL_SECONDS = 100


def installed(folder: Path, what: str, *commands: list[str]) -> Path:
    """*folder*, with *what* installed into it by *commands*, once for all test processes and all later runs."""
    ready = folder / "ready"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in [] if ready.exists() else commands:
            with contextlib.suppress(subprocess.TimeoutExpired):
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS)
                if done.returncode == 0:
                    continue
            require(condition=False, what=f"{what}, which could not be installed from its registry")
        ready.touch()
    return folder


def _folder(config: pytest.Config, name: str) -> Path:
    return Path(config.cache.mkdir(name))  # type: ignore[union-attr]  # the cache plugin is always there


@pytest.fixture(scope="session")
def js_folder(pytestconfig: pytest.Config) -> Path:
    """The folder whose node_modules has the official JavaScript client."""
    npm = require_program("npm")
    folder = _folder(pytestconfig, "official-js-4.23.55")
    shutil.copy(HERE / "package.json", folder)
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
    return installed(folder, "authing-js-sdk 4.23.55", [npm, "install", *quiet])


@pytest.fixture(scope="session")
def js_process(js_folder: Path) -> Iterator[Official]:
    """Node with the official JavaScript client."""
    client = Official(require_program("node"), str(HERE / "drive.mjs"), str(js_folder))
    yield client
    client.close()


@pytest.fixture(scope="session")
def py_process(pytestconfig: pytest.Config) -> Iterator[Official]:
    """An interpreter with the official Python client."""
    folder = _folder(pytestconfig, f"official-py-4.5.17-{sys.version_info.major}.{sys.version_info.minor}")
    python = str(folder / "venv" / "bin" / "python")
    pip = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        str(HERE / "requirements.txt"),
    ]
    installed(folder, "authing 4.5.17", [sys.executable, "-m", "venv", "venv"], pip)
    client = Official(python, "-P", str(HERE / "drive.py"))
    yield client
    client.close()
