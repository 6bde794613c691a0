"""What `Authing.start` and `Authing.setCurrentToken` refuse."""

import aiohttp
import pytest

from authing_mfa import InvalidInputError
from authing_mfa.compat import Authing
from authing_mfa.compat.state import STATE


async def test_a_session_is_refused_at_start():
    """The calls run on an event loop of their own, on which no session of the program can work."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(TypeError, match="session"):
            Authing.start("APP", session=session)
    Authing.start("APP", session=None)


@pytest.mark.parametrize("token", ["", " ", 5, "tökën", "a\nb"])
def test_a_token_that_cannot_be_right_is_refused(token):
    """Where it is given; the application and the current token stay as they were."""
    Authing.start("APP", token="right", lang="zh-CN")
    before = STATE._settings
    with pytest.raises(InvalidInputError, match="token"):
        Authing.start("OTHER", token=token)
    with pytest.raises(InvalidInputError, match="参数无效：token"):
        Authing.setCurrentToken(token)
    assert (STATE._settings, STATE.current.token) == (before, "right")
