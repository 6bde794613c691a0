"""The place of a stored login: the keyring, else a file of mode 0600; and which token is used when there are several."""

import json
import stat
import textwrap

import pytest

from authing_mfa._jwt import time_claim
from authing_mfa.cli.tokens import Login

KEYRING = """
    import json, os, pathlib
    from keyring.backend import KeyringBackend

    class Keyring(KeyringBackend):
        priority = 5
        path = pathlib.Path(os.environ["TEST_KEYRING"])

        def _all(self):
            return json.loads(self.path.read_text()) if self.path.exists() else {}

        def get_password(self, service, username):
            if os.environ.get("TEST_KEYRING_CLOSED"):
                raise RuntimeError("closed")
            return self._all().get(service + "|" + username)

        def set_password(self, service, username, password):
            if os.environ.get("TEST_KEYRING_LOCKED"):
                raise RuntimeError("locked")
            self.path.write_text(json.dumps({**self._all(), service + "|" + username: password}))

        def delete_password(self, service, username):
            kept = self._all()
            del kept[service + "|" + username]
            self.path.write_text(json.dumps(kept))
"""


def token_files(cli):
    return sorted((cli.folder / "tokens").glob("*")) if (cli.folder / "tokens").exists() else []


def test_without_a_keyring_the_token_is_in_a_file_of_mode_0600(cli, emulator):
    """The user is warned, and other users cannot read it."""
    user = emulator.add_user(mfa=[])
    done = cli.run("login", user["username"], "--password-stdin", stdin=user["password"] + "\n")
    assert done.code == 0
    (path,) = token_files(cli)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "no keyring can be used" in done.err
    assert str(path) in done.err
    token = json.loads(path.read_text())["token"]
    assert token not in done.out + done.err


@pytest.fixture
def with_keyring(cli, tmp_path):
    """The command line on a machine with a keyring that works."""
    (tmp_path / "test_keyring_backend.py").write_text(textwrap.dedent(KEYRING))
    return cli.with_env(
        PYTHON_KEYRING_BACKEND="test_keyring_backend.Keyring",
        PYTHONPATH=str(tmp_path),
        TEST_KEYRING=str(tmp_path / "kept.json"),
    )


def test_with_a_keyring_there_is_no_file(with_keyring, emulator, tmp_path):
    """The keyring holds it; the next command reads it there; logout takes it away."""
    user = emulator.add_user(mfa=[])
    done = with_keyring.run("login", user["username"], "--password-stdin", stdin=user["password"] + "\n")
    assert (done.code, "Warning" in done.err, token_files(with_keyring)) == (0, False, [])
    assert "in the keyring" in done.err
    assert user["username"] in with_keyring.run("whoami").out
    assert with_keyring.run("logout").code == 0
    assert json.loads((tmp_path / "kept.json").read_text()) == {}


def test_a_locked_keyring_falls_back_to_the_file(with_keyring, emulator):
    """A backend that raises is treated as missing."""
    user = emulator.add_user(mfa=[])
    locked = with_keyring.with_env(TEST_KEYRING_LOCKED="1")
    done = locked.run("login", user["username"], "--password-stdin", stdin=user["password"] + "\n")
    assert (done.code, len(token_files(locked))) == (0, 1)


def log_in_before_and_after_the_lock(with_keyring, emulator):
    """The keyring holds a login of one user, and a file the newer login of another, who is returned."""
    before, now = emulator.add_user(mfa=[]), emulator.add_user(mfa=[])
    login = ("--password-stdin", "--json")
    with_keyring.run("login", before["username"], *login, stdin=before["password"])
    locked = with_keyring.with_env(TEST_KEYRING_LOCKED="1")
    locked.run("login", now["username"], *login, stdin=now["password"])
    return now


def test_the_newest_login_is_used_after_the_keyring_was_locked(with_keyring, emulator):
    """The keyring still holds the login before it, of another user."""
    now = log_in_before_and_after_the_lock(with_keyring, emulator)
    assert with_keyring.run("token", "--json").json["data"]["account"] == now["username"]


def test_a_file_that_cannot_be_read_does_not_bring_back_an_older_login(with_keyring, emulator):
    """The keyring still holds that of another user."""
    log_in_before_and_after_the_lock(with_keyring, emulator)
    (path,) = token_files(with_keyring)
    path.write_bytes(b"\xff\xfe")
    assert with_keyring.run("whoami").code == 4
    path.unlink()
    path.mkdir()
    done = with_keyring.run("whoami")
    assert (done.code, f"the stored token cannot be read: {path}: Is a directory" in done.err) == (4, True)


def test_the_environment_beats_a_kept_token(cli, emulator):
    """AUTHING_TOKEN is used instead of the kept token, and a login says so."""
    kept, other = emulator.add_user(mfa=[]), emulator.add_user(mfa=[])
    cli.log_in(kept)
    assert kept["username"] in cli.invoke("whoami").out
    speaking = cli.with_env(AUTHING_TOKEN=emulator.token_of(other))
    assert other["username"] in speaking.run("whoami").out
    assert "AUTHING_TOKEN is set" in speaking.log_in(kept).err


