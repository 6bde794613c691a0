"""`heic`: an iPhone's photo is uploaded as a JPEG."""

import io

from PIL import Image
from pillow_heif import from_pillow

from authing_mfa.emulator import Emulator
from authing_mfa.images import prepare
from authing_mfa.sync import AuthClient

file = io.BytesIO()
from_pillow(Image.new("RGB", (64, 64), "red")).save(file)
assert Image.open(io.BytesIO(prepare(file.getvalue()))).format == "JPEG"
with Emulator() as emu, AuthClient(emu.app_id, base_url=emu.url) as client:
    assert client.upload_face_image(file.getvalue())
