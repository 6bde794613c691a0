"""Whatever comes: decode gives a value or an AuthingError, both JSON libraries agree, and no secret shows anywhere."""

from __future__ import annotations

import json
import pickle
from unittest.mock import patch

import attrs
import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from authing_mfa import _json
from authing_mfa import operations as ops
from authing_mfa.errors import ApiError, AuthingError, MfaRequiredError
from authing_mfa.models import UserInfo
from authing_mfa.operations import OPERATIONS, PublicConfig
from authing_mfa.protocol import Answer, RequestContext, Response, decode, encode
from tests.endpoints import SAMPLES
from tests.needs import examples

settings.register_profile(
    "ours", deadline=None, max_examples=examples(20), suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("ours")

KEYS = [
    "code", "apiCode", "statusCode", "message", "data", "recoveryCode", "requestId", "uniqueId", "mfaToken",
    "applicationMfa", "mfaPolicy", "status", "sort", "id", "sub", "userEntity", "token", "photo", "picture", "key",
    "value", "dataType", "label", "secret", "qrcode_uri", "qrcode_data_url", "recovery_code", "authenticatorType",
    "enable", "source", "email", "totpMfaEnabled",
]  # fmt: skip
CODES = [200, 201, "200", 1635, 1636, 2020, 2021, 2080, 4004, 6001, 1702, 400, 401, 422, 429, 499, "2011", 0, -1]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([*CODES, "", "OTP", "NUMBER", "OBJECT", "data:image/png;base64,AAAA", "u1"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=8)
    ),
    max_leaves=24,
)
envelopes = st.fixed_dictionaries(
    {},
    optional={
        "code": st.sampled_from(CODES) | scalars,
        "apiCode": st.sampled_from(CODES) | scalars,
        "statusCode": st.sampled_from(CODES) | scalars,
        "message": scalars,
        "recoveryCode": scalars,
        "data": values | st.dictionaries(st.sampled_from(KEYS), values, max_size=12),
    },
)
bodies = (
    (envelopes | values).map(lambda value: json.dumps(value).encode())
    | (envelopes | values).map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    | st.binary(max_size=64)
    | st.tuples(envelopes, st.integers(0, 200)).map(lambda cut: json.dumps(cut[0]).encode()[: cut[1]])
)
operations = st.sampled_from([cls(*SAMPLES[cls]) for cls in (*OPERATIONS, PublicConfig)])
statuses = st.sampled_from([200, 201, 202, 204, 301, 400, 401, 403, 404, 422, 429, 499, 500, 502, 503])
headers = st.fixed_dictionaries(
    {},
    optional={
        "Retry-After": st.text(max_size=40) | st.integers().map(str) | st.datetimes().map(str),
        "Date": st.text(max_size=40) | st.just("Wed, 21 Oct 2026 07:28:00 GMT"),
    },
)


def outcome(operation, response, library):
    """What decode makes of it with one of the JSON libraries: a value or an error; anything else fails the test."""
    with patch.object(_json, "orjson", library):
        try:
            return decode(operation, response)
        except AuthingError as error:
            return error


@given(operations, statuses, headers, bodies)
@example(ops.VerifyByTotp("1"), 429, {"Retry-After": "1 Jan 2024 00:00:00 +99999999999999999"}, b"")
@settings(max_examples=examples(60))
def test_decode_gives_a_value_or_an_authing_error(operation, status, fields, body):
    """Any bytes, any status, any operation: a value of the operation's type, or an error of ours that pickles."""
    results = [outcome(operation, Response(status, fields, body), library) for library in (orjson, None)]
    for result in results:
        if isinstance(result, Answer):
            assert status in (200, 201)
            if isinstance(result.value, UserInfo):
                assert result.value.id or (result.value.recovery_code and type(operation) is ops.VerifyByRecoveryCode)
        else:
            assert result.delivery == "answered"
            twin = pickle.loads(pickle.dumps(result))
            assert (type(twin), twin.args, repr(vars(twin))) == (type(result), result.args, repr(vars(result)))
            str(result).encode()
    fast, plain = results
    assert type(fast) is type(plain)
    if isinstance(fast, Answer):
        assert repr(fast) == repr(plain)
    else:
        assert isinstance(plain, AuthingError)
        assert (fast.code, getattr(fast, "data", None)) == (plain.code, getattr(plain, "data", None))


words = ['"a"', "\\u", "d800", "dc00", "9" * 20, "9" * 320, "true", "null", "NaN", "-Infinity", "1e999", "1E400"]
marks = '{}[],:"\\10-.e \n\x0b\x00\ufeff\xa0é'
json_like = st.lists(st.sampled_from([*marks, *words]), max_size=12).map("".join)


