"""Owners: the window or object a call is made for. When it is gone, its calls are cancelled and nobody is told.

"Gone" is more than garbage-collected: a destroyed widget of Tk, Qt or wx lives on as an empty Python object as long as
anything refers to it. So the toolkit is asked too, without importing any toolkit that is not already in use.
"""

from __future__ import annotations

import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from authing_mfa.compat.call import Call

__all__ = ["attach", "is_gone"]

_watched: weakref.WeakKeyDictionary[Any, weakref.WeakSet[Call]] = weakref.WeakKeyDictionary()


def attach(call: Call, owner: object, drop: Callable[[Call], None]) -> None:
    """Tie *call* to *owner*; *drop* is told when the owner goes. It must be safe on any thread, at any moment.

    A completion that is a method of the owner is held weakly, or it would keep the owner alive until the call ends.

    Raises:
        TypeError: the owner cannot be weakly referenced.
    """
    weak_call = weakref.ref(call)

    def collected(_: object) -> None:
        living = weak_call()
        if living is not None:
            drop(living)

    call.owner = weakref.ref(owner, collected)
    completion = call.completion
    if getattr(completion, "__self__", None) is owner and hasattr(completion, "__func__"):
        call.completion = weakref.WeakMethod(completion)
    if is_gone(owner):
        call.dropped = True
        return
    calls = _calls_of(owner, drop)
    if calls is not None:
        calls.add(call)


def is_gone(owner: Any) -> bool:
    """Whether *owner* has been collected, or its widget destroyed. Ask on the thread that the widget belongs to."""
    if owner is None:
        return True
    try:
        return _is_deleted(owner)
    except Exception:  # noqa: BLE001 - a toolkit that fails to say whether a widget lives has ended itself
        return True


def _is_deleted(owner: Any) -> bool:
    if _is_a(owner, "tkinter", "Misc"):
        # Tk must not be asked from another thread; its <Destroy> event has told us.
        return threading.current_thread() is threading.main_thread() and not owner.winfo_exists()
    if _is_a(owner, "PySide6.QtCore", "QObject"):
        import shiboken6

        return not shiboken6.isValid(owner)
    if _is_a(owner, "PyQt6.QtCore", "QObject"):
        from PyQt6 import sip

        return bool(sip.isdeleted(owner))
    if _is_a(owner, "wx", "Object"):
        return not owner  # wx: false once the window behind it is deleted
    return False


def _is_a(value: object, module: str, name: str) -> bool:
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _calls_of(owner: Any, drop: Callable[[Call], None]) -> weakref.WeakSet[Call] | None:
    """The living calls of a widget, which are dropped when its toolkit destroys it. None: its toolkit does not say when."""
    calls: weakref.WeakSet[Call] = weakref.WeakSet()

    def destroyed(*_: object) -> None:
        for call in list(calls):
            drop(call)

    try:
        known = _watched.get(owner)
        if known is not None:
            return known
        if _is_a(owner, "tkinter", "Misc"):
            if threading.current_thread() is not threading.main_thread():
                return None  # Tk must not be spoken to from here; the owner is looked at again before the completion
            _bind_destroy(owner, destroyed)
        elif _is_a(owner, "PySide6.QtCore", "QObject") or _is_a(owner, "PyQt6.QtCore", "QObject"):
            owner.destroyed.connect(destroyed)
        else:
            return None
        _watched[owner] = calls
    except TypeError:  # an owner that is not hashable: only its collection is seen
        return None
    return calls


def _bind_destroy(widget: Any, destroyed: Callable[[], None]) -> None:
    path = str(widget)

    def on_destroy(event: Any) -> None:
        if str(event.widget) == path:  # a window is also told of its children's end
            destroyed()

    widget.bind("<Destroy>", on_destroy, "+")
