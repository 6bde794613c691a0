"""Servers that are not the bottleneck: nginx on the other core, and a slow server of ours. Started and stopped here."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

from benchmarks.fixture import ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".benchmarks"

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")

CONFIG = """
daemon off;
master_process off;
pid {prefix}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    client_body_temp_path {prefix}/body;
    proxy_temp_path {prefix}/proxy;
    fastcgi_temp_path {prefix}/fastcgi;
    uwsgi_temp_path {prefix}/uwsgi;
    scgi_temp_path {prefix}/scgi;
    default_type application/json;
    server {{
        listen 127.0.0.1:{http} backlog=16384;
        listen 127.0.0.1:{https} ssl backlog=16384;
        ssl_certificate {certificate};
        ssl_certificate_key {certificate};
        ssl_session_cache shared:SSL:10m;
        location / {{ return 200 '{answer}'; }}
    }}
}}
"""


@dataclass(frozen=True)
class Servers:
    """Where the servers are."""

    name: str  # "nginx", or "asyncio protocol server" where there is no nginx
    http: str
    https: str
    slow: str  # 20 ms
    failing: str  # closes the connection instead of each hundredth answer
    silent: str  # reads, and answers nothing for an hour
    ca: str  # path of the certificate that https is signed by
    pid: int | None  # of nginx

    def cpu(self) -> float:
        return cpu_of(self.pid)


def cpu_of(pid: int | None) -> float:
    """Seconds of CPU that a process has used; nan where that is not known."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def cores() -> tuple[int, int]:
    """The core of the clients and the core of the servers. Asked once, and told to children: who is pinned sees one."""
    told = os.environ.get("BENCHMARK_CORES")
    if told is None:
        usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
        told = os.environ["BENCHMARK_CORES"] = f"{usable[0]} {usable[-1]}"
    client, server = told.split()
    return int(client), int(server)


def pinned(core: int) -> list[str]:
    taskset = shutil.which("taskset")
    return [taskset, "-c", str(core)] if taskset else []


def certificates() -> tuple[Path, Path]:
    """A private authority's certificate, and one file with key and certificate for 127.0.0.1."""
    WORK.mkdir(exist_ok=True)
    ca_path, server_path = WORK / "ca.pem", WORK / "server.pem"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ca_path))
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(str(server_path))
    return ca_path, server_path


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise SystemExit(f"The server on port {port} did not start.")


@contextlib.contextmanager
def running(command: list[str], port: int) -> Iterator[int]:
    process = subprocess.Popen(command)
    try:
        wait_for(port, process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def printing(module: str, *arguments: object) -> Iterator[tuple[str, int]]:
    """What a server module of ours prints when it listens, and its process; the server's core is its own."""
    command = [*pinned(cores()[1]), sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().decode().strip(), process.pid
    finally:
        process.stdin.close()
        process.terminate()
        process.wait(10)
        process.stdout.close()


@contextlib.contextmanager
def all_servers() -> Iterator[Servers]:
    """nginx for http and https, or ours where it is missing; and the slow one."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))  # so that the servers are stopped as well
    ca, server = certificates()
    with contextlib.ExitStack() as stack:
        slow, _ = stack.enter_context(printing("server", 20))
        failing, _ = stack.enter_context(printing("server", 0, "--fail-every", 100))
        silent, _ = stack.enter_context(printing("server", 3_600_000))
        if NGINX:
            http, https = free_port(), free_port()
            prefix = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nginx-", dir=WORK)))
            config = prefix / "nginx.conf"
            config.write_text(
                CONFIG.format(prefix=prefix, http=http, https=https, certificate=server, answer=ANSWER.decode())
            )
            nginx = [*pinned(cores()[1]), NGINX, "-p", str(prefix), "-c", str(config), "-e", "stderr"]
            pid: int | None = stack.enter_context(running(nginx, http))
            name = "nginx"
        else:
            http = int(stack.enter_context(printing("server", 0))[0])
            https = int(stack.enter_context(printing("server", 0, "--certificate", server))[0])
            name, pid = "asyncio protocol server (nginx is not installed)", None
        yield Servers(
            name,
            f"http://127.0.0.1:{http}",
            f"https://127.0.0.1:{https}",
            f"http://127.0.0.1:{slow}",
            f"http://127.0.0.1:{failing}",
            f"http://127.0.0.1:{silent}",
            str(ca),
            pid,
        )
