"""The v3 API and the newer calls, as bytes: envelopes, published samples, captcha, GraphQL, what is never half-filled.

More than 300 lines: one table for each newer call.
"""

from __future__ import annotations

import base64
import json
import time

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from authing_mfa import operations as ops
from authing_mfa.errors import (
    ApiError,
    AuthingError,
    CaptchaRequiredError,
    InvalidInputError,
    MfaRequiredError,
    NotAuthenticatedError,
    PasswordChangeRequiredError,
    RateLimitedError,
    ResponseError,
    ServiceError,
    WrongCodeError,
    WrongPasswordError,
)
from authing_mfa.models import (
    Captcha,
    IdToken,
    MfaChallenge,
    MfaFactor,
    MfaTokenInfo,
    UserInfo,
)
from authing_mfa.protocol import RequestContext, Response, decode, encode
from tests.endpoints import ENDPOINTS, OTP_DATA, SMS_FACTOR, STARTED, SVG

LOGIN = ops.LoginByAccount("ada", "hunter2")
CHECK = ops.CheckTotp("123456")
LIST = ops.ListEnrolledFactors()
RESET = ops.UnbindFactor("f")
EXPIRED = ops.ChangeExpiredPassword("t0ken-to-change", "old-password", "new-password")


def answer(body, status=200, **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()}), raw)


def read(operation, body, status=200, **headers):
    return decode(operation, answer(body, status, **headers)).value


def refused(operation, body, kind, status=200):
    with pytest.raises(AuthingError) as caught:
        read(operation, body, status)
    assert type(caught.value) is kind
    return caught.value


# ─────────────────────── the v3 envelope ───────────────────────


@pytest.mark.parametrize("status_code", [200, 201, "200"])
@pytest.mark.parametrize("api_code", [{}, {"apiCode": None}, {"apiCode": 0}, {"apiCode": 200}, {"apiCode": 20001}])
@pytest.mark.parametrize("http_status", [200, 201])
def test_a_v3_success(status_code, api_code, http_status):
    """200 or 201 in `statusCode` is a success, with no `apiCode` or with one of those that published successes carry."""
    body = {"statusCode": status_code, "message": "操作成功", **api_code, "data": {"verified": True}}
    got = decode(CHECK, answer(body, http_status))
    assert (got.value, got.message) == (True, "操作成功")


def test_the_published_success_without_data():
    """The sample that was once raised as an error."""
    assert read(RESET, {"statusCode": 200, "message": "操作成功", "apiCode": 20001}) is None


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        ({"statusCode": 200, "apiCode": 2020}, NotAuthenticatedError, 2020),
        ({"statusCode": 499, "apiCode": "2011"}, ApiError, 2011),
        ({"statusCode": 403, "apiCode": 2333}, WrongPasswordError, 2333),
        ({"statusCode": 400, "apiCode": 6001}, WrongCodeError, 6001),
        ({"statusCode": 401}, NotAuthenticatedError, 401),
        ({"statusCode": 401, "apiCode": 987654}, NotAuthenticatedError, 987654),
        ({"statusCode": 401, "apiCode": 20001}, NotAuthenticatedError, 401),
        ({"statusCode": 422}, ApiError, 422),
        ({"statusCode": 422, "apiCode": 0}, ApiError, 422),
        ({"statusCode": 422, "apiCode": 200}, ApiError, 422),
        ({"statusCode": 429}, RateLimitedError, 429),
        ({"statusCode": 429, "apiCode": 987654}, RateLimitedError, 987654),
        ({"statusCode": 500}, ServiceError, 500),
        ({"statusCode": 503, "apiCode": 987654}, ServiceError, 987654),
        ({"statusCode": 601}, ApiError, 601),
        ({"statusCode": 400, "apiCode": 1600}, ApiError, 1600),
        ({"code": 500, "statusCode": 500}, ApiError, 500),
    ],
)
def test_a_v3_refusal(body, kind, code):
    """`apiCode` says what is wrong, else `statusCode`; the kind follows from the code, else from `statusCode`."""
    error = refused(RESET, {**body, "message": "no", "requestId": "r"}, kind)
    assert (error.code, error.message, error.request_id, error.http_status) == (code, "no", "r", 200)


