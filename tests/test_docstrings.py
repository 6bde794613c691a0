"""What the docstrings of the public names must say, read from all of them."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap

import pytest

import authing_mfa
from authing_mfa import AuthClient, MfaRequiredError
from authing_mfa.emulator import Emulator

MODULES = ("authing_mfa", "authing_mfa.batch", "authing_mfa.compat", "authing_mfa.emulator", "authing_mfa.sync")
SECTIONS = r"\n\n(?=(?:Args|Returns|Raises|Yields|Attributes|Example|Source)\b)"
NO_CALLS = {"aclose", "answer", "connect", "perform"}  # what every client has, whatever the service
CALLS = sorted(
    name
    for name, member in vars(AuthClient).items()
    if inspect.iscoroutinefunction(member) and name[0] != "_" and name not in NO_CALLS
)
EIGHT = (
    "mfa_check",
    "mfa_verify_by_phone",
    "mfa_verify_by_email",
    "mfa_verify_by_totp",
    "mfa_verify_by_recovery_code",
    "upload_face_image",
    "mfa_associate_by_face",
    "mfa_verify_by_face",
)


def public_names():
    """Every public class and function with the public methods of the classes, once each."""
    found = {}
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        for name in module.__all__:
            value = getattr(module, name)
            if not (inspect.isclass(value) or inspect.isfunction(value)) or not value.__module__.startswith(
                "authing_mfa"
            ):
                continue
            found[f"{value.__module__}.{value.__qualname__}"] = value
            if inspect.isclass(value):
                for key, member in vars(value).items():
                    function = inspect.unwrap(getattr(member, "__func__", member))
                    if not key.startswith("_") and inspect.isfunction(function):
                        found[f"{value.__module__}.{value.__qualname__}.{key}"] = function
    return found


PUBLIC = public_names()


def sections(value):
    """The docstring's parts by their title; the text in front of the first is under ""."""
    first, *rest = re.split(SECTIONS, inspect.getdoc(value) or "")
    return {"": first} | {re.match(r"\w+", part).group(): part for part in rest}


def entries(part):
    """The names that an Args, Attributes or Raises part explains."""
    return {
        name
        for line in re.findall(r"^    \**(\w[\w, ]*?)(?: \([^)]*\))?:", part, re.MULTILINE)
        for name in line.split(", ")
    }


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_starts_with_a_sentence(name):
    """The first paragraph is a sentence."""
    text = sections(PUBLIC[name])[""]
    assert re.search(r"[.:]$|[.:]\n", text.split("\n\n")[0] + "\n"), text


@pytest.mark.parametrize("name", sorted(name for name, value in PUBLIC.items() if inspect.isfunction(value)))
def test_every_parameter_of_a_public_call_is_explained(name):
    """Each parameter but self stands under Args."""
    call = PUBLIC[name]
    taken = [key for key in inspect.signature(call).parameters if key not in ("self", "cls", "args", "kwargs")]
    assert [key for key in taken if key not in entries(sections(call).get("Args", ""))] == []


@pytest.mark.parametrize("name", CALLS)
def test_a_call_of_the_client_says_what_it_returns_raises_and_is_based_on(name):
    """Returns where there is a value, Raises by the names of the package, and the section of the wire reference."""
    call = getattr(AuthClient, name)
    parts = sections(call)
    assert ("Returns" in parts) == (inspect.signature(call).return_annotation != "None")
    raised = entries(parts["Raises"])
    assert raised
    assert {error for error in raised if not issubclass(getattr(authing_mfa, error), authing_mfa.AuthingError)} == set()
    assert re.match(r"Source: docs/wire\.md#[\w-]+", parts["Source"])


@pytest.mark.parametrize("name", [name for name in CALLS if name.startswith("mfa_verify_by")])
def test_a_verification_says_what_it_needs_and_what_it_spends(name):
    """It names the errors of a wrong code and of a dead mfaToken, asks for the mfaToken, and explains an unknown delivery."""
    call = getattr(AuthClient, name)
    raised = entries(sections(call)["Raises"])
    assert {"InvalidMfaTokenError", "FaceError" if "face" in name else "WrongCodeError"} <= raised
    if name in EIGHT:
        assert "mfaToken" in sections(call)[""]
        assert "unknown" in sections(call)[""]


def example(name):
    """The code of a call's example, and the name of the function that it defines."""
    code = textwrap.dedent(sections(getattr(AuthClient, name))["Example"].partition("::\n")[2])
    [function] = [node.name for node in ast.parse(code).body if isinstance(node, ast.AsyncFunctionDef)]
    return code, function


async def run_example(name, *arguments):
    code, function = example(name)
    space = {}
    exec(compile(code, name, "exec"), space)  # the example alone: it imports what it needs
    return await space[function](*arguments)


@pytest.fixture
async def journey(tmp_path):
    """A user of every factor on the emulator, the client, and a way to log in up to the challenge."""
    from PIL import Image

    picture = tmp_path / "face.png"
    Image.radial_gradient("L").save(picture)
    with Emulator(seed=1) as emu:
        person = emu.add_user(
            username="ada",
            password="secret",
            phone="13800000000",
            email="ada@example.com",
            mfa=["SMS", "EMAIL"],
            totp=True,
            face=picture,
        )
        async with AuthClient(emu.app_id, base_url=emu.url, public_key=emu.public_key) as client:
            with pytest.raises(MfaRequiredError) as caught:
                await client.login_by_account("ada", "secret")
            yield emu, person, client, caught.value.challenge, picture


async def test_the_examples_of_the_eight_calls_run(journey):
    """Each example is run as it stands, with a client and a challenge, and does what it says."""
    emu, person, client, challenge, picture = journey
    assert await run_example("mfa_check", client, challenge, "13900000000") is True
    await client.send_sms("13800000000")
    await client.send_mfa_email("ada@example.com")
    for name, code in (("phone", "13800000000"), ("email", "ada@example.com")):
        user = await run_example(f"mfa_verify_by_{name}", client, challenge, code, emu.code_for(code))
        assert user.id == person.id
    assert (await run_example("mfa_verify_by_totp", client, challenge, person.totp_code)).id == person.id
    assert await run_example("upload_face_image", client, picture)
    assert (await run_example("mfa_verify_by_face", client, challenge, picture)).id == person.id


async def test_the_example_of_the_recovery_code_shows_the_new_one(journey, capsys):
    """It prints the new recovery code."""
    _, person, client, challenge, _ = journey
    await run_example("mfa_verify_by_recovery_code", client, challenge, person.recovery_code)
    assert person.recovery_code in capsys.readouterr().out


async def test_the_example_of_binding_a_face_binds_it(journey):
    """A user without a face is logged in by two photos."""
    emu, _, client, _, picture = journey
    other = emu.add_user(username="bob", password="secret", mfa=["FACE"])
    with pytest.raises(MfaRequiredError) as caught:
        await client.login_by_account("bob", "secret")
    assert (await run_example("mfa_associate_by_face", client, caught.value.challenge, picture, picture)).id == other.id


def test_every_one_of_the_eight_calls_has_an_example():
    """An example defines one async function."""
    assert all(example(name)[1] for name in EIGHT)
