"""The recipes that are no web servers: Celery, a script, a notebook, a pytest suite, a JavaScript front end, a container."""

import json
import re
import shlex
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from authing_mfa.sync import AuthClient
from tests.needs import require_program
from tests.programs import free_port
from tests.recipes.conftest import BIN, COUNTRIES, EXAMPLES, PATIENCE, ROOT, environment, phone, sent_to, wait_for

CONTAINER = EXAMPLES / "emulator_container"


def run(command, env, **options):
    """A program that must end well."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=2 * PATIENCE, cwd=ROOT, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# ─────────────────────── Celery ───────────────────────


@pytest.fixture
def tasks(emulator, tmp_path, monkeypatch):
    """The recipe's tasks, done by a worker with two forked children."""
    # Not the broker of files: its worker may read a message before it is written, and then ends (kombu's filesystem transport).
    broker = f"sqla+sqlite:///{tmp_path / 'broker.db'}"
    env = environment(emulator, CELERY_FOLDER=str(tmp_path / "celery"), CELERY_BROKER_URL=broker)
    command = [str(BIN / "celery"), "--workdir", str(EXAMPLES), "-A", "celery_app", "worker"]
    options = ["--concurrency", "2", "--without-mingle", "--without-gossip", "--without-heartbeat"]
    worker = subprocess.Popen(
        [*command, *options], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import celery_app

    yield celery_app
    celery_app.client.close()
    celery_app.app.close()
    del sys.modules["celery_app"]
    worker.terminate()
    said, _ = worker.communicate(timeout=PATIENCE)
    assert "Traceback" not in said, said
    assert (tmp_path / "celery").stat().st_mode & 0o777 == 0o700  # it holds tokens


@pytest.mark.filterwarnings("ignore::ResourceWarning:kombu", "ignore::DeprecationWarning")
def test_celery_tasks_of_several_users_are_never_mixed_up(tasks, emulator):
    """Two users at once, on forked children that share nothing but the module's client."""

    def answer(task, *arguments):
        return task.delay(*arguments).get(timeout=PATIENCE, interval=0.05)

    def journey(user):
        assert answer(tasks.log_in, f"user{user}", "wrong")["error"] == 2333
        challenge = answer(tasks.log_in, f"user{user}", f"pw{user}")
        assert (challenge["phone"], challenge["country"]) == (phone(user), COUNTRIES[user])
        target = challenge["mfa_token"], challenge["phone"], challenge["country"]
        assert answer(tasks.send_code, *target) == {}
        assert sent_to(emulator, user) == {COUNTRIES[user] + phone(user)}
        refused = answer(tasks.verify, *target, "000000")
        assert refused == {"error": refused["error"], "delivery": "answered"}
        verified = answer(tasks.verify, *target, emulator.code_for(phone(user)))
        asked = [tasks.who.delay(verified["id_token"]) for _ in range(3)]
        return verified["user"], {each.get(timeout=PATIENCE, interval=0.05)["user"] for each in asked}

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(journey, [0, 2])) == [("user0", {"user0"}), ("user2", {"user2"})]


@pytest.mark.filterwarnings("ignore::ResourceWarning:kombu", "ignore::DeprecationWarning")
def test_celery_tasks_return_the_error_of_the_last_retry_as_data(tasks, emulator, monkeypatch):
    """The service cannot be reached, also not later."""
    with AuthClient("app", base_url=f"http://127.0.0.1:{free_port()}", max_attempts=1) as away:
        monkeypatch.setattr(tasks, "client", away)
        assert tasks.who.apply(["token"]).get() == {"error": 10001, "delivery": "not_sent"}


# ─────────────────────── script, notebook, suite ───────────────────────


def test_the_script_asks_until_the_code_is_right(emulator):
    """After a wrong code it asks again; its output names the user."""
    target = COUNTRIES[2] + phone(2)
    emulator.fix_code(target, "246810")
    env = environment(emulator, AUTHING_PASSWORD="pw2")
    try:
        said = run([sys.executable, "-W", "error", str(EXAMPLES / "script.py")], env, input="user2\n000000\n246810\n")
    finally:
        emulator.fix_code(target, None)
    assert said.endswith("Welcome, user2.\n")