def test_422_of_reset_factor_keeps_the_services_words():
    """It is a business rule there, not "too soon"."""
    error = refused(RESET, {"statusCode": 422, "message": "cannot unbind the only factor"}, ApiError)
    assert error.message == "cannot unbind the only factor"


@pytest.mark.parametrize("operation", [ops.SendSms("1"), ops.SendEmail("a@b.cn"), ops.SendMfaEmail("a@b.cn")])
def test_2021_of_a_sending_call_is_no_expired_token(operation):
    """A template is missing there: to log in again would not help."""
    assert refused(operation, {"code": 2021, "message": "邮件模版不存在"}, ApiError).message == "邮件模版不存在"


@pytest.mark.parametrize("status", [500, 502, 503, 599])
def test_a_5xx_with_the_services_own_body(status):
    """The service broke, and says so itself."""
    error = refused(LOGIN, {"message": "Internal server error", "statusCode": status}, ServiceError, status)
    assert (error.code, error.http_status, error.delivery) == (status, status, "answered")


# ─────────────────────── what a login asks for ───────────────────────


@pytest.mark.parametrize("code", [1639, 2058, 2071])
@pytest.mark.parametrize(
    ("data", "token"), [({"token": "t"}, "t"), ({"token": 5}, None), ({}, None), (None, None), ([], None)]
)
def test_a_new_password_is_asked_for(code, data, token):
    """The token to change it travels with the error, where there is one."""
    assert refused(LOGIN, {"code": code, "message": "change", "data": data}, PasswordChangeRequiredError).token == token


def test_a_captcha_is_asked_for():
    """2000, as `code` or as `apiCode`."""
    assert refused(LOGIN, {"code": 2000, "message": "请输入图形验证码"}, CaptchaRequiredError).code == 2000
    refused(LOGIN, {"statusCode": 400, "apiCode": 2000}, CaptchaRequiredError)


@pytest.mark.parametrize(
    ("content_type", "body", "media_type"),
    [
        ("image/svg+xml", SVG, "image/svg+xml"),
        ("image/svg+xml; charset=utf-8", SVG, "image/svg+xml"),
        ("text/html", b"\n" + SVG, "image/svg+xml"),
        ("", SVG, "image/svg+xml"),
        ("image/PNG", b"\x89PNG", "image/png"),
    ],
)
def test_a_captcha_is_the_picture_itself(content_type, body, media_type):
    """The bytes as they came, whatever a server calls an SVG."""
    captcha = read(ops.GetCaptcha(), body, Content_Type=content_type)
    assert captcha == Captcha(body, media_type, None)
    assert repr(captcha) == f"Captcha(media_type={media_type!r})"


@pytest.mark.parametrize("body", [{"code": 200, "data": "<svg>"}, {}, []])
def test_a_captcha_that_is_no_picture(body):
    """The error says so in words of the reader, not with the name of a class."""
    error = refused(ops.GetCaptcha(), body, kind=ResponseError)
    assert (
        error.message
        == "The service answered get_captcha, but not as the protocol allows: a picture expected, not JSON."
    )


def test_every_cookie_of_a_captcha_travels_in_its_value():
    """No source names the cookie, so all are kept: their pairs, not their attributes. The value does not show them."""
    headers = CIMultiDict({"Content-Type": "image/svg+xml"})
    for line in ("authing=abc; Path=/; HttpOnly", "sid=d=e; Secure", "no-pair", "bad=\x01; Path=/"):
        headers.add("Set-Cookie", line)
    captcha = decode(ops.GetCaptcha(), Response(200, CIMultiDictProxy(headers), SVG)).value
    assert captcha.cookie == "authing=abc; sid=d=e"
    assert "abc" not in repr(captcha)


