"""A plugin of coverage (pyproject.toml names it): a measured process loses no Ctrl-C, and does not hang when two threads end together.

coverage tells greenlets apart, because SQLAlchemy runs in some, and finds them in a `WeakKeyDictionary`, whose functions are Python's.

* A lookup that fails is taken for a new greenlet. If Ctrl-C comes during the lookup, its KeyboardInterrupt is such a failure.
* When a thread ends, greenlet frees the thread's own greenlet on the main thread, in a pending call, and the dictionary's callback
  runs there. If another thread ends meanwhile, there is another pending call. Before its first line a traced function lets pending
  calls run; this one may not, because it would run inside another; Python 3.11 then starts at the first line again, for ever.

So each tracer gets a dict, which keeps the greenlets and runs no Python. When a thread ends, greenlet would look through all
objects of the process to find what keeps the thread's greenlet. That made the tests three times as slow, so it is switched off.
"""

from __future__ import annotations

import sys
import threading
import weakref
from typing import Any
from weakref import WeakKeyDictionary

from coverage.collector import Collector

ONE_AT_A_TIME = threading.Lock()
COLLECTOR: Any = Collector
START_TRACER = COLLECTOR._start_tracer


def coverage_init(_registry: Any, _options: Any) -> None:
    """Called by coverage before it measures; with pytest-cov more than once in a process."""
    try:
        from greenlet import _greenlet
    except ImportError:  # coverage says so itself, where it needs it
        return
    _greenlet.enable_optional_cleanup(False)
    COLLECTOR._start_tracer = start_tracer_with_dict


def start_tracer_with_dict(collector: Any) -> Any:
    """Start a tracer, and let it make its dictionary at once."""
    weak: Any = weakref
    with ONE_AT_A_TIME:
        weak.WeakKeyDictionary = dict
        try:
            trace = START_TRACER(collector)
            for event in ("call", "return"):  # the dictionary is made at the first call
                trace(sys._getframe(), event, None)
            return trace
        finally:
            weak.WeakKeyDictionary = WeakKeyDictionary
