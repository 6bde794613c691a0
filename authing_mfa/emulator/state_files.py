"""The state file: what an emulator knew when it stopped, so that the next emulator continues from there. A snapshot with a few more fields."""

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
    """Return what the state file *path* holds; None where it is not there yet.

    Raises:
        ValueError: the file is no state file.
        OSError: it cannot be read, or its folder is not there: what is learnt could not be written at the end.
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
    return kept


def save(path: str | PathLike[str], default: Namespace, others: Mapping[str, Namespace]) -> None:
    """Write the state file *path*, all of it or nothing.

    Raises:
        OSError: it cannot be written.
    """
    kept = {
        **default.snapshot(),
        "app_id": default.app_id,
        "namespaces": {name: namespace.snapshot() for name, namespace in others.items() if not namespace.unused},
    }
    snapshots.write(kept, path)
