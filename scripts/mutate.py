"""Mutation testing: `python -m scripts.mutate pure 300` tries 300 changes of a group's modules, and says which no test notices.

Five kinds of change: a comparison, a boolean, a constant, a returned value, a statement left out; never a sentence (a text with a
space), an annotation or a docstring. The changed module stands in a copy of the repository. First the module's own tests run
(`mutate.json`), and where they find nothing those of its group. Each run is a fork of one process that has imported the dependencies.
Survivors are printed. Ctrl-C ends it early: the changes come in random order, so what was tried is a sample as well.
"""

from __future__ import annotations

import ast
import compileall
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parent.parent
GROUPS: Final = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
PRELOADED: Final = ("pytest", "aiohttp.web", "aioresponses", "cattrs", "PIL.Image", "sqlalchemy.ext.asyncio")
OPTIONS: Final = ["-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0"]
ONE: Final[tuple[type[ast.cmpop], ...]] = (ast.Eq, ast.Lt, ast.Gt, ast.Is, ast.In)
TWO: Final[tuple[type[ast.cmpop], ...]] = (ast.NotEq, ast.LtE, ast.GtE, ast.IsNot, ast.NotIn)
OTHER: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = dict(zip(ONE + TWO, TWO + ONE, strict=True))
STATEMENTS: Final = (ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.Delete, ast.Continue, ast.Break)
SKIPPED: Final = ("Literal[", "TypeVar(", "ParamSpec(", "cast(", "__all__ =", "if TYPE_CHECKING")


class Mutant(NamedTuple):
    """One change: of *node*, to *text*."""

    node: ast.expr | ast.stmt
    text: str


def mutants(node: ast.AST, *, inside: bool = False) -> Iterator[Mutant]:
    """All changes of *node* and of what is in it; *inside* a function, statements too."""
    if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) or ast.unparse(node).startswith(SKIPPED):
        return
    if inside and isinstance(node, STATEMENTS):
        yield Mutant(node, "pass")
    if isinstance(node, ast.Return) and not (node.value is None or ast.unparse(node.value) == "None"):
        yield Mutant(node, "return None")
    if isinstance(node, ast.expr):
        yield from (Mutant(node, f"({text})") for text in changed(node))
    inside = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns") or isinstance(node, ast.JoinedStr):
            continue
        if name == "test" and isinstance(value, (ast.Name, ast.Attribute, ast.Call)):
            yield Mutant(value, f"(not {ast.unparse(value)})")
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from mutants(child, inside=inside)


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


def run(copy: Path, tests: list[str], limit: float = 300.0) -> str:
    """Run *tests* in a fork: "survived", "killed", or "stopped" after *limit* seconds."""
    if not (child := os.fork()):
        os.setsid()
        os.chdir(copy)
        sys.path[0], sys.dont_write_bytecode = str(copy), True
        with (copy / "output.txt").open("wb") as output, suppress(BaseException):
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os._exit(int(import_module("pytest").main([*OPTIONS, *tests])))
        os._exit(3)
    deadline, status, ended = time.monotonic() + limit, 1, 0
    try:
        while not ended and time.monotonic() < deadline:
            time.sleep(0.02)
            ended, status = os.waitpid(child, os.WNOHANG)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # and all that it started
    if not ended:
        os.waitpid(child, 0)
        return "stopped"
    return "killed" if status else "survived"


def main() -> None:
    """Try the changes of one group: as many as the command line says, drawn with a fixed seed, else all."""
    group, count = sys.argv[1], int(sys.argv[2]) if sys.argv[2:] else None
    modules, tests = GROUPS[group]["modules"], GROUPS[group]["tests"]
    sources = {path: (ROOT / path).read_bytes() for path in modules}
    found = [(path, mutant) for path, source in sources.items() for mutant in mutants(ast.parse(source))]
    drawn = random.Random(17).sample(found, min(count or len(found), len(found)))  # noqa: S311 - not a secret
    counts = {"killed": 0, "stopped": 0, "survived": 0}
    with tempfile.TemporaryDirectory() as folder, suppress(KeyboardInterrupt):
        copy = Path(folder, "copy")
        for name in subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines():  # noqa: S607 - git is found by PATH
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
        compileall.compile_dir(copy / "authing_mfa", quiet=1)
        os.environ["PYTHONPATH"] = str(copy)
        for name in PRELOADED:
            import_module(name)
        if (unchanged := run(copy, tests, 900)) != "survived":
            sys.exit(f"{unchanged} without a change:\n{(copy / 'output.txt').read_text()}")
        for path, mutant in drawn:
            (copy / path).write_bytes(applied(sources[path], mutant))
            if (result := run(copy, modules[path])) == "survived":
                result = run(copy, tests)
            counts[result] += 1
            (copy / path).write_bytes(sources[path])
            if result != "killed":
                before = ast.unparse(mutant.node).partition("\n")[0]
                print(f"{result} {path}:{mutant.node.lineno}: {before} -> {mutant.text}", flush=True)
    print(f"{group}: {counts} of {len(found)}")


if __name__ == "__main__":
    main()
