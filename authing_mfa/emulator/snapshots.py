"""Turn a namespace's state into one JSON object, and back."""

from __future__ import annotations

import base64
import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cattrs

from authing_mfa._json import parse_json
from authing_mfa.emulator.crypto.faces import face_fingerprint
from authing_mfa.emulator.crypto.tokens import TokenSigner
from authing_mfa.emulator.state import json_text
from authing_mfa.emulator.state.fault_rules import FaultRule, rule_for_snapshot, rule_from_snapshot
from authing_mfa.emulator.state.faults import MOST_RULES, Faults
from authing_mfa.emulator.state.records import (
    Enrollment,
    PasswordToken,
    Photo,
    SentCode,
    SentMessage,
    User,
    canonical_target,
)
from authing_mfa.emulator.state.settings import normalized_policies
from authing_mfa.emulator.state.state import State
from authing_mfa.emulator.state.user_fields import checked_custom, checked_password_change, checked_secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

__all__ = ["put_back", "read", "take", "write"]

_FORMAT = 2
_NOT_ONE = "this is not a snapshot of the emulator, or of another version of it"

_FIRST_MOMENT, _LAST_MOMENT = -62_135_596_800, 253_402_300_799  # the years that a datetime has, 1 to 9999

_converter = cattrs.Converter()
_converter.register_unstructure_hook(bytes, lambda value: base64.b64encode(value).decode())
_converter.register_structure_hook(bytes, lambda value, _: base64.b64decode(value, validate=True))
_converter.register_structure_hook(float, lambda value, _: _moment(value))
_converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)


def take(state: State, faults: Faults) -> dict[str, Any]:
    """Return everything in *state* and *faults*; the caller holds their lock."""
    version, numbers, gauss = state.rng.getstate()
    plain = _converter.unstructure
    return {
        "format": _FORMAT,
        "user_pool_id": state.user_pool_id,
        "clock_offset": state.clock.offset,
        "random": [version, list(numbers), gauss],
        "signing_key": plain(state.signer.key),
        "users": [plain(user) for user in state.users.values()],
        "users_added": state.users_added,
        "fixed_codes": dict(state.messages.fixed),
        "codes": plain(state.messages.codes),
        "messages": [plain(message) for message in state.messages.sent],
        "messages_sent": state.messages.count,
        "photos": plain(state.photos.by_key),
        "blobs": plain(state.photos.contents),
        "enrollments": plain(state.enrollments),
        "captchas": dict(state.sessions.captchas),
        "password_tokens": plain(state.sessions.password_tokens),
        "ended_tokens": dict(state.sessions.ended),
        "faults": [rule_for_snapshot(rule) for rule in faults],
    }


def put_back(state: State, faults: Faults, snapshot: Mapping[str, Any]) -> None:
    """Restore *state* and *faults* from a snapshot; the caller holds their lock.

    Raises:
        ValueError: the object is not a snapshot of this format; nothing has changed.
    """
    try:
        json_text.check({**snapshot})
    except ValueError as error:
        raise ValueError("the snapshot cannot be read") from error
    state_then, rules, offset = _read_back(state, snapshot)
    state.become(state_then)
    faults.replace(rules)
    state.clock.offset = offset


def _read_back(state: State, snapshot: Mapping[str, Any]) -> tuple[State, list[FaultRule], float]:
    """Return what *snapshot*, which is JSON, holds: a state with the settings and the clock of *state*, the rules, the clock's offset."""
    if snapshot.get("format") not in (1, _FORMAT):
        raise ValueError(_NOT_ONE)
    try:
        if snapshot["format"] == 1:
            snapshot = _from_format_1(snapshot)
        found = _state_of(snapshot, State(state.settings, state.clock, str(snapshot["user_pool_id"]), state.seed))
        rules = [rule_from_snapshot(rule) for rule in snapshot["faults"]]
        if len(rules) > MOST_RULES:
            raise ValueError(f"more than {MOST_RULES} fault rules")  # noqa: TRY301 - told like all that is wrong with it
        offset = float(snapshot["clock_offset"])
        state.clock.check(offset)
    except Exception as error:  # cattrs raises groups of any errors
        raise ValueError("the snapshot cannot be read") from error
    return found, rules, offset


