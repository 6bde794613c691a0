"""The wire both ways, as bytes: exact requests, and the meaning of every shape of answer.

More than 300 lines: one table for each part of a request and of an answer.
"""

from __future__ import annotations

import enum
import hashlib
import importlib.util
import json
import sys
from typing import Any

import attrs
import pytest

from authing_mfa import _json
from authing_mfa import operations as ops
from authing_mfa._json import DEPTH_LIMIT
from authing_mfa._version import __version__
from authing_mfa.errors import (
    ApiError,
    FaceError,
    InvalidInputError,
    InvalidMfaTokenError,
    LoginError,
    MfaRequiredError,
    NotAuthenticatedError,
    RateLimitedError,
    ResponseError,
    ServiceError,
    WrongCodeError,
    WrongPasswordError,
)
from authing_mfa.models import UserInfo
from authing_mfa.operations import Bearer, PublicConfig
from authing_mfa.passwords import EncryptedPassword
from authing_mfa.protocol import (
    Answer,
    RequestContext,
    Response,
    check_header_text,
    check_token,
    decode,
    encode,
)
from tests.endpoints import ENDPOINTS, SAMPLES

CONTEXT = RequestContext("app", "zh-CN", "pool", "tok-en")
COMMON = {
    "x-authing-app-id": "app",
    "x-authing-request-from": f"authing-mfa-python@{__version__}",
    "x-authing-sdk-version": __version__,
    "x-authing-lang": "zh-CN",
    "x-authing-userpool-id": "pool",
}
USER = {"id": "u1", "token": "t1"}


@pytest.fixture(params=["orjson", "stdlib"])
def parser(request, monkeypatch):
    """Both JSON libraries in turn: what is understood must not depend on what is installed."""
    if request.param == "stdlib":
        monkeypatch.setattr(_json, "orjson", None)
    else:
        assert _json.orjson is not None
    return request.param


def answer(body: object, status: int = 200, **headers: str) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def read(operation, body, status=200, **headers):
    return decode(operation, answer(body, status, **headers)).value


def refused(operation, body, status=200, kind=ApiError, **headers):
    with pytest.raises(kind) as caught:
        read(operation, body, status, **headers)
    assert type(caught.value) is kind
    return caught.value


CHECK = ops.MfaCheck("1")
TOTP = ops.VerifyByTotp("123456")
RECOVERY = ops.VerifyByRecoveryCode("old-code")

# ─────────────────────────────── requests ───────────────────────────────


@pytest.mark.parametrize(
    ("route", "operation", "sent"),
    [(endpoint.route, *call) for endpoint in ENDPOINTS for call in endpoint.calls],
    ids=lambda value: getattr(type(value), "__name__", ""),
)
def test_every_request_on_the_wire(parser, route, operation, sent):
    """Method, path, query, body and content type of each operation, exactly."""
    request = encode(operation, CONTEXT)
    query = f"?{sent}" if sent and isinstance(sent, str) else ""
    assert f"{request.method} {request.target}" == route + query
    if not isinstance(operation, ops.UploadFaceImage):  # its body has a test below
        assert (None if request.body is None else json.loads(request.body)) == (None if isinstance(sent, str) else sent)
        assert request.headers.get("Content-Type") == (None if isinstance(sent, str) else "application/json")


@pytest.mark.parametrize("cls", SAMPLES, ids=lambda cls: cls.__name__)
def test_a_member_of_an_enum_of_texts_is_sent_as_its_text(parser, cls):
    """In a query as in a body, and not as the name of the member."""
    arguments = SAMPLES[cls]
    members = tuple(enum.Enum("Text", {"IT": text}, type=str).IT if type(text) is str else text for text in arguments)
    plain, sent = (encode(cls(*values), CONTEXT) for values in (arguments, members))
    assert (sent.target, sent.body) == (plain.target, plain.body)


class Colour(enum.Enum):
    RED = 4


class Number(int, enum.Enum):
    FOUR = 4


@attrs.frozen(eq=False, repr=False, slots=False)
class OwnSearch(ops.Operation[list[Any]]):
    """An operation of a program, as the porting page offers it."""

    route = ops.Route.get("/api/v2/things", app="{app_id}")
    returns = list
    python_name = "own_search"
    page: Any = 1
    sort_by: Any = None


