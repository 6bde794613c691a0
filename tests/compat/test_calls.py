"""A call completes exactly once, later, never inside the call that made it, with what the service said.

More than 300 lines: one test for each promise about a completion.
"""

import asyncio
import contextvars
import io
import logging
import threading

import pytest
from PIL import Image

from authing_mfa import CustomField, MfaChallenge, UserInfo, images
from authing_mfa import operations as ops
from authing_mfa.compat import AuthClient, Authing, dispatch
from authing_mfa.errors import ApiError, MfaRequiredError, WrongCodeError
from authing_mfa.images import prepare
from tests.compat.conftest import PATIENCE, Heard


def fail(error):
    def answer(operation):
        raise error

    return answer


ADA = UserInfo(id="u1", name="Ada", token="ada-token", id_token="ada-token")
CHALLENGE = MfaChallenge(token="mfa-token")


def test_a_success_is_200_with_the_answers_message_and_value(service):
    """(200, message, value)."""
    service.answer = lambda operation: True
    heard = Heard()
    AuthClient().mfaCheck(phone="1", email=None, completion=heard)
    assert heard.wait() == [(200, "fine", True)]
    assert service.seen == [ops.MfaCheck("1", None)]


def test_an_error_is_its_code_and_message(service):
    """(error.code, error.message, None)."""
    service.answer = fail(WrongCodeError("No.", code=6001))
    heard = Heard()
    AuthClient().mfaVerifyByOTP("123456", heard)
    assert heard.wait() == [(6001, "No.", None)]


@pytest.mark.parametrize("code", [1635, 1636])
def test_a_challenge_arrives_as_value_and_its_token_becomes_current(service, code):
    """1635 and 1636 bring the challenge; no user is current until it is met."""
    Authing.setCurrentToken("before")
    service.answer = fail(MfaRequiredError("More.", challenge=CHALLENGE, code=code))
    heard = Heard()
    AuthClient().mfaVerifyByEmail("a@b.test", "1234", heard)
    assert heard.wait() == [(code, "More.", CHALLENGE)]
    service.answer = lambda operation: True
    AuthClient().mfaCheck("1", None, heard)
    heard.wait()
    assert service.tokens == ["before", "mfa-token"]
    assert Authing.getCurrentUser() is None


def test_the_verified_user_is_current_when_the_completion_runs(service):
    """Inside the completion, getCurrentUser is already the new one."""
    service.answer = lambda operation: ADA
    seen = []
    heard = Heard(lambda *_: seen.append(Authing.getCurrentUser()))
    AuthClient().mfaVerifyByRecoveryCode("code", heard)
    heard.wait()
    assert seen == [ADA]
    assert Authing.getCurrentUser() is ADA


def test_a_call_uses_the_user_that_was_current_when_it_was_made(service):
    """Changing the token afterwards changes the next calls only."""
    service.hold()
    heard = Heard()
    AuthClient().mfaCheck("1", None, heard)
    Authing.setCurrentToken("other")
    AuthClient().mfaCheck("2", None, heard)
    service.wait_for_request()
    service.wait_for_request()
    service.release()
    heard.wait(2)
    assert service.tokens == ["token", "other"]


def test_an_answer_without_a_user_leaves_the_token(service):
    """A recovery answer with only a new code must not lose the mfaToken."""
    service.answer = lambda operation: UserInfo(recovery_code="new")
    heard = Heard()
    AuthClient().mfaVerifyByRecoveryCode("old", heard)
    heard.wait()
    AuthClient().mfaCheck("1", None, heard)
    heard.wait()
    assert service.tokens == ["token", "token"]
    assert Authing.getCurrentUser() is None


def test_a_late_answer_about_a_former_user_does_not_bring_them_back(service):
    """getCurrentUserInfo only refreshes a user who is still current."""
    service.hold()
    service.answer = lambda operation: ADA
    heard = Heard()
    AuthClient().getCurrentUserInfo(heard)
    service.wait_for_request()
    Authing.setCurrentToken("somebody else")
    service.release()
    assert heard.wait() == [(200, "fine", ADA)]
    assert Authing.getCurrentUser() is None


def test_a_user_without_a_token_keeps_the_token_of_the_call(service):
    """users/me may answer a user and no token."""
    bob = UserInfo(id="u2")
    service.answer = lambda operation: bob
    heard = Heard()
    AuthClient().getCurrentUserInfo(heard)
    AuthClient().getCurrentUserInfo(heard)
    heard.wait(2)
    assert Authing.getCurrentUser() is bob
    assert service.tokens == ["token", "token"]


