"""The table of addresses: a slot for each place that a step's source names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from dotori.compiler.ir import Value
from dotori.compiler.native.nest import Lying
from dotori.compiler.passes.arena import ALIGNMENT
from dotori.compiler.passes.memory import MemoryPlan, Place

#: Memory that instructions work in, beside the arena; its parts are used again by each.
ROOM = "room"


@dataclass(frozen=True, slots=True)
class Region:
    """Bytes of one memory: of the arena (None), a value's own, or the room."""

    base: Value | str | None
    start: int
    stop: int

    def meets(self, other: Region) -> bool:
        """Whether both have bytes in common."""
        mine, theirs = self.absolute(), other.absolute()
        same = mine.base is theirs.base
        return same and mine.start < theirs.stop and theirs.start < mine.stop

    def absolute(self) -> Region:
        """States and constants may be parts of each other: as places of one memory."""
        base = self.base
        if not isinstance(base, Value) or base.array is None:
            return self
        address = base.array.__array_interface__["data"][0]
        return Region("process", address + self.start, address + self.stop)


@dataclass
class Slots:
    """Numbers for places, in the order in which they are first asked for.

    Attributes
    ----------
    memory : MemoryPlan
    threads : int
    entries : list of (Value, str or None, int)
        What each slot points into, and the bytes from its start.
    room : int
        The bytes that instructions need to work in.
    """

    memory: MemoryPlan
    threads: int
    entries: list[tuple[Value | str | None, int]] = field(default_factory=list)
    room: int = 0
    constants: list[Value] = field(default_factory=list)
    _numbers: dict[tuple[Any, int], int] = field(default_factory=dict)

    def number(self, base: Value | str | None, offset: int) -> int:
        """The slot of a place."""
        key = base, offset
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.entries)
            self.entries.append(key)
        return found

    def lying(self, x: Value) -> Lying:
        """Where a value lies: its slot, and strides in elements."""
        return self.lying_at(self.memory.places[x], x.shape, x.dtype.itemsize)

    def lying_at(self, place: Place, shape: tuple[int, ...], itemsize: int) -> Lying:
        low = 0
        if 0 not in shape:
            steps = zip(shape, place.steps, strict=True)
            low = sum(min(0, (n - 1) * step) for n, step in steps)
        slot = self.number(place.base, place.offset + low)
        strides = tuple(step // itemsize for step in place.steps)
        return Lying(slot, -low // itemsize, strides)

    def region(self, x: Value, place: Place | None = None) -> Region:
        """The bytes that a value lies in."""
        place = place or self.memory.places[x]
        low = high = place.offset
        if x.size:
            for n, step in zip(x.shape, place.steps, strict=True):
                low += min(0, (n - 1) * step)
                high += max(0, (n - 1) * step)
            high += x.dtype.itemsize
        return Region(place.base, low, high)

    def rooms(self, sizes: Iterable[tuple[int, bool]]) -> list[int]:
        """The first slots of pieces of the room, given bytes and whether each thread
        has its own (then one slot follows another)."""
        found, offset = [], 0
        for nbytes, each in sizes:
            parts = []
            for _ in range(self.threads if each else 1):
                parts.append(offset)
                offset += -(-nbytes // ALIGNMENT) * ALIGNMENT
            found.append(self._row_of_slots(parts))
        self.room = max(self.room, offset)
        return found

    def _row_of_slots(self, offsets: list[int]) -> int:
        """Slots that follow each other."""
        if len(offsets) == 1:
            return self.number(ROOM, offsets[0])
        key = (ROOM, *offsets)
        found = self._numbers.get((key, 0))
        if found is None:
            found = self._numbers[key, 0] = len(self.entries)
            self.entries += [(ROOM, offset) for offset in offsets]
        return found

    def constant(self, array: Any) -> int:
        """The slot of an array that never changes."""
        x = Value(array.shape, array.dtype, "constant", np.ascontiguousarray(array))
        self.constants.append(x)
        return self.number(x, 0)


def view_text(dtype: Any, slot: int | str, shape: tuple[int, ...] | int) -> str:
    """The source of an array: ``float32(table, 3, (32, 13))``."""
    name = "boolean" if dtype.kind == "b" else dtype.name
    size = (
        shape if isinstance(shape, int) else prod(shape) if len(shape) == 1 else shape
    )
    return f"{name}(table, {slot}, {size})"
