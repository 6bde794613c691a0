"""Leave the interpreter in one of several ways while calls are in flight; print the arguments of the completions."""

import atexit
import os
import signal
import socket
import sys
import threading
import time
import traceback

leaving = [time.monotonic()]
late = []


def too_late():
    for call in late:
        try:
            call()
        except RuntimeError as error:
            say(error)


atexit.register(too_late)
# Registered before the package's own, so it runs after that.
atexit.register(lambda: say("seconds", round(time.monotonic() - leaving[-1], 2)))

from authing_mfa.compat import AuthClient, Authing  # noqa: E402 - see above

way = sys.argv[1]
silent = socket.create_server(("127.0.0.1", 0))  # takes connections, never answers
address = silent.getsockname()
silent = silent.detach()  # left open to the end, without a warning
Authing.start("APP", base_url=f"http://127.0.0.1:{address[1]}")
Authing.setCurrentToken("token")


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def arrived():
    """A call's request is here."""
    listening = socket.socket(fileno=silent)
    connection, _ = listening.accept()
    connection.recv(1)
    connection.detach()
    listening.detach()


def completion(code, message, value):
    say("completed", code)


def in_flight(number=3):
    calls = [AuthClient().mfaCheck("1", None, completion) for _ in range(number)]
    for _ in range(number):
        arrived()
    return calls


def answer_late():
    """Answer one request with a new recovery code, when the program has been at its exit for longer than an exit takes."""
    listening = socket.socket(fileno=silent)
    connection, _ = listening.accept()
    connection.recv(65536)
    requested.set()
    threading.main_thread().join()
    time.sleep(1.5)
    body = b'{"code": 200, "data": {"id": "u1", "token": "t"}, "recoveryCode": "new"}'
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    connection.detach()
    listening.detach()


def take_one_request():
    """Leave one request without an answer."""
    arrived()
    requested.set()


def interrupt_in(*functions):
    """Press Ctrl-C once the main thread runs *functions*; a name given n times must run n times at once."""
    main = threading.main_thread().ident
    while True:
        names = [frame.f_code.co_name for frame, _ in traceback.walk_stack(sys._current_frames()[main])]
        if all(names.count(function) >= functions.count(function) for function in functions):
            os.kill(os.getpid(), signal.SIGINT)
            return
        time.sleep(0.01)


WAITING = (
    "wait",
) * 3  # of a call, of its event, of the event's condition; a thread that is started is awaited by two of them


def interrupt_the_exit():
    threading.main_thread().join()
    interrupt_in("exit", "close", "join")


requested = threading.Event()


def leave_now():
    leaving.append(time.monotonic())


if way == "end":
    in_flight()
elif way == "exit":
    in_flight()
    leave_now()
    sys.exit(3)
elif way == "at once":
    AuthClient().mfaCheck("1", None, completion)
elif way == "idle":
    AuthClient().mfaVerifyByOTP("", completion).wait()
elif way == "unused":
    pass
elif way == "raise in completion":
    AuthClient().mfaVerifyByOTP("", lambda *_: sys.exit(5)).wait()
elif way == "stuck completion":
    AuthClient().mfaVerifyByOTP("", lambda *_: (say("stuck"), time.sleep(60)))
    in_flight()
elif way == "slow completions":

    def slow(code, message, value):
        time.sleep(0.5)
        say("completed", code)
        AuthClient().mfaCheck("1", None, completion)

    AuthClient().mfaVerifyByOTP("", lambda *_: (say("stuck"), time.sleep(60)))
    for _ in range(3):
        AuthClient().mfaCheck("1", None, slow)
        arrived()
elif way == "stuck dispatcher":
    AuthClient().mfaVerifyByOTP("", completion, dispatcher=lambda function: say("kept"))
    in_flight()
elif way == "again":

    def again(code, message, value):
        say("completed", code)
        if value is None and len(done) < 3:
            done.append(AuthClient().mfaCheck("1", None, again))

    done = []
    AuthClient().mfaCheck("1", None, again)
    arrived()
elif way == "other thread":  # a thread of the program's own outlives the main one; its calls still work

    def work():
        threading.main_thread().join()
        call = AuthClient().mfaVerifyByOTP("", completion)
        say("waited", call.wait(60))

    threading.Thread(target=work).start()
elif way == "too late":  # a handler that runs after the package's own
    late.append(lambda: AuthClient().mfaCheck("1", None, completion))
elif way == "picture":
    AuthClient().uploadFaceImage(b"\x89PNG not really", completion=lambda *a: say("uploaded", a[0]))
elif way == "interrupt":
    [call] = in_flight(1)
    threading.Thread(target=interrupt_in, args=WAITING, daemon=True).start()
    try:
        call.wait()
    except KeyboardInterrupt:
        say("interrupted")
    say("done", call.wait(60))
elif way == "recovery code":
    threading.Thread(target=answer_late, daemon=True).start()
    AuthClient().mfaVerifyByRecoveryCode("old", lambda code, _, user: say("completed", code, user.recovery_code))
    AuthClient().mfaVerifyByOTP("", completion).wait()
    requested.wait()
elif way == "interrupt the exit":
    threading.Thread(target=take_one_request, daemon=True).start()
    threading.Thread(target=interrupt_the_exit, daemon=True).start()
    AuthClient().mfaVerifyByRecoveryCode("old", completion)
    requested.wait()
elif way == "interrupt a bounded wait":
    [call] = in_flight(1)
    threading.Thread(target=interrupt_in, args=WAITING, daemon=True).start()
    try:
        call.wait(60)
    except KeyboardInterrupt:
        say("interrupted")
    say("done", call.wait(60))
else:
    raise SystemExit(f"no such way: {way}")
leave_now()
