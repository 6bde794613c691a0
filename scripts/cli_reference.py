"""Write the reference of the command line, docs/cli.md, from the commands themselves.

``python -m scripts.cli_reference docs/cli.md`` writes it; without a path it goes to stdout.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from authing_mfa.cli.app import PROGRAM, cli
from authing_mfa.cli.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["main", "reference"]

_HEAD = """\
<!-- Written by `python -m scripts.cli_reference docs/cli.md`; edit the commands, not this file. -->

# The command line

`authing-mfa` makes the calls of the library from a terminal or a script.

```sh
pip install "authing-mfa[cli]"
authing-mfa config set app_id YOUR_APP_ID
authing-mfa mfa                      # log in and pass the second factor, step by step
```

Without an installation: `uvx --from "authing-mfa[cli]" authing-mfa demo`, or `pipx run --spec "authing-mfa[cli]" authing-mfa demo`. To install
it: `pipx install "authing-mfa[cli]"`, or `uv tool install "authing-mfa[cli]"`.

Try it without an account: `authing-mfa demo`, or `authing-mfa emulator exec -- sh`, a shell with its own emulator.

![The interactive journey](images/mfa.svg)

## Step by step, and in scripts

A login that needs a second factor ends with exit code 4 and **stores the mfaToken**, so the next commands continue the
login; they use the phone and the address of the challenge. After a verification the user's token is stored instead.

```sh
authing-mfa login ada                # asks for the password; 1636: a second factor is needed
authing-mfa send sms                 # to the phone of the challenge
authing-mfa verify sms               # asks for the code
authing-mfa whoami
```

- **stdout has the data, stderr everything else**: messages, warnings, prompts, progress.
- **No secret is ever an argument.** Passwords, codes, tokens and TOTP secrets come from a prompt without echo, from a line of
  stdin (`--password-stdin`, `--code-stdin`, `--token-stdin`, `--secret-stdin`; with several of them one line each, in the order
  token, password, code) or from the environment (`AUTHING_PASSWORD`, `AUTHING_CODE`, `AUTHING_TOKEN`, `AUTHING_TOTP_SECRET`).
  Spaces at the ends are removed, but not those of a password: they are a part of it.
  Every user of the machine can read arguments, and the shell stores them in its history; so there is no `--code`.
- **Which token**: `--token-stdin`, else `AUTHING_TOKEN`, else the login that is stored for this profile, application and service
  (in the keyring; if no keyring can be used, in a file of mode 0600, with a warning).
- **Language**: messages are in English or Chinese (`--lang`, `AUTHING_LANG`, else the locale). Help texts are in English, and so are some errors
  about options, settings and files.
- **Colour**: on terminals only, and not with `TERM=dumb`; `NO_COLOR` switches it off, `FORCE_COLOR` on.

## Settings

The order of precedence: a flag before the command, the environment, the profile, the default. `authing-mfa config path` prints the
profile file; `--profile NAME` or `AUTHING_PROFILE` chooses the profile. `authing-mfa config list` shows each value and its source. A `host` of higher precedence overrides a `base_url` of lower precedence.
"""

_JSON = """\
## JSON

With `--json` (before or after the command) stdout gets exactly one object, on one line, also when the command fails;
messages still go to stderr. Later versions may add fields, but remove none.

```json
{"ok": true, "command": "verify sms", "exit": 0, "data": {"id": "…", "username": "ada", "…": "…"}}
{"ok": false, "command": "verify sms", "exit": 1, "error": {"type": "WrongCodeError", "code": 2001, "message": "…"}}
```

| field | |
|---|---|
| `ok` | whether the exit code is 0 |
| `command` | the command's name, `""` if it is unknown |
| `exit` | the exit code |
| `data` | the result, see the table below |
| `error.type` | the class of the error in the library, `UsageError`, `NotBindable` or `Interrupted` |
| `error.code` | the service's code, one of the library's (10001-10106), or the exit code of a usage error |
| `error.message` | a sentence in the chosen language; decide by `type` and `code`, never by the sentence |
| `error.service_message` | the service's own message, null if it did not answer |
| `error.delivery` | `not_sent`, `unknown` (the service may have acted) or `answered` |
| `error.http_status`, `error.request_id`, `error.retry_after` | the value, or null |
| `error.challenge` | if a second factor is needed: `factors`, `phone`, `phone_country_code`, `email`, `totp_enabled`, `face_enabled` |