def test_before_start_the_code_is_10002():
    """As in the iOS SDK: config not found."""
    heard = Heard()
    AuthClient().sendSms("1", heard)
    [(code, message, value)] = heard.wait()
    assert (code, value) == (10002, None)
    assert "Authing.start" in message


def test_bad_input_is_10100_and_nothing_is_sent(service):
    """An empty code arrives as an error in the completion, not as an exception at the call."""
    heard = Heard()
    AuthClient().mfaVerifyByOTP("  ", heard)
    AuthClient().mfaCheck(None, None, heard)
    AuthClient().mfaVerifyByOTP(123456, heard)  # type: ignore[arg-type]  # the mistake is the point
    assert [(code, value) for code, _, value in heard.wait(3)] == [(10100, None)] * 3
    assert service.seen == []


def test_a_photo_that_does_not_exist_is_10101_as_a_pair():
    """The upload's completion takes two arguments."""
    Authing.start("APP", base_url="http://127.0.0.1:9")
    heard = Heard()
    AuthClient().uploadFaceImage("no-such-file.jpg", completion=heard)
    [(code, message)] = heard.wait()
    assert code == 10101
    assert "file" in message


def test_a_defect_below_is_reported_and_completes_the_call(service, errors):
    """An error that is not of the tree must not lose the completion."""
    defect = ZeroDivisionError("secret")
    service.answer = fail(defect)
    heard = Heard()
    AuthClient().mfaCheck("1", None, heard)
    [(code, message, value)] = heard.wait()
    assert (code, value) == (10004, None)
    assert "secret" not in message
    assert errors == [defect]


@pytest.mark.parametrize("started", [True, False])
def test_the_completion_never_runs_inside_the_call(service, started):
    """Not even with a dispatcher that runs it at once, nor for bad input, nor before start."""
    if not started:
        Authing.shutdown(PATIENCE)
    Authing.setDispatcher(lambda function: function())
    caller = threading.current_thread()
    heard = Heard()
    for code in ("1", ""):
        AuthClient().mfaVerifyByOTP(code, heard)
    heard.wait(2)
    assert caller not in heard.threads


def test_completions_run_in_order_on_one_thread_of_their_own(service):
    """The default: one callback thread, which is not the loop's."""
    heard = Heard()
    for _ in range(300):
        AuthClient().mfaCheck("1", None, heard)
    heard.wait(300)
    assert {thread.name for thread in heard.threads} == {"authing-mfa-callbacks"}
    assert all(thread.daemon for thread in heard.threads)


def test_a_slow_completion_does_not_stop_the_network(service):
    """While one completion blocks, the next call's request is sent."""
    go_on = threading.Event()
    first = Heard(lambda *_: go_on.wait(PATIENCE))
    second = Heard()
    AuthClient().mfaCheck("1", None, first)
    service.wait_for_request()
    first.wait_begun()
    AuthClient().mfaCheck("2", None, second)
    service.wait_for_request()
    assert second.calls == []
    go_on.set()
    second.wait()


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_a_completion_that_raises_is_reported_once_and_affects_no_other(service, errors, error):
    """SystemExit included; it is never called again, and the next call works."""

    def explode(*_):
        raise error

    bad, good = Heard(explode), Heard()
    call = AuthClient().mfaCheck("1", None, bad)
    assert call.wait(PATIENCE)
    AuthClient().mfaCheck("2", None, good)
    good.wait()
    assert errors == [error]
    assert len(bad.calls) == 1


def test_without_a_handler_the_error_is_logged_with_its_traceback(service, caplog):
    """The default: one record, with the exception."""
    caplog.set_level(logging.ERROR, "authing_mfa.compat")

    def explode(*_):
        raise ValueError("boom")

    assert AuthClient().mfaCheck("1", None, explode).wait(PATIENCE)
    [record] = caplog.records
    assert record.exc_info is not None
    assert "boom" in str(record.exc_info[1])


def test_an_error_handler_that_raises_is_logged_and_affects_no_call(service, caplog):
    """Even the handler's SystemExit stays its own."""

    def handler(error):
        raise SystemExit(1)

    def explode(*_):
        raise ValueError("boom")

    Authing.setErrorHandler(handler)
    assert AuthClient().mfaCheck("1", None, explode).wait(PATIENCE)
    good = Heard()
    AuthClient().mfaCheck("1", None, good)
    good.wait()
    assert [record.message for record in caplog.records] == [
        "The error handler raised.",
        "The completion of mfaCheck raised.",
    ]


