"""The setting `ca_file`: the certificate authorities that the command line trusts."""

from __future__ import annotations

import ssl
from typing import Any

from authing_mfa.errors import InvalidInputError

__all__ = ["trusting"]


class _Trusting(ssl.SSLContext):
    """Trusts a file. It can be pickled: the processes of a batch make it anew."""

    ca_file: str

    def __reduce__(self) -> Any:
        return trusting, (self.ca_file,)


def trusting(ca_file: str) -> ssl.SSLContext:
    """Return a context of TLS that trusts *ca_file*.

    Raises:
        InvalidInputError: the file cannot be read, or holds no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"ca_file {ca_file} cannot be used: {error}.") from error
    context.__class__ = _Trusting
    assert isinstance(context, _Trusting)
    context.ca_file = ca_file
    return context
