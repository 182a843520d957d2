"""How the documentation is built: `python3 tools/hatchw.py run docs:build`."""

project = "buvar"
copyright = "the buvar authors"  # noqa: A001 - Sphinx names it
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
]
html_theme = "furo"
html_title = "buvar"
exclude_patterns = ["_build"]
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
