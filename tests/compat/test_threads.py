"""The two threads under the callback layer, by themselves."""

import asyncio
import inspect
import threading

import pytest

from authing_mfa._threads import BackgroundLoop, CallbackThread, own_thread, run
from tests.compat.conftest import PATIENCE


async def nothing():
    """A finish that has nothing to do."""


def test_items_arrive_in_order_however_many_there_are():
    """One wake-up takes a bounded number, and the next continues after them."""
    busy, go_on, got = threading.Event(), threading.Event(), []

    def receive(item):
        if item == 0:
            busy.set()
            go_on.wait(PATIENCE)
        got.append(item)

    thread = BackgroundLoop(receive, nothing)
    thread.post(0)
    assert busy.wait(PATIENCE)
    for item in range(1, 1000):
        thread.post(item)
    go_on.set()
    thread.stop()
    assert thread.join(PATIENCE)
    assert got == list(range(1000))


def test_many_posts_wake_the_loop_once():
    """While it has not looked, one wake-up is on its way."""
    busy, go_on, wakes = threading.Event(), threading.Event(), []

    def receive(item):
        busy.set()
        go_on.wait(PATIENCE)

    thread = BackgroundLoop(receive, nothing)
    wake = thread.loop.call_soon_threadsafe
    thread.loop.call_soon_threadsafe = lambda *a, **k: (wakes.append(1), wake(*a, **k))  # type: ignore[assignment]  # counted
    thread.post(0)
    assert busy.wait(PATIENCE)
    for item in range(100):
        thread.post(item)
    go_on.set()
    thread.stop()
    assert thread.join(PATIENCE)
    assert len(wakes) <= 3


def test_ctrl_c_while_the_loop_is_woken_does_not_silence_it(monkeypatch):
    """The item that was posted arrives, and so does every later one."""
    got, arrived = [], threading.Event()

    def receive(item):
        got.append(item)
        arrived.set()

    thread = BackgroundLoop(receive, nothing)

    def interrupted(*_, **__):
        monkeypatch.undo()  # Ctrl-C comes once
        raise KeyboardInterrupt

    monkeypatch.setattr(thread.loop, "call_soon_threadsafe", interrupted)  # as Ctrl-C in it
    with pytest.raises(KeyboardInterrupt):
        thread.post(1)
    assert arrived.wait(PATIENCE)
    thread.post(2)
    thread.stop()
    assert thread.join(PATIENCE)
    assert got == [1, 2]


def test_a_post_after_the_end_is_lost_without_a_word():
    """finish was the last to look; weakref callbacks may come at any time."""
    thread = BackgroundLoop(lambda item: None, nothing)
    thread.stop()
    assert thread.join(PATIENCE)
    thread.post(1)
    thread.stop()


def test_a_loop_whose_thread_cannot_be_had_is_closed(monkeypatch):
    """Nothing is left behind that would warn."""
    made = []

    def refuse(self):
        made.append(self)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError):
        BackgroundLoop(lambda item: None, nothing)
    assert len(made) == 1


def test_each_thread_knows_what_it_is_and_never_joins_itself():
    """Which is how waiting on it for itself is refused."""
    told = []

    callbacks = CallbackThread(lambda item: told.append((own_thread(), callbacks.join(0))))
    callbacks.put([1])
    callbacks.stop()
    assert callbacks.join(PATIENCE)
    loop = BackgroundLoop(lambda item: told.append((own_thread(), loop.join(0))), nothing)
    loop.post(1)
    loop.stop()
    assert loop.join(PATIENCE)
    assert told == [("the callback thread", False), ("the loop's thread", False)]
    assert own_thread() is None


def test_ctrl_c_before_the_first_step_closes_what_was_to_run(monkeypatch):
    """Else Python says on stderr that it was never awaited."""
    made = []

    def make():
        made.append(nothing())
        return made[0]

    def interrupted(runner, coroutine):
        raise KeyboardInterrupt

    monkeypatch.setattr(asyncio.Runner, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(make)
    assert inspect.getcoroutinestate(made[0]) == inspect.CORO_CLOSED
