"""Sphinx configuration: English source in MyST Markdown, Korean by gettext."""

import re

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


def keep_bars(app, what, name, obj, options, lines):
    """In formulas |x| is the absolute value, not a substitution of reStructuredText."""
    for i, line in enumerate(lines):
        if "|" in line and ">>>" not in line and "``" not in line:
            lines[i] = line.replace("|", r"\|")


def join_names(app, what, name, obj, options, lines):
    """Names of parameters that go on in the next line are one list to napoleon."""
    names = re.compile(r"[\w, *]+")
    for i in range(len(lines) - 1, 0, -1):
        before, line = lines[i - 1], lines[i]
        if before.endswith(",") and names.fullmatch(before) and names.fullmatch(line):
            lines[i - 1 : i + 1] = [f"{before} {line}"]


def keep_underscores(app, what, name, obj, options, lines):
    """In text, coef_ is what a fit has found, not a link of reStructuredText."""
    for i, line in enumerate(lines):
        head, rest = re.match(r"(\s*:\w+ [^:]*:|)(.*)", line).groups()
        if not rest.lstrip().startswith((">>>", "..")):
            lines[i] = head + re.sub(r"(?<![\w`.])([a-z]\w*)_(?![\w`])", r"\1\\_", rest)


def leave_out_requests(app, what, name, obj, skip, options):
    """scikit-learn writes `set_fit_request` and the like; its pages describe them."""
    return True if name.startswith("set_") and name.endswith("_request") else None


def setup(app):
    # Before napoleon, which has the priority 500.
    app.connect("autodoc-process-docstring", keep_bars, priority=400)
    app.connect("autodoc-process-docstring", join_names, priority=400)
    app.connect("autodoc-process-docstring", keep_underscores, priority=600)
    app.connect("autodoc-skip-member", leave_out_requests)
