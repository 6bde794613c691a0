"""Bugs of the official clients, by their number in docs/wire.md#bugs-of-the-official-clients: this package has none of them.

Left out are rows about screens (20, 21, 57), about callbacks and a current user (17, 26: the callback layer's own tests), about
protocols that are not spoken here (22) and about other people's test files (47).

More than 300 lines: one test for each bug.
"""

from __future__ import annotations

import asyncio
import inspect
import pickle

import pytest

from authing_mfa import (
    ApiError,
    AuthClient,
    CallTimeoutError,
    ConfigError,
    ImageError,
    InvalidInputError,
    LoginError,
    MfaChallenge,
    MfaFactor,
    MfaRequiredError,
    NetworkError,
    NotAuthenticatedError,
    ResponseError,
    UserInfo,
    WrongCodeError,
)
from authing_mfa import operations as ops
from authing_mfa.discovery import config_base
from authing_mfa.protocol import RequestContext, Response, decode, encode
from tests.endpoints import ENDPOINTS, answer_of, jpeg
from tests.servers import USER, Drop, Seen, answering, hang, ok, reply, serving

CHALLENGE = {
    "mfaToken": "mfa-token",
    "mfaPhone": "13900000000",
    "mfaPhoneCountryCode": "+86",
    "applicationMfa": [{"mfaPolicy": "SMS", "status": 1, "sort": 1}],
}


def client_of(server, **options) -> AuthClient:
    return AuthClient("app", base_url=server.url, **{"token": "tok-en", **options})


async def talk(call, *answers, **options):
    """What *call* of a client gives or raises for *answers*, and the requests that were made."""
    async with serving(answering(*answers)) as server, client_of(server, **options) as client:
        try:
            result = await call(client)
        except (ApiError, ResponseError, NetworkError, InvalidInputError, ImageError, LoginError) as error:
            result = error
    return result, server.seen


def totp(client):
    return client.mfa_verify_by_totp("123456")


def recovery(client):
    return client.mfa_verify_by_recovery_code("old-code")


def upload(client):
    return client.upload_face_image(jpeg())


# ─────────────────────── iOS ───────────────────────


async def test_bug_01_new_recovery_code_reaches_the_caller():
    """The new code stands beside `data` and is not dropped with the envelope."""
    user, _ = await talk(recovery, ok(USER, recoveryCode="new-code"))
    assert (user.id, user.recovery_code) == ("u1", "new-code")


async def test_bug_02_1635_is_a_challenge():
    """The user's own TOTP is asked for with a token to go on with, not with an error and nothing."""
    error, _ = await talk(totp, reply({"code": 1635, "message": "m", "data": {"mfaToken": "mfa-token"}}))
    assert isinstance(error, MfaRequiredError)
    assert (error.challenge.token, error.challenge.factors) == ("mfa-token", (MfaFactor("OTP"),))


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_bug_03_upload_looks_at_the_code(status):
    """A refusal that holds a key is a refusal, whatever the status; one without data keeps its code."""
    for data in ({"key": "k", "url": "u"}, None):
        error, _ = await talk(upload, *[reply({"code": 2020, "message": "no", "data": data}, status)], max_attempts=1)
        assert isinstance(error, NotAuthenticatedError)
        assert (error.code, error.message) == (2020, "no")
    error, _ = await talk(upload, reply({"code": 200, "data": {"key": "k"}}, 500), max_attempts=1)
    assert isinstance(error, ApiError)


async def test_bug_04_two_uploads_at_once_keep_apart():
    """Each upload gives its own key, whichever ends first; a failed upload gives no key."""
    first_may_end = asyncio.Event()
    count = 0

    async def script(seen: Seen) -> bytes:
        nonlocal count
        count += 1
        mine = count
        if mine == 1:
            await first_may_end.wait()
        else:
            first_may_end.set()
        return ok({"key": f"key-{mine}"}) if mine < 3 else reply({"code": 500, "message": "disk full"})

    async with serving(script) as server, client_of(server) as client:
        first = asyncio.create_task(upload(client))
        await server.saw(1)
        assert await upload(client) == "key-2"
        assert await first == "key-1"
        with pytest.raises(ApiError, match="disk full"):
            await upload(client)


@pytest.mark.parametrize("image", [None, b"", "", 5, b"junk", "/nowhere/at-all.png"])
async def test_bug_05_no_picture_is_an_error_not_a_crash(image):
    """Nothing, junk or a missing file is said before anything is sent."""
    error, seen = await talk(lambda client: client.upload_face_image(image))
    assert isinstance(error, (ImageError, InvalidInputError))
    assert (error.delivery, seen) == ("not_sent", [])


