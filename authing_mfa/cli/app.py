"""The root group, and the handling of errors."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from authing_mfa._version import __version__
from authing_mfa.cli import exit_codes as exits
from authing_mfa.cli.context import CliContext
from authing_mfa.cli.lazy import LazyGroup
from authing_mfa.cli.output import OutputError, ReaderGoneError, let_streams_degrade
from authing_mfa.cli.settings import SETTINGS
from authing_mfa.errors import AuthingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PROGRAM", "cli", "main"]

PROGRAM = "authing-mfa"

_COMMANDS = "authing_mfa.cli.commands"

SECTIONS = {
    "The journey": {
        "mfa": (f"{_COMMANDS}.mfa:mfa", "Log in and pass the second factor, step by step."),
        "login": (f"{_COMMANDS}.login:login", "Log in. The command names the second factor that is needed."),
        "check": (f"{_COMMANDS}.check:check", "Check if a phone or an address can be bound for MFA."),
        "send": (f"{_COMMANDS}.send:send", "Send a code by SMS or e-mail."),
        "verify": (f"{_COMMANDS}.verify:verify", "Pass the second factor."),
    },
    "Factors": {
        "totp": (f"{_COMMANDS}.totp:totp", "Bind an authenticator app, list it, unbind it, compute codes."),
        "factors": (f"{_COMMANDS}.factors:factors", "List, enroll and remove your second factors."),
        "face": (f"{_COMMANDS}.face:face", "Upload photos, bind a face, verify it."),
        "unbind": (f"{_COMMANDS}.unbind:unbind", "Unbind a phone, an address or another factor."),
    },
    "The stored login": {
        "whoami": (f"{_COMMANDS}.login:whoami", "Show the user of the stored token."),
        "token": (f"{_COMMANDS}.login:token", "Print the token, for other programs."),
        "refresh": (f"{_COMMANDS}.login:refresh", "Renew the token of a logged-in user, and store it."),
        "introspect": (f"{_COMMANDS}.login:introspect", "Check if an mfaToken is valid, and show its user."),
        "logout": (f"{_COMMANDS}.login:logout", "End the session, and delete the stored token."),
    },
    "Tools": {
        "batch": (f"{_COMMANDS}.batch:batch", "Verify many rows from a file."),
        "emulator": (f"{_COMMANDS}.emulator:emulator", "Run an emulator of the service on this machine."),
        "demo": (f"{_COMMANDS}.demo:demo", "Show a whole MFA login on the emulator."),
        "doctor": (f"{_COMMANDS}.doctor:doctor", "Find out why calls to the service fail."),
        "config": (f"{_COMMANDS}.config:config", "Show and change settings."),
        "completion": (f"{_COMMANDS}.completion:completion", "Print the completion script of a shell."),
    },
}

_EPILOG = """\b
Settings come from a flag before the command, else the environment (AUTHING_APP_ID, …), else the
profile, else a default: authing-mfa config list. Passwords, codes and tokens are never arguments,
because every user of the machine can read those: use prompts, --…-stdin or variables.

\b
Exit codes: 0 success, 1 refused, 2 usage, 3 network, 4 login needed, 5 too many requests,
6 service or protocol, 7 part of a batch failed, 74 the output cannot be written,
75 a batch stopped early (use --resume), 130 Ctrl-C, 141 the reader closed the pipe."""


def _setting_options() -> list[click.Parameter]:
    options: list[click.Parameter] = []
    for setting in SETTINGS:
        flag = f"{setting.flag}/--no-{setting.flag[2:]}" if isinstance(setting.default, bool) else setting.flag
        options.append(click.Option([flag], default=None, help=f"{setting.help} [{setting.env}]"))
    options.append(
        click.Option(["--profile"], metavar="NAME", help="Use the settings of this profile. [AUTHING_PROFILE]")
    )
    return options


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": False},
    params=_setting_options(),
)
@click.version_option(__version__, prog_name=PROGRAM)
@click.pass_obj
def cli(context: CliContext, /, profile: str | None, **flags: Any) -> None:
    """Multi-factor authentication with Authing, from the command line."""
    context.flags = flags
    context.profile_flag = profile


def main(arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> int:
    """Run the command line with *arguments*. Return the exit code, see `exit_codes`."""
    let_streams_degrade()
    context = CliContext(os.environ if environ is None else environ)
    try:
        return _run(context, arguments)
    except OutputError as error:
        return _output_lost(context, str(error))
    except ReaderGoneError:
        return exits.READER_GONE
    except OSError as error:  # of a help page
        if error.errno not in _OUTPUT_ERRORS:
            raise
        return _output_lost(context, os.strerror(error.errno))
    finally:
        # Also after Ctrl-C and an unexpected error.
        context.unshown.save(lambda: context.folder, context.output, context.say)
        _discard_unwritten()


def _run(context: CliContext, arguments: Sequence[str]) -> int:
    try:
        result = cli.main(args=list(arguments), prog_name=PROGRAM, standalone_mode=False, obj=context)
    except click.Abort:
        return _interrupted(context)
    except click.ClickException as error:
        own = arguments[: arguments.index("--")] if "--" in arguments else arguments
        context.output.as_json |= "--json" in own  # the option may come after the argument that could not be read
        return _usage(context, error)
    except AuthingError as error:
        from authing_mfa.cli.error_messages import describe

        code = exits.exit_code(error)
        text = context.explain(error)
        context.output.error(text, describe(error, text), code)
        return code
    except SystemExit as end:
        if end.code != 1 or "_AUTHING_MFA_COMPLETE" in context.environ:
            raise  # the end of a shell completion
        raise ReaderGoneError from end  # click ends so when the reader of a help page is gone
    return result if isinstance(result, int) else exits.OK


_OUTPUT_ERRORS: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def _output_lost(context: CliContext, reason: str) -> int:
    context.output.note(context.say("output_lost", reason=reason))
    return exits.OUTPUT


def _discard_unwritten() -> None:
    """Discard what could not be written to stdout, so that Python does not fail when it closes stdout."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:  # it was reported when it was written
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _interrupted(context: CliContext) -> int:
    text = context.say("interrupted")
    context.output.error(text, {"type": "Interrupted", "code": exits.INTERRUPTED, "message": text}, exits.INTERRUPTED)
    return exits.INTERRUPTED


_SECRET_OPTIONS = ("--code", "--password", "--token", "--secret", "--recovery-code", "--totp")


def _usage(context: CliContext, error: click.ClickException) -> int:
    """Print what is wrong with the command line; without arguments, show the help."""
    from click.exceptions import NoArgsIsHelpError

    if isinstance(error, NoArgsIsHelpError):
        context.output.note(error.ctx.get_help() if error.ctx is not None else error.format_message())
        if not context.output.as_json:
            return exits.USAGE
        text = "Missing command."
    else:
        text = error.format_message()
    if isinstance(error, click.NoSuchOption) and error.option_name in _SECRET_OPTIONS:
        text = context.say("never_argv", option=error.option_name)
    if isinstance(error, click.UsageError) and error.ctx is not None and not context.output.as_json:
        context.output.note(error.ctx.get_usage())
    context.output.error(text, {"type": "UsageError", "code": exits.USAGE, "message": text}, exits.USAGE)
    return exits.USAGE
