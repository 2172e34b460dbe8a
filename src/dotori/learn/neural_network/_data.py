"""Rows in batches: gathered from dense arrays or sparse matrices, in a new order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.autograd import wrap
from dotori.learn.neural_network._sparse import taken
from dotori.random import Generator

Array = NDArray[Any]

#: So many numbers of a table are worked on together where no batch size is given.
BLOCK = 1 << 19


class Batches:
    """The mini-batches of one epoch, each time in another order.

    Parameters
    ----------
    parts : sequence of array or None
        Inputs (n, features), targets and weights; those that are None are left out.
    size : int
        Rows in a batch; the last one has what is left.
    stream : Generator or None
        Where the orders come from; None: as the rows lie.
    classes : int
        If not 0, targets are class numbers and are given as rows with a 1.
    rows : array of int, optional
        The rows to go over, by default all.
    least : int
        The fewest rows of a batch: what is less joins the batch before.
    dtype : dtype, optional
        The type of all that is not a class number, by default that of the inputs.
    thin : bool
        Whether rows of a sparse matrix stay sparse.

    Notes
    -----
    Batches lie in the same memory, one after the other: the last one is gone when the
    next one comes.
    """

    def __init__(
        self,
        parts: tuple[Any, ...],
        size: int,
        stream: Generator | None = None,
        classes: int = 0,
        rows: Array | None = None,
        least: int = 1,
        dtype: Any = None,
        thin: bool = False,
    ) -> None:
        self.parts = [part for part in parts if part is not None]
        self.batch_size = size
        self._stream = stream
        self._rows, self._thin = rows, thin
        n = self.parts[0].shape[0] if rows is None else len(rows)
        starts = list(range(0, n, size))
        if len(starts) > 1 and n - starts[-1] < least:
            starts.pop()
        self._bounds = list(pairwise([*starts, n]))
        self._dtype = dtype = np.dtype(dtype or self.parts[0].dtype)
        self._one_hot = np.eye(classes, dtype=dtype) if classes else None
        self._memory: dict[tuple[int, int], Array] = {}

    def __len__(self) -> int:
        return len(self._bounds)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        order = self._rows
        if self._stream is not None:
            drawn = self._stream.permutation(self._bounds[-1][1])
            order = drawn if order is None else order[drawn]
        for start, end in self._bounds:
            rows = slice(start, end) if order is None else order[start:end]
            yield tuple([self._part(i, rows) for i in range(len(self.parts))])

    def _part(self, i: int, rows: Any) -> Any:
        part = self.parts[i]
        if isinstance(part, np.ndarray):
            return wrap(self._taken(i, part, rows))
        return taken(part, rows, self._dtype, self._thin)

    def _taken(self, i: int, part: Array, rows: Any) -> Array:
        """The rows of part `i`: gathered, or where they lie."""
        if i == 1 and self._one_hot is not None:
            hot: Array = np.take(self._one_hot, part[rows], axis=0)
            return hot
        if isinstance(rows, slice) or part.dtype != self._dtype:
            kept = part.dtype if part.dtype.kind == "i" else self._dtype
            return np.ascontiguousarray(part[rows], kept)
        n = len(rows)
        memory = self._memory.get((i, n))
        if memory is None:
            memory = np.empty((n, *part.shape[1:]), part.dtype)
            self._memory[i, n] = memory
        # "clip" spares a second buffer; the rows are all there
        return np.take(part, rows, axis=0, out=memory, mode="clip")


def blocks(X: Any, widest: int, thin: bool) -> Iterator[slice]:
    """Rows by rows, so that what is computed of a block stays small."""
    n, size = X.shape[0], rows_of_block(X.shape[1], widest, thin)
    return (slice(i, min(i + size, n)) for i in range(0, n, size))


def rows_of_block(features: int, widest: int, thin: bool) -> int:
    """How many rows go together: as many as make some megabytes."""
    return max(1, BLOCK // max(1 if thin else features, widest, 1))
