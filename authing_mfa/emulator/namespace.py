"""One namespace of the emulator: its state behind a lock, and the calls a test makes on it. Safe from any thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator import snapshots
from authing_mfa.emulator.crypto import keys
from authing_mfa.emulator.state.clock import VirtualClock
from authing_mfa.emulator.state.events import Events
from authing_mfa.emulator.state.faults import Faults
from authing_mfa.emulator.state.records import SentMessage, canonical_target
from authing_mfa.emulator.state.request_log import RecordedRequest, RequestLog
from authing_mfa.emulator.state.state import State
from authing_mfa.emulator.user import EmulatedUser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from os import PathLike

    from authing_mfa.emulator.crypto.faces import ImageSource
    from authing_mfa.emulator.state.settings import Settings

__all__ = ["Namespace"]


class Namespace:
    """One namespace: users, messages, clock, faults, journal. `Emulator` is the default one."""

    public_key = keys.PUBLIC_KEY

    def __init__(
        self,
        name: str,
        settings: Settings,
        source: Callable[[], float],
        user_pool_id: str,
        app_id: str,
        seed: str | None,
    ) -> None:
        self.name = name
        self.settings = settings
        self.app_id = app_id
        self.user_pool_id = user_pool_id
        self.lock = threading.RLock()
        self.clock = VirtualClock(source, self._clock_moved)
        self.state = State(settings, self.clock, user_pool_id, seed)
        self.request_log = RequestLog(settings.journal_size)
        self.events = Events()
        self.faults = Faults(self.lock, self._faults_changed)
        self.state.notify = self.events.publish
        self.baseline: Mapping[str, Any] | None = None

    def _clock_moved(self) -> None:
        self.events.publish("clock", {"now": self.clock()})

    def _faults_changed(self) -> None:
        if self.events:
            self.events.publish("faults", {"faults": [rule.as_json() for rule in self.faults]})

    # ─────────────────────────────── users ───────────────────────────────

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
    ) -> EmulatedUser:
        """Register a user.

        Args:
            username: what the user logs in with; the phone and the address do as well.
            password: in plain text; a hash of it is kept.
            phone: the account's phone; bound as MFA target where *mfa* names SMS.
            email: the account's address; bound as MFA target where *mfa* names EMAIL.
            mfa: the second factors that the application asks of this user, in order: SMS, EMAIL, OTP (or TOTP), FACE.
                With none of them a login asks only for a TOTP the user has bound (1635).
            totp: bind a TOTP; its secret and recovery code stand in the view that is returned.
            face: bind the face in this picture.
            phone_country_code: of *phone*, e.g. ``+44``; ``+86`` where nothing says otherwise.
            nickname: to be shown.
            custom: the pool's own fields of this user, answered by udvs/get.

        Raises:
            ValueError: the name, phone or address belongs to another user, or a policy word is unknown.
            OSError: *face* cannot be read as a picture.
        """
        with self.lock:
            user = self.state.add_user(
                username=username,
                password=password,
                phone=phone,
                email=email,
                mfa=mfa,
                totp_bound=totp,
                face=face,
                phone_country_code=phone_country_code,
                nickname=nickname,
                custom=custom,
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
        """All users, oldest first."""
        with self.lock:
            return [EmulatedUser(self.state, ident) for ident in self.state.users]

    def issue_mfa_token(self, user: EmulatedUser) -> str:
        """Return a new mfaToken of *user*, as a login that asks for a second factor gives it.

        Args:
            user: a user of this namespace.
        """
        with self.lock:
            return self.state.mfa_token(user.record)

    def issue_user_token(self, user: EmulatedUser) -> str:
        """Return a new token of *user*, as a finished login gives it.

        Args:
            user: a user of this namespace.
        """
        with self.lock:
            return self.state.user_token(user.record)

    # ─────────────────────────────── messages ───────────────────────────────

    def code_for(self, target: str) -> str:
        """Return the newest code that was sent to this phone number or address, used or not.

        Args:
            target: the phone number or e-mail address.

        Raises:
            LookupError: nothing was sent there.
        """
        with self.lock:
            newest = self.state.newest
            message = newest.get(canonical_target(target)) or newest.get(target)
        if message is None:
            raise LookupError(f"no code was sent to {target}")
        return message.code

    def send_code(self, target: str, *, scene: str | None = None) -> str:
        """Send a code to *target* as if the application had asked for it, also within the resend window. Return the code.

        Args:
            target: the phone number or e-mail address.
            scene: what the code is for, e.g. ``MFA_VERIFY``; it is shown in the outbox.
        """
        channel = "email" if "@" in target else "sms"
        with self.lock:
            self.state.send(channel, target, None, scene, force=True)
            return self.code_for(target)

    def fix_code(self, target: str, code: str | None) -> None:
        """Send the fixed *code* to *target* from now on. Such a code expires and is spent like any other.

        Args:
            target: the phone number or e-mail address.
            code: the code to send; None: random codes again.
        """
        with self.lock:
            if code is None:
                self.state.fixed_codes.pop(canonical_target(target), None)
            else:
                self.state.fixed_codes[canonical_target(target)] = code

    @property
    def outbox(self) -> list[SentMessage]:
        """Everything that was sent, oldest first (the newest 100,000)."""
        with self.lock:
            return list(self.state.outbox)

    # ─────────────────────────────── journal ───────────────────────────────

    @property
    def requests(self) -> list[RecordedRequest]:
        """The newest requests, oldest first (`Settings.journal_size` of them)."""
        with self.lock:
            return list(self.request_log.entries)

    def verify_count(self, token: str, *, received: bool = False) -> int:
        """Return how many verifications the service acted on for *token*, right or wrong. The count is exact for all time.

        Args:
            token: an mfaToken or a user's token.
            received: True also counts the requests that a fault dropped before the service acted.
        """
        with self.lock:
            return (self.request_log.received if received else self.request_log.acted)[token]

    def assert_verified_once(self, tokens: Iterable[str] | None = None) -> None:
        """Check that the service acted on exactly one verification for each of *tokens*, or for each token it ever saw.

        Args:
            tokens: the tokens to check; None: all that were used.

        Raises:
            AssertionError: a token was verified never, or more than once. No token is shown.
        """
        with self.lock:
            acted = self.request_log.acted
            counts = list(acted.values()) if tokens is None else [acted[token] for token in tokens]
        wrong = [count for count in counts if count != 1]
        if wrong:
            often, never = sum(count > 1 for count in wrong), sum(count == 0 for count in wrong)
            raise AssertionError(f"of {len(counts)} tokens, {often} were verified more than once and {never} never")

    # ─────────────────────────────── state ───────────────────────────────

    def reset(self) -> None:
        """Forget everything (users, messages, clock, faults, requests) and go back to the seed file, if there is one.

        With a seed the same ids and codes come again.
        """
        with self.lock:
            self.clock.offset = 0.0
            self.faults.clear()
            self.state.clear()
            self.request_log.clear()
            if self.baseline is not None:
                self._add(self.baseline)
        self.events.publish("reset", {})

    def seed_from(self, seeds: Mapping[str, Any]) -> None:
        """Add the users, fixed codes and settings that *seeds* lists, now and after every reset.

        Args:
            seeds: what a seed file holds, see docs/emulator.md.
        """
        with self.lock:
            self.baseline = seeds
            self._add(seeds)

    def _add(self, seeds: Mapping[str, Any]) -> None:
        for target, code in (seeds.get("codes") or {}).items():
            self.fix_code(target, code)
        for user in seeds.get("users") or []:
            self.add_user(**user)
        for rule in seeds.get("faults") or []:
            self.faults.add(**rule)

    def snapshot(self) -> dict[str, Any]:
        """Everything there is, as JSON: users, bindings, messages, photos, clock, faults. It holds secrets."""
        with self.lock:
            return snapshots.take(self.state, self.faults)

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go back to *snapshot*. Tokens and codes of that time are valid again.

        Args:
            snapshot: what `snapshot` returned.

        Raises:
            ValueError: it is not a snapshot of this version of the emulator.
        """
        with self.lock:
            snapshots.put_back(self.state, self.faults, snapshot)
        self.events.publish("reset", {})

    def save(self, path: str | PathLike[str]) -> None:
        """Write a snapshot into a file that only its owner can read. It holds secrets.

        Args:
            path: where to write it.
        """
        snapshots.write(self.snapshot(), path)

    def load(self, path: str | PathLike[str]) -> None:
        """Go back to the snapshot in a file.

        Args:
            path: a file that `save` wrote.

        Raises:
            ValueError: it is not a snapshot of this version of the emulator.
        """
        self.restore(snapshots.read(path))
