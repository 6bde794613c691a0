"""A certificate authority of the emulator's own, made by trustme, for serving HTTPS on this machine."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import trustme

__all__ = ["LocalAuthority"]


class LocalAuthority:
    """A new authority and a certificate for *names*. Its private key never leaves the memory.

    Raises:
        ImportError: trustme (extra `emulator`) is not installed.
    """

    def __init__(self, *names: str) -> None:
        import trustme

        self._authority: trustme.CA = trustme.CA(organization_name="authing-mfa emulator")
        self._certificate = self._authority.issue_cert(*names)
        self._file: Path | None = None

    @property
    def pem(self) -> bytes:
        """The authority's certificate, to be trusted by clients."""
        return self._authority.cert_pem.bytes()

    def server_context(self) -> ssl.SSLContext:
        """A context that serves with the certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._certificate.configure_cert(context)
        return context

    def client_context(self) -> ssl.SSLContext:
        """A context that trusts this authority and nobody else."""
        return ssl.create_default_context(cadata=self.pem.decode("ascii"))

    def file(self) -> str:
        """The path of a file with the authority's certificate; made when it is first asked for, gone after `remove_file`."""
        if self._file is None:
            with tempfile.NamedTemporaryFile(prefix="authing-emulator-ca-", suffix=".pem", delete=False) as file:
                file.write(self.pem)
            self._file = Path(file.name)
        return str(self._file)

    def remove_file(self) -> None:
        """Remove the file, if it was made."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)
            self._file = None