async def test_bug_06_mfa_check_asks_about_both():
    """Both targets are sent; neither is refused instead of a request without a body."""
    free, (seen,) = await talk(lambda client: client.mfa_check(phone="1", email="a@b.cn"), ok(data=True))
    assert free is True
    assert seen.json == {"phone": "1", "email": "a@b.cn"}
    error, nothing = await talk(lambda client: client.mfa_check())
    assert isinstance(error, InvalidInputError)
    assert nothing == []


async def test_bug_07_country_code_is_kept():
    """The challenge has it, and verifying and sending pass it on, only if it is given."""
    error, _ = await talk(totp, reply({"code": 1636, "data": CHALLENGE}))
    code = error.challenge.phone_country_code
    assert code == "+86"
    for call in (
        lambda client: client.mfa_verify_by_phone("1", "2", phone_country_code=code),
        lambda client: client.send_sms("1", phone_country_code=code),
    ):
        _, (seen,) = await talk(call, ok(USER))
        assert seen.json["phoneCountryCode"] == "+86"
    _, (seen,) = await talk(lambda client: client.mfa_verify_by_phone("1", "2"), ok(USER))
    assert "phoneCountryCode" not in seen.json


async def test_bug_08_mfa_mail_has_the_mfa_scene():
    """The mail is asked of email/send with scene MFA_VERIFY."""
    _, (seen,) = await talk(lambda client: client.send_mfa_email("a@b.cn"), ok())
    assert (seen.path, seen.json["scene"]) == ("/api/v2/email/send", "MFA_VERIFY")


async def test_bug_09_success_is_not_masked_by_a_second_request():
    """A verification is one request, and its own words are the ones that count."""
    async with serving(answering(ok(USER))) as server, client_of(server) as client:
        answer = await client.answer(ops.VerifyByTotp("123456"))
    assert (answer.value.id, answer.message) == ("u1", "OK")
    assert server.paths == ["/api/v2/mfa/totp/verify"]


@pytest.mark.parametrize("status", [400, 401, 403, 499, 500])
async def test_bug_10_the_code_counts_on_any_status(status):
    """A 1636 with a bad HTTP status also asks for a second factor."""
    error, _ = await talk(totp, reply({"code": 1636, "message": "m", "data": CHALLENGE}, status))
    assert isinstance(error, MfaRequiredError)
    assert (error.code, error.http_status, error.data) == (1636, status, CHALLENGE)


@pytest.mark.parametrize(
    ("call", "body", "kind", "code"),
    [
        (totp, {"uniqueId": "q", "statusCode": 499, "apiCode": "2011", "data": None}, ApiError, 2011),
        (totp, {"code": "2020", "message": "x"}, NotAuthenticatedError, 2020),
        (lambda client: client.mfa_unbind_factor("f"), {"statusCode": 404, "message": "x"}, ApiError, 404),
        (totp, {"code": "no number", "data": USER}, ResponseError, 10004),
        (totp, {"message": "no code and no user"}, ResponseError, 10004),
    ],
)
async def test_bug_11_no_code_is_not_success(call, body, kind, code):
    """Newer bodies, digits in a text, the v3 calls, and invalid codes: none of them counts as a success."""
    error, _ = await talk(call, reply(body))
    assert (type(error), error.code) == (kind, code)


async def test_bug_12_network_failures_tell_what_happened():
    """A dropped connection and a time-out are different errors, each with its reason and whether the service may have acted."""
    error, _ = await talk(totp, Drop())
    assert (type(error), error.delivery) == (NetworkError, "unknown")
    assert "the server closed the connection" in error.message
    async with serving(hang) as server, client_of(server, timeout=0.1, max_attempts=1) as client:
        with pytest.raises(CallTimeoutError):
            await totp(client)


@pytest.mark.parametrize("failure", [{"code": 2011, "message": "no app"}, {"code": 500}, {"code": 200, "data": None}])
async def test_bug_13_a_bad_public_config_is_not_kept(failure):
    """An error body never becomes the configuration, has no need of a message, and is asked again by the next call."""
    answers = [reply(failure), ok({"userPoolId": "pool"}), ok(USER)]
    async with (
        serving(answering(*answers)) as server,
        AuthClient("app", host=f"127.0.0.1:{server.port}", scheme="http", token="t") as client,
    ):
        with pytest.raises(ConfigError):
            await totp(client)
        assert (await totp(client)).id == "u1"
    assert [path.endswith("public-config") for path in server.paths] == [True, True, False]


