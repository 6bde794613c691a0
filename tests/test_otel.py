"""Spans and metrics of real calls, read from OpenTelemetry's in-memory exporters."""

import asyncio
import time

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from authing_mfa import AuthClient, MfaRequiredError, NetworkError, WrongCodeError, otel
from authing_mfa import sync as synchronous


class Telemetry:
    def __init__(self):
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meter_provider = MeterProvider(metric_readers=[self._reader])

    @property
    def providers(self):
        return {"tracer_provider": self.tracer_provider, "meter_provider": self.meter_provider}

    def spans(self):
        return self._exporter.get_finished_spans()

    def points(self):
        data = self._reader.get_metrics_data()
        return {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def telemetry():
    made = Telemetry()
    AioHttpClientInstrumentor().instrument(tracer_provider=made.tracer_provider, meter_provider=MeterProvider())
    yield made
    AioHttpClientInstrumentor().uninstrument()
    made.meter_provider.shutdown()


@pytest.fixture
def ada(authing_emulator):
    return authing_emulator.add_user(username="grace", password="s3cret", mfa=["OTP"], totp=True)


def options(emulator):
    return {"base_url": emulator.url, "public_key": emulator.public_key}


async def test_a_call_is_a_span_with_its_http_spans_below(authing_emulator, ada, telemetry):
    """aiohttp's own instrumentation makes those, one for each try."""
    authing_emulator.faults.add("mfa_check", status=503, count=1)
    async with AuthClient(authing_emulator.app_id, **options(authing_emulator)) as client:
        otel.observe(client, **telemetry.providers)
        view = client.as_user(authing_emulator.issue_mfa_token(ada))
        await view.mfa_check(phone="13900139000")
    *https, call = telemetry.spans()
    assert (call.name, call.kind, call.status.status_code) == (
        "authing_mfa.mfa_check",
        SpanKind.INTERNAL,
        StatusCode.UNSET,
    )
    assert call.attributes == {
        "code": 200,
        "delivery": "answered",
        "attempts": 2,
        "http.response.status_code": 200,
    }
    assert [(span.name, span.kind, span.parent.span_id) for span in https] == [
        ("POST", SpanKind.CLIENT, call.context.span_id)
    ] * 2


async def test_a_refusal_is_an_error_though_it_came_with_http_200(authing_emulator, ada, telemetry):
    """The HTTP span knows nothing of it."""
    async with AuthClient(authing_emulator.app_id, **options(authing_emulator)) as client:
        otel.observe(client, **telemetry.providers)
        with pytest.raises(WrongCodeError):
            await client.as_user(authing_emulator.issue_mfa_token(ada)).mfa_verify_by_totp("000000")
    http, call = telemetry.spans()
    assert http.status.status_code is StatusCode.UNSET
    assert (call.status.status_code, call.status.description) == (StatusCode.ERROR, "WrongCodeError 6001")
    assert call.attributes["error.type"] == "WrongCodeError"
    assert (call.attributes["code"], call.attributes["delivery"]) == (6001, "answered")


async def test_every_error_is_an_error_and_counted(authing_emulator, ada, telemetry):
    """A challenge, a lost answer; and the histogram holds all calls."""
    async with AuthClient(authing_emulator.app_id, max_attempts=1, **options(authing_emulator)) as client:
        otel.observe(client, **telemetry.providers)
        with pytest.raises(MfaRequiredError) as caught:
            await client.login_by_account("grace", "s3cret")
        authing_emulator.faults.add("mfa_verify_by_totp", drop="after", count=1)
        view = client.as_user(caught.value.challenge.token)
        with pytest.raises(NetworkError):
            await view.mfa_verify_by_totp(ada.totp_code)
        await view.mfa_check(phone="13900139000")
    calls = {span.name: span for span in telemetry.spans() if span.name.startswith("authing_mfa.")}
    assert [span.status.status_code for span in calls.values()] == [
        StatusCode.ERROR,
        StatusCode.ERROR,
        StatusCode.UNSET,
    ]
    assert calls["authing_mfa.mfa_verify_by_totp"].attributes["delivery"] == "unknown"
    points = telemetry.points()
    counted = {(p.attributes["operation"], p.attributes["error.type"], p.value) for p in points[ERRORS]}
    assert counted == {("login_by_account", "MfaRequiredError", 1), ("mfa_verify_by_totp", "NetworkError", 1)}
    assert {(p.attributes["operation"], p.attributes["code"], p.count) for p in points[DURATION]} == {
        ("login_by_account", 1636, 1),
        ("mfa_verify_by_totp", 10001, 1),
        ("mfa_check", 200, 1),
    }
    assert not [span for span in calls.values() if "s3cret" in span.to_json() or "grace" in span.to_json()]


ERRORS, DURATION = "authing_mfa.client.operation.errors", "authing_mfa.client.operation.duration"


def wait_until_fired(fault):
    while not fault.fired:
        time.sleep(0.01)


async def test_a_span_ends_with_its_call_whatever_happens(authing_emulator, ada, telemetry):
    """A cancelled call; and the task's own span is current again afterwards."""
    fault = authing_emulator.faults.add("mfa_check", latency=60)
    async with AuthClient(authing_emulator.app_id, **options(authing_emulator)) as client:
        otel.observe(client, **telemetry.providers)
        view = client.as_user(authing_emulator.issue_mfa_token(ada))
        with telemetry.tracer_provider.get_tracer("test").start_as_current_span("mine") as mine:
            task = asyncio.create_task(view.mfa_check(phone="13900139000"))
            await asyncio.to_thread(wait_until_fired, fault)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert trace.get_current_span() is mine
    [call] = [span for span in telemetry.spans() if span.name == "authing_mfa.mfa_check"]
    assert (call.attributes["code"], call.parent.span_id) == (10102, mine.context.span_id)


def test_the_sync_client_is_observed_as_well(authing_emulator, ada, telemetry):
    """The caller's span is the parent, though the call runs on another thread."""
    with synchronous.AuthClient(authing_emulator.app_id, **options(authing_emulator)) as client:
        otel.observe(client, **telemetry.providers)
        view = client.as_user(authing_emulator.issue_mfa_token(ada))
        with telemetry.tracer_provider.get_tracer("test").start_as_current_span("mine") as mine:
            view.mfa_check(phone="13900139000")
    http, call, _ = telemetry.spans()
    assert call.parent.span_id == mine.context.span_id
    assert http.parent.span_id == call.context.span_id
