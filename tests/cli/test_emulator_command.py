"""`emulator serve|exec|init|inbox`, each as a process."""

import json
import signal
import socket
import subprocess
import sys
import threading

import pytest
import yaml

from authing_mfa.cli.commands.emulator import DEFAULT_PORT


def test_the_ready_line(emulator):
    """One JSON line has everything that a program needs."""
    assert set(emulator.ready) >= {"url", "inbox", "app_id", "user_pool_id", "public_key", "user"}
    assert emulator.ready["user"]["username"] == "demo"
    assert emulator.admin("GET", "info")["app_id"] == emulator.ready["app_id"]


def test_people_get_sentences_and_lines_to_paste(bare):
    """Address, inbox, application, a ready-made user, and exports for another shell that work."""
    terminal = bare.terminal("emulator", "serve", "--port", "0")
    terminal.expect("Ctrl-C ends it.")
    text = terminal.text
    assert "demo / emulator-demo" in text
    exported = dict(line.removeprefix("export ").split("=", 1) for line in text.splitlines() if "export " in line)
    done = bare.with_env(**exported, AUTHING_PASSWORD="emulator-demo").invoke("login", "demo")
    assert (done.code, "1636" in done.err) == (4, True)
    assert terminal.interrupt() == 130


def test_exec_sets_the_variables_and_hands_on_the_exit_code(bare):
    """The command uses its own emulator; its exit code is ours; AUTHING_TOKEN of the real service is removed."""
    check = (
        "import json, os, sys, urllib.request as r; "
        "o = r.build_opener(r.ProxyHandler({})); "
        "i = json.load(o.open(os.environ['AUTHING_BASE_URL'] + '/_emulator/info')); "
        "ok = i['app_id'] == os.environ['AUTHING_APP_ID'] and i['user_pool_id'] == os.environ['AUTHING_USER_POOL_ID']; "
        "sys.exit(42 if ok and os.environ['AUTHING_PUBLIC_KEY'] and 'AUTHING_TOKEN' not in os.environ else 1)"
    )
    done = bare.with_env(AUTHING_TOKEN="t").run("emulator", "exec", "--", sys.executable, "-c", check)
    assert (done.code, done.out) == (42, "")


def test_exec_leaves_the_commands_own_words_alone(bare):
    """Options after the command are the command's, stdin and stdout too."""
    done = bare.run("emulator", "exec", "sh", "-c", 'read a; echo "$a" "$1"', "sh", "--json", stdin="hello\n")
    assert (done.code, done.out) == (0, "hello --json\n")


def test_exec_of_a_missing_or_killed_command(bare):
    """127 as in a shell; 128 + n where a signal ended it."""
    missing = bare.run("emulator", "exec", "--", "no-such-command-anywhere")
    assert (missing.code, "no-such-command-anywhere" in missing.err) == (127, True)
    assert bare.run("emulator", "exec", "--", "sh", "-c", "kill -9 $$").code == 128 + signal.SIGKILL


def test_exec_waits_for_the_command_after_ctrl_c(bare):
    """Ctrl-C is the command's business: it may clean up, and the emulator outlives it."""
    script = "import signal, sys; signal.signal(2, lambda *_: sys.exit(9)); print('up', flush=True); signal.pause()"
    terminal = bare.terminal("emulator", "exec", "--", sys.executable, "-c", script)
    terminal.expect("up")
    terminal.press_ctrl_c()
    assert terminal.end() == 9
    assert "Traceback" not in terminal.text


def test_exec_needs_a_command(bare):
    """Nothing to run is a usage error."""
    assert bare.invoke("emulator", "exec").code == 2


def test_init_writes_a_seed_file_that_serves(bare, tmp_path):
    """The file is YAML with comments, is not written over without --force, and an emulator starts from it."""
    path = tmp_path / "seeds.yaml"
    done = bare.run("emulator", "init", str(path))
    assert (done.code, done.out.strip()) == (0, str(path))
    assert "#" in path.read_text()
    users = [user["username"] for user in yaml.safe_load(path.read_text())["users"]]
    assert bare.invoke("emulator", "init", str(path)).code == 2
    assert bare.invoke("emulator", "init", str(path), "--force").code == 0
    assert bare.invoke("emulator", "init", str(tmp_path / "none" / "seeds.yaml")).code == 2
    script = "import os, urllib.request as r; print(r.build_opener(r.ProxyHandler({})).open(os.environ['AUTHING_BASE_URL'] + '/_emulator/users').read().decode())"
    seeded = bare.run("emulator", "exec", "--seed-file", str(path), "--", sys.executable, "-c", script)
    assert [user["username"] for user in json.loads(seeded.out)["users"]][: len(users)] in (users, users[::-1])


