"""Blocks of memory in one arena, beside each other where their lifetimes overlap."""

from __future__ import annotations

from dataclasses import dataclass

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
    done: list[Block] = []
    end = 0
    for block in sorted(blocks, key=lambda b: (-b.nbytes, b.first)):
        size = _padded(block.nbytes)
        block.offset = 0
        for other in done:  # by offset
            if other.last < block.first or block.last < other.first:
                continue
            if other.offset >= block.offset + size:
                break
            block.offset = max(block.offset, other.offset + _padded(other.nbytes))
        done.append(block)
        done.sort(key=lambda b: b.offset)
        end = max(end, block.offset + size)
    return end


def _padded(nbytes: int) -> int:
    return -(-nbytes // ALIGNMENT) * ALIGNMENT
