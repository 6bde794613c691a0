"""The same after every start: ids, secrets, the state file, the certificate."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from authing_mfa.emulator import Emulator
from authing_mfa.emulator.serving import emulator_with_user
from tests.emulator.conftest import START
from tests.needs import require_module

ROOT = Path(__file__).parents[2]


def test_ids_and_secrets_are_those_that_were_chosen(emu):
    """Application, pool, user, TOTP secret (however it is written) and recovery code; tokens name the pool and the user."""
    with Emulator(app_id="my-app", user_pool_id="my-pool", clock=lambda: START) as emulator:
        ann = emulator.add_user(
            username="ann", password="pw", id="ann-1", totp_secret="gezd gnbv gy3t qojq", recovery_code="1111-AAAA"
        )
        assert (emulator.app_id, emulator.user_pool_id, ann.id) == ("my-app", "my-pool", "ann-1")
        assert (ann.totp_secret, ann.recovery_code, ann.totp_enabled) == ("GEZDGNBVGY3TQOJQ", "1111-aaaa", True)
        assert emulator.namespace("w1").app_id == "my-app"
        assert emulator.user("ann-1") == ann


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"id": "a b"}, "id must be letters"),
        ({"id": "taken"}, "exists already"),
        ({"totp_secret": "not base32!"}, "base32"),
        ({"totp_secret": ""}, "base32"),
        ({"email": "nobody"}, "e-mail address"),
        ({"phone": "none"}, "phone number"),
        ({"custom": {"x": float("nan")}}, "not finite"),
        ({"custom": {"x": object()}}, "no JSON value"),
        ({"username": "x" * 400}, "longer than 320"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing_behind(emu, fields, problem):
    """A user is registered as a whole or not at all."""
    emu.add_user(username="taken", password="pw", id="taken")
    with pytest.raises(ValueError, match=problem):
        emu.add_user(**{"username": "ann", "password": "pw", **fields})
    assert emu.add_user(username="ann", password="pw").username == "ann"


def test_a_face_that_cannot_be_read_leaves_no_half_of_a_user(emu):
    """The name is free afterwards."""
    for face in (b"no picture", 5, "no-such-file.jpg"):
        with pytest.raises(OSError, match=r"picture|No such file|identify"):
            emu.add_user(username="ann", password="pw", face=face)
    assert emu.add_user(username="ann", password="pw")


async def test_a_state_file_continues_where_the_last_run_stopped(tmp_path, api_of, session, pictures):
    """Ids, users, tokens, codes, photos, faults, the clock and other namespaces; readable by its owner only."""
    path = tmp_path / "state.json"
    with Emulator(state_file=path) as first:
        ann = first.add_user(username="ann", password="pw", phone="13800138000", mfa=["SMS", "FACE"], face=pictures(0))
        token = first.issue_mfa_token(ann)
        first.send_code("13800138000")
        first.namespace("w1").send_code("a@example.com")
        async with session.get(f"{first.url}/ns/looked-at/_emulator/info") as answer:
            assert answer.status == 200
        first.faults.add("mfa_check", status=503)
        first.clock.advance(100)
        key = await api_of(first).upload(pictures(0))
        code = first.code_for("13800138000")
    assert path.stat().st_mode & 0o777 == 0o600
    with Emulator(state_file=path) as second:
        assert (second.app_id, second.user_pool_id) == (first.app_id, first.user_pool_id)
        assert second.user("ann").id == ann.id
        assert second.namespace("w1").code_for("a@example.com")
        assert (len(second.faults), second.clock.offset, len(second._namespaces)) == (1, 100, 1)
        api = api_of(second)
        body = {"phone": "13800138000", "code": code}
        assert (await api.post("/api/v2/applications/mfa/sms/verify", body, token))["code"] == 200
        assert (await api.post("/api/v2/mfa/face/verify", {"photo": key}, token))["code"] == 200
    with Emulator(state_file=path, app_id="another") as third:
        assert third.app_id == "another"


def test_seeds_are_what_a_reset_of_a_state_file_goes_back_to(tmp_path):
    """Not added a second time at the start; also the ready-made user of the command line."""
    path, seeds = (
        tmp_path / "state.json",
        {"users": [{"username": "ann", "password": "pw"}], "faults": [{"status": 500}]},
    )
    for _ in range(2):
        with Emulator(state_file=path, seeds=seeds) as emulator:
            assert len(emulator.users) == len(emulator.faults) == 1
    with Emulator(state_file=path, seeds=seeds) as emulator:
        emulator.delete_user(emulator.user("ann"))
        emulator.reset()
        assert [user.username for user in emulator.users] == ["ann"]
    for _ in range(2):
        with emulator_with_user(state_file=tmp_path / "demo.json") as emulator:
            assert [user.username for user in emulator.users] == ["demo"]
            emulator.reset()
            assert [user.username for user in emulator.users] == ["demo"]


def test_a_seed_file_without_users_adds_its_faults_once():
    """The ready-made user is added beside them."""
    with emulator_with_user(seeds={"faults": [{"status": 500}], "codes": {"13800138000": "246810"}}) as emulator:
        assert (len(emulator.faults), len(emulator.users)) == (1, 1)
        emulator.reset()
        assert (len(emulator.faults), len(emulator.users)) == (1, 1)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"format":1}', b'{"format":2,"app_id":"a","user_pool_id":"b"}', b"\xff", b"[" * 9000, b"NaN"],
)
def test_an_invalid_state_file_is_named_and_kept(tmp_path, content):
    """A sentence with the file's name; the file is left as it was."""
    path = tmp_path / "state.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"state file .*state\.json"):
        Emulator(state_file=path)
    assert path.read_bytes() == content


