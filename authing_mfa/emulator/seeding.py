"""Seed files: the users, fixed codes, faults and settings an emulator starts with, in YAML or JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from authing_mfa.emulator.state.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

__all__ = ["STARTER", "check", "read", "settings_of", "write_starter"]

_KEYS = ("users", "codes", "faults", "settings")

STARTER = """\
# What the emulator starts with, and goes back to when it is reset. Every part may be left out.

users:
  - username: ann                # logs in with this, the phone or the address
    password: correct-horse
    phone: "13800138000"         # in quotes, or it is a number
    email: ann@example.com
    mfa: [SMS, EMAIL, OTP, FACE] # second factors the application asks of ann, in this order (1636)
    totp: true                   # a TOTP is bound; scan its QR on the inbox page

  - username: bob
    password: battery-staple
    totp: true                   # no mfa list: only bob's own TOTP is asked for (1635)

  - username: eve
    password: no-second-factor
    custom: {department: sales, seniority: 3}   # answered by udvs/get
    # face: photos/eve.jpg       # a picture beside this file; its face is bound

codes:                           # fixed codes instead of random ones; they expire and are spent like others
  "13800138000": "246810"
  ann@example.com: "135790"

settings:                        # seconds, and the emulator's defaults
  code_ttl: 300
  code_length: 6
  resend_window: 60              # 0: never refuse to send again
  mfa_token_ttl: 360
  # lock_after: 5                # wrong codes in a row until the user is locked (2005)
  # lock_seconds: 900
  # application_mfa: [OTP]       # asked of every user

faults: []                       # e.g. {path: mfa_verify_by_phone, nth: 2, drop: after}
#                                       {path: "/api/v2/mfa/*", probability: 0.1, seed: 7, status: 503}
#                                       {latency: {lognormal: [-2, 0.5]}}
"""
"""A commented seed file, as `emulator init` writes it."""


def write_starter(path: str | PathLike[str], *, overwrite: bool = False) -> None:
    """Write the commented starter file (YAML).

    Args:
        path: where to write it.
        overwrite: True if an existing file may be replaced.

    Raises:
        FileExistsError: the file exists and *overwrite* is false.
    """
    with Path(path).open("w" if overwrite else "x", encoding="utf-8") as file:
        file.write(STARTER)


def read(path: str | PathLike[str]) -> dict[str, Any]:
    """The seed file *path*: JSON by its ending ``.json``, else YAML. Pictures named in it are found beside it.

    Raises:
        ValueError: it is not what a seed file can be.
        ImportError: it is YAML and PyYAML (extra `emulator`) is not installed.
    """
    source = Path(path)
    text = source.read_text("utf-8")
    seeds = check(json.loads(text) if source.suffix.lower() == ".json" else _yaml(text))
    for user in seeds.get("users", []):
        if isinstance(user.get("face"), str):
            user["face"] = str(source.parent / user["face"])
    return seeds


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"the seed file is not YAML: {error}") from None


def check(seeds: Any) -> dict[str, Any]:
    """*seeds* if it has the shape of a seed file; parts that are null are left out.

    Raises:
        ValueError: it has not.
    """
    if not isinstance(seeds, dict) or not seeds.keys() <= set(_KEYS):
        raise ValueError(f"a seed file is an object with some of {', '.join(_KEYS)}")
    present = {name: value for name, value in seeds.items() if value is not None}
    for name in ("users", "faults"):
        if not all(isinstance(entry, dict) for entry in present.get(name, [])):
            raise ValueError(f"{name} of a seed file is a list of objects")
    codes = present.get("codes", {})
    if not isinstance(codes, dict) or not all(isinstance(text, str) for pair in codes.items() for text in pair):
        raise ValueError("codes of a seed file are texts: put the digits in quotes")
    for user in present.get("users", []):
        for name in ("username", "password", "phone", "email"):
            if not isinstance(user.get(name), (str, type(None))):
                raise ValueError(f"{name} of a user is a text: put it in quotes")  # noqa: TRY004 - a file, not an argument
    settings_of(present)
    return present


def settings_of(seeds: Mapping[str, Any], base: Settings | None = None) -> Settings:
    """The settings in *seeds* over those of *base*.

    Raises:
        ValueError: an unknown one.
    """
    given = seeds.get("settings") or {}
    known = {field.name for field in attrs.fields(Settings)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ValueError(f"there is no setting {unknown[0]!r}; the settings are {', '.join(sorted(known))}")
    return attrs.evolve(base or Settings(), **given)
