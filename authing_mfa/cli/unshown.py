"""A new recovery code that the user has not seen yet: the old one is void, so it must not be lost with the output."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

from authing_mfa.errors import ApiError, AuthingError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from authing_mfa.cli.output import Output
    from authing_mfa.cli.texts import Say
    from authing_mfa.models import FactorEnrollment, TotpEnrollment, UserInfo

__all__ = ["Unshown"]

T = TypeVar("T")


class Unshown:
    """The new recovery code of this run until it is shown."""

    def __init__(self) -> None:
        self._code: str | None = None

    def hold(self, answer: UserInfo | TotpEnrollment | FactorEnrollment) -> None:
        """Note the new recovery code of *answer*, if it has one."""
        self._code = answer.recovery_code or self._code

    def look_at(self, answer: object) -> None:
        """Hold the new recovery code of *answer* if it is a user: the service has just replaced the old one."""
        from authing_mfa.models import UserInfo

        if isinstance(answer, UserInfo):
            self.hold(answer)

    async def holding(self, enrollment: TotpEnrollment | FactorEnrollment, call: Coroutine[Any, Any, T]) -> T:
        """Await *call*, which binds an app, and hold the app's recovery code, unless the service has refused to bind it.

        If no answer comes, or the command is interrupted, the service may have bound the app.
        """
        self.hold(enrollment)
        try:
            return await call
        except AuthingError as error:
            if error.delivery == "not_sent" or (isinstance(error, ApiError) and not isinstance(error, ServiceError)):
                self.was_shown()
            raise

    def was_shown(self) -> None:
        """Forget the code: stdout has it, or it is not valid."""
        self._code = None

    def save(self, folder: Callable[[], Path], output: Output, say: Say) -> None:
        """Write a code that could not be shown to a private file in *folder*, which is asked for only then, or at least to stderr."""
        code, self._code = self._code, None
        if code is None:
            return
        import secrets

        path = folder() / f"recovery-code-{secrets.token_hex(4)}.txt"
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(f"{code}\n")
            text = say("recovery_saved", path=path)
        except OSError:
            text = say("recovery_unsaved", code=code)
        output.warn(text)
