"""Serve until a signal or an event stops it: the command `authing-mfa emulator` calls this."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from authing_mfa.emulator import seeding
from authing_mfa.emulator.crypto import keys
from authing_mfa.emulator.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authing_mfa.emulator.user import EmulatedUser

__all__ = [
    "emulator_with_user",
    "environment",
    "ready_made_user",
    "ready_report",
    "serve",
    "stop_signals",
    "wait_for_signal",
]

_NAME, _PASSWORD = "demo", "emulator-demo"


def serve(
    *,
    ready: Callable[[Emulator], object] = bool,
    stop: threading.Event | None = None,
    demo_user: bool = True,
    **options: Any,
) -> None:
    """Serve until *stop* is set, or SIGINT or SIGTERM comes (in the main thread).

    Args:
        ready: called once with the emulator when it answers requests; print `ready_report(emulator)` there.
        stop: an event; setting it in another thread stops the emulator.
        demo_user: add the ready-made user if the seeds have no user.
        options: the keywords of `Emulator`: port, seed, settings, seed_file, host, state_file, app_id, tls, …

    Raises:
        OSError: the port is in use.
        ValueError: an option or the seed file is invalid.
    """
    stop = stop or threading.Event()
    with stop_signals() as told, emulator_with_user(demo_user=demo_user, **options) as emulator:
        ready(emulator)

        def tell() -> None:
            stop.wait()
            told.put(0)

        threading.Thread(target=tell, name="authing-emulator-stop", daemon=True).start()
        try:
            wait_for_signal(told)
        finally:
            stop.set()


def emulator_with_user(*, demo_user: bool = True, **options: Any) -> Emulator:
    """Return an emulator that is not started yet, with the ready-made user if the seeds have no user; *options* as for `serve`."""
    emulator = Emulator(**options)
    demo = {"users": [ready_made_user()]}
    if demo_user and not (emulator.baseline or {}).get("users"):
        if emulator.users:  # of a state file
            emulator.baseline = seeding.merged(emulator.baseline or {}, demo)
        else:
            emulator.seed_from(demo)
    return emulator


@contextmanager
def stop_signals() -> Iterator[SimpleQueue[int]]:
    """Return a queue that gets the number of each SIGINT and SIGTERM. On other threads than the main one it stays empty.

    A signal handler may do little: a handler that raises, or that sets a `threading.Event`, breaks the lock of an `Event.wait`
    that it interrupts at the wrong moment. `SimpleQueue.put` may be called anywhere.
    """
    told: SimpleQueue[int] = SimpleQueue()
    if threading.current_thread() is not threading.main_thread():
        yield told
        return
    previous = {
        number: signal.signal(number, lambda number, _frame: told.put(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield told
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def wait_for_signal(told: SimpleQueue[int]) -> int:
    """Return the next number of the queue of `stop_signals`.

    A signal that comes just before Python blocks, or that the system gives to another thread, does not end the blocking call in which
    the main thread is. So Python is asked twice a second whether a signal came.
    """
    while True:
        try:
            return told.get(timeout=0.5)
        except Empty:
            continue


def ready_made_user() -> dict[str, Any]:
    """Return the ready-made user of `serve`, as keywords of `add_user`."""
    return {
        "username": _NAME,
        "password": _PASSWORD,
        "phone": "13800138000",
        "email": "demo@example.com",
        "mfa": ["SMS", "EMAIL", "OTP", "FACE"],
        "totp": True,
    }


def ready_report(emulator: Emulator) -> dict[str, Any]:
    """Return the content of a ready line, as JSON values: addresses, ids, a user to log in with, the certificate to trust.

    `user` is the first user, with the password if it is the ready-made user with its first password.
    """
    report: dict[str, Any] = {
        "url": emulator.url,
        "inbox": f"{emulator.url}/",
        "lan": emulator.lan_urls,
        "app_id": emulator.app_id,
        "user_pool_id": emulator.user_pool_id,
        "public_key": emulator.public_key,
        "ca": emulator.ca_path,
        "user": None,
    }
    first: EmulatedUser | None = next(iter(emulator.users), None)
    if first is not None:
        report["user"] = {"id": first.id, "username": first.username, "phone": first.phone, "email": first.email}
        password_hash = first.record.password_hash
        if first.username == _NAME and password_hash and keys.password_matches(_PASSWORD, first.id, password_hash):
            report["user"]["password"] = _PASSWORD
    return report


def environment(emulator: Emulator) -> dict[str, str]:
    """Return the ``AUTHING_*`` variables that `emulator exec` sets for the command it runs."""
    variables = {
        "AUTHING_BASE_URL": emulator.url,
        "AUTHING_APP_ID": emulator.app_id,
        "AUTHING_USER_POOL_ID": emulator.user_pool_id,
        "AUTHING_PUBLIC_KEY": emulator.public_key,
        "AUTHING_EMULATOR": emulator.url,
    }
    if emulator.ca_path is not None:
        variables["AUTHING_CA_FILE"] = emulator.ca_path
    return variables
