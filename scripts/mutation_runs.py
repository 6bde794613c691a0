"""The runs of `scripts/mutate.py`: forks that run tests on a copy of the repository, one of whose modules may be a changed one."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
import traceback
from collections import defaultdict
from contextlib import suppress
from functools import partial
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

    from scripts.mutations import Function, Mutant

OPTIONS: Final = [
    "-x",
    "-q",
    "-p",
    "no:randomly",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",  # plugins that were imported before, which saves a second for each run
    "--hypothesis-seed=0",
]
SURVIVED, KILLED, START_ANEW = range(3)  # how a run ends; pytest's own numbers above 1 are no test's failure
IMPORT: Final = "import"
Functions: TypeAlias = dict[tuple[str, int, str], list[FunctionType]]


def start(copy: Path, work: Callable[[], int]) -> int:
    """Start *work* in a forked process with a new process group; return the process."""
    if child := os.fork():
        return child
    os.setpgid(0, 0)  # the session stays: some systems give a new one its own share of the processor
    os.chdir(copy)
    sys.path[0] = str(copy)
    with (copy / "output.txt").open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    try:
        os._exit(work())
    except BaseException:  # noqa: BLE001 - of a changed program
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(KILLED)


def run(copy: Path, work: Callable[[], int], limit: float) -> str | int:
    """Run *work* in a fork; return its number, or "stopped" after *limit* seconds."""
    child = start(copy, work)
    deadline, status, ended = time.monotonic() + limit, 0, 0
    try:
        while not ended and time.monotonic() < deadline:
            time.sleep(0.005)
            ended, status = os.waitpid(child, os.WNOHANG)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # and all that it started
    if not ended:
        os.waitpid(child, 0)
        return "stopped"
    return os.waitstatus_to_exitcode(status)


def pytest_on(tests: list[str], timeout: float, plugin: Callable[[], object] | None = None) -> Callable[[], int]:
    """Return a function that runs pytest on *tests*, each at most *timeout* seconds, with the *plugin* that is made at that moment."""

    def work() -> int:
        plugins = [plugin()] if plugin else []
        return int(pytest.main([*OPTIONS, f"--timeout={timeout}", *tests], plugins=plugins))

    return work


class Measurement:
    """A plugin of pytest: which tests execute which lines, and how long each takes, into a file."""

    def __init__(self, copy: Path, modules: list[str]) -> None:
        import coverage

        self._file = copy / "measured.json"
        self._modules = {str(copy / name): name for name in modules}
        os.environ["COVERAGE_CORE"] = "ctrace"  # the only one that knows which test is running
        self._coverage = coverage.Coverage(
            data_file=None, config_file=False, include=list(self._modules), concurrency=["thread", "greenlet"]
        )
        self._coverage.start()
        self._coverage.switch_context(IMPORT)
        self._starters: set[str] = set()
        self._running = IMPORT
        sys.addaudithook(self._note_process)

    def _note_process(self, event: str, arguments: tuple[object, ...]) -> None:
        started = event in {"subprocess.Popen", "os.fork", "os.posix_spawn"}
        if started and "postgresql" not in str(arguments[:2]):  # a database executes nothing of ours
            self._starters.add(self._running)

    def pytest_runtestloop(self, session: Any) -> bool:
        """Run each test in a new coverage context."""
        seconds = {}
        for item, following in zip(session.items, [*session.items[1:], None], strict=True):
            self._running, begun = item.nodeid, time.monotonic()
            self._coverage.switch_context(item.nodeid)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            seconds[item.nodeid] = time.monotonic() - begun
        self._coverage.stop()
        data, lines = self._coverage.get_data(), {}
        for file, name in self._modules.items():
            lines[name] = data.contexts_by_lineno(file)
        self._file.write_text(json.dumps([lines, seconds, sorted(self._starters)]))
        return True


class Measured:
    """What `Measurement` found."""

    def __init__(self, copy: Path) -> None:
        self._lines, self.seconds, self._starters = json.loads((copy / "measured.json").read_text())

    def tests(self, path: str, mutant: Mutant) -> list[str] | None:
        """The tests that execute a change, the quickest first; None if the import executes the function around it."""
        if mutant.function is None or any(IMPORT in self._at(path, line) for line in body_lines(mutant.function)):
            return None
        lines = range(mutant.statement, (mutant.node.end_lineno or 0) + 1)
        found = {test for line in lines for test in self._at(path, line)}
        found.update(self._starters)  # what another process executes is not measured
        return sorted(found & self.seconds.keys(), key=lambda test: (test in self._starters, self.seconds[test]))

    def _at(self, path: str, line: int) -> list[str]:
        found: list[str] = self._lines[path].get(str(line), [])
        return found


def body_lines(function: Function) -> range:
    """The lines of a function's body: the import executes the others, too."""
    return range(function.body[0].lineno, (function.end_lineno or 0) + 1)


class Collected:
    """A pytest plugin: its process collects the tests once, and then runs the tests of each change."""

    def __init__(self, copy: Path, wanted: Connection, first: list[str]) -> None:
        """Prepare to receive changes from *wanted*; what the tests *first* start for the session serves all changes."""
        self._copy = copy
        self._wanted = wanted
        self._first = first

    def pytest_runtestloop(self, session: Any) -> bool:
        """Wait for changes, and answer with how their run ended."""
        items = {item.nodeid: item for item in session.items}
        session.config.option.maxfail = 0  # after the last allowed failure pytest would end the fixtures of the session
        for test in self._first:
            items[test].config.hook.pytest_runtest_protocol(item=items[test], nextitem=another(items[test], session))
        functions: Functions = defaultdict(list)
        for each in gc.get_objects():
            if isinstance(each, FunctionType):
                functions[key(each.__code__)].append(each)
        gc.freeze()  # the forks share this memory
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        with suppress(EOFError):
            while True:
                path, source, line, tests, limit = self._wanted.recv()
                chosen = [items[test] for test in tests]
                self._wanted.send(
                    run(self._copy, partial(self._try, functions, path, source, line, chosen, session), limit)
                )
        return True

    def _try(self, functions: Functions, path: str, source: bytes, line: int, items: list[Any], session: Any) -> int:
        if not replace(functions, compile(source, str(self._copy / path), "exec"), line):
            return START_ANEW
        for item, following in zip(items, [*items[1:], another(items[-1], session)], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return KILLED
        return SURVIVED


def another(item: Any, session: Any) -> Any:
    """Return another test, so that *item* is not the last one, after which the session's fixtures end."""
    return next((each for each in session.items if each is not item), None)


def key(code: CodeType) -> tuple[str, int, str]:
    """What identifies a function in a process."""
    return code.co_filename, code.co_firstlineno, code.co_name


def replace(functions: Functions, module: CodeType, line: int) -> bool:
    """Replace the code of the function that begins at *line* by what a changed *module* says; return False if that cannot be."""
    waiting, found = [module], []
    while waiting:
        code = waiting.pop()
        waiting += [each for each in code.co_consts if isinstance(each, CodeType)]
        found += [code] if code.co_firstlineno == line and key(code) in functions else []
    try:
        (code,) = found
        for function in functions[key(code)]:
            function.__code__ = code
    except ValueError:  # two functions in one line, or a variable of a closure came or went
        return False
    return True
