"""Seeds, reset, snapshots, namespaces, size."""

from __future__ import annotations

import json
import stat

import pytest

from authing_mfa.emulator import Emulator, Settings, write_starter
from authing_mfa.emulator.seeding import STARTER


def everything(emu):
    """All that a seed must reproduce."""
    user = emu.add_user(username="ann", password="pw", totp=True)
    ids = (emu.app_id, emu.user_pool_id, user.id, user.totp_secret, user.recovery_code)
    return (*ids, emu.send_code("138"), emu.issue_mfa_token(user))


def test_a_seed_makes_everything_reproducible():
    """Ids, secrets, codes and tokens are the same with the same seed, others with another or none."""

    def run(seed):
        return everything(Emulator(seed=seed, clock=lambda: 1e9))

    assert run(1) == run(1)
    for other in (run(2), run(None)):
        assert not set(run(1)) & set(other)
    assert not set(run(None)) & set(run(None))


def test_reset_starts_the_seed_again():
    """A second test sees what the first saw; without a seed nothing comes again."""
    emu = Emulator(seed=1, clock=lambda: 1e9)
    first = everything(emu)
    emu.fix_code("138", "1")
    emu.reset()
    assert everything(emu) == first
    free = Emulator()
    before = everything(free)
    free.reset()
    after = everything(free)
    assert before[:2] == after[:2]
    assert not set(before[2:]) & set(after[2:])


async def test_reset_keeps_as_many_requests_as_the_settings_say(api_of):
    """The changed number is gone with the other changed settings: a later test sees all of its requests."""
    with Emulator() as emu:
        emu.change_settings(journal_size=1)
        emu.reset()
        for _ in range(3):
            await api_of(emu).login("nobody", "pw")
        assert (emu.settings.journal_size, len(emu.requests)) == (1000, 3)


async def test_a_seed_file_fills_it_and_refills_it_after_reset(tmp_path, api_of, pictures):
    """Users with pictures beside the file, codes, faults and settings; JSON needs no extra package."""
    (tmp_path / "eve.jpg").write_bytes(pictures(0))
    path = tmp_path / "seeds.json"
    seeds = {
        "users": [{"username": "eve", "password": "pw", "face": "eve.jpg"}],
        "codes": {"13800138000": "246810"},
        "faults": [{"path": "send_sms", "nth": 2, "status": 503}],
        "settings": {"code_ttl": 5, "application_mfa": ["otp"]},
    }
    path.write_text(json.dumps(seeds))
    with Emulator(seed_file=path) as emu:
        for _ in range(2):
            assert emu.user("eve").face_enabled
            assert emu.send_code("+8613800138000") == "246810"
            assert (emu.settings.code_ttl, emu.user("eve").mfa) == (5, ("OTP",))
            assert [(await api_of(emu).post("/api/v2/sms/send", {"phone": str(n)}))["code"] for n in range(2)] == [
                200,
                503,
            ]
            emu.add_user(username="passing", password="pw")
            emu.reset()
            assert [user.username for user in emu.users] == ["eve"]
            assert [user.username for user in emu.namespace("w1").users] == ["eve"]


def test_the_starter_file_works_as_it_is(tmp_path):
    """What `emulator init` writes is a good seed file, and is never overwritten unasked."""
    path = tmp_path / "authing-emulator.yaml"
    write_starter(path)
    emu = Emulator(seed_file=path)
    assert [user.username for user in emu.users] == ["ann", "bob", "eve"]
    assert (emu.user("ann").totp_enabled, emu.send_code("ann@example.com")) == (True, "135790")
    assert emu.settings == Settings()
    assert "#" in STARTER
    with pytest.raises(FileExistsError):
        write_starter(path)
    path.write_text("changed")
    write_starter(path, overwrite=True)
    assert path.read_text() == STARTER


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "seeds.yaml: a seed file must be a mapping"),
        ("colours: []", "seeds.yaml: a seed file has no 'colours'; it has users, codes"),
        ("users: [ann]", "users, entry 1: a user must be a mapping"),
        (
            "users: [{username: ann, password: pw, phone: 13800138000}]",
            "users, entry 1: phone must be text, not 13800138000: put it in quotes",
        ),
        ("codes: {13800138000: 1}", "in quotes"),
        ("settings: {speed: 1}", "no setting 'speed'"),
        ("settings: {code_length: 2}", "from 4 to 12"),
        ("settings: {code_ttl: -1}", "code_ttl must be a number"),
        ("users: [{username: ann, password: pw, mfa: [no]}]", "not an MFA policy"),
        ("faults: [{path: x}]", "exactly one effect"),
        ("users: [", "not YAML"),
    ],
)
def test_seed_files_that_cannot_be_say_why(tmp_path, text, problem):
    """A sentence instead of a traceback from the depths."""
    path = tmp_path / "seeds.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=problem):
        Emulator(seed_file=path)


