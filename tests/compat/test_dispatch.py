"""The dispatchers of GTK and wx, against stand-ins that behave as those toolkits do: neither can be installed everywhere."""

import logging
import sys
import threading
import types
from collections import deque

import pytest

from authing_mfa.compat import AuthClient, Authing, dispatch
from tests.compat.conftest import PATIENCE, Heard


class MainLoop:
    """GLib's main loop, as far as idle_add goes: what returns a true value is called again, for ever."""

    PRIORITY_DEFAULT = 0
    PRIORITY_DEFAULT_IDLE = 200

    def __init__(self):
        self.sources = deque()
        self.arrived = threading.Semaphore(0)
        self.rounds = 0

    def idle_add(self, function, *arguments, priority=PRIORITY_DEFAULT_IDLE):
        self.sources.append((function, arguments, priority))
        self.arrived.release()

    def iterate(self, at_most):
        """Run until nothing is left, or *at_most* rounds."""
        assert self.arrived.acquire(timeout=PATIENCE)
        while self.sources and self.rounds < at_most:
            self.rounds += 1
            source = self.sources.popleft()
            function, arguments, _ = source
            if function(*arguments):
                self.sources.append(source)


@pytest.fixture
def glib(monkeypatch):
    """`gi.repository.GLib`."""
    loop = MainLoop()
    repository = types.ModuleType("gi.repository")
    repository.GLib = loop
    monkeypatch.setitem(sys.modules, "gi", types.ModuleType("gi"))
    monkeypatch.setitem(sys.modules, "gi.repository", repository)
    return loop


class Wx(types.ModuleType):
    """wx, as far as CallAfter goes: it needs an application, and hands arguments through."""

    class Object:
        def __init__(self):
            self.alive = True

        def __bool__(self):
            return self.alive

    def __init__(self):
        super().__init__("wx")
        self.app = object()
        self.due = deque()
        self.arrived = threading.Semaphore(0)

    def GetApp(self):  # noqa: N802 - wx's name
        return self.app

    def CallAfter(self, function, *arguments):  # noqa: N802 - wx's name
        assert self.app is not None, "No wx.App created yet"
        self.due.append((function, arguments))
        self.arrived.release()

    def iterate(self):
        assert self.arrived.acquire(timeout=PATIENCE)
        function, arguments = self.due.popleft()
        function(*arguments)


@pytest.fixture
def wx(monkeypatch):
    module = Wx()
    monkeypatch.setitem(sys.modules, "wx", module)
    return module


def test_gtk_runs_a_completion_once_whatever_it_returns(service, glib):
    """GLib would call a function that returns a true value for ever."""
    seen = []

    def completion(*arguments):
        seen.append(arguments)
        return True

    Authing.setDispatcher(dispatch.gtk())
    call = AuthClient().mfaCheck("1", None, completion)
    with pytest.raises(RuntimeError, match="never end"):
        call.wait()
    glib.iterate(at_most=5)
    assert seen == [(200, "fine", True)]
    assert glib.rounds == 1


def test_gtk_is_not_starved_by_redraws(service, glib):
    """At the idle priority, a window that always has something to draw would keep completions waiting."""
    AuthClient().mfaCheck("1", None, Heard(), dispatcher=dispatch.gtk())
    assert glib.arrived.acquire(timeout=PATIENCE)
    assert [priority for *_, priority in glib.sources] == [MainLoop.PRIORITY_DEFAULT]


def test_gtk_survives_a_function_that_raises(glib, caplog):
    """Nothing reaches the main loop."""

    def explode():
        raise SystemExit(1)

    dispatch.gtk()(explode)
    with caplog.at_level(logging.ERROR, "authing_mfa.compat"):
        glib.iterate(at_most=5)
    assert [record.message for record in caplog.records] == ["A dispatched function raised."]


def test_wx_runs_completions_by_call_after(service, wx):
    """On wx's thread."""
    heard = Heard()
    call = AuthClient().mfaCheck("1", None, heard, dispatcher=dispatch.wx())
    with pytest.raises(RuntimeError, match="never end"):
        call.wait()
    wx.iterate()
    assert heard.calls == [(200, "fine", True)]
    assert call.done


def test_wx_whose_application_has_ended_falls_back_to_the_callback_thread(service, wx, errors):
    """CallAfter would raise."""
    deliver = dispatch.wx()
    wx.app = None
    heard = Heard()
    AuthClient().mfaCheck("1", None, heard, dispatcher=deliver)
    heard.wait()
    assert heard.threads[0].name == "authing-mfa-callbacks"
    assert errors == []
    with pytest.raises(RuntimeError, match=r"wx\.App"):
        dispatch.wx()


def test_a_deleted_wx_window_is_no_owner_any_more(service, wx):
    """Its Python object lives on, and is false."""
    window = wx.Object()
    heard = Heard()
    call = AuthClient().mfaCheck("1", None, heard, dispatcher=dispatch.wx(), owner=window)
    window.alive = False
    wx.iterate()
    assert call.done
    assert heard.calls == []


@pytest.mark.parametrize("name", ["gtk", "wx", "qt"])
def test_a_toolkit_that_is_not_installed_says_so(monkeypatch, name):
    """An ImportError, at the line that asks for it."""
    for module in ("gi.repository", "wx", "PySide6", "PyQt6"):
        monkeypatch.setitem(sys.modules, module, None)
    for module in ("PySide6.QtCore", "PyQt6.QtCore"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(ImportError):
        getattr(dispatch, name)()
