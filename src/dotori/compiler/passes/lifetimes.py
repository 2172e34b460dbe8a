"""When each value is made, and until when the memory that it lies in is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.lib.array_utils import byte_bounds

from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.primitives import VIEWS, Slot


def lenders(instr: Instr) -> list[Value]:
    """The inputs in whose memory the outputs may lie.

    Of a view, its input. Of a call: what an operation that makes views is given, or a
    function of NumPy, and the gradient that a rule is given, which it may hand on.
    """
    if instr.op in VIEWS:
        return [x for x in instr.inputs[:1] if isinstance(x, Value)]
    if instr.op != "call":
        return []
    if instr.attrs["rule"] != "backward":
        views = getattr(instr.attrs["op"], "views", True)
        return list(instr.values()) if views else []
    given = [instr.inputs[slot.index] for slot in _slots(instr.attrs["args"][:1])]
    return [x for x in given if isinstance(x, Value)]


def _slots(template: Any) -> Iterator[Slot]:
    if isinstance(template, Slot):
        yield template
    elif isinstance(template, tuple | list):
        for part in template:
            yield from _slots(part)


class Lifetimes:
    """Positions in a program; its results are read at its end.

    Attributes
    ----------
    end : int
        One past the last instruction.
    makers : dict
        The instruction behind each made value.
    made : dict
        The position of that instruction.
    until : dict
        The last position that reads a value, or one that may lie in its memory.
    last_require : int
        The position of the last ``require``; -1 without one. States are not written
        before it.
    """

    def __init__(self, program: Program) -> None:
        instrs = program.instrs
        self.end = len(instrs)
        self.makers = program.made_by()
        self.made = {y: i for i, instr in enumerate(instrs) for y in instr.outputs}
        self.until = self._until(program)
        checks = [i for i, instr in enumerate(instrs) if instr.op == "require"]
        self.last_require = max(checks, default=-1)
        self._near = _overlapping(program.states())
        self._sources = sources_of(program)

    def _until(self, program: Program) -> dict[Value, int]:
        until = dict.fromkeys(program.results(), self.end)
        for i in reversed(range(self.end)):
            instr = program.instrs[i]
            for y in instr.outputs:
                until.setdefault(y, i)
            longest = max((until[y] for y in instr.outputs), default=i)
            lent = lenders(instr)
            for x in instr.values():
                until[x] = max(until.get(x, i), longest if x in lent else i)
        return until

    def sources(self, x: Value) -> frozenset[Value]:
        """The values in whose memory `x` may lie; itself, unless it is a view."""
        return self._sources.get(x, frozenset((x,)))

    def overlapping(self, state: Value) -> frozenset[Value]:
        """The states that share memory with a state, itself among them."""
        return self._near.get(state, frozenset((state,)))

    def state_until(self, state: Value) -> int:
        """The last position that reads what a state held before the step."""
        return max(self.until.get(x, -1) for x in self.overlapping(state))


def sources_of(program: Program) -> dict[Value, frozenset[Value]]:
    """In whose memory the outputs of views, and of calls that make them, may lie."""
    found: dict[Value, frozenset[Value]] = {}
    for instr in program.instrs:
        lent = lenders(instr)
        if not lent:
            continue
        joined = frozenset().union(*(found.get(x, frozenset((x,))) for x in lent))
        for y in instr.outputs:
            found[y] = joined if instr.op in VIEWS else joined | {y}
    return found


def _overlapping(states: list[Value]) -> dict[Value, frozenset[Value]]:
    """The others whose memory each state shares, where it shares any."""
    bounds = sorted(
        ((*byte_bounds(x.array), x) for x in states if x.size), key=lambda b: b[:2]
    )
    near: dict[Value, frozenset[Value]] = {}
    group: list[Value] = []
    reach = 0
    for start, stop, x in bounds:
        if start >= reach:
            group = []
        group.append(x)
        reach = max(reach, stop)
        if len(group) > 1:
            near.update(dict.fromkeys(group, frozenset(group)))
    return near