def test_the_cookie_goes_with_the_login_and_with_nothing_else():
    """It is a header of this one request; the headers that other requests share stay without it."""
    context = RequestContext("app")
    with_captcha = ops.LoginByAccount("ada", "pw", captcha_code="AbCd", captcha=Captcha(SVG, cookie="authing=abc"))
    assert encode(with_captcha, context).headers["Cookie"] == "authing=abc"
    assert encode(with_captcha, context).headers["x-authing-app-id"] == "app"
    for other in (LOGIN, ops.SendSms("1"), ops.LoginByAccount("ada", "pw", captcha_code="x", captcha=Captcha(SVG))):
        assert "Cookie" not in encode(other, context).headers


@pytest.mark.parametrize("cookie", ["a=b\r\nX: y", "", "é=1"])
def test_a_cookie_that_cannot_stand_in_a_header(cookie):
    """It is refused before anything is sent."""
    with pytest.raises(InvalidInputError, match="cookie"):
        encode(
            ops.LoginByAccount("a", "b", captcha_code="x", captcha=Captcha(SVG, cookie=cookie)), RequestContext("app")
        )


@pytest.mark.parametrize(
    ("body", "content_type", "kind"),
    [
        (b"", "image/svg+xml", ResponseError),
        (b"<html></html>", "text/html", ResponseError),
        (b'{"code":200,"data":{}}', "application/json", ResponseError),
        (b'{"code":2011,"message":"no"}', "application/json", ApiError),
        (b"[]", "application/json", ResponseError),
    ],
)
def test_what_is_no_picture(body, content_type, kind):
    """A page, nothing, JSON: an error, and the service's own where it says why."""
    with pytest.raises(kind):
        read(ops.GetCaptcha(), body, Content_Type=content_type)


@pytest.mark.parametrize("status", [404, 500])
def test_a_picture_with_a_bad_status_is_no_captcha(status):
    """An error page may be a picture."""
    with pytest.raises(ResponseError):
        read(ops.GetCaptcha(), SVG, status, Content_Type="image/svg+xml")


# ─────────────────────── GraphQL ───────────────────────

FIELD = "resetPasswordByForceResetToken"


def test_a_graphql_success():
    """The answer stands in `data` under the field that was asked for."""
    got = decode(EXPIRED, answer({"data": {FIELD: {"code": 200, "message": "ok"}}}))
    assert (got.value, got.message) == (None, "ok")


@pytest.mark.parametrize(
    "body",
    [
        {"data": {FIELD: {"code": 2061, "message": "weak"}}},
        {"errors": [{"message": {"code": 2061, "message": "weak", "data": None}}], "data": None},
        {"errors": [{"message": {"code": 2061, "message": "weak"}, "path": [FIELD]}], "data": {FIELD: None}},
        {"code": 2061, "message": "weak"},
    ],
)
def test_a_graphql_refusal(body):
    """A code in the answer, in the message of an error, or in an ordinary envelope."""
    error = refused(EXPIRED, body, ApiError)
    assert (error.code, error.message) == (2061, "weak")


def test_a_graphql_refusal_does_not_repeat_secrets():
    """The token and both passwords are the caller's own."""
    body = {"errors": [{"message": {"code": 2206, "message": "t0ken-to-change old-password new-password"}}]}
    assert refused(EXPIRED, body, NotAuthenticatedError).message == "*** *** ***"


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"message": "Cannot query field"}]},
        {"errors": ["x"]},
        {"errors": [{"message": {"message": "no code"}}]},
        {"errors": [{"message": "no code, beside a success"}], "data": {FIELD: {"code": 200}}},
        {"data": {}},
        {"data": None},
        {"data": {FIELD: None}},
        {"data": {FIELD: True}},
        {},
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_a_graphql_answer_that_says_nothing(body, status):
    """An error without a code, or no answer at all, never counts as a success."""
    with pytest.raises((ResponseError, ApiError)):
        read(EXPIRED, body, status)


