"""The service's own clients of the v3 API, unmodified, against the emulator: each of their factor methods.

authing 5.1.0 (Python) and authing-node-sdk 4.0.1. Both send the bare token. What the emulator answers is compared with the types
that the Node client documents. Their own faults are asserted as they are: both forget the body of the introspection, so that it can
only answer "inactive"; neither raises for a refusal.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from authing_mfa.emulator.crypto import totp

pytest_plugins = ["tests.emulator.official_clients"]
pytestmark = pytest.mark.timeout(400)  # the first run installs the clients

PYTHON = {
    "send_enroll_factor_request": "sendEnrollFactorRequest",
    "enroll_factor": "enrollFactor",
    "reset_factor": "resetFactor",
    "list_enrolled_factors": "listEnrolledFactors",
    "get_factor": "getFactor",
    "list_factors_to_enroll": "listFactorsToEnroll",
    "mfa_otp_verify": "mfaOtpVerify",
    "verify_mfa_token": "verifyMfaToken",
}
DOCUMENTED = {
    "sendEnrollFactorRequest": "SendEnrollFactorRequestRespDto",
    "enrollFactor": "EnrollFactorRespDto",
    "resetFactor": "ResetFactorRespDto",
    "listEnrolledFactors": "ListEnrolledFactorsRespDto",
    "getFactor": "GetFactorRespDto",
    "listFactorsToEnroll": "ListFactorsToEnrollRespDto",
    "mfaOtpVerify": "MfaOtpVerityRespDto",
    "verifyMfaToken": "MfaTokenIntrospectResponse",
}
TYPES = {"number": (int, float), "string": str, "boolean": bool, "any": object}


def check(models: Path, name: str, value: object) -> None:
    """*value* has the documented fields of the type *name*: all that are required, no other, each of its type."""
    text = re.sub(r"/\*.*?\*/", "", (models / f"{name}.d.ts").read_text(), flags=re.DOTALL)
    body = text.partition("= {")[2].partition("};")[0]
    fields = {field: (optional == "", kind) for field, optional, kind in re.findall(r"(\w+)(\??): ([^;]+);", body)}
    assert fields, name
    assert isinstance(value, dict), (name, value)
    assert set(value) <= set(fields), (name, set(value) - set(fields))
    assert {field for field, (required, _) in fields.items() if required} <= set(value), name
    for field, item in value.items():
        kind = fields[field][1]
        inner = re.fullmatch(r"Array<(\w+)>", kind)
        if inner:
            assert isinstance(item, list), (name, field)
            for entry in item:
                check(models, inner.group(1), entry)
        elif kind in TYPES:
            assert isinstance(item, TYPES[kind]), (name, field, item)
        elif (models / f"{kind}.d.ts").exists():
            check(models, kind, item)
        else:  # an enumeration of the type itself
            assert isinstance(item, str), (name, field, kind)


class Client:
    """One of the two clients under the names of the Node client."""

    def __init__(self, process, models: Path, *, python: bool) -> None:
        self.process, self.models, self.python = process, models, python

    def log_in(self, emu, token: str) -> None:
        """Make a client with an access token."""
        names = ("app_id", "app_host", "app_secret") if self.python else ("appId", "appHost", "appSecret")
        self.process.order(new=dict(zip(names, (emu.app_id, emu.url, "secret"), strict=True)))
        self.process.call("set_access_token" if self.python else "setAccessToken", token)

    def call(self, name: str, *values, documented: bool = True):
        """What the method *name* answers; a refusal has no data, which the documented types forget."""
        if self.python:
            names = {theirs: ours for ours, theirs in PYTHON.items()}
            answer = self.process.call(names[name], *values)
        else:
            keys = {
                "sendEnrollFactorRequest": ("profile", "factorType"),
                "enrollFactor": ("enrollmentData", "enrollmentToken", "factorType"),
                "resetFactor": ("factorId",),
                "getFactor": ("factorId",),
                "mfaOtpVerify": ("totp",),
                "verifyMfaToken": ("token",),
            }.get(name, ())
            answer = self.process.call(name, *([dict(zip(keys, values, strict=True))] if keys else []))
        if documented:
            check(self.models, DOCUMENTED[name], answer)
        return answer


@pytest.fixture(params=["python", "node"])
def client(request, node_folder):
    """Each client in turn; the documented types are the Node client's for both."""
    process = request.getfixturevalue({"python": "py3_process", "node": "node_process"}[request.param])
    models = node_folder / "node_modules" / "authing-node-sdk" / "dist" / "models"
    return Client(process, models, python=request.param == "python")


