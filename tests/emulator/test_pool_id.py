"""The id of the user pool belongs to the emulator: a snapshot lends it, a reset and a new start give it back."""

from __future__ import annotations

from authing_mfa.emulator import Emulator


def test_reset_brings_the_own_pool_id_back():
    """A snapshot of another emulator brings its pool id, and the reset takes it away; a namespace that is made later has the own id."""
    with Emulator(user_pool_id="mine") as emu, Emulator(user_pool_id="theirs") as other:
        for space, foreign in ((emu, other), (emu.namespace("w"), other.namespace("w"))):
            space.restore(foreign.snapshot())
            assert space.user_pool_id == "theirs"
        assert emu.namespace("later").user_pool_id == "mine"
        for space in (emu, emu.namespace("w")):
            space.reset()
            assert space.user_pool_id == "mine"


def test_new_pool_id_holds_for_the_namespaces_of_a_state_file(tmp_path):
    """All of them serve the chosen id, not only the default one, also after a reset; without a choice the id of the file."""
    path = tmp_path / "state.json"
    with Emulator(user_pool_id="old", state_file=path) as emu:
        emu.namespace("w").add_user(username="ann", password="pw")
    for chosen in ({"user_pool_id": "new"}, {}):
        with Emulator(state_file=path, **chosen) as emu:
            assert emu.namespace("w").user("ann")
            assert (emu.user_pool_id, emu.namespace("w").user_pool_id) == ("new", "new")
    with Emulator(state_file=path) as emu:
        emu.namespace("w").reset()
        assert emu.namespace("w").user_pool_id == "new"
