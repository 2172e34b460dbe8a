"""A fused instruction as a Python function of plain loops, which Numba compiles.

    def loop3(x0, x1, y0):
        for i in range(32):
            for j in range(64):
                a = x0[i * 64 + j] + x1[j]
                y0[i * 64 + j] = f4(0.0) if a <= f4(0.0) else a

Arrays are flat, bounds are written out, and every array stands in one argument only, so
that LLVM can make vectors: it sees that no index is negative and no arrays overlap.
Nests of the same form give the same text, whatever they are applied to.

Large nests are cut into pieces of the outermost loop, which threads share. Pieces are
cut by shapes alone; where they add to the same totals, each has its own, and a second
function joins these in order. So results do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from dotori.compiler.ir import Instr, Value
from dotori.compiler.native.expressions import (
    DType,
    cast,
    expression,
    joined,
    start,
)
from dotori.compiler.native.nest import MOST_REPEATED, Lying, Nest
from dotori.compiler.native.text import Argument, Array, Lines, Loop, Room, as_function
from dotori.compiler.primitives import REDUCTIONS

#: Operations below which a nest is not cut: the work of a few microseconds.
LEAST_SHARED = 1 << 14
MOST_PIECES = 16
#: How many numbers all pieces' totals may take.
MOST_PARTIAL = 1 << 20
_INDEX = "ijklmnopqr"


def loop_of(instr: Instr, lies: Callable[[Value], Lying], cut: bool = True) -> Loop:
    """The function that runs a fused instruction, whose values lie so."""
    return _Writer(Nest(instr, lies), cut).loop()


class _Writer:
    """Writes one nest down."""

    def __init__(self, nest: Nest, cut: bool) -> None:
        self.nest = nest
        self.out = Lines()
        self.arguments: dict[str, Argument] = {}
        self.names: dict[tuple[int, DType], str] = {}  # of arrays, by slot
        self.ends: dict[str, int] = {}
        self.known: list[dict[Value, str]] = [{}, {}, {}]  # outside, outer, row
        self.maker = {m.output: m for m in nest.members}
        self.kept = set(nest.kept())
        self.buffers: dict[Value, str] = {}
        self.total: dict[Instr, str] = {}
        self.extents = nest.outer + nest.inner
        self.pieces: int = self._pieces() if cut else 1
        self.step = self._step()
        self._name_arrays()

    # Arguments

    def _name_arrays(self) -> None:
        instr = self.nest.instr
        written = {self.nest.places[y].slot for y in instr.outputs}
        for x in dict.fromkeys((*instr.inputs, *instr.outputs)):
            if not isinstance(x, Value):
                continue
            place = self.nest.places[x]
            key = place.slot, x.dtype
            if key not in self.names:
                stem = "y" if place.slot in written else "x"
                n = sum(name[0] == stem for name in self.names.values())
                self.names[key] = f"{stem}{n}"
            name = self.names[key]
            steps = zip(self.extents, place.strides, strict=True)
            end = 1 + place.offset + sum((n - 1) * s for n, s in steps if s > 0)
            self.ends[name] = max(end, self.ends.get(name, 0), 0)
        for (slot, dtype), name in self.names.items():
            self.arguments[name] = Array(slot, dtype, self.ends[name])

    def _room(self, dtype: DType, size: int, each: bool) -> str:
        name = f"r{sum(isinstance(a, Room) for a in self.arguments.values())}"
        self.arguments[name] = Room(dtype, size, each)
        return name

    # Pieces

    def _adding(self) -> list[Instr]:
        """Reductions whose totals go on from row to row, or piece to piece."""
        nest = self.nest
        return [
            m
            for m in nest.members
            if m.op in REDUCTIONS
            and any(nest.over(m.output))
            and not (nest.finished_in_row(m) and nest.outer)
            and not (nest.finished_in_row(m) and nest.space.row)
        ]

    def _pieces(self) -> int:
        """Into how many pieces the outermost loop is cut."""
        nest = self.nest
        work = prod(self.extents) * len(nest.members)
        if (
            not self.extents
            or work < LEAST_SHARED
            or (not nest.outer and nest.space.row)
        ):
            return 1
        wanted: int = 1 << ((work * 2 // LEAST_SHARED).bit_length() - 1)
        pieces = min(self.extents[0], MOST_PIECES, wanted)
        totals = [m.output.size for m in self._adding() if nest.over(m.output)[0]]
        return pieces if sum(totals) * pieces <= MOST_PARTIAL else 1

    def _step(self) -> int:
        """How much of the outermost loop is a piece."""
        if self.pieces == 1:
            return 0
        n = self.extents[0]
        step = -(-n // self.pieces)
        if len(self.extents) == 1:
            step = -(-step // 16) * 16
        self.pieces = -(-n // step)
        return step

    def loop(self) -> Loop:
        """The whole function."""
        if self.pieces > 1:
            return self._shared()
        for m in self._adding():
            self.total[m] = self._array(m.output)
            self._clear(m, "")
        self._nest("")
        return self._function(False, None)

    def _shared(self) -> Loop:
        partial = [m for m in self._adding() if self.nest.over(m.output)[0]]
        for m in partial:
            self.total[m] = self._room(
                m.output.dtype, m.output.size * self.pieces, False
            )
        whole = [m for m in self._adding() if m not in self.total]
        self.out.open(f"for piece in range({self.pieces}):")
        self.out.open("if piece % threads == thread:")
        n, step = self.extents[0], self.step
        end = f"piece * {step} + {step}"
        if n % step:
            end = f"min({end}, {n})"
        first = f"piece * {step}"
        for m in partial:
            self._clear(m, _piece_of(m.output))
        for m in whole:
            self.total[m] = self._array(m.output)
            self._clear_part(m, f"{first}, {end}")
        self._nest(f"{first}, {end}")
        return self._function(True, self._join(partial) if partial else None)

    def _clear(self, m: Instr, at: str) -> None:
        """Begin a total, here that of a piece."""
        name, zero = self.total[m], start(m.op, m.output.dtype)
        if m.output.size == 1:
            self.out.add(f"{name}[{at or self._offset(m.output)}] = {zero}")
            return
        offset = f"{at} + " if at else self._offset(m.output, " + ")
        self.out.open(f"for k in range({m.output.size}):")
        self.out.add(f"{name}[{offset}k] = {zero}")
        self.out.depth -= 1

    def _clear_part(self, m: Instr, bounds: str) -> None:
        """Begin those totals that belong to the piece alone."""
        depth = self.out.depth
        for k, (extent, over) in enumerate(
            zip(self.extents, self.nest.over(m.output), strict=True)
        ):
            if not over:
                self.out.open(f"for {_INDEX[k]} in range({extent if k else bounds}):")
        place = self._index(self.nest.places[m.output])
        self.out.add(f"{self.total[m]}[{place}] = {start(m.op, m.output.dtype)}")
        self.out.depth = depth

    def _offset(self, y: Value, then: str = "") -> str:
        offset = self.nest.places[y].offset
        if then:
            return f"{offset}{then}" if offset else ""
        return str(offset)

    def _join(self, partial: list[Instr]) -> Loop:
        """The function that adds up the pieces' totals, in order."""
        writer, arguments = Lines(), {}
        for n, m in enumerate(partial):
            y, dtype = m.output, m.output.dtype
            given = self.arguments[self._array(y)]
            arguments[f"y{n}"] = given
            arguments[f"r{n}"] = self.arguments[self.total[m]]
            at = f"{self._offset(y, ' + ')}k"
            writer.open(f"for k in range({y.size}):")
            writer.add(f"y{n}[{at}] = r{n}[k]")
            writer.depth -= 1
            writer.open(f"for piece in range(1, {self.pieces}):")
            writer.open(f"for k in range({y.size}):")
            writer.add(f"part = r{n}[piece * {y.size} + k]")
            text = joined(m.op, f"y{n}[{at}]", "part", dtype)
            writer.add(f"y{n}[{at}] = {text}")
            writer.depth -= 2
        return as_function(writer, arguments, False, None)

    def _function(self, shared: bool, then: Loop | None) -> Loop:
        return as_function(self.out, self.arguments, shared, then)

    # Loops

    def _nest(self, bounds: str) -> None:
        nest, out = self.nest, self.out
        depth = out.depth
        if nest.outer:
            self._scalars(0, 0)
        for k, extent in enumerate(nest.outer):
            given = bounds if k == 0 and bounds else str(extent)
            out.open(f"for {_INDEX[k]} in range({given}):")
        for number in range(nest.count):
            self._scalars(1, number)
            self._pass(number, "" if nest.outer else bounds)
        self._scalars(1, nest.count)
        out.depth = depth

    def _scalars(self, level: int, number: int) -> None:
        """Members that do not vary along the row, between its passes."""
        for m in self.nest.members:
            if self._level(m.output, m) != level or m.output in self.known[level]:
                continue
            if level == 1 and self.nest.passes[m] != number:
                continue
            if m.op in REDUCTIONS and any(self.nest.over(m.output)):
                self._add_scalar(m)
                continue
            text = self._expression(m, level)
            self._define(m, level, text)
            if m.output in self.nest.instr.outputs:
                self._store(m.output, self.known[level][m.output], level)

    def _level(self, x: Value, m: Instr | None = None) -> int:
        """0: outside of all loops, 1: once for each row, 2: along the row."""
        if self.nest.in_row(x, m):
            return 2
        if m is not None and m.op in REDUCTIONS:
            (x,) = m.values()
        return 0 if self.nest.outside(x) else 1

    def _add_scalar(self, m: Instr) -> None:
        """A reduction over outer loops of one number for each row."""
        (x,) = m.values()
        text = self._operand(x, 1)
        text = cast(text, x.dtype, m.output.dtype)
        self._accumulate(m, text)
        self.known[1][m.output] = ""

    def _accumulate(self, m: Instr, text: str) -> None:
        name = self.total[m]
        place = self.nest.places[m.output]
        if self.arguments[name].__class__ is Room:
            index = self._index(Lying(0, 0, place.strides), _piece_of(m.output))
        else:
            index = self._index(place)
        at = f"{name}[{index}]"
        self.out.add(f"{at} = {joined(m.op, at, text, m.output.dtype)}")

    def _pass(self, number: int, bounds: str) -> None:
        """One pass over the row."""
        nest, out = self.nest, self.out
        mine = [
            m
            for m in nest.members
            if nest.passes[m] == number and nest.in_row(m.output, m)
        ]
        totals = [m for m in mine if nest.row_total(m)]
        for m in totals:
            self.out.add(f"{self._sum(m)} = {start(m.op, m.output.dtype)}")
        depth, before = out.depth, len(out.lines)
        at = len(nest.outer)
        for k, extent in enumerate(nest.inner, at):
            given = bounds if k == at and bounds else str(extent)
            out.open(f"for {_INDEX[k]} in range({given}):")
        self.known[2] = {}
        begun = len(out.lines)
        for m in mine:
            self._in_row(m, number)
        self._stores(mine)
        out.name_places(begun)
        if len(out.lines) == begun:  # nothing that anybody reads
            del out.lines[before:]
        out.depth = depth
        for m in totals:
            self._finish(m)

    def _sum(self, m: Instr) -> str:
        return f"s{self.nest.members.index(m)}"

    def _in_row(self, m: Instr, number: int) -> None:
        if m.op not in REDUCTIONS:
            if self._wanted(m.output, number):
                self._value(m.output, number)
            return
        (x,) = m.values()
        text = cast(self._operand(x, 2, number), x.dtype, m.output.dtype)
        if self.nest.row_total(m):
            name = self._sum(m)
            self.out.add(f"{name} = {joined(m.op, name, text, m.output.dtype)}")
        elif any(self.nest.over(m.output)):
            self._accumulate(m, text)
        else:
            self._define(m, 2, text)

    def _wanted(self, y: Value, number: int) -> bool:
        """Whether a value must be made in this pass: others are made when needed."""
        return y in self.nest.instr.outputs or y in self.kept

    def _stores(self, mine: list[Instr]) -> None:
        """At the end of a pass's body, so that all has been read before."""
        for m in mine:
            y = m.output
            if m.op in REDUCTIONS and any(self.nest.over(y)):
                continue
            if y in self.nest.instr.outputs:
                self._store(y, self.known[2][y], 2)
            if y in self.kept:
                self.out.add(
                    f"{self._buffer(y)}[{self._row_index()}] = {self.known[2][y]}"
                )

    def _finish(self, m: Instr) -> None:
        """After a pass: a total over the row is complete, or goes to a larger one."""
        nest = self.nest
        if m in self.total:
            self._accumulate(m, self._sum(m))
            return
        self.known[1][m.output] = self._sum(m)
        if m.output in nest.instr.outputs:
            self._store(m.output, self._sum(m), 1)

    # Values

    def _value(self, x: Value, number: int) -> str:
        """The name of a row's value in this pass; it is read or computed if need be."""
        known = self.known[2]
        if x in known:
            return known[x]
        m = self.maker.get(x)
        if m is None:
            return self._load(x, 2)
        if self.nest.passes[m] < number:
            if x in self.kept:
                known[x] = name = self._fresh(m)
                self.out.add(f"{name} = {self._buffer(x)}[{self._row_index()}]")
                return name
            if x in self.nest.instr.outputs and self.nest.repeated(x) <= MOST_REPEATED:
                return self._load(x, 2)
        self._define(m, 2, self._expression(m, 2, number))
        return known[x]

    def _expression(self, m: Instr, level: int, number: int = 0) -> str:
        names = [
            self._operand(x, level, number) if isinstance(x, Value) else ""
            for x in m.inputs
        ]
        if m.op in REDUCTIONS:  # over axes of length one
            (x,) = m.values()
            return cast(names[0], x.dtype, m.output.dtype)
        return expression(m, names)

    def _operand(self, x: Value, level: int, number: int = 0) -> str:
        source = self.nest.root(x)
        assert isinstance(source, Value)
        own = self._level(source)
        if source in self.maker and self.nest.in_row(source):
            return self._value(source, number)
        if own == 2:
            return self._value(source, number)
        if source in self.known[own]:
            return self.known[own][source]
        return self._load(source, own)

    def _load(self, x: Value, level: int) -> str:
        """Read an element. LLVM moves what is constant in a loop out of it."""
        known = self.known[2] if level == 2 else {}
        name = f"{self._array(x)}[{self._index(self.nest.places[x])}]"
        if level != 2:
            return name
        fresh = f"{self._array(x)}_{len(known)}"
        self.out.add(f"{fresh} = {name}")
        known[x] = fresh
        return fresh

    def _define(self, m: Instr, level: int, text: str) -> None:
        name = self._fresh(m)
        self.out.add(f"{name} = {text}")
        self.known[level][m.output] = name

    def _fresh(self, m: Instr) -> str:
        return f"v{self.nest.members.index(m)}"

    def _store(self, y: Value, text: str, level: int) -> None:
        self.out.add(f"{self._array(y)}[{self._index(self.nest.places[y])}] = {text}")

    def _array(self, x: Value) -> str:
        return self.names[self.nest.places[x].slot, x.dtype]

    def _index(self, place: Lying, base: str = "") -> str:
        terms = [base] if base else []
        for name, n, stride in zip(_INDEX, self.extents, place.strides, strict=False):
            if stride and n > 1:
                terms.append(name if stride == 1 else f"{name} * {stride}")
        if place.offset:
            terms.append(str(place.offset))
        return " + ".join(terms) or "0"

    def _buffer(self, y: Value) -> str:
        if y not in self.buffers:
            self.buffers[y] = self._room(y.dtype, prod(self.nest.inner), True)
        return self.buffers[y]

    def _row_index(self) -> str:
        """The place in a row that is kept."""
        strides, step = [], 1
        for extent in reversed(self.nest.inner):
            strides.append(step)
            step *= extent
        zeros = (0,) * len(self.nest.outer)
        return self._index(Lying(0, 0, zeros + tuple(reversed(strides))))


def _piece_of(y: Value) -> str:
    """Where the totals of a piece begin."""
    return f"piece * {y.size}" if y.size > 1 else "piece"