class OwnDelete(OwnSearch):
    route = ops.Route.delete("/api/v2/things")


class OwnPost(OwnSearch):
    route = ops.Route("POST", "/api/v2/things", (("app", "{app_id}"),))


class OwnPut(OwnSearch):
    route = ops.Route("PUT", "/api/v2/things")


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (2, "2"),
        (-(10**30), "-1000000000000000000000000000000"),
        (2.5, "2.5"),
        (True, "true"),
        (False, "false"),
        ("a b", "a+b"),
        (Number.FOUR, "4"),
        (Colour.RED, "4"),
    ],
    ids=repr,
)
def test_a_field_of_any_plain_type_is_sent_in_a_query(value, sent):
    """An operation of a program may have fields that no operation of the package has."""
    assert encode(OwnSearch(value), CONTEXT).target == f"/api/v2/things?app=app&page={sent}"
    assert encode(OwnDelete("x", value), CONTEXT).target == f"/api/v2/things?page=x&sortBy={sent}"


def test_a_field_that_is_none_is_not_in_the_query():
    """Whatever its default is."""
    assert encode(OwnSearch(None), CONTEXT).target == "/api/v2/things?app=app"
    assert encode(OwnDelete(None), CONTEXT).target == "/api/v2/things"


@pytest.mark.parametrize("value", [["a"], {"a": 1}, b"a", float("nan"), float("inf"), 2j], ids=repr)
def test_a_field_that_has_no_place_in_a_query_is_refused(value):
    """It is named, and not shown; nothing was sent."""
    with pytest.raises(InvalidInputError, match=r"^sortBy cannot be sent in a query: .* not \w+\.") as caught:
        encode(OwnSearch(1, value), CONTEXT)
    assert repr(value) not in str(caught.value)


@pytest.mark.parametrize(("cls", "target"), [(OwnPost, "/api/v2/things?app=app"), (OwnPut, "/api/v2/things")])
def test_every_other_method_has_a_body(parser, cls, target):
    """PUT and PATCH too; a constant query stays in the address."""
    request = encode(cls([1, {"a": None}], True), CONTEXT)
    assert (request.method, request.target) == (cls.route.method, target)
    assert json.loads(request.body) == {"page": [1, {"a": None}], "sortBy": True}
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("value", [{1, 2}, 2j, "\ud800"], ids=ascii)
def test_a_field_that_json_does_not_have_is_refused(parser, value):
    """With a sentence, whichever library writes the JSON; nothing was sent."""
    with pytest.raises(InvalidInputError, match=r"^A field of own_search cannot be sent as JSON: "):
        encode(OwnPost(value), CONTEXT)


@pytest.mark.parametrize("returns", [None, Any, set, list[str], {"id": str}, "dict"], ids=repr)
def test_a_result_that_nothing_can_be_read_as_is_refused_before_the_call(returns):
    """After it the call would be made and its answer lost, and a code spent."""
    cls = type("Own", (OwnPost,), {"returns": returns})
    with pytest.raises(InvalidInputError, match=r"^Own\.returns must be dict or list"):
        encode(cls(), CONTEXT)


def test_an_operation_without_a_result_or_a_name_is_refused_before_the_call():
    """The name stands in the errors of the answer."""
    route, name = ops.Route.post("/api/v2/things"), "nameless"
    with pytest.raises(InvalidInputError, match=r"^Own\.returns"):
        encode(type("Own", (ops.Operation,), {"route": route, "python_name": name})(), CONTEXT)
    with pytest.raises(InvalidInputError, match=r"^Own\.python_name"):
        encode(type("Own", (ops.Operation,), {"route": route, "returns": dict})(), CONTEXT)


@pytest.mark.parametrize("body", [[1, {"a": 2}], {"code": 200, "data": [1, {"a": 2}]}])
def test_an_own_operation_can_return_an_array(parser, body):
    """`returns = list` is the answer's array as it came, however long; an object is not one."""
    assert read(OwnSearch(), body) == [1, {"a": 2}]
    assert len(read(OwnSearch(), list(range(5000)))) == 5000
    with pytest.raises(
        ResponseError, match="own_search, but not as the protocol allows: an array expected, not an object"
    ):
        read(OwnSearch(), {"code": 200, "data": {}})


