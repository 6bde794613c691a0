"""A pytest suite for your code that logs users in: the fixture `authing_emulator` comes with the package.

Run it with ``pytest examples/pytest_suite``.
"""

from collections.abc import Iterator

import pytest

from authing_mfa import CallTimeoutError, MfaRequiredError, NetworkError, WrongCodeError
from authing_mfa.emulator import EmulatedUser, Emulator
from authing_mfa.sync import AuthClient


@pytest.fixture
def client(authing_emulator: Emulator) -> Iterator[AuthClient]:
    """The client of the code under test, at the emulator."""
    with AuthClient(
        authing_emulator.app_id, base_url=authing_emulator.url, public_key=authing_emulator.public_key
    ) as opened:
        yield opened


@pytest.fixture
def ada(authing_emulator: Emulator) -> EmulatedUser:
    """A user with a phone and an authenticator app."""
    return authing_emulator.add_user(
        username="ada",
        password="lovelace",  # noqa: S106 - the emulator's
        phone="13800138000",
        mfa=["SMS", "OTP"],
        totp=True,
    )


def challenged(client: AuthClient) -> AuthClient:
    """A view of ada, who has passed the first factor."""
    with pytest.raises(MfaRequiredError) as due:
        client.login_by_account("ada", "lovelace")
    return client.as_user(due.value.challenge.token)


def test_sms(authing_emulator: Emulator, client: AuthClient, ada: EmulatedUser) -> None:
    """The code is read from the emulator, not from a phone."""
    view = challenged(client)
    view.send_sms("13800138000")
    assert view.mfa_verify_by_phone("13800138000", authing_emulator.code_for("13800138000")).id == ada.id


def test_a_code_expires(authing_emulator: Emulator, client: AuthClient, ada: EmulatedUser) -> None:
    """No test waits: the clock is moved."""
    view = challenged(client)
    assert ada.mfa_phone == "13800138000"
    view.send_sms("13800138000")
    code = authing_emulator.code_for("13800138000")
    authing_emulator.clock.advance(301)
    with pytest.raises(WrongCodeError):
        view.mfa_verify_by_phone("13800138000", code)


def test_an_answer_that_is_lost(authing_emulator: Emulator, client: AuthClient, ada: EmulatedUser) -> None:
    """The code may be spent, so the client does not send it again."""
    view = challenged(client)
    authing_emulator.faults.add("mfa_verify_by_totp", drop="after", count=1)
    with pytest.raises(NetworkError) as lost:
        view.mfa_verify_by_totp(ada.totp_code or "")
    assert not isinstance(lost.value, CallTimeoutError)
    assert lost.value.delivery == "unknown"
