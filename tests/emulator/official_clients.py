"""The service's own clients, installed once and left as they are."""

from __future__ import annotations

import contextlib
import fcntl
import json
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


def _node_folder(config: pytest.Config, package: str, version: str) -> Path:
    npm = require_program("npm")
    folder = _folder(config, f"official-{package}-{version}")
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": {package: version}}))
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
    return installed(folder, f"{package} {version}", [npm, "install", *quiet])


def _python(config: pytest.Config, generation: str, *packages: str) -> Iterator[Official]:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = _folder(config, f"official-{packages[0].replace('==', '-')}-{version}")
    python = str(folder / "venv" / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
    installed(folder, packages[0], [sys.executable, "-m", "venv", "--without-pip", "venv"], [*pip, *packages])
    client = Official(python, "-P", str(HERE / "drive.py"), generation)
    yield client
    client.close()


@pytest.fixture(scope="session")
def js_folder(pytestconfig: pytest.Config) -> Path:
    """The folder whose node_modules has the official JavaScript client."""
    return _node_folder(pytestconfig, "authing-js-sdk", "4.23.55")


@pytest.fixture(scope="session")
def js_process(js_folder: Path) -> Iterator[Official]:
    """Node with the official JavaScript client."""
    client = Official(require_program("node"), str(HERE / "drive.mjs"), str(js_folder), "authing-js-sdk")
    yield client
    client.close()


@pytest.fixture(scope="session")
def node_folder(pytestconfig: pytest.Config) -> Path:
    """The folder whose node_modules has the official client of the v3 API for Node."""
    return _node_folder(pytestconfig, "authing-node-sdk", "4.0.1")


@pytest.fixture(scope="session")
def node_process(node_folder: Path) -> Iterator[Official]:
    """Node with the official client of the v3 API."""
    client = Official(require_program("node"), str(HERE / "drive.mjs"), str(node_folder), "authing-node-sdk")
    yield client
    client.close()


@pytest.fixture(scope="session")
def py_process(pytestconfig: pytest.Config) -> Iterator[Official]:
    """An interpreter with the official Python client."""
    yield from _python(pytestconfig, "v2", "authing==4.5.17")


@pytest.fixture(scope="session")
def py3_process(pytestconfig: pytest.Config) -> Iterator[Official]:
    """An interpreter with the official Python client of the v3 API, and the library that it forgets to ask for."""
    yield from _python(pytestconfig, "v3", "authing==5.1.0", "websockets")