def test_an_app_id_cannot_change_the_path():
    """Characters with a meaning in a path are encoded."""
    request = encode(PublicConfig("a/../b?c"), CONTEXT)
    assert (request.method, request.target) == ("GET", "/api/v2/applications/a%2F..%2Fb%3Fc/public-config")


def test_orjson_is_not_needed(monkeypatch):
    """Without it, the standard library is used."""
    monkeypatch.setitem(sys.modules, "orjson", None)
    spec = importlib.util.spec_from_file_location("json_without_orjson", _json.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.orjson is None
    assert module.parse_json(b'{"code": 200, "data": true}') == {"code": 200, "data": True}


def test_both_parsers_write_the_same_bytes(monkeypatch):
    """Compact UTF-8 JSON, whatever library writes it."""
    operation = ops.LoginByAccount('密码 🙂 \u2028 " \\ \x7f', "p\n")
    fast = encode(operation, CONTEXT).body
    monkeypatch.setattr(_json, "orjson", None)
    assert encode(operation, CONTEXT).body == fast
    assert fast is not None
    assert b", " not in fast


@pytest.mark.parametrize("cls", SAMPLES, ids=lambda cls: cls.__name__)
def test_headers(cls):
    """The x-authing headers on every call, the bearer on all but those that never carry it."""
    headers = dict(encode(cls(*SAMPLES[cls]), CONTEXT).headers)
    headers.pop("Content-Type", None)
    bearer = {} if cls.bearer is Bearer.NEVER else {"Authorization": "Bearer tok-en"}
    assert headers == COMMON | bearer


@pytest.mark.parametrize("cls", SAMPLES, ids=lambda cls: cls.__name__)
def test_a_call_that_needs_a_token_says_so(cls):
    """Without a token a call for a user is a LoginError; the others go without the header."""
    operation = cls(*SAMPLES[cls])
    if cls.bearer is Bearer.REQUIRED:
        for attempt in (lambda: encode(operation, RequestContext("app")), lambda: check_token(operation, None)):
            with pytest.raises(LoginError, match=cls.python_name) as caught:
                attempt()
            assert caught.value.delivery == "not_sent"
    else:
        headers = encode(operation, RequestContext("app")).headers
        assert "Authorization" not in headers
        assert "x-authing-userpool-id" not in headers


@pytest.mark.parametrize("private", [True, False])
def test_an_upload_is_one_part_named_file(private):
    """Multipart with one part, the folder and the privacy in the query, no token; the same picture gives the same bytes."""
    image = b"\xff\xd8 picture \r\n--x\r\n"
    request = encode(ops.UploadFaceImage(image, private), CONTEXT)
    assert request.method == "POST"
    assert request.target == f"/api/v2/upload?folder=photos&private={'true' if private else 'false'}"
    boundary = hashlib.sha256(image).hexdigest()
    assert request.headers["Content-Type"] == f"multipart/form-data; boundary={boundary}"
    assert (
        request.body
        == (
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="file"; filename="personal.jpeg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        ).encode()
        + image
        + f"\r\n--{boundary}--\r\n".encode()
    )


def test_requests_and_identities_hide_their_secrets():
    """Neither the token nor the body nor the headers show in a repr."""
    request = encode(ops.VerifyByTotp("c0de-secret"), CONTEXT)
    shown = f"{request!r} {CONTEXT!r} {answer({'token': 'c0de-secret'})!r}"
    assert "tok-en" not in shown
    assert "c0de-secret" not in shown


@pytest.mark.parametrize("value", ["x", "a b", '~!"#', "Bearer-like.x_y"])
def test_header_text_that_passes(value):
    """Printable ASCII is unchanged."""
    assert check_header_text("token", value) == value


@pytest.mark.parametrize(
    "value", ["", "  ", "a\nb", "a\r\nX: y", "\t", "a\0", "a\x7f", "中", "é", "\ud800", 5, None, b"x"]
)
def test_header_text_that_does_not(value):
    """Empty, control characters, not ASCII, not text: refused, without being shown."""
    with pytest.raises(InvalidInputError, match="token") as caught:
        check_header_text("token", value)
    assert caught.value.delivery == "not_sent"
    assert not isinstance(value, str) or not value.strip() or value not in str(caught.value)


# ─────────────────────────────── success ───────────────────────────────


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("code", [200, 201, "200", " 201 ", 200.0])
@pytest.mark.parametrize("name", ["code", "apiCode", "statusCode"])
def test_success(parser, status, code, name):
    """200 and 201 are success as HTTP status and as code, under each of its names, as a number or as digits."""
    assert read(TOTP, {name: code, "data": USER}, status).id == "u1"


@pytest.mark.parametrize("nothing", [None, {"code": None}, {"apiCode": None, "statusCode": None}])
def test_an_object_without_a_code_is_the_payload(parser, nothing):
    """Older calls answer the bare object."""
    user = read(TOTP, {**USER, "unknown": [1], **(nothing or {})})
    assert (user.id, user.raw["unknown"]) == ("u1", [1])


def test_a_bare_array_is_the_payload(parser):
    """Custom data comes as a bare array."""
    (field,) = read(ops.GetCustomUserData("u1"), [{"key": "k", "value": "1", "dataType": "NUMBER"}])
    assert field.value == 1


@pytest.mark.parametrize(
    ("operation", "data", "expected"),
    [
        (CHECK, True, True),
        (CHECK, False, False),
        (ops.ListAuthenticators(), [], ()),
        (ops.DeleteTotp(), None, None),
        (ops.ConfirmTotp("1"), None, None),
        (ops.UploadFaceImage(b"x"), {"key": "k"}, "k"),
        (PublicConfig("app"), {"x": 1}, {"x": 1}),
    ],
)
def test_data_of_every_kind(parser, operation, data, expected):
    """`data` may be an object, an array, a boolean, or null."""
    assert read(operation, {"code": 200, "data": data}) == expected


@pytest.mark.parametrize("operation", [ops.DeleteTotp(), ops.SendSms("1"), ops.ConfirmTotp("1"), ops.UnbindFactor("f")])
def test_data_may_be_absent(parser, operation):
    """A call that only says yes needs no data."""
    assert read(operation, {"code": 200, "message": "好"}) is None


def test_the_services_words_come_along(parser):
    """The message stands beside the value; one that is not text is left out."""
    assert decode(CHECK, answer({"code": 200, "message": "好", "data": True})) == Answer(True, "好")
    assert decode(CHECK, answer({"code": 200, "message": 5, "data": True})) == Answer(True, None)
    assert decode(TOTP, answer(USER)).message is None


def test_a_new_recovery_code_beside_data(parser):
    """The new code reaches the caller, with a user and without."""
    body = {"code": 200, "data": USER, "recoveryCode": "new-code"}
    assert (read(RECOVERY, body).id, read(RECOVERY, body).recovery_code) == ("u1", "new-code")
    for data in (None, [], {"id": 5}):
        user = read(RECOVERY, {"code": 200, "data": data, "recoveryCode": "new-code"})
        assert (user.id, user.recovery_code) == (None, "new-code")
    assert read(RECOVERY, {"message": "", "recoveryCode": "new-code"}).recovery_code == "new-code"


def test_only_a_recovery_may_answer_a_code_without_a_user(parser):
    """Every other call needs a user in its answer, whatever is beside it."""
    refused(TOTP, {"code": 200, "data": None, "recoveryCode": "new-code"}, kind=ResponseError)
    assert read(TOTP, {"code": 200, "data": USER, "recoveryCode": "new-code"}).recovery_code == "new-code"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b" \r\n\t"])
