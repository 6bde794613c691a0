"""What this package uses of aiohttp beyond its documented interface stands in one file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import authing_mfa

PACKAGE = Path(authing_mfa.__file__).parent
SEAM = PACKAGE / "_transport" / "aiohttp_internals.py"
DOCUMENTED = {"aiohttp", "aiohttp.web", "aiohttp.abc"}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != SEAM)


def modules_of_aiohttp(path: Path) -> set[str]:
    """The modules of aiohttp that *path* imports."""
    text = path.read_text(encoding="utf-8")
    return set(re.findall(r"^\s*(?:from|import) (aiohttp[\w.]*)", text, flags=re.MULTILINE))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_seam_imports_modules_of_aiohttp(path):
    """Every other file keeps to `aiohttp` and `aiohttp.web`."""
    assert modules_of_aiohttp(path) <= DOCUMENTED


def test_the_seam_is_known():
    """The test above looks at what it means to look at."""
    assert "aiohttp.client_proto" in modules_of_aiohttp(SEAM)