def test_stdin_beats_the_environment(cli, emulator):
    """--token-stdin uses the given token."""
    named, other = emulator.add_user(), emulator.add_user()
    speaking = cli.with_env(AUTHING_TOKEN=emulator.token_of(other))
    done = speaking.run("whoami", "--token-stdin", stdin=emulator.token_of(named) + "\n")
    assert named["username"] in done.out


def test_a_token_never_goes_to_another_service(cli, bare, emulator):
    """What is kept for one address, application or profile is not there for another."""
    cli.log_in(emulator.add_user(mfa=[]))
    assert cli.invoke("whoami").code == 0
    assert cli.invoke("--base-url", "http://127.0.0.1:9", "whoami").code == 4
    assert cli.invoke("--app-id", "another", "whoami").code == 4
    bare.invoke("--profile", "work", "config", "set", "timeout", "5")
    assert cli.invoke("--profile", "work", "whoami").code == 4
    assert cli.invoke("--base-url", emulator.url + "/", "whoami").code == 0


def test_no_keep_keeps_nothing(cli, emulator):
    """--no-keep leaves no trace, not even of a challenge."""
    for user in (emulator.add_user(mfa=[]), emulator.add_user()):
        done = cli.invoke("login", user["username"], "--password-stdin", "--no-keep", stdin=user["password"])
        assert token_files(cli) == []
        assert "is kept" not in done.err


def test_show_token_and_token_print_it(cli, emulator):
    """The token is printed only where it is asked for."""
    user = emulator.add_user(mfa=[])
    login = ("login", user["username"], "--password-stdin", "--json")
    assert "token" not in cli.invoke(*login, stdin=user["password"]).json["data"]
    shown = cli.invoke(*login, "--show-token", stdin=user["password"]).json["data"]["token"]
    printed = cli.run("token")
    assert printed.out.strip() == shown
    assert cli.invoke("token", "--json").json["data"] == {"token": shown, "kind": "user", "account": user["username"]}


def test_logout_forgets(cli, emulator):
    """Afterwards nobody is logged in; a second logout has no effect."""
    cli.log_in(emulator.add_user(mfa=[]))
    assert cli.run("logout").code == 0
    assert (token_files(cli), cli.invoke("whoami").code) == ([], 4)
    assert cli.invoke("logout", "--json").json["data"] == {"forgotten": False, "told": False}


def test_logout_does_not_say_that_nothing_was_stored_if_the_keyring_fails(with_keyring, emulator):
    """The token is still there. A login in a file is newer than it, and is the one that is forgotten."""
    user = emulator.add_user(mfa=[])
    login = ("login", user["username"], "--password-stdin")
    with_keyring.run(*login, stdin=user["password"])
    closed = with_keyring.with_env(TEST_KEYRING_CLOSED="1")
    done = closed.run("logout")
    assert (done.code, "may still be stored" in done.err) == (2, True)
    assert with_keyring.run("token").code == 0
    closed.with_env(TEST_KEYRING_LOCKED="1").run(*login, stdin=user["password"])
    assert (closed.run("logout").code, token_files(closed)) == (0, [])


def test_a_stored_token_that_cannot_be_deleted_is_told(cli, emulator):
    """It is not a file any more: no traceback, and no success."""
    cli.log_in(emulator.add_user(mfa=[]))
    (path,) = token_files(cli)
    path.unlink()
    path.mkdir()
    done = cli.invoke("logout")
    assert (done.code, "The stored token cannot be deleted" in done.err) == (2, True)


def test_a_file_that_others_can_read_is_warned_of(cli, emulator):
    """Someone changed the mode: it is used, and said."""
    cli.log_in(emulator.add_user(mfa=[]))
    (path,) = token_files(cli)
    path.chmod(0o644)
    done = cli.invoke("whoami")
    assert (done.code, f"chmod 600 {path}" in done.err) == (0, True)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"token": 5}', '{"token": ""}', "null"])
def test_a_damaged_file_is_no_login(content, cli, emulator):
    """The command works as without a login."""
    cli.log_in(emulator.add_user(mfa=[]))
    (path,) = token_files(cli)
    path.write_text(content)
    assert cli.invoke("whoami").code == 4


def test_a_folder_that_cannot_be_written_costs_the_login_nothing(cli, emulator):
    """The login itself worked: its answer is given, with a warning."""
    cli.folder.mkdir()
    (cli.folder / "tokens").write_text("not a folder")
    user = emulator.add_user(mfa=[])
    done = cli.log_in(user)
    assert (done.code, "could not be stored" in done.err) == (0, True)


def test_a_login_shows_no_token_in_its_repr():
    """Secrets stay out of reprs."""
    assert "s3cret" not in repr(Login("s3cret", "mfa", "ada"))


@pytest.mark.parametrize("token", ["", "a.b", "a.!!.c", "a.e30.c", "a.W10.c", "a.bnVsbA.c"])
def test_a_token_without_an_expiry_has_none(token):
    """Whatever a token looks like, reading its end never fails."""
    assert time_claim(token, "exp") is None