def test_harmless_wrapping(parser, mark):
    """A byte-order mark or white space around the JSON does no harm; the content type is not looked at."""
    body = mark + b'{"code":200,"data":true}' + b"\n"
    assert read(CHECK, body, Content_Type="text/html; charset=latin-1") is True


# ─────────────────────────────── refusals ───────────────────────────────


@pytest.mark.parametrize("status", [200, 201, 400, 403, 499, 500])
@pytest.mark.parametrize("code", [2333, "2333", 2333.0])
def test_the_code_counts_whatever_the_status(parser, status, code):
    """The service's own code is what the error is about; status, data and request id are kept."""
    body = {"code": code, "message": "no", "data": {"a": 1}, "requestId": "r"}
    error = refused(TOTP, body, status, WrongPasswordError)
    assert (error.code, error.message, error.http_status) == (2333, "no", status)
    assert (error.data, error.request_id, error.delivery) == ({"a": 1}, "r", "answered")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"code": 1, "apiCode": 2, "statusCode": 3}, 1),
        ({"apiCode": 2, "statusCode": 3}, 2),
        ({"statusCode": 3}, 3),
        ({"code": None, "apiCode": "2011", "statusCode": 499}, 2011),
        ({"code": -1}, -1),
        ({"code": 0}, 0),
    ],
)
def test_which_code(parser, body, code):
    """`code`, else `apiCode`, else `statusCode`."""
    assert refused(TOTP, body).code == code


