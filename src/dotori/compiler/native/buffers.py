"""The memory behind a step's table: what it owns, and what each run brings along."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from dotori.compiler.ir import Value
from dotori.compiler.native.slots import Slots
from dotori.compiler.passes.arena import ALIGNMENT
from dotori.compiler.passes.memory import MemoryPlan
from dotori.compiler.passes.strides import dense
from dotori.errors import CaptureError

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
        self._constants = slots.constants  # kept alive: the table has their addresses
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

    def as_read(self, x: Value, given: Any) -> Array:
        """An array that lies as a value says: the given one, or a copy."""
        steps = zip(x.shape, given.strides, dense(x), strict=True)
        if all(n == 1 or a == b for n, a, b in steps) and given.flags.aligned:
            return np.asarray(given)
        made = empty(x)
        made[...] = given
        return made

    def lie(self, x: Value, given: Any) -> None:
        """Take the array that a call has made."""
        if given.shape != x.shape or given.dtype != x.dtype:
            raise CaptureError(
                f"an operation gave {given.dtype}{list(given.shape)}, but "
                f"{x.dtype}{list(x.shape)} when the step was captured"
            )
        self.point(x, self.as_read(x, np.asarray(given)))

    def caller(self, runs: Sequence[Callable[[], int]]) -> Callable[..., Any]:
        """The function ``run(inputs, host)``: it gives, runs all parts, and takes.

        Returns the outputs, which no later run changes, or the number that a part gave
        where that is not 0. Its text is written for the plan, as for small steps every
        turn of a loop over inputs counts.
        """
        names: dict[str, Any] = {}
        lines: list[str] = []
        program = self._program
        for name, values in ("inputs", program.inputs), ("host", program.host):
            if values:
                given = [f"{name[0]}{k}" for k in range(len(values))]
                lines.append(f"[{', '.join(given)}] = {name}")
                for x, text in zip(values, given, strict=True):
                    lines.append(self._giving(x, text, names))
        for y in dict.fromkeys(program.outputs):
            if self.is_fresh(y) and y not in self.own:
                names[f"new{len(names)}"] = partial(self._begin, y)
                lines.append(f"{list(names)[-1]}()")
        for run in runs:
            names[f"run{len(names)}"] = run
            lines.append(f"number = {list(names)[-1]}()")
            lines.append("if number:\n        return number")
        taken = [self._taking(y, names) for y in program.outputs]
        lines.append(f"return [{', '.join(taken)}]")
        body = "\n    ".join(lines)
        exec(f"def run(inputs, host):\n    {body}\n", names)
        run = names["run"]
        return cast(Callable[..., Any], run)

    def _giving(self, x: Value, text: str, names: dict[str, Any]) -> str:
        """The line that brings an input to where the step reads it."""
        own, name = self.own.get(x), f"own{len(names)}"
        if own is None:
            names[name] = partial(self._give, x)
            return f"{name}({text})"
        names[name] = own
        return f"{name}[{'...' if x.shape else '()'}] = {text}"

    def _give(self, x: Value, given: Any) -> None:
        self.point(x, self.as_read(x, given))

    def _begin(self, y: Value) -> None:
        """New memory for a large output."""
        self.point(y, empty(y))

    def _taking(self, y: Value, names: dict[str, Any]) -> str:
        """The expression of an output."""
        name, own = f"out{len(names)}", self.own.get(y)
        if self.is_fresh(y) and own is not None:
            names[name] = own
            return f"{name}.copy({'' if own.flags.c_contiguous else repr('K')})"
        names[name] = partial(self._taken, y)
        return f"{name}()"

    def _taken(self, y: Value) -> Array:
        return self.held[y] if self.is_fresh(y) else self.array(y).copy("K")

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
