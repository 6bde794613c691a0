"""All benchmarks: ``python -m benchmarks [--quick] [--only NAME ...]``. See README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from benchmarks.goals import goals
from benchmarks.sections import SECTIONS, Run
from benchmarks.servers import ROOT, WORK, all_servers, cores
from benchmarks.tables import Goal, goals_text


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="What the SDK costs, as ratios in one run."
    )
    parser.add_argument(
        "--quick", action="store_true", help="about two minutes: fewer rounds, fewer contenders, no plots"
    )
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), metavar="NAME", help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--json", type=Path, default=WORK / "results.json", help="where all figures go")
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cores()[0]})
    WORK.mkdir(exist_ok=True)
    started = time.perf_counter()
    with all_servers() as servers:
        run = Run(servers, quick=given.quick)
        print(f"Server: {servers.name}, on core {cores()[1]}; clients on core {cores()[0]}.", flush=True)
        for name, section in SECTIONS.items():
            if given.only and name not in given.only:
                continue
            for table in section(run):
                print(table.text(), flush=True)
                run.tables.append(table)
                if not given.quick:
                    table.draw(ROOT / "docs" / "images")
    reached = goals(run.figures)
    print(goals_text(reached))
    print(f"\n{time.perf_counter() - started:.0f} s. All figures: {given.json}")
    given.json.write_text(as_json(servers.name, run, reached))
    return 0


def as_json(server: str, run: Run, reached: list[Goal]) -> str:
    marks = [{"text": goal.text, "limit": goal.limit, "value": goal.value, "mark": goal.mark} for goal in reached]
    return json.dumps({"server": server, "quick": run.quick, "figures": run.figures, "goals": marks}, indent=1) + "\n"


if __name__ == "__main__":
    sys.exit(main())
