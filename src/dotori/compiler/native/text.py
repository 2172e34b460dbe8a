"""Functions of a source while they are written: lines, arguments, and what they are."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TypeAlias

from dotori.compiler.native.expressions import DType


@dataclass(frozen=True, slots=True)
class Array:
    """An argument: memory from a slot on, as a flat array."""

    slot: int
    dtype: DType
    size: int


@dataclass(frozen=True, slots=True)
class Room:
    """An argument: memory to work in, for each thread or for all of them."""

    dtype: DType
    size: int
    each: bool


Argument: TypeAlias = "Array | Room"


@dataclass(frozen=True, slots=True)
class Loop:
    """A function in the source, and what to call it with.

    Attributes
    ----------
    text : str
        Its lines; it is called ``NAME`` there.
    arguments : tuple of Array or Room
    shared : bool
        Whether all threads call it, giving ``thread, threads`` as last arguments;
        otherwise one does.
    then : Loop or None
        What is to be called when all threads are done.
    """

    text: str
    arguments: tuple[Argument, ...]
    shared: bool = False
    then: Loop | None = None


class Lines:
    """Lines of source, and how deep they stand."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.depth = 1

    def add(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def open(self, text: str) -> None:
        self.add(text)
        self.depth += 1

    def name_places(self, begun: int) -> None:
        """Work out only once the places that lines from `begun` on name repeatedly."""
        body = "\n".join(self.lines[begun:])
        found = Counter(re.findall(r"\[([^][]*\*[^][]*)\]", body))
        shared = [place for place, n in found.items() if n > 1]
        pad = "    " * self.depth
        named = [f"{pad}at{k} = {place}" for k, place in enumerate(shared)]
        for k, place in enumerate(shared):
            body = body.replace(f"[{place}]", f"[at{k}]")
        if shared:
            self.lines[begun:] = [*named, *body.split("\n")]


def as_function(
    lines: Lines, arguments: dict[str, Argument], shared: bool, then: Loop | None
) -> Loop:
    names = [*arguments, *(("thread", "threads") if shared else ())]
    head = f"@apart\ndef NAME({', '.join(names)}):"
    text = "\n".join([head, *lines.lines]) + "\n"
    return Loop(text, tuple(arguments.values()), shared, then)
