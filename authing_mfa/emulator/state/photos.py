"""The uploaded photos. Limited: the oldest photos lose their content first, then their key."""

from __future__ import annotations

import hashlib

from authing_mfa.emulator.state.records import Photo

__all__ = ["Photos"]

_KEYS = 10_000
_BYTES = 128 * 2**20


class Photos:
    """The newest 10,000 photos by key, and the newest 128 MiB of their content; equal files are kept once.

    A photo without content can still be compared: its fingerprint stays.
    """

    def __init__(self) -> None:
        self.by_key: dict[str, Photo] = {}
        self.contents: dict[str, bytes] = {}
        self.size: int = 0

    def store(self, key: str, content: bytes, content_type: str, *, private: bool, fingerprint: bytes | None) -> None:
        """Keep *content* as the photo *key*. *fingerprint* is None if the file is not a picture."""
        if len(self.by_key) >= _KEYS:
            del self.by_key[next(iter(self.by_key))]
        digest = hashlib.sha256(content).hexdigest()
        self.by_key[key] = Photo(digest, private, content_type, fingerprint, len(content))
        self.put(digest, content)

    def put(self, digest: str, content: bytes) -> None:
        """Keep *content* as the newest, under its digest."""
        self.size += len(content) - len(self.contents.pop(digest, b""))
        self.contents[digest] = content
        while self.size > _BYTES and len(self.contents) > 1:
            self.size -= len(self.contents.pop(next(iter(self.contents))))

    def get(self, key: str) -> Photo | None:
        """Return the photo *key*, or None."""
        return self.by_key.get(key)

    def content(self, photo: Photo) -> bytes | None:
        """Return the file of *photo*, or None if it was removed."""
        return self.contents.get(photo.digest)
