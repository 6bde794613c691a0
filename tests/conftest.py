"""What all tests share. The suite runs in Python's development mode, which turns asyncio's debug mode on as well."""

import gc
import logging
import os
import signal
from collections.abc import Iterator

import pytest

# A program that is started in the background by a shell ignores Ctrl-C, and so would every process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _programs_run_as_users_run_them() -> None:
    """Programs do not inherit the development mode: on a busy machine they would write a line about each step over 0.1 s.

    A test that wants the mode in a program starts it with ``-X dev``.
    """
    os.environ.pop("PYTHONDEVMODE", None)


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
