"""`cli`: the demo, and a login at the emulator that the command line starts, with users from a YAML file."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = [str(Path(sys.executable).with_name("authing-mfa"))]
Path("seeds.yaml").write_text("users:\n  - {username: ada, password: secret}\n", "utf-8")
environ = os.environ | {"AUTHING_CONFIG_DIR": str(Path.cwd()), "AUTHING_PASSWORD": "secret"}


def run(*arguments):
    done = subprocess.run([*PROGRAM, *arguments], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


assert len(run("demo").splitlines()) == 30
login = run("emulator", "exec", "--seed-file", "seeds.yaml", "--", *PROGRAM, "login", "ada", "--json")
assert '"username": "ada"' in login, login
