"""The messages that the service would have sent, and their codes. Limited: the oldest messages are removed with their codes."""

from __future__ import annotations

import secrets
from collections import deque
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator.state.records import SentCode, SentMessage, canonical_target, country_of
from authing_mfa.emulator.state.scenes import fits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

    from authing_mfa.emulator.state.clock import VirtualClock
    from authing_mfa.emulator.state.settings import Settings

__all__ = ["Messages", "message_json", "sent_to"]

_KEPT = 100_000
_FIXED = 10_000
_SCENES = 50  # more than the service has
_NEVER_SENT = frozenset(digit * length for digit in "0123456789" for length in range(1, 13)) | {
    "123456",
    "654321",
    "1234",
}
"""Codes that are never made, so that a test may use them as wrong codes."""


class Messages:
    """The newest 100,000 messages, the newest message of each recipient, and the valid code of each recipient."""

    def __init__(self, rng: Random, clock: VirtualClock) -> None:
        self._rng = rng
        self._clock = clock
        self.sent: deque[SentMessage] = deque()
        self.count: int = 0
        self.codes: dict[str, SentCode] = {}
        self.fixed: dict[str, str] = {}
        self._newest: dict[str, SentMessage] = {}

    def too_soon(self, settings: Settings, to: str, country_code: str | None, scene: str | None) -> bool:
        """Return True if the last code for *to* was sent too recently; with *scene* only a code of that scene counts."""
        before = self.codes.get(canonical_target(to, country_code))
        if before is None:
            return False
        last = before.sent_at if scene in (None, before.scene) else before.earlier.get(scene)
        return last is not None and 0 <= self._clock() - last < settings.resend_window

    def send(
        self, settings: Settings, channel: str, to: str, country_code: str | None, scene: str | None
    ) -> SentMessage:
        """Send a new code, which ends the code before."""
        target = canonical_target(to, country_code)
        now = self._clock()
        code = self.fixed.get(target) or self._new_code(settings.code_length)
        self.codes[target] = SentCode(code, now, scene=scene, earlier=self._earlier(target, now, settings))
        self.count += 1
        message = SentMessage(channel, to, code, now, scene, self.count, target)
        self.put(message)
        return message

    def _earlier(self, target: str, now: float, settings: Settings) -> dict[str, float]:
        """Return when the last codes for *target* were sent, by scene: those that may still refuse the next one."""
        before = self.codes.get(target)
        if before is None:
            return {}
        moments = before.earlier if before.scene is None else {**before.earlier, before.scene: before.sent_at}
        recent = [(scene, moment) for scene, moment in moments.items() if now - moment < settings.resend_window]
        return dict(recent[-_SCENES:])

    def move_back(self, now: float, seconds: float) -> None:
        """Move the codes that lie in the future of *now* back by *seconds*: the clock was moved back by them."""
        for sent in self.codes.values():
            if sent.sent_at > now:
                sent.sent_at -= seconds
            sent.earlier = {
                scene: moment - seconds if moment > now else moment for scene, moment in sent.earlier.items()
            }

    def put(self, message: SentMessage) -> None:
        """Add *message* as the newest."""
        if len(self.sent) >= _KEPT:
            self._forget(self.sent.popleft())
        self.sent.append(message)
        self._newest[message.target] = message

    def _forget(self, message: SentMessage) -> None:
        if self._newest.get(message.target) is message:
            del self._newest[message.target]
            self.codes.pop(message.target, None)

    def _number(self, target: str) -> int:
        """Return which message was the newest to *target* (canonical): numbers tell the order also where the clock stands still."""
        newest = self._newest.get(target)
        return 0 if newest is None else newest.id

    def newest(self, to: str) -> SentMessage | None:
        """Return the newest message to *to*, however the phone number is written."""
        found = self._newest.get(canonical_target(to))
        return found or next(filter(sent_to(to), reversed(self.sent)), None)

    def fix(self, target: str, code: str | None) -> None:
        """Send *code* to *target* from now on; None: random codes again.

        Raises:
            ValueError: there are 10,000 fixed codes already.
        """
        name = canonical_target(target)
        if code is None:
            self.fixed.pop(name, None)
        elif len(self.fixed) >= _FIXED and name not in self.fixed:
            raise ValueError(f"there are {_FIXED} fixed codes already")
        else:
            self.fixed[name] = code

    def _new_code(self, length: int) -> str:
        while True:
            code = f"{self._rng.randrange(10**length):0{length}d}"
            if code not in _NEVER_SENT:
                return code

    def spend_code(self, targets: Iterable[str], code: str, purpose: str, settings: Settings) -> str:
        """Use the newest code of *targets* (canonical): ``ok``, ``wrong``, ``used`` or ``expired``."""
        sent_to = max((target for target in targets if target in self.codes), key=self._number, default=None)
        sent = None if sent_to is None else self.codes[sent_to]
        if sent is None or not secrets.compare_digest(sent.code.encode(), code.strip().encode()):
            return "wrong"
        if settings.enforce_scenes and not fits(sent.scene, purpose):
            return "wrong"
        if sent.used:
            return "used"
        if self._clock() - sent.sent_at > settings.code_ttl:
            return "expired"
        sent.used = True
        return "ok"


def sent_to(to: str) -> Callable[[SentMessage], bool]:
    """Return a test: has a message gone to *to*, however it is written? Without a country code *to* means the number in any country."""
    wanted, any_country = canonical_target(to), country_of(to) is not None
    return lambda message: message.target == wanted or (any_country and canonical_target(message.to) == wanted)


def message_json(message: SentMessage) -> dict[str, Any]:
    """Return *message* for the inbox."""
    what = f" ({message.scene})" if message.scene else ""
    return {
        "id": message.id,
        "channel": message.channel,
        "to": message.to,
        "target": message.target,
        "code": message.code,
        "scene": message.scene,
        "sent_at": message.sent_at,
        "text": f"Your verification code is {message.code}{what}. It is from the emulator.",
    }