def test_the_callers_context_is_seen_in_the_completion(service):
    """A copy of it: what the completion sets stays there."""
    variable = contextvars.ContextVar("variable", default="nothing")
    variable.set("of the caller")
    seen = []

    def completion(*_):
        seen.append(variable.get())
        variable.set("of the completion")

    assert AuthClient().mfaCheck("1", None, completion).wait(PATIENCE)
    assert seen == ["of the caller"]
    assert variable.get() == "of the caller"


def test_a_completion_that_cannot_be_called_is_refused_at_once(service):
    """No completion can receive the error, so the caller gets it."""
    with pytest.raises(TypeError, match="completion"):
        AuthClient().mfaCheck("1", None, None)  # type: ignore[arg-type]  # the mistake is the point
    with pytest.raises(TypeError, match="dispatcher"):
        AuthClient().mfaCheck("1", None, print, dispatcher=3)  # type: ignore[arg-type]  # the mistake is the point
    with pytest.raises(TypeError, match="dispatch"):
        Authing.setDispatcher(3)  # type: ignore[arg-type]  # the mistake is the point
    with pytest.raises(TypeError, match="handler"):
        Authing.setErrorHandler(3)  # type: ignore[arg-type]  # the mistake is the point


def test_a_completion_may_make_the_next_call(service):
    """The usual way on: from one step to the next."""
    second = Heard()
    first = Heard(lambda *_: AuthClient().mfaVerifyByOTP("123456", second))
    service.answer = lambda operation: ADA
    AuthClient().mfaCheck("1", None, first)
    assert second.wait() == [(200, "fine", ADA)]


def test_a_dispatcher_may_run_its_function_twice(service):
    """The completion still runs once."""
    functions = []
    told = threading.Event()

    def keep(function):
        functions.append(function)
        told.set()

    heard = Heard()
    call = AuthClient().mfaCheck("1", None, heard, dispatcher=keep)
    assert told.wait(PATIENCE)
    assert not call.done
    functions[0]()
    functions[0]()
    assert call.done
    assert len(heard.calls) == 1
    assert heard.threads == [threading.current_thread()]


def test_a_dispatcher_may_run_its_function_again_inside_the_completion(service, errors):
    """As a dialog does that handles the window's events while it is open: the completion still runs once."""
    functions = []
    told = threading.Event()
    heard = []

    def keep(function):
        functions.append(function)
        told.set()

    def completion(code, message, value):
        heard.append(code)
        if len(heard) < 3:
            functions[0]()

    call = AuthClient().mfaCheck("1", None, completion, dispatcher=keep)
    assert told.wait(PATIENCE)
    functions[0]()
    assert call.done
    assert (heard, errors) == ([200], [])


def test_a_dispatcher_that_raises_is_reported_and_the_completion_runs_all_the_same(service, errors):
    """On the callback thread."""
    heard = Heard()
    error = LookupError("no window")
    AuthClient().mfaCheck("1", None, heard, dispatcher=fail(error))
    heard.wait()
    assert errors == [error]
    assert heard.threads[0].name == "authing-mfa-callbacks"


async def test_asyncio_loop_delivers_on_the_given_loop(service):
    """For programs that have an event loop."""
    told = asyncio.Event()
    heard = Heard(lambda *_: told.set())
    call = AuthClient().mfaCheck("1", None, heard, dispatcher=dispatch.asyncio_loop())
    with pytest.raises(RuntimeError, match="never end"):
        call.wait()
    await asyncio.wait_for(told.wait(), PATIENCE)
    assert heard.threads == [threading.current_thread()]


async def test_another_thread_may_wait_for_a_call_that_completes_on_the_loop(service):
    """It is only the loop's own thread that may not."""
    heard = Heard()
    call = AuthClient().mfaCheck("1", None, heard, dispatcher=dispatch.asyncio_loop())
    assert await asyncio.to_thread(call.wait, PATIENCE)
    assert heard.calls == [(200, "fine", True)]


def test_a_loop_that_is_closed_falls_back_to_the_callback_thread(service, errors):
    """Exactly once holds when the receiver is gone; that is no error of the program."""
    loop = asyncio.new_event_loop()
    loop.close()
    heard = Heard()
    AuthClient().mfaCheck("1", None, heard, dispatcher=dispatch.asyncio_loop(loop))
    heard.wait()
    assert heard.threads[0].name == "authing-mfa-callbacks"
    assert errors == []


