"""A server process for a recipe, an emulator that it talks to, and browsers that walk through it."""

from __future__ import annotations

import contextlib
import http.cookiejar
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from authing_mfa.emulator import Emulator

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
BIN = Path(sys.executable).parent
PATIENCE = 60.0  # seconds
TOGETHER = 6  # browsers; two for each user
COUNTRIES = ("+86", "+86", "+44")  # of the users' phones


class Browser:
    """It keeps its cookies; JSON both ways."""

    def __init__(self, base: str) -> None:
        self._base = base
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)

    def ask(self, path: str, body: object = None, *, method: str = "POST") -> tuple[int, dict]:
        """The status and the answer; `retry_after` is the header of the last refusal."""
        data = None if method == "GET" else json.dumps(body or {}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._base}/{path}", data, headers, method=method)
        try:
            with self._opener.open(request, timeout=PATIENCE) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                self.retry_after = error.headers["Retry-After"]
                text = error.read()
                return error.code, json.loads(text) if text.startswith(b"{") else {}


@pytest.fixture(scope="module")
def emulator():
    """Three users who need an SMS, the third with a British phone; their codes may be sent as often as a test likes."""
    with Emulator() as running:
        running.change_settings(resend_window=0)
        for number, country in enumerate(COUNTRIES):
            running.add_user(
                username=f"user{number}",
                password=f"pw{number}",
                phone=phone(number),
                phone_country_code=country,
                mfa=["SMS"],
            )
        yield running


def phone(number: int) -> str:
    return f"1380013800{number}"


def sent_to(emulator: Emulator, number: int) -> set[str]:
    """The phones, with their country codes, that got the codes of this user."""
    return {message.target for message in emulator.outbox if message.to == phone(number)}


def environment(emulator: Emulator, **more: str) -> dict[str, str]:
    """What `authing-mfa emulator exec` sets, and what a recipe asks for besides."""
    return {
        **os.environ,
        "AUTHING_APP_ID": emulator.app_id,
        "AUTHING_BASE_URL": emulator.url,
        "AUTHING_PUBLIC_KEY": emulator.public_key,
        "SESSION_SECRET": secrets.token_hex(),
        "PYTHONWARNINGS": "error::ResourceWarning",
        **more,
    }


@contextlib.contextmanager
def serving(emulator: Emulator, command: list[str], port: int, **more: str):
    """The address of the server that *command* starts; it is stopped as an operator would stop it, and must print no error."""
    process = subprocess.Popen(
        command,
        env=environment(emulator, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            said, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            pytest.fail(f"the server did not stop:\n{said}")
    assert "Traceback" not in said, said
    assert "Warning: An AuthClient" not in said, said


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            pytest.fail(f"the server ended: {process.stdout.read() if process.stdout else ''}")
        time.sleep(0.05)
    process.kill()
    pytest.fail("the server did not start")


def walk(base: str, emulator: Emulator) -> None:
    """Several browsers at once, two for each user: no browser sees another user's name, or gets in with another user's code."""
    together = Barrier(TOGETHER)
    codes: dict[int, str] = {}

    def browse(index: int) -> list[object]:
        user = index % 3
        browser = Browser(base)
        seen: list[object] = [browser.ask("me", method="GET")[0]]
        seen.append(browser.ask("login", {"account": f"user{user}", "password": "wrong"})[0])
        together.wait(PATIENCE)
        seen.append(browser.ask("login", {"account": f"user{user}", "password": f"pw{user}"}))
        seen.append(browser.ask("me", method="GET")[0])
        together.wait(PATIENCE)
        if index < 3:  # a newer code would void the older one
            seen.append(browser.ask("code")[0])
            codes[user] = emulator.code_for(phone(user))
        together.wait(PATIENCE)
        other = codes[(user + 1) % 3]
        seen.append(browser.ask("verify", {"factor": "SMS", "code": other})[0] if other != codes[user] else 400)
        together.wait(PATIENCE)
        if index < 3:
            seen.append(browser.ask("verify", {"factor": "SMS", "code": codes[user]}))
            together.wait(PATIENCE)
            seen += [browser.ask("me", method="GET") for _ in range(3)]
            seen.append(browser.ask("logout")[0])
        else:
            together.wait(PATIENCE)  # this browser of the same user never passed the second factor
        seen.append(browser.ask("me", method="GET")[0])
        return seen

    with ThreadPoolExecutor(TOGETHER) as pool:
        results = list(pool.map(browse, range(TOGETHER)))
    for index, seen in enumerate(results):
        me = (200, {"user": f"user{index % 3}"})
        challenge = (200, {"factors": ["SMS"]})
        if index < 3:
            assert seen == [401, 400, challenge, 401, 200, 400, me, me, me, me, 200, 401]
        else:
            assert seen == [401, 400, challenge, 401, 400, 401]
    for number, country in enumerate(COUNTRIES):
        assert sent_to(emulator, number) == {country + phone(number)}


def see_forms(base: str) -> None:
    """A form of another site logs nobody in, and a body that is not the expected object is the client's fault."""
    form = b'{"account": "user0", "password": "pw0", "x": "="}'  # as <form enctype="text/plain"> sends it
    bodies = [(form, "text/plain"), (form, "application/x-www-form-urlencoded")]
    bodies += [
        (body, "application/json")
        for body in (b"", b"{", b"[]", b"5", b'{"account": "user0"}', b'{"account": 5, "password": 5}')
    ]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for body, content_type in bodies:
        headers = {"Content-Type": content_type, "Origin": "https://evil.example"}
        with pytest.raises(urllib.error.HTTPError) as caught:
            opener.open(urllib.request.Request(f"{base}/login", body, headers, method="POST"), timeout=PATIENCE)
        with caught.value as refusal:
            assert refusal.code in (400, 415, 422), (body, content_type)
            assert "Set-Cookie" not in refusal.headers


def see_refusals(base: str, emulator: Emulator) -> None:
    """A locked account is 423; too many calls are 429, with the pause that the service names in whole seconds.

    An account that does not exist has the answer of a wrong password.
    """
    browser, right = Browser(base), {"account": "user0", "password": "pw0"}
    wrong = browser.ask("login", {"account": "user0", "password": "wrong"})
    assert wrong[0] == 400
    assert browser.ask("login", {"account": "nobody", "password": "wrong"}) == wrong
    emulator.faults.add("login_by_account", code=2005, count=1)
    assert browser.ask("login", right)[0] == 423
    assert browser.retry_after is None
    emulator.faults.add("login_by_account", retry_after=100.5, count=1)
    assert browser.ask("login", right)[0] == 429
    assert browser.retry_after == "101"