@given(json_like)
@example('{"a":"\\ud800\\udc00","b":"\\udc00\\ud800"}')
@example('"\\\\ud800"')
@example("\ufeff\ufeff{}")
@example("-0")
@example("18446744073709551616")
@example("-9223372036854775809")
@settings(max_examples=examples(150))
def test_both_parsers_accept_the_same(text):
    """What one library takes for JSON, the other takes for the same JSON."""
    body = text.encode()
    results = []
    for library in (orjson, None):
        with patch.object(_json, "orjson", library):
            try:
                results.append(repr(_json.parse_json(body)))
            except ValueError:
                results.append("refused")
    assert results[0] == results[1]


@given(st.integers(2, 2000), st.sampled_from(["[", '{"a":']), st.booleans())
def test_depth_never_crashes(levels, opening, closed):
    """However deep, closed or cut off: refused, not a RecursionError."""
    body = opening.encode() * levels + (b"1" + (b"]" if opening == "[" else b"}") * levels if closed else b"")
    for library in (orjson, None):
        with patch.object(_json, "orjson", library):
            try:
                _json.parse_json(body)
            except ValueError:
                assert not closed or levels > _json.DEPTH_LIMIT
            else:
                assert levels <= _json.DEPTH_LIMIT


def _decode_deep(levels):
    return _json.parse_json(b"[" * levels + b"]" * levels)


@pytest.mark.parametrize("levels", [100_000, 1_000_000])
def test_very_deep_answers_are_refused_by_the_standard_library_too(levels):
    """Its parser gives up by RecursionError; that is our error, not the caller's crash."""
    with patch.object(_json, "orjson", None), pytest.raises(ValueError, match=r"too deep|too many parts"):
        _decode_deep(levels)


MARK = "Xy7-Secret-Mark-9zQ"
secret_fields = [
    (cls, index)
    for cls, sample in SAMPLES.items()
    for index in range(len(sample))
    if not attrs.fields(cls)[index].repr and isinstance(sample[index], str)
]


@given(
    st.sampled_from(secret_fields),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=6),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=6),
    statuses,
    st.sampled_from(CODES),
    st.sampled_from(["code", "apiCode", "statusCode"]),
)
@settings(max_examples=examples(100))
def test_no_error_shows_a_secret(field, before, after, status, code, name):
    """The token, and every secret field, put into every place the service could echo it: never in str, repr or args."""
    cls, index = field
    sample = list(SAMPLES[cls])
    sample[index] = f"{before}{MARK}{after}"
    operation = cls(*sample)
    token = f"token.{MARK}"
    request = encode(operation, RequestContext("app", token=token))
    echo = {"message": f"wrong {sample[index]} of {token}", "data": {"mfaToken": token, "id": sample[index]}}
    shown = [repr(operation), str(operation), repr(request), str(request), repr(RequestContext("app", token=token))]
    for body in ({name: code, **echo}, {**echo, "recoveryCode": MARK}, [token], token):
        response = Response(status, {}, json.dumps(body).encode())
        try:
            shown.append(repr(decode(operation, response, RequestContext("app", token=token)).value))
        except AuthingError as error:
            shown += [str(error), repr(error), repr(error.args)]
            if isinstance(error, MfaRequiredError):
                shown.append(repr(error.challenge))
    # A user's own id is no secret: the one that this test made of the secret is set aside.
    assert MARK not in "".join(shown).replace(f"id={sample[index]!r}", "")


@given(values, st.integers(), st.text(), st.none() | st.text(), st.integers(100, 599))
def test_api_errors_pickle_with_any_data(data, code, message, request_id, status):
    """Whatever the service sent as data crosses a process unchanged."""
    error = ApiError(message, code=code, http_status=status, data=data, request_id=request_id)
    twin = pickle.loads(pickle.dumps(error))
    assert repr(vars(twin)) == repr(vars(error))
    assert twin.args == error.args


texts = st.text(min_size=1, alphabet=st.characters(codec="utf-8")).filter(str.strip)


@given(texts, texts, st.none() | texts)
def test_any_text_survives_the_wire(phone, code, country):
    """Every text that can be an argument arrives as it is, with either library, and never breaks out of its place."""
    bodies_ = []
    for library in (orjson, None):
        with patch.object(_json, "orjson", library):
            request = encode(ops.VerifyByPhone(phone, code, country), RequestContext("app", token="t"))
            assert request.body is not None
            bodies_.append(request.body)
    assert bodies_[0] == bodies_[1]
    expected = {"phone": phone, "code": code} | ({} if country is None else {"phoneCountryCode": country})
    assert json.loads(bodies_[0]) == expected


@given(st.binary(min_size=1, max_size=400))
def test_any_picture_survives_the_multipart(image):
    """The part ends where it should, whatever the picture holds."""
    request = encode(ops.UploadFaceImage(image), RequestContext("app"))
    boundary = request.headers["Content-Type"].partition("boundary=")[2].encode()
    assert request.body is not None
    parts = request.body.split(b"--" + boundary)
    assert len(parts) == 3
    assert parts[1].partition(b"\r\n\r\n")[2] == image + b"\r\n"