def test_an_empty_part_of_a_seed_file_is_no_part(tmp_path):
    """YAML parts left empty are null."""
    path = tmp_path / "seeds.yaml"
    path.write_text("users:\ncodes:\nsettings:\n")
    assert Emulator(seed_file=path).users == []


@pytest.mark.parametrize("field", ["code_ttl", "lock_after", "totp_drift", "journal_size"])
@pytest.mark.parametrize("value", [-1, "1", True])
def test_settings_are_checked(field, value):
    """A number in its range, and nothing that only looks like one."""
    with pytest.raises(ValueError, match=field):
        Settings(**{field: value})


async def test_a_snapshot_goes_to_a_file_and_into_another_emulator(tmp_path, emu, api, api_of, pictures):
    """Saved readable by its owner only; another emulator continues from it, photos and tokens included."""
    ann = emu.add_user(username="ann", password="pw", phone="138", email="a@b.test", mfa=["SMS", "EMAIL"], totp=True)
    key, token = await api.upload(pictures(0)), emu.issue_user_token(ann)
    await api.post("/api/v2/mfa/face/associate", {"photoA": key, "photoB": key}, token)
    code = emu.send_code("138")
    path = tmp_path / "state.json"
    emu.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with Emulator(clock=emu.clock) as other:
        own = api_of(other)
        other.load(path)
        assert other.send_code("1") == emu.send_code("1")
        copy = other.user("ann")
        assert (copy.id, copy.totp_secret, copy.mfa_phone, copy.face_enabled) == (ann.id, ann.totp_secret, "138", True)
        mfa_token = (await own.login("a@b.test", "pw"))["data"]["mfaToken"]
        assert (await own.post("/api/v2/applications/mfa/check", {"phone": "138"}, mfa_token))["data"] is False
        assert (await own.post("/api/v2/applications/mfa/sms/verify", {"phone": "138", "code": code}, mfa_token))[
            "code"
        ] == 200
        assert (await own.post("/api/v2/mfa/face/verify", {"photo": key}, mfa_token))["code"] == 200
        assert (await own.get("/api/v2/users/me", token))["data"]["id"] == ann.id
    path.write_text("[]")
    with pytest.raises(ValueError, match="not a snapshot"):
        emu.load(path)


# ─────────────────────────────── namespaces ───────────────────────────────


async def test_namespaces_share_nothing_but_the_application(emu, api):
    """Users, codes, clock, faults, journal and tokens are each namespace's own, in the service's and the admin API."""
    one, two = emu.namespace("w1"), emu.namespace("w2")
    assert (emu.namespace("w1"), emu.namespace("default")) == (one, emu)
    user = one.add_user(username="ann", password="pw", totp=True)
    assert (await api.post("/ns/w2/_emulator/users", {"username": "ann", "password": "pw"}))["id"] != user.id
    two.clock.advance(100)
    one.faults.add("send_sms", status=503)
    assert (await api.post("/ns/w1/api/v2/sms/send", {"phone": "1"}))["code"] == 503
    assert (await api.post("/ns/w2/api/v2/sms/send", {"phone": "1"}))["code"] == 200
    assert (len(one.outbox), len(two.outbox), len(emu.outbox), len(emu.users)) == (0, 1, 0, 0)
    assert (one.clock(), two.clock()) == (emu.clock(), emu.clock() + 100)
    token = one.issue_mfa_token(user)
    for place, code in (("/ns/w1", 200), ("/ns/w2", 2021), ("", 2021)):
        answer = await api.post(f"{place}/api/v2/mfa/totp/verify", {"totp": user.totp_code}, token)
        assert answer["code"] == code
    assert [entry.namespace for entry in one.requests] == ["w1", "w1"]
    one.reset()
    assert (len(one.users), len(two.users)) == (0, 1)
    config = await api.get(f"/ns/w1/api/v2/applications/{emu.app_id}/public-config")
    assert config["data"]["userPoolId"] == emu.user_pool_id