@pytest.mark.parametrize("body", [{}, {"message": "m"}, {"code": 200}, {"statusCode": "201"}])
@pytest.mark.parametrize("status", [204, 302, 400, 404, 500])
def test_a_bad_status_without_a_bad_code(parser, body, status):
    """Where the body has no code, or claims success, the HTTP status is the code."""
    assert refused(TOTP, body, status, ServiceError if status == 500 else ApiError).code == status


@pytest.mark.parametrize("code", [987654, 10**17])
def test_an_unknown_code_is_an_api_error(parser, code):
    """Unlisted codes keep their number."""
    assert refused(TOTP, {"code": code}).code == code


@pytest.mark.parametrize(
    ("operation", "status", "code", "kind"),
    [
        (TOTP, 200, 6001, WrongCodeError),
        (RECOVERY, 200, 6002, WrongCodeError),
        (ops.VerifyByPhone("1", "2"), 200, 2001, WrongCodeError),
        (ops.ConfirmTotp("1"), 400, 400, WrongCodeError),
        (TOTP, 400, 400, ApiError),
        (TOTP, 200, 2021, InvalidMfaTokenError),
        (TOTP, 200, 2020, NotAuthenticatedError),
        (TOTP, 401, 401, NotAuthenticatedError),
        (ops.VerifyByFace("k"), 200, 1702, FaceError),
        (ops.SendSms("1"), 200, 4004, RateLimitedError),
        (ops.SendSms("1"), 422, 422, RateLimitedError),
        (ops.SendMfaEmail("a@b.cn"), 200, 2080, RateLimitedError),
        (ops.UnbindFactor("f"), 200, 422, ApiError),
        (ops.SendMfaEmail("a@b.cn"), 200, 422, ApiError),
        (ops.UnbindPhone(), 200, 422, ApiError),
        (ops.SendSms("1"), 200, 2021, ApiError),
        (ops.SendMfaEmail("a@b.cn"), 200, 2021, ApiError),
        (ops.SendEmail("a@b.cn"), 200, 2021, ApiError),
        (TOTP, 500, 1000, ServiceError),
        (TOTP, 503, 503, ServiceError),
        (TOTP, 200, 500, ApiError),
    ],
)
def test_the_class_of_a_refusal(parser, operation, status, code, kind):
    """The class decides what to do next; codes with different meanings on different calls have different classes."""
    assert refused(operation, {"code": code, "message": "x"}, status, kind).code == code


@pytest.mark.parametrize("message", [None, "", 5, ["x"]])
def test_a_refusal_without_words_names_the_call(parser, message):
    """An error always has a message."""
    assert refused(TOTP, {"code": 2011, "message": message}).message == "The service refused mfa_verify_by_totp."


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"requestId": "r", "uniqueId": "u"}, "r"),
        ({"uniqueId": "u"}, "u"),
        ({"requestId": 5, "uniqueId": "u"}, "u"),
        ({"requestId": None}, None),
        ({}, None),
    ],
)
def test_request_id(parser, body, expected):
    """`requestId`, else `uniqueId`."""
    assert refused(TOTP, {"code": 2011, **body}).request_id == expected


