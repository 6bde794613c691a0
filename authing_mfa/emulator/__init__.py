"""The service on your own machine, for tests and development: every MFA call, stateful, on 127.0.0.1.

::

    with Emulator() as emu:                       # or: async with
        user = emu.add_user(username="ann", password="secret", phone="13800138000", mfa=["SMS"])
        ...                                       # AuthClient(emu.app_id, base_url=emu.url, public_key=emu.public_key)
        emu.code_for("13800138000")

The admin API is described in `admin`, faults in `faults`, seed files in `seeding`, `serve` in `serving`.

Map, from the ground up: `clock`, `totp`, `tokens`, `keys`, `qr`, `faces`, `wording` are the tools; `records` what is
remembered, `state` one namespace of it, `settings` what can be tuned; `operations` the endpoints only served here; `call` a
request as the rules see it; `rules` what the service does, one rule per operation class; `routing` from path to operation;
`faults`, `journal`, `events`, `snapshots`, `seeding` what tests do with it; `views` shows a user, `service` is one namespace with its lock; `exchange`
a request of the service's API from end to end, `admin` (with `asking`, `admin_messages`, `admin_users`), `pages` and `guard` the rest of HTTP, `server` and `tls` the socket;
`emulator` ties them together, `serving` and `pytest_plugin` start it.
"""

from __future__ import annotations

from authing_mfa.emulator.emulator import Emulator
from authing_mfa.emulator.namespace import Service
from authing_mfa.emulator.seeding import write_starter
from authing_mfa.emulator.serving import serve
from authing_mfa.emulator.state.faults import FaultRule
from authing_mfa.emulator.state.records import SentMessage
from authing_mfa.emulator.state.request_log import RecordedRequest
from authing_mfa.emulator.state.settings import Settings
from authing_mfa.emulator.user import EmulatedUser

__all__ = [
    "EmulatedUser",
    "Emulator",
    "FaultRule",
    "RecordedRequest",
    "SentMessage",
    "Service",
    "Settings",
    "serve",
    "write_starter",
]