def test_a_state_file_in_no_folder_is_refused_at_the_start(tmp_path):
    """Not when it is too late to write it."""
    with pytest.raises(OSError, match="folder of the state file"):
        Emulator(state_file=tmp_path / "none" / "state.json")


def test_a_state_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    """All of it or nothing, and no half a file beside it."""
    path = tmp_path / "state.json"
    emulator = Emulator(state_file=path).start()
    emulator.stop()
    before = path.read_bytes()

    def full(_file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    emulator.start()
    emulator.add_user(username="ann", password="pw")
    with pytest.raises(OSError, match="No space"):
        emulator.stop()
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (before, [path])


def test_a_snapshot_of_the_first_version_is_read(tmp_path, pictures):
    """Photos had no fingerprints and messages no target then."""
    with Emulator() as emulator:
        emulator.send_code("13800138000")
        emulator.state.store_photo(pictures(0), "photos", "image/jpeg", private=False, fingerprint=b"x")
        snapshot = emulator.snapshot()
        snapshot["format"] = 1
        snapshot["newest"] = {message["target"]: message["id"] for message in snapshot["messages"]}
        for record in (*snapshot["messages"], *snapshot["photos"].values()):
            for name in ("target", "fingerprint", "size"):
                record.pop(name, None)
        emulator.reset()
        emulator.restore(snapshot)
        assert emulator.code_for("+86 138 0013 8000")
        (photo,) = emulator.state.photos.by_key.values()
        assert (len(photo.fingerprint), photo.size) == (3072, len(pictures(0)))


@pytest.mark.parametrize(
    "change",
    [
        {"clock_offset": 1e300},
        {"users": [{"id": "x"}]},
        {"faults": [{"path": "/x"}]},
        {"messages_sent": "x"},
        {"signing_key": "!"},
        {"random": [3, [1], None]},
    ],
)
def test_a_snapshot_that_would_break_the_emulator_changes_nothing(emu, change):
    """It is read as a whole before anything is replaced."""
    ann = emu.add_user(username="ann", password="pw", totp=True)
    before = emu.snapshot()
    with pytest.raises(ValueError, match="snapshot cannot be read"):
        emu.restore({**before, **change})
    assert emu.snapshot() == before
    assert ann.totp_code


@pytest.mark.parametrize("seconds", [1e300, -1e300, float("nan"), float("inf"), 1e12])
def test_the_clock_stays_within_the_calendar(emu, api_of, seconds):
    """A time that no date can show would make every login fail."""
    with pytest.raises(ValueError, match="1970"):
        emu.clock.advance(seconds)
    assert emu.clock.offset == 0


# ─────────────────────────────── TLS ───────────────────────────────


def fetch(url, ca):
    """What a client that trusts the file *ca* gets."""
    context = ssl.create_default_context(cafile=ca)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with opener.open(f"{url}/_emulator/health", timeout=60) as response:
        return json.load(response)


def test_an_authority_is_kept_and_trusted_once(tmp_path):
    """The file that was trusted before the second start is good after it; its key is readable by its owner only."""
    require_module("trustme")
    with Emulator(tls_folder=tmp_path / "ca") as first:
        ca = first.ca_path
        assert fetch(first.url, ca) == {"status": "ok"}
    with Emulator(tls_folder=tmp_path / "ca", allowed_hosts=["app.localhost"]) as second:
        assert (second.ca_path, fetch(second.url, ca)) == (ca, {"status": "ok"})
    assert (tmp_path / "ca" / "ca-key.pem").stat().st_mode & 0o777 == 0o600
    (tmp_path / "ca" / "ca.pem").write_text("nonsense")
    with pytest.raises(ValueError, match="authority in"):
        Emulator(tls_folder=tmp_path / "ca")


def test_a_certificate_of_ones_own(tmp_path):
    """With its key in one file or in two; what cannot be used is named."""
    require_module("trustme")
    import trustme

    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    cert, key, both, ca = (tmp_path / name for name in ("cert.pem", "key.pem", "both.pem", "ca.pem"))
    issued.cert_chain_pems[0].write_to_path(cert)
    issued.private_key_pem.write_to_path(key)
    issued.private_key_and_cert_chain_pem.write_to_path(both)
    authority.cert_pem.write_to_path(ca)
    for options in ({"certificate": cert, "private_key": key}, {"certificate": both}):
        with Emulator(**options) as emulator:
            assert fetch(emulator.url, ca) == {"status": "ok"}
            assert emulator.ca_path is None  # its authority is to be trusted by other means
    for options in ({"certificate": cert}, {"certificate": key, "private_key": cert}, {"private_key": key}):
        with pytest.raises(ValueError, match=r"cannot be used|needs its certificate"):
            Emulator(**options)


# ─────────────────────────────── the command ───────────────────────────────


def authing_mfa(*arguments, cwd):
    """The command line as a process."""
    command = [sys.executable, "-m", "authing_mfa", "emulator", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )


def test_the_command_keeps_state_between_two_runs(tmp_path):
    """--app-id, --state and --face; the second run knows the first one's ids."""
    show = (
        "exec",
        "--",
        sys.executable,
        "-c",
        "import os; print(os.environ['AUTHING_APP_ID'], os.environ['AUTHING_USER_POOL_ID'])",
    )
    first = authing_mfa("--state", "s.json", "--app-id", "mine", "--face", "any", *show, cwd=tmp_path)
    again = authing_mfa("--state", "s.json", *show, cwd=tmp_path)
    assert first.stdout.startswith("mine ")
    assert (again.stdout, first.returncode, again.returncode) == (first.stdout, 0, 0)
    assert json.loads((tmp_path / "s.json").read_text())["users"][0]["username"] == "demo"


def test_the_command_says_what_to_do(tmp_path, emu):
    """A taken port, an address that is not loopback, a broken seed file and state file: one sentence, in options of the command."""
    port = emu.url.rpartition(":")[2]
    (tmp_path / "bad.yaml").write_text("users: [ann]")
    (tmp_path / "bad.json").write_text("{")
    for arguments, words in (
        (("--port", port), f"127.0.0.1:{port}. Choose another port with --port, or --port 0"),
        (("--host", "0.0.0.0"), "--allow-remote"),
        (("--port", "0", "--seed-file", "bad.yaml"), "bad.yaml: users, entry 1"),
        (("--port", "0", "--state", "bad.json"), "state file bad.json"),
        (("--port", "0", "--state", "none/x.json"), "folder of the state file none/x.json"),
    ):
        done = authing_mfa(*arguments, cwd=tmp_path)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert words in done.stderr
