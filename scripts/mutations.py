"""The changes of `scripts/mutate.py`: in each, one small thing in a module is another one.

Five kinds: a comparison, a boolean, a constant, a returned value, a statement left out; never a sentence (a text with a space), an
annotation or a docstring.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

ONE: Final[tuple[type[ast.cmpop], ...]] = (ast.Eq, ast.Lt, ast.Gt, ast.Is, ast.In)
TWO: Final[tuple[type[ast.cmpop], ...]] = (ast.NotEq, ast.LtE, ast.GtE, ast.IsNot, ast.NotIn)
OTHER: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = dict(zip(ONE + TWO, TWO + ONE, strict=True))
STATEMENTS: Final = (ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.Delete, ast.Continue, ast.Break)
SKIPPED: Final = ("Literal[", "TypeVar(", "ParamSpec(", "cast(", "__all__ =", "if TYPE_CHECKING")


class Mutant(NamedTuple):
    """One change: of *node*, to *text*. The outermost function around it begins at *function*, its statement at *statement*."""

    node: ast.expr | ast.stmt
    text: str
    function: Function | None
    statement: int


def mutants(node: ast.AST, function: Function | None = None, statement: int = 0) -> Iterator[Mutant]:
    """All changes of *node* and of what is in it; inside a *function*, statements too."""
    if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) or ast.unparse(node).startswith(SKIPPED):
        return
    if isinstance(node, ast.stmt):
        statement = node.lineno
    yield from (Mutant(part, text, function, statement) for part, text in at(node, inside=function is not None))
    if function is None and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        function = node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns") or isinstance(node, ast.JoinedStr):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from mutants(child, function, statement)


def at(node: ast.AST, *, inside: bool) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """The changes of *node* itself; *inside* a function, it may be left out."""
    if inside and isinstance(node, STATEMENTS):
        yield node, "pass"
    if isinstance(node, ast.Return) and not (node.value is None or ast.unparse(node.value) == "None"):
        yield node, "return None"
    if isinstance(node, ast.expr):
        yield from ((node, f"({text})") for text in changed(node))
    test = getattr(node, "test", None)
    if isinstance(test, (ast.Name, ast.Attribute, ast.Call)):
        yield test, f"(not {ast.unparse(test)})"


def changed(node: ast.expr) -> Iterator[str]:
    """What an expression becomes."""
    match node:
        case ast.Compare(left, [op], [right]):
            yield ast.unparse(ast.Compare(left, [OTHER[type(op)]()], [right]))
        case ast.BoolOp(op, values):
            yield ast.unparse(ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values))
        case ast.UnaryOp(ast.Not(), operand):
            yield ast.unparse(operand)
        case ast.Constant(bool(value)):
            yield repr(not value)
        case ast.Constant(int(value) | float(value)):
            yield repr(value + 1)
        case ast.Constant(str(value) | bytes(value)) if value and " " not in str(value):
            yield repr("XX" + value if isinstance(value, str) else b"XX" + value)


def applied(source: bytes, mutant: Mutant) -> bytes:
    """*source* with the change."""
    lines, node = source.splitlines(keepends=True), mutant.node
    first = len(b"".join(lines[: node.lineno - 1])) + node.col_offset
    last = len(b"".join(lines[: (node.end_lineno or 0) - 1])) + (node.end_col_offset or 0)
    return source[:first] + mutant.text.encode() + source[last:]
