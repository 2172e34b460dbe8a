"""Where each value lies: all that a program makes fits into one arena, planned once.

Memory that nothing reads any more is used again; a view is an alias of what it shows;
an elementwise result is made in the place of an input that dies; the parts of a
concatenation are made inside of it; and the new value of a state in the state's own
memory, if nothing reads the old one later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.passes.arena import Block, pack
from dotori.compiler.passes.lifetimes import Lifetimes, sources_of
from dotori.compiler.passes.strides import Steps, dense, reshaped, same, viewed
from dotori.compiler.primitives import ELEMENTWISE, VIEWS

Pairs: TypeAlias = "Iterable[tuple[int, int]]"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the elements of a value lie.

    Attributes
    ----------
    base : Value or None
        None: the arena. An input, host value, state or constant: its own memory. A made
        value: memory that is new in each run, as outputs and what calls return are.
    offset : int
        Bytes from the start of that memory to the first element.
    steps : tuple of int
        Bytes from one element to the next along each axis. In the memory of an input,
        a host value or a call's result, as if it were dense in its order: whoever runs
        the plan copies where it is not, or makes views when it runs.
    """

    base: Value | None
    offset: int
    steps: Steps


@dataclass(slots=True)
class MemoryPlan:
    """The places of all values.

    Where an output lies exactly where an input does, nothing has to be moved: this is
    how a view, a part of a concatenation, or what ``update`` and kernels change in
    place can be told from a copy (`together`).

    Attributes
    ----------
    program : Program
        What is planned: the program, and copies where an update needs them.
    places : dict
        The `Place` of each value.
    nbytes : int
        The size of the arena. All its places begin at multiples of 64.
    """

    program: Program
    places: dict[Value, Place]
    nbytes: int

    def together(self, x: Value, y: Value) -> bool:
        """Whether two values of the same shape lie in the same place."""
        a, b = self.places[x], self.places[y]
        there = a.base is b.base and a.offset == b.offset
        return there and same(x.shape, a.steps, b.steps)

    def is_alias(self, instr: Instr) -> bool:
        """Whether the output of a view lies in its input, so that nothing is copied."""
        x = instr.inputs[0]
        assert isinstance(x, Value)
        whole, part = self.places[x], self.places[instr.output]
        view = viewed(instr, whole.steps)
        if view is None or part.base is not whole.base:
            return False
        return part.offset == whole.offset + view[0]

    def missing_parts(self, instr: Instr) -> list[tuple[Value, Place]]:
        """The inputs of a ``concatenate`` that were not made inside of its output.

        Each with the place that it must be copied to.
        """
        whole, axis = self.places[instr.output], instr.attrs["axis"]
        offset, missing = whole.offset, []
        for x in instr.inputs:
            assert isinstance(x, Value)
            part = Place(whole.base, offset, whole.steps)
            own = self.places[x]
            inside = own.base is part.base and own.offset == offset
            if not (inside and same(x.shape, own.steps, part.steps)):
                missing.append((x, part))
            offset += x.shape[axis] * whole.steps[axis]
        return missing


def placed(instr: Instr) -> bool:
    """Whether an instruction writes where it is told: all but calls."""
    return instr.op != "call"


def overwritable(instr: Instr) -> Pairs:
    """Pairs (output, input), by position: the output may be made in the input's place.

    Of elementwise instructions with an input of the output's shape and type; of
    ``where`` the last input, because it is copied first; of ``update`` and kernels,
    what they change.
    """
    if instr.op == "kernel":
        return list(enumerate(instr.attrs["writes"]))
    if instr.op == "update":
        return [(0, 0)]
    if instr.op not in ELEMENTWISE:
        return []
    y = instr.output
    return [
        (0, i)
        for i, x in enumerate(instr.inputs)
        if isinstance(x, Value)
        and (x.shape, x.dtype) == (y.shape, y.dtype)
        and (instr.op != "where" or i == 2)
    ]


def plan_memory(
    program: Program,
    placed: Callable[[Instr], bool] = placed,
    overwritable: Callable[[Instr], Pairs] = overwritable,
) -> MemoryPlan:
    """Give each value of a program its place.

    Parameters
    ----------
    program : Program
    placed : callable
        Whether the outputs of an instruction can be written where the plan says. The
        others lie in new memory.
    overwritable : callable
        In which of its inputs' places an instruction can make which of its outputs.

    Returns
    -------
    MemoryPlan

    Examples
    --------
    >>> import numpy as np
    >>> f8 = np.dtype("f8")
    >>> x, h, y = (Value((100,), f8, kind) for kind in ("input", "made", "made"))
    >>> half = Instr("multiply", (x, 0.5), (h,))
    >>> plan = plan_memory(Program([x], [], [half, Instr("exp", (h,), (y,))], [y]))
    >>> plan.places[h], plan.nbytes
    (Place(base=None, offset=0, steps=(8,)), 832)
    """
    return _Planner(settled(program), placed, overwritable).plan()


