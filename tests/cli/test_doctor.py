"""`doctor`: each thing that can be wrong is found, and said how to fix."""

import datetime as dt
import socket
import ssl
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trustme


def checks(done):
    return {check["check"]: check for check in done.json["data"]["checks"]}


def test_all_is_well(cli, emulator):
    """Version, settings, name, connection, public-config, public key, clock and token, each on a line."""
    cli.log_in(emulator.add_user(mfa=[]))
    done = cli.run("doctor")
    assert done.code == 0
    names = ("version", "settings", "name", "connection", "public-config", "public key", "clock", "token")
    assert [line[:19].rstrip() for line in done.out.splitlines()] == [f"ok    {name}" for name in names]


def test_a_token_that_is_missing_or_expires_soon_is_a_warning(cli, emulator):
    """Not a failure: the service is well."""
    assert checks(cli.invoke("doctor", "--json"))["token"]["status"] == "warn"
    cli.log_in(emulator.add_user())
    found = checks(cli.invoke("doctor", "--json"))["token"]
    assert (found["status"], "authing-mfa verify" in found["fix"]) == ("warn", True)
    opaque = checks(cli.with_env(AUTHING_TOKEN="opaque").invoke("doctor", "--json"))["token"]
    assert opaque["status"] == "ok"


def test_no_application_id(bare):
    """The first finding."""
    done = bare.run("doctor", "--json")
    assert (done.code, checks(done)["settings"]["status"]) == (2, "fail")
    assert "AUTHING_APP_ID" in checks(done)["settings"]["fix"]


def test_settings_that_cannot_be(bare):
    """A host with a scheme in it gets no request."""
    done = bare.invoke("--app-id", "a", "--host", "https://authing.cn/", "doctor", "--json")
    assert (done.code, checks(done)["settings"]["status"]) == (2, "fail")


def test_another_application(cli):
    """The service answers and does not know it."""
    done = cli.invoke("--app-id", "nonsense", "doctor", "--json")
    assert (done.code, "--app-id" in checks(done)["public-config"]["fix"]) == (6, True)


def test_another_user_pool_is_a_warning(cli):
    """With base_url the pool is a separate setting, and can be wrong."""
    found = checks(cli.invoke("--user-pool-id", "other", "doctor", "--json"))["user pool"]
    assert (found["status"], "--user-pool-id" in found["fix"]) == ("warn", True)


def test_discovery_is_followed(bare, emulator):
    """With a host instead of an address, public-config says where calls go."""
    host = emulator.url.removeprefix("http://")
    done = bare.invoke("--app-id", emulator.ready["app_id"], "--host", host, "--scheme", "http", "doctor", "--json")
    assert (done.code, emulator.url in checks(done)["address"]["detail"]) == (0, True)


def test_no_server_listens(cli):
    """The connection fails: 3, and a hint."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        done = cli.invoke("--base-url", f"http://127.0.0.1:{nobody.getsockname()[1]}", "doctor", "--json")
    assert (done.code, checks(done)["connection"]["status"]) == (3, "fail")
    assert "emulator) runs" in checks(done)["connection"]["fix"]


def test_an_unknown_name(cli):
    """DNS fails: 3. The name can never exist."""
    done = cli.invoke("--base-url", "http://no-such-host.invalid", "doctor", "--json")
    assert (done.code, checks(done)["name"]["status"]) == (3, "fail")


class Answers(BaseHTTPRequestHandler):
    """Answers everything with the server's `body`, at the server's `date`."""

    def do_GET(self):
        if self.server.body == b"cut":
            self.wfile.write(b"nonsense\r\n\r\n")
            return
        self.send_response_only(self.server.status)
        if self.server.date is not None:
            date = self.server.date
            self.send_header("Date", date if isinstance(date, str) else formatdate(date, usegmt=True))
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        """Quiet."""


GOOD = b'{"code": 200, "data": {"name": "App", "userPoolId": "pool"}}'


@pytest.fixture
def serve():
    """A server that answers GET with given answers; its address."""
    running = []

    def start(body=GOOD, date=None, context=None, status=200):
        server = HTTPServer(("127.0.0.1", 0), Answers)
        server.body, server.date, server.status = body, date, status
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        running.append((server, thread))
        return f"{'http' if context is None else 'https'}://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_clock_that_is_wrong(bare, serve):
    """More than a few seconds off the service's Date header: TOTP codes computed here would be wrong."""
    url = serve(date=1_000_000_000)
    done = bare.invoke("--app-id", "a", "--user-pool-id", "pool", "--base-url", url, "doctor", "--json")
    found = checks(done)["clock"]
    assert (done.code, found["status"], "ahead of" in found["detail"], "NTP" in found["fix"]) == (0, "warn", True, True)


