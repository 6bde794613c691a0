"""Groups that know each command's name and sentence and import a command only when it runs; and what all commands share."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Command", "LazyGroup", "json_option"]

Entry = tuple[str, str]  # "module:attribute", one sentence


def _set_json(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click calls the function so
    if value and not ctx.resilient_parsing:
        ctx.find_root().obj.output.as_json = True


def json_option() -> click.Option:
    """`--json`, the same before and after the command."""
    return click.Option(
        ["--json"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_set_json,
        help="Print one JSON object, errors included.",
    )


class _Named(click.Command):
    """Adds `--json`, and gives the output the name of the command."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(json_option())

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """As in click, but the name is set before the arguments are read, so that a usage error can name the command."""
        if parent is not None and parent.obj is not None:
            path = f"{parent.command_path} {info_name}".partition(" ")[2]
            parent.find_root().obj.output.command = path
        return super().make_context(info_name, args, parent, **extra)


class Command(_Named):
    """A command. An argument that it has no place for is refused without being shown: it may be a password or a code."""

    allow_extra_args = True  # click's own refusal shows them

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As in click, but the error for surplus arguments shows only how many there are."""
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            ctx.fail(ctx.find_root().obj.say("too_many_arguments", count=len(rest)))
        return rest


class LazyGroup(_Named, click.Group):
    """A group whose commands are imported when they are run, not for the list in its help.

    Args:
        sections: for each title in the list its commands: name, module and attribute, one sentence.
    """

    command_class = Command

    def __init__(self, *args: Any, sections: Mapping[str, Mapping[str, Entry]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections: dict[str, Mapping[str, Entry]] = dict(sections or {})
        self.entries: dict[str, Entry] = {
            name: entry for part in self.sections.values() for name, entry in part.items()
        }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the sections."""
        return [*self.entries, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, imported now."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = entry[0].partition(":")
        found = getattr(import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands first: readers look for them."""
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table alone."""
        if not self.entries:
            super().format_commands(ctx, formatter)
            return
        width = max(len(name) for name in self.entries)
        for title, part in self.sections.items():
            rows: Sequence[tuple[str, str]] = [(name.ljust(width), text) for name, (_, text) in part.items()]
            with formatter.section(title):
                formatter.write_dl(rows)
