"""Mutation testing: `python -m scripts.mutate pure 300 --seed 5` tries 300 changes of a group's modules, and says which no test notices.

`scripts/mutations.py` makes the changes, `scripts/mutation_runs.py` the runs; `mutate.json` says which modules and tests a group has.
The changed module stands in a copy of the repository. All runs are forks:

- One run measures which tests execute which lines, and how long each test takes.
- One process collects the tests and waits. For a change inside a function that was not called during the import, a fork of it replaces
  the code of the function and runs the tests that execute the line, the quickest first.
- For any other change, pytest starts anew: first with the module's own tests, then with those of the group.

Survivors are printed. Ctrl-C ends it early: the changes come in random order, so what was tried is a sample as well. `--skip` leaves out
those that an earlier run with the same seed has tried. `--only FILE` tries the survivors of an earlier run again, with its output.
"""

from __future__ import annotations

import argparse
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
from collections import Counter
from contextlib import suppress
from functools import partial
from importlib import import_module
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scripts.mutation_runs import START_ANEW, Collected, Measured, Measurement, pytest_on, run, start
from scripts.mutations import applied, mutants

if TYPE_CHECKING:
    from scripts.mutations import Mutant

ROOT: Final = Path(__file__).parent.parent
GROUPS: Final = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
PRELOADED: Final = (  # what the tests and the plugins of pytest import
    "pytest",
    "coverage",
    "aiohttp.web",
    "aioresponses",
    "cattrs",
    "hypothesis",
    "PIL.Image",
    "platformdirs",
    "sqlalchemy.ext.asyncio",
    "trio",
)


class Group:
    """A copy of the repository, and the tests of a group."""

    def __init__(self, name: str, copy: Path) -> None:
        self.copy = copy
        self.modules: dict[str, list[str]] = GROUPS[name]["modules"]
        self.all_tests: list[str] = GROUPS[name]["tests"]
        self.sources = {path: (ROOT / path).read_bytes() for path in self.modules}
        self._make_copy()
        measuring = partial(Measurement, copy, list(self.modules))
        if unchanged := run(copy, pytest_on(self.all_tests, 600, measuring), 1800):
            sys.exit(f"{unchanged} without a change:\n{(copy / 'output.txt').read_text()}")
        # From now on a module may be a changed one.
        sys.dont_write_bytecode, os.environ["PYTHONDONTWRITEBYTECODE"] = True, "1"
        self.measured = Measured(copy)
        self._timeout = 20 + 3 * max(self.measured.seconds.values())  # of one test: a change may make it hang
        self._ours, theirs = Pipe()
        collected = partial(Collected, copy, theirs, GROUPS[name].get("first", []))
        self._collected = start(copy, pytest_on(self.all_tests, self._timeout, collected))

    def _make_copy(self) -> None:
        for name in subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines():  # noqa: S607 - git is found by PATH
            (self.copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, self.copy / name)
        compileall.compile_dir(self.copy / "authing_mfa", quiet=1)
        os.environ["PYTHONPATH"] = str(self.copy)
        for name in PRELOADED:
            import_module(name)

    def close(self) -> None:
        """End the process that has collected the tests."""
        os.kill(self._collected, signal.SIGTERM)
        os.waitpid(self._collected, 0)

    def result(self, path: str, mutant: Mutant) -> str:
        """How the run with a change ended."""
        source = applied(self.sources[path], mutant)
        (self.copy / path).write_bytes(source)
        try:
            if (tests := self.measured.tests(path, mutant)) is None:
                return self._anew(path)
            if not tests:
                return "not reached"
            assert mutant.function is not None
            line = min(each.lineno for each in [mutant.function, *mutant.function.decorator_list])
            limit = 30 + 3 * sum(map(self.measured.seconds.__getitem__, tests))
            self._ours.send((path, source, line, tests, limit))
            return self._anew(path) if (ended := self._ours.recv()) == START_ANEW else word(ended)
        finally:
            (self.copy / path).write_bytes(self.sources[path])

    def _anew(self, path: str) -> str:
        """Start pytest: first with the module's own tests, then with those of the group."""
        limit = 60 + 5 * sum(self.measured.seconds.values())
        ended = run(self.copy, pytest_on(self.modules[path], self._timeout), limit)
        return word(ended or run(self.copy, pytest_on(self.all_tests, self._timeout), limit))


def word(ended: str | int) -> str:
    """How a run ended, in a word."""
    if isinstance(ended, str):
        return ended
    return "killed" if ended else "survived"


def described(path: str, mutant: Mutant) -> str:
    """What a change is, in a line."""
    before = ast.unparse(mutant.node).partition("\n")[0]
    return f"{path}:{mutant.node.lineno}: {before} -> {mutant.text}"


def main() -> None:
    """Try the changes of one group."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("group", choices=GROUPS)
    parser.add_argument("count", type=int, nargs="?", help="how many changes; all if not given")
    parser.add_argument("--seed", type=int, default=17, help="of the random order")
    parser.add_argument("--skip", type=int, default=0, help="how many to leave out at the beginning of that order")
    parser.add_argument("--only", type=Path, help="a file with the output of an earlier run: only the changes in it")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it starts in the background ignore it
    chosen = None if options.only is None else options.only.read_text(encoding="utf-8")
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="mutate-") as folder:
        Path(folder).chmod(0o711)  # a PostgreSQL that a test starts has another user
        os.environ["TMPDIR"] = tempfile.tempdir = folder  # what a stopped run leaves is removed, too
        group = Group(options.group, Path(folder, "copy"))
        found = [(path, mutant) for path, source in group.sources.items() for mutant in mutants(ast.parse(source))]
        random.Random(options.seed).shuffle(found)  # noqa: S311 - not a secret
        end = None if options.count is None else options.skip + options.count
        with suppress(KeyboardInterrupt):
            for path, mutant in found[options.skip : end]:
                if chosen is not None and described(path, mutant) not in chosen:
                    continue
                result = group.result(path, mutant)
                counts[result] += 1
                if result != "killed":
                    print(f"{counts.total()}: {result} {described(path, mutant)}", flush=True)
        group.close()
    print(f"{options.group}: {dict(counts)} of {len(found)}; seed {options.seed}, skipped {options.skip}")


if __name__ == "__main__":
    main()