async def test_a_client_reaches_a_namespace_by_its_base_url(emu, api):
    """The address that `namespace_url` returns; photo addresses keep the prefix; the page's address gets its slash."""
    assert (emu.namespace_url("w1"), emu.namespace_url("default")) == (f"{emu.url}/ns/w1", emu.url)
    api.url = emu.namespace_url("w1")
    assert (await api.upload(b"x")).startswith("photos/")
    assert len(emu.namespace("w1").state.photos.by_key) == 1
    async with api.session.get(api.url, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (308, "/ns/w1/")


@pytest.mark.parametrize("name", ["", "a b", "-a", "a" * 65, "ä", "a%2Fb"])
async def test_names_of_namespaces_are_plain(api, name):
    """Letters, digits, dots and dashes; others are 404 and leave nothing behind."""
    assert (await api.call("GET", f"/ns/{name}/_emulator/info"))[0] == 404


async def test_a_state_file_has_every_namespace_that_may_have_changed(tmp_path, api_of):
    """Not only those with messages: by a request, here a TOTP binding of a user of the seeds, or by the program."""
    path, seeds = tmp_path / "state.json", {"users": [{"username": "ann", "password": "pw"}]}
    with Emulator(state_file=path, seeds=seeds) as first:
        api = api_of(first)
        api.url = f"{first.url}/ns/w1"
        token = (await api.login("ann", "pw"))["data"]["token"]
        secret = (await api.post("/api/v2/mfa/totp/associate", {}, token))["data"]["secret"]
        body = {"totp": first.totp_code(secret)}
        assert (await api.post("/api/v2/mfa/totp/associate/confirm", body, token))["code"] == 200
        first.namespace("w2").fix_code("a@example.com", "9999")
    with Emulator(state_file=path, seeds=seeds) as second:
        assert second.namespace("w1").user("ann").totp_secret == secret
        assert second.namespace("w2").send_code("a@example.com") == "9999"


@pytest.mark.parametrize("namespaces", [[], {"w1": 5}, {"w1": {}}, {"a/b": {}}, None])
def test_a_state_file_with_damaged_namespaces_is_named_and_kept(tmp_path, namespaces):
    """The same where only this part is damaged."""
    path = tmp_path / "state.json"
    with Emulator(state_file=path):
        pass
    content = json.dumps({**json.loads(path.read_bytes()), "namespaces": namespaces})
    path.write_text(content, "utf-8")
    with pytest.raises(ValueError, match=r"state file .*state\.json"):
        Emulator(state_file=path)
    assert path.read_text("utf-8") == content


# ─────────────────────────────── size ───────────────────────────────


async def test_users_are_found_by_index(emu, api):
    """A login, a check and a verification among many users look at one user, not at all of them."""
    for number in range(1000):
        emu.add_user(
            username=f"u{number}", password="pw", phone=f"139{number:08d}", email=f"u{number}@b.test", mfa=["SMS"]
        )

    class Counted(dict):
        """Fails when code reads all users."""

        def values(self):
            raise AssertionError("all users were looked at")

        __iter__ = items = values

    emu.state.users = Counted(emu.state.users)
    for account in ("u999", "13900000999", "u999@b.test"):
        token = (await api.login(account, "pw"))["data"]["mfaToken"]
    assert (await api.post("/api/v2/applications/mfa/check", {"phone": "13900000000"}, token))["data"] is False
    body = {"phone": "13900000999", "code": emu.send_code("13900000999")}
    assert (await api.post("/api/v2/applications/mfa/sms/verify", body, token))["data"]["username"] == "u999"


async def test_a_token_that_was_ended_stays_ended_in_a_state_file(tmp_path, api_of):
    """Who has logged out is not logged in again by a restart."""
    path = tmp_path / "state.json"
    with Emulator(state_file=path) as first:
        token = first.issue_user_token(first.add_user(username="ann", password="pw"))
        assert (await api_of(first).get("/api/v2/logout", token))["code"] == 200
    with Emulator(state_file=path) as second:
        assert (await api_of(second).get("/api/v2/users/me", token))["code"] != 200