def settled(program: Program) -> Program:
    """The program with copies of what an update takes from memory that it has not made.

    Without them, the new value of one state could be another state, which may be
    overwritten first.
    """
    sources = sources_of(program)
    copies: dict[Value, Value] = {}
    for _, new in program.updates:
        found = sources.get(new, (new,))
        if any(x.kind != "made" for x in found) and new not in copies:
            copies[new] = Value(new.shape, new.dtype, name=new.name)
    added = [Instr("copy", (x,), (y,)) for x, y in copies.items()]
    updates = [(state, copies.get(new, new)) for state, new in program.updates]
    instrs = [*program.instrs, *added]
    return Program(program.inputs, program.host, instrs, program.outputs, updates)


@dataclass(slots=True)
class _Spot:
    """A place in memory whose offset in the arena is not known yet."""

    base: Block | Value
    offset: int
    steps: Steps

    def place(self) -> Place:
        if isinstance(self.base, Block):
            return Place(None, self.base.offset + self.offset, self.steps)
        return Place(self.base, self.offset, self.steps)


@dataclass(slots=True)
class _Planner:
    program: Program
    placed: Callable[[Instr], bool]
    overwritable: Callable[[Instr], Pairs]
    lives: Lifetimes = field(init=False)
    homes: dict[Value, _Spot] = field(init=False, default_factory=dict)
    spots: dict[Value, _Spot] = field(init=False, default_factory=dict)
    blocks: list[Block] = field(init=False, default_factory=list)

    def plan(self) -> MemoryPlan:
        program = self.program
        self.lives = Lifetimes(program)
        self._find_homes()
        for i, instr in enumerate(program.instrs):
            for k, y in enumerate(instr.outputs):
                spot = self.spots[y] = self._choose(i, instr, k)
                if isinstance(spot.base, Block):
                    spot.base.cover(i, self.lives.until[y])
        nbytes = pack(self.blocks)
        read = [x for instr in program.instrs for x in instr.values()]
        known = (program.inputs, program.host, program.states(), program.results())
        for x in (*read, *(x for values in known for x in values)):
            self._spot(x)
        places = {x: spot.place() for x, spot in self.spots.items()}
        return MemoryPlan(program, places, nbytes)

    def _spot(self, x: Value) -> _Spot:
        """Where a value lies; what is not made in the arena lies in its own memory."""
        found = self.spots.get(x)
        if found is None:
            steps = dense(x) if x.array is None else x.array.strides
            found = self.spots[x] = _Spot(x, 0, steps)
        return found

    def _block(self, x: Value) -> _Spot:
        block = Block(x.nbytes)
        self.blocks.append(block)
        return _Spot(block, 0, dense(x))

    # Going forward: where the outputs of each instruction lie

    def _choose(self, i: int, instr: Instr, k: int) -> _Spot:
        y = instr.outputs[k]
        if instr.op in VIEWS and isinstance(x := instr.inputs[0], Value):
            spot = self._spot(x)
            view = viewed(instr, spot.steps)
            if view is not None:
                return _Spot(spot.base, spot.offset + view[0], view[1])
        if y in self.homes:
            return self.homes[y]
        if not self.placed(instr) or y in self.program.outputs:
            return _Spot(y, 0, dense(y))
        for out, index in self.overwritable(instr):
            dead = self._dead(i, instr, index) if out == k else None
            if dead is not None and same(y.shape, dead.steps, dense(y)):
                return dead
        return self._block(y)

    def _dead(self, i: int, instr: Instr, index: int) -> _Spot | None:
        """Where an input lies, if that is in the arena and read no more."""
        x = instr.inputs[index]
        spot = self.spots.get(x) if isinstance(x, Value) else None
        if spot is None or not isinstance(spot.base, Block) or spot.base.last > i:
            return None
        for o in instr.inputs:
            # such as a part of a concatenation beside the whole
            if isinstance(o, Value) and o is not x and self._spot(o).base is spot.base:
                return None
        return spot if self._alone(instr, index) else None

    def _alone(self, instr: Instr, index: int) -> bool:
        """Whether no other input is a view of that one.

        The same input twice does no harm where each element is read before it is
        written.
        """
        x = instr.inputs[index]
        assert isinstance(x, Value)
        others = [o for j, o in enumerate(instr.inputs) if j != index]
        harmless = x if instr.op not in ("update", "kernel") else None
        mine = self.lives.sources(x)
        return not any(
            isinstance(o, Value)
            and o is not harmless
            and not mine.isdisjoint(self.lives.sources(o))
            for o in others
        )

    # Going backward: where a value should be made, from what it is for

    def _find_homes(self) -> None:
        for state, new in self.program.updates:
            self._offer(new, _Spot(state, 0, state.array.strides))
        for instr in reversed(self.program.instrs):
            if instr.op != "concatenate" or not self.placed(instr):
                continue
            y = instr.output
            if y in self.homes or y in self.program.outputs:
                continue
            whole = _Spot(Block(y.nbytes), 0, dense(y))
            if self._offer_parts(instr, whole):
                assert isinstance(whole.base, Block)
                self.homes[y] = whole
                self.blocks.append(whole.base)

    def _offer(self, x: Value, spot: _Spot) -> bool:
        """Have `x` made at `spot` if it can be; then also what it is made from."""
        accepted, end = False, self.lives.end
        waiting = [(x, spot, end)]
        while waiting:
            x, spot, dead = waiting.pop()
            x, there = self._origin(x, spot)
            if there is None or self.lives.until[x] > dead or not self._fits(x, there):
                continue
            accepted = True
            self.homes[x] = there
            maker = self.lives.makers[x]
            if maker.op == "concatenate":
                if dead == end:  # parts may be read after it has been written over
                    self._offer_parts(maker, there)
            elif maker.op in ("update", "kernel"):
                for k, index in self.overwritable(maker):
                    old = maker.inputs[index]
                    if maker.outputs[k] is x and isinstance(old, Value):
                        if self._alone(maker, index):
                            waiting.append((old, there, self.lives.made[x]))
        return accepted

    def _offer_parts(self, instr: Instr, spot: _Spot) -> bool:
        """Have the inputs of a concatenation made inside of it, at `spot`."""
        offset, accepted = spot.offset, False
        axis = instr.attrs["axis"]
        for x in instr.inputs:
            assert isinstance(x, Value)
            if x.dtype == instr.output.dtype:
                part = _Spot(spot.base, offset, spot.steps)
                accepted = self._offer(x, part) or accepted
            offset += x.shape[axis] * spot.steps[axis]
        return accepted

    def _origin(self, x: Value, spot: _Spot) -> tuple[Value, _Spot | None]:
        """What `x` is a view of, and where that lies if `x` lies at `spot`."""
        steps: Steps | None = spot.steps
        maker = self.lives.makers.get(x)
        while maker is not None and maker.op in VIEWS and steps is not None:
            source = maker.inputs[0]
            assert isinstance(source, Value)
            if maker.op == "reshape":
                steps = reshaped(x.shape, steps, source.shape, x.dtype.itemsize)
            elif maker.op == "transpose":
                axes = maker.attrs["axes"]
                steps = tuple(steps[axes.index(a)] for a in range(source.ndim))
            else:
                steps = None
            x, maker = source, self.lives.makers.get(source)
        return x, None if steps is None else _Spot(spot.base, spot.offset, steps)

    def _fits(self, x: Value, spot: _Spot) -> bool:
        """Whether `x` can be made at `spot`, filling it without gaps."""
        maker = self.lives.makers.get(x)
        if maker is None or x in self.homes or not self.placed(maker):
            return False
        if not same(x.shape, spot.steps, dense(x)):
            return False
        return isinstance(spot.base, Block) or self._writable(spot.base, x, maker)

    def _writable(self, state: Value, x: Value, maker: Instr) -> bool:
        """Whether a state can be overwritten when `x` is made: it is read no more."""
        lives = self.lives
        made, last = lives.made[x], lives.state_until(state)
        if made <= lives.last_require or last > made:
            return False
        if last < made:
            return True
        k = maker.outputs.index(x)
        allowed = [i for out, i in self.overwritable(maker) if out == k]
        near = lives.overlapping(state)
        return all(
            (operand is state and i in allowed and operand.shape == x.shape)
            or near.isdisjoint(lives.sources(operand))
            for i, operand in enumerate(maker.inputs)
            if isinstance(operand, Value)
        )
