"""Ctrl-C and SIGTERM: every command ends at once and in order, with the code that a shell expects."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.conftest import PATIENCE


def test_130_ctrl_c_at_a_prompt(cli, emulator):
    """Ctrl-C while a code is asked for."""
    cli.log_in(emulator.add_user(totp=True))
    terminal = cli.terminal("verify", "totp")
    terminal.expect("Code:")
    assert terminal.interrupt() == 130
    assert "Traceback" not in terminal.text


def test_130_ctrl_c_during_a_call(cli, emulator):
    """Ctrl-C while the service takes its time."""
    user = emulator.add_user(totp=True)
    cli.log_in(user)
    emulator.fault(path="mfa_verify_by_totp", user=user["username"], latency=20, count=1)
    terminal = cli.with_env(AUTHING_CODE="000000").terminal("verify", "totp")
    emulator_waits_for_call(emulator, user)
    assert terminal.interrupt() == 130
    assert "Traceback" not in terminal.text


@pytest.mark.parametrize("command", [("verify", "recovery"), ("mfa", "--factor", "recovery")], ids=["verify", "mfa"])
def test_130_ctrl_c_while_a_recovery_code_is_spent_keeps_the_new_one(cli, emulator, command):
    """The service has taken the old one."""
    user = emulator.add_user(totp=True)
    if command[0] == "verify":
        cli.log_in(user)
    else:
        command = (*command, user["username"])
    emulator.fault(path="mfa_verify_by_recovery_code", user=user["username"], latency=6, count=1)
    given = cli.with_env(AUTHING_CODE=user["recovery_code"], AUTHING_PASSWORD=user["password"])
    terminal = given.terminal(*command)
    emulator_waits_for_call(emulator, user)
    terminal.press_ctrl_c()
    terminal.expect("Waiting for the new recovery code.")
    assert terminal.end() == 130
    (kept,) = cli.folder.glob("recovery-code-*.txt")
    new = emulator.admin("GET", f"users/{user['id']}")["recovery_code"]
    assert kept.read_text() == f"{new}\n" != f"{user['recovery_code']}\n"
    assert str(kept) in "".join(terminal.text.split())
    assert "Traceback" not in terminal.text


def test_130_a_second_ctrl_c_does_not_wait_for_the_new_recovery_code(cli, emulator):
    """The user decides."""
    user = emulator.add_user(totp=True)
    cli.log_in(user)
    emulator.fault(path="mfa_verify_by_recovery_code", user=user["username"], latency=60, count=1)
    terminal = cli.with_env(AUTHING_CODE=user["recovery_code"]).terminal("verify", "recovery")
    emulator_waits_for_call(emulator, user)
    terminal.press_ctrl_c()
    terminal.expect("Ctrl-C again ends")
    assert terminal.interrupt() == 130
    assert "Traceback" not in terminal.text
    assert "a code may be spent" in terminal.text


def test_130_ctrl_c_while_the_program_is_still_loading(bare, tmp_path):
    """The signal comes while Python imports click; that takes long on a cold disk."""
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    command = [sys.executable, "-m", "authing_mfa", "--version"]
    environ = {**bare.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_130_for_the_emulator(bare):
    """Ctrl-C is how an emulator is ended, and it says so by its code."""
    terminal = bare.terminal("emulator", "--port", "0")
    terminal.expect("Ctrl-C ends it.")
    assert terminal.interrupt() == 130


IN_EVERY_WAIT = """
import os, signal, sys, threading
release = threading.Condition._release_save

def released(condition):
    saved = release(condition)
    if threading.current_thread() is threading.main_thread():
        os.kill(os.getpid(), signal.SIGINT)
    return saved

threading.Condition._release_save = released
wait = threading.Event.wait

def waited(event, timeout=None):
    if event.is_set() and threading.current_thread() is threading.main_thread():
        os.kill(os.getpid(), signal.SIGINT)  # the other thread was faster: there is no wait to interrupt
    return wait(event, timeout)

threading.Event.wait = waited
sys.argv = ["authing-mfa", "emulator", "--port", "0"]
from authing_mfa.__main__ import main
main()
"""


def test_130_for_the_emulator_at_any_moment(bare):
    """Also where Ctrl-C comes while a lock of Python's own is open, which a KeyboardInterrupt would break."""
    done = subprocess.run(
        [sys.executable, "-c", IN_EVERY_WAIT], env=bare.environ, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, "Traceback" in done.stderr) == (130, False), done.stderr