async def test_bug_14_the_console_gets_no_token():
    """public-config is asked without Authorization, also by a client that has a token."""
    async with (
        serving(answering(ok({}), ok(USER))) as server,
        AuthClient("app", host=f"127.0.0.1:{server.port}", scheme="http", token="tok-en") as client,
    ):
        await totp(client)
    assert [seen.header("Authorization") for seen in server.seen] == [None, "Bearer tok-en"]


@pytest.mark.parametrize("host", ["1.2.3.4", "1.2.3.4:8080", "localhost:3000", "[::1]", "[::1]:80"])
def test_bug_15_no_console_before_an_address(host):
    """IPs, IPv6, and anything with a port are asked as they are."""
    assert config_base("https", host, on_premise=False) == f"https://{host}"


async def test_bug_16_two_users_share_nothing():
    """Two users of one client, and two clients of one program, have neither token nor cookie in common."""
    cookie = reply({"code": 200, "data": USER}, 200, "Set-Cookie: s=1")
    async with (
        serving(answering(cookie, ok(USER), ok(USER)), host="localhost") as server,
        client_of(server, token="a") as one,
        client_of(server, token="b") as other,
    ):
        await totp(one)
        await totp(one.as_user("c"))
        await totp(other)
    assert [seen.header("Authorization") for seen in server.seen] == ["Bearer a", "Bearer c", "Bearer b"]
    assert {seen.header("Cookie") for seen in server.seen} == {None}


async def test_bug_18_an_empty_success_changes_nothing():
    """A success without a user is an error on a verification, and the next call still sends the mfaToken."""
    async with serving(answering(ok(), ok(USER))) as server, client_of(server, token="mfa-token") as client:
        with pytest.raises(ResponseError):
            await totp(client)
        await totp(client)
    assert {seen.header("Authorization") for seen in server.seen} == {"Bearer mfa-token"}


async def test_bug_19_factors_are_read_as_they_are_meant():
    """Each enabled factor once, by `sort`, unknown ones included; one without a policy is an error, not a crash."""
    listed = [
        {"mfaPolicy": "FACE", "status": 1, "sort": 2},
        {"mfaPolicy": "SMS", "status": 0, "sort": 0},
        {"mfaPolicy": "PASSKEY", "status": 1, "sort": 1},
    ]
    error, _ = await talk(totp, reply({"code": 1636, "data": {**CHALLENGE, "applicationMfa": listed}}))
    assert error.challenge.factors == (MfaFactor("PASSKEY", 1), MfaFactor("FACE", 2))
    error, _ = await talk(totp, reply({"code": 1636, "data": {**CHALLENGE, "applicationMfa": [{"status": 1}]}}))
    assert isinstance(error, ResponseError)


@pytest.mark.parametrize(
    ("password", "key"),
    [("p" * 500, None), ("pw", "not a key"), ("half \ud800", None)],
    ids=["long", "key", "surrogate"],
)
async def test_bug_23_a_password_that_cannot_be_encrypted_is_not_posted(password, key):
    """A failed encryption is an error; no word "error" travels in the password's place."""
    error, seen = await talk(lambda client: client.login_by_account("ada", password), public_key=key)
    assert isinstance(error, InvalidInputError)
    assert seen == []


def test_bug_24_the_names_of_the_document_exist():
    """Every call that the reference document names is there, under both names where it has two."""
    for name in ("mfa_verify_by_totp", "mfa_verify_by_otp", "mfa_verify_by_recovery_code", "mfa_check"):
        assert inspect.iscoroutinefunction(getattr(AuthClient, name))


async def test_bug_24b_a_first_factor_makes_no_user_current():
    """After a 1636 the client's token is unchanged: the half-logged-in user exists only in the error."""
    answers = [reply({"code": 1636, "data": CHALLENGE}), ok(USER)]
    async with serving(answering(*answers)) as server, client_of(server, token=None) as client:
        with pytest.raises(MfaRequiredError):
            await client.login_by_account("ada", "pw")
        with pytest.raises(LoginError):
            await client.get_current_user()
        await client.send_sms("1")
    assert {seen.header("Authorization") for seen in server.seen} == {None}


# ─────────────────────── Android ───────────────────────


