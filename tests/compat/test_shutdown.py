"""Settings, start, shutdown."""

import queue
import threading

import pytest

from authing_mfa import InvalidInputError
from authing_mfa.compat import AuthClient, Authing
from authing_mfa.compat.state import STATE
from tests.compat.conftest import PATIENCE, FakeClient, Heard, set_during_shutdown


def test_shutdown_completes_what_is_pending_with_10102(service):
    """Whether its request was sent, or its answer waits behind a slow completion."""
    go_on = threading.Event()
    slow = Heard(lambda *_: go_on.wait(PATIENCE))
    AuthClient().mfaCheck("1", None, slow)
    service.wait_for_request()
    slow.wait_begun()
    queued = Heard()
    AuthClient().mfaCheck("2", None, queued)
    service.wait_for_request()
    service.hold()
    pending = Heard()
    call = AuthClient().mfaCheck("3", None, pending)
    service.wait_for_request()
    set_during_shutdown(go_on)
    Authing.shutdown(PATIENCE)
    assert slow.calls == [(200, "fine", True)]
    assert [code for code, *_ in queued.calls + pending.calls] == [10102, 10102]
    assert call.done
    assert all(client.closed for client in service.clients)


def test_shutdown_completes_the_rest_although_one_completion_is_stuck(service):
    """Within its timeout, on another thread."""
    go_on = threading.Event()
    stuck = Heard(lambda *_: go_on.wait(PATIENCE))
    AuthClient().mfaCheck("1", None, stuck)
    service.wait_for_request()
    stuck.wait_begun()
    rest = [Heard(), Heard()]
    for heard in rest:
        AuthClient().mfaCheck("2", None, heard)
        service.wait_for_request()
    Authing.shutdown(0.3)
    go_on.set()
    assert [heard.wait()[0][0] for heard in rest] == [10102, 10102]
    assert stuck.wait() == [(200, "fine", True)]


def test_start_again_works(service):
    """Between the two, calls get 10002."""
    Authing.shutdown(PATIENCE)
    Authing.shutdown(PATIENCE)
    heard = Heard()
    AuthClient().mfaCheck("1", None, heard)
    assert heard.wait()[0][0] == 10002
    Authing.start("APP")
    AuthClient().mfaCheck("1", None, heard)
    assert heard.wait()[1] == (200, "fine", True)


def test_shutdown_in_a_completion_returns_and_the_others_follow(service):
    """It cannot wait for the thread it is on."""
    service.hold()
    others = [Heard() for _ in range(3)]
    for heard in others:
        AuthClient().mfaCheck("1", None, heard)
        service.wait_for_request()
    first = Heard(lambda *_: Authing.shutdown())
    AuthClient().mfaVerifyByOTP("", first)
    first.wait()
    assert [heard.wait()[0][0] for heard in others] == [10102] * 3


def test_shutdown_completes_calls_whose_thread_it_blocks(service):
    """A dispatcher that says it runs here gets its completions here, at once."""

    class Here:
        def __call__(self, function):
            pass  # would run it later, on this thread, which waits in shutdown

        def runs_here(self):
            return True

    service.hold()
    heard = Heard()
    AuthClient().mfaCheck("1", None, heard, dispatcher=Here())
    service.wait_for_request()
    Authing.shutdown(PATIENCE)
    assert [code for code, *_ in heard.calls] == [10102]
    assert heard.threads == [threading.current_thread()]
    assert service.cancelled == 1


@pytest.mark.parametrize("timeout", [0.2, 0.0])
def test_shutdown_completes_calls_of_a_dispatcher_that_never_does(service, timeout):
    """It does not say whose thread it is, so it gets until the timeout."""
    heard = Heard()
    called = threading.Event()
    AuthClient().mfaCheck("1", None, heard, dispatcher=lambda function: called.set())
    assert called.wait(PATIENCE)
    Authing.shutdown(timeout)
    assert [code for code, *_ in heard.wait()] == [10102]


def test_a_completion_during_the_shutdown_may_call_again(service):
    """It gets 10002: there is no application any more."""
    service.hold()
    second = Heard()
    first = Heard(lambda *_: AuthClient().mfaCheck("2", None, second))
    AuthClient().mfaCheck("1", None, first)
    service.wait_for_request()
    Authing.shutdown(PATIENCE)
    assert second.wait()[0][0] == 10002


def test_calls_racing_with_shutdown_complete_once(service):
    """Each with 200, 10102 or 10002."""
    heard = [Heard() for _ in range(400)]
    begun = threading.Event()

    def make():
        for index, completion in enumerate(heard):
            AuthClient().mfaCheck("1", None, completion)
            if index == 50:
                begun.set()

    thread = threading.Thread(target=make)
    thread.start()
    assert begun.wait(PATIENCE)
    Authing.shutdown(PATIENCE)
    thread.join(PATIENCE)
    codes = {completion.wait()[0][0] for completion in heard}
    Authing.shutdown(PATIENCE)
    assert codes <= {200, 10102, 10002}
    assert [len(completion.calls) for completion in heard] == [1] * len(heard)


