"""Owners: the window or object that a call is made for. When an owner is gone, its calls are cancelled without a completion.

An owner is gone when it is garbage-collected or its widget is destroyed: a destroyed widget of Tk, Qt or wx stays an empty Python
object as long as anything refers to it. So the toolkit is asked too; a toolkit that the program does not use is not imported.
"""

from __future__ import annotations

import sys
import threading
import weakref
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Watch", "bind_destroy", "held_weakly", "is_gone", "watch"]


class Watch:
    """One owner that is watched for one call."""

    def __init__(self, owner: object, on_gone: Callable[[], None]) -> None:
        self.on_gone = on_gone
        weak_self = weakref.ref(self)

        def collected(_: object) -> None:
            living = weak_self()
            if living is not None:
                living.on_gone()

        self._owner = weakref.ref(owner, collected)

    @property
    def gone(self) -> bool:
        """True if the owner has been collected, or its widget destroyed. Read it on the widget's thread."""
        return is_gone(self._owner())


def watch(owner: object, on_gone: Callable[[], None]) -> Watch:
    """Watch *owner* as long as the result lives.

    Args:
        owner: any object that can be weakly referenced; a widget of Tk or Qt is also gone once it is destroyed.
        on_gone: called when the owner is gone, at any moment, on any thread; at once if it is gone already.

    Raises:
        TypeError: the owner cannot be weakly referenced.
    """
    watched = Watch(owner, on_gone)
    if is_gone(owner):
        on_gone()
    else:
        watches = _watches_of(owner)
        if watches is not None:
            watches.add(watched)
    return watched


def held_weakly(completion: Callable[..., Any], owner: object) -> Callable[..., Any] | weakref.WeakMethod[Any]:
    """Return *completion*. A method of the owner becomes a weak reference: else it would keep the owner alive until the call ends."""
    if getattr(completion, "__self__", None) is owner and hasattr(completion, "__func__"):
        return weakref.WeakMethod(completion)
    return completion


def is_gone(owner: Any) -> bool:
    """Return True if *owner* has been collected, or its widget destroyed. Call it on the widget's thread."""
    if owner is None:
        return True
    try:
        return _is_deleted(owner)
    except Exception:  # noqa: BLE001 - a toolkit that fails to say whether a widget exists has ended itself
        return True


def _is_deleted(owner: Any) -> bool:
    if _is_a(owner, "tkinter", "Misc"):
        # Tk must not be used from another thread; its <Destroy> event has reported the end.
        return threading.current_thread() is threading.main_thread() and not owner.winfo_exists()
    if _is_a(owner, "PySide6.QtCore", "QObject"):
        import shiboken6

        return not shiboken6.isValid(owner)
    if _is_a(owner, "PyQt6.QtCore", "QObject"):
        from PyQt6 import sip

        return bool(sip.isdeleted(owner))
    if _is_a(owner, "wx", "Object"):
        return not owner  # wx: false once its window is deleted
    return False


def _is_a(value: object, module: str, name: str) -> bool:
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


_watched: weakref.WeakKeyDictionary[Any, weakref.WeakSet[Watch]] = weakref.WeakKeyDictionary()


def _watches_of(owner: Any) -> weakref.WeakSet[Watch] | None:
    """Return the watches of a widget, which end when its toolkit destroys it, or None if the toolkit does not report that."""
    watches: weakref.WeakSet[Watch] = weakref.WeakSet()

    def destroyed(*_: object) -> None:
        for each in list(watches):
            each.on_gone()

    try:
        known = _watched.get(owner)
        if known is not None:
            return known
        if _is_a(owner, "tkinter", "Misc"):
            if threading.current_thread() is not threading.main_thread():
                return None  # Tk must not be used on this thread; the owner is checked again before the completion
            bind_destroy(owner, destroyed)
        elif _is_a(owner, "PySide6.QtCore", "QObject") or _is_a(owner, "PyQt6.QtCore", "QObject"):
            owner.destroyed.connect(destroyed)
        else:
            return None
        _watched[owner] = watches
    except TypeError:  # the owner is not hashable: only its garbage collection is noticed
        return None
    return watches


def bind_destroy(widget: Any, destroyed: Callable[[], None]) -> None:
    """Call *destroyed* when the Tk widget is destroyed.

    It has a binding tag for this: `widget.bind` would share the widget's own tag, where a later `bind` of the program replaces it.
    """
    tag = f"authing-mfa-{next(_numbers)}"
    root = widget.nametowidget(".")

    def on_destroy(_: object) -> None:
        root.unbind_class(tag, "<Destroy>")
        root.deletecommand(command)  # else it, and the owner's watches, would stay as long as the root window
        destroyed()

    command = root.bind_class(tag, "<Destroy>", on_destroy)
    widget.bindtags((tag, *widget.bindtags()))


_numbers = count()
