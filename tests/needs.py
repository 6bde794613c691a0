"""What a machine may lack: a test that needs it says so, and is skipped with the reason, or fails where nothing may lack."""

import importlib.util
import os
import shutil
import sys

import pytest

NO_SKIPS = os.environ.get("AUTHING_MFA_NO_SKIPS") == "1"
"""Set where the machine is known to have everything: then a missing thing is a failure."""


def require(condition: object, what: str) -> None:
    """Skip the running test, or the module, unless *condition* holds; *what* is what the machine lacks."""
    if condition:
        return
    if NO_SKIPS:
        pytest.fail(f"missing: {what}", pytrace=False)
    pytest.skip(f"missing: {what}", allow_module_level=True)  # listed at the end of `make test`


def require_program(name: str) -> str:
    """The path of the program *name*."""
    path = shutil.which(name) or next((p for p in (f"/usr/sbin/{name}", f"/sbin/{name}") if os.access(p, os.X_OK)), "")
    require(path, f"the program {name}")
    return path


def require_module(name: str) -> None:
    """The module *name* can be imported."""
    try:
        found = importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # of a package that is missing as a whole
        found = False
    require(found, f"the Python module {name}")


def examples(count: int) -> int:
    """How many examples hypothesis tries where `make test` tries *count*: twenty times as many in `make soak`."""
    return count * 20 if os.environ.get("AUTHING_MFA_SOAK") == "1" else count


starts_threads_at_exit = pytest.mark.skipif(  # a fault of these versions alone: later ones start the thread
    (3, 12, 0) <= sys.version_info < (3, 12, 3),
    reason="CPython 3.12.0 to 3.12.2 start no thread after the main one has ended (gh-113964)",
)
"""For a test in which a thread is started while the interpreter exits."""
