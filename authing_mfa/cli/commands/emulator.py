"""`emulator serve|exec|init|inbox`; `emulator` alone serves."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from authing_mfa.cli import exit_codes as exits
from authing_mfa.cli.emulator_options import DEFAULT_PORT, emulator_options, keywords, merged, own_error
from authing_mfa.cli.lazy import Command, LazyGroup
from authing_mfa.cli.output import cell

if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue

    from authing_mfa.cli.context import CliContext
    from authing_mfa.emulator import Emulator

__all__ = ["emulator"]


@click.group(cls=LazyGroup, invoke_without_command=True)
@emulator_options
@click.pass_context
def emulator(ctx: click.Context, /, **options: Any) -> int | None:
    """Run an emulator of the service on this machine.

    It serves every MFA call, keeps its state in memory and needs no account. Without a command it serves until Ctrl-C
    and prints its address, its application and a ready-made user. The page at its address shows the messages. With --json it prints
    one ready line, an object with url, inbox, lan, app_id, user_pool_id, public_key, ca and user.
    """
    if ctx.invoked_subcommand is None:
        return _serve(ctx.obj, options)
    return None


@emulator.command()
@emulator_options
@click.pass_context
def serve(ctx: click.Context, /, **options: Any) -> int:
    """Serve until Ctrl-C, like emulator without a command."""
    return _serve(ctx.obj, merged(ctx, options))


def _serve(context: CliContext, options: dict[str, Any]) -> int:
    from authing_mfa.emulator.serving import ready_report

    def ready(emulator: Emulator) -> None:
        report = ready_report(emulator)
        if context.output.as_json:
            context.output.write_json(report)
            return
        for line in _ready_lines(context, report):
            context.output.write(line)
        context.output.note("Ctrl-C ends it.")

    return _serving(context, options, ready)


def _serving(
    context: CliContext,
    options: dict[str, Any],
    ready: Callable[[Emulator], None],
    until: Callable[[SimpleQueue[int]], int] | None = None,
) -> int:
    """Serve until a signal comes. With *until*: call it with the queue of the signals, and serve until it returns the exit code."""
    import signal

    from authing_mfa.emulator.serving import emulator_with_user, stop_signals, wait_for_signal

    given, started = keywords(context, options), False
    try:
        with stop_signals() as told, emulator_with_user(**given) as emulator:
            if options.get("show_codes"):
                _show_codes(context, emulator)
            ready(emulator)
            started = True
            if until is not None and told.empty():
                return until(told)
            number = wait_for_signal(told)
    except (OSError, ValueError, ImportError) as error:
        raise own_error(error, started=started) from error
    if number == signal.SIGINT:
        raise click.Abort
    return exits.OK


def _show_codes(context: CliContext, emulator: Emulator) -> None:
    """Print each message in another thread: a stopped terminal must not stop the emulator."""
    import threading
    from queue import SimpleQueue

    from authing_mfa.emulator.state.messages import message_json

    queue: SimpleQueue[Any] = SimpleQueue()
    emulator.on_message = queue.put

    def print_all() -> None:
        while True:
            message = message_json(queue.get())
            if context.output.as_json:
                context.output.write_json({"message": message})
            else:
                context.output.write(_message_line(context, message))

    threading.Thread(target=print_all, name="authing-emulator-codes", daemon=True).start()


def _ready_lines(context: CliContext, report: dict[str, Any]) -> list[str]:
    user = report["user"] or {}
    who = " / ".join(str(user[name]) for name in ("username", "password", "phone", "email") if user.get(name))
    pairs = [
        ("address", report["url"]),
        ("in the network", ", ".join(report["lan"]) or None),
        ("inbox", f"{report['inbox']}  (messages, users, faults, clock)"),
        ("application", report["app_id"]),
        ("user", who or None),
        ("authority", report["ca"]),
    ]
    variables = {
        "AUTHING_BASE_URL": report["url"],
        "AUTHING_APP_ID": report["app_id"],
        "AUTHING_USER_POOL_ID": report["user_pool_id"],
        "AUTHING_PUBLIC_KEY": report["public_key"],
        "AUTHING_CA_FILE": report["ca"],
    }
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items() if value]
    return ["The emulator is ready.", *context.output.fields(pairs), "", "# for another shell:", *exports]


@emulator.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@emulator_options
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def exec_(ctx: click.Context, /, command: tuple[str, ...], **options: Any) -> int:
    """Run COMMAND against an emulator, and stop it afterwards.

    For instance: authing-mfa emulator exec -- pytest

    AUTHING_BASE_URL, AUTHING_APP_ID, AUTHING_USER_POOL_ID, AUTHING_PUBLIC_KEY and AUTHING_EMULATOR are set for COMMAND, AUTHING_TOKEN
    is removed. The default port is any free port. The exit code is the exit code of COMMAND (128 + n if signal n ended it, 127 if it
    does not exist).
    """
    from authing_mfa.emulator.serving import environment

    given = merged(ctx, options)
    if given["port"] is None:
        given["port"] = 0
    variables: dict[str, str] = {}
    return _serving(
        ctx.obj,
        given,
        lambda emulator: variables.update(environment(emulator)),
        lambda told: _run_command(ctx.obj, command, variables, told),
    )


def _run_command(
    context: CliContext, command: tuple[str, ...], variables: dict[str, str], told: SimpleQueue[int]
) -> int:
    """Run *command* to its end, and hand on SIGTERM. Ctrl-C also reaches the command, which decides what to do."""
    import signal
    import subprocess
    import threading

    from authing_mfa.emulator.serving import wait_for_signal

    environ = {name: value for name, value in os.environ.items() if name != "AUTHING_TOKEN"}
    try:
        process = subprocess.Popen(command, env=environ | variables)  # noqa: S603 - the user asks to run it
    except OSError as error:
        context.output.note(f"{command[0]}: {error.strerror}")
        return 127 if isinstance(error, FileNotFoundError) else 126

    def tell_end() -> None:
        process.wait()
        told.put(0)

    threading.Thread(target=tell_end, name="authing-emulator-command", daemon=True).start()
    while number := wait_for_signal(told):
        if number == signal.SIGTERM:
            process.terminate()
    status = process.wait()
    return status if status >= 0 else 128 - status


@emulator.command()
@click.argument("path", default="emulator.yaml", type=click.Path(dir_okay=False))
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.pass_obj
def init(context: CliContext, /, path: str, *, force: bool) -> None:
    """Write a commented seed file to PATH (emulator.yaml).

    Then: authing-mfa emulator --seed-file emulator.yaml
    """
    from authing_mfa.emulator.seeding import write_starter

    try:
        write_starter(path, overwrite=force)
    except FileExistsError:
        raise click.UsageError(f"{path} exists already; --force overwrites it.") from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}.") from error
    context.output.good(f"Written. Next: authing-mfa emulator --seed-file {path}")
    context.output.data({"file": str(Path(path).resolve())}, path)


@emulator.command(cls=Command)
@click.option("--to", metavar="TARGET", help="Only messages to this phone or address.")
@click.option(
    "--wait", type=click.FloatRange(0, 60), default=0.0, metavar="SECONDS", help="Wait up to this long for a message."
)
@click.option("-f", "--follow", is_flag=True, help="Print new messages until Ctrl-C.")
@click.option("--code", "code_only", is_flag=True, help="Print only the newest code.")
@click.option("--url", metavar="URL", help="The emulator's address. [default: AUTHING_BASE_URL, the profile]")
@click.pass_obj
def inbox(
    context: CliContext, /, to: str | None, wait: float, url: str | None, *, follow: bool, code_only: bool
) -> int:
    """Show the messages that an emulator sent, oldest first.

    One message per line: time, channel, recipient, code. Exit code 1 if there is no message. With --follow and --json, one
    object per line.
    """
    from authing_mfa.cli.inbox import ask, follow_messages

    if to is not None and not to.strip():
        raise click.UsageError("The TARGET of --to is empty.")
    known = context.value("base_url") or f"http://127.0.0.1:{DEFAULT_PORT}"
    base = (known if url is None else url).rstrip("/")

    def line(message: dict[str, Any]) -> str:
        return str(message["code"]) if code_only else _message_line(context, message)

    if follow:
        for message in follow_messages(base, to, context.value("ca_file")):
            if context.output.as_json:
                context.output.write_json(message)
            else:
                context.output.write(line(message))
    messages = ask(base, to, wait, context.value("ca_file"))
    if code_only:
        messages = messages[-1:]
    code = exits.OK if messages else exits.NO
    context.output.data({"messages": messages}, map(line, messages), code=code)
    return code


def _message_line(context: CliContext, message: dict[str, Any]) -> str:
    from datetime import UTC, datetime

    sent = f"{datetime.fromtimestamp(message['sent_at'], UTC):%Y-%m-%dT%H:%M:%SZ}"
    code = context.output.styled(cell(message["code"]), sys.stdout, bold=True)
    return f"{sent}\t{message['channel']}\t{cell(message['to'])}\t{code}"
