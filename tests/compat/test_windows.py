"""The example windows and the toolkits' dispatchers, each in its own process: a toolkit may crash its process."""

import os
import subprocess

import pytest

from tests.compat.process import run
from tests.needs import require_module, require_program


@pytest.fixture(scope="module")
def display():
    """An X display: the one there is, or an Xvfb of our own."""
    if os.environ.get("DISPLAY"):
        yield os.environ["DISPLAY"]
        return
    xvfb = require_program("Xvfb")
    read, write = os.pipe()
    server = subprocess.Popen(
        [xvfb, "-displayfd", str(write), "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as number:
        name = number.readline().strip()
    assert name, "Xvfb did not start"
    try:
        yield f":{name}"
    finally:
        server.terminate()
        server.wait()


def tk(display, way, *arguments):
    require_module("tkinter")
    return check(run("tk_window", way, *arguments, DISPLAY=display))


def qt(way, *arguments, platform="offscreen", **environment):
    require_module("PySide6.QtWidgets")
    return check(run("qt_window", way, *arguments, QT_QPA_PLATFORM=platform, **environment))


def check(finished):
    noise = ("This plugin does not support propagateSizeHints()", "qt.qpa.", "QStandardPaths: ")
    errors = [line for line in finished.stderr.splitlines() if not line.startswith(noise)]
    assert errors == []
    assert finished.returncode == 0
    return finished.stdout.splitlines()


def test_the_tk_window_goes_through_every_factor(display):
    """Typed and clicked, in both languages, against the emulator."""
    assert tk(display, "journey") == []


@pytest.mark.soak
def test_the_tk_window_signs_in_at_a_running_emulator(display):
    """With the emulator's address alone."""
    assert tk(display, "running emulator") == []


def test_the_tk_window_lives_on_while_a_call_runs(display):
    """Its own timers go on; its buttons rest."""
    assert tk(display, "alive") == ["ticks 20"]


def test_closing_the_tk_window_mid_call_is_clean(display):
    """The call ends, no completion runs, nothing is printed."""
    assert tk(display, "close") == ["done True"]


def test_the_tk_window_stays_open_while_a_recovery_code_would_be_lost(display):
    """It says why, and closes once the code is saved."""
    assert tk(display, "close with a recovery code") == ["closed"]


@pytest.mark.soak
def test_the_tk_example_starts_as_a_program(display):
    """And ends when its window is closed."""
    assert tk(display, "main") == []


def test_tk_completions_run_in_its_main_loop(display):
    """After the window is gone, on the callback thread: exactly once holds."""
    assert tk(display, "dispatcher") == [
        "refused to wait",
        "[(10100, True), (10100, True), (10100, True)]",
        "late 10100 authing-mfa-callbacks",
        "waited True",
    ]


@pytest.mark.parametrize("way", ["shutdown before mainloop", "exit before mainloop"])
def test_tk_completions_whose_loop_does_not_run_complete_at_the_end(display, way):
    """On Tk's thread, which ends the window."""
    assert tk(display, way) in (["10100 True"], ["10102 True"])


def test_a_destroyed_tk_widget_is_no_owner_any_more(display):
    """Though its Python object lives on. A child's destruction does not count."""
    assert tk(display, "owner destroyed") == [
        "False False",
        "True 0",
        "True True",
        "late True",
        "late True",
        "other True",
    ]


@pytest.fixture(params=["offscreen", pytest.param("xcb", marks=pytest.mark.soak)])
def platform(request):
    """Qt without a display, and on a real X server."""
    if request.param == "xcb":
        return {"platform": "xcb", "DISPLAY": request.getfixturevalue("display")}
    return {"platform": "offscreen"}


def test_the_qt_window_goes_through_every_factor(platform):
    """Typed and clicked, in both languages, against the emulator."""
    assert qt("journey", **platform) == []


@pytest.mark.soak
def test_the_qt_window_signs_in_at_a_running_emulator(platform):
    """With the emulator's address alone."""
    assert qt("running emulator", **platform) == []


def test_the_qt_window_lives_on_while_a_call_runs(platform):
    """Its own timers go on; its buttons rest."""
    assert qt("alive", **platform) == ["ticks 20"]


def test_closing_the_qt_window_mid_call_is_clean(platform):
    """The call ends, no completion runs, nothing is printed."""
    assert qt("close", **platform) == ["done True"]


def test_the_qt_window_stays_open_while_a_recovery_code_would_be_lost(platform):
    """It says why, and closes once the code is saved."""
    assert qt("close with a recovery code", **platform) == ["closed"]


@pytest.mark.soak
def test_closing_the_qt_window_mid_call_and_leaving_is_clean():
    """No loop runs any more that could deliver to Qt's objects."""
    assert qt("close and leave") == []


@pytest.mark.soak
def test_the_qt_example_starts_as_a_program():
    """And ends when its window is closed."""
    assert qt("main") == []


def test_qt_completions_run_in_its_event_loop():
    """A timer started on the loop's thread would never fire."""
    assert qt("dispatcher") == ["refused to wait", "[(10100, True), (10100, True), (10100, True)]"]


def test_a_qt_dispatcher_may_be_made_on_another_thread():
    """It moves to the application's, and learns which that is."""
    assert qt("made elsewhere") == ["here False", "told True", "here True"]


def test_what_a_dispatched_function_raises_does_not_reach_qt():
    """PyQt6 would end the process, SystemExit any binding's."""
    finished = run("qt_window", "raising", QT_QPA_PLATFORM="offscreen")
    assert finished.returncode == 0
    assert finished.stdout == "still here\n"
    assert finished.stderr.count("SystemExit: 3") == 1


def test_qt_completions_whose_loop_does_not_run_complete_at_exit():
    """On Qt's thread, once."""
    assert qt("exit without a loop") in (["10100 True"], ["10102 True"])


@pytest.mark.parametrize("way", ["owner destroyed", "owner collected"])
def test_a_deleted_qt_object_is_no_owner_any_more(way):
    """Whether Qt deleted it or Python collected it."""
    assert qt(way) == ["dropped"]


@pytest.mark.soak
def test_qt_without_an_application_says_so():
    """Instead of losing every completion."""
    assert qt("no application") == ["Make the QApplication first, then the dispatcher."]


def test_pyqt6_is_spoken_to_by_its_own_names():
    """Signal, slot and the question whether an object is deleted are called otherwise."""
    assert qt("as PyQt6") == ["['told']"]


def test_qt_completions_run_on_the_callback_thread_when_their_bridge_is_deleted():
    """Exactly once holds."""
    assert qt("bridge deleted") == ["['authing-mfa-callbacks']"]