@pytest.mark.parametrize("zone", [" -0000", ""])
def test_a_date_without_a_zone_is_utc(bare, serve, monkeypatch, zone):
    """Some servers write -0000 instead of GMT; it is not the time zone of this machine."""
    url = serve(date=f"Sun, 09 Sep 2001 01:46:40{zone}")
    with monkeypatch.context() as changed:
        changed.setattr("time.time", lambda: 1_000_000_000.5)
        changed.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        done = bare.invoke("--app-id", "a", "--user-pool-id", "pool", "--base-url", url, "doctor", "--json")
    time.tzset()
    assert checks(done)["clock"]["status"] == "ok"


def test_a_message_of_the_service_is_one_line(bare, serve):
    """It cannot look like another check."""
    url = serve(body=b'{"code": 404, "message": "no\\nok    token         stored for ada"}')
    done = bare.invoke("--app-id", "a", "--base-url", url, "doctor")
    assert "refused (404): no\\nok    token" in done.out
    assert [line for line in done.out.splitlines() if line.startswith("ok    token")] == []


def test_a_service_that_does_not_tell_its_time(bare, serve):
    """Then the clock cannot be judged."""
    done = bare.invoke("--app-id", "a", "--base-url", serve(), "doctor", "--json")
    assert checks(done)["clock"]["status"] == "skip"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"null", b'"text"', b'{"code": "many"}'])
def test_something_else_answers(body, bare, serve):
    """A login page of the network, a wrong host: 6."""
    done = bare.invoke("--app-id", "a", "--base-url", serve(body), "doctor", "--json")
    assert (done.code, checks(done)["public-config"]["status"]) == (6, "fail")


def test_a_refusal_with_an_http_status(bare, serve):
    """The service's own words are shown."""
    url = serve(b'{"code": 2011, "message": "no such application"}', status=404)
    done = bare.invoke("--app-id", "a", "--base-url", url, "doctor", "--json")
    assert (done.code, "no such application" in checks(done)["public-config"]["detail"]) == (6, True)


def test_an_answer_that_is_not_http(bare, serve):
    """No answer: 3."""
    done = bare.invoke("--app-id", "a", "--base-url", serve(b"cut"), "doctor", "--json")
    assert (done.code, checks(done)["public-config"]["status"]) == (3, "fail")


def test_a_public_config_that_names_no_host(bare, serve):
    """An answer that discovery cannot use is reported before a call fails; a literal host is used unchanged."""
    url = serve(b'{"code": 200, "data": {"requestHostname": "http://a b"}}')
    host = url.removeprefix("http://")
    done = bare.invoke("--app-id", "a", "--host", host, "--scheme", "http", "doctor", "--json")
    assert (done.code, url in checks(done)["address"]["detail"]) == (0, True)


def test_a_proxy_looks_up_the_name(bare, monkeypatch):
    """With a proxy in the environment, the proxy resolves the name; a missing proxy is reported."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    done = bare.invoke("--app-id", "a", "--base-url", "http://service.example", "doctor", "--json")
    assert (done.code, checks(done)["name"]["status"]) == (3, "skip")
    assert checks(done)["public-config"]["status"] == "fail"


def test_a_certificate_that_ends_soon(bare, serve, tmp_path):
    """A warning, before it is an outage."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=3)
    made.issue_cert("127.0.0.1", not_after=soon).configure_cert(context)
    arguments = ("--app-id", "a", "--base-url", serve(context=context), "--ca-file", str(tmp_path / "ca.pem"))
    found = checks(bare.invoke(*arguments, "doctor", "--json"))["TLS"]
    assert (found["status"], "renew" in found["fix"]) == ("warn", True)


def test_in_chinese(bare):
    """What to fix is said in the user's language."""
    done = bare.with_env(LANG="zh_CN.UTF-8").invoke("--app-id", "a", "--base-url", "http://127.0.0.1:9", "doctor")
    assert (done.code, "是否在运行" in done.out) == (3, True)


@pytest.fixture
def authority(tmp_path):
    """A private authority, its file, and the server's side of it."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.issue_cert("127.0.0.1").configure_cert(context)
    return str(tmp_path / "ca.pem"), context


def test_a_private_authority(bare, serve, authority):
    """Not trusted: 3, with --ca-file in the hint; with it, all checks pass and the certificate's days are shown."""
    ca_file, context = authority
    url = serve(context=context)
    arguments = ("--app-id", "a", "--user-pool-id", "pool", "--base-url", url)
    done = bare.invoke(*arguments, "doctor", "--json")
    assert (done.code, "--ca-file" in checks(done)["TLS"]["fix"]) == (3, True)
    trusted = bare.invoke(*arguments, "--ca-file", ca_file, "doctor", "--json")
    assert (trusted.code, "certificate valid for" in checks(trusted)["TLS"]["detail"]) == (0, True)
    missing = bare.invoke(*arguments, "--ca-file", "/no/such/file.pem", "doctor", "--json")
    assert missing.code == 2


def test_tls_to_a_plain_server(bare, serve):
    """https asked of a plain server: the hint names --scheme."""
    url = serve().replace("http:", "https:")
    done = bare.invoke("--app-id", "a", "--base-url", url, "doctor", "--json")
    assert (done.code, "--scheme http" in checks(done)["TLS"]["fix"]) == (3, True)
