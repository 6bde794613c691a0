"""An emulator of the service for tests and development: every MFA call, with state, on 127.0.0.1.

::

    with Emulator() as emu:                       # or: async with
        user = emu.add_user(username="ann", password="secret", phone="13800138000", mfa=["SMS"])
        ...                                       # AuthClient(emu.app_id, base_url=emu.url, public_key=emu.public_key)
        emu.code_for("13800138000")

The admin API is described in `http.admin`, faults in `state.fault_rules`, seed files in `seeding`, `serve` in `serving`.

Folders, from the ground up (import-linter keeps the order):

- `crypto`: TOTP, tokens, the key for passwords, face comparison, QR pictures.
- `state`: users, codes, photos and messages; clock, settings, faults, request log, events.
- `user`, `snapshots`, `seeding`: the user object for tests; the whole state as JSON; seed files.
- `namespace`: one state behind a lock, with the calls that a test makes on it.
- `rules`: the behaviour of the service, one function for each operation class.
- `http`: the server, the routing to the rules, the admin API, the page.
- `emulator`, `serving`, `pytest_plugin`: start and stop everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authing_mfa._lazy import lazy

if TYPE_CHECKING:
    from authing_mfa.emulator.emulator import Emulator
    from authing_mfa.emulator.namespace import Namespace
    from authing_mfa.emulator.seeding import write_starter
    from authing_mfa.emulator.serving import serve
    from authing_mfa.emulator.state.fault_rules import FaultRule
    from authing_mfa.emulator.state.records import SentMessage
    from authing_mfa.emulator.state.request_log import RecordedRequest
    from authing_mfa.emulator.state.settings import Settings
    from authing_mfa.emulator.user import EmulatedUser

__all__ = [
    "EmulatedUser",
    "Emulator",
    "FaultRule",
    "Namespace",
    "RecordedRequest",
    "SentMessage",
    "Settings",
    "serve",
    "write_starter",
]

if not TYPE_CHECKING:  # a type checker knows the names from above, and refuses others
    __getattr__, __dir__ = lazy(
        globals(),
        (
            "emulator",
            "namespace",
            "seeding",
            "serving",
            "state.fault_rules",
            "state.records",
            "state.request_log",
            "state.settings",
            "user",
        ),
    )
