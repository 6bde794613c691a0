"""One namespace's data and the few things that may be done to it. No HTTP here; `rules` decides, this remembers.

Nothing in here locks: whoever calls holds the service's lock.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import deque
from random import Random
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.crypto import keys, totp
from authing_mfa.emulator.crypto.faces import face_fingerprint
from authing_mfa.emulator.crypto.tokens import ISSUER, TokenSigner
from authing_mfa.emulator.state.records import (
    DEFAULT_COUNTRY,
    Enrollment,
    Photo,
    SentCode,
    SentMessage,
    Totp,
    User,
    canonical_phone,
    canonical_target,
)
from authing_mfa.emulator.state.settings import normalized_policies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from authing_mfa.emulator.crypto.faces import ImageSource
    from authing_mfa.emulator.state.clock import VirtualClock
    from authing_mfa.emulator.state.settings import Settings

__all__ = ["State", "hex_id", "message_json"]

_OUTBOX_SIZE = 100_000

_NEVER_SENT = frozenset(digit * length for digit in "0123456789" for length in range(1, 13)) | {
    "123456",
    "654321",
    "1234",
}
"""Codes that are never made, so that a test may use them as wrong ones."""


def hex_id(rng: Random) -> str:
    """An id as the service makes them: 24 hex digits."""
    return rng.randbytes(12).hex()


class State:
    """Users, codes, photos and messages of one namespace."""

    def __init__(self, settings: Settings, clock: VirtualClock, user_pool_id: str, seed: str | None) -> None:
        self.settings = settings
        self.clock = clock
        self.user_pool_id = user_pool_id
        self.seed = seed
        self.notify: Callable[[str, Any], None] = _nobody
        self.clear()

    def clear(self) -> None:
        """Back to empty; with a seed the same things come out again in the same order."""
        self.rng = Random(secrets.token_hex(16) if self.seed is None else self.seed)  # noqa: S311 - test data, reproducible
        self.signer = TokenSigner(self.rng.randbytes(32))
        self.users: dict[str, User] = {}
        self.by_username: dict[str, str] = {}
        self.by_phone: dict[str, str] = {}
        self.by_email: dict[str, str] = {}
        self.by_mfa_phone: dict[str, str] = {}
        self.by_mfa_email: dict[str, str] = {}
        self.fixed_codes: dict[str, str] = {}
        self.codes: dict[str, SentCode] = {}
        self.newest: dict[str, SentMessage] = {}
        self.outbox: deque[SentMessage] = deque(maxlen=_OUTBOX_SIZE)
        self.messages_sent = 0
        self.photos: dict[str, Photo] = {}
        self.blobs: dict[str, bytes] = {}
        self.fingerprints: dict[str, bytes] = {}
        self.enrollments: dict[str, Enrollment] = {}

    # ─────────────────────────────── users ───────────────────────────────

    def add_user(  # noqa: PLR0913 - the parts of a user, all optional keywords
        self,
        *,
        username: str | None = None,
        password: str | None = None,
        phone: str | None = None,
        email: str | None = None,
        mfa: Iterable[str] = (),
        totp_bound: bool = False,
        face: ImageSource | None = None,
        phone_country_code: str | None = None,
        nickname: str | None = None,
        custom: Mapping[str, object] | None = None,
    ) -> User:
        """A new user. See `Namespace.add_user`.

        Raises:
            ValueError: the user name, phone or address belongs to another user, or a policy word is unknown.
        """
        policies = normalized_policies(mfa)
        self._refuse_duplicates(username, phone, phone_country_code, email)
        now = self.clock()
        ident = hex_id(self.rng)
        hashed = None if password is None else keys.hash_password(password, ident)
        user = User(ident, username, hashed, now, now, email=email, nickname=nickname, mfa=policies)
        user.custom.update(custom or {})
        if phone is not None:
            user.phone, user.phone_country_code = phone, phone_country_code or country_of(phone)
            self.by_phone[canonical_phone(phone, user.phone_country_code)] = ident
        if username:
            self.by_username[username] = ident
        if email is not None:
            self.by_email[canonical_target(email)] = ident
        if totp_bound:
            user.totp = self.new_totp("SELF")
        if face is not None:
            user.face = (face_fingerprint(face),)
        self.users[ident] = user
        if phone is not None and "SMS" in policies:
            self.bind_phone(user, phone, user.phone_country_code)
        if email is not None and "EMAIL" in policies:
            self.bind_email(user, email)
        self.notify("users", {"id": ident})
        return user

    def _refuse_duplicates(
        self, username: str | None, phone: str | None, phone_country_code: str | None, email: str | None
    ) -> None:
        if username and username in self.by_username:
            raise ValueError(f"a user named {username!r} exists already")
        if phone is not None and canonical_phone(phone, phone_country_code) in self.by_phone:
            raise ValueError(f"the phone {phone} belongs to another user already")
        if email is not None and canonical_target(email) in self.by_email:
            raise ValueError(f"the address {email} belongs to another user already")

    def find(self, account: str) -> User | None:
        """The user with this user name, phone, e-mail address or id."""
        ident = self.by_username.get(account)
        if ident is None and "@" in account:
            ident = self.by_email.get(canonical_target(account))
        elif ident is None and any(letter.isdigit() for letter in account):
            ident = self.by_phone.get(canonical_phone(account))
        return self.users.get(ident or account)

    def bind_phone(self, user: User, phone: str, country_code: str | None) -> None:
        """Make *phone* the user's MFA target."""
        self.unbind_phone(user)
        user.mfa_phone, user.mfa_phone_country_code = phone, country_code or country_of(phone)
        self.by_mfa_phone[canonical_phone(phone, user.mfa_phone_country_code)] = user.id

    def unbind_phone(self, user: User) -> None:
        """Free the user's MFA phone."""
        if user.mfa_phone is not None:
            self.by_mfa_phone.pop(canonical_phone(user.mfa_phone, user.mfa_phone_country_code), None)
        user.mfa_phone = user.mfa_phone_country_code = None

    def bind_email(self, user: User, email: str) -> None:
        """Make *email* the user's MFA target."""
        self.unbind_email(user)
        user.mfa_email = email
        self.by_mfa_email[canonical_target(email)] = user.id

    def unbind_email(self, user: User) -> None:
        """Free the user's MFA address."""
        if user.mfa_email is not None:
            self.by_mfa_email.pop(canonical_target(user.mfa_email), None)
        user.mfa_email = None

    def new_totp(self, source: str) -> Totp:
        """A new secret and recovery code; nobody's until they are bound."""
        return Totp(
            id=hex_id(self.rng),
            secret=totp.new_secret(self.rng),
            recovery_code=totp.new_recovery_code(self.rng),
            source=source,
            created_at=self.clock(),
        )

    def policies_of(self, user: User) -> tuple[str, ...]:
        """The second factors that are asked of *user*: the application's, then the user's own."""
        return tuple(dict.fromkeys((*self.settings.application_mfa, *user.mfa)))

    def locked(self, user: User) -> bool:
        """Whether *user* is locked now."""
        return self.clock() < user.locked_until

    def count_failure(self, user: User) -> None:
        """A wrong password or code; enough of them in a row lock the user."""
        user.failures += 1
        limit = self.settings.lock_after
        if limit is not None and user.failures >= limit:
            user.failures = 0
            user.locked_until = self.clock() + self.settings.lock_seconds
            self.notify("users", {"id": user.id})

    # ─────────────────────────────── codes ───────────────────────────────

    def send(self, channel: str, to: str, country_code: str | None, scene: str | None, *, force: bool = False) -> bool:
        """Send a new code, which ends the one before. False where the last was sent too short a time ago."""
        target = canonical_target(to, country_code)
        now = self.clock()
        before = self.codes.get(target)
        if not force and before is not None and 0 <= now - before.sent_at < self.settings.resend_window:
            return False
        code = self.fixed_codes.get(target) or self._new_code()
        self.codes[target] = SentCode(code, now)
        self.messages_sent += 1
        message = SentMessage(channel, to, code, now, scene, self.messages_sent)
        self.outbox.append(message)
        self.newest[target] = self.newest[to] = message
        self.notify("message", message_json(message))
        return True

    def _new_code(self) -> str:
        length = self.settings.code_length
        while True:
            code = f"{self.rng.randrange(10**length):0{length}d}"
            if code not in _NEVER_SENT:
                return code

    def spend_code(self, targets: Iterable[str], code: str) -> str:
        """Use the code of the first of *targets* (canonical) that has one: ``ok``, ``wrong``, ``used`` or ``expired``."""
        sent = next((self.codes[target] for target in targets if target in self.codes), None)
        if sent is None or not secrets.compare_digest(sent.code.encode(), code.strip().encode()):
            return "wrong"
        if sent.used:
            return "used"
        if not 0 <= self.clock() - sent.sent_at <= self.settings.code_ttl:
            return "expired"
        sent.used = True
        return "ok"

    # ─────────────────────────────── tokens ───────────────────────────────

    def _token(self, user: User, lifetime: float, stage: int | None) -> str:
        now = int(self.clock())
        data: dict[str, Any] = {"userPoolId": self.user_pool_id, "userId": user.id, "arn": self.arn(user)}
        if stage is not None:
            data["stage"] = stage
        claims = {
            "data": data,
            "iss": ISSUER,
            "sub": user.id,
            "jti": self.rng.randbytes(8).hex(),
            "iat": now,
            "exp": now + int(lifetime),
        }
        return self.signer.sign(claims)

    def mfa_token(self, user: User) -> str:
        """A new mfaToken (docs/wire.md#mfa-challenge)."""
        return self._token(user, self.settings.mfa_token_ttl, 1)

    def user_token(self, user: User) -> str:
        """A new token of a finished login (docs/wire.md#user)."""
        return self._token(user, self.settings.user_token_ttl, None)

    def arn(self, user: User) -> str:
        """The user's resource name."""
        return f"arn:cn:authing:{self.user_pool_id}:user:{user.id}"

    def read_token(self, token: str | None) -> tuple[User | None, bool, bool]:
        """Whose *token* is, whether it is an mfaToken, and whether it is good now."""
        claims = self.signer.read(token) if token else None
        if claims is None:
            return None, False, False
        user = self.users.get(claims["data"]["userId"])
        return user, claims["data"].get("stage") == 1, user is not None and self.clock() < claims["exp"]

    # ─────────────────────────────── photos ───────────────────────────────

    def store_photo(self, content: bytes, folder: str, content_type: str, *, private: bool) -> str:
        """Keep an uploaded file and return its key."""
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        key = f"{folder}/{self.user_pool_id}/{hex_id(self.rng)}.jpg"
        self.photos[key] = Photo(digest, private, content_type)
        return key

    def photo_signature(self, key: str) -> str:
        """What the address of a private photo must carry."""
        return self.signer.mark(key)

    def fingerprint_of(self, key: str) -> bytes | None:
        """The print of the photo *key*, None where there is none or it is not a picture."""
        photo = self.photos.get(key)
        if photo is None:
            return None
        if photo.digest not in self.fingerprints:
            try:
                self.fingerprints[photo.digest] = face_fingerprint(self.blobs[photo.digest])
            except (OSError, ValueError, SyntaxError):
                return None
        return self.fingerprints[photo.digest]


def _nobody(_name: str, _data: Any) -> None:
    """Whom to tell until somebody wants to know."""


def country_of(phone: str) -> str | None:
    """The country code to tell beside *phone*: none where the number itself has one."""
    return None if phone.strip().startswith("+") else DEFAULT_COUNTRY


def message_json(message: SentMessage) -> dict[str, Any]:
    """A message as the inbox tells it."""
    what = f" ({message.scene})" if message.scene else ""
    return {
        "id": message.id,
        "channel": message.channel,
        "to": message.to,
        "code": message.code,
        "scene": message.scene,
        "sent_at": message.sent_at,
        "text": f"Your verification code is {message.code}{what}. It is from the emulator.",
    }
