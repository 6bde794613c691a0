"""The methods for tests that change or read the users of one namespace. Any thread may call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authing_mfa.emulator.crypto.faces import face_fingerprint
from authing_mfa.emulator.state.settings import normalized_policies
from authing_mfa.emulator.user import EmulatedUser

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping

    from authing_mfa.emulator.crypto.faces import ImageSource
    from authing_mfa.emulator.state.state import State

__all__ = ["Users"]


class Users:
    """The methods about users; `Namespace` has them."""

    lock: threading.RLock
    state: State

    def add_user(  # noqa: PLR0913 - a user has many parts, all but two optional keywords
        self,
        *,
        username: str,
        password: str,
        phone: str | None = None,
        email: str | None = None,
        mfa: Iterable[str] = (),
        totp: bool = False,
        face: ImageSource | None = None,
        phone_country_code: str | None = None,
        nickname: str | None = None,
        custom: Mapping[str, object] | None = None,
        id: str | None = None,  # noqa: A002 - the field's name
        totp_secret: str | None = None,
        recovery_code: str | None = None,
        password_change: int | None = None,
    ) -> EmulatedUser:
        """Register a user.

        Args:
            username: the name to log in with; the user can also log in with the phone or the address.
            password: the password in plain text; the emulator stores its hash.
            phone: the account's phone; bound as MFA target if *mfa* names SMS.
            email: the account's address; bound as MFA target if *mfa* names EMAIL.
            mfa: the second factors that the application demands from this user, in order: SMS, EMAIL, OTP (or TOTP), FACE.
                Without any, a login demands only a TOTP that the user has bound (1635).
            totp: bind a TOTP; the returned view has its secret and recovery code.
            face: bind the face in this picture.
            phone_country_code: the country code of *phone*, e.g. ``+44``; by default ``+86``.
            nickname: the name that programs show.
            custom: the user's custom fields; `AuthClient.get_custom_user_data` returns them.
            id: the user's id, the same after every start; None: a new one. Letters, digits, ``_`` and ``-``.
            totp_secret: bind a TOTP with this secret (base32).
            recovery_code: bind a TOTP with this recovery code.
            password_change: the code with which a password login demands a new password: 1639 (first login), 2058 (expired) or
                2071 (unsafe).

        Raises:
            ValueError: the id, name, phone or address belongs to another user, a policy word is unknown, or a value is invalid.
            OSError: *face* cannot be read as a picture.
        """
        fingerprint = None if face is None else face_fingerprint(face)  # takes long: not under the lock
        with self.lock:
            user = self.state.add_user(
                username=username,
                password=password,
                phone=phone,
                email=email,
                mfa=mfa,
                totp_bound=totp,
                face=fingerprint,
                phone_country_code=phone_country_code,
                nickname=nickname,
                custom=custom,
                user_id=id,
                totp_secret=totp_secret,
                recovery_code=recovery_code,
                password_change=password_change,
            )
        return EmulatedUser(self.state, user.id)

    def user(self, account: str) -> EmulatedUser:
        """Return the user with this user name, phone, address or id.

        Args:
            account: the user name, phone number, e-mail address or id.

        Raises:
            LookupError: there is no such user.
        """
        with self.lock:
            found = self.state.find(account)
        if found is None:
            raise LookupError(f"there is no user {account!r}")
        return EmulatedUser(self.state, found.id)

    def user_by_id(self, user_id: str) -> EmulatedUser:
        """Return the user with this id.

        Args:
            user_id: the user's id.

        Raises:
            LookupError: there is no such user.
        """
        if user_id not in self.state.users:
            raise LookupError("there is no such user")
        return EmulatedUser(self.state, user_id)

    @property
    def users(self) -> list[EmulatedUser]:
        """Return all users, oldest first."""
        with self.lock:
            return [EmulatedUser(self.state, ident) for ident in self.state.users]

    def issue_mfa_token(self, user: EmulatedUser) -> str:
        """Return a new mfaToken of *user*, like a login that needs a second factor.

        Args:
            user: a user of this namespace.
        """
        with self.lock:
            return self.state.mfa_token(user.record)

    def issue_user_token(self, user: EmulatedUser) -> str:
        """Return a new token of *user*, like a finished login.

        Args:
            user: a user of this namespace.
        """
        with self.lock:
            return self.state.user_token(user.record)

    def update_user(  # noqa: PLR0913 - the parts of a user, all optional keywords
        self,
        user: EmulatedUser,
        *,
        username: str | None = None,
        password: str | None = None,
        phone: str | None = None,
        email: str | None = None,
        mfa: Iterable[str] | None = None,
        nickname: str | None = None,
        phone_country_code: str | None = None,
        custom: Mapping[str, object] | None = None,
    ) -> None:
        """Change the given parts of *user*; None leaves a part unchanged. Targets bound for MFA stay bound.

        Args:
            user: the user to change.
            username: the new user name.
            password: the new password, in plain text.
            phone: the new phone of the account; an empty text removes the phone.
            email: the new address of the account; an empty text removes the address.
            mfa: the second factors that the application demands from this user from now on.
            nickname: the new nickname.
            phone_country_code: the country code of *phone*.
            custom: the new custom fields; they replace all old ones.

        Raises:
            ValueError: the name, phone or address belongs to another user, or a value is invalid.
        """
        policies = None if mfa is None else normalized_policies(mfa)
        with self.lock:
            self.state.update_user(
                user.record,
                username=username,
                password=password,
                phone=phone,
                email=email,
                mfa=policies,
                nickname=nickname,
                phone_country_code=phone_country_code,
                custom=custom,
            )

    def lock_user(self, user: EmulatedUser, seconds: float | None = None) -> None:
        """Lock *user*, as too many wrong codes do (2005).

        Args:
            user: the user to lock.
            seconds: how long, by the emulator's clock, at most 1e9; None: `Settings.lock_seconds`.

        Raises:
            ValueError: *seconds* is not a number above 0, or is more than 1e9.
        """
        with self.lock:
            self.state.lock_user(user.record, seconds)

    def unlock_user(self, user: EmulatedUser) -> None:
        """End the lock of *user* and forget the wrong codes."""
        with self.lock:
            self.state.unlock_user(user.record)

    def unbind(self, user: EmulatedUser, factor: str) -> None:
        """Unbind a second factor of *user*; calling it again has no effect.

        Args:
            user: the user.
            factor: SMS, EMAIL, OTP (or TOTP) or FACE.

        Raises:
            ValueError: *factor* is not a known factor.
        """
        with self.lock:
            self.state.unbind(user.record, normalized_policies([factor])[0])

    def delete_user(self, user: EmulatedUser) -> None:
        """Delete *user*. The name, phone and address are free again; the user's tokens are refused.

        Raises:
            LookupError: the user is deleted already.
        """
        with self.lock:
            self.state.remove(user.record)
