"""Who has bound which phone and address for MFA; binding and unbinding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.state.records import canonical_phone, canonical_target, country_of
from authing_mfa.emulator.state.user_fields import UnacceptableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from authing_mfa.emulator.state.records import User

__all__ = ["Bindings"]


class Bindings:
    """The MFA targets of all users and their owners; `Directory` adds the users."""

    notify: Callable[[str, Any], None]

    def clear_bindings(self) -> None:
        """Forget the owner of every target."""
        self.by_mfa_phone: dict[str, str] = {}
        self.by_mfa_email: dict[str, str] = {}

    def refuse_bound(self, phone: str | None, country_code: str | None, email: str | None) -> None:
        """Refuse MFA targets that another user has bound."""
        if phone is not None and canonical_phone(phone, country_code) in self.by_mfa_phone:
            raise UnacceptableError(f"the phone {phone} is bound for MFA by another user already")
        if email is not None and canonical_target(email) in self.by_mfa_email:
            raise UnacceptableError(f"the address {email} is bound for MFA by another user already")

    def unbind(self, user: User, policy: str) -> None:
        """Unbind the second factor *policy*, if it is bound."""
        if policy == "SMS":
            self.unbind_phone(user)
        elif policy == "EMAIL":
            self.unbind_email(user)
        elif policy == "OTP":
            user.totp = user.pending_totp = None
        elif policy == "FACE":
            user.face = ()
        self.notify("users", {"id": user.id})

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
