"""The supply chain: nothing is asked of a network at import, and every dependency's licence is one that a program may ship with."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata

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


FREE = re.compile(r"MIT|BSD|Apache|PSF|Python Software Foundation|MPL|HPND|CMU|ISC|Unlicense|0BSD|Zlib", re.IGNORECASE)
CORE = "authing-mfa"


def closure(name: str, extras: tuple[str, ...] = ()) -> set[str]:
    """Everything that *name* brings with it here."""
    found, waiting = set(), [(name, extras)]
    while waiting:
        current, wanted = waiting.pop()
        for need in metadata.requires(current) or []:
            requirement, _, marker = need.partition(";")
            only_for = re.search(r"extra == ['\"]([\w-]+)['\"]", marker)
            package = re.match(r"[\w.-]+", requirement).group().lower()
            if package in found or (only_for and only_for.group(1) not in wanted):
                continue
            try:
                metadata.distribution(package)
            except metadata.PackageNotFoundError:
                continue  # for another system or Python
            found.add(package)
            waiting.append((package, tuple(re.findall(r"\[([\w,-]+)\]", requirement))))
    return found - {CORE}


def licence_of(name: str) -> str:
    about = metadata.metadata(name)
    classifiers = [value for value in about.get_all("Classifier") or [] if value.startswith("License")]
    return " ".join([about.get("License-Expression") or "", *classifiers, (about.get("License") or "")[:200]])


def test_the_licence_of_every_dependency():
    """None is under a licence that asks a program to be open."""
    extras = tuple(metadata.metadata(CORE).get_all("Provides-Extra"))
    needed = closure(CORE, extras)
    assert {"aiohttp", "attrs", "cattrs", "cryptography", "pillow"} <= needed
    odd = {name: licence for name in needed if not FREE.search(licence := licence_of(name)) or "GPL" in licence}
    assert odd == {}
