"""Many runs of a step in one call: a table of addresses for each run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.compiler.ir import Program, Value
from dotori.compiler.native import runtime
from dotori.compiler.native.buffers import SMALL, Array, Buffers, address_of, empty

#: Its table: the address of the step, the number of runs, and the table of each.
_SOURCE = """
def step(table, thread, threads):
    for run in range(table[1]):
        if run:
            barrier(table, thread, threads)
        result = call(table[0], pointer(table[2 + run]), thread, threads)
        if result != 0:
            table[1] = run
            return result
    return 0
"""


@cache
def driver() -> runtime.Native:
    """The loop over the runs."""
    return runtime.load(_SOURCE)


class Many:
    """The arrays of several runs, and the tables that point to them.

    Attributes
    ----------
    tables : array of int64, one row for each run
    completed : int
        How many runs were made.
    """

    def __init__(
        self,
        program: Program,
        buffers: Buffers,
        inputs: Sequence[Sequence[Array]],
        host: Sequence[Sequence[Any] | Array],
    ) -> None:
        self._buffers = buffers
        self._n = len(inputs)
        self._kept: list[Any] = []
        self.completed = 0
        self.tables = np.repeat(buffers.table[None], self._n, axis=0)
        for x, given in zip(program.inputs, zip(*inputs, strict=True), strict=True):
            self._give(x, given)
        for x, column in zip(program.host, host, strict=True):
            self._give(x, column)
        self._outputs = [self._begin(y) for y in program.outputs]

    def run(self, address: int, threads: int) -> int:
        """All runs; 0, or the number that one gave, which was the last then.

        `completed` says how many there were before.
        """
        rows = address_of(self.tables) + self.tables.strides[0] * np.arange(self._n)
        table = np.array([address, self._n, *rows], np.int64)
        number = driver()(table, threads)
        self.completed = int(table[1])
        return number

    def outputs(self) -> list[Array]:
        """Of all runs, each output stacked along a first axis."""
        return self._outputs

    def _give(self, x: Value, given: Sequence[Any] | Array) -> None:
        """One input of all runs: small ones are put in a row, if they are not yet."""
        if isinstance(given, np.ndarray) and _lies_as(x, given):
            self._point_row(x, given)
            return
        if x.nbytes > SMALL:
            arrays = [self._buffers.as_read(x, array) for array in given]
            self._kept += arrays
            self._point(x, np.array([address_of(a) for a in arrays], np.int64))
            return
        row = self._row(x)
        row[...] = np.stack(list(given)) if x.ndim else given
        self._point_row(x, row)

    def _begin(self, y: Value) -> Array:
        row = self._row(y)
        self._point_row(y, row)
        return row

    def _row(self, x: Value) -> Array:
        """Memory for a value in all runs."""
        order = (0, *(axis + 1 for axis in x.order))
        return empty(Value((self._n, *x.shape), x.dtype, order=order))

    def _point_row(self, x: Value, row: Array) -> None:
        self._kept.append(row)
        self._point(x, address_of(row) + x.nbytes * np.arange(self._n))

    def _point(self, x: Value, starts: NDArray[np.int64]) -> None:
        for slot, offset in self._buffers.moving.get(x, ()):
            self.tables[:, slot] = starts + offset


def _lies_as(x: Value, row: Array) -> bool:
    """Whether each part of `row` lies as `x` does."""
    dense = row.flags.c_contiguous and row.dtype == x.dtype
    return dense and x.order == tuple(range(x.ndim))
