"""Faults on demand: the rules of a namespace, and which of them fire on a call."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Unpack

from authing_mfa.emulator.state.fault_rules import RULE_FIELDS, FaultRule, RuleFields

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable

__all__ = ["MOST_RULES", "Faults"]

MOST_RULES = 1000
"""How many rules a namespace may have."""

_ID = re.compile(r"f[1-9][0-9]{0,14}")


class Faults:
    """The rules of one namespace, in order."""

    def __init__(self, lock: threading.RLock, changed: Callable[[], None]) -> None:
        self._lock = lock
        self._changed = changed
        self._rules: dict[str, FaultRule] = {}
        self._made = 0

    def __len__(self) -> int:
        return len(self._rules)

    def __iter__(self) -> Any:
        with self._lock:
            return iter(list(self._rules.values()))

    def add(self, path: str | None = None, **fields: Unpack[RuleFields]) -> FaultRule:
        """Add a rule; the keywords are the attributes of `FaultRule`.

        Raises:
            ValueError: an invalid value, no effect, or several effects; no operation has this name.
            TypeError: an unknown keyword.
        """
        unknown = fields.keys() - set(RULE_FIELDS)
        if unknown:
            raise TypeError(f"a fault has no {min(unknown)!r}; it has {', '.join(RULE_FIELDS)}")
        rule = self._keep(FaultRule(path=path, **fields))
        self._changed()
        return rule

    def _keep(self, rule: FaultRule) -> FaultRule:
        with self._lock:
            if len(self._rules) >= MOST_RULES:
                raise ValueError(f"there are {MOST_RULES} fault rules already")
            if rule.id in self._rules or not _ID.fullmatch(rule.id):  # a new rule has no id
                rule.id = f"f{self._made + 1}"
            self._made = max(self._made, int(rule.id[1:]))
            self._rules[rule.id] = rule
        return rule

    def remove(self, rule_id: str) -> None:
        """Remove one rule.

        Raises:
            LookupError: there is no rule with this id.
        """
        with self._lock:
            if self._rules.pop(rule_id, None) is None:
                raise LookupError(f"there is no fault {rule_id!r}")
        self._changed()

    def clear(self) -> None:
        """Remove every rule."""
        with self._lock:
            self._rules.clear()
        self._changed()

    def firing(self, path: str, names: Iterable[str | None], users: Iterable[str | None]) -> list[FaultRule]:
        """Count a call and return the rules that fire on it: all latencies, and the first of the other effects."""
        known, callers = set(names), set(users)
        waits: list[FaultRule] = []
        effects: list[FaultRule] = []
        for rule in self._rules.values():
            if rule.user is not None and rule.user not in callers:
                continue
            if rule.path is not None and rule.path not in known and not fnmatchcase(path, rule.path):
                continue
            rule.matched += 1
            if rule.latency is not None:
                waits += [rule] if rule.fires() else []
            elif not effects:  # a call has one effect: the other rules fire on later calls
                effects += [rule] if rule.fires() else []
        return waits + effects

    def replace(self, rules: Iterable[FaultRule]) -> None:
        """Replace all rules by these, which may have an id already."""
        with self._lock:
            self._rules.clear()
        for rule in rules:
            self._keep(rule)
        self._changed()
