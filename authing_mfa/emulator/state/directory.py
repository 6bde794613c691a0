"""The users of one namespace, found by id, user name, phone, address, and MFA targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from authing_mfa.emulator.crypto import keys, totp
from authing_mfa.emulator.state.bindings import Bindings
from authing_mfa.emulator.state.records import (
    Totp,
    User,
    canonical_phone,
    canonical_target,
    country_after_change,
    country_of,
    looks_like_phone,
)
from authing_mfa.emulator.state.settings import normalized_policies
from authing_mfa.emulator.state.user_fields import (
    UnacceptableError,
    checked_custom,
    checked_email,
    checked_flag,
    checked_id,
    checked_lock,
    checked_password_change,
    checked_phone,
    checked_secret,
    checked_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from random import Random

    from authing_mfa.emulator.state.clock import VirtualClock
    from authing_mfa.emulator.state.settings import Settings

__all__ = ["Directory", "hex_id"]

_USERS = 200_000


def hex_id(rng: Random) -> str:
    """Return an id as the service makes them: 24 hex digits."""
    return rng.randbytes(12).hex()


class Directory(Bindings):
    """The users and their indexes; `State` adds everything else."""

    settings: Settings
    clock: VirtualClock
    rng: Random

    def clear_users(self) -> None:
        """Forget every user."""
        self.users: dict[str, User] = {}
        self.users_added: int = 0
        self.by_username: dict[str, str] = {}
        self.by_phone: dict[str, str] = {}
        self.by_email: dict[str, str] = {}
        self.clear_bindings()

    def add_user(  # noqa: PLR0913 - the parts of a user, all optional keywords
        self,
        *,
        username: str | None = None,
        password: str | None = None,
        phone: str | None = None,
        email: str | None = None,
        mfa: Iterable[str] = (),
        totp_bound: bool | None = False,
        face: bytes | None = None,
        phone_country_code: str | None = None,
        nickname: str | None = None,
        custom: Mapping[str, object] | None = None,
        user_id: str | None = None,
        totp_secret: str | None = None,
        recovery_code: str | None = None,
        password_change: int | None = None,
    ) -> User:
        """Add a user and return it. See `Namespace.add_user`; *face* is a fingerprint.

        Raises:
            UnacceptableError: the id, name, phone or address belongs to another user, or a value is invalid.
        """
        policies = normalized_policies(mfa)
        ident, drawn = checked_id(user_id), hex_id(self.rng)
        country = checked_text("phone_country_code", phone_country_code)
        user = User(
            ident or drawn,
            checked_text("username", username),
            None,
            self.clock(),
            self.clock(),
            phone=checked_phone(phone),
            email=checked_email(email),
            nickname=checked_text("nickname", nickname),
            mfa=policies,
            face=() if face is None else (face,),
            custom=dict(checked_custom(custom)),
            password_change=checked_password_change(password_change),
        )
        if phone is not None:
            user.phone_country_code = country or country_of(phone)
        if password is not None:
            user.password_hash = keys.hash_password(checked_text("password", password) or "", user.id)
        if checked_flag("totp", totp_bound) or totp_secret is not None or recovery_code is not None:
            user.totp = self._chosen_totp(totp_secret, recovery_code)
        if len(self.users) >= _USERS:
            raise UnacceptableError(f"there are {_USERS} users already")
        if user.id in self.users:
            raise UnacceptableError(f"a user with the id {user.id!r} exists already")
        self._refuse_duplicates(user)
        bound_phone, bound_email = phone if "SMS" in policies else None, email if "EMAIL" in policies else None
        self.refuse_bound(bound_phone, user.phone_country_code, bound_email)
        self.users_added += 1
        user.serial = self.users_added
        self.register(user)
        if bound_phone is not None:
            self.bind_phone(user, bound_phone, user.phone_country_code)
        if bound_email is not None:
            self.bind_email(user, bound_email)
        self.notify("users", {"id": user.id})
        return user

    def _refuse_duplicates(self, user: User) -> None:
        if user.username and user.username in self.by_username:
            raise UnacceptableError(f"a user named {user.username!r} exists already")
        if user.phone is not None and canonical_phone(user.phone, user.phone_country_code) in self.by_phone:
            raise UnacceptableError(f"the phone {user.phone} belongs to another user already")
        if user.email is not None and canonical_target(user.email) in self.by_email:
            raise UnacceptableError(f"the address {user.email} belongs to another user already")

    def register(self, user: User) -> None:
        """Add *user* to the indexes by name, phone and address."""
        self.users[user.id] = user
        if user.username:
            self.by_username[user.username] = user.id
        if user.phone is not None:
            self.by_phone[canonical_phone(user.phone, user.phone_country_code)] = user.id
        if user.email is not None:
            self.by_email[canonical_target(user.email)] = user.id
        if user.mfa_phone is not None:
            self.by_mfa_phone[canonical_phone(user.mfa_phone, user.mfa_phone_country_code)] = user.id
        if user.mfa_email is not None:
            self.by_mfa_email[canonical_target(user.mfa_email)] = user.id

    def remove(self, user: User) -> None:
        """Remove *user*; name, phone and address are free again, and the user's tokens are void."""
        self._remove_indexes(user)
        del self.users[user.id]
        self.notify("users", {"id": user.id})

    def _remove_indexes(self, user: User) -> None:
        self.by_username.pop(user.username or "", None)
        if user.phone is not None:
            self.by_phone.pop(canonical_phone(user.phone, user.phone_country_code), None)
        if user.email is not None:
            self.by_email.pop(canonical_target(user.email), None)
        if user.mfa_phone is not None:
            self.by_mfa_phone.pop(canonical_phone(user.mfa_phone, user.mfa_phone_country_code), None)
        if user.mfa_email is not None:
            self.by_mfa_email.pop(canonical_target(user.mfa_email), None)

    def find(self, account: str, country_code: str | None = None) -> User | None:
        """Return the user with this user name, phone (of this country), e-mail address or id."""
        ident = self.by_username.get(account)
        if ident is None and "@" in account:
            ident = self.by_email.get(canonical_target(account))
        elif ident is None and looks_like_phone(account):
            ident = self.by_phone.get(canonical_phone(account, country_code))
        return self.users.get(ident or account)

    def update_user(  # noqa: PLR0913 - the parts of a user
        self,
        user: User,
        *,
        username: str | None,
        password: str | None,
        phone: str | None,
        email: str | None,
        mfa: tuple[str, ...] | None,
        nickname: str | None,
        phone_country_code: str | None,
        custom: Mapping[str, object] | None,
    ) -> None:
        """Change the given parts of *user*; None leaves a part unchanged, an empty phone or address is removed.

        If a value is invalid, nothing is changed.

        Raises:
            UnacceptableError: the name, phone or address belongs to another user, or a value is invalid.
        """
        country = checked_text("phone_country_code", phone_country_code)
        new = attrs.evolve(
            user,
            username=checked_text("username", username) or user.username,
            phone=user.phone if phone is None else checked_phone(phone or None),
            email=user.email if email is None else checked_email(email or None),
            nickname=user.nickname if nickname is None else checked_text("nickname", nickname),
            mfa=user.mfa if mfa is None else mfa,
            custom=user.custom if custom is None else dict(checked_custom(custom)),
            updated_at=self.clock(),
        )
        if new.phone is None:
            new.phone_country_code = None
        elif phone is not None or country is not None:
            new.phone_country_code = country or country_after_change(user.phone, user.phone_country_code, new.phone)
        if password is not None:
            new.password_hash = keys.hash_password(checked_text("password", password) or "", user.id)
        self._remove_indexes(user)
        try:
            self._refuse_duplicates(new)
        except UnacceptableError:
            self.register(user)
            raise
        for field in attrs.fields(User):
            setattr(user, field.name, getattr(new, field.name))
        self.register(user)
        self.notify("users", {"id": user.id})

    def new_totp(self, source: str) -> Totp:
        """Return a new secret and recovery code, which are not bound to a user yet."""
        return Totp(
            id=hex_id(self.rng),
            secret=totp.new_secret(self.rng),
            recovery_code=totp.new_recovery_code(self.rng),
            source=source,
            created_at=self.clock(),
        )

    def _chosen_totp(self, secret: str | None, recovery_code: str | None) -> Totp:
        """Return a new TOTP with this secret and recovery code, or with random ones."""
        made = self.new_totp("SELF")
        made.secret = checked_secret(secret) or made.secret
        given = checked_text("recovery_code", recovery_code)
        made.recovery_code = (given or made.recovery_code).strip().lower()
        return made

    def policies_of(self, user: User) -> tuple[str, ...]:
        """Return the second factors that *user* must pass: the application's, then the user's own."""
        return tuple(dict.fromkeys((*self.settings.application_mfa, *user.mfa)))

    def locked(self, user: User) -> bool:
        """Return True if *user* is locked."""
        return self.clock() < user.locked_until

    def count_failure(self, user: User, *, password: bool = False) -> None:
        """Count a wrong code, or a wrong *password*; enough of them in a row lock the user."""
        if password:
            user.wrong_passwords += 1
        else:
            user.failures += 1
        limit = self.settings.lock_after
        if limit is not None and user.failures + user.wrong_passwords >= limit:
            self.lock_user(user, None)

    def lock_user(self, user: User, seconds: float | None) -> None:
        """Lock *user* for *seconds*; None: as long as the settings say."""
        now = self.clock()
        user.locked_until = now + (self.settings.lock_seconds if seconds is None else checked_lock(seconds))
        user.locked_at = now
        user.failures = user.wrong_passwords = 0
        self.notify("users", {"id": user.id})

    def unlock_user(self, user: User) -> None:
        """End the lock of *user* and forget the failures."""
        user.failures = user.wrong_passwords = 0
        user.locked_until = 0.0
        self.notify("users", {"id": user.id})
