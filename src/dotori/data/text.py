"""Texts to learn letters from."""

from __future__ import annotations

from typing import Any

from dotori.errors import need


def python_reference() -> str:
    """English text that every Python brings: what ``help()`` knows of the language.

    The standard library's module ``pydoc_data.topics`` holds some 80 sections of
    Python's language reference, about half a million characters under the licence of
    the Python Software Foundation. They differ a little from version to version.

    Returns
    -------
    str
        The sections, in the order of their names.

    Raises
    ------
    MissingDependencyError
        On a system that leaves ``pydoc_data`` out of Python.

    Examples
    --------
    >>> text = python_reference()
    >>> len(text) > 400_000, "list comprehension" in text
    (True, True)
    """
    module: Any = need(
        "pydoc_data.topics", "examples", "the text of Python's reference"
    )
    return "\n\n".join(module.topics[name].strip() for name in sorted(module.topics))
