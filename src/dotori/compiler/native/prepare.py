"""What a program must look like before its source is written.

Which instructions the native step runs itself, and copies of operands that lie in
memory as their consumers cannot read them.
"""

from __future__ import annotations

from collections.abc import Iterator

from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.native import library
from dotori.compiler.native.expressions import CASTS
from dotori.compiler.native.matrices import Operand
from dotori.compiler.native.pairs import embedded
from dotori.compiler.passes.fusion_space import Known, Space
from dotori.compiler.passes.memory import overwritable
from dotori.compiler.primitives import ARG_REDUCTIONS, MOVEMENT, VIEWS
from dotori.compiler.views import Views

_NO_VIEWS = Views(Program([], [], [], []))


def alone(instr: Instr) -> Instr:
    """A single elementwise instruction as a fused one."""
    space = Space().with_member(instr, Known({}, _NO_VIEWS))
    assert space is not None
    attrs = {"body": [instr], "space": space}
    inputs = tuple(dict.fromkeys(instr.values()))
    return Instr("fused", inputs, instr.outputs, attrs, instr.where)


class Natives:
    """Which instructions the native step runs itself; each is asked about once."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._routines: dict[Instr, library.Routine | None] = {}
        self._pairs: dict[Instr, str | None] = {}

    def routine(self, instr: Instr) -> library.Routine | None:
        """The routine for a call, if there is one."""
        if instr not in self._routines:
            self._routines[instr] = library.find(instr, self.threads)
        return self._routines[instr]

    def pair(self, instr: Instr) -> str | None:
        """The text of a kernel pair, if it can be compiled into the step."""
        if instr not in self._pairs:
            self._pairs[instr] = embedded(instr)
        return self._pairs[instr]

    def __call__(self, instr: Instr) -> bool:
        op = instr.op
        if op == "fused" or op in VIEWS:
            return True
        if op == "call":
            return self.routine(instr) is not None
        if op == "kernel":
            return self.pair(instr) is not None
        types = {x.dtype for x in (*instr.values(), *instr.outputs)}
        if op == "matmul":
            full = all(x.size for x in instr.values())
            return full and len(types) == 1 and next(iter(types)).char in "fd"
        known = op in MOVEMENT - {"copy"} or op in ARG_REDUCTIONS or op == "require"
        return known and all(x.char in CASTS for x in types)


def with_own_outputs(program: Program) -> Program:
    """The program with outputs that are made for being returned.

    What is a view, or lies in memory that the step may change, is copied: what was
    there before the step at its beginning.
    """
    views, makers = Views(program), program.made_by()
    first: list[Instr] = []
    last: list[Instr] = []
    outputs: list[Value] = []
    for x in program.outputs:
        maker, root = makers.get(x), views(x).root
        if maker is None or maker.op in VIEWS or x in outputs:
            y = Value(x.shape, x.dtype, name=x.name, order=x.order)
            where = maker.where if maker else ""
            copy = Instr("copy", (x,), (y,), {}, where)
            (last if root in makers else first).append(copy)
            x = y
        outputs.append(x)
    early = _views_of(first, makers)
    instrs = [i for i in program.instrs if i not in early]
    instrs = [*early, *first, *instrs, *last]
    return Program(program.inputs, program.host, instrs, outputs, program.updates)


def _views_of(readers: list[Instr], makers: dict[Value, Instr]) -> list[Instr]:
    """The views that instructions read, each after what it is a view of."""
    found: dict[Instr, None] = {}
    waiting = [x for instr in readers for x in instr.values()]
    while waiting:
        maker = makers.get(waiting.pop())
        if maker is not None:
            found.pop(maker, None)
            found[maker] = None
            waiting.extend(maker.values())
    return list(reversed(found))


def prepared(program: Program, native: Natives) -> Program:
    """The program with copies of what lies otherwise than its readers need it."""
    views = Views(program)
    instrs: list[Instr] = []
    copies: dict[tuple[Value, tuple[int, ...]], Value] = {}
    for instr in program.instrs:
        new: dict[Value, Value] = {}
        for x, order in _wanted(instr, views, native) if native(instr) else ():
            y = copies.get((x, order))
            if y is None:
                y = copies[x, order] = Value(x.shape, x.dtype, order=order)
                instrs.append(alone(Instr("copy", (x,), (y,), {}, instr.where)))
            new[x] = y
        instrs.append(instr.replaced(dict(new)))
    return program.with_instrs(instrs)


def _wanted(
    instr: Instr, views: Views, native: Natives
) -> Iterator[tuple[Value, tuple[int, ...]]]:
    """Inputs that have to be copied, and the order in which the copy must lie."""
    if instr.op == "matmul":
        yield from _of_product(instr, views)
    elif instr.op == "kernel":
        for x in instr.values():
            if x.ndim and not views(x).is_dense():
                yield x, tuple(range(x.ndim))
    elif instr.op == "call":
        routine = native.routine(instr)
        for argument in routine.arguments if routine else ():
            if isinstance(argument, library.Read):
                given = instr.inputs[argument.index]
                assert isinstance(given, Value)
                if not views(given).transposed(argument.order).is_dense():
                    yield given, argument.order


def _of_product(instr: Instr, views: Views) -> Iterator[tuple[Value, tuple[int, ...]]]:
    """Operands that cannot be seen as stacks of matrices."""

    for x in dict.fromkeys(instr.values()):
        view = views(x)
        stack = Operand(0, x.dtype, view.shape, view.strides)
        index = tuple("ijklmnop"[: x.ndim - 2])
        if min(view.strides) < 0 or stack.text(index) is None:
            yield x, tuple(range(x.ndim))


def in_place(instr: Instr) -> Iterator[tuple[int, int]]:
    """Pairs (output, input), by position: the output may be made in the input's place.

    In loops that read each element once, before they write it there: those with one
    pass over a row.
    """
    if instr.op != "fused":
        yield from overwritable(instr)
        return
    space: Space = instr.attrs["space"]
    if space.row is not None or not space.loops:
        return
    for k, y in enumerate(instr.outputs):
        if len(space.along(y)) < len(space.loops):
            continue
        for i, x in enumerate(instr.inputs):
            if isinstance(x, Value) and (x.shape, x.dtype) == (y.shape, y.dtype):
                if space.axes[x] == space.axes[y] and y not in space.reduced:
                    yield k, i
