"""`sync.AuthClient` has every call of `authing_mfa.AuthClient`: same parameters, types, defaults, result and words."""

import inspect
import re

import pytest

import authing_mfa
from authing_mfa import sync

SECTIONS = r"\n\n(?=(?:Args|Returns|Raises|Yields|Attributes|Example|Source)\b)"
CALLS = sorted(
    name
    for name, member in vars(authing_mfa.AuthClient).items()
    if inspect.iscoroutinefunction(member) and not name.startswith("_") and name != "aclose"
)


def words(call):
    """The first paragraph and the Args."""
    first, *parts = re.split(SECTIONS, inspect.getdoc(call))
    return first.split("\n\n")[0], [part for part in parts if part.startswith("Args:")]


@pytest.mark.parametrize("name", CALLS)
def test_every_coroutine_is_a_plain_method_with_the_same_signature(name):
    """Names, kinds, types, defaults and what comes back."""
    call = getattr(sync.AuthClient, name)
    assert inspect.isfunction(call)
    assert not inspect.iscoroutinefunction(call)
    assert inspect.signature(call) == inspect.signature(getattr(authing_mfa.AuthClient, name))


@pytest.mark.parametrize("name", CALLS)
def test_both_say_the_same(name):
    """The first paragraph, and what stands under Args."""
    assert words(getattr(sync.AuthClient, name)) == words(getattr(authing_mfa.AuthClient, name))


def test_the_constructor_takes_the_same_keywords_but_session():
    """A borrowed aiohttp session belongs to an event loop, which the caller does not have."""
    ours = dict(inspect.signature(authing_mfa.AuthClient.__init__).parameters)
    del ours["session"]
    assert dict(inspect.signature(sync.AuthClient.__init__).parameters) == ours


def test_there_is_nothing_else():
    """The rest is a client's own life, and the batch as a plain iterator."""
    ours = {name for name in vars(sync.AuthClient) if not name.startswith("_")}
    theirs = {name for name in vars(authing_mfa.AuthClient) if not name.startswith("_")}
    assert ours - theirs == {"close", "verify_many"}
    assert theirs - ours == {"aclose", "from_core"}