def test_custom_user_data_and_the_others_take_their_arguments_where_swift_has_them(service):
    """Each remaining method makes its operation."""
    service.answer = lambda operation: (CustomField("k", 1),)
    client, heard = AuthClient(), Heard()
    client.getCustomUserData("u1", heard)
    client.mfaVerifyByPhone("1", "2", heard, phoneCountryCode="+86")
    client.mfaVerifyByEmail("a@b.test", "2", heard)
    client.mfaVerifyByTOTP("3", heard)
    client.mfaAssociateByFace("a", "b", heard)
    client.mfaVerifyByFace("a", heard)
    client.loginByPhoneCode("1", "2", heard, phoneCountryCode="+86", autoRegister=True)
    client.loginByEmail("a@b.test", "2", heard, autoRegister=True)
    client.sendSms("1", heard, phoneCountryCode="+86")
    client.sendMFAEmail("a@b.test", heard)
    client.mfaAssociateByOTP(heard)
    client.mfaAssociateConfirmByOTP("4", heard)
    client.mfaDeleteOTP(heard)
    client.mfaListAuthenticators(heard)
    client.unbindMFAPhone(heard)
    client.unbindMFAEmail(heard)
    client.mfaUnbindFactor("f", heard)
    heard.wait(17)
    assert service.seen == [
        ops.GetCustomUserData("u1"),
        ops.VerifyByPhone("1", "2", "+86"),
        ops.VerifyByEmail("a@b.test", "2"),
        ops.VerifyByTotp("3"),
        ops.AssociateFace("a", "b"),
        ops.VerifyByFace("a"),
        ops.LoginByPhoneCode("1", "2", "+86", True),
        ops.LoginByEmailCode("a@b.test", "2", True),
        ops.SendSms("1", "+86"),
        ops.SendMfaEmail("a@b.test"),
        ops.AssociateTotp(),
        ops.ConfirmTotp("4"),
        ops.DeleteTotp(),
        ops.ListAuthenticators(),
        ops.UnbindPhone(),
        ops.UnbindEmail(),
        ops.UnbindFactor("f"),
    ]


def test_nothing_secret_shows_in_the_repr_of_a_call(service):
    """A call in a log says only how it stands."""
    service.hold()
    heard = Heard()
    call = AuthClient().mfaVerifyByOTP("123456", heard)
    assert repr(call) == "<Call mfaVerifyByOTP running>"
    service.release()
    heard.wait()
    assert call.wait(PATIENCE)
    assert repr(call) == "<Call mfaVerifyByOTP done>"


def test_an_unknown_code_keeps_its_code(service):
    """Whatever the service says reaches the completion."""
    service.answer = fail(ApiError("Odd.", code=987654))
    heard = Heard()
    AuthClient().mfaDeleteOTP(heard)
    assert heard.wait() == [(987654, "Odd.", None)]


def test_a_photo_may_be_closed_as_soon_as_the_call_has_returned(service, tmp_path):
    """A file, a lazily opened picture, a path that is removed: all of it was taken."""
    path = tmp_path / "photo.png"
    Image.new("RGB", (32, 16), "red").save(path)
    expected = prepare(path)
    service.hold()
    service.answer = lambda operation: ops.PhotoKey("key")
    heard = Heard()
    with path.open("rb") as file:
        AuthClient().uploadFaceImage(file, completion=heard)
    with Image.open(path) as picture:
        AuthClient().uploadFaceImage(picture, completion=heard)
    AuthClient().uploadFaceImage(path, completion=heard)
    path.unlink()
    service.release()
    assert heard.wait(3) == [(200, "key")] * 3
    assert [prepare(operation.image) for operation in service.seen] == [expected] * 3


def test_a_photo_may_need_as_much_memory_as_the_application_says(service, monkeypatch):
    """More than usual, or less; a picture that needs more is not decoded."""
    monkeypatch.setattr(images, "MEMORY_LIMIT", 1 << 22)  # so that the test needs little
    large = io.BytesIO()
    Image.new("RGB", (1000, 1000), "red").save(large, "PNG")
    service.answer = lambda operation: ops.PhotoKey("key")
    ends = []
    for limit in (1 << 26, 1 << 22):
        Authing.start("app", max_image_memory=limit)
        heard = Heard()
        with Image.open(io.BytesIO(large.getvalue())) as picture:
            AuthClient().uploadFaceImage(picture, completion=heard)
        ends.append(heard.wait(1)[0][0])
    assert ends == [200, 10101]


def test_the_completion_gets_the_error_of_an_unusable_photo(service):
    """Code 10101, and nothing is sent."""
    closed = io.BytesIO(b"x")
    closed.close()
    heard = Heard()
    for photo in (closed, "missing.jpg", 42, memoryview(b"xyz")[::2], Image.new("RGB", (0, 0))):
        AuthClient().uploadFaceImage(photo, completion=heard)
    assert [code for code, _ in heard.wait(5)] == [10101] * 5
    assert service.seen == []
