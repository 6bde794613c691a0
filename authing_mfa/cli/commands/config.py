"""`config list|get|set|unset|path`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from authing_mfa._jwt import time_claim
from authing_mfa.cli.lazy import LazyGroup
from authing_mfa.cli.output import moment
from authing_mfa.cli.settings import PROFILE_KEYS, parse

if TYPE_CHECKING:
    from authing_mfa.cli.context import CliContext

__all__ = ["config"]

_MASK: Final = "********"
_SECRET_VARIABLES: Final = {
    "password": "AUTHING_PASSWORD",
    "code": "AUTHING_CODE",
    "totp_secret": "AUTHING_TOTP_SECRET",
}


@click.group(cls=LazyGroup)
def config() -> None:
    """Show and change settings.

    A setting comes from a flag before the command, else from the environment, else from the profile, else from its default.
    """


@config.command("list")
@click.pass_obj
def list_(context: CliContext, /) -> None:
    """Show every setting, where it came from, and secrets masked."""
    rows: list[dict[str, Any]] = [
        {
            "key": name,
            "value": found.value,
            "source": found.source,
            "where": found.where or None,
            "unused": found.unused or None,
        }
        for name, found in context.values.items()
    ]
    rows += _secrets(context)
    data = {"profile": context.profile, "file": str(context.profiles.path), "settings": rows}
    lines = [(row["key"], _shown(row), _whence(row)) for row in rows]
    context.output.data(data, context.output.table(("KEY", "VALUE", "SOURCE"), lines))


def _shown(row: dict[str, Any]) -> str:
    value = row["value"]
    if value is None:
        return "-"
    text = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _whence(row: dict[str, Any]) -> str:
    whence = row["source"] + (f" {row['where']}" if row["where"] else "")
    return f"{whence} (unused: {row['unused']})" if row["unused"] else whence


def _secrets(context: CliContext) -> list[dict[str, Any]]:
    """Return the token and other values of the environment, masked."""

    def row(key: str, source: str, where: str | None, about: str = "") -> dict[str, Any]:
        value = f"{_MASK}{about}" if source != "default" else None
        return {"key": key, "value": value, "source": source, "where": where, "unused": None}

    login = context.login()
    if login is None:
        rows = [row("token", "default", None)]
    else:
        expires = time_claim(login.token, "exp")
        until = "" if expires is None else f", until {moment(expires)}"
        if login.kind == "environment":
            rows = [row("token", "environment", "AUTHING_TOKEN", f" ({until[2:]})" if until else "")]
        else:
            what = "mfaToken" if login.kind == "mfa" else "login"
            rows = [row("token", "kept", None, f" ({what} of {login.account or '?'}{until})")]
    for key, variable in _SECRET_VARIABLES.items():
        if context.environ.get(variable, "").strip():
            rows.append(row(key, "environment", variable))
    return rows


def _known(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    name = value.replace("-", "_")
    if name in PROFILE_KEYS:
        return name
    if name in ("token", *_SECRET_VARIABLES):
        raise click.BadParameter("secrets are not kept in a profile: use the environment, stdin, or a login.")
    raise click.BadParameter(f"there is no setting {value}; the settings are {', '.join(PROFILE_KEYS)}.")


@config.command()
@click.argument("key", callback=_known)
@click.pass_obj
def get(context: CliContext, /, key: str) -> None:
    """Print the effective value of one setting."""
    found = context.values[key]
    row = {"value": context.value(key)}
    value = context.value(key)
    context.output.data({"key": key, "value": value, "source": found.source}, () if value is None else _shown(row))


@config.command("set")
@click.argument("key", callback=_known)
@click.argument("value")
@click.pass_obj
def set_(context: CliContext, /, key: str, value: str) -> None:
    """Set KEY in the profile (--profile, else default).

    The command rewrites the file: comments in it are lost.
    """
    context.profiles.change(context.profile, key, parse(PROFILE_KEYS[key], value, "the command line"))
    context.output.good(context.say("set", name=key, profile=context.profile))
    context.output.data({"key": key, "profile": context.profile, "file": str(context.profiles.path)})


@config.command()
@click.argument("key", callback=_known)
@click.pass_obj
def unset(context: CliContext, /, key: str) -> None:
    """Remove KEY from the profile (--profile, else default)."""
    context.profiles.change(context.profile, key, None)
    context.output.good(context.say("unset", name=key, profile=context.profile))
    context.output.data({"key": key, "profile": context.profile, "file": str(context.profiles.path)})


@config.command()
@click.pass_obj
def path(context: CliContext, /) -> None:
    """Print where the profile file is."""
    context.output.data({"file": str(context.profiles.path)}, str(context.profiles.path))
