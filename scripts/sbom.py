"""Writes the package's bill of materials: what it brings with it, each with its version and licence, as CycloneDX JSON.

    python -m scripts.sbom sbom.json

It is made from what is installed, with all extras. The same environment gives the same bytes.
"""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PACKAGE: Final = "authing-mfa"


def needs_of(name: str, extras: set[str]) -> dict[str, set[str]]:
    """What *name* needs here with *extras*, by name, each with the extras that are asked of it."""
    found: dict[str, set[str]] = {}
    for text in metadata.requires(name) or []:
        need = Requirement(text)
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            found.setdefault(canonicalize_name(need.name), set()).update(need.extras)
    return found


def closure(extras: set[str]) -> dict[str, set[str]]:
    """Everything that the package brings with it here, by name, each with what it needs itself."""
    found: dict[str, set[str]] = {}
    done: set[tuple[str, frozenset[str]]] = set()
    waiting = [(PACKAGE, frozenset(extras))]
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in done:
            continue
        done.add((name, wanted))
        needs = needs_of(name, set(wanted))
        found.setdefault(name, set()).update(set(needs) - {name})
        waiting += [(need, frozenset(asked)) for need, asked in needs.items()]
    return found


def licences_of(name: str) -> list[dict[str, Any]]:
    """The licences that *name* declares: an expression, else what its classifiers and its licence field say."""
    about = metadata.metadata(name)
    for expression in about.get_all("License-Expression") or []:
        return [{"expression": expression}]
    names = [value.rpartition(" :: ")[2] for value in about.get_all("Classifier") or [] if value.startswith("License")]
    first_lines = [text.strip().partition("\n")[0] for text in about.get_all("License") or []]
    return [{"license": {"name": value}} for value in names or first_lines if value]


def component(name: str, *, required: bool) -> dict[str, Any]:
    """One entry of the bill."""
    version = metadata.version(name)
    return {
        "type": "library",
        "bom-ref": f"pkg:pypi/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "scope": "required" if required else "optional",
        "licenses": licences_of(name),
    }


def bill() -> dict[str, Any]:
    """The bill as an object of CycloneDX 1.6."""
    extras = set(metadata.metadata(PACKAGE).get_all("Provides-Extra") or [])
    everything, core = closure(extras), closure(set())
    parts = {name: component(name, required=name in core) for name in sorted(everything)}
    own = parts.pop(PACKAGE)
    del own["scope"]
    refs = {name: part["bom-ref"] for name, part in {PACKAGE: own, **parts}.items()}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own},
        "components": list(parts.values()),
        "dependencies": [
            {"ref": refs[name], "dependsOn": sorted(refs[need] for need in everything[name])} for name in refs
        ],
    }


def main() -> None:
    """Write the bill to the file that the command line names, and list the licences."""
    made = bill()
    Path(sys.argv[1]).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    for part in made["components"]:
        names = [entry.get("expression") or entry["license"]["name"] for entry in part["licenses"]]
        print(f"{part['name']} {part['version']} ({part['scope']}): {', '.join(names)}")


if __name__ == "__main__":
    main()
