"""`demo`: the whole journey, in colour."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import attrs
import click

from authing_mfa.cli import exit_codes as exits
from authing_mfa.cli.lazy import Command

if TYPE_CHECKING:
    from authing_mfa.cli.context import CliContext
    from authing_mfa.demo import Step

__all__ = ["demo"]


@click.command(cls=Command)
@click.pass_obj
def demo(context: CliContext, /) -> int:
    """Show a whole MFA login on the emulator.

    Needs no account and no network: a real HTTP server on 127.0.0.1, real TOTP, real pictures. Every step is checked. The exit
    code is 6 if a step has another result than expected.
    """
    from authing_mfa import demo as journey

    steps: list[dict[str, Any]] = []

    def show(step: Step) -> None:
        steps.append(attrs.asdict(step))
        if not context.output.as_json:
            context.output.write(_line(context, step))

    code = exits.OK
    try:
        done = asyncio.run(journey.run(show))
    except journey.StepFailedError as error:
        code = exits.SERVICE
        context.output.warn(str(error))
    else:
        context.output.good(context.say("demo_done", count=len(done)))
        context.output.note(context.say("demo_next"))
    context.output.data({"steps": steps}, code=code)
    return code


def _line(context: CliContext, step: Step) -> str:
    def styled(text: str, **style: Any) -> str:
        return context.output.styled(text, sys.stdout, **style)

    mark = styled("✓", fg="green") if step.ok else styled("✗", fg="red")
    number, elapsed = styled(f"{step.number:>2}", dim=True), styled(f"{step.elapsed * 1000:>6.1f} ms", dim=True)
    is_error = step.outcome.partition(":")[0].endswith("Error")
    outcome = styled(step.outcome, fg="red" if not step.ok else "yellow" if is_error else None)
    return f"{number} {mark} {styled(f'{step.call:<41}', fg='cyan')} {elapsed}  {outcome}"
