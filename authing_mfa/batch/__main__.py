"""`python -m authing_mfa.batch ROWS …`: `run_file` without the command line's comforts, for where click is not installed.

The application and the address come from the environment: AUTHING_APP_ID, and AUTHING_BASE_URL or AUTHING_HOST.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys

from authing_mfa.batch.run_file import BatchOptions, run_file
from authing_mfa.errors import AuthingError, InvalidInputError


def _options(arguments: list[str]) -> BatchOptions:
    parser = argparse.ArgumentParser(prog="python -m authing_mfa.batch", description="Verify the rows of a file.")
    parser.add_argument("source", help="CSV, JSON lines or Parquet; - for standard input")
    for name in ("--out", "--journal", "--kind", "--run-name", "--dask", "--recovery-file"):
        parser.add_argument(name, default=argparse.SUPPRESS)
    for name in ("--concurrency", "--stop-after-failures", "--partition-rows"):
        parser.add_argument(name, type=int, default=argparse.SUPPRESS)
    parser.add_argument("--rate", type=float, default=argparse.SUPPRESS)
    for name in ("--ordered", "--resume", "--resend-unknown", "--dry-run", "--tokens"):
        parser.add_argument(name, action="store_true")
    return BatchOptions(**vars(parser.parse_args(arguments)))


def _client_options() -> dict[str, str]:
    names = {"base_url": "AUTHING_BASE_URL", "host": "AUTHING_HOST", "token": "AUTHING_TOKEN"}
    given = {keyword: value for keyword, name in names.items() if (value := os.environ.get(name))}
    return {"app_id": os.environ.get("AUTHING_APP_ID", ""), **given}


def main(arguments: list[str] | None = None) -> int:
    """Do the run; the summary goes to stderr as JSON."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    try:
        summary = asyncio.run(run_file(options, _client_options()))
    except InvalidInputError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a program's own words
        return 2
    except (AuthingError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the same
        return 7
    print(json.dumps(summary.as_json()), file=sys.stderr)  # noqa: T201 - the same
    return summary.exit_code


if __name__ == "__main__":
    sys.exit(main())
