"""Coverage's own plugin, in its own process."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

THREADS = """
import threading, weakref
from greenlet import getcurrent

seen = []
thread = threading.Thread(target=lambda: seen.append(weakref.ref(getcurrent(), lambda _: print("freed"))))
thread.start()
thread.join()
for _ in range(1000):
    (lambda: None)()  # pending calls run here
print("alive" if seen[0]() is not None else "gone")
"""


LOOKUPS = """
import sys, weakref
from weakref import WeakKeyDictionary

WeakKeyDictionary.__getitem__ = lambda self, key: print("looked up")
(lambda: None)()
print(weakref.WeakKeyDictionary is WeakKeyDictionary)
"""


def measured(program, tmp_path):
    """What *program* prints in a process that coverage measures."""
    settings = {"COVERAGE_PROCESS_START": str(ROOT / "pyproject.toml"), "COVERAGE_FILE": str(tmp_path / "measured")}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run([sys.executable, "-c", program], env={**clean, **settings}, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout


def test_a_measured_process_frees_no_greenlet_of_a_thread_that_ended(tmp_path):
    """On Python 3.11 the callback of a greenlet that is freed may never end while coverage measures."""
    assert measured(THREADS, tmp_path) == "alive\n"


def test_a_measured_process_finds_greenlets_without_python_code(tmp_path):
    """Ctrl-C during a lookup in a WeakKeyDictionary would be lost: one of ten was."""
    assert measured(LOOKUPS, tmp_path) == "True\n"
