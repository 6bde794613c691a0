"""Print pip constraints: the oldest version that pyproject.toml allows of everything the package and its extras need."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
needed = [*project["dependencies"], *(need for needs in project["optional-dependencies"].values() for need in needs)]
for need in sorted(set(needed)):
    name, floor = re.match(r"([\w-]+)(?:\[.*?\])?(?:>=([\w.]+))?", need).groups()
    if floor is not None:
        print(f"{name}=={floor}")
    elif name != project["name"]:
        raise SystemExit(f"{need} names no oldest version")
