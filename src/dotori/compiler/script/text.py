"""A script's whole text, from its own lines: imports, and the functions it calls."""

from __future__ import annotations

import ast
import inspect
import json
import keyword
from collections.abc import Iterable, Iterator
from functools import cache
from types import ModuleType
from typing import Any

WIDTH = 88

#: Names before an equals sign that are longer than this stand one to a line.
_LONGEST_NAMES = 64

#: What a script may import, by the name that it uses.
_IMPORTS = {
    "csv": "import csv",
    "json": "import json",
    "math": "import math",
    "sys": "import sys",
    "datetime": "from datetime import UTC, datetime, timedelta",
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
        `dotori.compiler.script.library` defines bring their definitions.
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


def load_text(weights: str, source: str) -> str:
    """The lines that read the weights, for code that calls them W."""
    file = f'Path(__file__).with_suffix(".{weights}")'
    read = "dict(np.load(FILE))" if weights == "npz" else "read_safetensors(FILE)"
    comment = "# The weights, by the names that they have in the network."
    text = f"{comment}\nFILE = {file}\nW = {read}"
    return f"{text}\n\n\n{_LAYER}" if "layer(" in source else text


_LAYER = '''def layer(name):
    """The weights of one layer, by their own names."""
    start = f"{name}."
    return {key.removeprefix(start): W[key] for key in W if key.startswith(start)}'''


def demo_text(x: Any) -> str:
    """Random numbers of the shape and type of an input."""
    shape = tuple(int(n) for n in x.shape)
    if x.dtype.kind == "f":
        return f"rng.standard_normal({shape}).astype(np.{x.dtype.name})"
    high = max(2, int(x.max(initial=0)) + 1)
    return f"rng.integers({high}, size={shape})"


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
    from dotori.compiler.script.library import modules

    found: dict[str, str] = {}
    for module in modules():
        found |= plain_sources(module)
    return found


def reserved_names() -> set[str]:
    """Names that mean something in a script already."""
    own = "W MEMORY FILE rng grad n t lr layer main predict train_step".split()
    return {*own, *_IMPORTS, *_library(), *keyword.kwlist}


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


def _plain_function(node: ast.FunctionDef, lines: list[str]) -> str:
    lines = list(lines)
    first = node.body[0].lineno - 1
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef):
            for argument in ast.walk(inner.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
            head = f"def {inner.name}({ast.unparse(inner.args)}):"
            lines[inner.lineno - 1] = " " * inner.col_offset + head
    head = f"def {node.name}({ast.unparse(node.args)}):"
    if len(head) > WIDTH:
        arguments = _filled(_arguments(ast.unparse(node.args)), "    ")
        head = f"def {node.name}(\n{arguments}\n):"
    return "\n".join([head, *lines[first : node.end_lineno]])


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
    equals = next((i for i, c, d in _scan(line) if c == "=" and not d), None)
    if equals is not None and line[equals - 1 : equals + 2] == " = ":
        names = _arguments(line[:equals])
        if len(names) > 1 and equals > _LONGEST_NAMES:
            rest = broken(f"{indent}_ = {line[equals + 2 :]}", comment)
            rest = rest.replace("_", ")", 1)
            return f"{indent}(\n{_stacked(names, indent + '    ')}\n{rest}"
        if not is_single(line[equals + 2 :].strip()):
            return _in_brackets(line[: equals + 1], line[equals + 2 :], indent) + note
    found = _outermost(line, equals or 0)
    if found is None:
        return f"{indent}# {comment}\n{line}" if comment else line
    start, end = found
    deeper = indent + "    "
    parts = _arguments(line[start + 1 : end])
    inner = deeper + ", ".join(parts)
    if len(inner) > WIDTH:
        inner = (
            _filled(parts, deeper) if line[start] == "[" else _stacked(parts, deeper)
        )
    return f"{line[: start + 1]}\n{inner}\n{indent}{line[end:]}{note}"


def _stacked(parts: list[str], indent: str) -> str:
    """One to a line."""
    return "\n".join(broken(f"{indent}{part},") for part in parts)


def _filled(parts: list[str], indent: str) -> str:
    """As many to a line as fit."""
    lines = [indent]
    for part in parts:
        if len(lines[-1]) + len(part) + 1 > WIDTH and lines[-1] != indent:
            lines.append(indent)
        lines[-1] += f"{part}, "
    return "\n".join(line.rstrip() for line in lines)


def literal(value: str) -> str:
    """A text as Python source, whatever it holds."""
    return json.dumps(value, ensure_ascii=False)


def comment_text(value: str) -> str:
    """A name as part of a comment: on one line, whatever it holds."""
    value = value if value.isprintable() else repr(value)
    return value if len(value) <= 78 else f"{value[:75]}..."


def is_single(text: str) -> bool:
    """Whether it is a name, a number or a call: no operator outside of brackets."""
    return not text.startswith("-") and all(
        depth or c not in " *" for _, c, depth in _scan(text)
    )


def bracketed(text: str) -> str:
    """In brackets, unless it is a name, a number or a call."""
    return text if is_single(text) else f"({text})"


_RANKS = {"**": 4, **dict.fromkeys("*/@%", 3), "//": 3, "+": 2, "-": 2}


def infix(left: str, sign: str, right: str) -> str:
    """Two texts with a sign between them, in brackets where its rank asks for them.

    Examples
    --------
    >>> infix(infix("a", "+", "b"), "*", infix("c", "**", "2"))
    '(a + b) * c**2'
    >>> infix("a", "-", infix("b", "-", "c")), infix(infix("a", "*", "b"), "*", "c")
    ('a - (b - c)', 'a * b * c')
    """
    rank = _RANKS.get(sign, 1)
    least = rank + 1 if sign == "**" or rank == 1 else rank
    a = left if _rank(left) >= least else f"({left})"
    b = right if _rank(right) > rank else f"({right})"
    hugs = sign == "**" and a.replace(".", "").isidentifier() and b.isalnum()
    return f"{a}**{b}" if hugs else f"{a} {sign} {b}"


def _rank(text: str) -> int:
    """That of the weakest sign outside of brackets; 5 without one."""
    if text.startswith("-"):
        return 2
    found = [_RANKS.get(token, 1) for token in _outer_tokens(text)[1::2]]
    hugs = any(c == "*" and not depth for _, c, depth in _scan(text))
    return min(found, default=4 if hugs else 5)


def _scan(text: str) -> Iterator[tuple[int, str, int]]:
    """Place, character and depth of brackets of all that is not within quotes."""
    depth, quote, escaped = 0, "", False
    for i, c in enumerate(text):
        if quote:
            if escaped or c == "\\":
                escaped = not escaped
            elif c == quote:
                quote = ""
            continue
        depth -= c in ")]}"
        yield i, c, depth
        depth += c in "([{"
        quote = c if c in "'\"" else ""


def _in_brackets(head: str, value: str, indent: str) -> str:
    """``head (value)``, over lines that begin with the signs of the lowest rank."""
    whole = f"{indent}    {value}"
    if len(whole) <= WIDTH:
        return f"{head} (\n{whole}\n{indent})"
    tokens, rank = _outer_tokens(value), _rank(value)
    lines = [tokens[0]]
    for sign, operand in zip(tokens[1::2], tokens[2::2], strict=True):
        if _RANKS.get(sign, 1) == rank:
            lines.append(f"{sign} {operand}")
        else:
            lines[-1] += f" {sign} {operand}"
    return "\n".join([f"{head} (", *(f"{indent}    {x}" for x in lines), f"{indent})"])


def _outer_tokens(text: str) -> list[str]:
    """The text, cut at the blanks outside of brackets: operand, sign, operand, ..."""
    cuts = [i for i, c, depth in _scan(text) if c == " " and not depth]
    ends = zip([-1, *cuts], [*cuts, len(text)], strict=True)
    return [text[i + 1 : j] for i, j in ends]


def _outermost(line: str, start: int) -> tuple[int, int] | None:
    """The places of the brackets to break: the longest of the outer ones."""
    spans, opened = [(0, 0, 0)], []
    for i, c, depth in _scan(line):
        if c in "([{":
            opened.append(i)
        elif c in ")]}" and opened:
            begin = opened.pop()
            if not depth and begin > start:
                spans.append((i - begin, begin, i))
    length, begin, end = max(spans)
    return (begin, end) if length > 10 else None


def _arguments(text: str) -> list[str]:
    """The text between brackets, cut at its own commas."""
    cuts = [i for i, c, depth in _scan(text) if c == "," and not depth]
    ends = zip([-1, *cuts], [*cuts, len(text)], strict=True)
    return [part for i, j in ends if (part := text[i + 1 : j].strip())]
