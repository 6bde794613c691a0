"""Who is current after a call that ends or renews a session, and what a forced password change hands on."""

import pytest

from authing_mfa import IdToken, PasswordChangeRequiredError, UserInfo
from authing_mfa import operations as ops
from authing_mfa.compat import AuthClient, Authing
from authing_mfa.errors import ApiError, NetworkError
from tests.compat.conftest import PATIENCE, Heard
from tests.compat.test_calls import ADA, fail


def logged_in(service):
    service.answer = lambda operation: ADA
    heard = Heard()
    AuthClient().loginByAccount("ada", "secret", heard)
    heard.wait()
    assert Authing.getCurrentUser() is ADA


@pytest.mark.parametrize("code", [1639, 2058, 2071])
def test_a_forced_password_change_hands_on_its_token(service, code):
    """As the third argument; under Swift's name too."""
    service.answer = fail(PasswordChangeRequiredError("Change it.", code=code, token="change"))
    heard = Heard()
    AuthClient().loginByAccount("ada", "secret", heard)
    [(got, message, value)] = heard.wait()
    assert (got, message) == (code, "Change it.")
    assert value.token == value.firstTimeLoginToken == "change"
    assert "change" not in repr(value)


def test_the_current_user_continues_with_a_renewed_token(service):
    """The next call is made with it; the user stays the same."""
    logged_in(service)
    fresh = IdToken(token="fresh", expires_at=4e9)
    service.answer = lambda operation: fresh
    heard = Heard()
    AuthClient().updateIdToken(heard)
    assert heard.wait() == [(200, "fine", fresh)]
    user = Authing.getCurrentUser()
    assert (user.id, user.name, user.token, user.id_token, user.token_expires_at) == (
        "u1",
        "Ada",
        "fresh",
        "fresh",
        4e9,
    )
    AuthClient().mfaCheck("1", None, heard)
    heard.wait()
    assert service.tokens[-1] == "fresh"


@pytest.mark.parametrize(
    "answer", [lambda operation: None, fail(NetworkError("No.")), fail(ApiError("No.", code=1010001))]
)
def test_after_a_logout_no_user_is_current(service, answer):
    """Whatever the service said."""
    logged_in(service)
    service.answer = answer
    heard = Heard()
    AuthClient().logout(lambda code, message: heard(code, Authing.getCurrentUser()))
    assert heard.wait()[0][1] is None
    AuthClient().mfaCheck("1", None, heard)
    heard.wait()
    assert service.tokens[-1] is None


def test_a_cancelled_logout_leaves_the_user_current(service):
    """It did not happen."""
    logged_in(service)
    service.hold()
    call = AuthClient().logout(lambda code, message: None)
    service.wait_for_request()
    assert call.cancel()
    assert call.wait(PATIENCE)
    assert Authing.getCurrentUser() is ADA


@pytest.mark.parametrize("name", ["logout", "updateIdToken"])
def test_an_answer_about_a_former_user_changes_nothing(service, name):
    """Another user has logged in since the call was made."""
    logged_in(service)
    service.hold()
    call = getattr(AuthClient(), name)(lambda *_: None)
    service.wait_for_request()
    Authing.setCurrentToken("bob's")
    service.answer = lambda operation: IdToken(token="ada's") if isinstance(operation, ops.RefreshIdToken) else None
    service.release()
    assert call.wait(PATIENCE)
    heard = Heard()
    service.answer = lambda operation: True
    AuthClient().mfaCheck("1", None, heard)
    heard.wait()
    assert service.tokens[-1] == "bob's"


def test_the_names_of_the_swift_sdk_make_the_same_calls(service):
    """Its own spelling, and the name that later versions have."""
    heard = Heard()
    service.answer = lambda operation: ADA
    AuthClient().mfaAssociteByRecoveryCode("1234", heard)
    AuthClient().getCurrentUser(heard)
    AuthClient().getCustomUserData(UserInfo(id="u2"), heard)
    AuthClient().getCustomUserData("u3", heard)
    heard.wait(4)
    assert sorted(service.seen, key=str) == sorted(
        [
            ops.VerifyByRecoveryCode("1234"),
            ops.GetCurrentUser(),
            ops.GetCustomUserData("u2"),
            ops.GetCustomUserData("u3"),
        ],
        key=str,
    )


def test_the_data_of_a_user_without_an_id_are_refused(service):
    """With 10100, and nothing is sent."""
    heard = Heard()
    AuthClient().getCustomUserData(UserInfo(id=None), heard)
    assert heard.wait()[0][0] == 10100
    assert service.seen == []