@pytest.mark.parametrize("status", [200, 400, 403, 500])
@pytest.mark.parametrize("code", [1635, 1636, "1636"])
def test_a_second_factor_is_needed(parser, status, code):
    """1635 and 1636 both carry the challenge, whatever the HTTP status."""
    data = {"mfaToken": "m", "applicationMfa": [{"mfaPolicy": "SMS", "status": 1, "sort": 1}]}
    error = refused(
        ops.LoginByAccount("a", "b"), {"code": code, "message": "m", "data": data}, status, MfaRequiredError
    )
    assert error.challenge.token == "m"
    assert [factor.policy for factor in error.challenge.factors] == (["OTP"] if int(code) == 1635 else ["SMS"])
    assert error.challenge.raw == error.data == data


@pytest.mark.parametrize("data", [None, {}, {"mfaToken": 5}, {"mfaToken": ""}, [], True])
def test_a_challenge_that_cannot_be_read(parser, data):
    """Without a usable challenge there is no way on: the answer is not what the protocol allows."""
    error = refused(TOTP, {"code": 1636, "data": data}, kind=ResponseError)
    assert "challenge" in str(error)
    assert "1636" in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": " 7 "}, 7.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "1" * 10}, None),
        ({}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:27:00 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.0),
        ({"Retry-After": "Sun Nov  6 08:49:37 1994", "Date": "Sun, 06 Nov 1994 08:49:07 GMT"}, 30.0),
        ({"Retry-After": "Sunday, 06-Nov-94 08:49:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:07 -0000"}, 30.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "never"}, None),
        ({"Retry-After": "Mon, 1 Jan 2024 00:00:00 +99999999999999999", "Date": "Sun, 06 Nov 1994 08:49:07 GMT"}, None),
        ({"Retry-After": "1 Jan 99999999999999999999 00:00:00", "Date": "Sun, 06 Nov 1994 08:49:07 GMT"}, None),
        ({"Retry-After": "Mon, 1 Jan 2024 00:00:00 +9999", "Date": "Sun, 06 Nov 1994 08:49:07 GMT"}, None),
    ],
)
@pytest.mark.parametrize("body", [b'{"code":6001,"message":"slow"}', b"<html>", b""])
def test_retry_after(parser, headers, seconds, body):
    """Seconds, or a date counted from the answer's own date; with any body, and no header can break it."""
    with pytest.raises(RateLimitedError) as caught:
        decode(TOTP, Response(429, headers, body))
    assert (caught.value.retry_after, caught.value.http_status) == (seconds, 429)


# ─────────────────────────────── what the protocol does not allow ───────────────────────────────

UNREADABLE = [
    b"",
    b"  \n",
    b"<html><body>502 Bad Gateway</body></html>",
    b"{",
    b'{"code":200',
    b"true",
    b'"text"',
    b"5",
    b"null",
    b"\xff\xfe{\x00}\x00",
    b"\x80",
    b'{"code":"two"}',
    b'{"code":true}',
    b'{"code":1.5}',
    b'{"code":[200]}',
    b'{"code":""}',
    b'{"apiCode":{}}',
    b'{"code":NaN}',
    b'{"code":200,"data":Infinity}',
    b'{"code":200,"data":1e999}',
    b'{"code":200,"data":"\\ud800"}',
    b'{"code":200,"\\uDC00":1}',
    b'{"code":200}}',
    b'{"code":01}',
    b"{'code':200}",
    b'{"a":"\x01"}',
    b"[" * 5000,
    b"[" * 300 + b"]" * 300,
    b'{"a":' * 200 + b"1" + b"}" * 200,
    b'{"code":' + b"9" * 5000 + b"}",
    b"[1,2]",
    b"[]",
]


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: body[:24])
@pytest.mark.parametrize("status", [200, 201, 404, 500, 502])
def test_unreadable_answers(parser, body, status):
    """HTML, nothing, half of something, a wrong type, too deep: an error with the status, not a crash, and no text of it."""
    with pytest.raises(ResponseError) as caught:
        decode(TOTP, Response(status, {}, body))
    error = caught.value
    assert (error.http_status, error.code, error.delivery) == (status, 10004, "answered")
    assert "Bad Gateway" not in str(error)


