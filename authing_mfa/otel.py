"""OpenTelemetry for a client: a span and two metrics for each call (extra ``otel``).

::

    from authing_mfa import otel

    otel.observe(client)

The span of a call is named ``authing_mfa.<operation>``, e.g. ``authing_mfa.mfa_verify_by_totp``. HTTP spans of
``opentelemetry-instrumentation-aiohttp-client`` are its children. Its status is ERROR for every error, also if the service
refuses a call with HTTP 200. Attributes: ``code``, ``delivery``, ``attempts``, and ``error.type`` and
``http.response.status_code`` of the semantic conventions. They hold no secret and no personal data.

Metrics: the histogram ``authing_mfa.client.operation.duration`` (seconds, with retries, without the time in the queue) and the counter
``authing_mfa.client.operation.errors``, both with ``operation``, ``code`` and ``error.type``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context, metrics, trace

from authing_mfa._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from authing_mfa import sync
    from authing_mfa.call_record import CallRecord
    from authing_mfa.client import AuthClient

__all__ = ["observe"]

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)  # as for HTTP clients


def observe(client: AuthClient | sync.AuthClient, *, tracer_provider: Any = None, meter_provider: Any = None) -> None:
    """Create spans and metrics for all calls of *client* and its views from now on.

    Args:
        client: an `authing_mfa.AuthClient` or an `authing_mfa.sync.AuthClient`.
        tracer_provider: gets the spans; None: the global provider.
        meter_provider: gets the metrics; None: the global provider.
    """
    tracer = trace.get_tracer("authing_mfa", __version__, tracer_provider)
    meter = metrics.get_meter("authing_mfa", __version__, meter_provider)
    duration = meter.create_histogram(
        "authing_mfa.client.operation.duration",
        unit="s",
        description="Duration of calls, retries included.",
        explicit_bucket_boundaries_advisory=_SECONDS,
    )
    errors = meter.create_counter(
        "authing_mfa.client.operation.errors", unit="{error}", description="Calls that ended with an error."
    )

    def begin(operation: str) -> Callable[[CallRecord], None]:
        span = tracer.start_span(f"authing_mfa.{operation}")
        token = context.attach(trace.set_span_in_context(span))

        def end(record: CallRecord) -> None:
            context.detach(token)
            _describe(span, record)
            span.end()
            labels: dict[str, str | int] = {"operation": operation, "code": record.code}
            if record.error is not None:
                labels["error.type"] = record.error.__name__
                errors.add(1, labels)
            duration.record(record.elapsed, labels)

        return end

    client._observe(begin)  # noqa: SLF001 - both clients have the method for this module


def _describe(span: trace.Span, record: CallRecord) -> None:
    span.set_attributes({"code": record.code, "delivery": record.delivery, "attempts": record.attempts})
    if record.http_status is not None:
        span.set_attribute("http.response.status_code", record.http_status)
    if record.error is not None:
        span.set_attribute("error.type", record.error.__name__)
        span.set_status(trace.StatusCode.ERROR, f"{record.error.__name__} {record.code}")
