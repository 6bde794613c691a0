"""The profile file, ``config.toml`` in the user's configuration folder: one table of settings per profile."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Any, Final

from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["DEFAULT_PROFILE", "Profiles", "config_folder"]

DEFAULT_PROFILE: Final = "default"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def config_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of profiles and tokens: ``AUTHING_CONFIG_DIR``, else the platform's folder for a user's configuration.

    Raises:
        InvalidInputError: ``AUTHING_CONFIG_DIR`` names the home folder of a user that there is not, or platformdirs is not installed.
    """
    chosen = environ.get("AUTHING_CONFIG_DIR", "").strip()
    if chosen:
        from pathlib import Path

        try:
            return Path(chosen).expanduser()
        except RuntimeError:
            raise InvalidInputError(
                f"AUTHING_CONFIG_DIR {chosen} cannot be used: there is no such home folder."
            ) from None
    try:
        from platformdirs import user_config_path
    except ImportError:  # click alone comes with many other packages
        raise InvalidInputError(
            'The command line needs platformdirs and more: pip install "authing-mfa[cli]"'
        ) from None

    return user_config_path("authing-mfa", appauthor=False)


class Profiles:
    """Reads and writes the file. A missing file has no profiles."""

    def __init__(self, folder: Path) -> None:
        self.path: Path = folder / "config.toml"

    def read(self) -> dict[str, dict[str, Any]]:
        """Return every profile by name.

        Raises:
            InvalidInputError: the file cannot be read, or has another form.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInputError(f"The profile file {self.path} cannot be read: {error}.") from error
        import tomllib

        try:
            tables = tomllib.loads(text)
        except ValueError as error:  # tomllib's own error, or that of a number with too many digits
            raise InvalidInputError(f"The profile file {self.path} is not TOML: {error}.") from error
        except RecursionError:
            raise InvalidInputError(f"The profile file {self.path} nests too deep.") from None
        broken = [name for name, table in tables.items() if not isinstance(table, dict)]
        if broken:
            raise InvalidInputError(f"In the profile file {self.path}, {broken[0]} is outside of a [profile] table.")
        return tables

    def table(self, name: str, *, named: bool) -> dict[str, Any]:
        """Return the settings of profile *name*.

        Raises:
            InvalidInputError: the profile is missing, and the user *named* it.
        """
        check_name(name)
        tables = self.read()
        if named and name not in tables and name != DEFAULT_PROFILE:
            known = ", ".join(sorted(tables)) or "none"
            raise InvalidInputError(f"There is no profile {name} in {self.path} (there: {known}).")
        return tables.get(name, {})

    def change(self, name: str, key: str, value: str | float | None) -> None:
        """Set *key* of profile *name*; None removes it, and the profile with its last key."""
        check_name(name)
        tables = self.read()
        table = tables.setdefault(name, {})
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
        self._write({name: table for name, table in tables.items() if table})

    def _write(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        blocks = []
        for name, table in tables.items():
            lines = [f"[{_key(name)}]", *(f"{_key(key)} = {_literal(value)}" for key, value in table.items())]
            blocks.append("\n".join(lines) + "\n")
        try:
            path = self.path.resolve()  # a link to a file elsewhere, e.g. among other dotfiles, stays a link
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _replace(path, "\n".join(blocks))
        except (OSError, UnicodeEncodeError) as error:
            raise InvalidInputError(f"The profile file {self.path} cannot be written: {error}.") from error


def _replace(path: Path, text: str) -> None:
    """Replace the content of *path* at once. Its mode stays: somebody may have made the file private."""
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)  # of a disk that is full


def check_name(name: str) -> None:
    """Refuse an invalid name of a profile.

    Raises:
        InvalidInputError: the name is invalid.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInputError("A profile's name has only letters, digits, - and _.")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _literal(name)


def _literal(value: Any) -> str:
    """Return *value*, of any type that tomllib reads, in TOML on one line."""
    import json

    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(name)} = {_literal(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, str):  # as in JSON, which does not escape the last control character
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)  # a date or time, else a number
