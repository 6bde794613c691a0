"""The pytest plugin costs a run that does not use it nothing."""

import subprocess
import sys

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


def run(folder, text):
    """A pytest run of a new project, with only this plugin."""
    folder.joinpath("test_it.py").write_text(text, "utf-8")
    folder.joinpath("pytest.ini").write_text("[pytest]\n", "utf-8")
    plugins = ["-p", "authing_mfa.emulator.pytest_plugin", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, "test_it.py"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )


def test_nothing_is_loaded_before_the_fixture_is_asked_for(tmp_path):
    """Every pytest run of the environment loads the plugin: it brings nothing but itself."""
    done = run(tmp_path, USES_NOTHING.format(heavy=HEAVY))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_fixture_brings_what_it_needs(tmp_path):
    """As soon as a test asks for it."""
    done = run(tmp_path, USES_IT)
    assert done.returncode == 0, done.stdout + done.stderr
