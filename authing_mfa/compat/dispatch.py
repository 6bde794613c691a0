"""Dispatchers run the completions, each in the way that its toolkit requires.

A dispatcher is any function that takes a function and calls it once, later, on the dispatcher's thread. The dispatchers here
also say whether the running thread is that thread (`runs_here`), so that `Call.wait()` can refuse to wait for itself and
`Authing.shutdown()` can complete calls whose thread it is blocking. Your own dispatcher may have a `runs_here()` too.

    Authing.setDispatcher(dispatch.tk(root))          # for all calls
    AuthClient().mfaCheck(…, dispatcher=dispatch.qt())  # for one
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

from authing_mfa._log_lines import log_error
from authing_mfa.compat.owner import bind_destroy

if TYPE_CHECKING:
    from tkinter import Misc

__all__ = ["Dispatcher", "ReceiverGoneError", "asyncio_loop", "gtk", "qt", "runs_here", "tk", "wx"]

Dispatcher: TypeAlias = Callable[[Callable[[], None]], Any]

_log = logging.getLogger("authing_mfa.compat")


class ReceiverGoneError(RuntimeError):
    """The window or loop of a dispatcher has ended. Completions then run on the callback thread."""


def runs_here(dispatcher: Dispatcher) -> bool:
    """Return True if *dispatcher* says that it runs completions on the running thread."""
    says = getattr(dispatcher, "runs_here", None)
    return bool(says()) if callable(says) else False


def _guarded(function: Callable[[], None]) -> None:
    """Run *function*; log what it raises and return None.

    An error in a slot ends a PyQt6 program, SystemExit in a slot ends any program; GLib repeats a function that returns a true value.
    Completions report their own errors, so this is for other functions.
    """
    try:
        function()
    except BaseException as error:  # noqa: BLE001 - no error may reach the toolkit
        log_error(_log, "A dispatched function raised.", error=error)


class _Threaded:
    """A dispatcher that knows its thread: the thread that made it, or the first thread on which it runs."""

    def __init__(self, thread: int | None) -> None:
        self._thread = thread

    def runs_here(self) -> bool:
        """Return True if the running thread is the one this dispatcher delivers to."""
        return self._thread == threading.get_ident()

    def _run(self, function: Callable[[], None]) -> None:
        self._thread = threading.get_ident()
        _guarded(function)


class _Tk(_Threaded):
    """A queue that the window's thread empties: no other thread may call Tk."""

    def __init__(self, root: Misc, interval: int) -> None:
        super().__init__(threading.get_ident())
        self._root = root
        self._interval = interval
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._gone = False
        bind_destroy(root, self._destroyed)
        self._timer = root.after(interval, self._pump)

    def __call__(self, function: Callable[[], None]) -> None:
        self._queue.put(function)
        if self._gone:  # checked after the item is added: the end of the window runs the items that were added before
            raise ReceiverGoneError("The Tk window in which completions run is closed.")

    def runs_here(self) -> bool:
        """Return True if this is the window's thread, as long as there is a window."""
        return not self._gone and super().runs_here()

    def _pump(self) -> None:
        # The next round is scheduled first: a completion may open a dialog that runs its own event loop.
        self._timer = self._root.after(self._interval, self._pump)
        for _ in range(self._queue.qsize()):  # items that are added meanwhile run in the next round, after a redraw
            if self._queue.empty():  # a completion that opened a dialog let another round run inside this one
                return
            self._run(self._queue.get_nowait())

    def _destroyed(self) -> None:
        self._gone = True
        self._root.after_cancel(self._timer)
        while not self._queue.empty():
            self._run(self._queue.get_nowait())


def tk(root: Misc, *, interval: int = 10) -> Dispatcher:
    """Run completions in Tk's main loop. Call this on Tk's thread.

    Args:
        root: the window; its destruction ends the dispatcher.
        interval: milliseconds between two reads of the queue.

    Returns:
        The dispatcher.
    """
    return _Tk(root, interval)


