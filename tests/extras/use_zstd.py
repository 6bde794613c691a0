"""`zstd`: rows from a compressed file."""

from pathlib import Path

import zstandard
from files import BOTH_OK, outcomes, verify_file, write_csv


def write(name, rows):
    write_csv("plain.csv", rows)
    Path(name).write_bytes(zstandard.compress(Path("plain.csv").read_bytes()))


verify_file("rows.csv.zst", write)
assert outcomes() == BOTH_OK
