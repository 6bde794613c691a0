"""A namespace's state as one JSON object, and back."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cattrs

from authing_mfa.emulator.crypto.tokens import TokenSigner
from authing_mfa.emulator.state.records import (
    Enrollment,
    Photo,
    SentCode,
    SentMessage,
    User,
    canonical_phone,
    canonical_target,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from authing_mfa.emulator.state.faults import Faults
    from authing_mfa.emulator.state.state import State

__all__ = ["put_back", "read", "take", "write"]

_FORMAT = 1

_converter = cattrs.Converter()
_converter.register_unstructure_hook(bytes, lambda value: base64.b64encode(value).decode())
_converter.register_structure_hook(bytes, lambda value, _: base64.b64decode(value))
_converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)


def take(state: State, faults: Faults) -> dict[str, Any]:
    """Everything in *state* and *faults*; the caller holds their lock."""
    version, numbers, gauss = state.rng.getstate()
    plain = _converter.unstructure
    return {
        "format": _FORMAT,
        "user_pool_id": state.user_pool_id,
        "clock_offset": state.clock.offset,
        "random": [version, list(numbers), gauss],
        "signing_key": plain(state.signer.key),
        "users": [plain(user) for user in state.users.values()],
        "fixed_codes": dict(state.fixed_codes),
        "codes": plain(state.codes),
        "messages": [plain(message) for message in state.outbox],
        "newest": {target: message.id for target, message in state.newest.items()},
        "messages_sent": state.messages_sent,
        "photos": plain(state.photos),
        "blobs": plain(state.blobs),
        "enrollments": plain(state.enrollments),
        "faults": [rule.as_json() for rule in faults],
    }


def put_back(state: State, faults: Faults, snapshot: Mapping[str, Any]) -> None:
    """Make *state* and *faults* what they were; the caller holds their lock.

    Raises:
        ValueError: it is not a snapshot of this format. Nothing has changed then.
    """
    if snapshot.get("format") != _FORMAT:
        raise ValueError("this is not a snapshot of the emulator, or of another version of it")
    structure = _converter.structure
    try:
        users = structure(snapshot["users"], list[User])
        codes = structure(snapshot["codes"], dict[str, SentCode])
        messages = structure(snapshot["messages"], list[SentMessage])
        photos = structure(snapshot["photos"], dict[str, Photo])
        blobs = structure(snapshot["blobs"], dict[str, bytes])
        enrollments = structure(snapshot["enrollments"], dict[str, Enrollment])
        signer = TokenSigner(structure(snapshot["signing_key"], bytes))
        version, numbers, gauss = snapshot["random"]
        random_state = (version, tuple(numbers), gauss)
        newest, rules, offset = dict(snapshot["newest"]), list(snapshot["faults"]), float(snapshot["clock_offset"])
    except Exception as error:  # cattrs raises groups of anything
        raise ValueError("the snapshot cannot be read") from error
    state.clear()
    state.rng.setstate(random_state)
    state.signer, state.codes, state.photos, state.blobs, state.enrollments = signer, codes, photos, blobs, enrollments
    state.user_pool_id = snapshot["user_pool_id"]
    state.fixed_codes.update(snapshot["fixed_codes"])
    state.outbox.extend(messages)
    state.messages_sent = snapshot["messages_sent"]
    by_id = {message.id: message for message in messages}
    state.newest.update({target: by_id[number] for target, number in newest.items() if number in by_id})
    for user in users:
        _index(state, user)
    faults.replace(rules)
    state.clock.offset = offset


def _index(state: State, user: User) -> None:
    state.users[user.id] = user
    if user.username:
        state.by_username[user.username] = user.id
    if user.phone is not None:
        state.by_phone[canonical_phone(user.phone, user.phone_country_code)] = user.id
    if user.email is not None:
        state.by_email[canonical_target(user.email)] = user.id
    if user.mfa_phone is not None:
        state.by_mfa_phone[canonical_phone(user.mfa_phone, user.mfa_phone_country_code)] = user.id
    if user.mfa_email is not None:
        state.by_mfa_email[canonical_target(user.mfa_email)] = user.id


def write(snapshot: Mapping[str, Any], path: str | PathLike[str]) -> None:
    """*snapshot* into the file *path*, readable by its owner only."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(snapshot, file, ensure_ascii=False)


def read(path: str | PathLike[str]) -> dict[str, Any]:
    """The snapshot in the file *path*.

    Raises:
        ValueError: the file is not JSON, or no object.
    """
    snapshot = json.loads(Path(path).read_text("utf-8"))
    if not isinstance(snapshot, dict):
        raise ValueError("this is not a snapshot of the emulator, or of another version of it")  # noqa: TRY004 - a value
    return snapshot