@pytest.mark.parametrize("data", [None, {}, [], False])
async def test_bug_25_a_new_code_without_data_is_not_lost(data):
    """The old code is spent: whatever `data` is, the new one reaches the caller as a success."""
    user, _ = await talk(recovery, ok(data, recoveryCode="new-code"))
    assert isinstance(user, UserInfo)
    assert (user.id, user.recovery_code) == (None, "new-code")


async def test_bug_27_an_mfa_token_lives_in_its_view_only():
    """Two attempts one after the other never mix their tokens."""
    async with serving(answering(ok(USER), ok(USER), ok(USER))) as server, client_of(server, token=None) as client:
        await totp(client.as_user("first"))
        await totp(client.as_user("second"))
        await client.send_sms("1")
    assert [seen.header("Authorization") for seen in server.seen] == ["Bearer first", "Bearer second", None]


async def test_bug_28_a_bad_status_keeps_message_and_data():
    """Code, words and data of a refusal with HTTP 400 are those of the body."""
    error, _ = await talk(totp, reply({"code": 1636, "message": "请验证", "data": CHALLENGE}, 400))
    assert (error.message, error.challenge.token) == ("请验证", "mfa-token")


async def test_bug_29_answers_do_not_mix():
    """A field of the user before never shows in the user after."""
    first = ok({**USER, "nickname": "Ada", "phone": "1"})
    async with serving(answering(first, ok({"id": "u2"}))) as server, client_of(server) as client:
        await totp(client)
        second = await totp(client)
    assert second == UserInfo(id="u2", raw={"id": "u2"})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"statusCode": 499, "apiCode": 2011}, 2011),
        ({"statusCode": 499, "apiCode": 2011, "code": 6001}, 6001),
        ({"statusCode": 200, "apiCode": 2080}, 2080),
    ],
)
async def test_bug_30_which_code_counts(body, code):
    """`code` before `apiCode` before `statusCode`."""
    error, _ = await talk(totp, reply(body))
    assert error.code == code


async def test_bug_31_a_recovery_code_stays_with_the_caller():
    """It is kept nowhere and printed nowhere."""
    user, _ = await talk(recovery, ok(USER, recoveryCode="new-code"))
    assert "new-code" not in repr(user)
    enrollment = decode(
        ops.AssociateTotp(),
        Response(200, {}, b'{"code":200,"data":{"secret":"S3C","qrcode_uri":"otpauth://u","recovery_code":"r3c"}}'),
    ).value
    assert enrollment.recovery_code == "r3c"
    assert "r3c" not in repr(enrollment)


async def test_bug_32_no_cookie_is_ever_parsed():
    """There is no cookie jar: no cookie is sent back."""
    odd = reply({"code": 200, "data": USER}, 200, "Set-Cookie: a=b=c=d; Path=/", "Set-Cookie: ;;;=")
    async with serving(answering(odd, ok(USER)), host="localhost") as server, client_of(server) as client:
        await totp(client)
        await totp(client)
    assert server.seen[1].header("Cookie") is None


async def test_bug_33_an_upload_may_be_answered_with_201():
    """201 is success for an upload as for everything else."""
    key, _ = await talk(upload, reply({"code": 200, "data": {"key": "k"}}, 201))
    assert key == "k"


async def test_bug_34_null_is_not_a_text():
    """A null field is None."""
    user, _ = await talk(totp, ok({**USER, "email": None, "nickname": None}))
    assert (user.email, user.nickname, user.display_name) == (None, None, "ada")


# ─────────────────────── JavaScript ───────────────────────


async def test_bug_35_confirming_sends_the_given_token():
    """The confirmation carries the mfaToken of its view, not some stored one."""
    async with serving(answering(ok())) as server, client_of(server, token="stored") as client:
        await client.as_user("mfa-token").mfa_confirm_totp("123456")
    assert server.seen[0].header("Authorization") == "Bearer mfa-token"


async def test_bug_36_the_javascript_client_drops_the_new_code_too():
    """Also without an envelope the new code is read."""
    user, _ = await talk(recovery, reply({**USER, "recoveryCode": "new-code"}))
    assert (user.id, user.recovery_code) == ("u1", "new-code")


async def test_bug_37_a_bad_status_surfaces_the_services_code():
    """The wrong code of a confirmation is HTTP 400 with a code: a WrongCodeError with the service's words."""
    error, _ = await talk(
        lambda client: client.mfa_confirm_totp("1"), reply({"code": 400, "message": "安全码错误，请重新输入"}, 400)
    )
    assert isinstance(error, WrongCodeError)
    assert (error.code, error.http_status, error.message) == (400, 400, "安全码错误，请重新输入")


