"""One emulator process for each module, and three ways to run the command line against it."""

import contextlib
import io
import itertools
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from authing_mfa.cli.app import main

FAILING_KEYRING = "keyring.backends.fail.Keyring"
PATIENCE = 60.0

_numbers = itertools.count(os.getpid() * 1000)


@dataclass
class Done:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        assert len(self.out.splitlines()) == 1, self.out
        told = json.loads(self.out)
        assert (told["exit"], told["ok"]) == (self.code, self.code == 0), "the object says how the process ended"
        return told


class EmulatorProcess:
    """`authing-mfa emulator` in its own process, used over HTTP only."""

    def __init__(self) -> None:
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by stop(); a pipe without a reader would fill up
        self.process = subprocess.Popen(
            [sys.executable, "-m", "authing_mfa", "emulator", "--port", "0", "--json"],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=clean_environ(),
        )
        self.ready = json.loads(self.process.stdout.readline())
        self.url = self.ready["url"]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE)
        self.log.seek(0)
        told = self.log.read()
        self.log.close()
        assert "Traceback" not in told, told

    def admin(self, method, path, body=None):
        request = urllib.request.Request(
            f"{self.url}/_emulator/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=PATIENCE) as reply:
            return json.load(reply)

    def add_user(self, **about):
        """Add a user whose name, phone and address no other user has; by default with all four factors."""
        number = next(_numbers)
        user = {
            "username": f"user{number}",
            "password": "correct horse",
            "phone": f"1{number % 10**10:010d}",
            "email": f"user{number}@example.com",
            "mfa": ["SMS", "EMAIL", "OTP", "FACE"],
            **about,
        }
        return user | self.admin("POST", "users", user)

    def token_of(self, user):
        return self.admin("POST", f"users/{user['id']}/token")["token"]

    def mfa_token_of(self, user):
        return self.admin("POST", f"users/{user['id']}/mfa-token")["token"]

    def totp_of(self, user):
        return self.admin("GET", f"users/{user['id']}/totp")["code"]

    def code_for(self, target):
        return self.admin("GET", f"inbox?to={target}")["messages"][0]["code"]

    def fault(self, **rule):
        return self.admin("POST", "faults", rule)


def clean_environ(**more):
    """The environment without anything that would be a setting; no keyring, English, no proxy."""
    dropped = re.compile(r"AUTHING_|LC_|.*_proxy$|NO_COLOR|FORCE_COLOR|_AUTHING", re.IGNORECASE)
    environ = {name: value for name, value in os.environ.items() if not dropped.match(name)}
    environ |= {"PYTHON_KEYRING_BACKEND": FAILING_KEYRING, "LANG": "C.UTF-8", "TERM": "xterm", "COLUMNS": "100"}
    return environ | more


@dataclass
class Cli:
    """The command line with a new configuration folder."""

    environ: dict[str, str]
    folder: Path
    terminals: list = field(default_factory=list)

    def with_env(self, **more) -> "Cli":
        return Cli({**self.environ, **more}, self.folder, self.terminals)

    def run(self, *arguments, stdin="") -> Done:
        """As a process, with pipes."""
        done = subprocess.run(
            [sys.executable, "-m", "authing_mfa", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environ,
            timeout=PATIENCE * 2,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def invoke(self, *arguments, stdin="") -> Done:
        """In this process, with pipes: quick, for the many variants."""
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        before, sys.stdin = sys.stdin, io.StringIO(stdin)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main(arguments, self.environ)
        finally:
            sys.stdin = before
        return Done(code, out.buffer.getvalue().decode(), err.buffer.getvalue().decode())

    def terminal(self, *arguments) -> "Terminal":
        """As a process on a pseudo-terminal that is its controlling one."""
        opened = Terminal(arguments, self.environ)
        self.terminals.append(opened)
        return opened

    def log_in(self, user) -> Done:
        """Log in with the password; a challenge is kept."""
        return self.invoke("login", user["username"], "--password-stdin", stdin=user["password"] + "\n")


_ON_A_TERMINAL = "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"


class Terminal:
    """A person at a terminal."""

    def __init__(self, arguments, environ) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _ON_A_TERMINAL, sys.executable, "-m", "authing_mfa", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environ,
        )
        os.close(slave)
        self.text = ""
        self._read_to = 0
        self._ended = False

    def expect(self, words: str) -> str:
        """Read until *words* come; what came before them since the last time."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.text[self._read_to :]:
            assert time.monotonic() < deadline, f"{words!r} did not come: {self.text!r}"
            assert self._read(), f"{words!r} did not come before the end: {self.text!r}"
        start = self._read_to
        self._read_to = self.text.index(words, start) + len(words)
        return self.text[start : self._read_to]

    def type(self, line: str) -> None:
        os.write(self.master, line.encode() + b"\n")

    def interrupt(self) -> int:
        """Press Ctrl-C, again if need be, and read to the end; the exit code.

        Once is not always enough: a signal that comes just before Python blocks in input() is seen after it only.
        A second one may meet a Python that has already given the signal back to the system, and end it there: a shell
        shows 130 for that, too.
        """
        presses = 0
        while not self._ended and presses < PATIENCE:
            self.press_ctrl_c()
            presses += 1
            while self._read(1.0):
                pass
        code = self.end()
        return 130 if presses > 1 and code == -signal.SIGINT else code

    def press_ctrl_c(self) -> None:
        """Once."""
        os.write(self.master, b"\x03")

    def end(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        code = self.process.wait(PATIENCE)
        os.close(self.master)
        self.master = -1
        return code

    def _read(self, patience=PATIENCE) -> bool:
        ready, _, _ = select.select([self.master], [], [], patience)
        if not ready:
            return False
        try:
            chunk = os.read(self.master, 65536)
        except OSError:  # the other end is closed
            chunk = b""
        self._ended = not chunk
        self.text += chunk.decode(errors="replace").replace("\r\n", "\n")
        return bool(chunk)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        if self.master >= 0:
            os.close(self.master)


@pytest.fixture(scope="module")
def emulator():
    """One emulator process for the module."""
    process = EmulatorProcess()
    yield process
    process.stop()


@pytest.fixture
def bare(tmp_path):
    """The command line without any setting."""
    folder = tmp_path / "conf"
    cli = Cli(clean_environ(AUTHING_CONFIG_DIR=str(folder)), folder)
    yield cli
    for terminal in cli.terminals:
        terminal.close()


@pytest.fixture
def cli(bare, emulator):
    """The command line pointed at the emulator by the environment."""
    return bare.with_env(
        AUTHING_BASE_URL=emulator.url,
        AUTHING_APP_ID=emulator.ready["app_id"],
        AUTHING_USER_POOL_ID=emulator.ready["user_pool_id"],
        AUTHING_PUBLIC_KEY=emulator.ready["public_key"],
    )
