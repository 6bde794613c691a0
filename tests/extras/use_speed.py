"""`speed`: answers are read with orjson, and the loop of the synchronous client is uvloop's."""

import asyncio

import orjson
import uvloop
from login import log_in

from authing_mfa.emulator import Emulator
from authing_mfa.sync import AuthClient

read, loops = [], []
loads = orjson.loads
orjson.loads = lambda body: read.append(body) or loads(body)
asyncio.run(log_in())
assert read

with Emulator() as emu:
    token = emu.issue_user_token(emu.add_user(username="ada", password="secret"))

    def note_loop(_record):
        loops.append(asyncio.get_running_loop())

    with AuthClient(emu.app_id, base_url=emu.url, token=token, on_call=note_loop) as client:
        assert client.get_current_user().username == "ada"
assert [isinstance(loop, uvloop.Loop) for loop in loops] == [True]
