"""`python -m authing_mfa` and the script `authing-mfa`."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit with its code; without click, say how to install it and exit with 2."""
    try:
        _fill_standard_streams()
        sys.exit(_run())
    except KeyboardInterrupt:  # also while modules are imported
        sys.exit(130)


def _run() -> int:
    try:
        import click  # noqa: F401 - imported only to find out if click is missing
    except ImportError:
        sys.stderr.write('The command line needs click and more: pip install "authing-mfa[cli]"\n')
        return 2
    from authing_mfa.cli.app import main as run

    return run(sys.argv[1:])


def _fill_standard_streams() -> None:
    """Open the null device where a standard stream is closed, so that no socket and no journal becomes file descriptor 0, 1 or 2.

    uvloop ends the process if that happens, and what a library prints would be written into the socket or the file. What Python
    itself knows as closed (`sys.stdout` is None) stays closed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free


if __name__ == "__main__":
    main()
