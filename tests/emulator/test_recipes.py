"""The recipes of docs/emulator.md, each run as it stands there."""

from __future__ import annotations

import http.server
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml

from tests.needs import require_program
from tests.programs import run_program

pytest_plugins = ["tests.emulator.browser"]

ROOT = Path(__file__).parents[2]
TEXT = (
    (ROOT / "docs" / "emulator.md")
    .read_text("utf-8")
    .partition("## From a browser")[2]
    .partition("## The admin API")[0]
)
PLAIN = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def block(kind: str, number: int = 0) -> str:
    """The code block of a kind."""
    return re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL)[number]


@pytest.fixture
def environ(tmp_path, monkeypatch):
    """A folder of the test's own, where `authing-mfa` and `python` are this installation's."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, command in (("authing-mfa", f"{sys.executable} -m authing_mfa"), ("python", sys.executable)):
        (programs / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (programs / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{programs}:/usr/local/bin:/usr/bin:/bin:{Path(require_program('node')).parent}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


@pytest.fixture
def started():
    """Start a command that serves, and end it by SIGTERM."""
    running = []

    def start(command, **options):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
        running.append(process)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "AUTHING_PUBLIC_KEY" in line:
                return "".join(lines)
        raise AssertionError("".join(lines))

    yield start
    for process in running:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 0


def serve_folder(folder):
    """A web server like the development server of a framework; returns its address with the name localhost."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *given):
            super().__init__(*given, directory=str(folder))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://localhost:{server.server_port}"


def test_a_browser(emu, page, tmp_path):
    """The page of another origin on this machine sends a code and logs in with it, in a real Chromium."""
    (tmp_path / "index.html").write_text(block("html"))
    emu.add_user(username="ann", password="pw", phone="13800138000")
    server, url = serve_folder(tmp_path)
    try:
        page.driver.get(f"{url}/?emulator={emu.url}")
        page.type("[name=phone]", "13800138000")
        page.click("[name=send]")
        page.wait_text("#result", "Sent.")
        page.type("[name=code]", emu.code_for("13800138000"))
        page.click("form button:not([name])")
        page.wait_text("#result", "ann")
    finally:
        server.shutdown()
        server.server_close()


def test_a_phone(environ, started):
    """What is printed as the address in the network is reached by it, page and service."""
    text = started(shlex.split(block("sh")))
    address = re.search(r"address +(\S+)", text)[1]
    network = re.search(r"in the network +(\S+)", text)
    urls = [address, *([network[1]] if network else [])]
    for url in urls:
        with PLAIN.open(f"{url}/_emulator/info", timeout=60) as response:
            assert json.load(response)["url"] == url
        with PLAIN.open(url, timeout=60) as response:
            assert b"<title>" in response.read()


def test_the_android_emulator(environ, started):
    """It calls this machine 10.0.2.2. The option that the page names allows that name, and nothing else."""
    option = re.search(r"`10\.0\.2\.2`, with `([^`]+)`", TEXT)[1]
    text = started(["authing-mfa", "emulator", *shlex.split(option), "--port", "0"])
    address = re.search(r"address +(\S+)", text)[1]
    request = urllib.request.Request(f"{address}/_emulator/info", headers={"Host": "10.0.2.2:7070"})
    with PLAIN.open(request, timeout=60) as response:
        assert json.load(response)["url"] == "http://10.0.2.2:7070"
    request = urllib.request.Request(f"{address}/_emulator/info", headers={"Host": "192.168.0.9:7070"})
    with pytest.raises(urllib.error.HTTPError) as refused, PLAIN.open(request, timeout=60):
        pass
    refused.value.close()
    assert refused.value.code == 421


def test_a_container(environ, started):
    """The service's own command line, but for the installation and the port; its health check passes, and its name is allowed."""
    service = yaml.safe_load(block("yaml"))["services"]["emulator"]
    shell, flag, script = service["command"]
    command = script.partition("exec ")[2].replace("/data/", f"{environ}/")
    text = started([shell, flag, f"exec {command} --port 0"])
    url = re.search(r"address +(\S+)", text)[1]
    kind, *check = service["healthcheck"]["test"]
    assert kind == "CMD"
    done = subprocess.run([part.replace("http://localhost:7070", url) for part in check], timeout=60)
    assert done.returncode == 0
    request = urllib.request.Request(f"{url}/_emulator/info", headers={"Host": "emulator:7070"})
    with PLAIN.open(request, timeout=60) as response:
        assert json.load(response)["url"] == "http://emulator:7070"


REPEATS = (
    "--retry", "50", "--retry-delay", "0", "--retry-all-errors", "--retry-max-time", "30", "--max-time", "60",
)  # fmt: skip


def test_a_proxy(emu, tmp_path):
    """nginx with this server block: the page's address, events without delay, and a photo of 20 MiB."""
    nginx = require_program("nginx")
    port = emu.url.rpartition(":")[2]
    server = block("nginx").replace("7070", port).replace("listen 8443;", f"listen unix:{tmp_path}/proxy.sock;")
    temp = "".join(
        f"{name}_temp_path {tmp_path}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""  # else its workers could not write into the test's folder
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; {user} pid {tmp_path}/pid; error_log {tmp_path}/error.log;"
        f"events {{}} http {{ access_log off; {temp} {server} }}"
    )
    process = subprocess.Popen([nginx, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")])
    try:
        curl = [require_program("curl"), "-sS", "--unix-socket", f"{tmp_path}/proxy.sock", *REPEATS]

        def ask(path, *options):
            done = subprocess.run(
                [*curl, *options, f"http://mfa.localhost:8443{path}"], capture_output=True, timeout=100
            )
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        assert ask("/_emulator/info")["url"] == "http://mfa.localhost:8443"
        (tmp_path / "photo.jpg").write_bytes(bytes(20 * 2**20))
        uploaded = ask("/api/v2/upload?folder=photos&private=false", "-F", f"file=@{tmp_path}/photo.jpg")
        assert uploaded["data"]["url"].startswith("http://mfa.localhost:8443/_emulator/photos/")
        events = subprocess.Popen([*curl, "-N", "http://mfa.localhost:8443/_emulator/events"], stdout=subprocess.PIPE)
        assert events.stdout.readline() == b": watching\n"
        emu.send_code("13800138000")
        assert b"event: message" in (events.stdout.readline() + events.stdout.readline())
        events.terminate()
        events.communicate(timeout=60)
    finally:
        process.terminate()
        process.wait(60)


def test_another_language(environ):
    """The script logs the ready-made user in through both factors; its exit code is the command's."""
    (environ / "login.mjs").write_text(block("javascript"))
    done = run_program(shlex.split(block("sh", 1)))
    assert (done.returncode, done.stdout, done.stderr) == (0, "welcome, demo\n", "")
