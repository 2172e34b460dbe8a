"""Sphinx configuration: English source in MyST Markdown, Korean by gettext."""

from dotori import __version__

project = "dotori"
author = "the dotori authors"
copyright = "2026, the dotori authors"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]

autosummary_generate = True
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

locale_dirs = ["locale/"]
gettext_compact = False

html_theme = "pydata_sphinx_theme"
html_title = "dotori"
