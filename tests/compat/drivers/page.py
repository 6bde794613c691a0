"""Runs the Python blocks of a page one after the other, and says where a block does not print what it announces."""

import builtins
import io
import re
import sys
import time
from pathlib import Path

from PIL import Image

from authing_mfa.compat import Authing
from authing_mfa.compat.state import STATE

page = Path(sys.argv[1]).read_text("utf-8")
errors = []
printed = []
Authing.setErrorHandler(errors.append)
names = {"print": lambda *words: printed.append(" ".join(map(str, words)))}
picture = io.BytesIO()
Image.effect_noise((320, 320), 60).convert("RGB").save(picture, "JPEG")


def settle():
    """Wait for the calls of a block, and for those that their completions make."""
    end = time.monotonic() + 30
    while STATE._runner is not None and STATE._runner._calls:
        assert time.monotonic() < end, STATE._runner._calls
        time.sleep(0.005)


blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
for number, block in enumerate(blocks, 1):
    if "emulator" in names:
        Authing.setCurrentToken(names["emulator"].issue_mfa_token(names["user"]))
        names["photo"] = picture.getvalue()
    exec(compile(block, f"<block {number}>", "exec"), names)
    settle()
    announced = re.findall(r"^# prints: (.*)$", block, re.MULTILINE)
    if printed != announced or errors:
        builtins.print(f"block {number} printed {printed}, announced {announced}, errors {errors}")
    printed.clear()
    errors.clear()
names["emulator"].stop()
builtins.print("blocks", len(blocks))
