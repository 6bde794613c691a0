"""`python -m authing_mfa` and the script `authing-mfa`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit with its code; without click, say how to install it and exit with 2."""
    try:
        import click  # noqa: F401 - imported only to find out if click is missing
    except ImportError:
        sys.stderr.write('The command line needs click and more: pip install "authing-mfa[cli]"\n')
        sys.exit(2)
    try:
        from authing_mfa.cli.app import main as run

        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
