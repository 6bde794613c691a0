"""Settings of the documentation site: `make docs` builds it into build/site, warnings are errors."""

import re
from typing import Any

from docutils import nodes

from authing_mfa._version import __version__

project = "authing_mfa"
author = "the authing_mfa maintainers"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["images/*"]
default_role = "code"
language = "en"

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True, "exclude-members": "from_core"}  # for the faces
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"
suppress_warnings = ["ref.python"]  # three faces have a class named AuthClient; a link takes the first

LONG = 30  # letters

html_theme = "furo"
html_title = f"authing_mfa {__version__}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
pygments_dark_style = "github-dark"  # the theme's own underlines the names of modules, as if they were links
html_show_sphinx = False
html_show_copyright = False


def _link_sources(_app: Any, _what: str, _name: str, _value: Any, _options: Any, lines: list[str]) -> None:
    """Turn `docs/wire.md#anchor` in a docstring into a link to the page of the site."""
    for number, line in enumerate(lines):
        lines[number] = re.sub(r"docs/(\w[\w-]*)\.md#([\w-]+)", r"`docs/\1.md#\2 <\1.html#\2>`__", line)


def _mark_long_names(_app: Any, doctree: nodes.document, _page: str) -> None:
    """Give names that are wider than a column of a table the class of _static/site.css that lets them break anywhere."""
    for literal in doctree.findall(nodes.literal):
        if max(map(len, literal.astext().split()), default=0) > LONG:
            literal["classes"].append("long")


def setup(app: Any) -> None:
    """Connect the hooks."""
    app.connect("autodoc-process-docstring", _link_sources)
    app.connect("doctree-resolved", _mark_long_names)
