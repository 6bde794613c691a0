"""Perform one row: for its own user, after the upload of a photo, repeated only if that is safe."""

from __future__ import annotations

import math
import random
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from authing_mfa import retry
from authing_mfa.errors import AuthingError, ImageError, InvalidInputError, NetworkError
from authing_mfa.operations import UploadFaceImage, VerifyByFace

if TYPE_CHECKING:
    from authing_mfa.batch.models import VerifyRequest
    from authing_mfa.client import AuthClient

__all__ = ["LIMITED_ATTEMPTS", "RowPerformer", "is_retryable", "pause_before_retry"]

LIMITED_ATTEMPTS: Final = 8
"""How often a row is tried if the service answers 429; the whole run pauses before each try."""


class RowPerformer:
    """Performs rows with one client, one try at a time: the run does the waiting, so that one 429 slows the whole run."""

    def __init__(self, client: AuthClient) -> None:
        self._client: Any = client

    async def prepare(self) -> None:
        """Find the service's address before the first row, so that the first rows start at the given rate.

        Errors here appear in the rows' outcomes.
        """
        try:
            await self._client.connect()
        except AuthingError:
            return

    async def probe(self) -> None:
        """Ask the service for a connection.

        Raises:
            AuthingError: no connection can be made.
        """
        await self._client.connect()

    async def __call__(self, row: VerifyRequest) -> Any:
        """Send *row* and return the service's answer.

        Raises:
            AuthingError: as `AuthClient.perform`.
        """
        client = self._client if row.token is None else self._client.as_user(row.token)
        operation = row.operation
        if operation is None:
            operation = VerifyByFace(await _upload(client, row.image))
        return await client.perform(operation, max_attempts=1)


async def _upload(client: Any, image: Any) -> str:
    """Upload a photo. An upload verifies nothing, so its failure never makes the row's fate unknown."""
    try:
        return await client.perform(UploadFaceImage(image), max_attempts=1)  # type: ignore[no-any-return]  # a client, or a replacement in a test
    except NetworkError as error:
        raise type(error)(f"The photo could not be uploaded: {error.message}", delivery="not_sent") from error
    except ImageError as error:
        raise ImageError(f"{_named(image)} {error.message}".lstrip()) from error
    except (OSError, TypeError, ValueError) as error:
        if isinstance(error, AuthingError):
            raise
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise InvalidInputError(f"{_named(image)} The photo cannot be read: {reason}.".lstrip()) from error


def _named(image: object) -> str:
    """Return the name of a photo's file, for an error's text."""
    return f"{image}:" if isinstance(image, PurePath) else ""


def is_retryable(row: VerifyRequest) -> bool:
    """Return True if *row* can be sent again at all; a row with an open file cannot, because the file has been read to its end."""
    return not hasattr(row.image, "read")


def pause_before_retry(row: VerifyRequest, error: AuthingError, attempt: int) -> float | None:
    """Return the seconds to wait before *row* is tried again after *error*, or None. 429 is not handled here."""
    if not is_retryable(row):
        return None
    return retry.retry_delay(
        row.operation or _VERIFY_FACE,
        error,
        attempt=attempt,
        max_attempts=retry.MAX_ATTEMPTS,
        budget=math.inf,
        jitter=random.random(),  # noqa: S311 - a back-off, not a secret
    )


_VERIFY_FACE: Final = VerifyByFace("photo")
