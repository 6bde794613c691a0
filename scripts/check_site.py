"""Check the links of the built documentation site, without a network.

``python -m scripts.check_site build/site``: every link and picture of every page leads to a file of the site, every anchor to an element
of its page. Links to other sites are only read: they must be https.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["broken_links", "main"]


class _Page(HTMLParser):
    """The links and the anchors of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the links and the anchors of *tag*."""
        found = dict(attrs)
        self.anchors.update(value for name in ("id", "name") if (value := found.get(name)))
        link = found.get("href" if tag in ("a", "link") else "src")
        if link:
            self.links.append(link)


def broken_links(site: Path) -> list[str]:
    """Return one line for each link of the site that leads nowhere."""
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme in ("data", "mailto"):
                continue
            if parts.scheme or parts.netloc:
                good = parts.scheme == "https" and bool(parts.netloc)
            else:
                target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
                other = pages.get(target)
                good = target.exists() and (
                    not parts.fragment or other is None or unquote(parts.fragment) in other.anchors
                )
            if not good:
                broken.append(f"{path.relative_to(site)}: {link}")
    return broken


def main() -> int:
    """Print the broken links. Return 1 if there are any or the site has no page."""
    site = Path(sys.argv[1]).resolve()
    broken = broken_links(site)
    pages = len(list(site.rglob("*.html")))
    for line in broken:
        print(line)
    print(f"{pages} pages, {len(broken)} broken links")
    return 1 if broken or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
