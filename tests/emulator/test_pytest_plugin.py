"""The pytest plugin costs a run that does not use it nothing, and no test of a run that uses it sees another one."""

import subprocess
import sys
from pathlib import Path

import authing_mfa

HEAVY = ("aiohttp", "attr", "asyncio", "cattrs", "PIL", "cryptography", "authing_mfa.emulator.emulator")

USES_NOTHING = """
import sys

def test_nothing_is_loaded():
    assert "authing_mfa.emulator.pytest_plugin" in sys.modules
    assert [name for name in {heavy!r} if name in sys.modules] == []
"""

USES_IT = """
def test_the_fixture(authing_emulator):
    assert authing_emulator.url.startswith("http://127.0.0.1:")
"""

STOPS_IT = """
import socket

import pytest

def connect(emulator):
    socket.create_connection(("127.0.0.1", int(emulator.url.rpartition(":")[2]))).close()

def test_the_service_is_away(authing_emulator):
    authing_emulator.stop()
    with pytest.raises(OSError):
        connect(authing_emulator)

def test_another(authing_emulator):
    connect(authing_emulator)
"""

SEEDS_IT = """
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_the_seeds_of_another_test_are_gone(authing_emulator, number):
    assert (authing_emulator.users, authing_emulator.on_message) == ([], None)
    authing_emulator.seed_from({"users": [{"username": "bo", "password": "secret"}]})
    authing_emulator.on_message = print
"""

SEED_FILE = """
def test_the_user_of_the_seed_file(authing_emulator):
    assert [user.username for user in authing_emulator.users] == ["bo"]
"""


def run(folder, text, *options, ini="[pytest]\n"):
    """A pytest run of a new project, with only this plugin."""
    folder.joinpath("test_it.py").write_text(text, "utf-8")
    folder.joinpath("pytest.ini").write_text(ini, "utf-8")
    plugins = ["-p", "authing_mfa.emulator.pytest_plugin", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, *options, "test_it.py"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(Path(authing_mfa.__file__).parents[1])},
    )


def test_nothing_is_loaded_before_the_fixture_is_asked_for(tmp_path):
    """Every pytest run of the environment loads the plugin: it brings nothing but itself."""
    done = run(tmp_path, USES_NOTHING.format(heavy=HEAVY))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_fixture_brings_what_it_needs(tmp_path):
    """As soon as a test asks for it."""
    done = run(tmp_path, USES_IT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_test_may_stop_the_emulator(tmp_path):
    """To see what the program does without its service: the next test has a running one."""
    done = run(tmp_path, STOPS_IT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_test_sees_the_seeds_of_another(tmp_path):
    """`seed_from` counts for later resets, but only within its test; and no later test calls its listener."""
    done = run(tmp_path, SEEDS_IT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_seed_file_is_beside_the_ini_file(tmp_path):
    """Also if --rootdir names another folder."""
    project = tmp_path / "project"
    project.mkdir()
    project.joinpath("seed.json").write_text('{"users": [{"username": "bo", "password": "secret"}]}', "utf-8")
    ini = "[pytest]\nauthing_emulator_seed_file = seed.json\n"
    done = run(project, SEED_FILE, f"--rootdir={tmp_path}", ini=ini)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_seed_that_is_no_number_is_named(tmp_path):
    """By a sentence, not by a traceback of the plugin."""
    done = run(tmp_path, USES_IT, ini="[pytest]\nauthing_emulator_seed = abc\n")
    assert done.returncode == 1
    assert "authing_emulator_seed must be a whole number, not 'abc'." in done.stdout
    assert "pytest_plugin.py" not in done.stdout
