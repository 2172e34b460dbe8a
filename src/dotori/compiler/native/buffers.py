"""The memory behind a step's table: what it owns, and what each run brings along."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.compiler.ir import Value
from dotori.compiler.native.slots import Slots
from dotori.compiler.passes.arena import ALIGNMENT
from dotori.compiler.passes.memory import MemoryPlan
from dotori.compiler.passes.strides import dense

Array = NDArray[Any]

#: Inputs and outputs up to so many bytes are copied, larger ones used where they lie.
SMALL = 1 << 15


def address_of(array: Array) -> int:
    """Where the first element lies."""
    found: int = array.__array_interface__["data"][0]
    return found


def aligned(nbytes: int) -> Array:
    """Bytes that begin where a line of the cache does."""
    memory = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -address_of(memory) % ALIGNMENT
    return memory[start : start + nbytes]


def empty(x: Value) -> Array:
    """New memory for a value, its axes in the value's order."""
    made = aligned(x.nbytes).view(x.dtype)
    made = made.reshape([x.shape[axis] for axis in x.order])
    return made.transpose(np.argsort(x.order)) if x.ndim else made.reshape(())


class Buffers:
    """All memory of a plan, and the table of addresses.

    Attributes
    ----------
    table : array of int64
    held : dict
        Of values with no memory of their own, the arrays of the run at hand.
    nbytes : int
    """

    def __init__(self, memory: MemoryPlan, slots: Slots) -> None:
        self._places = memory.places
        self._slots = slots  # whose constant arrays the table points to
        program = self._program = memory.program
        self._arena, self._room = aligned(memory.nbytes), aligned(slots.room)
        self._makers = program.made_by()
        self.own = {x: empty(x) for x in self._movable() if x.nbytes <= SMALL}
        self.held: dict[Value, Array] = {}
        self.table = np.zeros(max(len(slots.entries), 1), np.int64)
        self.moving: dict[Value, list[tuple[int, int]]] = {}
        for slot, (base, offset) in enumerate(slots.entries):
            if isinstance(base, Value) and base.array is None:
                self.moving.setdefault(base, []).append((slot, offset))
                if base not in self.own:
                    continue
            self.table[slot] = self._address(base) + offset
        own = sum(a.nbytes for a in self.own.values())
        self.nbytes = self._arena.nbytes + self._room.nbytes + own
        self._given = [self._giver(x) for x in (*program.inputs, *program.host)]
        taken: set[Value] = set()
        self._taken = [self._taker(y, taken) for y in program.outputs]

    def _movable(self) -> list[Value]:
        """Inputs, host values and outputs: what is new in each run."""
        program = self._program
        return [*program.inputs, *program.host, *filter(self.is_fresh, program.outputs)]

    def is_fresh(self, y: Value) -> bool:
        """Whether the step writes an output into memory that is new each time."""
        maker = self._makers.get(y)
        return self._places[y].base is y and maker is not None and maker.op != "call"

    def _address(self, base: Value | str | None) -> int:
        if base is None:
            return address_of(self._arena)
        if isinstance(base, str):
            return address_of(self._room)
        return address_of(self.own[base] if base.array is None else base.array)

    def point(self, x: Value, array: Array) -> None:
        """Let the step find a value in this array, which lies as the value says."""
        self.held[x] = array
        start = address_of(array)
        for slot, offset in self.moving.get(x, ()):
            self.table[slot] = start + offset

    # One run

    def give(self, inputs: Sequence[Any], host: Sequence[Any]) -> None:
        """Bring the arrays of a run to where the step reads them."""
        for give, given in zip(self._given, [*inputs, *host], strict=True):
            give(given)

    def _giver(self, x: Value) -> Callable[[Any], None]:
        own = self.own.get(x)
        if own is None:
            return lambda given: self.point(x, self._as(x, given))
        if x.shape:
            return lambda given: np.copyto(own, given)
        return lambda given: own.__setitem__((), given)

    def _as(self, x: Value, given: Any) -> Array:
        """An array that lies as a value says: the given one, or a copy."""
        steps = zip(x.shape, given.strides, dense(x), strict=True)
        if all(n == 1 or a == b for n, a, b in steps) and given.flags.aligned:
            return np.asarray(given)
        made = empty(x)
        made[...] = given
        return made

    def lie(self, x: Value, given: Any) -> None:
        """Take the array that a call has made."""
        self.point(x, self._as(x, np.asarray(given)))

    def begin_outputs(self) -> None:
        """New memory for the large outputs."""
        for y in dict.fromkeys(self._program.outputs):
            if self.is_fresh(y) and y not in self.own:
                self.point(y, empty(y))

    def take(self) -> list[Array]:
        """The outputs, which no later run changes."""
        return [take() for take in self._taken]

    def _taker(self, y: Value, taken: set[Value]) -> Callable[[], Array]:
        own = self.own.get(y)
        if own is not None and self.is_fresh(y):
            return lambda: own.copy("K")
        if self.is_fresh(y) and y not in taken:
            taken.add(y)
            return lambda: self.held[y]
        return lambda: self.array(y).copy("K")

    def array(self, x: Value) -> Array:
        """A value as an array, in this run; it does not keep its memory alive."""
        place = self._places[x]
        low = high = 0
        for n, step in zip(x.shape, place.steps, strict=True):
            low += min(0, (n - 1) * step)
            high += max(0, (n - 1) * step)
        if not x.size:
            return np.empty(x.shape, x.dtype)
        base = place.base
        held = self.held.get(base) if isinstance(base, Value) else None
        start = self._address(base) if held is None else address_of(held)
        size = high - low + x.dtype.itemsize
        memory: Any = (ctypes.c_char * size).from_address(start + place.offset + low)
        return np.ndarray(x.shape, x.dtype, memory, -low, place.steps)
