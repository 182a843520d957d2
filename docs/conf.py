"""How the documentation is built: `python3 tools/hatchw.py run docs:build`."""

import sys

from pathlib import Path


sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "buvar"
copyright = "the buvar authors"  # noqa: A001 - Sphinx names it
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "commands",
    "diffs",
    "drawing",
    "from_code",
    "links",
    "plots",
    "spelling",
    "supervisor",
    "terminal",
]
html_theme = "furo"
html_title = "buvar"
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["buvar.css"]
pygments_dark_style = "github-dark"
# Folders of the tutorials hold programs with tests, and no pages.
exclude_patterns = ["_build", "**/.pytest_cache"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nitpicky = False
autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
autoclass_content = "class"
# Fields of a class have their own entries: the docstring only explains them.
napoleon_use_ivar = True
suppress_warnings = ["ref.python"]
