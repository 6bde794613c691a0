"""What a command does when nobody can read its output: the disk is full, a stream is closed, the reader is gone."""

import json
import os
import pty
import stat
import subprocess
import sys
from contextlib import suppress

import pytest


def run_to(cli, streams, *arguments, stdin=""):
    """Run the command with the redirections of a shell."""
    return subprocess.run(
        ["bash", "-c", f'"$0" -m authing_mfa "$@" {streams}', sys.executable, *arguments],
        input=stdin,
        env=cli.environ,
        capture_output=True,
        text=True,
        timeout=60,
    )


def verify_by_recovery_code(cli, emulator, streams):
    """The run, and the new recovery code."""
    user = emulator.add_user(totp=True)
    given = cli.with_env(AUTHING_PASSWORD=user["password"])
    arguments = ("mfa", user["username"], "--factor", "recovery", "--code-stdin", "--no-keep")
    done = run_to(given, streams, *arguments, stdin=user["recovery_code"] + "\n")
    new = emulator.admin("GET", f"users/{user['id']}")["recovery_code"]
    assert new != user["recovery_code"], "the old code is void"
    assert "Traceback" not in done.stderr
    return done, new


@pytest.mark.parametrize(
    ("streams", "code"),
    [(">/dev/full", 74), (">&-", 74), ("--json >/dev/full", 74), ("| true", 0), ("2>&1 >/dev/full | true", 0)],
)
def test_a_new_recovery_code_is_in_a_private_file(cli, emulator, streams, code):
    """It exists nowhere else. Of a pipe the shell tells the reader's exit code."""
    done, new = verify_by_recovery_code(cli, emulator, streams)
    (kept,) = cli.folder.glob("recovery-code-*.txt")
    assert kept.read_text() == f"{new}\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert done.returncode == code
    assert code == 0 or f"It is in {kept} " in done.stderr
    assert new not in done.stderr


def test_a_new_recovery_code_that_cannot_be_stored_either_is_told(cli, emulator):
    """Its folder cannot be made: stderr is the last place."""
    nowhere = cli.with_env(AUTHING_CONFIG_DIR="/proc/authing-mfa")
    done, new = verify_by_recovery_code(nowhere, emulator, ">/dev/full")
    assert done.returncode == 74
    assert f"could not be shown or stored: {new}\n" in done.stderr


def test_a_new_recovery_code_that_was_shown_is_in_no_file(cli, emulator):
    """Only stderr is lost."""
    done, new = verify_by_recovery_code(cli, emulator, "2>/dev/full")
    assert (done.returncode, new in done.stdout) == (0, True)
    assert list(cli.folder.glob("recovery-code-*.txt")) == []


def run_on_a_full_disk(cli, *arguments):
    """Run the command; it can write to pipes and terminals, but to no file."""
    shell = 'ulimit -f 0; exec "$0" -m authing_mfa "$@"'
    command = ["bash", "-c", shell, sys.executable, *arguments]
    return subprocess.run(command, env=cli.environ, capture_output=True, text=True, timeout=60)


def test_a_renewed_token_that_cannot_be_stored_is_printed(cli, emulator):
    """The old token may be void, so the new one must not be lost; and nothing says that it is stored."""
    user = emulator.add_user(mfa=[])
    cli.log_in(user)
    done = run_on_a_full_disk(cli, "refresh", "--json")
    data = json.loads(done.stdout)["data"]
    assert (done.returncode, data["stored"], "could not be stored" in done.stderr) == (0, False, True)
    assert user["username"] in cli.with_env(AUTHING_TOKEN=data["token"]).invoke("whoami").out


def test_a_setting_that_cannot_be_written_leaves_the_file_as_it_was(cli):
    """A sentence, and no other file."""
    cli.invoke("config", "set", "lang", "zh")
    before = (cli.folder / "config.toml").read_text()
    done = run_on_a_full_disk(cli, "config", "set", "app_id", "a")
    assert (done.returncode, "cannot be written" in done.stderr) == (2, True)
    assert [(path.name, path.read_text()) for path in cli.folder.iterdir()] == [("config.toml", before)]


