"""One namespace's data and its basic changes. No HTTP; `rules` decides, this module stores.

Nothing in this module locks: the caller holds the namespace's lock.
"""

from __future__ import annotations

import math
import secrets
from random import Random
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.crypto.tokens import ISSUER, TokenSigner
from authing_mfa.emulator.state.directory import Directory, hex_id
from authing_mfa.emulator.state.messages import Messages, message_json
from authing_mfa.emulator.state.photos import Photos
from authing_mfa.emulator.state.sessions import Sessions
from authing_mfa.emulator.state.user_fields import checked_target, checked_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from authing_mfa.emulator.state.clock import VirtualClock
    from authing_mfa.emulator.state.records import (
        Enrollment,
        User,
    )
    from authing_mfa.emulator.state.settings import Settings

__all__ = ["State", "hex_id"]

_ENROLLMENTS = 10_000


class State(Directory):
    """Users, codes, photos and messages of one namespace."""

    def __init__(self, settings: Settings, clock: VirtualClock, user_pool_id: str, seed: str | None) -> None:
        self.settings = settings
        self.clock = clock
        self.user_pool_id = user_pool_id
        self.seed = seed
        self.notify: Callable[[str, Any], None] = _nobody
        self.clear()

    def clear(self) -> None:
        """Go back to an empty state; with a seed the same values are made again in the same order."""
        self.rng: Random = Random(secrets.token_hex(16) if self.seed is None else self.seed)  # noqa: S311 - test data, reproducible
        self.signer: TokenSigner = TokenSigner(self.rng.randbytes(32))
        self.clear_users()
        self.messages: Messages = Messages(self.rng, self.clock)
        self.photos: Photos = Photos()
        self.enrollments: dict[str, Enrollment] = {}
        self.sessions: Sessions = Sessions(self.rng)

    def become(self, other: State) -> None:
        """Take over the data of *other*, which is not used any more."""
        mine = {"settings", "clock", "seed", "notify"}
        vars(self).update({name: value for name, value in vars(other).items() if name not in mine})

    # ─────────────────────────────── codes ───────────────────────────────

    def send(
        self,
        channel: str,
        to: str,
        country_code: str | None,
        scene: str | None,
        *,
        force: bool = False,
        per_scene: bool = False,
    ) -> bool:
        """Send a new code, which ends the code before. Return False if the last one was sent too recently.

        With *per_scene* only a code of the same scene counts, as in the v3 API. With *force* no earlier code counts.

        Raises:
            UnacceptableError: *to* is neither a phone number nor an e-mail address, or a text is too long.
        """
        checked_text("scene", scene)
        checked_text("phone_country_code", country_code)
        to = checked_target(to)
        if not force and self.messages.too_soon(self.settings, to, country_code, scene if per_scene else None):
            return False
        message = self.messages.send(self.settings, channel, to, country_code, scene)
        self.notify("message", message_json(message))
        return True

    def spend_code(self, targets: Iterable[str], code: str, purpose: str) -> str:
        """Use the newest code of *targets* (canonical): ``ok``, ``wrong``, ``used`` or ``expired``.

        If the settings enforce scenes, a code that was sent for another *purpose* (``login``, ``mfa``) is wrong.
        """
        return self.messages.spend_code(targets, code, purpose, self.settings)

    def add_enrollment(self, enrollment: Enrollment) -> str:
        """Keep *enrollment* until it expires, and return its token."""
        now = self.clock()
        while self.enrollments:
            oldest = next(iter(self.enrollments))
            if self.enrollments[oldest].expires_at > now and len(self.enrollments) < _ENROLLMENTS:
                break
            del self.enrollments[oldest]
        token = self.rng.randbytes(16).hex()
        self.enrollments[token] = enrollment
        return token

    def remove(self, user: User) -> None:
        """Remove *user* with everything that a later user with the same id could take for the own."""
        super().remove(user)
        self.enrollments = {token: kept for token, kept in self.enrollments.items() if kept.user_id != user.id}
        self.sessions.forget(user)

    # ─────────────────────────────── tokens ───────────────────────────────

    def _token(self, user: User, lifetime: float, stage: int | None) -> str:
        now = self.clock()
        data: dict[str, Any] = {"userPoolId": self.user_pool_id, "userId": user.id, "arn": self.arn(user)}
        if stage is not None:
            data["stage"] = stage
        claims = {
            "data": data,
            "iss": ISSUER,
            "sub": user.id,
            "serial": user.serial,
            "jti": self.rng.randbytes(8).hex(),
            "iat": int(now),
            "exp": int(now) + math.ceil(lifetime),
            "until": now + lifetime,  # `exp` has whole seconds: a token of half a second would be born dead
        }
        return self.signer.sign(claims)

    def mfa_token(self, user: User) -> str:
        """Return a new mfaToken (docs/wire.md#mfa-challenge)."""
        return self._token(user, self.settings.mfa_token_ttl, 1)

    def user_token(self, user: User) -> str:
        """Return a new token of a finished login (docs/wire.md#user)."""
        return self._token(user, self.settings.user_token_ttl, None)

    def arn(self, user: User) -> str:
        """Return the user's resource name."""
        return f"arn:cn:authing:{self.user_pool_id}:user:{user.id}"

    def read_token(self, token: str | None) -> tuple[User | None, bool, bool]:
        """Return the user of *token*, whether it is an mfaToken, and whether it is valid now."""
        claims = self.signer.read(token) if token else None
        if claims is None:
            return None, False, False
        user = self.users.get(claims["data"]["userId"])
        if user is not None and claims.get("serial", 0) != user.serial:
            user = None  # of a deleted user with the same id
        until = claims.get("until", claims["exp"])
        good = user is not None and self.clock() < until and claims.get("jti") not in self.sessions.ended
        return user, claims["data"].get("stage") == 1, good

    def end_token(self, token: str) -> None:
        """End *token*, which this state has signed."""
        claims = self.signer.read(token)
        if claims is not None:
            self.sessions.end(claims["jti"], claims["exp"])

    # ─────────────────────────────── photos ───────────────────────────────

    def store_photo(
        self, content: bytes, folder: str, content_type: str, *, private: bool, fingerprint: bytes | None
    ) -> str:
        """Keep an uploaded file and return its key."""
        key = f"{folder}/{self.user_pool_id}/{hex_id(self.rng)}.jpg"
        self.photos.store(key, content, content_type, private=private, fingerprint=fingerprint)
        self.notify("photo", {"key": key})
        return key

    def photo_signature(self, key: str) -> str:
        """Return the signature in the address of a private photo."""
        return self.signer.mark(key)


def _nobody(_name: str, _data: Any) -> None:
    """The default listener: it ignores all events."""
