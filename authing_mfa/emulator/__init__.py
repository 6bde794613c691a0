"""The service on your own machine, for tests and development: every MFA call, stateful, on 127.0.0.1.

::

    with Emulator() as emu:                       # or: async with
        user = emu.add_user(username="ann", password="secret", phone="13800138000", mfa=["SMS"])
        ...                                       # AuthClient(emu.app_id, base_url=emu.url, public_key=emu.public_key)
        emu.code_for("13800138000")

Map, from the ground up: `clock`, `totp`, `tokens`, `keys`, `qr`, `faces`, `wording` are the tools; `records` what is
remembered, `state` one namespace of it; `operations` the endpoints only served here; `call` a request as the rules see it;
`rules` what the service does, one rule per operation class; `routing` from path to operation; `service` one namespace with
its lock; `web` and `server` HTTP; `emulator` ties them together.
"""

from __future__ import annotations

from authing_mfa.emulator.emulator import Emulator
from authing_mfa.emulator.records import SentMessage
from authing_mfa.emulator.service import EmulatedUser
from authing_mfa.emulator.settings import Settings

__all__ = ["EmulatedUser", "Emulator", "SentMessage", "Settings"]
