"""Starting and stopping, threads, TLS, the serving function and the pytest plugin."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import aiohttp
import pytest

from authing_mfa.emulator import Emulator, serve
from authing_mfa.emulator.serving import environment, ready_report
from tests.needs import require_module

ROOT = Path(__file__).parents[2]
PLAIN = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def info(emu):
    """What a blocking client reads."""
    with PLAIN.open(f"{emu.url}/_emulator/info", timeout=60) as response:
        return json.load(response)


def first_line(path):
    """Of a text file."""
    return Path(path).read_text().splitlines()[0]


def test_it_answers_a_blocking_test():
    """With a plain `with` the server runs beside the test, which may block."""
    with Emulator() as emu:
        assert info(emu)["app_id"] == emu.app_id
    with pytest.raises(OSError, match="refused"):
        info(emu)


async def test_it_answers_the_loop_that_started_it():
    """With `async with` too, and no task of it is on the test's own loop."""
    before = asyncio.all_tasks()
    async with Emulator() as emu, aiohttp.ClientSession() as session:
        assert asyncio.all_tasks() == before
        async with session.get(f"{emu.url}/_emulator/info") as response:
            assert (await response.json())["namespace"] == "default"


def test_it_can_be_started_again_and_stopped_twice():
    """State stays over a stop; a second start while it serves is a mistake."""
    emu = Emulator()
    emu.add_user(username="ann", password="pw")
    emu.stop()
    for _ in range(2):
        with emu:
            assert info(emu)["user_pool_id"] == emu.user_pool_id
            with pytest.raises(RuntimeError, match="started already"):
                emu.start()
        emu.stop()
    assert emu.user("ann").username == "ann"


def test_a_port_can_be_chosen_and_is_freed():
    """The port that was given, again right after; taken is OSError."""
    with Emulator() as emu:
        port = int(emu.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Emulator(port=port).start()
    with Emulator(port=port) as emu:
        assert info(emu)["url"] == f"http://127.0.0.1:{port}"


def test_stopping_leaves_no_thread(emu):
    """Not even with a watcher connected. Other emulators of this process may still run: only this one's thread must end."""
    running = [thread for thread in threading.enumerate() if thread.name == "authing-emulator"]
    response = PLAIN.open(f"{emu.url}/_emulator/events", timeout=60)
    assert response.readline() == b": watching\n"
    emu.stop()
    left = [thread for thread in running if thread.is_alive()]
    assert len(left) == len(running) - 1
    response.close()


def test_every_call_may_come_from_any_thread(emu):
    """Users and codes made by eight threads at once are all there, none twice."""

    def work(name):
        for number in range(50):
            emu.add_user(username=f"{name}-{number}", password="pw", totp=True)
            emu.send_code(f"{name}{number}@b.test")
            emu.issue_mfa_token(emu.user(f"{name}-{number}"))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({user.id for user in emu.users}) == len({message.id for message in emu.outbox}) == 400


async def test_requests_of_many_users_at_once(emu, api):
    """Two hundred verifications at a time, the same code for one token: exactly one passes."""
    bob = emu.add_user(username="bob", password="pw", totp=True)
    token = emu.issue_mfa_token(bob)
    calls = [api.post("/api/v2/mfa/totp/verify", {"totp": bob.totp_code}, token) for _ in range(200)]
    codes = [answer["code"] for answer in await asyncio.gather(*calls)]
    assert (codes.count(200), codes.count(6001)) == (1, 199)
    assert emu.verify_count(token) == 200


async def test_tls_with_an_authority_of_its_own(session):
    """HTTPS that its own certificate makes trustworthy, and nothing else does; the file is gone afterwards."""
    require_module("trustme")
    async with Emulator(tls=True) as emu:
        assert emu.url.startswith("https://127.0.0.1:")
        async with session.get(f"{emu.url}/_emulator/info", ssl=emu.client_ssl_context()) as response:
            assert (await response.json())["tls"] is True
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"{emu.url}/_emulator/info")
        path = emu.ca_path
        assert first_line(path) == "-----BEGIN CERTIFICATE-----"
        assert environment(emu)["AUTHING_CA_FILE"] == path
    with pytest.raises(FileNotFoundError):
        first_line(path)


