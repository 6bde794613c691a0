"""Starts batch runs quickly for the kill tests: everything is imported once, each run is a fork.

Lines of JSON come in on standard input, the options of a run each; the process id of the run goes out, and when it has ended
its status. The process id stays the run's own until the next run starts: a test may look at it, and kill it, at any time.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

import asyncpg  # noqa: F401 - imported once for all runs

from authing_mfa.batch.journal import connection, schema, writer  # noqa: F401 - the same
from authing_mfa.batch.run_file import BatchOptions, run_file

CLIENT = {"app_id": os.environ["AUTHING_APP_ID"], "base_url": os.environ["AUTHING_BASE_URL"]}


def child(options: dict[str, object]) -> None:
    os.dup2(2, 1)  # the output of a run must not be mixed with ours
    status = 99
    try:
        status = asyncio.run(run_file(BatchOptions(**options), CLIENT)).exit_code
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
