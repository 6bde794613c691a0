"""The pytest plugin: one emulator per session (per worker with xdist), reset before each test that uses it.

Ini options: ``authing_emulator_seed_file`` (users, codes, settings; see `seeding`), ``authing_emulator_seed`` (a number that
makes ids and codes reproducible).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authing_mfa.emulator import Emulator

__all__ = ["authing_emulator", "authing_emulator_server", "pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's ini options to pytest."""
    parser.addini("authing_emulator_seed_file", "seed file of the authing_emulator fixture, relative to the ini file")
    parser.addini("authing_emulator_seed", "number that makes the authing_emulator fixture reproducible")


@pytest.fixture(scope="session")
def authing_emulator_server(pytestconfig: pytest.Config) -> Iterator[Emulator]:
    """The emulator of the session. Tests should use `authing_emulator`, which resets it."""
    from authing_mfa.emulator import Emulator

    file, seed = (
        str(pytestconfig.getini("authing_emulator_seed_file")),
        str(pytestconfig.getini("authing_emulator_seed")),
    )
    path = Path(pytestconfig.rootpath, file) if file else None
    with Emulator(seed_file=path, seed=int(seed) if seed else None) as emulator:
        yield emulator


@pytest.fixture
def authing_emulator(authing_emulator_server: Emulator) -> Emulator:
    """Return the emulator, reset: only the users and settings of the seed file are left."""
    authing_emulator_server.reset()
    return authing_emulator_server
