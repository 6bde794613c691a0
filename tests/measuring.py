"""A plugin of coverage (pyproject.toml names it): a measured process does not hang when two of its threads end together.

Only Python 3.11 needs it, and only while coverage measures. coverage tells greenlets apart (SQLAlchemy runs in some) and notes
each in a `WeakKeyDictionary`, whose callback is a Python function. When a thread ends, greenlet frees the thread's own greenlet on
the main thread, in a pending call, and the callback runs there. If another thread ends meanwhile, there is another pending call.
Before its first line a traced function lets pending calls run; this one may not, because it would run inside another; Python 3.11
then starts at the first line again, for ever. Python 3.12 goes on.

So each thread's greenlet is kept here, and no callback runs. When a thread ends, greenlet would look through all objects of the
process for what keeps its greenlet; that made the tests three times as slow, so it is told not to.
"""

from __future__ import annotations

import threading
from typing import Any

KEPT: list[Any] = []  # a few bytes for each thread, until the process ends


def coverage_init(_registry: Any, _options: Any) -> None:
    """Called by coverage before it measures."""
    try:
        from greenlet import _greenlet, getcurrent
    except ImportError:  # coverage says so itself, where it needs it
        return
    _greenlet.enable_optional_cleanup(False)
    thread: Any = threading.Thread
    bootstrap = thread._bootstrap

    def keep_greenlet(self: threading.Thread) -> None:
        KEPT.append(getcurrent())
        bootstrap(self)

    thread._bootstrap = keep_greenlet
