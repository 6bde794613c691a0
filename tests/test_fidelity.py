"""docs/fidelity.md: a row for each operation that says what is so, and each operation has a rule in the emulator and a command."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from authing_mfa.cli.app import cli
from authing_mfa.emulator.http.routing import route_of
from authing_mfa.emulator.rules import handle
from authing_mfa.operations import OPERATIONS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "fidelity.md").read_text("utf-8")
WIRE = (ROOT / "docs" / "wire.md").read_text("utf-8")
ROWS = {
    cells[0].strip("`"): cells[1:]
    for line in PAGE.partition("| Call |")[2].partition("\n## ")[0].splitlines()
    if line.startswith("| `")
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
}
HEADINGS = {
    re.sub(r"[^\w -]", "", line.lower()).strip().replace(" ", "-")
    for line in re.findall(r"^#+ (.*)$", WIRE, re.MULTILINE)
}
COMMANDS = "\n".join(path.read_text("utf-8") for path in (ROOT / "authing_mfa" / "cli").rglob("*.py"))

each = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)


def test_every_operation_has_a_row_and_no_other_row_is_there():
    """In the order of the package."""
    assert list(ROWS) == [operation.python_name for operation in OPERATIONS]


@each
def test_the_row_says_what_is_so(operation):
    """Route and callback names are the operation's, and the source is a section of the wire reference."""
    wire, clients, names, _, source, assumed = ROWS[operation.python_name]
    assert wire == f"{operation.route.method} `{operation.route.path}`"
    assert names == ", ".join(f"`{name}`" for name in operation.swift_names)
    assert re.fullmatch(r"\[([\w-]+)\]\(wire\.md#\1\)", source)
    assert source[1:].partition("]")[0] in HEADINGS
    assert clients
    assert assumed


@each
def test_the_emulator_has_a_rule(operation):
    """Its path is served, and its operation has a rule."""
    served, _ = route_of(operation.route.method, operation.route.path)
    assert handle.dispatch(served) is not handle.dispatch(object)


@each
def test_there_is_a_command(operation):
    """The command of the row exists, and the command line makes the call."""
    command, names = cli, ROWS[operation.python_name][3].strip("`").split()
    for name in names:
        command = command.get_command(click.Context(command), name)
        assert command is not None, names
    assert re.search(rf"\.{operation.python_name}\b", COMMANDS)