IN_A_RESPONSE = """
import http.client, os, signal, sys
make = http.client.HTTPResponse.__init__

def made(response, *arguments, **options):
    os.kill(os.getpid(), signal.SIGINT)
    make(response, *arguments, **options)

http.client.HTTPResponse.__init__ = made
sys.argv = ["authing-mfa", "emulator", "inbox", *sys.argv[1:]]
from authing_mfa.__main__ import main
main()
"""


@pytest.mark.parametrize("option", ["--follow", "--wait=30"])
def test_130_for_the_inbox_also_inside_a_response(option, cli):
    """Python would print "Exception ignored" for a response of http.client that a KeyboardInterrupt left half made."""
    command = [sys.executable, "-c", IN_A_RESPONSE, option, "--to", "nobody"]
    done = subprocess.run(command, env=cli.environ, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, "\nInterrupted.\n")


def test_sigterm_ends_the_emulator_in_order(bare):
    """SIGTERM is the other way: exit code 0."""
    terminal = bare.terminal("emulator", "--port", "0")
    terminal.expect("Ctrl-C ends it.")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == 0


def emulator_waits_for_call(emulator, user):
    """Wait until the fault of *user* has fired: then the call is in flight."""
    for _ in range(600):
        if any(rule.get("user") == user["username"] and rule["fired"] for rule in faults(emulator)):
            return
        signal.sigtimedwait([], 0.05)
    raise AssertionError("the call did not come")


def faults(emulator):
    found = emulator.admin("GET", "faults")
    return found if isinstance(found, list) else found["faults"]


IN_ANOTHER_THREAD = """
import signal, sys, threading, time
threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
sys.argv[0] = "authing-mfa"
from authing_mfa.__main__ import main
main()
"""
UNTIL_SIGTERM = "import signal; signal.pthread_sigmask(signal.SIG_SETMASK, ()); print('begun', flush=True); signal.sigtimedwait((), 60)"


@pytest.mark.parametrize(
    ("arguments", "begun", "number", "code"),
    [
        (("emulator", "--port", "0"), "AUTHING_PUBLIC_KEY", signal.SIGTERM, 0),
        (("emulator", "--port", "0"), "AUTHING_PUBLIC_KEY", signal.SIGINT, 130),
        (
            ("emulator", "exec", "--", sys.executable, "-c", UNTIL_SIGTERM),
            "begun",
            signal.SIGTERM,
            128 + signal.SIGTERM,
        ),
    ],
)
def test_a_signal_that_does_not_interrupt_the_main_thread_counts(bare, arguments, begun, number, code):
    """A signal just before Python blocks leaves the main thread in its wait; so does one that goes to another thread, as here."""
    command = [sys.executable, "-c", IN_ANOTHER_THREAD, *arguments]
    with subprocess.Popen(
        command, env=bare.environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert any(begun in line for line in process.stdout)
            process.send_signal(number)
            assert process.wait(PATIENCE) == code
        finally:
            process.kill()


def open_files(pid):
    """Return the files that a process has open; it may close one of them during the look."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            yield descriptor.readlink()


def wait_until_open(path, pid):
    """Wait until the process has opened the file."""
    end = time.monotonic() + PATIENCE
    while path not in open_files(pid):
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("more", [(), ("--processes", "2", "--journal", "run.db"), ("--dry-run",)])
def test_ctrl_c_does_not_wait_for_the_end_of_a_large_file(cli, tmp_path, monkeypatch, more):
    """While the file is read through before the first row: 130, and no file is made. A terabyte would take many minutes."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "rows.csv"
    with path.open("wb") as file:
        file.truncate(2**40)
    before = set(tmp_path.rglob("*"))
    terminal = cli.terminal("batch", str(path), *(() if more == ("--dry-run",) else ("--out", "out.jsonl")), *more)
    wait_until_open(path, terminal.process.pid)
    terminal.press_ctrl_c()
    assert terminal.end() == 130
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("more", [("--out", "out.jsonl"), ("--dry-run",)])
def test_ctrl_c_ends_a_run_that_waits_for_input(cli, tmp_path, monkeypatch, more):
    """130, though the read from the terminal goes on for ever."""
    monkeypatch.chdir(tmp_path)
    terminal = cli.terminal("batch", "-", *more)
    terminal.type("kind,phone")
    terminal.type("nonsense,1")
    terminal.expect("Row 1: ")
    terminal.press_ctrl_c()
    assert (terminal.end(), "Fatal" in terminal.text) == (130, False)
