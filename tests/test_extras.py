"""Each extra installs alone into a new environment and does what it is for; the core works without any."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]

LOGIN = """
import asyncio
from authing_mfa import AuthClient, MfaRequiredError
from authing_mfa.emulator import Emulator

async def main(**options):
    async with Emulator(**options) as emu:
        ada = emu.add_user(username="ada", password="secret", mfa=["OTP"], totp=True)
        more = {"ssl_context": emu.client_ssl_context()} if options else {}
        async with AuthClient(emu.app_id, base_url=emu.url, public_key=emu.public_key, **more) as client:
            try:
                await client.login_by_account("ada", "secret")
            except MfaRequiredError as error:
                user = await client.as_user(error.challenge.token).mfa_verify_by_totp(ada.totp_code)
    assert user.username == "ada"
"""
BATCH = """
import asyncio, sys
from authing_mfa import AuthClient
from authing_mfa.batch import VerifyRequest, verify_many
from authing_mfa.emulator import Emulator

async def main():
    async with Emulator() as emu, AuthClient(emu.app_id, base_url=emu.url) as client:
        ada = emu.add_user(username="ada", password="secret", totp=True)
        rows = [VerifyRequest.totp(ada.totp_code, token=emu.issue_mfa_token(ada), key="ada")]
        for again in range(2):
            assert [outcome.ok async for outcome in verify_many(client, rows, journal="run.db")] == [True]
        emu.assert_verified_once()
asyncio.run(main())
"""
PROGRAMS = {
    "": LOGIN + "asyncio.run(main())",
    "speed": LOGIN + "import orjson\nasyncio.run(main())",
    "cli": "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'authing_mfa', 'demo'], check=True)",
    "emulator": LOGIN + "asyncio.run(main(tls=True))",
    "batch": BATCH,
    "postgresql": BATCH + "import asyncpg",
    "parquet": "import pyarrow.parquet\nfrom authing_mfa.batch.files.input import *\n" + LOGIN + "asyncio.run(main())",
    "excel": LOGIN + "import openpyxl\nasyncio.run(main())",
    "zstd": LOGIN + "import zstandard\nasyncio.run(main())",
    "dask": BATCH + "import distributed, authing_mfa.batch.dask.driver",
    "heic": """
import io
from PIL import Image
import pillow_heif
from authing_mfa.images import prepare
pillow_heif.register_heif_opener()
file = io.BytesIO()
Image.new("RGB", (64, 64), "red").save(file, "HEIF")
assert Image.open(io.BytesIO(prepare(file.getvalue()))).format == "JPEG"
""",
    "otel": LOGIN + "import authing_mfa.otel\nasyncio.run(main())",
    "all": BATCH + "import orjson, click, pyarrow, distributed, asyncpg, opentelemetry",
}


def test_every_extra_has_its_program():
    """A new extra needs a program that shows what it is for."""
    assert set(PROGRAMS) - {""} == set(EXTRAS)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel, built once."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT], check=True, capture_output=True
    )
    [path] = folder.glob("*.whl")
    return path


@pytest.mark.soak
@pytest.mark.parametrize("extra", PROGRAMS)
def test_an_extra_works_alone_in_a_clean_environment(extra, wheel, tmp_path):
    """pip install authing-mfa[extra] into nothing, then the extra's program, warnings being errors."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    target = f"authing-mfa[{extra}] @ {wheel.as_uri()}" if extra else str(wheel)
    subprocess.run([python, "-m", "pip", "install", "--quiet", target], check=True, timeout=600)
    program = tmp_path / "program.py"
    program.write_text(PROGRAMS[extra], "utf-8")
    done = subprocess.run([python, "-W", "error", program], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
