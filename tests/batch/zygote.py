"""Starts batch runs quickly for the kill tests: everything is imported once, each run is a fork.

Lines of JSON come in on standard input, the options of a run each; the process id of the run goes out, and when it has ended
its status. The process id stays the run's own until the next run starts: a test may look at it, and kill it, at any time.

Beside the options of a run a line may have the keywords of its client, the number of the point at which it kills itself, the number
of the call at which it gets Ctrl-C, and whether it is divided into partitions, all of which this one process does.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from functools import wraps
from itertools import count
from pathlib import Path

import asyncpg  # noqa: F401 - imported once for all runs

from authing_mfa.batch.files import formats, output
from authing_mfa.batch.journal import connection, journal, schema, writer  # noqa: F401 - the same
from authing_mfa.batch.partitions.driver import Listeners, run_partitions
from authing_mfa.batch.run_file import BatchOptions, run_file
from authing_mfa.client import AuthClient
from tests.batch.zygote_pool import here

CLIENT = {"app_id": os.environ["AUTHING_APP_ID"], "base_url": os.environ["AUTHING_BASE_URL"]}

DURABLE = (  # what changes a file, the journal, or the service
    (journal.Journal, "write"),
    (AuthClient, "perform"),
    (output.ResultFile, "write"),
    (output.ResultFile, "flush"),
    (os, "fsync"),
    (Path, "replace"),
    (Path, "unlink"),
    (shutil, "copyfile"),
    (shutil, "copyfileobj"),
    (shutil, "rmtree"),
)


def kill_at(number: int) -> None:
    """Let this process be killed at its point of this number: points are before and after each step that lasts."""
    points = count()

    def point() -> None:
        if next(points) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def between(step):
        if asyncio.iscoroutinefunction(step):

            @wraps(step)
            async def run(*args, **kwargs):
                point()
                try:
                    return await step(*args, **kwargs)
                finally:
                    point()
        else:

            @wraps(step)
            def run(*args, **kwargs):
                point()
                try:
                    return step(*args, **kwargs)
                finally:
                    point()

        return run

    for owner, name in DURABLE:
        setattr(owner, name, between(getattr(owner, name)))
    real = formats.restored_lines

    def lines(*arguments):
        for line in real(*arguments):
            point()
            yield line

    output.restored_lines = lines


def interrupt_at(number: int) -> None:
    """Let the call of this number get Ctrl-C, before it is sent."""
    perform, calls = AuthClient.perform, count()

    @wraps(perform)
    async def run(*args, **kwargs):
        if next(calls) == number:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0)
        return await perform(*args, **kwargs)

    AuthClient.perform = run


async def run(options: dict[str, object]) -> int:
    client = {**CLIENT, **options.pop("client", {})}
    for prepare in (interrupt_at, kill_at):
        if (number := options.pop(prepare.__name__, None)) is not None:
            prepare(number)
    divided = options.pop("divided", False)
    summary_file = options.pop("summary", None)
    made = BatchOptions(**options)
    if divided:
        summary = await run_partitions(made, client, here(made, client), Listeners())
    else:
        summary = await run_file(made, client)
    if summary_file is not None:
        with open(summary_file, "w") as file:  # noqa: ASYNC230, PTH123 - a small one
            json.dump(summary.as_json(), file)
    return summary.exit_code


def child(options: dict[str, object]) -> None:
    os.dup2(2, 1)  # the output of a run must not be mixed with ours
    status = 99
    try:
        status = asyncio.run(run(options))
    finally:
        sys.stderr.flush()
        os._exit(status)


def serve() -> None:
    last = None
    for line in sys.stdin:
        if last is not None:
            os.waitpid(last, 0)
        last = process = os.fork()
        if process == 0:
            child(json.loads(line))
        print(process, flush=True)
        ended = os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        print(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status, flush=True)


if __name__ == "__main__":
    serve()
