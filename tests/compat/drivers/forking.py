"""Fork with calls in flight; parent and child print the arguments of their completions."""

import atexit
import os
import socket
import sys
import threading
from contextlib import suppress

from authing_mfa.compat import AuthClient, Authing

way = sys.argv[1]
ANSWER = b'{"code":200,"message":"fine","data":true}'


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def serve(server, hold):
    """Answer every request, the first one only when *hold* is set."""

    def talk(connection, first):
        with suppress(OSError):  # the client has gone
            while os.read(connection, 65536):
                if first:
                    hold.wait(60)
                    first = False
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(ANSWER)}\r\n\r\n".encode()
                os.write(connection, head + ANSWER)

    first = True
    while True:
        try:
            connection = server.accept()[0].detach()  # a bare descriptor gives no warning at the end
        except OSError:  # the program has ended
            return
        threading.Thread(target=talk, args=(connection, first), daemon=True).start()
        if first:
            arrived.set()
        first = False


hold, arrived = threading.Event(), threading.Event()
server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]
atexit.register(server.detach)
threading.Thread(target=serve, args=(server, hold), daemon=True).start()
Authing.start("APP", base_url=f"http://127.0.0.1:{port}")
Authing.setCurrentToken("token")
parent = os.getpid()


def completion(code, message, value):
    say("parent" if os.getpid() == parent else "child", "completed", code, value)


if way == "in completion":

    def forks(code, message, value):
        children.append(os.fork())
        say("forked in", "parent" if children[0] else "child")

    children = []
    first = AuthClient().mfaVerifyByOTP("", forks)
    second = AuthClient().mfaCheck("1", None, completion)
    hold.set()
    second.wait(60)
    _, status = os.waitpid(children[0], 0)
    say("child ended", os.waitstatus_to_exitcode(status))
    sys.exit()

call = AuthClient().mfaCheck("1", None, completion)
arrived.wait(60)
child = os.fork()
if child == 0:
    try:
        call.wait(60)
    except RuntimeError:
        say("child refused to wait")
    say("child cancelled", call.cancel())
    if way != "leave at once":
        mine = AuthClient().mfaCheck("2", None, completion)
        say("child waited", mine.wait(60))
        if way == "shutdown in child":
            Authing.shutdown()
    sys.exit(7)
_, status = os.waitpid(child, 0)
say("child ended", os.waitstatus_to_exitcode(status))
hold.set()
say("parent waited", call.wait(60))
after = AuthClient().mfaCheck("3", None, completion)
say("parent waited", after.wait(60))
