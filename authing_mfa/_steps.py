"""Steps that are checked and told one after the other: what the demo is made of."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import attrs

from authing_mfa.errors import AuthingError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Step", "StepFailedError", "Steps", "UnexpectedError", "mask", "must"]

T = TypeVar("T")
E = TypeVar("E", bound=AuthingError)


@attrs.frozen
class Step:
    """One line of the journey.

    Attributes:
        number: counts from 1.
        call: what was called, secrets masked.
        outcome: what came back, in words.
        elapsed: seconds it took.
        ok: whether it is what it should be.
    """

    number: int
    call: str
    outcome: str
    elapsed: float
    ok: bool

    def line(self) -> str:
        """The step as text, in columns."""
        mark = "ok" if self.ok else "FAILED"
        return f"{self.number:>3}  {self.call:<41} {self.elapsed * 1000:>7.1f} ms  {mark:<3} {self.outcome}"


class StepFailedError(Exception):
    """A step was not as it should be; `step` says which."""

    def __init__(self, step: Step) -> None:
        super().__init__(f"Step {step.number} failed: {step.call}: {step.outcome}")
        self.step = step


class UnexpectedError(Exception):
    """What came back is not what should have come."""


def must(condition: object, otherwise: str) -> None:
    if not condition:
        raise UnexpectedError(otherwise)


def mask(secret: str) -> str:
    """*secret* so that two can be told apart and none can be used: its first two characters and its length."""
    return f"{secret[:2]}***({len(secret)})"


class Steps:
    """Takes steps, each checked and told to *show*."""

    def __init__(self, show: Callable[[Step], Any]) -> None:
        self.show = show
        self.steps: list[Step] = []

    async def step(self, call: str, made: Awaitable[T], tell: Callable[[T], str]) -> T:
        """Await *made*; *tell* says in words what came back, or raises `UnexpectedError`.

        Raises:
            StepFailedError: an error came, or what came back is not what should have come.
        """
        started = time.perf_counter()
        try:
            value = await made
        except AuthingError as error:
            self._fail(call, f"{type(error).__name__}: {error}", started, error)
        except UnexpectedError as error:
            self._fail(call, str(error), started, error)
        elapsed = time.perf_counter() - started
        try:
            outcome = tell(value)
        except (UnexpectedError, LookupError) as error:
            self._fail(call, str(error), started, error)
        self._note(call, outcome, elapsed, ok=True)
        return value

    async def refused(
        self, call: str, made: Awaitable[Any], expected: type[E], tell: Callable[[E], str] | None = None
    ) -> E:
        """Await *made*, which must end with an error of the class *expected*. The error is shown as a user would see it."""

        async def caught() -> E:
            try:
                await made
            except expected as error:
                return error
            raise UnexpectedError(f"{expected.__name__} was due, but the call was accepted")

        return await self.step(call, caught(), tell or (lambda error: f"{type(error).__name__}: {error}"))

    def _note(self, call: str, outcome: str, elapsed: float, *, ok: bool) -> Step:
        step = Step(len(self.steps) + 1, call, outcome, elapsed, ok)
        self.steps.append(step)
        self.show(step)
        return step

    def _fail(self, call: str, why: str, started: float, cause: Exception) -> NoReturn:
        raise StepFailedError(self._note(call, why, time.perf_counter() - started, ok=False)) from cause
