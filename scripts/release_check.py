"""Check a release before it is published: ``make release-check`` builds, reads, installs and type-checks; it publishes nothing.

1. The distribution is built twice; both times it has the same bytes.
2. The source distribution holds every file of the repository and nothing else, the wheel the package and nothing else.
3. The metadata is whole, the README renders, and no link in it leads to a file that a package index does not have.
4. Unpacked, the source distribution works: its linter, its tests of the pages, `make test` and `make bench` find what they start.
5. Against the wheel, installed alone in a new environment: the public types are complete (pyright --verifytypes, 99 % or more), a sample
   program passes mypy --strict and pyright, and runs.
6. The bill of materials (`scripts.sbom`) names what the wheel declares.
"""

from __future__ import annotations

import email
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parent.parent
LEAST_COMPLETE = 0.99
NOT_PUBLISHED = (".github/", ".gitattributes")  # of the code's host, not of the code
UNPACKED_TESTS = (
    "tests/test_links.py",
    "tests/test_docstrings.py",
    "tests/test_contributing.py",
    "tests/test_reliability.py",
)


def run(*command: str | Path, cwd: Path = ROOT, environ: Mapping[str, str] | None = None) -> str:
    """Run *command* and return its output; print the output and exit if it fails."""
    line = [str(part) for part in command]
    done = subprocess.run(line, cwd=cwd, env=environ, capture_output=True, text=True, check=False)  # noqa: S603 - our own commands
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def build(folder: Path) -> dict[str, Path]:
    """Build both archives into *folder*. Return them by their kind."""
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    [sdist], [wheel] = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return {"sdist": sdist, "wheel": wheel}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_contents(sdist: Path, wheel: Path) -> None:
    """Check that the files of both archives are the files of the repository: none is missing, and no other file is there."""
    if not (ROOT / ".git").exists():
        sys.exit(
            "make release-check needs a clone of the repository: it compares the archives with the files under version control"
        )
    tracked = set(run("git", "ls-files").splitlines())
    with tarfile.open(sdist) as archive:
        inside = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    expected = {name for name in tracked if not name.startswith(NOT_PUBLISHED)} | {"PKG-INFO"}
    if inside != expected:
        sys.exit(
            f"missing in the source distribution: {sorted(expected - inside)}; too many: {sorted(inside - expected)}"
        )
    with zipfile.ZipFile(wheel) as files:
        packed = {name for name in files.namelist() if ".dist-info/" not in name}
    package = {name for name in tracked if name.startswith("authing_mfa/")}
    if packed != package:
        sys.exit(f"the wheel differs from the package: {sorted(packed ^ package)}")


def check_unpacked(sdist: Path, folder: Path) -> None:
    """Check that the unpacked source distribution can be checked, tested and measured without the repository."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    [root] = folder.iterdir()
    environ = os.environ | {"PYTHONPATH": str(root)}  # not the package that is installed here
    for command in (
        ("make", "--dry-run", "test", "bench"),
        (".ci/check-wheel",),
        (sys.executable, "-m", "ruff", "check", "--no-cache", "."),
        (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *UNPACKED_TESTS),
        (sys.executable, "-m", "benchmarks", "--help"),
    ):
        run(*command, cwd=root, environ=environ | {"PY": sys.executable})


def check_metadata(wheel: Path) -> None:
    """Check name, licence, Python versions and README."""
    with zipfile.ZipFile(wheel) as files:
        [name] = [name for name in files.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(files.read(name))
    readme = metadata.get_payload()
    assert isinstance(readme, str)
    for field in ("Name", "Version", "Summary", "License-Expression", "Requires-Python", "Classifier"):
        if not metadata[field]:
            sys.exit(f"the metadata has no {field}")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", readme) if not link.startswith(("https://", "#"))]
    if links:
        sys.exit(f"the README has links that a package index cannot follow: {links}")


def check_bill(wheel: Path, bill: Path) -> int:
    """The number of parts in the bill of materials; it names everything that the wheel declares for this system."""
    with zipfile.ZipFile(wheel) as files:
        [name] = [name for name in files.namelist() if name.endswith(".dist-info/METADATA")]
        declared = email.message_from_bytes(files.read(name)).get_all("Requires-Dist") or []
    names = {re.split(r"[^\w.-]", need)[0].lower() for need in declared if "sys_platform" not in need}
    run(sys.executable, "-m", "scripts.sbom", bill)
    parts = {part["name"] for part in json.loads(bill.read_text(encoding="utf-8"))["components"]}
    if missing := names - parts - {"authing-mfa"}:
        sys.exit(f"not in the bill of materials: {sorted(missing)}")
    return len(parts)


def check_types(python: Path) -> float:
    """Check how complete the public types of the installed wheel are, with pyright."""
    # --verifytypes looks into the environment that is active, not into --pythonpath
    environ = os.environ | {
        "VIRTUAL_ENV": str(python.parent.parent),
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [
        sys.executable,
        "-m",
        "pyright",
        "--outputjson",
        "--ignoreexternal",
        "--verifytypes",
        "authing_mfa",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=python.parent, env=environ, check=False)  # noqa: S603 - our own command
    report = json.loads(done.stdout)["typeCompleteness"]
    if report["completenessScore"] < LEAST_COMPLETE:
        incomplete = [
            symbol["name"] for symbol in report["symbols"] if symbol["isExported"] and not symbol["isTypeKnown"]
        ]
        sys.exit(f"the public types are {report['completenessScore']:.1%} complete: {incomplete}")
    return float(report["completenessScore"])


def check_downstream(python: Path, folder: Path) -> None:
    """Check that a user's program passes both type checkers and runs."""
    sample = folder / "sample.py"
    sample.write_text((ROOT / "tests" / "downstream" / "sample.py").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', encoding="utf-8")
    run(sys.executable, "-m", "mypy", "--strict", "--python-executable", python, sample, cwd=folder)
    run(sys.executable, "-m", "pyright", "--pythonpath", python, sample, cwd=folder)
    if run(python, "-W", "error", sample, cwd=folder) != "ada\n":
        sys.exit("the sample program printed something else")


def main() -> None:
    """Run all checks and print one line for each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first, second = build(folder / "first"), build(folder / "second")
        for kind, path in first.items():
            if digest(path) != digest(second[kind]):
                sys.exit(f"two builds of the {kind} differ")
            print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB, built twice, the same bytes")
        run(sys.executable, "-m", "twine", "check", "--strict", *first.values())
        check_contents(first["sdist"], first["wheel"])
        check_metadata(first["wheel"])
        print("contents and metadata are right")
        print(f"bill of materials: {check_bill(first['wheel'], folder / 'sbom.json')} parts")
        check_unpacked(first["sdist"], folder / "unpacked")
        print("the unpacked source distribution checks, tests and measures")
        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv" / "bin" / "python"
        run(python, "-m", "pip", "install", "--quiet", first["wheel"])
        print(f"public types: {check_types(python):.1%} complete")
        downstream = folder / "downstream"
        downstream.mkdir()
        check_downstream(python, downstream)
        print("a downstream program: mypy --strict, pyright strict and a run are clean")


if __name__ == "__main__":
    main()
