"""The source of a native step, from a program whose memory is planned.

    def step(table, thread, threads):
        # h = add maximum  (train.py:12)
        loop0(float32(table, 4, 2048), float32(table, 1, 64), float32(table, 5, 2048))
        ...
        return 0

All threads run `step`. Shared loops and products divide their work by `thread`; what is
not worth that is done by the first. A barrier stands before an instruction that touches
what another thread may still be working on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from dotori.compiler.ir import Instr, Names, Value
from dotori.compiler.native import library, pairs
from dotori.compiler.native.expressions import HEADER
from dotori.compiler.native.loops import loop_of
from dotori.compiler.native.matrices import operand, product
from dotori.compiler.native.movement import moved
from dotori.compiler.native.nest import Lying
from dotori.compiler.native.prepare import Natives, alone
from dotori.compiler.native.slots import ROOM, Region, Slots, view_text
from dotori.compiler.native.text import Argument, Array, Loop
from dotori.compiler.passes.fusion import fusable
from dotori.compiler.passes.fusion_space import POINTWISE
from dotori.compiler.passes.memory import MemoryPlan, Place
from dotori.compiler.passes.strides import viewed
from dotori.compiler.primitives import ARG_REDUCTIONS, VIEWS


@dataclass
class Segment:
    """A part of a program that runs in one go.

    Attributes
    ----------
    source : str
        Of a native one; empty where Python runs `instr`.
    instr : Instr or None
    """

    source: str = ""
    instr: Instr | None = None


@dataclass
class Step:
    """One call in the source, and the memory that it touches."""

    lines: list[str]
    reads: list[Region]
    writes: list[Region]
    shared: bool = False


def _conflict(step: Step, before: Step) -> bool:
    """Whether a call must not begin before all threads are done with another."""
    if not step.shared and not before.shared:
        return False
    touched = [*before.reads, *before.writes]
    return any(a.meets(b) for a in step.writes for b in touched) or any(
        a.meets(b) for a in step.reads for b in before.writes
    )


@dataclass
class Functions:
    """The functions of a source, each text once."""

    names: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    def name(self, text: str, stem: str) -> str:
        """The name of a function, whose text calls it ``NAME``."""
        found = self.names.get(text)
        if found is None:
            found = self.names[text] = f"{stem}{len(self.names)}"
            self.texts.append(text.replace("def NAME(", f"def {found}("))
        return found

    def add(self, text: str) -> None:
        """A function that has its name already."""
        if text not in self.names:
            self.names[text] = ""
            self.texts.append(text)


class Emitter:
    """Writes the segments of a program.

    Attributes
    ----------
    slots : Slots
        The addresses that the sources use.
    errors : list
        What the numbers that a step may return stand for.
    """

    def __init__(self, memory: MemoryPlan, native: Natives) -> None:
        self.memory = memory
        self.native = native
        self.threads = native.threads
        self.slots = Slots(memory, native.threads)
        self.names = Names(memory.program)
        self.errors: list[object] = []
        self.segments: list[Segment] = []
        self._begin()

    def _begin(self) -> None:
        self.functions = Functions()
        self.routines: list[library.Routine] = []
        self.lines: list[str] = []
        self.open: list[Step] = []  # since the last barrier

    def emit(self) -> list[Segment]:
        """All segments, in order."""
        for instr in self.memory.program.instrs:
            self._emit(instr)
        for state, new in self.memory.program.updates:
            if not self.memory.together(state, new):
                self._emit(Instr("copy", (new,), (state,)))
        self._close()
        return self.segments

    def _emit(self, instr: Instr) -> None:
        """Add an instruction to the segment, or make it one that Python runs."""
        if self.native(instr) or fusable(instr):
            self._add(instr)
        else:
            self._close()
            self.segments.append(Segment(instr=instr))

    def _close(self) -> None:
        if not self.lines:
            return
        body = "\n".join(f"    {line}" for line in self.lines)
        step = f"def step(table, thread, threads):\n{body}\n    return 0\n"
        parts = ["from __future__ import annotations\n", HEADER, "\n"]
        if self.routines:
            parts.append(library.source(self.routines) + "\n")
        text = "\n\n".join([*parts, *self.functions.texts, step])
        self.segments.append(Segment(source=text))
        self._begin()

    # Lines

    def _add(self, instr: Instr) -> None:
        if instr.op in VIEWS:
            return
        steps = list(self._steps(instr))
        if steps:
            self.lines.append(f"# {self._comment(instr)}")
        for step in steps:
            self._put(step)

    def _comment(self, instr: Instr) -> str:
        made = ", ".join(map(self.names, instr.outputs))
        what = instr.op
        if what == "fused":
            what = " ".join(part.op for part in instr.attrs["space"].members)
        elif what == "call":
            what = f"{instr.attrs['op'].__name__}.{instr.attrs['rule']}"
        where = f"  ({instr.where})" if instr.where else ""
        return f"{made} = {what}{where}" if made else f"{what}{where}"

    def _put(self, step: Step) -> None:
        """Add a call, with a barrier before it where it has to wait for others.

        What the first thread alone does waits for no other such call.
        """
        if self.threads > 1:
            if any(_conflict(step, other) for other in self.open):
                self.lines.append("barrier(table, thread, threads)")
                self.open.clear()
            self.open.append(step)
            if not step.shared:
                self.lines.append("if thread == 0:")
                self.lines += [f"    {line}" for line in step.lines]
                return
        self.lines += step.lines

    # Instructions

    def _steps(self, instr: Instr) -> Iterable[Step]:
        op = instr.op
        if op == "fused":
            yield from self._loop(loop_of(instr, self.slots.lying), instr)
        elif op in POINTWISE:
            yield from self._loop(loop_of(alone(instr), self.slots.lying), instr)
        elif op == "matmul":
            yield self._matmul(instr)
        elif op == "concatenate":
            for x, place in self.memory.missing_parts(instr):
                yield self._into(x, Value(x.shape, instr.output.dtype), place)
        elif op == "update":
            yield from self._update(instr)
        elif op == "take" or op == "take_along_axis" or op in ARG_REDUCTIONS:
            yield from self._loop(moved(instr, self.slots.lying), instr)
        elif op == "require":
            yield self._require(instr)
        elif op == "kernel":
            yield from self._kernel(instr)
        else:
            yield self._call(instr)

    def _regions(self, values: Iterable[Value]) -> list[Region]:
        return [self.slots.region(x) for x in values]

    def _loop(self, loop: Loop, instr: Instr) -> Iterable[Step]:
        """The call of a loop, and of what joins its pieces."""
        reads = self._regions(instr.values())
        writes = self._regions(instr.outputs)
        rooms = self._rooms(loop.arguments)
        part: Loop | None = loop
        while part is not None:
            yield self._loop_call(part, rooms, reads, writes)
            part = part.then

    def _rooms(self, arguments: Iterable[Argument]) -> dict[int, int]:
        """For each argument that is room, its slot."""
        wanted = {id(a): a for a in arguments if not isinstance(a, Array)}
        sizes = [(a.size * a.dtype.itemsize, a.each) for a in wanted.values()]
        return dict(zip(wanted, self.slots.rooms(sizes), strict=True))

    def _loop_call(
        self,
        loop: Loop,
        rooms: dict[int, int],
        reads: list[Region],
        writes: list[Region],
    ) -> Step:
        given: list[str] = []
        for a in loop.arguments:
            if isinstance(a, Array):
                given.append(view_text(a.dtype, a.slot, a.size))
                continue
            slot: int | str = rooms[id(a)]
            if a.each and self.threads > 1:
                slot = f"{slot} + thread"
            given.append(view_text(a.dtype, slot, a.size))
        if rooms:
            writes = [*writes, Region(ROOM, 0, 1 << 60)]
        if loop.shared:
            given += ["thread", "threads"]
        name = self.functions.name(loop.text, "loop")
        return Step([f"{name}({', '.join(given)})"], reads, writes, loop.shared)

    def _copy(self, x: Value, place: Place) -> Step:
        """x into memory at another place."""
        y = Value(x.shape, x.dtype)
        return self._into(x, y, place)

    def _into(self, x: Value | bool | int | float, y: Value, place: Place) -> Step:
        """x, broadcast and cast to y's shape and type, into y's place."""
        copy = alone(Instr("copy", (x,), (y,)))

        def lies(v: Value) -> Lying:
            if v is y:
                return self.slots.lying_at(place, y.shape, y.dtype.itemsize)
            return self.slots.lying(v)

        loop = loop_of(copy, lies, cut=isinstance(x, Value))
        reads = self._regions([x] if isinstance(x, Value) else [])
        writes = [self.slots.region(y, place)]
        return self._loop_call(loop, {}, reads, writes)

    def _update(self, instr: Instr) -> Iterable[Step]:
        x, part = instr.inputs
        y = instr.output
        assert isinstance(x, Value)
        place = self.memory.places[y]
        if not self.memory.together(x, y):
            yield self._copy(x, place)
        index = instr.attrs["index"]
        shape = tuple(
            len(range(n)[i])
            for n, i in zip(y.shape, index, strict=True)
            if isinstance(i, slice)
        )
        target = Value(shape, y.dtype)
        whole = Instr("slice", (y,), (target,), {"index": index})
        found = viewed(whole, place.steps)
        assert found is not None
        yield self._into(
            part, target, Place(place.base, place.offset + found[0], found[1])
        )

    def _matmul(self, instr: Instr) -> Step:
        a, b = instr.inputs
        assert isinstance(a, Value) and isinstance(b, Value)
        stacks = [operand(x, self.slots.lying(x)) for x in (a, b, instr.output)]
        one, two, made = stacks
        assert one is not None and two is not None and made is not None
        found = product(one, two, made, self.threads)
        assert found is not None, f"{instr} was to be prepared"
        call = found.call
        if found.text:
            name = self.functions.name(found.text, "product")
            call = call.replace("NAME", name)
        reads, writes = self._regions((a, b)), self._regions(instr.outputs)
        return Step([call], reads, writes, found.shared)

    def _require(self, instr: Instr) -> Step:
        self.errors.append(instr.attrs["error"])
        (x,) = instr.inputs
        if not isinstance(x, Value):
            test = repr(bool(x))
        else:
            test = f"{view_text(x.dtype, self.slots.lying(x).slot, 1)}[0]"
        lines = [f"if not {test}:", f"    return {len(self.errors)}"]
        return Step(lines, self._regions(instr.values()), [], True)

    def _kernel(self, instr: Instr) -> Iterable[Step]:
        arrays: dict[Value, str] = {}
        made = dict(zip(instr.attrs["writes"], instr.outputs, strict=True))
        touched = []
        for i, x in enumerate(instr.inputs):
            if not isinstance(x, Value):
                continue
            y = made.get(i, x)
            if not self.memory.together(x, y):
                yield self._copy(x, self.memory.places[y])
            shape = x.shape or 1
            arrays[x] = view_text(x.dtype, self.slots.lying(y).slot, shape)
            touched.append(y)
        text = self.native.pair(instr)
        assert text is not None
        self.functions.add(text)
        n = next(x for x in instr.values() if x.ndim).size
        shared = self.threads > 1 and n >= pairs.LEAST_SHARED
        shared = shared and pairs.is_elementwise(instr)
        given = pairs.arguments(instr, arrays, shared)
        lines = [f"{instr.attrs['pair'].loop.__name__}({', '.join(given)})"]
        if shared:
            first, last = f"{n} * thread // threads", f"{n} * (thread + 1) // threads"
            lines[:0] = [f"first, last = {first}, {last}"]
        writes = self._regions(instr.outputs)
        yield Step(lines, self._regions(touched), writes, shared)

    def _call(self, instr: Instr) -> Step:
        routine = self.native.routine(instr)
        assert routine is not None
        self.routines.append(routine)
        sizes = [
            (a.nbytes, False) for a in routine.arguments if isinstance(a, library.Room)
        ]
        rooms = iter(self.slots.rooms(sizes))
        given = [self._argument(a, instr, rooms) for a in routine.arguments]
        call = f"{routine.name}({', '.join([*given, 'table', 'thread', 'threads'])})"
        writes = self._regions(instr.outputs)
        if sizes:
            writes.append(Region(ROOM, 0, 1 << 60))
        return Step([call], self._regions(instr.values()), writes, True)

    def _argument(self, a: library.Argument, instr: Instr, rooms: Iterator[int]) -> str:
        if isinstance(a, library.Read | library.Write):
            given = instr.inputs if isinstance(a, library.Read) else instr.outputs
            x = given[a.index]
            assert isinstance(x, Value)
            shape = tuple(x.shape[axis] for axis in a.order) or 1
            return view_text(x.dtype, self.slots.lying(x).slot, shape)
        if isinstance(a, library.Room):
            dtype = np.dtype(a.dtype)
            return view_text(dtype, next(rooms), a.shape)
        if isinstance(a, library.Table):
            return view_text(a.array.dtype, self.slots.constant(a.array), a.array.shape)
        return repr(a)
