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


def test_a_measured_process_frees_no_greenlet_of_a_thread_that_ended(tmp_path):
    """On Python 3.11 the callback of a greenlet that is freed may never end while coverage measures."""
    measured = {"COVERAGE_PROCESS_START": str(ROOT / "pyproject.toml"), "COVERAGE_FILE": str(tmp_path / "measured")}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run([sys.executable, "-c", THREADS], env={**clean, **measured}, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("alive\n", "")