@pytest.mark.parametrize("body", [*UNREADABLE[:-2], b"[1,2]"], ids=lambda body: body[:24])
@pytest.mark.parametrize(("status", "kind"), [(401, NotAuthenticatedError), (429, RateLimitedError)])
def test_401_and_429_keep_their_meaning(parser, body, status, kind):
    """A gateway's page still says "log in" or "slow down"."""
    error = refused(TOTP, body, status, kind)
    assert (error.code, error.http_status, error.data) == (status, status, None)


@pytest.mark.parametrize(
    ("operation", "data"),
    [
        (TOTP, None),
        (TOTP, {}),
        (TOTP, {"id": 5}),
        (TOTP, True),
        (TOTP, []),
        (RECOVERY, {}),
        (CHECK, None),
        (CHECK, "true"),
        (CHECK, {"result": True}),
        (ops.UploadFaceImage(b"x"), {"url": "u"}),
        (ops.AssociateTotp(), {"secret": "s"}),
        (ops.ListAuthenticators(), {}),
        (ops.GetCustomUserData("u"), None),
        (PublicConfig("a"), None),
    ],
)
def test_a_success_without_its_value(parser, operation, data):
    """A missing user, a wrong type: an error that names the call, never a half-filled object."""
    error = refused(operation, {"code": 200, "data": data}, kind=ResponseError)
    assert operation.python_name in str(error)
    assert error.http_status == 200


def test_how_deep_is_too_deep(parser):
    """Up to the limit everything is read; one level more is refused. A flat answer of any width is read."""

    def nested(levels):
        return b'{"code":200,"data":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"

    assert read(ops.DeleteTotp(), nested(DEPTH_LIMIT)) is None
    with pytest.raises(ResponseError, match="too deep"):
        read(ops.DeleteTotp(), nested(DEPTH_LIMIT + 1))
    assert read(ops.DeleteTotp(), {"code": 200, "data": [{}] * 1000}) is None


def test_numbers_beyond_64_bits(parser):
    """They are floats with either library, so that a value never changes its type with what is installed."""
    user = read(
        TOTP,
        b'{"id":"u","a":18446744073709551615,"b":18446744073709551616,"c":-9223372036854775808,"d":-9223372036854775809,"e":123456789012345678901234567890}',
    )
    assert user.raw["a"] == 18446744073709551615
    assert user.raw["c"] == -9223372036854775808
    for name, value in (("b", 18446744073709551616.0), ("d", -9223372036854775809.0), ("e", 1.2345678901234568e29)):
        assert user.raw[name] == value
        assert isinstance(user.raw[name], float)


@pytest.mark.parametrize("name", ["code", "apiCode", "statusCode"])
@pytest.mark.parametrize(
    "number", ["18446744073709551615", "-1000000000000000000", "1e18", "1e300", '"1000000000000000000"']
)
def test_a_code_has_18_digits_at_most(parser, name, number):
    """A larger number is no code: Parquet, databases and telemetry hold 64 bits, and the run that wrote it there would end."""
    body = f'{{"{name}":{number},"message":"no"}}'.encode()
    assert "18 digits" in refused(TOTP, body, kind=ResponseError).message
    largest = f'{{"{name}":999999999999999999,"message":"no"}}'.encode()
    assert refused(TOTP, largest, kind=ApiError).code == 999999999999999999


def test_pairs_of_surrogates_and_repeated_keys(parser):
    """An escaped pair is one character; the last of two equal keys counts."""
    user = read(TOTP, b'{"id":"first","id":"u","name":"\\ud83d\\ude00 \\\\ud800"}')
    assert (user.id, user.name) == ("u", "😀 \\ud800")


# ─────────────────────────────── secrets ───────────────────────────────