def test_the_notebook_runs_from_top_to_bottom(emulator, monkeypatch, tmp_path):
    """Plain cells call the sync client, though the kernel has an event loop; one cell awaits the async client."""
    import nbformat
    from nbclient import NotebookClient

    emulator.add_user(
        username="demo", password="emulator-demo", phone="7700900123", phone_country_code="+44", mfa=["SMS"]
    )
    for name, value in environment(emulator, IPYTHONDIR=str(tmp_path)).items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(EXAMPLES / "notebook.ipynb", 4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=PATIENCE, kernel_name="python3").execute()
    shown = [
        output["data"]["text/plain"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "execute_result"
    ]
    assert shown == ["['SMS']", "'demo'", "'demo'"]
    assert emulator.outbox[-1].target == "+447700900123"
    assert not [
        output for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == "stream"
    ]


def test_the_pytest_suite_passes(emulator):
    """As its users run it."""
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-c", "/dev/null", "--rootdir", str(EXAMPLES)]
    said = run([sys.executable, "-m", "pytest", *options, str(EXAMPLES / "pytest_suite")], environment(emulator))
    assert "3 passed" in said


def test_the_front_end_is_tested_by_node_against_the_emulator():
    """The command is the one in the file, as a CI runs it."""
    node = require_program("node")
    path = EXAMPLES / "javascript" / "login.test.mjs"
    line = path.read_text("utf-8").splitlines()[0]
    command = shlex.split(line.partition("with: ")[2])
    assert command[0] == "authing-mfa"
    command[0] = str(BIN / "authing-mfa")
    command[command.index("emulator") + 1 : command.index("emulator") + 1] = ["--port", "0"]
    command[command.index("node")] = node
    said = run(command, {**environment_of_a_shell(), "NO_COLOR": "1"})
    assert re.search(r"# pass 2\n# fail 0", said), said


def environment_of_a_shell():
    import os

    return {name: value for name, value in os.environ.items() if not name.startswith("AUTHING_")}


# ─────────────────────── the container ───────────────────────


def instruction(name):
    """The JSON array of a Dockerfile's instruction."""
    text = (CONTAINER / "Dockerfile").read_text("utf-8")
    [line] = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return json.loads(line[line.index("[") :])


def test_the_containers_command_serves_what_the_compose_file_promises():
    """The ids, the name that other containers use, and the health check; on loopback, for a test opens no other port."""
    port, compose = free_port(), yaml.safe_load((CONTAINER / "compose.yaml").read_text("utf-8"))
    promised = compose["services"]["app"]["environment"]
    command = instruction("CMD")
    assert command[0] == "authing-mfa"
    command[0] = str(BIN / "authing-mfa")
    command[command.index("0.0.0.0")] = "127.0.0.1"
    command[command.index("--port") + 1] = str(port)
    with subprocess.Popen(
        command, cwd=CONTAINER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            wait_for(port, process)
            check = instruction("HEALTHCHECK")
            check[0], check[-1] = sys.executable, check[-1].replace("7070", str(port))
            assert subprocess.run(check, timeout=PATIENCE).returncode == 0
            name = promised["AUTHING_BASE_URL"].removeprefix("http://")
            request = urllib.request.Request(f"http://127.0.0.1:{port}/_emulator/info", headers={"Host": name})
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                info = json.load(answer)
        finally:
            process.terminate()
    names = {"app_id": "AUTHING_APP_ID", "user_pool_id": "AUTHING_USER_POOL_ID", "public_key": "AUTHING_PUBLIC_KEY"}
    assert {name: info[name] for name in names} == {name: promised.get(names[name]) for name in names}
    assert name.partition(":")[0] in compose["services"]
    assert compose["services"]["emulator"]["ports"] == ["127.0.0.1:7070:7070"]
    assert subprocess.run(check, timeout=PATIENCE, stderr=subprocess.DEVNULL).returncode != 0
