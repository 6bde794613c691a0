"""`batch`: a journal in a file."""

import asyncio

from journal import run_twice

asyncio.run(run_twice("run.db"))
