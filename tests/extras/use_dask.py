"""`dask`: two worker processes and a journal."""

from files import BOTH_OK, outcomes, verify_file, write_csv

if __name__ == "__main__":
    verify_file("rows.csv", write_csv, journal="run.db", dask="local:2")
    assert outcomes() == BOTH_OK
