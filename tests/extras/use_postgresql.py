"""`postgresql`: a journal in the database whose address is the argument."""

import asyncio
import sys

from journal import run_twice

asyncio.run(run_twice(sys.argv[1]))