def test_a_misspelt_option_is_refused_at_start():
    """It is the programmer's, not the network's."""
    with pytest.raises(TypeError, match="tiemout"):
        Authing.start("APP", tiemout=3)
    with pytest.raises(TypeError, match="app_id"):
        STATE.start("APP", {"app_id": "x"})
    with pytest.raises(InvalidInputError):
        Authing.start("APP", timeout=-1)
    heard = Heard()
    AuthClient().mfaCheck("1", None, heard)
    assert heard.wait()[0][0] == 10002


def test_a_setting_that_cannot_be_right_arrives_in_the_completion():
    """The set… functions check nothing, as in Swift."""
    Authing.start("APP")
    Authing.setSchema("gopher")
    heard = Heard()
    AuthClient().mfaCheck("1", None, heard)
    assert heard.wait()[0][0] == 10100


def test_the_last_word_counts_whether_before_or_after_start(service):
    """setHost takes the place of a base_url, and start that of setHost."""
    heard = Heard()

    def options():
        AuthClient().mfaCheck("1", None, heard)
        heard.wait()
        return service.clients[-1].settings.options

    Authing.setHost("example.test")
    Authing.setLanguage("zh-CN")
    assert options() == {"host": "example.test", "base_url": None, "lang": "zh-CN"}
    Authing.start("APP", base_url="http://127.0.0.1:1", timeout=3)
    assert options() == {"host": "example.test", "base_url": "http://127.0.0.1:1", "timeout": 3, "lang": "zh-CN"}
    Authing.setSchema("http")
    Authing.setOnPremiseInfo("auth.example.test", "KEY")
    assert options() == {
        "host": "auth.example.test",
        "base_url": None,
        "timeout": 3,
        "lang": "zh-CN",
        "scheme": "http",
        "public_key": "KEY",
        "on_premise": True,
    }
    Authing.start("APP", token="t")
    options()
    assert service.tokens[-1] == "t"


def test_a_change_of_settings_closes_the_old_client_when_its_last_call_has_ended(service):
    """Calls that run go on as they are."""
    service.hold()
    first, second = Heard(), Heard()
    AuthClient().mfaCheck("1", None, first)
    service.wait_for_request()
    Authing.setLanguage("zh-CN")
    Authing.setLanguage("zh-CN")
    AuthClient().mfaCheck("2", None, second)
    service.wait_for_request()
    old, new = service.clients
    assert not old.closed
    service.release()
    first.wait()
    second.wait()
    AuthClient().mfaCheck("3", None, second)
    second.wait()
    assert (old.closed, new.closed) == (True, False)
    assert service.clients == [old, new]


def test_a_client_that_cannot_be_closed_is_reported(service, errors, monkeypatch):
    """The threads end nevertheless."""
    defect = OSError("no")

    async def aclose(self):
        raise defect

    monkeypatch.setattr(FakeClient, "aclose", aclose)
    heard = Heard()
    AuthClient().mfaCheck("1", None, heard)
    heard.wait()
    Authing.shutdown(PATIENCE)
    assert errors == [defect]
    assert not any(thread.name == "authing-mfa-loop" for thread in threading.enumerate())


def test_where_no_thread_can_be_had_shutdown_completes_the_rest_itself(service, monkeypatch):
    """So it is at the interpreter's exit from Python 3.12 on."""
    go_on = threading.Event()
    stuck = Heard(lambda *_: go_on.wait(PATIENCE))
    AuthClient().mfaCheck("1", None, stuck)
    service.wait_for_request()
    stuck.wait_begun()
    rest = Heard()
    AuthClient().mfaCheck("2", None, rest)
    service.wait_for_request()

    def refuse(handle):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr("authing_mfa.compat.runner.CallbackThread", refuse)
    Authing.shutdown(0.3)
    go_on.set()
    assert [code for code, *_ in rest.wait()] == [10102]
    assert rest.threads == [threading.current_thread()]
    stuck.wait()


def test_shutdown_waits_for_a_dispatcher_that_runs_elsewhere(service):
    """A living user interface on another thread gets its completions there."""
    due: queue.SimpleQueue = queue.SimpleQueue()

    class Elsewhere:
        def __call__(self, function):
            due.put(function)

        def runs_here(self):
            return threading.current_thread() is interface

    def work():
        due.get(timeout=PATIENCE)()

    interface = threading.Thread(target=work)
    interface.start()
    service.hold()
    heard = Heard()
    AuthClient().mfaCheck("1", None, heard, dispatcher=Elsewhere())
    service.wait_for_request()
    Authing.shutdown(PATIENCE)
    assert [code for code, *_ in heard.calls] == [10102]
    assert heard.threads == [interface]
    interface.join(PATIENCE)


def test_an_unbounded_shutdown_waits_for_the_completions(service):
    """None: as long as they take."""
    go_on = threading.Event()
    slow = Heard(lambda *_: go_on.wait(PATIENCE))
    AuthClient().mfaCheck("1", None, slow)
    service.wait_for_request()
    slow.wait_begun()
    set_during_shutdown(go_on)
    Authing.shutdown(None)
    assert slow.calls == [(200, "fine", True)]
