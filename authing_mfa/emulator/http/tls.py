"""HTTPS for the emulator: with its own certificate authority, kept in a folder or not, or with a given certificate."""

from __future__ import annotations

import os
import ssl
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    import trustme

__all__ = ["Certificate", "LocalAuthority", "OwnCertificate", "certificate_for"]

_HERE = ("127.0.0.1", "localhost", "::1")


class Certificate(Protocol):
    """The server's certificate, and the file that clients must trust."""

    def server_context(self) -> ssl.SSLContext:
        """Return a context that serves with the certificate."""
        ...

    def client_context(self) -> ssl.SSLContext:
        """Return a context that trusts the certificate."""
        ...

    def ca_file(self) -> str | None:
        """Return the file that clients must trust; None if clients trust the certificate already."""
        ...

    def remove_file(self) -> None:
        """Remove a file that was made for this run only."""
        ...


def certificate_for(
    certificate: str | PathLike[str] | None,
    private_key: str | PathLike[str] | None,
    folder: str | PathLike[str] | None,
    names: Iterable[str],
) -> Certificate:
    """Return the given certificate, else a certificate of the authority in *folder*, else of a new authority.

    Raises:
        ValueError: the certificate and its key cannot be used, or a key was given without certificate.
        ImportError: trustme (extra `emulator`) is not installed.
    """
    if certificate is not None:
        return OwnCertificate(Path(certificate), None if private_key is None else Path(private_key))
    if private_key is not None:
        raise ValueError("a private key needs its certificate as well")
    return LocalAuthority(dict.fromkeys((*_HERE, *names)), None if folder is None else Path(folder))


class OwnCertificate:
    """A certificate of the user, e.g. made by mkcert.

    Raises:
        ValueError: the certificate cannot be used.
    """

    def __init__(self, certificate: Path, private_key: Path | None) -> None:
        self._certificate, self._key = certificate, private_key
        self.server_context()

    def server_context(self) -> ssl.SSLContext:
        """Return a context that serves with the certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self._certificate, self._key)
        except (OSError, ValueError) as error:
            names = self._certificate if self._key is None else f"{self._certificate} and {self._key}"
            raise ValueError(f"the certificate {names} cannot be used: {error}") from None
        return context

    def client_context(self) -> ssl.SSLContext:
        """Return a context that trusts the machine's authorities, and the certificate if it is self-signed."""
        return ssl.create_default_context(cafile=self.ca_file())

    def ca_file(self) -> str | None:
        """Return the certificate's file if it is self-signed; None if clients trust its authority by other means."""
        from cryptography import x509

        first = x509.load_pem_x509_certificates(self._certificate.read_bytes())[0]
        return str(self._certificate) if first.issuer == first.subject else None

    def remove_file(self) -> None:
        """Do nothing: the file belongs to the user."""


class LocalAuthority:
    """An authority and a certificate for *names*, made by trustme.

    Without *folder* the authority is new at each start, and its private key never leaves the memory. With *folder* it is kept
    there: a browser or a phone that trusts it once trusts it after every start.

    Raises:
        ValueError: the authority in *folder* cannot be used.
        OSError: *folder* cannot be read or written.
        ImportError: trustme (extra `emulator`) is not installed.
    """

    def __init__(self, names: Iterable[str], folder: Path | None = None) -> None:
        import trustme

        self._kept = None if folder is None else folder / "ca.pem"
        self._authority: trustme.CA = (
            trustme.CA(organization_name="authing-mfa emulator") if folder is None else _kept_authority(folder)
        )
        self._certificate = self._authority.issue_cert(*names)
        self._file: Path | None = None

    @property
    def pem(self) -> bytes:
        """The authority's certificate, which clients must trust."""
        return self._authority.cert_pem.bytes()

    def server_context(self) -> ssl.SSLContext:
        """Return a context that serves with the certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._certificate.configure_cert(context)
        return context

    def client_context(self) -> ssl.SSLContext:
        """Return a context that trusts only this authority."""
        return ssl.create_default_context(cadata=self.pem.decode("ascii"))

    def ca_file(self) -> str:
        """Return the file with the authority's certificate: the file in the folder, else a new file that `remove_file` removes."""
        if self._kept is not None:
            return str(self._kept)
        if self._file is None:
            with tempfile.NamedTemporaryFile(prefix="authing-emulator-ca-", suffix=".pem", delete=False) as file:
                file.write(self.pem)
            self._file = Path(file.name)
        return str(self._file)

    def remove_file(self) -> None:
        """Remove the file if `ca_file` made one."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)
            self._file = None


def _kept_authority(folder: Path) -> trustme.CA:
    """Return the authority in *folder*; make it if it is missing."""
    import trustme

    certificate, key = folder / "ca.pem", folder / "ca-key.pem"
    if not certificate.exists() and not key.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = trustme.CA(organization_name="authing-mfa emulator")
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made.private_key_pem.bytes())
        certificate.write_bytes(made.cert_pem.bytes())
    with suppress(PermissionError):  # it is somebody else's
        key.chmod(0o600)  # who can read it can speak as any site to those who trust this authority
    try:
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    except ValueError as error:
        raise ValueError(f"the authority in {folder} cannot be used: {error}") from None
