"""Blocks of memory in one arena, beside each other where their lifetimes overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.int64]

#: Every block begins at a multiple of it: a line of the cache, the widest vector.
ALIGNMENT = 64


@dataclass(slots=True, eq=False)
class Block:
    """Memory from the position `first` of a program to `last`, both included.

    Attributes
    ----------
    nbytes : int
    first, last : int
    offset : int
        Where `pack` has put it.
    """

    nbytes: int
    first: int = 1 << 60
    last: int = -1
    offset: int = 0

    def cover(self, first: int, last: int) -> None:
        """Live at least from `first` to `last`."""
        self.first = min(self.first, first)
        self.last = max(self.last, last)


def pack(blocks: list[Block]) -> int:
    """Give each block its offset; the size of the arena.

    The largest first, each as far down as it fits (Pisarchyk and Lee, "Efficient
    Memory Management for Deep Neural Net Inference", 2020, section 5.2).

    Examples
    --------
    >>> a, b, c = Block(100, 0, 1), Block(50, 1, 2), Block(90, 2, 3)
    >>> pack([a, b, c]), (a.offset, b.offset, c.offset)
    (192, (0, 128, 0))
    """
    n = len(blocks)
    first, last, start, stop = np.zeros((4, n), np.int64)  # of those that have a place
    ordered = sorted(blocks, key=lambda b: (-b.nbytes, b.first))
    for i, block in enumerate(ordered):
        size = _padded(block.nbytes)
        beside = (first[:i] <= block.last) & (block.first <= last[:i])
        block.offset = _lowest_gap(start[:i][beside], stop[:i][beside], size)
        first[i], last[i] = block.first, block.last
        start[i], stop[i] = block.offset, block.offset + size
    return int(stop.max(initial=0))


def _lowest_gap(start: Array, stop: Array, size: int) -> int:
    """The first place where so many bytes are free between the parts given."""
    order = np.argsort(start, kind="stable")
    begins = np.concatenate(([0], np.maximum.accumulate(stop[order])))
    room = start[order] - begins[:-1]
    fits = np.flatnonzero(room >= size)
    return int(begins[fits[0] if fits.size else -1])


def _padded(nbytes: int) -> int:
    return -(-nbytes // ALIGNMENT) * ALIGNMENT