@pytest.fixture
def eve(emu, client):
    """A user without a factor, logged in with the client."""
    user = emu.add_user(username="eve", password="correct-horse")
    client.log_in(emu, emu.issue_user_token(user))
    return user


def test_every_factor_method_is_driven(client, eve):
    """The clients have the methods that stand here, no more, and each is called in this file."""
    names = {name for name in client.process.order(methods=True) if re.search("(?i)factor|mfa", name)}
    names -= {"webAuthnMfaBindInitialize", "webAuthnMfaVerifyInitalize"}  # passkeys: docs/fidelity.md says why not
    assert names == (set(PYTHON) if client.python else set(DOCUMENTED))
    text = Path(__file__).read_text("utf-8")
    assert [name for name in DOCUMENTED if f'call("{name}"' not in text] == []


def test_the_token_goes_bare(emu, client, eve):
    """Neither client writes Bearer; without a token the service says who is missing, and neither client raises."""
    assert client.call("listEnrolledFactors")["data"] == []
    assert emu.requests[-1].operation == "list_enrolled_factors"
    client.log_in(emu, "nonsense")
    refused = client.call("listEnrolledFactors", documented=False)
    assert (refused["statusCode"], refused["apiCode"]) == (401, 2020)


@pytest.mark.parametrize(
    ("kind", "profile", "target"),
    [
        ("SMS", {"phoneNumber": "13700137000", "phoneCountryCode": "+86"}, "13700137000"),
        ("EMAIL", {"email": "eve@example.com"}, "eve@example.com"),
    ],
)
def test_a_phone_and_an_address(emu, client, eve, kind, profile, target):
    """Asked for, refused with a wrong code, enrolled, listed, got by its id; to reset it is refused."""
    assert kind in [factor["factorType"] for factor in client.call("listFactorsToEnroll")["data"]]
    token = client.call("sendEnrollFactorRequest", profile, kind)["data"]["enrollmentToken"]
    wrong = client.call("enrollFactor", {"passCode": "000000"}, token, kind)
    assert (wrong["statusCode"], wrong["apiCode"]) == (400, 2001)
    right = client.call("enrollFactor", {"passCode": emu.code_for(target)}, token, kind)
    assert (right["statusCode"], "data" in right) == (200, False)
    (factor,) = client.call("listEnrolledFactors")["data"]
    assert (factor["factorType"], factor["profile"]) == (kind, profile)
    assert client.call("getFactor", factor["factorId"])["data"] == factor
    assert client.call("resetFactor", factor["factorId"])["statusCode"] == 422
    assert kind not in [factor["factorType"] for factor in client.call("listFactorsToEnroll")["data"]]


def test_an_authenticator_app(emu, client, eve):
    """The secret stands in the address; a code verifies with yes or no, and only once; then it is reset."""
    asked = client.call("sendEnrollFactorRequest", {}, "OTP")["data"]
    assert asked["otpData"]["qrCodeDataUrl"].startswith("data:image/png;base64,")
    secret = parse_qs(urlsplit(asked["otpData"]["qrCodeUri"]).query)["secret"][0]
    code = totp.code_at(secret, totp.step_of(emu.clock()))
    assert client.call("enrollFactor", {"passCode": code}, asked["enrollmentToken"], "OTP")["statusCode"] == 200
    emu.clock.advance(30)
    assert client.call("mfaOtpVerify", "000000")["data"] == {"verified": False}
    assert client.call("mfaOtpVerify", eve.totp_code)["data"] == {"verified": True}
    assert client.call("mfaOtpVerify", eve.totp_code)["data"] == {"verified": False}
    (factor,) = client.call("listEnrolledFactors")["data"]
    assert client.call("resetFactor", factor["factorId"])["statusCode"] == 200
    assert not eve.totp_enabled


async def test_a_face(emu, client, eve, api, pictures):
    """With the key of a photo; nothing but reset-factor unbinds it."""
    token = client.call("sendEnrollFactorRequest", {}, "FACE")["data"]["enrollmentToken"]
    data = {"photo": await api.upload(pictures(0)), "isExternalPhoto": False}
    assert client.call("enrollFactor", data, token, "FACE")["statusCode"] == 200
    (factor,) = client.call("listEnrolledFactors")["data"]
    assert client.call("resetFactor", factor["factorId"])["statusCode"] == 200
    assert not eve.face_enabled


def test_introspection_without_its_body(emu, client, eve):
    """Both clients forget the body, so that even a live mfaToken is not known to be one."""
    answer = client.call("verifyMfaToken", emu.issue_mfa_token(eve))
    assert answer == {"active": False}
    assert emu.requests[-1].request in (None, {}, "")
