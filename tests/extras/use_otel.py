"""`otel`: each call makes a span. The tracer is a program's own: the extra brings the API alone."""

from opentelemetry import trace

from authing_mfa import otel
from authing_mfa.emulator import Emulator
from authing_mfa.sync import AuthClient

names = []


class Tracer(trace.NoOpTracer):
    def start_span(self, name, *args, **options):
        names.append(name)
        return super().start_span(name, *args, **options)


class Provider(trace.NoOpTracerProvider):
    def get_tracer(self, *_args, **_options):
        return Tracer()


with Emulator() as emu, AuthClient(emu.app_id, base_url=emu.url) as client:
    otel.observe(client, tracer_provider=Provider())
    token = emu.issue_user_token(emu.add_user(username="ada", password="secret"))
    assert client.as_user(token).get_current_user().username == "ada"
assert names == ["authing_mfa.get_current_user"]
