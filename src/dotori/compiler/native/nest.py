"""What the loops of a group look like, before they are written down.

Loops that all arrays pass in one step are taken together. The others are split into
outer loops and a row. Where a row is passed several times, because a sum over it must
be complete before what needs it, each member gets the number of its pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from dotori.compiler.ir import Instr, Operand, Value
from dotori.compiler.passes.fusion_space import Space
from dotori.compiler.primitives import REDUCTIONS, VIEWS

Strides = tuple[int, ...]

#: Rather computed again in a later pass over a row than kept.
CHEAP = frozenset(
    "add subtract multiply negative where cast copy square absolute equal not_equal "
    "less less_equal greater greater_equal logical_and logical_or logical_not "
    "maximum minimum".split()
)
MOST_REPEATED = 3


@dataclass(frozen=True, slots=True)
class Lying:
    """Where a value lies: a slot of the table, and places in elements from there."""

    slot: int
    offset: int
    strides: Strides


class Nest:
    """The loops of a fused instruction.

    Attributes
    ----------
    outer, inner : list of int
        The extents of the loops; the inner ones are the row.
    members : list of Instr
        Without views, of which the values behind them stand in `source`.
    places : dict
        For each array: its slot, offset, and strides along all loops.
    passes : dict
        For each member that varies along the row, the number of the pass over the row;
        for each other member, the number of passes that come before it.
    """

    def __init__(self, instr: Instr, lies: Callable[[Value], Lying]) -> None:
        self.instr = instr
        self.space: Space = instr.attrs["space"]
        self.members = self.space.members
        self.made = self.space.made
        self.source = _sources(instr.attrs["body"])
        self._arrays = {
            x: lies(x) for x in (*instr.inputs, *instr.outputs) if isinstance(x, Value)
        }
        groups = self._collapsed()
        row = self.space.row
        at = len(self.space.loops) - (row or 0)
        if row is None:
            at = self._position(groups[-1]) if groups else 0
        self._groups = groups
        split = sum(self._position(g) < at for g in groups)
        extents: list[int] = [
            prod(self.space.extents[loop] for loop in g) for g in groups
        ]
        self.outer, self.inner = extents[:split], extents[split:]
        self.places = {x: self._place(x) for x in self._arrays}
        self.passes = self._passes()
        self._sink()
        self.count = 1 + max(
            (self.passes[m] for m in self.members if self.in_row(m.output, m)),
            default=-1,
        )

    # Loops

    def _position(self, group: list[int]) -> int:
        return self.space.loops.index(group[0])

    def _collapsed(self) -> list[list[int]]:
        """Neighbouring loops that every array passes as if they were one."""
        groups: list[list[int]] = []
        loops = self.space.loops
        border = len(loops) - (self.space.row or 0) if self.space.row else -1
        for at, loop in enumerate(loops):
            if groups and at != border and self._run_on(groups[-1][-1], loop):
                groups[-1].append(loop)
            else:
                groups.append([loop])
        return groups

    def _run_on(self, a: int, b: int) -> bool:
        extent = self.space.extents[b]
        steps = (self._strides(x) for x in self._arrays)
        together = all(s.get(a, 0) == s.get(b, 0) * extent for s in steps)
        alike = all((a in over) == (b in over) for over in self.space.reduced.values())
        return together and alike

    def _strides(self, x: Value) -> dict[int, int]:
        """How far a value moves with each loop."""
        found = {}
        axes = zip(self.space.axes[x], self._arrays[x].strides, strict=True)
        for entry, stride in axes:
            for loop in reversed(entry):
                found[loop] = stride
                stride *= self.space.extents[loop]
        return found

    def _place(self, x: Value) -> Lying:
        strides = self._strides(x)
        lying = self._arrays[x]
        return Lying(
            lying.slot,
            lying.offset,
            tuple(strides.get(group[-1], 0) for group in self._groups),
        )

    # Levels

    def over(self, y: Value) -> list[bool]:
        """For each loop, whether a reduction was taken over it."""
        reduced = self.space.reduced.get(y, frozenset())
        return [group[0] in reduced for group in self._groups]

    def varies(self, x: Value) -> list[bool]:
        along = self.space.along(x)
        return [group[0] in along for group in self._groups]

    def in_row(self, x: Value, maker: Instr | None = None) -> bool:
        """Whether a value has one number for each step of the row.

        Of a reduction (`maker`), whether what it reads has.
        """
        if maker is not None and maker.op in REDUCTIONS:
            (x,) = maker.values()
        return any(self.varies(x)[len(self.outer) :])

    def outside(self, x: Value) -> bool:
        """Whether a value is the same in all loops, of which some are outer ones."""
        return bool(self.outer) and not any(self.varies(x))

    def root(self, x: Operand) -> Operand:
        """A member's value behind a view of it; anything else as it is."""
        return self.source.get(x, x) if isinstance(x, Value) else x

    def row_total(self, member: Instr) -> bool:
        """Whether a reduction goes over the whole row, at least."""
        over = self.over(member.output)[len(self.outer) :]
        return member.op in REDUCTIONS and bool(over) and all(over)

    def finished_in_row(self, member: Instr) -> bool:
        """Whether a reduction is complete when a row is: nothing outside is summed."""
        over = self.over(member.output)
        at = len(self.outer)
        return self.row_total(member) and not any(over[:at])

    # Passes

    def _passes(self) -> dict[Instr, int]:
        """The earliest pass of each member."""
        passes: dict[Instr, int] = {}
        maker = {m.output: m for m in self.members}
        for m in self.members:
            first = 0
            for x in m.values():
                source = maker.get(self._value(x))
                if source is None:
                    continue
                done = source.op in REDUCTIONS and self.row_total(source)
                first = max(first, passes[source] + done)
            passes[m] = first
        return passes

    def _value(self, x: Value) -> Value:
        found = self.root(x)
        assert isinstance(found, Value)
        return found

    def readers(self) -> dict[Value, list[Instr]]:
        """The members that read each value, through views as well."""
        found: dict[Value, list[Instr]] = {}
        for m in self.members:
            for x in m.values():
                found.setdefault(self._value(x), []).append(m)
        return found

    def _sink(self) -> None:
        """Move what only later passes need there, so that it need not be kept."""
        readers = self.readers()
        for m in reversed(self.members):
            if m.op in REDUCTIONS or not self.in_row(m.output):
                continue
            needed = [r for r in readers.get(m.output, ()) if not self._follows(r)]
            if needed:
                soonest = min(self.passes[r] for r in needed)
                self.passes[m] = max(self.passes[m], soonest)
        for m in self.members:
            if self._follows(m):
                (x,) = m.values()
                made = [s for s in self.members if s.output is self._value(x)]
                self.passes[m] = max([self.passes[m], *(self.passes[s] for s in made)])

    def _follows(self, m: Instr) -> bool:
        """Whether a member only adds up what is there: it can be done in any pass."""
        if m.op not in REDUCTIONS or self.finished_in_row(m):
            return False
        return self.in_row(m.output, m)

    # What goes from pass to pass

    def kept(self) -> list[Value]:
        """Values of a row that are kept for a later pass and are no outputs."""
        readers = self.readers()
        found = []
        for m in self.members:
            y = m.output
            if m.op in REDUCTIONS or not self.in_row(y) or y in self.instr.outputs:
                continue
            later = any(
                self.passes[r] > self.passes[m] and self.in_row(r.output, r)
                for r in readers.get(y, ())
            )
            if later and self.repeated(y) > MOST_REPEATED:
                found.append(y)
        return found

    def repeated(self, y: Value) -> int:
        """How many operations it takes to compute a value from arrays once more."""
        maker = {m.output: m for m in self.members}
        m = maker.get(y)
        if m is None or y in self.instr.outputs or m.op in REDUCTIONS:
            return 0
        if not self.in_row(y):
            return 0
        if m.op not in CHEAP:
            return MOST_REPEATED + 1
        return 1 + sum(self.repeated(self._value(x)) for x in m.values())


def _sources(body: list[Instr]) -> dict[Value, Value]:
    """What the views in a body are views of."""
    found: dict[Value, Value] = {}
    for instr in body:
        if instr.op in VIEWS:
            (x,) = instr.values()
            found[instr.output] = found.get(x, x)
    return found
