"""`emulator`: HTTPS with its certificate authority, users from a YAML file, QR pictures."""

import asyncio
from pathlib import Path

from login import log_in

from authing_mfa.emulator import Emulator
from authing_mfa.sync import AuthClient

asyncio.run(log_in(tls=True))
Path("seeds.yaml").write_text("users:\n  - {username: ada, password: secret}\n", "utf-8")
with Emulator(seed_file="seeds.yaml") as emu, AuthClient(emu.app_id, base_url=emu.url) as client:
    enrollment = client.as_user(emu.issue_user_token(emu.user("ada"))).mfa_associate_by_totp()
    assert enrollment.qr_png.startswith(b"\x89PNG")
