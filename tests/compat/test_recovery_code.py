"""A call that spends a recovery code: its answer holds the new code, so nothing stops it once its request may have been sent."""

import gc
import threading
import weakref

import pytest

from authing_mfa import UserInfo
from authing_mfa.compat import AuthClient, Authing
from authing_mfa.errors import WrongCodeError
from tests.compat.conftest import PATIENCE, Heard

NEW = "1111-2222-3333-4444-5555-6666"
NAMES = ("mfaVerifyByRecoveryCode", "mfaAssociteByRecoveryCode")


@pytest.fixture
def held(service):
    """The service has the recovery code, and its answer waits."""
    service.answer = lambda operation: UserInfo(id="u1", id_token="t", recovery_code=NEW)
    service.hold()
    return service


def new_code(heard):
    [(code, _, user)] = heard.wait()
    return code, user.recovery_code


class Window:
    """An owner, as a plain object."""


@pytest.mark.parametrize("name", NAMES)
def test_it_cannot_be_cancelled_once_it_may_have_been_sent(held, name):
    """cancel() says so, and the completion gets the new code."""
    heard = Heard()
    call = getattr(AuthClient(), name)("old", heard)
    held.wait_for_request()
    assert not call.cancel()
    held.release()
    assert new_code(heard) == (200, NEW)
    assert Authing.getCurrentUser().id == "u1"


def test_an_answer_that_waits_for_its_completion_is_not_discarded(service):
    """It came before the cancellation."""
    service.answer = lambda operation: UserInfo(id="u1", recovery_code=NEW)
    functions: list = []
    arrived = threading.Event()

    def keep(function):
        functions.append(function)
        arrived.set()

    heard = Heard()
    call = AuthClient().mfaVerifyByRecoveryCode("old", heard, dispatcher=keep)
    assert arrived.wait(PATIENCE)
    assert not call.cancel()
    functions[0]()
    assert new_code(heard) == (200, NEW)


def test_it_can_be_cancelled_before_its_first_step(service):
    """Nothing is sent then, and the old code stays valid. It is the same when the owner is gone."""
    go_on, busy = threading.Event(), threading.Event()

    def block(function):
        busy.set()
        go_on.wait(PATIENCE)
        function()

    AuthClient().mfaVerifyByOTP("", Heard(), dispatcher=block)
    assert busy.wait(PATIENCE)
    heard, unheard, window = Heard(), Heard(), Window()
    call = AuthClient().mfaVerifyByRecoveryCode("old", heard)
    ownerless = AuthClient().mfaVerifyByRecoveryCode("old", unheard, owner=window)
    assert call.cancel()
    del window
    gc.collect()
    go_on.set()
    assert [code for code, *_ in heard.wait()] == [10102]
    assert ownerless.wait(PATIENCE)
    assert (unheard.calls, service.seen) == ([], [])


def test_its_completion_gets_the_new_code_although_the_owner_is_gone(held):
    """Its user does not become current: the program may have gone on with another user."""
    heard, window = Heard(), Window()
    AuthClient().mfaVerifyByRecoveryCode("old", heard, owner=window)
    held.wait_for_request()
    del window
    gc.collect()
    Authing.setCurrentToken("of another user")
    held.release()
    assert new_code(heard) == (200, NEW)
    assert Authing.getCurrentUser() is None
    Authing.shutdown(PATIENCE)
    assert held.cancelled == 0


def test_a_completion_that_is_a_method_keeps_its_owner_until_the_call_ends(held):
    """Else there would be nothing left to run."""

    class Listener(Window):
        def __init__(self):
            self.heard = Heard()

        def on_recovered(self, *arguments):
            self.heard(*arguments)

    window = Listener()
    heard, gone = window.heard, weakref.ref(window)
    call = AuthClient().mfaVerifyByRecoveryCode("old", window.on_recovered, owner=window)
    held.wait_for_request()
    del window
    gc.collect()
    held.release()
    assert new_code(heard) == (200, NEW)
    assert call.wait(PATIENCE)
    gc.collect()
    assert gone() is None


def test_a_failure_does_not_reach_a_completion_whose_owner_is_gone(held):
    """There is nothing that could be lost."""

    def refuse(operation):
        raise WrongCodeError("wrong", code=6002)

    held.answer = refuse
    heard, window = Heard(), Window()
    call = AuthClient().mfaVerifyByRecoveryCode("old", heard, owner=window)
    held.wait_for_request()
    del window
    gc.collect()
    held.release()
    assert call.wait(PATIENCE)
    assert heard.calls == []


@pytest.mark.parametrize("ours", [True, False], ids=["a dispatcher of this thread", "the callback thread"])
def test_shutdown_waits_for_the_answer(held, ours):
    """Within its timeout; all other calls end with 10102."""

    class Here:
        def __call__(self, function):
            pass  # would run it later, on this thread, which waits in shutdown

        def runs_here(self):
            return True

    heard, other = Heard(), Heard()
    AuthClient().mfaVerifyByRecoveryCode("old", heard, dispatcher=Here() if ours else None)
    held.wait_for_request()
    AuthClient().mfaCheck("1", None, other)
    held.wait_for_request()
    releaser = threading.Thread(target=lambda: (other.wait(), held.release()))
    releaser.start()
    Authing.shutdown(None)
    releaser.join(PATIENCE)
    assert new_code(heard) == (200, NEW)
    assert [code for code, *_ in other.calls] == [10102]


@pytest.mark.parametrize("timeout", [0.2, 0.0])
def test_shutdown_does_not_wait_longer_than_its_timeout(held, timeout):
    """The program has chosen it. The completion runs all the same."""
    heard = Heard()
    AuthClient().mfaVerifyByRecoveryCode("old", heard)
    held.wait_for_request()
    Authing.shutdown(timeout)
    assert [code for code, *_ in heard.wait()] == [10102]


def test_shutdown_in_a_completion_lets_it_end(held):
    """Such a shutdown waits for nothing; the answer comes later."""
    heard = Heard()
    AuthClient().mfaVerifyByRecoveryCode("old", heard)
    held.wait_for_request()
    first = Heard(lambda *_: Authing.shutdown())
    AuthClient().mfaVerifyByOTP("", first)
    first.wait()
    held.release()
    assert new_code(heard) == (200, NEW)
