"""Run by .ci/check-wheel with the installed wheel alone: the package is whole, typed, and works without any extra."""

import asyncio
import importlib.metadata
import importlib.resources
import subprocess
import sys
from pathlib import Path

import authing_mfa
from authing_mfa import AuthClient, MfaRequiredError
from authing_mfa.emulator import Emulator


def check(condition: object, what: str) -> None:
    if not condition:
        sys.exit(f"the wheel is broken: {what}")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False)


async def journey() -> None:
    async with Emulator() as emu:
        user = emu.add_user(username="ada", password="secret", mfa=["OTP"], totp=True)
        async with AuthClient(emu.app_id, base_url=emu.url, public_key=emu.public_key) as client:
            try:
                await client.login_by_account("ada", "secret")
            except MfaRequiredError as error:
                fresh = await client.as_user(error.challenge.token).mfa_verify_by_recovery_code(
                    user.recovery_code or ""
                )
                check(fresh.recovery_code == user.recovery_code, "the new recovery code does not arrive")
            else:
                check(False, "no second factor was asked for")


package = Path(authing_mfa.__file__).parent
check("site-packages" in package.parts, f"it was imported from {package}")
check(importlib.metadata.version("authing-mfa") == authing_mfa.__version__, "two versions")
check((package / "py.typed").is_file(), "py.typed is missing")
page = importlib.resources.files("authing_mfa.emulator") / "page" / "index.html"
check(page.is_file(), "the inbox page is missing")
asyncio.run(journey())
demo = run("-m", "authing_mfa.demo")
check(demo.returncode == 0, f"the demo fails:\n{demo.stdout}\n{demo.stderr}")
bare = run("-m", "authing_mfa", "--help")
check(
    bare.returncode == 2 and "authing-mfa[cli]" in bare.stderr,
    "without its extra the command line does not say what to install",
)
print("The wheel works.")
