"""The options of every command that serves an emulator, and their use."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any, TypeVar

import click

from authing_mfa._loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

    from authing_mfa.cli.context import CliContext

__all__ = ["DEFAULT_PORT", "emulator_options", "keywords", "merged", "own_error"]

F = TypeVar("F", bound="Callable[..., Any]")

_OPTIONS = (
    click.option(
        "--port",
        type=click.IntRange(0, 65535),
        help="Port to listen on; 0 takes any free port. [default: 7070; of exec: 0]",
    ),
    click.option("--seed", type=int, help="Make ids, codes and secrets reproducible."),
    click.option(
        "--seed-file",
        type=click.Path(exists=True, dir_okay=False),
        help="File with users, codes, faults and settings to start with; emulator init writes an example.",
    ),
    click.option("--host", help="Address to listen on. [default: 127.0.0.1]"),
    click.option(
        "--allow-remote",
        is_flag=True,
        help="Serve other machines, too. Anyone who can reach the emulator can read its codes.",
    ),
    click.option(
        "--allowed-host",
        "allowed_hosts",
        multiple=True,
        metavar="NAME",
        help="Accept this name in the Host header, and web pages from it. May be given more than once.",
    ),
    click.option("--tls", is_flag=True, help="Serve HTTPS with a new certificate authority."),
    click.option(
        "--tls-folder",
        type=click.Path(file_okay=False),
        metavar="FOLDER",
        help="Serve HTTPS; keep the certificate authority in FOLDER, so that it must be trusted only once.",
    ),
    click.option(
        "--tls-cert",
        "certificate",
        type=click.Path(exists=True, dir_okay=False),
        help="Serve HTTPS with this certificate (PEM).",
    ),
    click.option(
        "--tls-key",
        "private_key",
        type=click.Path(exists=True, dir_okay=False),
        help="The private key of --tls-cert, if it is in another file.",
    ),
    click.option(
        "--app-id", metavar="ID", help="The application's id. [default: the --app-id before the command, else a new id]"
    ),
    click.option("--user-pool-id", metavar="ID", help="The user pool's id. [default: a new id]"),
    click.option(
        "--state",
        "state_file",
        type=click.Path(dir_okay=False),
        help="Load everything from this file if it exists, and write everything to it at the end.",
    ),
    click.option(
        "--face",
        type=click.Choice(["same-picture", "any", "none"]),
        help="Which photos show the same face: the same picture, any photo (for a live camera), or no photo.",
    ),
    click.option("--show-codes", is_flag=True, help="Print each message with its code as it is sent."),
    click.option("--no-demo-user", is_flag=True, help="Do not add the ready-made user."),
)

DEFAULT_PORT = 7070


def emulator_options(command: F) -> F:
    """Add the options of every command that serves."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def merged(ctx: click.Context, own: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a command. They override options given before the command (`emulator --port 0 exec …`)."""
    before = ctx.parent.params if ctx.parent is not None else {}
    return {name: value if _given(value) else before.get(name, value) for name, value in own.items()}


def _given(value: object) -> bool:
    return value is not None and value is not False and value != ()


def keywords(context: CliContext, options: dict[str, Any]) -> dict[str, Any]:
    """Return the keywords of `emulator_with_user`.

    Raises:
        click.UsageError: other machines would be served without --allow-remote.
    """
    given = {name: value for name, value in options.items() if _given(value)}
    given.pop("show_codes", None)
    given["port"] = options.get("port") if options.get("port") is not None else DEFAULT_PORT
    given["demo_user"] = not given.pop("no_demo_user", False)
    if "app_id" not in given and context.flags.get("app_id"):
        given["app_id"] = context.flags["app_id"]
    host = given.get("host", "127.0.0.1")
    if not given.get("allow_remote") and not is_loopback(host):
        raise click.UsageError(
            f"{host} is not a loopback address. To serve other machines, give --allow-remote, too: "
            "anyone who can reach the emulator can read its codes."
        )
    return given


def own_error(error: Exception, *, started: bool) -> click.UsageError:
    """Return the message for an emulator that cannot be started, or that *started* and then failed."""
    text = str(error)
    if isinstance(error, OSError):
        text = f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            text += ". Choose another port with --port, or --port 0 for any free port"
    what = "The emulator has ended with an error" if started else "The emulator cannot be started"
    return click.UsageError(f"{what}: {text.rstrip('.')}.")
