"""The recipe of CONTRIBUTING.md for a new endpoint works as it stands."""

import ast
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parent.parent
RECIPE = re.findall(
    r"^ *```python\n(.*?)^ *```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
)


def put(block: str, root: Path) -> Path:
    """Put a block where its first line says: at the end of a file, at the end of a class, or into a new file."""
    first, _, code = textwrap.dedent(block).partition("\n")
    name, _, place = first.removeprefix("# ").partition(", ")
    path = root / name
    if not place:
        path.write_text(code, "utf-8")
        return path
    lines = path.read_text("utf-8").splitlines()
    end = len(lines)
    if place != "at the end":
        wanted = place.removeprefix("in the class ")
        [target] = [
            node for node in ast.parse("\n".join(lines)).body if isinstance(node, ast.ClassDef) and node.name == wanted
        ]
        end, code = target.end_lineno, textwrap.indent(code, "    ")
    path.write_text("\n".join([*lines[:end], "", code, *lines[end:]]) + "\n", "utf-8")
    return path


def test_the_recipe_for_a_new_endpoint_works(tmp_path: Path) -> None:
    """Its blocks are put into a copy of the package; the recipe's own test and those of parity and docstrings pass there."""
    for folder in ("authing_mfa", "tests", "docs"):
        unneeded = ("__pycache__", "node_modules", *(["images"] if folder == "docs" else []))
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns(*unneeded))
    for name in ("pyproject.toml", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, tmp_path)
    changed = [put(block, tmp_path) for block in RECIPE]
    assert len(changed) == 6
    own = changed[-1].relative_to(tmp_path)
    tests = [str(own), "tests/test_parity.py", "tests/sync/test_parity.py", "tests/test_docstrings.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *tests]
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("COV_CORE", "COVERAGE"))} | {
        "PYTHONPATH": str(tmp_path)
    }
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert (
        str(tmp_path)
        in subprocess.run(
            [sys.executable, "-c", "import authing_mfa; print(authing_mfa.__file__)"],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
        ).stdout
    )