| command | `data` |
|---|---|
| `login`, `verify …`, `face bind`, `face verify`, `mfa`, `whoami` | the user: `id`, `username`, `nickname`, `name`, `email`, `phone`, `phone_country_code`, `photo`, `user_pool_id`; `recovery_code` if there is a new one; `token` with `--show-token`; of `whoami` also `custom` and `security` with these options |
| `check` | `bindable`, `phone`, `email` |
| `send sms`, `send email` | `channel`, `to` |
| `totp associate` | `secret`, `uri`, `recovery_code` |
| `totp confirm` | `confirmed`, or the user if the service returns one |
| `totp check` | `verified` |
| `totp list` | `authenticators`: `id`, `type`, `enabled`, `source` |
| `totp code` | `code`, `seconds_left`, `period` |
| `totp qr` | `uri` |
| `totp delete`, `unbind …` | `unbound` |
| `factors list` | `factors`: `id`, `type`, `phone`, `phone_country_code`, `email`; `can_enroll` |
| `factors show`, `factors add` | a factor as above; with `recovery_code` after TOTP was added |
| `factors remove` | `unbound`, `id` |
| `face upload` | `key`, `private` |
| `token` | `token`, `kind` (`user`, `mfa` or `environment`), `account` |
| `refresh` | `issued_at`, `expires_at`, `stored`; `token` if it was not stored |
| `introspect` | `active`, `user_id`, `user_pool_id`, `issued_at`, `expires_at` |
| `logout` | `forgotten`, `told` |
| `config list` | `profile`, `file`, `settings`: `key`, `value`, `source` (`flag`, `environment`, `profile`, `locale`, `kept`, `default`), `where`, `unused` |
| `config get` | `key`, `value`, `source` |
| `config set`, `config unset` | `key`, `profile`, `file` |
| `config path` | `file` |
| `doctor` | `checks`: `check`, `status` (`ok`, `warn`, `fail`, `skip`), `detail`, `fix`, `exit` |
| `demo` | `steps`: `number`, `call`, `outcome`, `elapsed`, `ok` |
| `batch` | the summary: `done`, `ok`, `rejected`, `failed`, `unknown`, `codes`, `elapsed`, `interrupted`, `stopped`, `recovery_file`, `resumable`, `dry_run`, `total`, `input`, `findings`; on stderr if the outcomes go to stdout |
| `emulator inbox` | `messages`: `id`, `channel`, `to`, `target` (with its country code), `code`, `scene`, `sent_at`, `text`; with `--follow` one message per line, without the envelope |
| `emulator init` | `file` |
| `completion` | `shell`, `script` |

`emulator` and `emulator serve` print their ready line without the envelope: `url`, `inbox`, `lan`, `app_id`, `user_pool_id`,
`public_key`, `ca`, `user`. `emulator exec` itself prints nothing.

![A batch](images/batch.svg)

## Commands
"""

_EXITS = """\
## Exit codes

| code | |
|---|---|
| 0 | success, or the answer is yes |
| 1 | refused: wrong password or code, face not accepted, account locked or disabled, phone or address not bindable |
| 2 | usage: an option, a setting, a picture or a code is missing or invalid; nothing was sent (by `mfa`, at most the login) |
| 3 | network or time-out; the service may have acted, unless the message says that nothing was sent |
| 4 | login needed: no token, an expired token, or the login needs more: a second factor, a captcha, a new password |
| 5 | too many requests: nothing was done |
| 6 | service or protocol: any other refusal, or an invalid answer |
| 7 | some rows of a batch failed, or it stopped and a person must find the reason (`batch` only) |
| 74 | the output cannot be written, for example because the disk is full; what the command does was done |
| 75 | a batch stopped early: run the same command with --resume (`batch` only) |
| 130 | interrupted with Ctrl-C |
| 141 | the reader closed the pipe, as `head` does |
"""


def reference() -> str:
    """Return the whole reference as Markdown."""
    parts = [_HEAD, _settings(), _EXITS, _JSON]
    context = click.Context(cli, info_name=PROGRAM)
    for command, ctx in _walk(cli, context):
        parts.append(_section(command, ctx))
    parts.append("![The demo](images/demo.svg)\n")
    return "\n".join(parts)


def _settings() -> str:
    lines = ["| setting | flag | environment | default | |", "|---|---|---|---|---|"]
    for setting in SETTINGS:
        default = (
            ""
            if setting.default is None
            else f"`{str(setting.default).lower() if isinstance(setting.default, bool) else setting.default}`"
        )
        lines.append(f"| `{setting.name}` | `{setting.flag}` | `{setting.env}` | {default} | {setting.help} |")
    return "\n".join(lines) + "\n"


def _walk(group: click.Group, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Yield every command below *group*, in the order of the help."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, parent=context, info_name=name)
        yield command, inner
        if isinstance(command, click.Group):
            yield from _walk(command, inner)


def _section(command: click.Command, context: click.Context) -> str:
    level = "###" if context.parent is not None and context.parent.parent is None else "####"
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [f"{level} {context.command_path.removeprefix(PROGRAM + ' ')}", "", "```sh", usage, "```", ""]
    lines += [*_prose(command.help or ""), ""]
    options = [each for each in command.params if isinstance(each, click.Option) and each.opts != ["--json"]]
    records = [option.get_help_record(context) for option in options]
    rows = [f"| `{record[0].replace('|', chr(92) + '|')}` | {record[1]} |" for record in records if record is not None]
    if rows:
        lines += ["| option | |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _prose(text: str) -> Iterator[str]:
    """Return a docstring as Markdown: a paragraph that click keeps unchanged (after a backspace) becomes a code block."""
    for place, paragraph in enumerate(inspect.cleandoc(text).split("\n\n")):
        if place:
            yield ""
        if paragraph.startswith("\b"):
            yield from ("```sh", paragraph.removeprefix("\b").strip("\n"), "```")
        else:
            yield paragraph


def main(arguments: list[str] | None = None) -> None:
    """Write the reference to the path given, or to stdout."""
    given = sys.argv[1:] if arguments is None else arguments
    if given:
        Path(given[0]).write_text(reference(), encoding="utf-8")
    else:
        sys.stdout.write(reference())


if __name__ == "__main__":
    main()
