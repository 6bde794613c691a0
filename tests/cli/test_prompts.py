"""Where the values come from that a command asks for: standard input, the environment, the terminal."""

import os
import subprocess
import sys

import pytest

STDIN = ("login", "ada", "--password-stdin")


def login_with(cli, content, **options):
    """Log in with a password from standard input, in a separate process."""
    command = [sys.executable, "-m", "authing_mfa", *STDIN]
    done = subprocess.run(command, capture_output=True, env=cli.environ, timeout=60, input=content, **options)
    return done.returncode, done.stderr.decode()


def test_standard_input_that_is_no_text_is_a_usage_error(bare):
    """A file in another encoding: a sentence, and no byte of it."""
    code, err = login_with(bare.with_env(AUTHING_APP_ID="a", PYTHONIOENCODING="utf-8:strict"), b"\xc3\xdc\xc2\xeb\n")
    assert (code, "Traceback" in err) == (2, False)
    assert "Password cannot be read" in err


def test_a_byte_order_mark_is_no_part_of_a_password(cli, emulator):
    """Editors of Windows write one at the beginning of a file."""
    user = emulator.add_user(mfa=[])
    content = f"\ufeff{user['password']}\r\n".encode()
    command = [sys.executable, "-m", "authing_mfa", "login", user["username"], "--password-stdin"]
    assert subprocess.run(command, capture_output=True, env=cli.environ, timeout=60, input=content).returncode == 0


def test_standard_input_that_cannot_be_read_is_a_usage_error(bare):
    """A service manager opened it for writing only."""
    writing = os.open(os.devnull, os.O_WRONLY)
    try:
        code, err = login_with(bare.with_env(AUTHING_APP_ID="a"), None, stdin=writing)
    finally:
        os.close(writing)
    assert (code, "Traceback" in err) == (2, False)
    assert "Password cannot be read" in err


def test_what_is_typed_that_is_no_text_is_a_usage_error(cli):
    """The terminal has another encoding than the locale; asked with and without echo."""
    for arguments in (("login",), ("login", "ada")):
        terminal = cli.with_env(PYTHONIOENCODING="utf-8:strict").terminal(*arguments)
        terminal.expect(": ")
        os.write(terminal.master, b"\xc3\xdc\xc2\xeb\n")
        assert terminal.end() == 2
        assert "Traceback" not in terminal.text


@pytest.mark.parametrize("way", ["stdin", "environment", "terminal"])
def test_spaces_at_the_ends_of_a_password_are_a_part_of_it(way, cli, emulator):
    """The service compares the password as the user chose it. Only the end of the line goes, in the form of each system."""
    user = emulator.add_user(mfa=[], password="  two spaces ")
    login = ("login", user["username"])
    if way == "stdin":
        assert cli.run(*login, "--password-stdin", stdin=user["password"] + "\r\n").code == 0
    elif way == "environment":
        assert cli.with_env(AUTHING_PASSWORD=user["password"] + "\n").invoke(*login).code == 0
    else:
        terminal = cli.terminal(*login)
        terminal.expect("Password: ")
        terminal.type(user["password"])
        assert terminal.end() == 0


def test_a_new_password_is_set_as_it_was_given(cli, emulator):
    """Otherwise the user could not log in with it anywhere else."""
    user = emulator.add_user(mfa=[], password_change=1639)
    given = cli.with_env(AUTHING_PASSWORD=user["password"], AUTHING_NEW_PASSWORD=" correct Horse 2 ")
    assert given.invoke("login", user["username"]).code == 0
    assert cli.with_env(AUTHING_PASSWORD=" correct Horse 2 ").invoke("login", user["username"]).code == 0
    assert cli.with_env(AUTHING_PASSWORD="correct Horse 2").invoke("login", user["username"]).code == 1
