"""The state file: a snapshot with a few more fields, from which the next emulator continues."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator import snapshots

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from authing_mfa.emulator.namespace import Namespace

__all__ = ["load", "save"]


def load(path: str | PathLike[str]) -> dict[str, Any] | None:
    """Return the content of the state file *path*; None if the file does not exist yet.

    Raises:
        ValueError: the file is not a state file.
        OSError: the file cannot be read, or its folder does not exist: the state could not be written at the end.
    """
    file = Path(path)
    if not file.parent.is_dir():
        raise NotADirectoryError(f"the folder of the state file {path} is not there")
    try:
        kept = snapshots.read(file)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ValueError(f"the state file {path} cannot be used: {error}") from None
    if not isinstance(kept.get("app_id"), str) or not isinstance(kept.get("user_pool_id"), str):
        raise ValueError(f"the state file {path} cannot be used: it names no app_id and user_pool_id")  # noqa: TRY004 - a file's content
    others = kept.get("namespaces", {})
    if not isinstance(others, dict) or not all(isinstance(each, dict) for each in others.values()):
        raise ValueError(f"the state file {path} cannot be used: its namespaces are not snapshots")
    return kept


def save(path: str | PathLike[str], default: Namespace, others: Mapping[str, Namespace]) -> None:
    """Write the state file *path*, completely or not at all.

    Raises:
        OSError: the file cannot be written. Its text says so, because the state is lost.
    """
    kept = {
        **default.snapshot(),
        "app_id": default.app_id,
        "namespaces": {name: namespace.snapshot() for name, namespace in others.items() if not namespace.unused},
    }
    try:
        snapshots.write(kept, path, default.state)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OSError(
            error.errno, f"the state file cannot be written, its changes are lost: {reason}", str(path)
        ) from error
