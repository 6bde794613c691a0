"""`doctor`: why the service does not answer, and what to do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import attrs
import click

from authing_mfa.cli.lazy import Command
from authing_mfa.cli.output import cell

if TYPE_CHECKING:
    from authing_mfa.cli.context import CliContext

__all__ = ["doctor"]

_MARKS = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red"), "skip": ("skip", None)}


@click.command(cls=Command)
@click.pass_obj
def doctor(context: CliContext, /) -> int:
    """Find out why calls to the service fail.

    The command checks the version, the settings, the host name, the connection, TLS, the application's public-config, the key for
    passwords, the clock and the stored token, and says what to fix. It sends no token. The exit code is 0 if nothing fails, else the code of the first failure.
    """
    from authing_mfa.cli.diagnosis import Diagnosis

    findings: list[dict[str, Any]] = []
    code = 0
    for finding in Diagnosis(context).findings():
        findings.append(attrs.asdict(finding))
        code = code or finding.exit
        if not context.output.as_json:
            text, colour = _MARKS[finding.status]
            context.output.write(
                f"{context.output.styled(text, sys.stdout, fg=colour)}  {finding.check:<13} {cell(finding.detail)}"
            )
            if finding.fix:
                context.output.write(f"      {context.output.styled('->', sys.stdout, fg=colour)} {cell(finding.fix)}")
    context.output.data({"checks": findings}, code=code)
    return code
