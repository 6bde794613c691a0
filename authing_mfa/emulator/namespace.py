"""One namespace of the emulator: its state behind a lock, and the methods for tests. Safe on any thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import attrs

from authing_mfa.emulator import seeding, snapshots
from authing_mfa.emulator.crypto import keys, totp
from authing_mfa.emulator.state.clock import VirtualClock
from authing_mfa.emulator.state.events import Events
from authing_mfa.emulator.state.faults import Faults
from authing_mfa.emulator.state.moved_back import move_back
from authing_mfa.emulator.state.request_log import RecordedRequest, RequestLog
from authing_mfa.emulator.state.settings import changed
from authing_mfa.emulator.state.state import State
from authing_mfa.emulator.state.user_fields import checked_target, checked_text
from authing_mfa.emulator.users import Users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from os import PathLike

    from authing_mfa.emulator.state.records import SentMessage
    from authing_mfa.emulator.state.settings import Settings

__all__ = ["Namespace"]


class Namespace(Users):
    """A namespace: its own users, messages, clock, faults and requests. `Emulator` is the default namespace."""

    public_key: str = keys.PUBLIC_KEY

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
        self.app_id = app_id
        self.in_use = False  # True once the program or a request could change it
        self._first_settings = settings
        self._first_pool_id = user_pool_id
        self.lock: threading.RLock = threading.RLock()
        self.clock: VirtualClock = VirtualClock(source, self._clock_moved)
        self.state: State = State(settings, self.clock, user_pool_id, seed)
        self.request_log: RequestLog = RequestLog(settings.journal_size)
        self.events: Events = Events()
        self.faults: Faults = Faults(self.lock, self._faults_changed)
        self.state.notify = self._tell
        self.on_message: Callable[[SentMessage], object] | None = None
        self.baseline: Mapping[str, Any] | None = None

    @property
    def settings(self) -> Settings:
        """The current settings; `change_settings` changes them."""
        return self.state.settings

    @property
    def user_pool_id(self) -> str:
        """The id of the user pool; 24 hex digits unless another id was chosen."""
        return self.state.user_pool_id

    @property
    def unused(self) -> bool:
        """True if the namespace can be forgotten without a loss: it was only looked at, and nobody watches it."""
        return not (self.in_use or self.events)

    def change_settings(self, **changes: Any) -> None:
        """Change settings until the next reset.

        Args:
            changes: fields of `Settings` with their new values.

        Raises:
            ValueError: the setting does not exist, or cannot have this value.
        """
        with self.lock:
            self.state.settings = changed(self.state.settings, changes)
            self.request_log.resize(self.state.settings.journal_size)
        self.events.publish("settings", attrs.asdict(self.settings))

    def _tell(self, name: str, data: Any) -> None:
        if name == "message" and self.on_message is not None:
            self.on_message(self.state.messages.sent[-1])
        self.events.publish(name, data)

    def _clock_moved(self, moved: float) -> None:
        if moved < 0:
            with self.lock:
                move_back(self.state, -moved)
        self.events.publish("clock", {"now": self.clock()})

    def _faults_changed(self) -> None:
        if self.events:
            self.events.publish("faults", {"faults": [rule.as_json() for rule in self.faults]})

    # ─────────────────────────────── messages ───────────────────────────────

    def code_for(self, target: str) -> str:
        """Return the newest code that was sent to this phone number or address, used or not.

        Args:
            target: the phone number or e-mail address.

        Raises:
            LookupError: nothing was sent to *target*.
        """
        with self.lock:
            message = self.state.messages.newest(target)
        if message is None:
            raise LookupError(f"no code was sent to {target}")
        return message.code

    def totp_code(self, secret: str) -> str:
        """Return the code that an authenticator app with this *secret* shows now, by the emulator's clock.

        The secret may be unconfirmed; `EmulatedUser.totp_code` uses only the bound secret.

        Args:
            secret: base32 text, `TotpEnrollment.secret`.
        """
        return totp.code_at(secret, totp.step_of(self.clock()))

    def send_code(self, target: str, *, scene: str | None = None) -> str:
        """Send a code to *target*, also within the resend window, and return the code.

        Args:
            target: the phone number or e-mail address.
            scene: what the code is for, e.g. ``MFA_VERIFY``; the outbox shows it.
        """
        channel = "email" if "@" in target else "sms"
        with self.lock:
            self.state.send(channel, target, None, scene, force=True)
            return self.code_for(target)

    def fix_code(self, target: str, code: str | None) -> None:
        """Send the fixed *code* to *target* from now on. A fixed code expires and is spent like other codes.

        Args:
            target: the phone number or e-mail address.
            code: the code to send; None: random codes again.

        Raises:
            ValueError: *target* is neither a phone number nor an address, or there are 10,000 fixed codes already.
        """
        with self.lock:
            self.state.messages.fix(checked_target(target), checked_text("code", code))

    @property
    def outbox(self) -> list[SentMessage]:
        """The sent messages, oldest first (the newest 100,000)."""
        with self.lock:
            return list(self.state.messages.sent)

    # ─────────────────────────────── requests ───────────────────────────────

    @property
    def requests(self) -> list[RecordedRequest]:
        """The newest requests, oldest first (`Settings.journal_size` of them)."""
        with self.lock:
            return list(self.request_log.entries)

    def verify_count(self, token: str, *, received: bool = False) -> int:
        """Return how many verifications the service acted on for *token*, right or wrong.

        Args:
            token: an mfaToken or a user's token.
            received: True also counts the requests that a fault dropped before the service acted.
        """
        with self.lock:
            return self.request_log.received(token) if received else self.request_log.acted(token)

    def assert_verified_once(self, tokens: Iterable[str] | None = None) -> None:
        """Check that the service acted on exactly one verification for each of *tokens*, or for every token.

        Args:
            tokens: the tokens to check; None: all tokens that were used.

        Raises:
            AssertionError: a token was never verified, or more than once. The error shows no token.
        """
        with self.lock:
            log = self.request_log
            counts = log.all_acted() if tokens is None else [log.acted(token) for token in tokens]
        wrong = [count for count in counts if count != 1]
        if wrong:
            often, never = sum(count > 1 for count in wrong), sum(count == 0 for count in wrong)
            raise AssertionError(f"of {len(counts)} tokens, {often} were verified more than once and {never} never")

    # ─────────────────────────────── state ───────────────────────────────

    def reset(self) -> None:
        """Remove all users, messages, faults and requests, reset the clock, and apply the seeds again.

        With *seed* the same ids and codes are made again.
        """
        with self.lock:
            self.clock.offset = 0.0
            self.faults.clear()
            self.state.clear()
            self.state.settings = self._first_settings
            self.state.user_pool_id = self._first_pool_id  # a snapshot of another emulator has another id
            self.request_log.clear()
            self.request_log.resize(self.state.settings.journal_size)
            if self.baseline is not None:
                self._add(self.baseline)
        self.events.publish("reset", {})

    def seed_from(self, seeds: Mapping[str, Any]) -> None:
        """Add the users, fixed codes and faults that *seeds* lists, now and after every reset.

        Args:
            seeds: the content of a seed file, see docs/emulator.md.

        Raises:
            ValueError: a part of *seeds* is invalid; the error names the place.
        """
        seeds = seeding.prepared(seeds)
        with self.lock:
            self._add(seeds)
            self.baseline = seeding.merged(self.baseline or {}, seeds)

    def _add(self, seeds: Mapping[str, Any]) -> None:
        for target, code in (seeds.get("codes") or {}).items():
            with seeding.place(f"codes, {target}"):
                self.fix_code(target, code)
        for number, user in enumerate(seeds.get("users") or [], 1):
            with seeding.place(f"users, entry {number}"):
                self.add_user(**user)
        for number, rule in enumerate(seeds.get("faults") or [], 1):
            with seeding.place(f"faults, entry {number}"):
                self.faults.add(**rule)

    def snapshot(self) -> dict[str, Any]:
        """Return the whole state as JSON: users, bindings, messages, photos, clock, faults. It holds secrets."""
        with self.lock:
            return snapshots.take(self.state, self.faults)

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Restore the state of *snapshot*. Its tokens and codes are valid again.

        Args:
            snapshot: an object that `snapshot` returned.

        Raises:
            ValueError: *snapshot* is not a snapshot of this version of the emulator.
        """
        with self.lock:
            snapshots.put_back(self.state, self.faults, snapshot)
        self.events.publish("reset", {})

    def save(self, path: str | PathLike[str]) -> None:
        """Write a snapshot into a file that only its owner can read. It holds secrets.

        Args:
            path: the file to write.

        Raises:
            OSError: the file cannot be written, or could not be read again.
        """
        snapshots.write(self.snapshot(), path, self.state)

    def load(self, path: str | PathLike[str]) -> None:
        """Restore the state from a file.

        Args:
            path: a file that `save` wrote.

        Raises:
            ValueError: the file is not a snapshot of this version of the emulator.
            OSError: the file cannot be read.
        """
        self.restore(snapshots.read(path))