# ─────────────────────── step-up ───────────────────────


@pytest.mark.parametrize(
    "body",
    [
        {"statusCode": 200, "data": {"verified": False}},
        {"statusCode": 400, "apiCode": 6001, "message": "wrong"},
        {"statusCode": 499, "apiCode": "6001"},
        {"code": 2001},
    ],
)
def test_a_wrong_totp_code_is_false(body):
    """Whether the service says it with `verified` or with a code."""
    assert read(CHECK, body) is False


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"statusCode": 401}, NotAuthenticatedError),
        ({"statusCode": 400}, ApiError),
        ({"statusCode": 500}, ServiceError),
        ({"statusCode": 200, "data": {"verified": "true"}}, ResponseError),
        ({"statusCode": 200, "data": {"verified": None}}, ResponseError),
        ({"statusCode": 200, "data": {"id": "u1", "token": "t"}}, ResponseError),
        ({"statusCode": 200}, ResponseError),
    ],
)
def test_only_a_wrong_code_is_false(body, kind):
    """Anything else that is not a clear yes is an error, never False and never True."""
    with pytest.raises(kind):
        read(CHECK, body)


LIVE = {"active": True, "userPoolId": "p", "userId": "u", "exp": 1679859628, "iat": 1679859268}


@pytest.mark.parametrize("body", [LIVE, {"statusCode": 200, "data": LIVE}, {"code": 200, "data": LIVE}])
def test_introspection(body):
    """The flat object that is documented, and the same in an envelope."""
    info = read(ops.IntrospectMfaToken("m"), body)
    assert info == MfaTokenInfo(True, "u", "p", 1679859628.0, 1679859268.0, LIVE)
    assert type(info.expires_at) is float


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"active": None},
        {"active": 1},
        {"active": "true"},
        {"active": True, "exp": "soon"},
        {"active": True, "exp": True},
    ],
)
def test_an_introspection_that_cannot_be_read(body):
    """Nothing but true is active."""
    with pytest.raises(ResponseError):
        read(ops.IntrospectMfaToken("m"), body)


# ─────────────────────── published samples ───────────────────────


