"""Modules of one class that do the same: in a script, one function for all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dotori.compiler.script.text import reserved_names
from dotori.compiler.script.trace import Call, Named, Ref, Trace

#: The operation that stands for a whole block.
BLOCK = "block"

_CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")


@dataclass
class Block:
    """The calls of one module, with one value in and one out.

    Attributes
    ----------
    path : str
    kind : str
        The module's class.
    trace : Trace
        Of these calls alone.
    """

    path: str
    kind: str
    trace: Trace

    def replaced(self, found: Trace, called: str) -> Trace:
        """`found` with one call in place of the block's."""
        own = {id(call) for call in self.trace.calls}
        start = next(i for i, call in enumerate(found.calls) if id(call) in own)
        shapes = [*self.trace.input_shapes, *self.trace.output_shapes.values()]
        made = list(self.trace.output_shapes)
        attrs = {"called": called}
        one = Call(BLOCK, [*self.trace.inputs], attrs, made, shapes, self.path)
        rest = found.calls[start + len(own) :]
        return replace(found, calls=[*found.calls[:start], one, *rest])


def repeated(
    model: Any, found: Trace, source: Callable[[Any, Block], str | None]
) -> list[list[Block]]:
    """Groups of at least two blocks of one class with the same `source`, none of which
    lies in another."""
    groups: dict[tuple[str, str], list[Block]] = {}
    for block in _blocks(model, found):
        text = source(model, block)
        if text is not None:
            groups.setdefault((block.kind, text), []).append(block)
    chosen: list[list[Block]] = []
    taken: set[int] = set()
    for group in sorted(groups.values(), key=lambda g: -len(g[0].trace.calls)):
        calls = {id(call) for block in group for call in block.trace.calls}
        if len(group) > 1 and not calls & taken:
            chosen.append(group)
            taken |= calls
    return chosen


def block_name(block: Block, functions: Sequence[str]) -> str:
    """A function's name from a class's: ``ResidualBlock`` gives ``residual_block``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", block.kind).lower()
    taken = reserved_names() | {f.split("(")[0].removeprefix("def ") for f in functions}
    name, n = words, 1
    while name in taken or not name.isidentifier():
        n += 1
        name = f"{words}_{n}" if words.isidentifier() else f"block_{n}"
    return name


def _blocks(model: Any, found: Trace) -> Iterator[Block]:
    known = {
        id(t.array): name
        for name, t in (*model.named_parameters(), *model.named_buffers())
    }
    for path, module in model.named_modules():
        if path and type(module).__name__ not in _CONTAINERS:
            block = _block(path, module, found, known)
            if block is not None:
                yield block


def _block(path: str, module: Any, found: Trace, known: dict[int, str]) -> Block | None:
    """The calls of a module as a block, if they are one."""
    inside = f"{path}."
    places = [
        i
        for i, call in enumerate(found.calls)
        if call.path == path or call.path.startswith(inside)
    ]
    if len(places) < 2 or places[-1] - places[0] + 1 != len(places):
        return None
    calls = found.calls[places[0] : places[-1] + 1]
    if not all(_stays_inside(call, inside, known) for call in calls):
        return None
    made = {number for call in calls for number in call.outputs}
    read = _read(calls)
    others = [call for call in found.calls if not any(call is c for c in calls)]
    entering = [number for number in read if number not in made]
    leaving = [n for n in made if n in _read(others) or n in found.output_shapes]
    if len(entering) != 1 or len(leaving) != 1:
        return None
    shapes = _shapes(found)
    if entering[0] not in shapes:
        return None
    trace = Trace(
        calls,
        Ref(leaving[0]),
        {leaving[0]: shapes[leaving[0]]},
        [shapes[entering[0]]],
        [Ref(entering[0])],
    )
    return Block(path, type(module).__name__, trace)


def _stays_inside(call: Call, inside: str, known: dict[int, str]) -> bool:
    """Whether all weights of a call stand under the name."""
    for x in call.inputs:
        outside = isinstance(x, Named) and not x.name.startswith(inside)
        if outside or (isinstance(x, np.ndarray) and x.ndim):
            return False
    if call.module is None:
        return True
    own = (*call.module.parameters(), *call.module.buffers())
    return all(known.get(id(t.array), inside).startswith(inside) for t in own)


def _read(calls: Sequence[Call]) -> dict[int, None]:
    """The values that these read, in order."""
    return {x.number: None for call in calls for x in call.inputs if isinstance(x, Ref)}


def _shapes(found: Trace) -> dict[int, tuple[int, ...]]:
    shapes = {
        x.number: shape
        for x, shape in zip(found.inputs, found.input_shapes, strict=True)
    }
    for call in found.calls:
        made = call.shapes[-len(call.outputs) :] if call.outputs else []
        shapes |= dict(zip(call.outputs, made, strict=True))
    return shapes
