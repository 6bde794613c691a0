"""Exit, Ctrl-C and fork, each in its own process, in development mode, with nothing on stderr."""

import os
import sys
import time
from pathlib import Path

import pytest

from tests.needs import require, starts_threads_at_exit
from tests.programs import run_program

HERE = Path(__file__).parent
BEGUN = "This batch was begun before a fork and goes on in the parent: begin another one here."
GUARD = 90.0  # seconds; a driver that takes this long hangs


def live(way, *, code=0):
    """What the program said in *way*, and the seconds it took."""
    path = os.pathsep.join(filter(None, [str(HERE.parent.parent), os.environ.get("PYTHONPATH", "")]))
    filters = ["-W", "error", "-W", "ignore:This process:DeprecationWarning"]  # forking with threads is what is tested
    started = time.monotonic()
    command = [sys.executable, "-X", "dev", *filters, str(HERE / "drivers" / "life.py"), way]
    done = run_program(command, env={**os.environ, "PYTHONPATH": path}, timeout=GUARD)
    assert done.stderr == ""
    assert done.returncode == code
    said = [line for line in done.stdout.splitlines() if line != "connection closed"]
    return said, time.monotonic() - started


@pytest.mark.parametrize(
    ("way", "code", "said"),
    [
        ("idle", 0, ["True", "end"]),
        ("exit code", 3, ["True"]),
        ("daemon thread", 0, ["end"]),
        pytest.param("thread", 0, ["end", "True"], marks=starts_threads_at_exit),
        pytest.param("atexit", 0, ["end", "at exit True"], marks=starts_threads_at_exit),
        pytest.param(
            "name at exit",
            0,
            ["end", "The interpreter is exiting: no more calls can be made."],
            marks=starts_threads_at_exit,
        ),
        ("too late", 0, ["end", "The interpreter is exiting: no more calls can be made."]),
        ("used and too late", 0, ["True", "end", "The interpreter is exiting: no more calls can be made."]),
        ("iterated too late", 0, ["True", "end", "The interpreter is exiting: no more calls can be made."]),
        ("unused", 0, ["end"]),
    ],
)
def test_leaving_without_closing_is_silent_and_bounded(way, code, said):
    """Whatever the client does at the interpreter's exit, nothing is printed, and the exit does not wait for it."""
    heard, seconds = live(way, code=code)
    assert heard == said
    assert seconds < 30


@pytest.mark.parametrize("way", ["closed", "last of two", "closed with an unread batch"])
def test_the_loop_ends_with_the_last_client(way):
    """No thread of ours is left, and no task; a client that is closed without a call does not end the others' loop."""
    heard, _ = live(way)
    assert heard == (["[]", "end"] if way == "closed" else ["True", "[]", "end"])


@pytest.mark.parametrize(("way", "name"), [("ctrl-c", "KeyboardInterrupt"), ("time limit", "TimeLimit")])
def test_an_interrupted_call_is_cancelled_and_the_client_still_works(way, name):
    """Ctrl-C, or what any signal's handler raises; the call's connection is given up, the next call has a new one."""
    require(hasattr(os, "kill") and sys.platform != "win32", "POSIX signals")
    heard, _ = live(way)
    assert heard == [name, "True", "end"]


def test_ctrl_c_in_a_batch_waits_for_what_was_sent():
    """Then the interrupt is raised, the client closes, and another client works."""
    require(hasattr(os, "kill") and sys.platform != "win32", "POSIX signals")
    heard, _ = live("ctrl-c in a batch")
    assert heard == ["KeyboardInterrupt", "True []", "end"]


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("fork", ["child True", "child ended 7", "parent True 2", "end"]),
        ("fork and leave", ["child ended 7", "parent True 1", "end"]),
        ("fork and close", ["child True", "child ended 7", "parent True 2", "end"]),
        ("fork in flight", ["child True", "child ended 7", "parent True", "end"]),
        ("multiprocessing", ["True", "child True", "child ended 0", "end"]),
        ("view", ["child True True True", "child ended 7", "end"]),
        (
            "fork in a batch",
            ["True", *(2 * [f"child {BEGUN}"]), "child True True", "child ended 7", "parent True True True", "end"],
        ),
    ],
)
def test_a_forked_child_has_a_loop_and_a_pool_of_its_own(way, said):
    """And the parent's connection is still good: it is the first one (of two with the child's), used again."""
    require(hasattr(os, "fork"), "os.fork")
    heard, _ = live(way)
    assert heard == said