@pytest.mark.parametrize(
    ("operation", "data", "expected"),
    [
        (endpoint.operation, *answer)
        for endpoint in ENDPOINTS
        for answer in endpoint.answers
        if not isinstance(answer[0], bytes)
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize(
    "envelope",
    [
        {"statusCode": 200, "message": "操作成功", "requestId": "934108e5-9fbf-4d24-8da1-c330328abd6c"},
        {"statusCode": 200, "message": "操作成功", "apiCode": 20001},
        {"code": 200, "message": "操作成功"},
    ],
)
def test_published_samples(operation, data, expected, envelope):
    """What the service's pages show is read, in each envelope that they use."""
    assert read(operation, {**envelope, "data": data}) == expected


@pytest.mark.parametrize("operation", [RESET, ops.EnrollFactor("t", "OTP", "1"), ops.Logout(), ops.SendEmail("a@b.cn")])
def test_published_samples_without_data(operation):
    """These calls only say yes."""
    assert read(operation, {"statusCode": 200, "message": "操作成功", "requestId": "9341"}) is None


def test_no_enrollment_shows_its_secrets():
    """Neither token nor secret nor recovery code is in a repr."""
    enrollment = read(ops.SendEnrollFactorRequest("OTP"), {"statusCode": 200, "data": STARTED})
    assert repr(enrollment) == "FactorEnrollment()"
    assert repr(IdToken("secret", 1.0, 2.0)) == "IdToken(issued_at=1.0, expires_at=2.0)"


@pytest.mark.parametrize(
    ("operation", "data"),
    [
        (LIST, "x"),
        (LIST, [None]),
        (LIST, [{}]),
        (LIST, [{"factorId": 5, "factorType": "SMS"}]),
        (LIST, [{"factorId": "", "factorType": "SMS"}]),
        (LIST, [{"factorId": "f"}]),
        (LIST, [{**SMS_FACTOR, "profile": "x"}]),
        (LIST, [{**SMS_FACTOR, "profile": {"phoneNumber": 5}}]),
        (ops.GetFactor("f"), None),
        (ops.GetFactor("f"), [SMS_FACTOR]),
        (ops.ListFactorsToEnroll(), ["SMS"]),
        (ops.ListFactorsToEnroll(), [{}]),
        (ops.SendEnrollFactorRequest("OTP"), None),
        (ops.SendEnrollFactorRequest("OTP"), {}),
        (ops.SendEnrollFactorRequest("OTP"), {"enrollmentToken": ""}),
        (ops.SendEnrollFactorRequest("OTP"), {"enrollmentToken": "t", "otpData": []}),
        (ops.SendEnrollFactorRequest("OTP"), {"enrollmentToken": "t", "otpData": {}}),
        (ops.SendEnrollFactorRequest("OTP"), {"enrollmentToken": "t", "otpData": {"qrCodeUri": "otpauth://totp/x"}}),
        (ops.SendEnrollFactorRequest("OTP"), {"enrollmentToken": "t", "otpData": {**OTP_DATA, "qrCodeDataUrl": "x"}}),
        (ops.SendEnrollFactorRequest("OTP"), {"enrollmentToken": "t", "otpData": {**OTP_DATA, "recoveryCode": 5}}),
        (ops.RefreshIdToken(), {}),
        (ops.RefreshIdToken(), {"token": "t", "exp": "soon"}),
        (ops.GetSecurityLevel(), None),
        (ops.GetSecurityLevel(), {"score": "60"}),
        (ops.GetSecurityLevel(), {"score": True}),
        (ops.GetSecurityLevel(), {"mfa": 1}),
    ],
)
def test_nothing_half_filled(operation, data):
    """A missing part or a wrong type is an error that names the call."""
    with pytest.raises(ResponseError, match=operation.python_name):
        read(operation, {"statusCode": 200, "data": data})


def test_an_empty_list_may_be_absent():
    """Where there is nothing to say, v3 leaves `data` out."""
    assert read(LIST, {"statusCode": 200, "message": "ok"}) == ()


# ─────────────────────── times of a token ───────────────────────


def jwt(**claims):
    parts = ({"alg": "HS256"}, claims, {})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


@pytest.mark.parametrize(
    ("said", "token", "expected"),
    [
        ("2020-11-04T14:54:07.287Z", "t", 1604501647.287),
        ("2020-11-04T14:54:07.287+08:00", "t", 1604472847.287),
        ("2020-11-04T14:54:07", "t", 1604501647.0),
        ("11/20/2019, 8:20:25 PM", "t", 1574281225.0),
        ("11/20/2019, 8:20:25 PM", jwt(exp=1574281200), 1574281200.0),
        (None, jwt(exp=1604501647), 1604501647.0),
        (None, jwt(exp=1604501647.5), 1604501647.5),
        ("never", jwt(exp=5), 5.0),
        ("never", "t", None),
        ("", "t", None),
        (5, "t", None),
        (None, "t", None),
        (None, None, None),
        (None, jwt(exp=True), None),
        (None, jwt(exp="5"), None),
        (None, jwt(exp=1e300), None),
        (None, jwt(exp=10**400), None),
        (None, "a.b.c", None),
        (None, "a." + "é" * 4 + ".c", None),
        (None, "a." + base64.urlsafe_b64encode(b"[" * 100_000).decode() + ".c", None),
        (None, "a." + base64.urlsafe_b64encode(b"[1]").decode() + ".c", None),
    ],
)
def test_when_a_token_expires(said, token, expected):
    """`tokenExpiredAt` in each form that the service's pages show, else the token's own `exp`; a login never fails for it."""
    user = read(LOGIN, {"code": 200, "data": {"id": "u", "token": token, "tokenExpiredAt": said}})
    assert (user.id, user.token_expires_at) == ("u", expected)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("1/2/2020, 12:00:00 AM", 1577923200.0),
        ("1/2/2020, 12:00:00 PM", 1577966400.0),
        ("01/02/2020, 01:00:00\u202fam", 1577926800.0),  # newer versions of V8 write this space
        ("1/2/2020, 13:00:00 PM", None),
        ("2/30/2020, 1:00:00 AM", None),
        ("1/2/0000, 1:00:00 AM", None),
        ("1/2/2020, 1:00:60 AM", None),
        ("١/2/2020, 1:00:00 AM", None),
    ],
)
def test_an_american_time_is_read_in_every_locale(monkeypatch, said, expected):
    """Qt and GTK set the process's locale, and German and Chinese have no AM and PM for `strptime`."""
    strftime = time.strftime
    monkeypatch.setattr("_strptime._getlang", lambda: ("de_DE", "UTF-8"))
    monkeypatch.setattr(time, "strftime", lambda form, *when: "" if form == "%p" else strftime(form, *when))
    assert read(LOGIN, {"id": "u", "token": "t", "tokenExpiredAt": said}).token_expires_at == expected


