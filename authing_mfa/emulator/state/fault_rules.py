"""A fault rule: which calls fail, how, and how often. Counting only; `http.request` applies the effects."""

from __future__ import annotations

from difflib import get_close_matches
from random import Random
from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args

import attrs

from authing_mfa.emulator.state import json_text
from authing_mfa.operations import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RULE_FIELDS", "FaultRule", "RuleFields", "rule_for_snapshot", "rule_from_snapshot"]

Moment = Literal["before", "after"]
Body = Literal["truncated", "malformed", "html", "empty"]

_REFUSALS = ("status", "code", "retry_after")
_MOST = 1e9  # the limit for any number in a rule
_LOGNORMAL_MOST = 20
_EFFECTS = (*_REFUSALS, "latency", "drop", "reset", "body", "slow_body")


@attrs.define
class FaultRule:
    """A fault rule: which calls it matches, how often it fires, and its effect.

    Attributes:
        path: a glob over the path (``/api/v2/mfa/*``) or an operation's name (``mfa_verify_by_totp``); None: every call.
        user: id, user name, phone or address of the caller, whom the token names, else the account, phone or address in the
            request; None: everybody.
        nth: start with the nth matching call, counted from 1; `count` is then 1 by default.
        probability: fire on this share of the matching calls, with its own random source (`seed`).
        count: how many times it fires in all; None: for ever.
        status: answer this HTTP status instead of acting.
        code: answer this code in the body instead of acting; the HTTP status is 200 unless `status` is given.
        message: the message of that answer.
        retry_after: answer 429 with this `Retry-After` in seconds instead of acting.
        latency: wait this many real seconds first, or ``{"lognormal": [mu, sigma]}``. It may be combined with another rule's effect.
        drop: close the connection ``before`` or ``after`` the service acted, without an answer.
        reset: the same with a TCP reset.
        body: answer ``truncated`` (cut off by the connection), ``malformed`` JSON, an ``html`` page, or ``empty``; `status`
            goes with it.
        slow_body: act, and send the answer's body slowly, over this many real seconds.
        acts: True: the service acts before it is refused; False: it does not act, which `latency` and `slow_body` do not
            allow; None: as described above.
    """

    path: str | None = None
    user: str | None = None
    nth: int | None = None
    probability: float | None = None
    seed: int | None = None
    count: int | None = None
    status: int | None = None
    code: int | None = None
    message: str | None = None
    retry_after: float | None = None
    latency: float | dict[str, list[float]] | None = None
    drop: Moment | None = None
    reset: Moment | None = None
    body: Body | None = None
    slow_body: float | None = None
    acts: bool | None = None
    id: str = ""
    matched: int = 0
    fired: int = 0
    _rng: Random = attrs.field(init=False, repr=False, factory=Random)

    def __attrs_post_init__(self) -> None:
        self._rng = Random(self.seed)  # noqa: S311 - which calls fail is no secret
        given = {name for name in _EFFECTS if getattr(self, name) is not None}
        kinds = {"refusal" if name in _REFUSALS else name for name in given}
        if kinds == {"refusal", "body"} and given == {"status", "body"}:
            kinds = {"body"}
        if len(kinds) != 1:
            raise ValueError(
                f"a fault has exactly one effect of {', '.join(_EFFECTS)}; this fault has {sorted(given) or 'no effect'}"
            )
        _check_word("drop", self.drop, get_args(Moment))
        _check_word("reset", self.reset, get_args(Moment))
        _check_word("body", self.body, get_args(Body))
        for name, kind in _KINDS.items():
            _check_kind(name, getattr(self, name), kind)
        _check_path(self.path)
        _check_range("status", self.status, 200, 599)
        _check_range("probability", self.probability, 0, 1)
        for name, least in (
            ("nth", 1),
            ("count", 1),
            ("slow_body", 0),
            ("retry_after", 0),
            ("matched", 0),
            ("fired", 0),
        ):
            _check_range(name, getattr(self, name), least, _MOST)
        _check_latency(self.latency)
        if self.acts is False and (self.latency is not None or self.slow_body is not None):
            raise ValueError("latency and slow_body give the answer of the service, so they do not go with acts=False")
        if self.nth is not None and self.count is None:
            self.count = 1

    @property
    def service_acts(self) -> bool:
        """True if the service acts before the answer fails."""
        if self.acts is not None:
            return self.acts
        return not (self.is_refusal or "before" in (self.drop, self.reset))

    @property
    def is_refusal(self) -> bool:
        """True if the rule answers instead of the service."""
        return self.body is None and any(getattr(self, name) is not None for name in _REFUSALS)

    def fires(self) -> bool:
        """Decide whether the rule fires on the matching call that was just counted."""
        if self.count is not None and self.fired >= self.count:
            return False
        if self.nth is not None and self.matched < self.nth:
            return False
        if self.probability is not None and self._rng.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def seconds(self) -> float:
        """Return how many seconds to wait this time."""
        if isinstance(self.latency, dict):
            mu, sigma = self.latency["lognormal"]
            return min(self._rng.lognormvariate(mu, sigma), _MOST)
        return self.latency or 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the rule for the admin API: its values, its id, how often it matched and fired."""
        fields = attrs.asdict(self, filter=lambda field, value: field.name != "_rng" and value is not None)
        return fields | {"id": self.id, "matched": self.matched, "fired": self.fired}


def _check_word(name: str, value: str | None, words: tuple[str, ...]) -> None:
    if value is not None and value not in words:
        raise ValueError(f"{name} is one of {', '.join(words)}, not {value!r}")


_KINDS: dict[str, tuple[type, str]] = {
    "path": (str, "text"),
    "user": (str, "text"),
    "message": (str, "text"),
    "seed": (int, "a whole number"),
    "status": (int, "a whole number"),
    "code": (int, "a whole number"),
    "nth": (int, "a whole number"),
    "count": (int, "a whole number"),
    "acts": (bool, "true or false"),
    "id": (str, "text"),
    "matched": (int, "a whole number"),
    "fired": (int, "a whole number"),
}


def _check_kind(name: str, value: Any, kind: tuple[type, str]) -> None:
    if value is not None and type(value) is not kind[0]:
        raise ValueError(f"{name} is {kind[1]}, not {value!r}")
    if type(value) is str:
        json_text.check_text(name, value)
    elif type(value) is int and not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f"{name} is a number of at most 64 bits")


def _check_path(path: str | None) -> None:
    """Check a path or the name of an operation: a rule with an unknown name would never fire."""
    if path is None or path[:1] in {"/", "*", "?", "["}:
        return
    names = _operation_names(Operation)
    if path not in names:
        near = get_close_matches(path, names, 1)
        hint = f": do you mean {near[0]}?" if near else "; a path starts with / or *."
        raise ValueError(f"no operation is called {path!r}{hint}")


def _operation_names(cls: type[Operation[Any]]) -> set[str]:
    names = {cls.__name__, getattr(cls, "python_name", cls.__name__)}
    return names.union(*(_operation_names(child) for child in cls.__subclasses__()))


def _check_range(name: str, value: Any, least: float, most: float) -> None:
    # NaN is neither smaller nor larger than any number, so the comparison is written to refuse it.
    if value is not None and (type(value) not in (int, float) or not least <= value <= most):
        raise ValueError(f"{name} is a number from {least:g} to {most:g}, not {value!r}")


def _check_latency(value: Any) -> None:
    if isinstance(value, dict):
        pair = value.get("lognormal")
        if (
            len(value) != 1
            or not isinstance(pair, list)
            or [type(part) in (int, float) and abs(part) <= _LOGNORMAL_MOST for part in pair] != [True, True]
        ):
            raise ValueError(
                f'latency is seconds or {{"lognormal": [mu, sigma]}}, each from -{_LOGNORMAL_MOST} to {_LOGNORMAL_MOST}'
            )
    else:
        _check_range("latency", value, 0, _MOST)


class RuleFields(TypedDict, total=False):
    """The keywords of `Faults.add`; `FaultRule` explains them."""

    user: str | None
    nth: int | None
    probability: float | None
    seed: int | None
    count: int | None
    status: int | None
    code: int | None
    message: str | None
    retry_after: float | None
    latency: float | dict[str, list[float]] | None
    drop: Moment | None
    reset: Moment | None
    body: Body | None
    slow_body: float | None
    acts: bool | None


RULE_FIELDS = tuple(
    field.name for field in attrs.fields(FaultRule) if field.name not in ("id", "matched", "fired", "_rng")
)
"""The keywords of a rule."""


def rule_for_snapshot(rule: FaultRule) -> dict[str, Any]:
    """Return *rule* as JSON, with the place of its random source if it uses one."""
    if rule.probability is None and not isinstance(rule.latency, dict):
        return rule.as_json()
    version, numbers, gauss = rule._rng.getstate()  # noqa: SLF001 - its own module
    return rule.as_json() | {"random": [version, list(numbers), gauss]}


def rule_from_snapshot(fields: Mapping[str, Any]) -> FaultRule:
    """Return the rule that `rule_for_snapshot` described.

    Raises:
        ValueError: an invalid value, no effect, or several effects.
        TypeError: an invalid place of the random source.
    """
    known = (*RULE_FIELDS, "id", "matched", "fired")
    rule = FaultRule(**{name: value for name, value in fields.items() if name in known})
    if "random" in fields:
        version, numbers, gauss = fields["random"]
        rule._rng.setstate((version, tuple(numbers), gauss))  # noqa: SLF001 - the same
    return rule
