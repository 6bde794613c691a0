"""Whatever the emulator accepts, its next start can read the state file; if it could not, the old file stays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from authing_mfa.emulator import Emulator
from tests.emulator.conftest import START

HALF = "\ud800"
HUGE = 2**70


def nested(levels: int) -> dict[str, Any]:
    """Custom fields that nest *levels* deep."""
    value: Any = "end"
    for _ in range(levels):
        value = {"in": value}
    return {"in": value}


def with_user(**fields: Any) -> Any:
    """Return what adds a user with these fields."""
    return lambda emu: emu.add_user(**{"username": "ann", "password": "pw", **fields})


ACCEPTED_OR_NOT = {
    "a lock without an end": lambda emu: emu.lock_user(emu.user("bob"), float("inf")),
    "a lock that is no number": lambda emu: emu.lock_user(emu.user("bob"), float("nan")),
    "a lock beyond the calendar": lambda emu: emu.lock_user(emu.user("bob"), 1e12),
    "a lock of a text": lambda emu: emu.lock_user(emu.user("bob"), "60"),
    "a lock that has ended": lambda emu: emu.lock_user(emu.user("bob"), -1),
    "a seed of 70 bits": lambda emu: emu.faults.add(probability=0.5, seed=HUGE, status=503),
    "a code of 70 bits": lambda emu: emu.faults.add(code=HUGE),
    "half of a pair in a rule's path": lambda emu: emu.faults.add(f"/{HALF}", code=500),
    "half of a pair in a rule's user": lambda emu: emu.faults.add(user=HALF, code=500),
    "half of a pair in a rule's message": lambda emu: emu.faults.add(code=500, message=HALF),
    "half of a pair as a recipient": lambda emu: emu.send_code(f"1{HALF}"),
    "half of a pair as a scene": lambda emu: emu.send_code("138", scene=HALF),
    "half of a pair as a fixed code": lambda emu: emu.fix_code("138", HALF),
    "half of a pair as a recipient of a fixed code": lambda emu: emu.fix_code(f"{HALF}@b.test", "1"),
    "half of a pair as a new nickname": lambda emu: emu.update_user(emu.user("bob"), nickname=HALF),
    "custom fields 97 levels deep": with_user(custom=nested(97)),
    "custom fields 90 levels deep": with_user(custom=nested(88)),
    "custom fields with a number of 70 bits": with_user(custom={"n": HUGE}),
    "custom fields with a number of 400 digits": with_user(custom={"n": [10**400]}),
    "custom fields with a number of 5,000 digits": with_user(custom={"n": 10**5000}),
    "new custom fields 97 levels deep": lambda emu: emu.update_user(emu.user("bob"), custom=nested(97)),
    **{
        f"half of a pair as {name}": with_user(**{name: value})
        for name, value in {
            "username": HALF,
            "password": HALF,
            "nickname": HALF,
            "phone": f"1{HALF}",
            "email": f"a@{HALF}.test",
            "phone_country_code": HALF,
            "recovery_code": HALF,
        }.items()
    },
}


@pytest.mark.parametrize("namespace", ["default", "w1"])
@pytest.mark.parametrize("name", ACCEPTED_OR_NOT)
def test_what_is_accepted_can_be_read_again(tmp_path, name, namespace):
    """Refused with a ValueError, or in the state of the next start, in the default namespace and in another one."""
    path = tmp_path / "state.json"
    with Emulator(state_file=path) as first:
        emu = first.namespace(namespace)
        emu.add_user(username="bob", password="pw", phone="139")
        before = emu.snapshot()
        try:
            ACCEPTED_OR_NOT[name](emu)
        except ValueError:
            assert {**emu.snapshot(), "random": None} == {**before, "random": None}
        kept = emu.snapshot()
    with Emulator(state_file=path) as second:
        assert second.namespace(namespace).snapshot() == kept


@pytest.mark.parametrize("levels", [88, 97])
async def test_a_snapshot_of_its_own_is_taken_back_over_http(emu, api, levels):
    """With custom fields as deep as they can be; deeper ones are refused."""
    body = {"username": "ann", "password": "pw", "custom": nested(levels)}
    status, _ = await api.call("POST", "/_emulator/users", body)
    assert status == (201 if levels == 88 else 400)
    snapshot = await api.get("/_emulator/snapshot")
    assert await api.call("PUT", "/_emulator/snapshot", snapshot) == (200, {"restored": True})


def test_a_state_that_could_not_be_read_again_does_not_replace_the_file(tmp_path):
    """Here the clock leaves the calendar. The old state starts again, and nothing is left beside its file."""
    path, now = tmp_path / "state.json", [START]
    with Emulator(state_file=path, clock=lambda: now[0]) as first:
        first.add_user(username="ann", password="pw")
    old = path.read_bytes()
    emulator = Emulator(state_file=path, clock=lambda: now[0]).start()
    now[0] = START * 1000
    emulator.add_user(username="bob", password="pw")
    with pytest.raises(OSError, match=r"state file.*the old one stays.*state\.json"):
        emulator.stop()
    assert path.read_bytes() == old
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]
    with Emulator(state_file=path) as again:
        assert again.user("ann")


def test_a_snapshot_that_could_not_be_read_again_does_not_replace_the_file(tmp_path):
    """The same for `save`."""
    path = tmp_path / "before.json"
    emu = Emulator()
    emu.save(path)
    old = path.read_bytes()
    emu.add_user(username="ann", password="pw").record.locked_until = float("inf")
    with pytest.raises(OSError, match="could not be read again"):
        emu.save(path)
    assert path.read_bytes() == old


def test_texts_full_of_brackets_are_no_parts(tmp_path):
    """Twenty thousand messages with a scene of 320 brackets are one state that starts again."""
    path = tmp_path / "state.json"
    with Emulator(state_file=path) as first:
        for number in range(20_000):
            first.send_code(f"{number}", scene="[" * 320)
    with Emulator(state_file=path) as second:
        assert len(second.outbox) == 20_000


def test_a_lock_of_seconds_is_taken(emu):
    """Fractions too, and thirty years."""
    bob = emu.add_user(username="bob", password="pw")
    for seconds in (0.5, 60, 1e9):
        emu.lock_user(bob, seconds)
        emu.clock.advance(seconds - 0.25)
        assert bob.locked
        emu.clock.advance(0.25)
        assert not bob.locked
    assert json.dumps(emu.snapshot(), allow_nan=False)
