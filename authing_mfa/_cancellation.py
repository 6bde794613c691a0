"""What a cancellation says about its call: whether the service may have acted.

It stands on asyncio's own error, because `asyncio.timeout` and task groups accept no subclass of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authing_mfa._error_root import Delivery

__all__ = ["note_delivery", "noted_delivery"]


def note_delivery(cancelled: BaseException, delivery: Delivery) -> None:
    """Note on *cancelled* whether the service may have acted."""
    vars(cancelled)["_authing_mfa_delivery"] = delivery


def noted_delivery(cancelled: BaseException) -> Delivery | None:
    """Return what was noted on *cancelled*; None: nothing was."""
    return vars(cancelled).get("_authing_mfa_delivery")
