"""Systems whose `os` has fewer names, as Windows."""

from __future__ import annotations

import os

import pytest

from authing_mfa.batch import VerifyRequest
from authing_mfa.batch.files import results
from authing_mfa.batch.journal import recovery_codes
from authing_mfa.batch.run_file import run_file
from tests.batch.conftest import FakeClient
from tests.batch.test_engine import collect
from tests.batch.test_files import records


@pytest.fixture
def without_posix(monkeypatch):
    """The names of `os` that Windows does not have (all of them: Python 3.11)."""
    names = (
        "O_CLOEXEC",
        "O_NONBLOCK",
        "O_NOCTTY",
        "pread",
        "pwrite",
        "fchmod",
        "set_blocking",
        "geteuid",
        "getuid",
        "uname",
    )
    for name in names:
        monkeypatch.delattr(os, name)
    for name in ("_NONBLOCK", "_NOCTTY"):
        monkeypatch.setattr(results, name, 0, raising=False)


@pytest.mark.parametrize("out", ["out.jsonl", "out.csv", os.devnull])
@pytest.mark.usefixtures("without_posix")
async def test_a_run_of_files_needs_no_name_that_windows_lacks(make_job, emulator, tmp_path, out):
    """With a journal, and an output that is a file or a device."""
    client_options = {"app_id": emulator.app_id, "base_url": emulator.url}
    options, tokens = make_job(3, out=str(tmp_path / out))  # of an absolute path, the path
    summary = await run_file(options, client_options)
    assert (summary.statuses, summary.exit_code) == ({"ok": 3}, 0)
    emulator.assert_verified_once(tokens)
    if out == "out.jsonl":
        assert len(records(tmp_path / out)) == 3


@pytest.mark.usefixtures("without_posix")
async def test_recovery_codes_need_no_name_that_windows_lacks(tmp_path):
    """They are appended to what is there, behind a line that was cut off."""
    (tmp_path / "codes").write_bytes(b'{"run": "ru')
    rows = [VerifyRequest.recovery("old", token="t", key="k")]
    for _ in range(2):
        await collect(FakeClient(), rows, recovery_file=tmp_path / "codes")
    assert len((tmp_path / "codes").read_bytes().splitlines()) == 3


async def test_recovery_codes_are_written_as_bytes(tmp_path, monkeypatch):
    """Windows opens a file as text, and would change line ends, unless told otherwise."""
    opened, real = [], os.open
    monkeypatch.setattr(recovery_codes, "_BINARY", 1 << 30, raising=False)

    def note(path, flags, *args, **kwargs):
        if str(path).endswith("codes"):
            opened.append(flags)
            flags &= ~(1 << 30)
        return real(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", note)
    await collect(FakeClient(), [VerifyRequest.recovery("old", token="t", key="k")], recovery_file=tmp_path / "codes")
    assert [flags >> 30 for flags in opened] == [1]
