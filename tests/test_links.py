"""Links between the pages, and from docstrings to the pages, lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CODE = sorted(path for folder in ("authing_mfa", "tests", "examples") for path in (ROOT / folder).rglob("*.py"))


def slug(heading: str) -> str:
    """The anchor that GitHub and MyST make of a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.replace("`", "")).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    prose = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    return {slug(heading) for heading in re.findall(r"^#{1,6} (.+)$", prose, re.MULTILINE)}


def broken(link: str, page: Path) -> bool:
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    return not target.exists() or bool(anchor and target.suffix == ".md" and anchor not in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_to_a_file_and_a_heading(page: Path) -> None:
    """Every link to another page or picture names an existing file, and its anchor an existing heading."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", prose)
    local = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in local if broken(link, page)] == []


def test_sources_in_the_code_name_headings_of_the_wire_reference() -> None:
    """`docs/wire.md#…` in docstrings and comments names a heading of that page."""
    known = anchors(ROOT / "docs" / "wire.md")
    cited = {
        (path.name, anchor)
        for path in CODE
        for anchor in re.findall(r"docs/wire\.md#([\w-]+)", path.read_text("utf-8"))
    }
    assert len(cited) > 40
    assert {pair for pair in cited if pair[1] not in known} == set()


def test_no_two_headings_of_the_wire_reference_share_an_anchor() -> None:
    """A second heading with the same words would get an anchor that nobody can cite."""
    page = (ROOT / "docs" / "wire.md").read_text("utf-8")
    headings = [slug(heading) for heading in re.findall(r"^#{1,6} (.+)$", page, re.MULTILINE)]
    assert sorted(set(headings)) == sorted(headings)
