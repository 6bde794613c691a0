"""A batch from file to file, for the extras that read or write a kind of file."""

import asyncio
import json
from pathlib import Path

from authing_mfa.batch.options import BatchOptions
from authing_mfa.batch.run_file import run_file
from authing_mfa.emulator import Emulator

HEADER = ("kind", "key", "token", "code")


def verify_file(name, write, out="results.jsonl", **options):
    """Write two rows to *name* with *write*, verify them, and check the output and what the emulator got."""
    with Emulator(clock=lambda: 1_800_000_000) as emu:  # however long it takes, the codes stay valid
        users = [emu.add_user(username=username, password="secret", totp=True) for username in ("ada", "bob")]
        rows = [("totp", user.username, emu.issue_mfa_token(user), user.totp_code) for user in users]
        write(name, rows)
        client = {"app_id": emu.app_id, "base_url": emu.url}
        summary = asyncio.run(run_file(BatchOptions(source=name, out=out, **options), client))
        assert (summary.exit_code, summary.stopped) == (0, None), summary
        emu.assert_verified_once()


def outcomes(out="results.jsonl"):
    """Key and status of each line of a JSON lines output."""
    lines = [json.loads(line) for line in Path(out).read_text("utf-8").splitlines()]
    return sorted((line["key"], line["status"]) for line in lines)


BOTH_OK = [("ada", "ok"), ("bob", "ok")]


def write_csv(name, rows):
    Path(name).write_text("\n".join(",".join(row) for row in [HEADER, *rows]) + "\n", "utf-8")
