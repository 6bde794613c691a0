"""Turn an error of aiohttp into ours. No text of an error is passed on: it may quote the answer."""

from __future__ import annotations

import os
import socket
import ssl
from typing import TYPE_CHECKING, Final

import aiohttp

from authing_mfa._transport.aiohttp_internals import UnaskedBytesError
from authing_mfa.errors import CallTimeoutError, NetworkError

if TYPE_CHECKING:
    from authing_mfa._transport.deadlines import Attempt
    from authing_mfa.errors import Delivery

__all__ = ["network_error"]

# Provably not sent: the name was not found, no server listened, TLS or the proxy refused.
_NOT_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
    UnaskedBytesError,
)


def network_error(error: Exception, attempt: Attempt, seconds: float) -> NetworkError:
    """Return the error to raise for *error*.

    Args:
        error: what aiohttp raised.
        attempt: the try with its phase.
        seconds: the time that the try had.
    """
    delivery: Delivery = "not_sent" if isinstance(error, _NOT_SENT) else attempt.delivery
    if attempt.closing and not attempt.timed_out:
        return NetworkError("The client was closed while this call ran.", delivery=delivery)
    if isinstance(error, TimeoutError):
        return _timeout(error, seconds, delivery)
    return NetworkError(_sentence(error, not_sent=delivery == "not_sent"), delivery=delivery)


def _timeout(error: TimeoutError, seconds: float, delivery: Delivery) -> CallTimeoutError:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return CallTimeoutError("The service could not be reached in time.", delivery=delivery)
    what = "the service could not be reached" if delivery == "not_sent" else "the answer did not come"
    return CallTimeoutError(f"The call took longer than {seconds:g} s: {what} in time.", delivery=delivery)


def _sentence(error: Exception, *, not_sent: bool) -> str:  # noqa: PLR0911 - one line for each kind of failure
    if isinstance(error, UnaskedBytesError):
        return "The server sends data before it is asked anything: it is no HTTP server."
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"The name {error.host} cannot be resolved. Check the host and your network."
    if isinstance(error, (aiohttp.ClientHttpProxyError, aiohttp.ClientProxyConnectionError)):
        return "The proxy did not connect to the service."
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError, ssl.CertificateError)):
        return f"No secure connection to the service: {_tls_reason(error)}."
    if isinstance(error, aiohttp.ServerFingerprintMismatch):
        return "The service cannot be reached: the fingerprint of its certificate is another one."
    if isinstance(error, aiohttp.ClientResponseError):
        return "The service's answer is not an HTTP answer."
    if isinstance(error, ValueError) and not_sent:  # also InvalidURL; it may quote a proxy's address, password included
        return "The address of the service or of the proxy is invalid."
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"The service cannot be reached: {error.host}:{error.port}: {_system_reason(error.os_error)}."
    if not_sent:
        return f"The service cannot be reached: {_system_reason(error)}."
    return f"The connection broke before the whole answer was read: {_system_reason(error)}."


def _tls_reason(error: Exception) -> str:
    """Name the reason of a TLS failure. The `errno` of an `SSLError` is OpenSSL's number, not the system's."""
    inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted: {inner.verify_message.rstrip('.')}"
    reason = getattr(inner, "reason", None)
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return "the server does not speak TLS on this port"
    if isinstance(inner, ssl.SSLError):
        return str(reason or "the handshake failed").lower().replace("_", " ")
    return _system_reason(inner)


def _system_reason(error: BaseException) -> str:
    """Return the system's words for *error*, without a full stop."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed the connection"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer is incomplete or not HTTP"
    number = getattr(error, "errno", None)
    if isinstance(error, socket.gaierror) or not isinstance(number, int) or number <= 0:
        return "the connection was lost" if isinstance(error, aiohttp.ClientError) else type(error).__name__
    return os.strerror(number).rstrip(".")
