"""Runs the Python blocks of a page as a reader pastes them, one after the other in one script, and adds nothing to them.

Prints how many there are, and where a block does not print what it announces.
"""

import re
import subprocess
import sys
from pathlib import Path

page = Path(sys.argv[1]).read_text("utf-8")
blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
marks = [f'print("--- {number}", flush=True)\n' for number in range(len(blocks))]
script = "".join(mark + block + "\n" for mark, block in zip(marks, blocks, strict=True))
done = subprocess.run(
    [sys.executable, "-X", "dev", "-W", "error", "-c", script], capture_output=True, text=True, timeout=80
)
sys.stderr.write(done.stderr)
said = re.split(r"--- \d+\n", done.stdout)[1:]
for number, block in enumerate(blocks):
    announced = re.findall(r"^# prints: (.*)$", block, re.MULTILINE)
    printed = said[number].splitlines() if number < len(said) else ["nothing: it was not reached"]
    if printed != announced:
        print(f"block {number + 1} printed {printed}, announced {announced}")
print("blocks", len(blocks))