def test_a_refreshed_token_holds_its_times():
    """Where they do not stand beside it."""
    token = jwt(iat=1, exp=2)
    assert read(ops.RefreshIdToken(), {"code": 200, "data": {"token": token}}) == IdToken(token, 1.0, 2.0)


# ─────────────────────── a challenge that was handed over ───────────────────────

TRIGGER = {
    "mfaToken": "m",
    "mfaPhone": "132xxxxx1234",
    "mfaPhoneCountryCode": "+86",
    "mfaEmail": "a@b.cn",
    "nickname": "test",
    "applicationMfa": [{"mfaPolicy": "EMAIL", "status": 1, "sort": 0}],
}


@pytest.mark.parametrize(
    "listed",
    [
        [{"mfaPolicy": "EMAIL", "status": 1, "sort": 0}],
        {"mfaPolicy": "EMAIL", "status": 1},  # as the management page prints it
    ],
)
def test_a_server_reads_the_challenge_that_it_was_handed(listed):
    """The trigger data of the management API, with one factor as an object or in an array."""
    data = {**TRIGGER, "applicationMfa": listed}
    assert MfaChallenge.from_dict(data) == MfaChallenge(
        "m", (MfaFactor("EMAIL", 0),), "132xxxxx1234", "+86", "a@b.cn", raw=data
    )


def test_a_challenge_without_factors():
    """An empty list: no second factor is asked for."""
    assert MfaChallenge.from_dict({"mfaToken": "m", "applicationMfa": []}).factors == ()


def test_a_handed_over_1635():
    """It lists nothing and means the user's own TOTP."""
    challenge = MfaChallenge.from_dict({"mfaToken": "m"}, code=1635)
    assert (challenge.factors, challenge.totp_enabled) == ((MfaFactor("OTP"),), True)


@pytest.mark.parametrize("data", [None, "m", [], {}, {"mfaToken": ""}, {"mfaToken": "s3cret-token", "mfaPhone": 5}])
def test_what_is_no_challenge(data):
    """A clear error about the input, and no value of it."""
    with pytest.raises(InvalidInputError, match="not an MFA challenge") as caught:
        MfaChallenge.from_dict(data)
    assert "s3cret" not in str(caught.value)


def test_v3_logins_may_ask_for_a_factor():
    """1636 as `apiCode`, whatever `statusCode` stands beside it: no source says which one does."""
    for status in (200, 400, 403, 499, 500):
        error = refused(LOGIN, {"statusCode": status, "apiCode": 1636, "data": TRIGGER}, MfaRequiredError)
        assert error.challenge.email == "a@b.cn"


def test_a_user_without_times_is_a_user():
    """The field has a default: values made by hand need not name it."""
    assert UserInfo(id="u").token_expires_at is None
