"""One life of a program that uses the sync client, chosen by its first argument; it says what happened on stdout."""

import atexit
import gc
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress

from authing_mfa import UsageError
from authing_mfa.batch import VerifyRequest
from authing_mfa.sync import AuthClient

way = sys.argv[1]
ANSWER = b'{"code":200,"message":"fine","data":true}'
begun, hold, arrived = os.getpid(), threading.Event(), threading.Event()
connections = []


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def talk(descriptor):
    """Answer each request; one for the phone "9" only when *hold* is set."""
    with suppress(OSError):
        while data := os.read(descriptor, 65536):
            if b'"9"' in data:
                arrived.set()
                hold.wait(60)
            os.write(descriptor, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(ANSWER) + ANSWER)
    say("connection closed")


def serve(server):
    while True:
        try:
            connection = server.accept()[0]
        except OSError:  # the program has ended
            return
        connections.append(connection.detach())  # a bare descriptor gives no warning at the end
        threading.Thread(target=talk, args=(connections[-1],), daemon=True).start()


server = socket.create_server(("127.0.0.1", 0))
atexit.register(server.detach)
threading.Thread(target=serve, args=(server,), daemon=True).start()
client = AuthClient("APP", base_url=f"http://127.0.0.1:{server.getsockname()[1]}", token="token")


def interrupt_when(event, number):
    def kill():
        event.wait(60)
        os.kill(begun, number)

    threading.Thread(target=kill, daemon=True).start()


def child(body):
    """Run *body* in a forked child, which then leaves as programs do; say how it ended."""
    pid = os.fork()
    if pid == 0:
        hold.set()
        body()
        sys.exit(7)
    say("child ended", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def call_in_child():
    say("child", client.mfa_check(phone="1"))


if way == "idle":
    say(client.mfa_check(phone="1"))
elif way == "exit code":
    say(client.mfa_check(phone="1"))
    sys.exit(3)
elif way == "daemon thread":
    threading.Thread(target=client.mfa_check, kwargs={"phone": "9"}, daemon=True).start()
    arrived.wait(60)
elif way == "thread":

    def work():
        threading.main_thread().join()
        say(client.mfa_check(phone="1"))

    threading.Thread(target=work).start()
elif way == "atexit":
    atexit.register(lambda: say("at exit", client.mfa_check(phone="1")))
elif way == "name at exit":
    named = AuthClient("APP", base_url=f"http://localhost:{server.getsockname()[1]}", token="token")

    def look_up():
        try:
            named.mfa_check(phone="1")
        except UsageError as error:
            say(error.message)

    atexit.register(look_up)
elif way in ("too late", "used and too late", "iterated too late"):
    if way == "iterated too late":
        outcomes = client.verify_many([VerifyRequest.check(phone=number) for number in "123"], concurrency=1)
        say(next(outcomes).value)
    elif way == "used and too late":
        say(client.mfa_check(phone="1"))

    def late():
        """Run after the package's own exit function, as a function that was registered before the package was imported is."""
        try:
            next(outcomes) if way == "iterated too late" else client.mfa_check(phone="1")
        except UsageError as error:
            say(error.message)
        client.close()

    import authing_mfa._blocking as blocking

    atexit.unregister(blocking._exit)
    atexit.register(late)
    atexit.register(blocking._exit)
elif way == "closed":
    with client:
        client.mfa_check(phone="1")
    say([thread.name for thread in threading.enumerate() if "mfa" in thread.name])
elif way == "closed with an unread batch":
    outcomes = client.verify_many([VerifyRequest.check(phone=number) for number in "123"], concurrency=1)
    say(next(outcomes).value)
    client.close()
    del outcomes
    gc.collect()
    say([thread.name for thread in threading.enumerate() if "mfa" in thread.name])
elif way == "last of two":
    other = AuthClient("APP", base_url="http://127.0.0.1:1", token="token")
    client.mfa_check(phone="1")
    other.close()
    say(client.mfa_check(phone="1"))
    client.close()
    say([thread.name for thread in threading.enumerate() if "mfa" in thread.name])
elif way in ("ctrl-c", "time limit"):

    class TimeLimit(Exception):  # noqa: N818 - the name is what is said
        pass

    def limit(*_):
        raise TimeLimit

    signal.signal(signal.SIGUSR1, limit)
    interrupt_when(arrived, signal.SIGINT if way == "ctrl-c" else signal.SIGUSR1)
    try:
        client.mfa_check(phone="9")
    except (KeyboardInterrupt, TimeLimit) as error:
        say(type(error).__name__)
    hold.set()
    say(client.mfa_check(phone="1"))
    while len(connections) < 2:  # the interrupted call's connection was given up
        time.sleep(0.01)
elif way == "ctrl-c in a batch":
    rows = [VerifyRequest.check(phone="9") for _ in range(3)]
    asked = AuthClient(
        "APP", base_url=f"http://127.0.0.1:{server.getsockname()[1]}", token="token", timeout=1, max_attempts=1
    )
    interrupt_when(arrived, signal.SIGINT)
    told = []
    try:
        with asked:
            told += asked.verify_many(rows, concurrency=1)
    except KeyboardInterrupt:
        say("KeyboardInterrupt")
    hold.set()
    say(client.mfa_check(phone="1"), told)
elif way == "fork":
    client.mfa_check(phone="1")
    child(call_in_child)
    say("parent", client.mfa_check(phone="1"), len(connections))
elif way == "fork and leave":
    client.mfa_check(phone="1")
    child(lambda: None)
    say("parent", client.mfa_check(phone="1"), len(connections))
elif way == "fork in flight":
    thread = threading.Thread(target=lambda: say("parent", client.mfa_check(phone="9")))
    thread.start()
    arrived.wait(60)
    child(call_in_child)
    hold.set()
    thread.join()
elif way == "fork and close":
    client.mfa_check(phone="1")

    def close():
        call_in_child()
        client.close()

    child(close)
    say("parent", client.mfa_check(phone="1"), len(connections))
elif way == "multiprocessing":
    import multiprocessing

    say(client.mfa_check(phone="1"))
    process = multiprocessing.get_context("fork").Process(target=call_in_child)
    process.start()
    process.join()
    say("child ended", process.exitcode)
elif way == "fork in a batch":
    rows = [VerifyRequest.check(phone=str(number)) for number in (1, 2)]
    begun_batch, new_batch = client.verify_many(rows), client.verify_many(rows)
    say(next(begun_batch).ok)

    def go_on():
        for batch in (begun_batch, new_batch):
            try:
                say(next(batch).ok)
            except UsageError as error:
                say("child", error.message)
        say("child", *(outcome.ok for outcome in client.verify_many(rows)))

    child(go_on)
    say("parent", *(outcome.ok for batch in (begun_batch, new_batch) for outcome in batch))
elif way == "view":
    view = client.as_user("token")
    client.mfa_check(phone="1")
    child(lambda: say("child", view.mfa_check(phone="1"), client.mfa_check(phone="1"), view.mfa_check(phone="1")))
say("end")