def _state_of(snapshot: Mapping[str, Any], state: State) -> State:
    """Fill the empty *state* from *snapshot*."""
    structure = _converter.structure
    version, numbers, gauss = snapshot["random"]
    state.rng.setstate((version, tuple(numbers), gauss))
    state.signer = TokenSigner(structure(snapshot["signing_key"], bytes))
    for user in structure(snapshot["users"], list[User]):
        _check_user(user)
        state.register(user)
    state.users_added = int(snapshot.get("users_added", 0))
    for message in structure(snapshot["messages"], list[SentMessage]):
        state.messages.put(message)
    state.messages.codes.update(structure(snapshot["codes"], dict[str, SentCode]))
    state.messages.fixed.update(structure(snapshot["fixed_codes"], dict[str, str]))
    state.messages.count = int(snapshot["messages_sent"])
    state.photos.by_key.update(structure(snapshot["photos"], dict[str, Photo]))
    for digest, content in structure(snapshot["blobs"], dict[str, bytes]).items():
        state.photos.put(digest, content)
    state.enrollments.update(structure(snapshot["enrollments"], dict[str, Enrollment]))
    sessions = state.sessions
    sessions.captchas.update(structure(snapshot.get("captchas", {}), dict[str, str]))
    sessions.password_tokens.update(structure(snapshot.get("password_tokens", {}), dict[str, PasswordToken]))
    sessions.ended.update(structure(snapshot.get("ended_tokens", {}), dict[str, float]))
    return state


def _moment(value: object) -> float:
    """Return *value*, a time: the only kind of number with a fraction in a snapshot. Raise an error if it is not one."""
    if type(value) not in (int, float):
        raise ValueError("a time is a number of seconds")
    moment = float(value)  # type: ignore[arg-type]  # checked above
    if not _FIRST_MOMENT <= moment <= _LAST_MOMENT:
        raise ValueError("a time is in no calendar")
    return moment


def _check_user(user: User) -> None:
    """Raise ValueError if the rules could not work with *user*."""
    normalized_policies(user.mfa)
    checked_custom(user.custom)
    checked_password_change(user.password_change)
    for binding in (user.totp, user.pending_totp):
        if binding is not None:
            checked_secret(binding.secret)


def _from_format_1(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return a *snapshot* of version 0.1 in the current format: photos have fingerprints, messages have their target."""
    targets = {number: target for target, number in snapshot["newest"].items() if target[:1] == "+" or "@" in target}
    messages = [
        {**message, "target": targets.get(message["id"]) or canonical_target(message["to"])}
        for message in snapshot["messages"]
    ]
    photos = {
        key: {**photo, **_examined(snapshot["blobs"][photo["digest"]])} for key, photo in snapshot["photos"].items()
    }
    return {**snapshot, "messages": messages, "photos": photos}


def _examined(blob: str) -> dict[str, Any]:
    content = base64.b64decode(blob)
    try:
        fingerprint: str | None = base64.b64encode(face_fingerprint(content)).decode()
    except OSError:
        fingerprint = None
    return {"size": len(content), "fingerprint": fingerprint}


def write(snapshot: Mapping[str, Any], path: str | PathLike[str], state: State) -> None:
    """Write *snapshot* of *state* to the file *path*, which only its owner can read: completely and readable, or the old file stays.

    Raises:
        OSError: the file cannot be written, or could not be read again.
    """
    target, content = Path(path), json_text.dump(snapshot)
    try:
        again = _parsed(content)
        for part in (again, *again.get("namespaces", {}).values()):
            _read_back(state, part)
    except ValueError as error:
        raise OSError(errno.EINVAL, f"it could not be read again, so the old one stays: {error}", str(path)) from error
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # only its owner can read it
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(path: str | PathLike[str]) -> dict[str, Any]:
    """Return the snapshot in the file *path*.

    Raises:
        ValueError: the file is not a JSON object.
        OSError: it cannot be read.
    """
    return _parsed(Path(path).read_bytes())


def _parsed(content: bytes) -> dict[str, Any]:
    # The brackets in texts count as parts, too, so there is no limit: the file is the user's own.
    snapshot = parse_json(content, most=len(content))
    if not isinstance(snapshot, dict):
        raise ValueError(_NOT_ONE)  # noqa: TRY004 - a value
    return snapshot
