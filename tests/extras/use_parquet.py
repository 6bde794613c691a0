"""`parquet`: rows from a Parquet file, outcomes to another."""

import pyarrow as pa
import pyarrow.parquet as pq
from files import BOTH_OK, HEADER, verify_file


def write(name, rows):
    pq.write_table(pa.Table.from_pylist([dict(zip(HEADER, row, strict=True)) for row in rows]), name)


verify_file("rows.parquet", write, out="results.parquet")
table = pq.read_table("results.parquet").to_pylist()
assert sorted((row["key"], row["status"]) for row in table) == BOTH_OK
