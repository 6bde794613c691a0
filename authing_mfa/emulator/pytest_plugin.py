"""The pytest plugin: one emulator per session (per worker with xdist), reset before each test that uses it.

Ini options: ``authing_emulator_seed_file`` (users, codes, settings; see `seeding`), ``authing_emulator_seed`` (a number that
makes ids and codes reproducible).
"""

from __future__ import annotations

from contextlib import suppress
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

    file = str(pytestconfig.getini("authing_emulator_seed_file"))
    ini = pytestconfig.inipath
    # Not the root folder: --rootdir may name another one.
    folder = pytestconfig.rootpath if ini is None else ini.parent
    with Emulator(seed_file=folder / file if file else None, seed=_seed(pytestconfig)) as emulator:
        yield emulator


@pytest.fixture
def authing_emulator(authing_emulator_server: Emulator) -> Iterator[Emulator]:
    """The emulator, running and reset: of earlier tests nothing is left but what is in namespaces."""
    emulator = authing_emulator_server
    with suppress(RuntimeError):  # "started already", unless the last test stopped it
        emulator.start()
    emulator.reset()
    seeds, on_message = emulator.baseline, emulator.on_message
    yield emulator
    emulator.baseline, emulator.on_message = seeds, on_message  # `seed_from` seeds every later reset


def _seed(pytestconfig: pytest.Config) -> int | None:
    text = str(pytestconfig.getini("authing_emulator_seed"))
    if not text:
        return None
    with suppress(ValueError):
        return int(text)
    pytest.fail(f"authing_emulator_seed must be a whole number, not {text!r}.", pytrace=False)
