"""The supply chain: nothing is asked of a network at import, and every dependency's licence is one that a program may ship with."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata

from packaging.requirements import Requirement

from scripts import sbom

IMPORTS = """
import pkgutil, socket, sys

def refuse(*arguments, **options):
    raise SystemExit(f"the network was asked at import: {arguments}")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
import authing_mfa
for module in pkgutil.walk_packages(authing_mfa.__path__, "authing_mfa."):
    if not module.name.endswith("__main__"):
        __import__(module.name)
print(sum(name.startswith("authing_mfa") for name in sys.modules))
"""


def test_no_import_asks_the_network():
    """Every module of the package is imported where connecting and resolving end the process."""
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout) > 100


FREE = re.compile(
    r"\b(MIT|BSD|Apache|PSF|Python Software Foundation|MPL|HPND|CMU|ISC|Unlicense|0BSD|Zlib)", re.IGNORECASE
)
CLOSING = re.compile(r"GPL|General Public|SSPL", re.IGNORECASE)


def test_the_licence_of_every_dependency():
    """None declares a licence that asks a program to be open."""
    declared = {part["name"]: json.dumps(part["licenses"]) for part in sbom.bill()["components"]}
    assert {"aiohttp", "attrs", "cattrs", "cryptography", "pillow"} <= declared.keys()
    assert {name: text for name, text in declared.items() if not FREE.search(text) or CLOSING.search(text)} == {}


def test_the_bill_of_materials_names_what_the_package_declares():
    """What the wheel's metadata asks for is there with its version; what no extra asks for is marked as required."""
    made = sbom.bill()
    parts = {part["name"]: part for part in made["components"]}
    needs = [Requirement(text) for text in metadata.requires(sbom.PACKAGE)]
    names = {name: need for need in needs if (name := need.name.lower()) != sbom.PACKAGE}
    here = {name for name, need in names.items() if not need.marker or "sys_platform" not in str(need.marker)}
    assert here <= parts.keys()
    for name in here:
        required = not names[name].marker
        assert (parts[name]["version"], parts[name]["scope"] == "required" or not required) == (
            metadata.version(name),
            True,
        )
        assert names[name].specifier.contains(parts[name]["version"], prereleases=True)
    assert {name for name, part in parts.items() if part["scope"] == "required"} >= {"aiohttp", "yarl", "cffi"}
    assert {parts[name]["scope"] for name in ("click", "sqlalchemy", "distributed")} == {"optional"}


def test_the_bill_of_materials_is_whole():
    """Every reference leads to a part, and every part is needed by another; the same environment gives the same bill."""
    made = sbom.bill()
    own = made["metadata"]["component"]["bom-ref"]
    refs = {part["bom-ref"] for part in made["components"]}
    needed = {ref for line in made["dependencies"] for ref in line["dependsOn"]}
    assert len(refs) == len(made["components"])
    assert {line["ref"] for line in made["dependencies"]} == refs | {own}
    assert needed == refs
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert json.dumps(sbom.bill()) == json.dumps(made)
