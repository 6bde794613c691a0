"""A live view of one user, for tests and for the admin API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.crypto import totp
from authing_mfa.emulator.state.user_fields import checked_password_change

if TYPE_CHECKING:
    from authing_mfa.emulator.state.records import User
    from authing_mfa.emulator.state.state import State

__all__ = ["EmulatedUser"]


class EmulatedUser:
    """A live view of one user: it always shows the current state, without unconfirmed TOTP secrets."""

    def __init__(self, state: State, user_id: str) -> None:
        self._state = state
        self.id = user_id

    def __repr__(self) -> str:
        return f"EmulatedUser(id={self.id!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EmulatedUser) and (self._state, self.id) == (other._state, other.id)

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def record(self) -> User:
        """The emulator's record of the user; read it, never change it.

        Raises:
            LookupError: the user was deleted, or the emulator was reset.
        """
        user = self._state.users.get(self.id)
        if user is None:
            raise LookupError("this user no longer exists: the emulator was reset")
        return user

    @property
    def username(self) -> str:
        """The user name; empty for a user who registered by phone or e-mail."""
        return self.record.username or ""

    @property
    def phone(self) -> str | None:
        """The phone of the account; `mfa_phone` is the phone bound for MFA."""
        return self.record.phone

    @property
    def email(self) -> str | None:
        """The e-mail address of the account; `mfa_email` is the address bound for MFA."""
        return self.record.email

    @property
    def mfa(self) -> tuple[str, ...]:
        """The second factors that this user must pass."""
        return self._state.policies_of(self.record)

    @property
    def mfa_phone(self) -> str | None:
        """The phone bound for MFA."""
        return self.record.mfa_phone

    @property
    def mfa_email(self) -> str | None:
        """The address bound for MFA."""
        return self.record.mfa_email

    @property
    def totp_enabled(self) -> bool:
        """True if a TOTP is bound and confirmed."""
        return self.record.totp is not None

    @property
    def totp_secret(self) -> str | None:
        """The base32 secret of the bound TOTP."""
        binding = self.record.totp
        return None if binding is None else binding.secret

    @property
    def totp_uri(self) -> str | None:
        """``otpauth://…`` of the bound TOTP."""
        user = self.record
        return None if user.totp is None else totp.otpauth_uri(user.label, user.totp.secret)

    @property
    def totp_code(self) -> str | None:
        """The code that an authenticator app would show now, by the emulator's clock."""
        binding = self.record.totp
        return None if binding is None else totp.code_at(binding.secret, totp.step_of(self._state.clock()))

    @property
    def recovery_code(self) -> str | None:
        """The valid recovery code."""
        binding = self.record.totp
        return None if binding is None else binding.recovery_code

    @property
    def face_enabled(self) -> bool:
        """True if a face is bound."""
        return bool(self.record.face)

    @property
    def locked(self) -> bool:
        """True if too many wrong codes have locked the user, by the emulator's clock."""
        return self._state.locked(self.record)

    @property
    def password_change(self) -> int | None:
        """The code with which a password login demands a new password: 1639, 2058 or 2071; None: no change is needed."""
        return self.record.password_change

    def require_password_change(self, code: int | None = 1639) -> None:
        """Make password logins demand a new password until it is changed.

        Args:
            code: 1639 (first login), 2058 (expired) or 2071 (unsafe); None: logins demand no new password.

        Raises:
            ValueError: *code* is another number.
        """
        self.record.password_change = checked_password_change(code)

    def as_json(self) -> dict[str, Any]:
        """Return the user for the admin API."""
        return {
            "id": self.id,
            "username": self.record.username,
            "phone": self.phone,
            "email": self.email,
            "mfa": list(self.mfa),
            "own_mfa": list(self.record.mfa),
            "nickname": self.record.nickname,
            "mfa_phone": self.mfa_phone,
            "mfa_email": self.mfa_email,
            "totp_enabled": self.totp_enabled,
            "face_enabled": self.face_enabled,
            "locked": self.locked,
            "password_change": self.password_change,
            "recovery_code": self.recovery_code,
            "totp_uri": self.totp_uri,
        }
