"""Seed files: the users, fixed codes, faults and settings an emulator starts with, in YAML or JSON."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from authing_mfa._json import LARGE_FILE, parse_json
from authing_mfa.emulator.crypto.faces import face_fingerprint
from authing_mfa.emulator.state.fault_rules import RULE_FIELDS
from authing_mfa.emulator.state.settings import Settings, changed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from os import PathLike

__all__ = ["STARTER", "check", "merged", "place", "prepared", "read", "settings_of", "write_starter"]

_KEYS = ("users", "codes", "faults", "settings")
_TEXT_FIELDS = (
    "username",
    "password",
    "phone",
    "email",
    "phone_country_code",
    "nickname",
    "id",
    "totp_secret",
    "recovery_code",
)
_USER_FIELDS = (*_TEXT_FIELDS, "mfa", "totp", "face", "custom", "password_change")

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
    # id: 5f9d0cfa               # the same after every start, as these two:
    # totp_secret: GEZDGNBVGY3TQOJQ
    # recovery_code: 1111-2222-3333-4444-5555-6666

codes:                           # fixed codes instead of random ones; they expire and are spent like others
  "13800138000": "246810"
  ann@example.com: "135790"

settings:                        # seconds, and the emulator's defaults
  code_ttl: 300
  code_length: 6
  resend_window: 60              # 0: never refuse to send again
  mfa_token_ttl: 360
  # lock_after: 5                # wrong passwords and codes in a row until the user is locked (2005)
  # lock_seconds: 900
  # application_mfa: [OTP]       # asked of every user
  # face: any                    # every photo passes, so that a live camera can; or: none

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
    """Return the content of the seed file *path*: JSON for the ending ``.json``, else YAML. Pictures are relative to the file.

    Raises:
        ValueError: the file is not a valid seed file; the error names the place.
        OSError: the file cannot be read.
        ImportError: the file is YAML, and PyYAML (extra `emulator`) is not installed.
    """
    source = Path(path)
    content = source.read_bytes()
    with place(str(path)):
        seeds = check(_json(content) if source.suffix.lower() == ".json" else _yaml(content))
        for user in seeds.get("users", []):
            if isinstance(user.get("face"), str):
                user["face"] = str(source.parent / user["face"])
        return prepared(seeds)


def _json(content: bytes) -> Any:
    try:
        return parse_json(content, most=LARGE_FILE)
    except ValueError as refused:
        try:
            json.loads(content)
        except json.JSONDecodeError as error:  # the error names the line
            raise ValueError(f"line {error.lineno}, column {error.colno}: not JSON: {error.msg}") from None
        except (ValueError, RecursionError):
            pass
        raise ValueError(f"{refused}") from None


def _yaml(content: bytes) -> Any:
    import yaml

    try:
        return yaml.safe_load(content.decode())
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
        raise ValueError(f"{where}not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date that does not exist
        raise ValueError(f"not YAML: {error}") from None


@contextmanager
def place(name: str) -> Iterator[None]:
    """Put *name* in front of an error that is raised inside, and make it a ValueError."""
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"{name}: {error.strerror or error}{f': {error.filename}' if error.filename else ''}"
        ) from None
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name}: {error}") from None


def check(seeds: Any) -> dict[str, Any]:
    """Return *seeds* without parts that are null, if it has the shape of a seed file.

    Raises:
        ValueError: *seeds* has another shape; the error names the place.
    """
    if seeds is None:  # a file with only comments
        return {}
    present = {name: value for name, value in _known(seeds, _KEYS, "a seed file").items() if value is not None}
    for name in ("users", "faults"):
        if not isinstance(present.get(name, []), list):
            raise ValueError(f"{name}: must be a list")  # noqa: TRY004 - a file, not an argument
    for number, user in enumerate(present.get("users", []), 1):
        with place(f"users, entry {number}"):
            _check_user(user)
    for number, rule in enumerate(present.get("faults", []), 1):
        with place(f"faults, entry {number}"):
            _known(rule, RULE_FIELDS, "a fault")
    _check_codes(present.get("codes", {}))
    settings_of(present)
    return present


def _known(value: Any, names: Collection[str], what: str) -> dict[str, Any]:
    """Return *value* if it is a mapping that has no other keys than *names*."""
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be a mapping of names to values, not {value!r:.80}")  # noqa: TRY004 - a file, not an argument
    unknown = [key for key in value if key not in names]
    if unknown:
        raise ValueError(f"{what} has no {unknown[0]!r}; it has {', '.join(names)}")
    return value


def _check_user(user: Any) -> None:
    _known(user, _USER_FIELDS, "a user")
    for name in ("username", "password"):
        if user.get(name) is None:
            raise ValueError(f"a user needs a {name}")
    for name in _TEXT_FIELDS:
        if not isinstance(user.get(name), (str, type(None))):
            raise ValueError(f"{name} must be text, not {user[name]!r}: put it in quotes")  # noqa: TRY004 - the same


def _check_codes(codes: Any) -> None:
    if not isinstance(codes, dict):
        raise ValueError("codes: must map a phone number or an address to its code")  # noqa: TRY004 - the same
    for target, code in codes.items():
        if not isinstance(target, str) or not isinstance(code, str):
            raise ValueError(f"codes, {target}: recipient and code must be text: put the digits in quotes")  # noqa: TRY004 - the same


def prepared(seeds: Mapping[str, Any]) -> dict[str, Any]:
    """Return *seeds*, checked, with a fingerprint in place of each face picture, so that a reset need not read the picture again.

    Raises:
        ValueError: a part of *seeds* is invalid; the error names the place.
    """
    present = check(dict(seeds))
    users = list(present.get("users", []))
    for number, user in enumerate(users):
        if user.get("face") is not None:
            with place(f"users, entry {number + 1}, face"):
                users[number] = {**user, "face": face_fingerprint(user["face"])}
    return {**present, "users": users}


def merged(seeds: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the seeds of both."""
    return {
        "users": [*(seeds.get("users") or ()), *(more.get("users") or ())],
        "codes": {**(seeds.get("codes") or {}), **(more.get("codes") or {})},
        "faults": [*(seeds.get("faults") or ()), *(more.get("faults") or ())],
    }


def settings_of(seeds: Mapping[str, Any], base: Settings | None = None) -> Settings:
    """Return the settings in *seeds* over those of *base*.

    Raises:
        ValueError: a setting is unknown, or cannot have its value.
    """
    given = seeds.get("settings") or {}
    with place("settings"):
        if not isinstance(given, dict):
            raise ValueError("must map names to values")  # noqa: TRY004 - the same
        return changed(base or Settings(), given)
