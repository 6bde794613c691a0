"""What all tests share. The suite runs in Python's development mode, which turns asyncio's debug mode on as well."""

import gc
import ipaddress
import logging
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

# A program that is started in the background by a shell ignores Ctrl-C, and so would every process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


RESERVED = (".localhost", ".invalid", ".example", ".test")
"""Names under these exist nowhere else (RFC 6761)."""

reached: list[str] = []
"""Other machines that a test of this process has asked for."""


def _note_other_machines(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "localhost")
    if name != "localhost" and not name.endswith(RESERVED) and not _is_here(name):
        reached.append(f"{event} {name}")


def _is_here(address: str) -> bool:
    """Return True if *address* is one of this machine's: a socket can be bound to it."""
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(address.partition("%")[0]).version == 6 else socket.AF_INET
        with socket.socket(family) as own:
            own.bind((address, 0))
    except (OSError, ValueError):
        return False
    return True


sys.addaudithook(_note_other_machines)


@pytest.fixture(autouse=True)
def _no_test_reaches_another_machine() -> Iterator[None]:
    """Names are resolved and connections made on this machine only."""
    yield
    asked, reached[:] = reached[:], []
    assert asked == []


@pytest.fixture(scope="session", autouse=True)
def _programs_run_as_users_run_them() -> None:
    """Programs do not inherit the development mode: on a busy machine they would write a line about each step over 0.1 s.

    A test that wants the mode in a program starts it with ``-X dev``. Nor do they inherit settings of this machine's user, a language
    or a proxy.
    """
    os.environ.pop("PYTHONDEVMODE", None)
    for name in list(os.environ):
        if re.match(r"AUTHING_(?!MFA_)|LC_|LANGUAGE$|.*_proxy$", name, re.IGNORECASE):
            del os.environ[name]
    os.environ["LANG"] = "C.UTF-8"


@pytest.fixture(scope="session", autouse=True)
def _no_line_about_slow_steps() -> None:
    """A test that allows no log record would fail on a busy machine: the debug mode writes a line about each step over 0.1 s."""
    logging.getLogger("asyncio").addFilter(lambda record: record.msg != "Executing %s took %.3f seconds")


@pytest.fixture(scope="session", autouse=True)
def _every_exception_is_retrieved() -> Iterator[None]:
    """Nothing in the package, or in what it uses, leaves an exception in a future: asyncio would log it in a user's program.

    asyncio notices when the future is deleted, often between two tests.
    """
    lost: list[str] = []

    class Lost(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "was never retrieved" in record.getMessage():
                lost.append(record.getMessage())

    handler = Lost()
    logging.getLogger("asyncio").addHandler(handler)
    yield
    gc.collect()
    logging.getLogger("asyncio").removeHandler(handler)
    assert lost == []