async def test_bug_38_two_photos_are_two_photos():
    """photoA and photoB are the two keys that were given, and nothing stands in for a missing one."""
    _, (seen,) = await talk(lambda client: client.mfa_associate_by_face("key-a", "key-b"), ok(USER))
    assert (seen.json["photoA"], seen.json["photoB"]) == ("key-a", "key-b")
    error, nothing = await talk(lambda client: client.mfa_associate_by_face("key-a", None))
    assert isinstance(error, InvalidInputError)
    assert nothing == []


@pytest.mark.parametrize("operation", [ops.AssociateTotp(), ops.ConfirmTotp("1")])
def test_bug_39_source_is_always_sent(operation):
    """`source` has no way to get lost."""
    body = encode(operation, RequestContext("app", token="t")).body
    assert body is not None
    assert b'"source":"SELF"' in body


async def test_bug_40_the_words_are_the_services():
    """Deleting and confirming return the service's message, not our own text; sending a code gives None."""
    async with (
        serving(answering(reply({"code": 200, "message": "解绑成功"}), ok())) as server,
        client_of(server) as client,
    ):
        assert (await client.answer(ops.DeleteTotp())).message == "解绑成功"
        sent = await client.answer(ops.SendSms("1"))
    assert (sent.value, sent.message) == (None, "OK")


async def test_bug_41_a_login_goes_where_all_calls_go():
    """With only a host, e-mail logins too go to the discovered address."""
    async with (
        serving(answering(ok({}), ok(USER))) as server,
        AuthClient("app", host=f"127.0.0.1:{server.port}", scheme="http") as client,
    ):
        await client.login_by_email_code("a@b.cn", "1")
    assert server.paths[1] == "/api/v2/login/email-code"


# ─────────────────────── Python ───────────────────────


async def test_bug_42_the_challenge_can_be_reached():
    """The error carries all that the next step needs, also across a process."""
    error, _ = await talk(totp, reply({"code": 1636, "message": "m", "data": CHALLENGE}))
    twin = pickle.loads(pickle.dumps(error))
    assert isinstance(twin.challenge, MfaChallenge)
    assert (twin.challenge, twin.challenge.token) == (error.challenge, "mfa-token")


async def test_bug_43_verifying_a_face_does_not_bind_one():
    """face/verify, not face/associate."""
    _, (seen,) = await talk(lambda client: client.mfa_verify_by_face("k"), ok(USER))
    assert seen.path == "/api/v2/mfa/face/verify"


@pytest.mark.parametrize(
    "answer", [reply({"code": 6001}), reply({"code": 500}, 500), reply(b"<html>"), reply(USER, 503)]
)
async def test_bug_44_what_is_not_success_raises(answer):
    """A code, a status and HTML are each enough for an error."""
    error, _ = await talk(totp, answer)
    assert isinstance(error, (ApiError, ResponseError))


async def test_bug_45_the_time_out_is_kept_and_the_connection_too():
    """`timeout` ends a call, and calls share a connection."""
    async with serving(answering(*[ok(USER)] * 3)) as server, client_of(server) as client:
        for _ in range(3):
            await totp(client)
        assert server.connections == 1
        server._script = hang
        client._core.call_timeout = 0.1
        with pytest.raises(CallTimeoutError):
            await totp(client)


async def test_bug_45b_a_login_is_one_request():
    """Nothing else is asked before or after it."""
    _, seen = await talk(lambda client: client.login_by_account("ada", "pw"), ok(USER))
    assert [each.path for each in seen] == ["/api/v2/login/account"]


async def test_bug_46_faces_by_key_and_deleting_with_an_mfa_token():
    """Keys of our own uploads are not external photos, and deleting sends the token of the view."""
    _, (seen,) = await talk(lambda client: client.mfa_associate_by_face("a", "b"), ok(USER))
    assert seen.json["isExternalPhoto"] is False
    _, (seen,) = await talk(lambda client: client.as_user("mfa-token").mfa_delete_totp(), ok())
    assert (seen.method, seen.header("Authorization")) == ("DELETE", "Bearer mfa-token")


async def test_bug_48_v3_calls_carry_a_bearer_too():
    """The token of a v3 call has the word Bearer before it."""
    _, (seen,) = await talk(lambda client: client.mfa_unbind_factor("f"), reply({"statusCode": 200, "message": ""}))
    assert (seen.path, seen.header("Authorization")) == ("/api/v3/reset-factor", "Bearer tok-en")