def test_an_echoed_secret_is_not_shown(parser):
    """A service that repeats the token, the code or the password in its message cannot make an error leak it."""
    sealed = EncryptedPassword("c2VhbGVk")
    sealed.plain = "hunter2"
    operation = ops.LoginByAccount("ada", sealed)
    body = {"code": 2333, "message": "no: ada hunter2 c2VhbGVk Bearer tok-en-of-ada", "data": {"x": "tok-en-of-ada"}}
    with pytest.raises(ApiError) as caught:
        decode(operation, answer(body), RequestContext("app", token="tok-en-of-ada"))
    assert caught.value.message == "no: ada *** *** Bearer ***"
    error = refused(
        ops.VerifyByPhone("1390", "777888"), {"code": 6001, "message": "777888 for 1390"}, kind=WrongCodeError
    )
    assert error.message == "*** for 1390"


def test_a_secret_within_a_secret(parser):
    """The longer one is replaced first, so that nothing of it remains."""
    with pytest.raises(ApiError) as caught:
        decode(
            ops.VerifyByTotp("123"),
            answer({"code": 6001, "message": "abc.123.def / 123"}),
            RequestContext("app", token="abc.123.def"),
        )
    assert caught.value.message == "*** / ***"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("code '777888' is wrong", "code '***' is wrong"),
        ('code "777888"', 'code "***"'),
        ("code=777888&x", "code=***&x"),
        ("码777888错", "码***错"),
        ("'777888' isn't '777888'", "'***' isn't '***'"),
        ("order 17778889", "order 17778889"),
        ("x-long-tok-en-y of%3Along-tok-en1", "x-***-y of%3A***1"),
    ],
)
def test_a_secret_is_found_in_any_form(parser, message, shown):
    """Quoted, beside signs or Chinese text; a long one also inside a word. A longer number is not the code."""
    with pytest.raises(WrongCodeError) as caught:
        decode(
            ops.VerifyByTotp("777888"),
            answer({"code": 6001, "message": message}),
            RequestContext("app", token="long-tok-en"),
        )
    assert caught.value.message == shown


@pytest.mark.parametrize(
    ("code", "message", "shown"),
    [
        (" 123456", "code 123456 is wrong", "code *** is wrong"),
        ("123 456", "code 123456, 123-456", "code ***, ***"),
        ("123456", "123 456 and 1234567", "*** and 1234567"),
        ("1234-5678-9012", "123456789012 is wrong", "*** is wrong"),
        ("abcd-EF01-2345", "x:ABCDEF012345!", "x:***!"),
        ("abcdef012345", "ABCD-EF01-2345", "***"),
        ("aB1", "Ab1, cab1", "***, cab1"),
        ("(1)", "no ( 1 ) here", "no *** here"),
        ("--", "a -- b", "a *** b"),
        ("9" * 65, "9 " * 65, "9 " * 65),
    ],
)
def test_a_code_is_found_however_it_is_spelt(parser, code, message, shown):
    """Pasted with blanks, in groups, in other case; what is longer than a code is found only as it is."""
    error = refused(ops.VerifyByTotp(code), {"code": 6001, "message": message}, kind=WrongCodeError)
    assert error.message == shown


def test_a_password_is_found_only_as_it_is(parser):
    """Its blanks, hyphens and case are part of it; a word of the service that is like it stays."""
    body = {"code": 2333, "message": "Pass-Word: the password was pass-word or sec ret, not secret"}
    error = refused(ops.LoginByAccount("ada", "pass-word"), body, kind=WrongPasswordError)
    assert error.message == "Pass-Word: the password was *** or sec ret, not secret"
    error = refused(ops.LoginByAccount("ada", "sec ret"), body, kind=WrongPasswordError)
    assert error.message == "Pass-Word: the password was pass-word or ***, not secret"


def test_the_services_own_words_stay_whole(parser):
    """A short code, or a token that is a word, removes nothing else from the message."""
    with pytest.raises(ApiError) as caught:
        decode(
            ops.VerifyByTotp("e"),
            answer({"code": 2021, "message": "the token has expired, can't go on: e"}),
            RequestContext("app", token="token"),
        )
    assert caught.value.message == "the token has expired, can't go on: ***"


def test_user_of_a_recovery_hides_the_new_code(parser):
    """The new code is for the caller, not for a log of the user."""
    user = read(RECOVERY, {"code": 200, "data": USER, "recoveryCode": "new-code"})
    assert isinstance(user, UserInfo)
    assert "new-code" not in repr(user)
