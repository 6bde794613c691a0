"""Exit, Ctrl-C and fork, each in its own process, with nothing on stderr except the expected lines."""

import os
import re

import pytest

from tests.compat.process import run
from tests.needs import require, starts_threads_at_exit

NO_WAIT = 30.0  # seconds; what must not be waited for takes longer, and a busy machine needs far less


def lines(finished, *, code=0, stderr=""):
    assert re.sub(r"\d\d:\d\d:\d\d", "", finished.stderr) == stderr
    assert finished.returncode == code
    said = finished.stdout.splitlines()
    seconds = [float(line.split()[1]) for line in said if line.startswith("seconds")]
    return [line for line in said if not line.startswith("seconds")], seconds


@pytest.mark.parametrize(("way", "code"), [("end", 0), ("exit", 3)])
def test_leaving_with_calls_in_flight_completes_each_once_and_is_clean(way, code):
    """With 10102, no "Unclosed", no traceback, and no waiting."""
    said, [seconds] = lines(run("leaving", way), code=code)
    assert said == ["completed 10102"] * 3
    assert seconds < NO_WAIT


def test_leaving_waits_for_a_new_recovery_code():
    """The service has taken the old one, so the end of the program must not lose the answer."""
    said, _ = lines(run("leaving", "recovery code"))
    assert said == ["completed 10100", "completed 200 new"]


def test_ctrl_c_ends_the_wait_for_a_new_recovery_code():
    """A service that does not answer does not keep the program; the completion runs."""
    said, _ = lines(run("leaving", "interrupt the exit"))
    assert said == ["completed 10102"]


@pytest.mark.parametrize("way", ["at once", "idle", "unused"])
def test_leaving_at_once_or_idle_is_clean(way):
    """Whatever the loop was doing, if it ever ran."""
    said, [seconds] = lines(run("leaving", way))
    assert said == {"at once": ["completed 10102"], "idle": ["completed 10100"], "unused": []}[way]
    assert seconds < NO_WAIT


def test_leaving_does_not_wait_for_a_stuck_completion():
    """The other completions run nevertheless, and the process ends."""
    said, [seconds] = lines(run("leaving", "stuck completion"))
    assert said == ["stuck"] + ["completed 10102"] * 3
    assert seconds < NO_WAIT


def test_slow_completions_behind_a_stuck_one_run_to_their_end():
    """Also if most of the exit's time has passed when they begin. The calls that they make complete, too."""
    said, [seconds] = lines(run("leaving", "slow completions"))
    assert said == ["stuck"] + ["completed 10102"] * 6
    assert seconds < NO_WAIT


def test_leaving_completes_what_a_dispatcher_has_kept():
    """No dispatcher runs it after the exit, so it runs then."""
    said, [seconds] = lines(run("leaving", "stuck dispatcher"))
    assert sorted(said) == ["completed 10102"] * 4 + ["kept"]
    assert seconds < NO_WAIT


def test_a_completion_that_calls_again_at_exit_runs_again():
    """Exactly once holds to the end."""
    said, [seconds] = lines(run("leaving", "again"))
    assert said == ["completed 10102"] * 4
    assert seconds < NO_WAIT


@starts_threads_at_exit
def test_a_thread_that_outlives_the_main_one_can_still_call():
    """The exit waits for it first."""
    said, _ = lines(run("leaving", "other thread"))
    assert said == ["completed 10100", "waited True"]


def test_a_call_after_the_end_says_so():
    """Nothing could complete it any more."""
    said, _ = lines(run("leaving", "too late"))
    assert said == ["The interpreter is exiting: no more calls can be made."]


def test_leaving_while_a_picture_is_prepared_is_clean():
    """Thread pools refuse work at that time."""
    said, _ = lines(run("leaving", "picture"))
    assert said in (["uploaded 10101"], ["uploaded 10102"])


def test_a_completion_that_exits_is_logged_and_the_process_continues():
    """sys.exit in a completion ends neither the callback thread nor the program."""
    finished = run("leaving", "raise in completion")
    assert finished.returncode == 0
    assert finished.stderr.startswith("The completion of mfaVerifyByOTP raised.\nTraceback")
    assert finished.stderr.count("SystemExit: 5") == 1


@pytest.mark.parametrize("way", ["interrupt", "interrupt a bounded wait"])
def test_ctrl_c_in_wait_cancels_the_call(way):
    """The completion gets 10102, wait() raises KeyboardInterrupt."""
    said, _ = lines(run("leaving", way))
    assert sorted(said) == ["completed 10102", "done True", "interrupted"]


@pytest.mark.parametrize("way", ["call in child", "shutdown in child", "leave at once"])
def test_a_forked_child_has_a_client_of_its_own(way):
    """What was pending completes in the parent only, whose loop continues."""
    require(hasattr(os, "fork"), "os.fork")
    finished = run("forking", way, PYTHONWARNINGS="ignore::DeprecationWarning")
    said, _ = lines(finished)
    in_child = ["child completed 200 True", "child waited True"] if way != "leave at once" else []
    assert said == [
        "child refused to wait",
        "child cancelled False",
        *in_child,
        "child ended 7",
        "parent completed 200 True",
        "parent waited True",
        "parent completed 200 True",
        "parent waited True",
    ]


def test_a_fork_inside_a_completion_completes_nothing_in_the_child():
    """The child is that very callback thread; it must not go on with the parent's work."""
    require(hasattr(os, "fork"), "os.fork")
    said, _ = lines(run("forking", "in completion", PYTHONWARNINGS="ignore::DeprecationWarning"))
    assert sorted(said) == ["child ended 0", "forked in child", "forked in parent", "parent completed 200 True"]