# ─────────────────────── Flutter, Java, web ───────────────────────


def test_bug_49_the_console_has_its_dot():
    """console.authing.cn, not consoleauthing.cn."""
    assert config_base("https", "authing.cn", on_premise=False) == "https://console.authing.cn"


async def test_bug_50_a_failure_brings_no_user():
    """An error has no user, least of all the one before."""
    async with (
        serving(answering(ok(USER), reply({"code": 6001, "message": "x"}))) as server,
        client_of(server) as client,
    ):
        await totp(client)
        with pytest.raises(WrongCodeError) as caught:
            await totp(client)
    assert not hasattr(caught.value, "user")
    assert caught.value.data is None


async def test_bug_51_what_the_readme_promises_is_true():
    """The new code is where the method's own description says."""
    assert "recovery_code" in (AuthClient.mfa_verify_by_recovery_code.__doc__ or "") + (UserInfo.__doc__ or "")
    user, _ = await talk(recovery, ok(USER, recoveryCode="new-code"))
    assert user.recovery_code == "new-code"


async def test_bug_52_a_1639_is_an_error_with_its_data():
    """First login, password to be reset: the token is in the error's data, and the next call is not disturbed."""
    answers = [reply({"code": 1639, "message": "reset", "data": {"token": "reset-token"}}), ok(USER)]
    async with serving(answering(*answers)) as server, client_of(server, token=None) as client:
        with pytest.raises(ApiError) as caught:
            await client.login_by_account("ada", "pw")
        assert (caught.value.code, caught.value.data) == (1639, {"token": "reset-token"})
        assert "reset-token" not in f"{caught.value}{caught.value!r}"
        await client.send_sms("1")


async def test_bug_53_a_top_level_array_is_an_answer():
    """Custom data comes as a bare array."""
    fields, _ = await talk(lambda client: client.get_custom_user_data("u"), reply([{"key": "k", "value": "v"}]))
    assert [(field.key, field.value) for field in fields] == [("k", "v")]


async def test_bug_54_null_never_becomes_the_text_null():
    """Not in a user, not in a challenge."""
    user, _ = await talk(totp, ok({**USER, "photo": None, "phone": None}))
    assert "null" not in repr(user)
    error, _ = await talk(totp, reply({"code": 1636, "data": {**CHALLENGE, "mfaPhone": None}}))
    assert error.challenge.phone is None


async def test_bug_55_1636_as_api_code():
    """The newer body has the code in `apiCode`, beside another `statusCode`."""
    error, _ = await talk(totp, reply({"statusCode": 499, "apiCode": 1636, "data": CHALLENGE}, 499))
    assert isinstance(error, MfaRequiredError)


async def test_bug_56_java():
    """A wrong code raises; mfa_check is what `data` says; no mfaToken in any body; photos under their right names."""
    error, _ = await talk(totp, reply({"code": 6001, "message": "x"}))
    assert isinstance(error, WrongCodeError)
    free, _ = await talk(lambda client: client.mfa_check(phone="1"), ok(data=False))
    assert free is False
    for endpoint in ENDPOINTS:
        _, seen = await talk(endpoint.call, answer_of(endpoint.answers[0][0]))
        assert b"mfaToken" not in seen[0].body
        assert b"tok-en" not in seen[0].body
    _, (seen,) = await talk(lambda client: client.mfa_associate_by_face("a", "b"), ok(USER))
    assert not {"baseFace", "compareFace"} & set(seen.json)


async def test_bug_58_a_recovery_gives_user_and_code():
    """Neither drops the other."""
    user, _ = await talk(recovery, ok(USER, recoveryCode="new-code"))
    assert (user.id, user.id_token, user.recovery_code) == ("u1", USER["token"], "new-code")


async def test_bug_59_every_call_goes_to_the_clients_own_address():
    """All calls use the client's host."""
    for endpoint in ENDPOINTS:
        _, seen = await talk(endpoint.call, answer_of(endpoint.answers[0][0]))
        assert len(seen) == 1


async def test_bug_60_a_bad_status_keeps_the_services_words():
    """No catch-all code stands in their place."""
    error, _ = await talk(totp, reply({"code": 2333, "message": "账号或密码错误"}, 403))
    assert (error.code, error.message, error.http_status) == (2333, "账号或密码错误", 403)


async def test_bug_61_a_plain_200_is_success():
    """Without any apiCode of a login flow."""
    user, _ = await talk(totp, reply({"code": 200, "message": "二次验证成功", "data": USER}))
    assert user.id == "u1"
