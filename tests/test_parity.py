"""The two faces agree: every operation has a method on both, with the same parameters, types, defaults, answer and words."""

import collections.abc
import inspect
import re
import typing

import attrs
import pytest

from authing_mfa import AuthClient, UserInfo
from authing_mfa import operations as ops
from authing_mfa.compat import CompatAuthClient, Dispatcher
from authing_mfa.compat import client as surface
from authing_mfa.images import ImageSource
from authing_mfa.operations import OPERATIONS, PhotoKey

SWIFT_NAME = {"private": "isPrivate"}  # the one parameter that is called otherwise in Swift
NOT_OFFERED = {ops.AssociateTotp: {"source"}, ops.ConfirmTotp: {"source"}}  # fields that only the wire knows
SECOND_NAMES = {"mfa_verify_by_otp": "mfaVerifyByTOTP"}  # the document's other name for one call, on both faces

PAIRS = [pytest.param(operation, name, id=name) for operation in OPERATIONS for name in operation.swift_names]
ASYNC_TO_SWIFT = {operation.python_name: operation.swift_names[0] for operation in OPERATIONS}
TYPES = {
    **vars(typing),
    **vars(collections.abc),
    **vars(surface),
    "AuthClient": AuthClient,
    "Dispatcher": Dispatcher,
    "ImageSource": ImageSource,
}


def camel(name):
    first, *rest = name.split("_")
    return SWIFT_NAME.get(name, first + "".join(word.capitalize() for word in rest))


def parameters(method):
    """Name, type and default of each parameter but self, evaluated."""
    kinds = {}
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        kinds[parameter.name] = (eval(str(parameter.annotation), dict(TYPES)), parameter.default)
    return kinds


def answer(method):
    text = inspect.signature(method).return_annotation
    return eval(text, {**TYPES, **vars(inspect.getmodule(ops))})


def words(method):
    return inspect.getdoc(method).split("\n\n")[0]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_every_operation_has_a_method_on_both_faces(operation):
    """A new endpoint is one class and two thin methods."""
    assert inspect.iscoroutinefunction(getattr(AuthClient, operation.python_name))
    assert operation.swift_names
    for name in operation.swift_names:
        assert callable(getattr(CompatAuthClient, name))


def test_no_face_has_a_call_that_the_other_lacks():
    """Nothing but calls, and a client's own life, is public."""
    swift = {name for name in vars(CompatAuthClient) if not name.startswith("_")}
    assert swift == {name for operation in OPERATIONS for name in operation.swift_names}
    ours = {name for name in vars(AuthClient) if not name.startswith("_")}
    calls = {operation.python_name for operation in OPERATIONS} | set(SECOND_NAMES)
    assert ours - calls == {"aclose", "answer", "as_user", "connect", "from_core", "max_connections", "perform"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_the_async_method_takes_the_operations_fields(operation):
    """In their order, with their defaults."""
    hidden = NOT_OFFERED.get(operation, set())
    fields = [field for field in attrs.fields(operation) if field.name not in hidden]
    taken = parameters(getattr(AuthClient, operation.python_name))
    assert list(taken) == [field.name for field in fields]
    for field in fields:
        default = inspect.Parameter.empty if field.default is attrs.NOTHING else field.default
        assert taken[field.name][1] == default, field.name


@pytest.mark.parametrize(("operation", "name"), PAIRS)
def test_the_swift_method_takes_the_same_parameters(operation, name):
    """Required ones first, then the completion, then by name the optional ones and ours."""
    ours = {camel(key): value for key, value in parameters(getattr(AuthClient, operation.python_name)).items()}
    swift = parameters(getattr(CompatAuthClient, name))
    own = {key: swift.pop(key) for key in ("completion", "dispatcher", "owner")}
    if operation in (ops.MfaCheck, ops.SendEmail):  # in Swift all must be named, nil where there is none
        ours = {key: (kind, inspect.Parameter.empty) for key, (kind, _) in ours.items()}
    if operation is ops.GetCustomUserData:  # as in Swift, the user's information says who is meant
        ours["userId"] = (str | UserInfo, inspect.Parameter.empty)
    assert swift == ours
    assert own["dispatcher"] == (Dispatcher | None, None)
    assert own["owner"] == (object, None)
    kinds = {parameter.name: parameter.kind for parameter in signature(name).values()}
    assert kinds["dispatcher"] is kinds["owner"] is inspect.Parameter.KEYWORD_ONLY


def signature(name):
    return dict(list(inspect.signature(getattr(CompatAuthClient, name)).parameters.items())[1:])


@pytest.mark.parametrize(("operation", "name"), PAIRS)
def test_the_completion_is_the_last_positional_parameter(operation, name):
    """As in Swift, where it is a trailing closure. The upload's has a default before it, so it goes by name."""
    positional = [key for key, parameter in signature(name).items() if parameter.kind is not parameter.KEYWORD_ONLY]
    if operation is ops.UploadFaceImage:
        assert positional == ["image", "isPrivate"]
        assert next(key for key, p in signature(name).items() if p.kind is p.KEYWORD_ONLY) == "completion"
    else:
        assert positional[-1] == "completion"
        assert all(signature(name)[key].default is inspect.Parameter.empty for key in positional)


@pytest.mark.parametrize(("operation", "name"), PAIRS)
def test_the_completion_gets_what_the_async_method_answers(operation, name):
    """Its type says so exactly."""
    value = answer(getattr(AuthClient, operation.python_name))
    completion, _ = parameters(getattr(CompatAuthClient, name))["completion"]
    if value is None:
        assert completion == surface.EmptyCompletion
        return
    if value in (UserInfo, UserInfo | None):
        assert completion == surface.UserCompletion
        return
    arguments, returned = typing.get_args(completion)
    assert returned is object
    if operation is ops.UploadFaceImage:
        assert operation.returns is PhotoKey
        assert arguments == [int, str | None]
    else:
        assert arguments == [int, str | None, value | None]


@pytest.mark.parametrize(("operation", "name"), PAIRS)
def test_both_faces_say_the_same(operation, name):
    """The first paragraph is the same, but for the names of methods."""
    ours = words(getattr(AuthClient, operation.python_name))
    swift = words(getattr(CompatAuthClient, name))
    if name in SECOND_NAMES.values():
        [second] = [key for key, value in SECOND_NAMES.items() if value == name]
        ours = words(getattr(AuthClient, second))
    translated = re.sub(r"`([a-z_]+)`", lambda match: f"`{ASYNC_TO_SWIFT.get(match[1], match[1])}`", ours)
    assert swift == translated


@pytest.mark.parametrize(("ours", "swift"), SECOND_NAMES.items())
def test_the_second_name_is_the_same_call(ours, swift):
    """mfa_verify_by_otp is mfa_verify_by_totp."""
    assert parameters(getattr(AuthClient, ours)) == parameters(AuthClient.mfa_verify_by_totp)
    assert swift in ops.VerifyByTotp.swift_names