async def test_stopping_tls_does_not_wait_for_the_clients_farewell(session):
    """The client's loop is blocked while the emulator stops, and yet every socket is closed."""
    require_module("trustme")
    emu = Emulator(tls=True).start()
    async with session.get(f"{emu.url}/_emulator/info", ssl=emu.client_ssl_context()) as response:
        await response.read()
    emu.stop()
    gc.collect()


def test_without_tls_there_is_nothing_to_trust(emu):
    """No file, no context."""
    assert (emu.ca_path, emu.client_ssl_context()) == (None, None)


# ─────────────────────────────── serve ───────────────────────────────


def test_serve_ends_when_another_thread_stops_it():
    """The ready report names a user who can log in."""
    stop, ready = threading.Event(), threading.Event()
    reports = []

    def on_ready(emulator):
        reports.append((ready_report(emulator), environment(emulator), info(emulator)))
        ready.set()

    thread = threading.Thread(target=serve, kwargs={"ready": on_ready, "stop": stop, "seed": 3})
    thread.start()
    assert ready.wait(60)
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    report, variables, told = reports[0]
    assert (report["url"], report["app_id"], report["ca"]) == (told["url"], told["app_id"], None)
    assert (report["user"]["username"], report["user"]["password"]) == ("demo", "emulator-demo")
    assert variables["AUTHING_BASE_URL"] == told["url"]


SERVE = """
import json
from authing_mfa.emulator import serve
from authing_mfa.emulator.serving import ready_report
import sys
heavy = [name for name in ("PIL", "cryptography", "segno", "yaml", "trustme", "click") if name in sys.modules]
serve(ready=lambda emulator: print(json.dumps({**ready_report(emulator), "heavy": heavy}), flush=True))
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_quietly_on_a_signal(number):
    """One ready line, an orderly end, nothing on stderr, and nothing heavy imported for the start."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        report = json.loads(process.stdout.readline())
        with PLAIN.open(f"{report['url']}/_emulator/users", timeout=60) as response:
            assert json.load(response)["total"] == 1
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err, report["heavy"]) == (0, "ended\n", "", [])


def test_a_seed_file_keeps_its_own_users():
    """If the seed has users, the ready-made user is not added."""
    stop = threading.Event()
    names = []

    def on_ready(emulator):
        names.extend(user.username for user in emulator.users)
        assert "password" not in ready_report(emulator)["user"]
        stop.set()

    serve(ready=on_ready, stop=stop, seeds={"users": [{"username": "ann", "password": "pw"}]})
    assert names == ["ann"]


# ─────────────────────────────── the pytest plugin ───────────────────────────────

PLUGIN_TEST = """
import urllib.request

def test_one(authing_emulator):
    assert [user.username for user in authing_emulator.users] == ["ann"]
    authing_emulator.add_user(username="passing", password="pw")
    authing_emulator.faults.add(status=500)
    global url
    url = authing_emulator.url

def test_two(authing_emulator):
    assert [user.username for user in authing_emulator.users] == ["ann"]
    assert (len(authing_emulator.faults), authing_emulator.url) == (0, url)
"""


def test_the_pytest_fixture_is_one_server_reset_per_test(tmp_path):
    """`authing_emulator` in a new project, filled from the ini file's seed file."""
    (tmp_path / "test_it.py").write_text(PLUGIN_TEST)
    (tmp_path / "seeds.json").write_text('{"users": [{"username": "ann", "password": "pw"}]}')
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nauthing_emulator_seed_file = seeds.json\nauthing_emulator_seed = 5\n"
    )
    plugins = [
        "-p",
        "no:randomly",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
        "-p",
        "authing_mfa.emulator.pytest_plugin",
    ]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "2 passed" in result.stdout, result.stdout + result.stderr


async def test_stopping_amid_connections_leaves_nothing_open(session):
    """However the stop falls between accepting and answering, every socket is closed: unclosed ones would fail this test."""
    for pause in range(20):
        emu = Emulator().start()

        async def ask(url=f"{emu.url}/api/v2/users/me"):
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(url) as response:
                    await response.read()

        calls = [asyncio.create_task(ask()) for _ in range(20)]
        await asyncio.sleep(pause / 5000)
        await asyncio.to_thread(emu.stop)
        await asyncio.wait_for(asyncio.gather(*calls), 20)
    gc.collect()
