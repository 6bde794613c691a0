"""Groups that know their commands by name and sentence, and import one when it is run; and what all commands share."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Command", "LazyGroup", "json_option"]

Entry = tuple[str, str]  # "module:attribute", one sentence


def _set_json(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click calls it so
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
    """Takes `--json`, and tells the output the name it is called by."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(json_option())

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """As click does, but the name is known before the arguments are read: a usage error tells it."""
        if parent is not None and parent.obj is not None:
            path = f"{parent.command_path} {info_name}".partition(" ")[2]
            parent.find_root().obj.output.command = path
        return super().make_context(info_name, args, parent, **extra)


class Command(_Named):
    """A command."""


class LazyGroup(_Named, click.Group):
    """A group whose commands are imported when they are run, not for the list in its help.

    Args:
        sections: title of a part of the list, to its commands: name, where it is, one sentence.
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
        """The commands come first: they are what is looked for."""
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in the help, from the table alone."""
        if not self.entries:
            super().format_commands(ctx, formatter)
            return
        width = max(len(name) for name in self.entries)
        for title, part in self.sections.items():
            rows: Sequence[tuple[str, str]] = [(name.ljust(width), text) for name, (_, text) in part.items()]
            with formatter.section(title):
                formatter.write_dl(rows)