def qt() -> Dispatcher:
    """Run completions in Qt's event loop (PySide6 or PyQt6, whichever the program uses). Any thread may call this function.

    It uses a signal that is queued to an object on the application's thread: `QTimer.singleShot` never fires on a thread
    without a Qt event loop, and reports no error.

    Raises:
        RuntimeError: there is no QApplication yet.
        ImportError: neither binding is installed.
    """
    core, signal, slot = _qt_binding()
    if core.QCoreApplication.instance() is None:
        raise RuntimeError("Make the QApplication first, then the dispatcher.")
    return _Qt(core, signal, slot)


class _Qt(_Threaded):
    def __init__(self, core: Any, signal: Any, slot: Any) -> None:
        home = core.QCoreApplication.instance().thread()
        super().__init__(threading.get_ident() if core.QThread.currentThread() == home else None)
        self._core = core

        def run(_: object, function: Callable[[], None]) -> None:
            self._run(function)

        # The base class belongs to the binding in use, so the class is made here.
        bridge = type("Bridge", (core.QObject,), {"posted": signal(object), "run": slot(object)(run)})
        self._bridge: Any = bridge()
        self._bridge.moveToThread(home)
        self._bridge.posted.connect(self._bridge.run, core.Qt.ConnectionType.QueuedConnection)

    def __call__(self, function: Callable[[], None]) -> None:
        try:
            if self._core.QCoreApplication.instance() is not None:
                self._bridge.posted.emit(function)
                return
        except RuntimeError:  # Qt has deleted the bridge's object
            pass
        raise ReceiverGoneError("The Qt application in which completions run has ended.")


def _qt_binding() -> tuple[Any, Any, Any]:
    """Return QtCore of the binding in use, else of the installed binding, and its names for signal and slot."""
    if "PyQt6.QtCore" not in sys.modules:
        try:
            from PySide6 import QtCore as Side
        except ImportError:
            pass
        else:
            return Side, Side.Signal, Side.Slot
    from PyQt6 import QtCore as Riverbank

    return Riverbank, Riverbank.pyqtSignal, Riverbank.pyqtSlot


class _Gtk(_Threaded):
    def __init__(self, glib: Any) -> None:
        super().__init__(threading.get_ident())
        self._glib = glib

    def __call__(self, function: Callable[[], None]) -> None:
        # At the default priority: at idle priority, a window that keeps redrawing would delay the completions for ever.
        self._glib.idle_add(self._once, function, priority=self._glib.PRIORITY_DEFAULT)

    def _once(self, function: Callable[[], None]) -> bool:
        self._run(function)
        return False  # GLib repeats a function that returns a true value, for ever


def gtk() -> Dispatcher:
    """Run completions in GLib's main loop (GTK 3 and 4, PyGObject). Call this on the main loop's thread.

    Raises:
        ImportError: PyGObject is not installed.
    """
    from gi.repository import GLib

    return _Gtk(GLib)


class _Wx(_Threaded):
    def __init__(self, module: Any) -> None:
        super().__init__(threading.get_ident())
        self._wx = module

    def __call__(self, function: Callable[[], None]) -> None:
        if self._wx.GetApp() is None:
            raise ReceiverGoneError("The wx application in which completions run has ended.")
        self._wx.CallAfter(self._run, function)


def wx() -> Dispatcher:
    """Run completions in wxPython's main loop. Call this on its thread, once there is a `wx.App`.

    Raises:
        RuntimeError: there is no `wx.App` yet.
        ImportError: wxPython is not installed.
    """
    import wx as module

    if module.GetApp() is None:
        raise RuntimeError("Make the wx.App first, then the dispatcher.")
    return _Wx(module)


class _AsyncioLoop:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def __call__(self, function: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(_guarded, function)
        except RuntimeError as error:  # closed
            raise ReceiverGoneError("The event loop on which completions run is closed.") from error

    def runs_here(self) -> bool:
        """Return True if the event loop runs on this thread."""
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False


def asyncio_loop(loop: asyncio.AbstractEventLoop | None = None) -> Dispatcher:
    """Run completions on your own event loop.

    Args:
        loop: the event loop; None: the loop that is running on this thread.

    Raises:
        RuntimeError: no *loop* is given and none is running.
    """
    return _AsyncioLoop(asyncio.get_running_loop() if loop is None else loop)
