"""Cancelling a call, waiting for a call, and owners.

A little over 300 lines: the three depend on each other, so their tests share the fixtures.
"""

import asyncio
import gc
import threading
import weakref

import pytest

from authing_mfa import UserInfo
from authing_mfa.compat import AuthClient, Authing
from authing_mfa.protocol import Answer
from tests.compat.conftest import PATIENCE, Heard

CANCELLED = (10102, "The call was cancelled.", None)


def test_a_cancelled_call_completes_with_10102_and_its_request_stops(service):
    """cancel() is true as long as the completion has not begun."""
    service.hold()
    heard = Heard()
    call = AuthClient().mfaCheck("1", None, heard)
    service.wait_for_request()
    assert call.cancel()
    assert heard.wait() == [CANCELLED]
    assert call.wait(PATIENCE)
    assert not call.cancel()
    Authing.shutdown(PATIENCE)
    assert service.cancelled == 1
    assert heard.calls == [CANCELLED]


def test_ctrl_c_in_the_middle_of_pythons_own_event_is_ctrl_c(service, monkeypatch):
    """While an Event takes its lock again, Ctrl-C makes Python release a lock that it does not have, and raise RuntimeError."""

    class Interrupted(threading.Event):
        def wait(self, timeout=None):
            try:
                raise KeyboardInterrupt
            finally:
                threading.Lock().release()

    service.hold()
    heard = Heard()
    call = AuthClient().mfaCheck("1", None, heard)
    service.wait_for_request()
    with monkeypatch.context() as patched:
        patched.setattr(threading, "Event", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            call.wait(PATIENCE)
    assert heard.wait() == [CANCELLED]


def test_a_call_cancelled_before_its_first_step_sends_nothing(service):
    """The loop's thread is kept busy until the cancel is in."""
    go_on, busy = threading.Event(), threading.Event()

    def block(function):
        busy.set()
        go_on.wait(PATIENCE)
        function()

    AuthClient().mfaCheck("blocker", None, Heard(), dispatcher=block)
    assert busy.wait(PATIENCE)
    heard = Heard()
    call = AuthClient().mfaCheck("1", None, heard)
    assert call.cancel()
    assert call.cancel()
    go_on.set()
    assert heard.wait() == [CANCELLED]
    assert [operation.phone for operation in service.seen] == ["blocker"]


def test_a_task_cancelled_before_its_first_step_leaves_nothing_behind(service):
    """A coroutine made for it beforehand would never be awaited, and Python would say so."""
    go_on, busy = threading.Event(), threading.Event()
    heard = Heard()

    def block(function):
        busy.set()
        go_on.wait(PATIENCE)
        function()

    AuthClient().mfaVerifyByOTP("", Heard(), dispatcher=block)
    assert busy.wait(PATIENCE)
    call = AuthClient().mfaCheck("1", None, heard)  # its task is made in one go with …
    AuthClient().mfaVerifyByOTP("", lambda *_: call.cancel(), dispatcher=lambda function: function())  # … this
    go_on.set()
    assert heard.wait() == [CANCELLED]
    Authing.shutdown(PATIENCE)
    gc.collect()
    assert service.seen == []


def test_an_answer_cancelled_before_the_completion_makes_no_user_current(service):
    """The completion gets 10102, so the user it would have brought is not current either."""
    service.answer = lambda operation: UserInfo(id="u1", id_token="t")
    functions: list = []
    arrived = threading.Event()

    def keep(function):
        functions.append(function)
        arrived.set()

    heard = Heard()
    call = AuthClient().mfaVerifyByOTP("123456", heard, dispatcher=keep)
    assert arrived.wait(PATIENCE)
    assert call.cancel()
    functions[0]()
    assert heard.calls == [CANCELLED]
    assert Authing.getCurrentUser() is None


def test_whoever_wins_the_race_between_answer_and_cancel_the_completion_runs_once(service):
    """cancel() returns true exactly if the completion got 10102."""
    heard = [Heard() for _ in range(200)]
    calls = []
    cancelled = []

    def make():
        calls.extend(AuthClient().mfaCheck("1", None, completion) for completion in heard)

    def cancel():
        for index in range(len(heard)):
            while len(calls) <= index:
                pass
            cancelled.append(calls[index].cancel())

    threads = [threading.Thread(target=make), threading.Thread(target=cancel)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert all(call.wait(PATIENCE) for call in calls)
    assert [len(each.calls) for each in heard] == [1] * len(heard)
    assert [each.calls[0][0] == 10102 for each in heard] == cancelled


def test_wait_says_whether_the_call_is_done(service):
    """False when the time is up; done only after the completion has returned."""
    service.hold()
    heard = Heard()
    call = AuthClient().mfaCheck("1", None, heard)
    assert not call.wait(0.01)
    assert not call.wait(0)
    assert not call.done
    service.wait_for_request()
    service.release()
    assert call.wait(PATIENCE)
    assert call.done
    assert call.wait()
    assert len(heard.calls) == 1


def test_wait_on_the_callback_thread_raises(service, errors):
    """Instead of waiting for itself for ever."""
    service.hold()
    other = AuthClient().mfaCheck("2", None, Heard())
    first = Heard(lambda *_: other.wait())
    AuthClient().mfaVerifyByOTP("", first)  # completes without a request
    first.wait()
    service.wait_for_request()
    service.release()
    assert other.wait(PATIENCE)
    [error] = errors
    assert isinstance(error, RuntimeError)
    assert "callback thread" in str(error)


def test_wait_on_the_loops_thread_raises(service, errors):
    """A dispatcher that runs completions at once runs them there."""
    first = Heard(lambda *_: AuthClient().mfaCheck("2", None, Heard()).wait())
    call = AuthClient().mfaCheck("1", None, first, dispatcher=lambda function: function())
    first.wait()
    assert call.wait(PATIENCE)
    [error] = errors
    assert isinstance(error, RuntimeError)
    assert "loop's thread" in str(error)


def test_wait_on_the_dispatchers_own_thread_raises(service):
    """A dispatcher that says it runs here would wait for this very thread."""

    class Here:
        def __init__(self):
            self.functions = []
            self.told = threading.Event()

        def __call__(self, function):
            self.functions.append(function)
            self.told.set()

        def runs_here(self):
            return True

    here = Here()
    call = AuthClient().mfaCheck("1", None, Heard(), dispatcher=here)
    with pytest.raises(RuntimeError, match="never end"):
        call.wait()
    assert here.told.wait(PATIENCE)
    here.functions[0]()
    assert call.done


class Window:
    """An owner, as a plain object."""

    def __init__(self):
        self.heard = Heard()

    def on_checked(self, *arguments):
        self.heard(*arguments)


def test_when_the_owner_is_gone_its_calls_are_cancelled_without_a_completion(service):
    """A bound method of the owner does not keep it alive."""
    service.hold()
    window = Window()
    heard, gone = window.heard, weakref.ref(window)
    call = AuthClient().mfaCheck("1", None, window.on_checked, owner=window)
    service.wait_for_request()
    del window
    gc.collect()
    assert gone() is None
    assert call.wait(PATIENCE)
    assert not call.cancel()
    Authing.shutdown(PATIENCE)
    assert service.cancelled == 1
    assert heard.calls == []


def test_an_owner_that_goes_before_the_completion_runs_gets_none(service):
    """The answer had arrived, and was on its way; its user does not become current."""
    service.answer = lambda operation: UserInfo(id="u1", id_token="t")
    functions: list = []
    arrived = threading.Event()

    def keep(function):
        functions.append(function)
        arrived.set()

    heard = Heard()
    window = Window()
    call = AuthClient().mfaVerifyByOTP("1", heard, dispatcher=keep, owner=window)
    assert arrived.wait(PATIENCE)
    del window
    gc.collect()
    functions[0]()
    assert call.wait(PATIENCE)
    assert heard.calls == []
    assert Authing.getCurrentUser() is None


def test_a_living_owner_gets_the_completion(service):
    """Also through a method that is held weakly."""
    window = Window()
    AuthClient().mfaCheck("1", None, window.on_checked, owner=window)
    assert window.heard.wait() == [(200, "fine", True)]


def test_an_owner_may_be_unhashable(service):
    """Anything that can be weakly referenced will do."""

    class Unhashable:
        __hash__ = None

    owner = Unhashable()
    heard = Heard()
    AuthClient().mfaCheck("1", None, heard, owner=owner)
    heard.wait()


def test_an_owner_that_cannot_be_weakly_referenced_is_refused(service):
    """Its end could not be noticed."""
    with pytest.raises(TypeError):
        AuthClient().mfaCheck("1", None, Heard(), owner="window")
    assert service.seen == []


def test_a_done_call_lets_go_of_what_it_held(service):
    """An application may keep its calls; the completion's window must not live on with them."""
    window = Window()
    gone = weakref.ref(window)
    call = AuthClient().mfaCheck("1", None, window.on_checked)
    window.heard.wait()
    assert call.wait(PATIENCE)
    del window
    gc.collect()
    assert gone() is None


def test_a_call_that_waits_on_an_unreferenced_future_is_not_collected(service, monkeypatch):
    """The event loop holds its tasks only weakly; a collected one would never complete."""
    waiting: list[weakref.ref[asyncio.Future[None]]] = []
    arrived = threading.Event()

    async def perform(operation, token):
        future = asyncio.get_running_loop().create_future()
        waiting.append(weakref.ref(future))
        arrived.set()
        await future
        return Answer("answered")

    monkeypatch.setattr(service, "perform", perform)
    heard = Heard()
    AuthClient().mfaCheck("1", None, heard)
    assert arrived.wait(PATIENCE)
    gc.collect()
    future = waiting[0]()
    assert future is not None
    future.get_loop().call_soon_threadsafe(future.set_result, None)
    assert heard.wait() == [(200, None, "answered")]
