"""The context of a rule: caller, language and state of a request; and the two ways to answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import attrs

from authing_mfa.emulator.rules.messages import sentence
from authing_mfa.emulator.state.clock import iso
from authing_mfa.emulator.state.records import User
from authing_mfa.emulator.state.state import State
from authing_mfa.errors import InvalidInputError

__all__ = ["Reply", "RuleContext", "ServiceRefusal", "as_refusal", "user_json"]


@attrs.frozen
class Reply:
    """An answer: a JSON value, or finished bytes of another content type."""

    body: Any
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = attrs.field(factory=dict)


class ServiceRefusal(Exception):  # noqa: N818 - an answer, not an error
    """The service says no: *code* and the sentence *key*; *detail* is added to the sentence."""

    def __init__(self, code: int, key: str, *, status: int = 200, detail: str = "", data: Any = None) -> None:
        super().__init__(code, key)
        self.code: int = code
        self.key: str = key
        self.status: int = status
        self.detail: str = detail
        self.data: Any = data


def as_refusal(error: Exception) -> ServiceRefusal:
    """Return *error* as the service's answer: 400 for a value that an operation or the state does not accept."""
    if isinstance(error, ServiceRefusal):
        return error
    text = error.message if isinstance(error, InvalidInputError) else str(error)
    return ServiceRefusal(400, "bad_request", status=400, detail=f": {text}")


@attrs.define
class RuleContext:
    """A request after routing.

    Attributes:
        origin: the service's address for this caller with the namespace's prefix: the start of photo addresses.
        host: the same as ``host:port``, without scheme and prefix.
        v3: answer with the envelope of the v3 API: HTTP 200 always, the status inside, a request id on every answer.
        cookies: those of the request.
        user: the owner of the token, for the request log; the rules set it.
    """

    state: State
    lang: str = "zh-CN"
    token: str | None = attrs.field(default=None, repr=False)
    origin: str = ""
    host: str = ""
    app_id: str = ""
    ip: str = "127.0.0.1"
    v3: bool = False
    query: dict[str, str] = attrs.field(factory=dict)
    cookies: dict[str, str] = attrs.field(factory=dict, repr=False)
    file_type: str = "application/octet-stream"
    fingerprint: bytes | None = attrs.field(default=None, repr=False)
    user: User | None = None

    # ─────────────────────────────── who asks ───────────────────────────────

    def mfa_user(self) -> User:
        """Return the user of the mfaToken that this call needs; other tokens are refused with 2021."""
        user, is_mfa, good = self.state.read_token(self.token)
        self.user = user
        if user is None or not is_mfa or not good:
            raise ServiceRefusal(2021, "mfa_token_invalid")
        return self.unlocked(user)

    def logged_in_user(self) -> User:
        """Return the user of the token that this call needs; other tokens, including an mfaToken, are refused with 2020."""
        user, is_mfa, good = self.state.read_token(self.token)
        self.user = user
        if user is None or is_mfa or not good:
            raise ServiceRefusal(2020, "not_logged_in")
        return user

    def either_user(self) -> tuple[User, bool]:
        """Return the user of an mfaToken or of a login, and whether it is an mfaToken."""
        user, is_mfa, good = self.state.read_token(self.token)
        self.user = user
        if user is not None and good:
            return (self.unlocked(user) if is_mfa else user), is_mfa
        if self.v3 or (user is not None and not is_mfa):
            raise ServiceRefusal(2020, "not_logged_in")
        raise ServiceRefusal(2021, "mfa_token_invalid")

    def unlocked(self, user: User) -> User:
        """Return *user*; refuse a locked one with 2005. Every call that judges a code or a password needs this."""
        if self.state.locked(user):
            raise ServiceRefusal(2005, "locked")
        return user

    # ─────────────────────────────── answers ───────────────────────────────

    def ok(self, key: str, data: Any = None, **beside: Any) -> Reply:
        """Return a success in the envelope of the API that was called. `data` is left out if it is None, as in v2."""
        envelope: dict[str, Any] = {"statusCode" if self.v3 else "code": 200, "message": sentence(key, self.lang)}
        if self.v3:
            envelope["requestId"] = self._request_id()
        if data is not None:
            envelope["data"] = data
        return Reply(envelope | beside if beside else envelope)

    def refused(self, refusal: ServiceRefusal) -> Reply:
        """Return *refusal* in the envelope of the API that was called."""
        body = self.failure(refusal.code, sentence(refusal.key, self.lang) + refusal.detail)
        if refusal.data is not None:
            body["data"] = refusal.data
        return Reply(body, 200 if self.v3 else refusal.status)

    def failure(self, code: int, message: str) -> dict[str, Any]:
        """Return a failure in the envelope of the API that was called."""
        if not self.v3:
            return {"code": code, "message": message}
        own_status = 100 <= code < 600
        status = code if own_status else _V3_STATUS.get(code, 400)
        body: dict[str, Any] = {"statusCode": status, "message": message, "requestId": self._request_id()}
        return body if own_status else body | {"apiCode": code}

    def _request_id(self) -> str:
        return str(UUID(bytes=self.state.rng.randbytes(16), version=4))

    def logged_in(self, user: User, key: str, *, second_factor: bool = False, **beside: Any) -> Reply:
        """Finish the login: forget the failures and return the user with a new token."""
        now = self.state.clock()
        user.failures = user.wrong_passwords = 0
        user.logins += 1
        user.last_login = now
        if second_factor:
            user.last_mfa = now
        self.user = user
        return self.ok(key, user_json(self.state, user, self.state.user_token(user), self.ip), **beside)


_V3_STATUS = {2020: 401, 2021: 401, 2206: 401, 1001: 403, 2005: 403, 2080: 429, 4004: 429}
"""The `statusCode` beside an `apiCode`; no source has a table. The default is 400."""

_NULL_FIELDS = dict.fromkeys(
    (
        "unionid",
        "openid",
        "company",
        "browser",
        "device",
        "givenName",
        "familyName",
        "middleName",
        "profile",
        "preferredUsername",
        "website",
        "birthdate",
        "zoneinfo",
        "locale",
        "address",
        "formatted",
        "streetAddress",
        "locality",
        "region",
        "postalCode",
        "city",
        "province",
        "country",
        "externalId",
    )
)


def user_json(state: State, user: User, token: str | None, ip: str = "127.0.0.1") -> dict[str, Any]:
    """Return a user as a login answers it (docs/wire.md#user); password hash and salt are left out, unlike the service."""
    data: dict[str, Any] = {
        "id": user.id,
        "arn": state.arn(user),
        "userPoolId": state.user_pool_id,
        "status": "Activated",
        "username": user.username,
        "email": user.email,
        "emailVerified": user.email is not None,
        "phone": user.phone,
        "phoneVerified": user.phone is not None,
        "phoneCountryCode": user.phone_country_code,
        "nickname": user.nickname,
        "name": user.name,
        "photo": "https://files.authing.co/authing-console/default-user-avatar.png",
        "gender": "U",
        "createdAt": iso(user.created_at),
        "updatedAt": iso(user.updated_at),
        "lastLogin": None if user.last_login is None else iso(user.last_login),
        "lastMfaTime": None if user.last_mfa is None else iso(user.last_mfa),
        "lastIp": ip,
        "loginsCount": user.logins,
        "registerSource": ["basic:username-password"],
        "blocked": False,
        "isDeleted": False,
        "isRoot": False,
        "identities": [],
        **_NULL_FIELDS,
    }
    if token is not None:
        data["token"] = token
        data["tokenExpiredAt"] = iso((state.signer.read(token) or {})["exp"])
    return data
