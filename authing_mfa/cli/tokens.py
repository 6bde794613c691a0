"""Store a login between commands: in the keyring if it is usable, else in a file that only the user can read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from typing import TYPE_CHECKING, Any, Final

import attrs

from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Login", "TokenStore"]

_SERVICE: Final = "authing-mfa"


@attrs.frozen
class Login:
    """The stored parts of a login.

    Attributes:
        token: an mfaToken or a user's token.
        kind: ``mfa`` (a second factor is still needed) or ``user``.
        account: the name of the account, for people.
        phone: the phone bound for MFA, the default of the next command.
        phone_country_code: its country code.
        email: the address bound for MFA.
        factors: what the challenge allows.
    """

    token: str = attrs.field(repr=False)
    kind: str = "user"
    account: str | None = None
    phone: str | None = None
    phone_country_code: str | None = None
    email: str | None = None
    factors: tuple[str, ...] = ()

    def dump(self) -> str:
        """As JSON text."""
        return json.dumps(attrs.asdict(self))

    @classmethod
    def load(cls, text: str) -> Login | None:
        """Read a login from JSON text. Return None if the text has another form."""
        try:
            data = json.loads(text)
            known: dict[str, Any] = {field.name: data[field.name] for field in attrs.fields(cls) if field.name in data}
            known["factors"] = tuple(data.get("factors") or ())
            login = cls(**known)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return None
        return login if isinstance(login.token, str) and login.token else None


class TokenStore:
    """The login of one profile with one application of one service: a token is never sent to another service.

    Args:
        folder: the folder of the file, if a file is needed.
        key: names profile, application and service.
        warn: called with a sentence for the user.
        say: makes the sentence *key* in the user's language.
    """

    def __init__(self, folder: Path, key: str, warn: Callable[[str], None], say: Callable[..., str]) -> None:
        self._key = key
        self._warn = warn
        self._say = say
        self.path: Path = folder / "tokens" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"

    def load(self) -> Login | None:
        """Return the stored login, if any.

        A file is newer than what the keyring holds, because storing in the keyring removes it. So a file that cannot be read is
        no reason to use the keyring's login, which may be another user's.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
            self._check_mode()
        except (FileNotFoundError, NotADirectoryError):
            return self._load_from_keyring()
        except OSError as error:
            self._warn(self._say("token_file_unreadable", path=self.path, reason=error.strerror or error))
            return None
        except UnicodeDecodeError:
            return None
        return Login.load(text)

    def _load_from_keyring(self) -> Login | None:
        keyring = _usable_keyring()
        if keyring is not None:
            with contextlib.suppress(Exception):  # backends raise errors of any class
                text = keyring.get_password(_SERVICE, self._key)
                return Login.load(text) if text else None
        return None

    def save(self, login: Login) -> bool:
        """Store *login*. Return True if it is in the keyring; for a file the user gets a warning.

        Raises:
            OSError: the login cannot be stored at all.
        """
        keyring = _usable_keyring()
        if keyring is not None:
            try:
                keyring.set_password(_SERVICE, self._key, login.dump())
            except Exception:  # noqa: BLE001 - backends raise errors of any class; the file is tried next
                keyring = None
        if keyring is not None:
            self.path.unlink(missing_ok=True)
            return True
        self._write(login.dump())
        self._warn(self._say("token_file", path=self.path))
        return False

    def delete(self) -> bool:
        """Remove the login. Return True if there was one.

        Raises:
            InvalidInputError: the login may still be stored.
        """
        found, failure = False, None
        keyring = _usable_keyring()
        if keyring is not None:
            try:
                if keyring.get_password(_SERVICE, self._key) is not None:
                    keyring.delete_password(_SERVICE, self._key)
                    found = True
            except Exception as error:  # noqa: BLE001 - backends raise errors of any class
                failure = error
        try:
            self.path.unlink()
            found = True
        except FileNotFoundError:
            pass
        except OSError as error:
            raise InvalidInputError(f"The stored token cannot be deleted: {error}.") from error
        if failure is not None and not found:  # a file would be newer than the keyring's login
            reason = f"the keyring failed with {type(failure).__name__}"
            raise InvalidInputError(f"The token may still be stored: {reason}.") from failure
        return found

    def _write(self, text: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self.path.with_suffix(f".{os.getpid()}")
        temporary.unlink(missing_ok=True)
        try:
            with os.fdopen(
                os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as file:
                file.write(text)
            temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)  # of a disk that is full: a part of a token

    def _check_mode(self) -> None:
        if os.name == "posix" and stat.S_IMODE(self.path.stat().st_mode) & 0o077:
            self._warn(self._say("token_file_open", path=self.path))


def _usable_keyring() -> Any:
    """Return the keyring module if it has a backend that stores passwords, else None."""
    try:
        import keyring

        return keyring if keyring.get_keyring().priority > 0 else None
    except Exception:  # noqa: BLE001 - keyring is not installed, or its backend fails
        return None
