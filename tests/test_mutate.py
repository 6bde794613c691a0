"""scripts/mutate.py: what it is told to change and to run is there, and each change leaves a program that can be read."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from scripts.mutate import GROUPS
from scripts.mutations import applied, mutants

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("group", GROUPS)
def test_the_modules_and_tests_of_a_group_exist(group):
    """A file that was moved is noticed here."""
    modules, tests = GROUPS[group]["modules"], GROUPS[group]["tests"]
    named = [*modules, *tests, *(test for own in modules.values() for test in own)]
    assert [name for name in named if name.endswith(".py") and not (ROOT / name).is_file()] == []


def test_each_change_changes_something_and_can_be_read():
    """No docstring, annotation or sentence is among them; every kind of change is."""
    source = (ROOT / "authing_mfa" / "retry.py").read_bytes()
    found = list(mutants(ast.parse(source)))
    changed = [applied(source, mutant) for mutant in found]
    assert source not in changed
    assert len({ast.unparse(ast.parse(text)) for text in changed}) == len(changed) > 20
    assert {type(mutant.node) for mutant in found} >= {ast.Compare, ast.BoolOp, ast.Constant, ast.Return}
