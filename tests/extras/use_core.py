"""No extra: a login, and a batch of files without a journal."""

import asyncio

from files import BOTH_OK, outcomes, verify_file, write_csv
from login import log_in

asyncio.run(log_in())
verify_file("rows.csv", write_csv)
assert outcomes() == BOTH_OK
