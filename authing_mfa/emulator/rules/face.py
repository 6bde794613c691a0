"""Photos and faces (docs/wire.md#face). Comparing two photos replaces recognition, see `faces`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from authing_mfa.emulator.crypto.faces import fingerprints_match
from authing_mfa.emulator.rules.base import handle
from authing_mfa.emulator.rules.context import ServiceRefusal
from authing_mfa.emulator.state.user_fields import checked_text
from authing_mfa.operations import AssociateFace, UploadFaceImage, VerifyByFace

if TYPE_CHECKING:
    from authing_mfa.emulator.rules.context import Reply, RuleContext

__all__ = ["stored_fingerprint"]

_PHOTOS = "/_emulator/photos/"


@handle.register(UploadFaceImage)
def _upload_face_image(operation: UploadFaceImage, context: RuleContext) -> Reply:
    """Store the photo. `private` and `folder` are in the query; no official client sends a token with this call."""
    folder = checked_text("folder", context.query.get("folder")) or "photos"
    private = context.query.get("private", "false").lower() == "true"
    key = context.state.store_photo(
        operation.image, folder, context.file_type, private=private, fingerprint=context.fingerprint
    )
    return context.ok("uploaded", {"key": key, "url": photo_url(context, key, private=private)})


def photo_url(context: RuleContext, key: str, *, private: bool) -> str:
    """Return the photo's address; a private photo needs the signature in its address."""
    address = f"{context.origin}{_PHOTOS}{quote(key)}"
    return f"{address}?signature={context.state.photo_signature(key)}" if private else address


@handle.register(AssociateFace)
def _associate_face(operation: AssociateFace, context: RuleContext) -> Reply:
    """Bind a face: both photos must show the same face. With an mfaToken this finishes the login."""
    user, _ = context.either_user()
    first = stored_fingerprint(context, operation.photo_key_a, 1700)
    second = stored_fingerprint(context, operation.photo_key_b, 1701)
    if user.face:
        raise ServiceRefusal(1706, "face_bound")
    if not _same_face(context, first, second):
        raise ServiceRefusal(1707, "face_bind_failed")
    user.face = (first, second)
    context.state.notify("users", {"id": user.id})
    return context.logged_in(user, "verified", second_factor=True)


@handle.register(VerifyByFace)
def _verify_by_face(operation: VerifyByFace, context: RuleContext) -> Reply:
    user = context.mfa_user()
    shown = stored_fingerprint(context, operation.photo_key, 1700)
    if not user.face:
        raise ServiceRefusal(1701, "face_compare_missing")
    if not any(_same_face(context, known, shown) for known in user.face):
        context.state.count_failure(user)
        raise ServiceRefusal(1702, "face_failed")
    return context.logged_in(user, "verified", second_factor=True)


def _same_face(context: RuleContext, one: bytes, other: bytes) -> bool:
    """Return True if the faces match, by the rule of `Settings.face`."""
    verdict = context.state.settings.face
    return verdict == "any" or (verdict == "same-picture" and fingerprints_match(one, other))


def stored_fingerprint(context: RuleContext, key: str, missing: int) -> bytes:
    """Return the fingerprint of a photo, named by its key or its address here; empty for a file that is not a picture.

    Raises:
        ServiceRefusal: there is no such photo (*missing*), or it is not a picture (1702) and pictures are compared.
    """
    photo = context.state.photos.get(key) or context.state.photos.get(
        unquote(key.partition(_PHOTOS)[2].partition("?")[0])
    )
    if photo is None:
        raise ServiceRefusal(missing, "face_missing" if missing == 1700 else "face_compare_missing")
    if photo.fingerprint is None and context.state.settings.face != "any":
        raise ServiceRefusal(1702, "face_failed")
    return photo.fingerprint or b""
