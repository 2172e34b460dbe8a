"""A script's whole text, from its own lines: imports, and the functions it calls."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable
from functools import cache
from types import ModuleType

WIDTH = 88

#: What a script may import, by the name that it uses.
_IMPORTS = {
    "csv": "import csv",
    "json": "import json",
    "math": "import math",
    "sys": "import sys",
    "datetime": "from datetime import datetime, timezone",
    "Path": "from pathlib import Path",
    "np": "import numpy as np",
    "sliding_window_view": "from numpy.lib.stride_tricks import sliding_window_view",
}


def script_text(docstring: str, parts: Iterable[str]) -> str:
    """A whole script: docstring, imports, the functions that `parts` call, `parts`.

    Parameters
    ----------
    docstring : str
        What the script says of itself; the first line stands alone.
    parts : iterable of str
        Its own source, in pieces which blank lines part. Names that
        `dotori.compiler.script_functions` or `script_columns` defines bring their
        definitions.
    """
    own = "\n\n\n".join(part.strip("\n") for part in parts)
    functions = called_functions(own)
    text = "\n\n\n".join([*functions, own])
    used = _names(text)
    lines = [line for name, line in _IMPORTS.items() if name in used]
    standard = [line for line in lines if "numpy" not in line]
    numpy = [line for line in lines if "numpy" in line]
    imports = "\n\n".join("\n".join(group) for group in (standard, numpy) if group)
    quoted = docstring.replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{quoted.strip()}\n"""\n\n{imports}\n\n{_spaced(text)}\n'


def _spaced(text: str) -> str:
    """One blank line before what is no definition, as the first thing; else two."""
    return f"\n{text}" if text.startswith(("def ", "class ", "@")) else text


def called_functions(text: str) -> list[str]:
    """The source of the functions that `text` calls, and of those that they call."""
    library, wanted = _library(), _names(text) - _defined(text)
    while True:
        inner = {n for f in wanted & library.keys() for n in _names(library[f])}
        if inner <= wanted:
            break
        wanted |= inner
    return [source for name, source in library.items() if name in wanted]


@cache
def _library() -> dict[str, str]:
    from dotori.compiler import script_columns, script_functions

    found: dict[str, str] = {}
    for module in (script_functions, script_columns):
        found |= plain_sources(module)
    return found


def plain_sources(module: ModuleType) -> dict[str, str]:
    """The functions and constants of a module as source without types, by name."""
    source = inspect.getsource(module)
    lines, found = source.splitlines(), {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = _plain_function(node, lines)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            found[node.targets[0].id] = text
    return found


def plain_function(source: str) -> str:
    """One function's source without its decorators and types."""
    source = textwrap.dedent(source)
    node = ast.parse(source).body[0]
    if not isinstance(node, ast.FunctionDef):
        raise ValueError(f"a function was wanted, got {type(node).__name__}")
    return _plain_function(node, source.splitlines())


def _plain_function(node: ast.FunctionDef, lines: list[str]) -> str:
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    head = broken(f"def {node.name}({ast.unparse(node.args)}):")
    return "\n".join([head, *lines[node.body[0].lineno - 1 : node.end_lineno]])


def _names(text: str) -> set[str]:
    return {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}


def _defined(text: str) -> set[str]:
    return {n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)}


def broken(line: str, comment: str = "") -> str:
    """A statement, over several lines where one would be too long.

    Examples
    --------
    >>> print(broken("y = f(x, 1)", "(n, 3)"))
    y = f(x, 1)  # (n, 3)
    >>> print(broken("y = function(" + "argument, " * 8 + ")", "(n, 3)"))
    y = function(
        argument, argument, argument, argument, argument, argument, argument, argument
    )  # (n, 3)
    """
    note = f"  # {comment}" if comment else ""
    if len(line) + len(note) <= WIDTH:
        return line + note
    indent = line[: len(line) - len(line.lstrip())]
    start = _outermost(line)
    if start is None:
        return f"{indent}# {comment}\n{line}" if comment else line
    end = _closing(line, start)
    inner = f"{indent}    {line[start + 1 : end].rstrip(', ')}"
    if len(inner) > WIDTH:
        parts = _arguments(line[start + 1 : end])
        inner = "\n".join(f"{indent}    {part}," for part in parts)
    return f"{line[: start + 1]}\n{inner}\n{indent}{line[end:]}{note}"


def _outermost(line: str) -> int | None:
    """Where the bracket opens that holds most of the line."""
    spans = [(_closing(line, i) - i, i) for i in _openings(line)]
    length, start = max(spans, default=(0, 0))
    return start if length > 20 else None


def _openings(text: str) -> list[int]:
    quoted, found = "", []
    for i, c in enumerate(text):
        if quoted:
            quoted = "" if c == quoted else quoted
        elif c in "'\"":
            quoted = c
        elif c in "([{":
            found.append(i)
    return found


def _closing(text: str, start: int) -> int:
    depth, quoted = 0, ""
    for i in range(start, len(text)):
        c = text[i]
        if quoted:
            quoted = "" if c == quoted else quoted
        elif c in "'\"":
            quoted = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if not depth:
                return i
    return len(text)


def _arguments(text: str) -> list[str]:
    """The text between brackets, cut at its own commas."""
    parts, depth, quoted = [""], 0, ""
    for c in text:
        if quoted:
            quoted = "" if c == quoted else quoted
        elif c in "'\"":
            quoted = c
        else:
            depth += (c in "([{") - (c in ")]}")
        if c == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += c
    return [part.strip() for part in parts if part.strip()]
