"""Photos and faces (docs/wire.md#face). Whether two photos match is a stand-in for recognition, see `faces`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authing_mfa.emulator.crypto.faces import prints_match
from authing_mfa.emulator.rules.base import act
from authing_mfa.emulator.rules.context import Refusal
from authing_mfa.operations import AssociateFace, UploadFaceImage, VerifyByFace

if TYPE_CHECKING:
    from authing_mfa.emulator.rules.context import Call, Reply

__all__ = ["stored_print"]


@act.register(UploadFaceImage)
def _(operation: UploadFaceImage, call: Call) -> Reply:
    """`private` and `folder` stand in the query; no official client authenticates this call."""
    folder = call.query.get("folder") or "photos"
    private = call.query.get("private", "false").lower() == "true"
    key = call.state.store_photo(operation.image, folder, call.file_type, private=private)
    return call.ok("uploaded", {"key": key, "url": photo_url(call, key, private=private)})


def photo_url(call: Call, key: str, *, private: bool) -> str:
    """Where the photo can be looked at; a private one only with the signature in its address."""
    address = f"{call.origin}/_emulator/photos/{key}"
    return f"{address}?signature={call.state.photo_signature(key)}" if private else address


@act.register(AssociateFace)
def _(operation: AssociateFace, call: Call) -> Reply:
    """Both photos must be of the same face. With an mfaToken it is the login itself."""
    user, _ = call.either_user()
    first, second = stored_print(call, operation.photo_key_a, 1700), stored_print(call, operation.photo_key_b, 1701)
    if user.face:
        raise Refusal(1706, "face_bound")
    if not prints_match(first, second):
        raise Refusal(1707, "face_bind_failed")
    user.face = (first, second)
    call.state.notify("users", {"id": user.id})
    return call.logged_in(user, "verified", second_factor=True)


@act.register(VerifyByFace)
def _(operation: VerifyByFace, call: Call) -> Reply:
    user = call.mfa_user()
    shown = stored_print(call, operation.photo_key, 1700)
    if not user.face:
        raise Refusal(1701, "face_compare_missing")
    if not any(prints_match(known, shown) for known in user.face):
        call.state.count_failure(user)
        raise Refusal(1702, "face_failed")
    return call.logged_in(user, "verified", second_factor=True)


def stored_print(call: Call, key: str, missing: int) -> bytes:
    """The print of a photo, named by its key or by its address here."""
    photos = call.state.photos
    name = key if key in photos else key.partition("/_emulator/photos/")[2].partition("?")[0]
    if name not in photos:
        raise Refusal(missing, "face_missing" if missing == 1700 else "face_compare_missing")
    shown = call.state.print_of(name)
    if shown is None:
        raise Refusal(1702, "face_failed")
    return shown
