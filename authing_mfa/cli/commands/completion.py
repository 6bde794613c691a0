"""`completion bash|zsh|fish`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import get_completion_class

from authing_mfa.cli.lazy import Command

if TYPE_CHECKING:
    from authing_mfa.cli.context import CliContext

__all__ = ["completion"]


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, /, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash: authing-mfa completion bash > ~/.local/share/bash-completion/completions/authing-mfa
    zsh:  authing-mfa completion zsh > "${fpath[1]}/_authing-mfa"
    fish: authing-mfa completion fish > ~/.config/fish/completions/authing-mfa.fish
    """  # noqa: D301 - click keeps what follows a backspace as it is
    kind = get_completion_class(shell)
    assert kind is not None, "click knows the three shells"
    context: CliContext = ctx.obj
    script = kind(ctx.find_root().command, {}, "authing-mfa", "_AUTHING_MFA_COMPLETE").source()
    context.output.data({"shell": shell, "script": script}, script.rstrip("\n"))