def test_options_before_the_command_count_too(bare):
    """`emulator --seed 1 exec` is `emulator exec --seed 1`, and a seed makes ids reproducible; 0 is a seed as well."""
    show = ("exec", "--", "sh", "-c", "echo $AUTHING_APP_ID")
    first = bare.run("emulator", "--seed", "0", *show).out
    again = bare.run("emulator", show[0], "--seed", "0", *show[1:]).out
    assert first == again
    assert len(first.strip()) == 24


def test_what_cannot_be_served_is_a_usage_error(bare, emulator, tmp_path):
    """A port in use, an address that is not loopback, an invalid seed file."""
    port = emulator.url.rpartition(":")[2]
    taken = bare.invoke("emulator", "--port", port)
    assert (taken.code, "cannot be started" in taken.err) == (2, True)
    assert bare.invoke("emulator", "--port", "0", "--host", "0.0.0.0").code == 2
    (tmp_path / "bad.json").write_text('{"nonsense": 1}')
    assert bare.invoke("emulator", "--port", "0", "--seed-file", str(tmp_path / "bad.json"), "--json").code == 2


def test_tls_is_trusted_by_the_variable(bare):
    """exec --tls sets AUTHING_CA_FILE, and the command line in it uses that."""
    given = bare.with_env(AUTHING_PASSWORD="emulator-demo")
    done = given.run("emulator", "exec", "--tls", "--", sys.executable, "-m", "authing_mfa", "login", "demo")
    assert (done.code, "1636" in done.err) == (4, True)


def test_inbox_shows_messages_oldest_first(cli, emulator):
    """Time, channel, recipient, code; --code only the newest; 1 without a message."""
    user = emulator.add_user()
    assert cli.run("emulator", "inbox", "--to", user["phone"]).code == 1
    codes = [emulator.admin("POST", "messages", {"to": user["phone"]})["code"] for _ in range(2)]
    done = cli.run("emulator", "inbox", "--to", user["phone"])
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert [row[1:] for row in rows] == [["sms", user["phone"], code] for code in codes]
    assert cli.invoke("emulator", "inbox", "--to", user["phone"], "--code").out == codes[1] + "\n"
    told = cli.invoke("emulator", "inbox", "--to", user["phone"], "--json").json
    assert [message["code"] for message in told["data"]["messages"]] == codes


def test_inbox_waits_for_a_message(cli, emulator):
    """--wait returns as soon as one comes."""
    user = emulator.add_user()
    later = threading.Timer(0.3, emulator.admin, ("POST", "messages", {"to": user["phone"]}))
    later.start()
    done = cli.invoke("emulator", "inbox", "--to", user["phone"], "--wait", "30", "--code")
    later.join()
    assert done.out.strip() == emulator.code_for(user["phone"])


def test_inbox_follows(cli, emulator):
    """-f prints messages as they come, one per line, until Ctrl-C."""
    user = emulator.add_user()
    first = emulator.admin("POST", "messages", {"to": user["phone"]})["code"]
    process = subprocess.Popen(
        [sys.executable, "-m", "authing_mfa", "emulator", "inbox", "-f", "--to", user["phone"], "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=cli.environ,
    )
    assert json.loads(process.stdout.readline())["code"] == first
    second = emulator.admin("POST", "messages", {"to": user["phone"]})["code"]
    assert json.loads(process.stdout.readline())["code"] == second
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (130, False)


@pytest.mark.parametrize(("url", "code"), [("http://127.0.0.1:9", 3), ("ftp://nowhere", 2)])
def test_inbox_of_no_emulator(url, code, bare):
    """No emulator at the address is 3, no address is 2."""
    assert bare.invoke("emulator", "inbox", "--url", url).code == code


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.7\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
        b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"messages":[{}]}',
    ],
    ids=["another protocol", "half an answer", "other messages"],
)
def test_inbox_of_another_server(answer, bare):
    """A server that is no emulator is 6, and no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        done = bare.invoke("emulator", "inbox", "--url", url)
        thread.join()
    assert (done.code, "There is no emulator" in done.err) == (6, True)


def test_inbox_asks_the_usual_port(bare):
    """Without a setting it looks where `emulator` serves by default."""
    assert str(DEFAULT_PORT) in bare.invoke("emulator", "inbox").err


def test_a_state_that_cannot_be_written_is_told_as_what_it_is(bare, tmp_path):
    """The emulator did start; its folder is gone when it stops."""
    folder = tmp_path / "state"
    folder.mkdir()
    done = bare.run("emulator", "--port", "0", "--state", str(folder / "s.json"), "exec", "--", "rmdir", str(folder))
    assert done.code == 2
    assert "The emulator has ended with an error: the state file cannot be written, its changes are lost" in done.err
    assert f"{folder / 's.json'}." in done.err