def run_without_reader_of_stderr(cli, *arguments, stdin=""):
    """Run the command; the other end of the pipe that is its stderr is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "authing_mfa", *arguments]
    try:
        return subprocess.run(
            command, input=stdin, stdout=subprocess.PIPE, stderr=writing, text=True, env=cli.environ, timeout=60
        )
    finally:
        os.close(writing)


def test_a_login_whose_messages_nobody_reads_is_stored(cli, emulator):
    """Its code is spent; the token must not be lost for a sentence."""
    user = emulator.add_user(mfa=[])
    stdin = user["password"] + "\n"
    done = run_without_reader_of_stderr(cli, "login", user["username"], "--password-stdin", stdin=stdin)
    assert (done.returncode, user["username"] in done.stdout) == (0, True)
    assert cli.invoke("token", "--json").json["data"]["account"] == user["username"]


def test_a_batch_whose_messages_nobody_reads_is_done(cli, emulator, tmp_path):
    """Its outcomes go to a file."""
    user = emulator.add_user(totp=True)
    rows, out = tmp_path / "rows.csv", tmp_path / "out.jsonl"
    rows.write_text(f"kind,token,code\ntotp,{emulator.mfa_token_of(user)},{emulator.totp_of(user)}\n")
    done = run_without_reader_of_stderr(cli, "batch", str(rows), "--out", str(out))
    assert (done.returncode, '"ok"' in out.read_text()) == (0, True)


@pytest.mark.parametrize(
    "arguments", [("config", "list"), ("config", "list", "--json"), ("--help",), ("doctor", "--help")]
)
def test_a_full_disk_is_an_error_with_a_sentence(cli, arguments):
    """Exit code 74, no traceback, and nothing that Python says at its end."""
    done = run_to(cli, ">/dev/full", *arguments)
    assert (done.returncode, done.stderr) == (74, "The output cannot be written: No space left on device.\n")


def test_a_closed_output_is_an_error_only_if_there_is_something_to_write(cli):
    """`config set` prints nothing."""
    assert run_to(cli, ">&-", "config", "list").returncode == 74
    assert run_to(cli, ">&-", "config", "set", "lang", "en-US").returncode == 0


@pytest.fixture
def batch(cli, emulator, tmp_path):
    """Run a batch of one recovery code in its folder; the run, and whether the code was spent."""

    def run(streams, *more, **environ):
        user = emulator.add_user(totp=True)
        rows = tmp_path / "rows.csv"
        rows.write_text(f"kind,token,code\nrecovery,{emulator.mfa_token_of(user)},{user['recovery_code']}\n")
        given = cli.with_env(**environ)
        done = run_to(given, streams, "batch", str(rows), "--journal", str(tmp_path / "run.db"), *more)
        new = emulator.admin("GET", f"users/{user['id']}")["recovery_code"]
        assert "Traceback" not in done.stderr
        return done, new if new != user["recovery_code"] else None

    return run


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_batch_whose_standard_output_is_full_stops_and_says_what_it_did(batch, tmp_path, unbuffered):
    """Exit code 2 would say that nothing was sent."""
    done, new = batch(">/dev/full", PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 75
    assert "The results cannot be written to standard output: No space left on device." in done.stderr
    assert f"New recovery codes are in {tmp_path}/run.db.recovery-codes.jsonl" in done.stderr
    assert new in (tmp_path / "run.db.recovery-codes.jsonl").read_text()


def test_a_batch_whose_standard_output_is_closed_sends_nothing(batch):
    """It would have nowhere to write the outcomes, and the first connection would get the number of standard output."""
    done, new = batch(">&-")
    assert (done.returncode, new) == (2, None)
    assert "Standard output is closed" in done.stderr


def test_a_batch_with_a_file_needs_no_standard_stream(batch, tmp_path):
    """As a daemon may start it, with all three closed."""
    done, new = batch("<&- >&- 2>&-", "--out", str(tmp_path / "out.jsonl"))
    assert (done.returncode, new is None) == (0, False)
    assert new in (tmp_path / "out.jsonl").read_text()


@pytest.mark.parametrize(("streams", "code"), [("| true", 141), (">&-", 2)])
def test_at_a_terminal_a_lost_output_is_the_same(cli, tmp_path, streams, code):
    """The bar of the progress is drawn there: `authing-mfa batch ROWS | head` ends quietly, as it does without a terminal."""
    rows = tmp_path / "rows.csv"
    rows.write_text("kind,token,code\ntotp,t,123456\n")
    shell = f'"$0" -m authing_mfa batch "$1" {streams}; exit "${{PIPESTATUS[0]}}"'
    master, slave = pty.openpty()
    command = ["bash", "-c", shell, sys.executable, str(rows)]
    process = subprocess.Popen(command, env=cli.environ, stdin=subprocess.DEVNULL, stderr=slave)
    os.close(slave)
    text = b""
    with suppress(OSError):  # the end of a terminal
        while some := os.read(master, 65536):
            text += some
    os.close(master)
    assert (process.wait(60), b"Traceback" in text) == (code, False)


def test_a_lost_summary_does_not_hide_how_the_batch_ended(batch, tmp_path):
    """A supervisor decides by the exit code of the run."""
    done, new = batch(">/dev/full", "--json", "--out", str(tmp_path / "out.jsonl"))
    assert (done.returncode, new is None) == (0, False)
