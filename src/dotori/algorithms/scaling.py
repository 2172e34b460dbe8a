"""Scaling of columns and rows: what is taken off, what is divided by.

The definitions, one screen of them, are :func:`dotori.data.scaling.standardize`,
`minmax` and `normalize_rows`. Here is what large tables need: statistics that leave NaN
out, and steps such as "subtract the mean, divide by the deviation" that go over the
data once, by blocks that stay in the cache, on several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.moments import LongRow, block_rows
from dotori.errors import ArgumentError
from dotori.kernels import in_parallel

Array = NDArray[Any]
#: An operation of two arrays, and its second argument: a number for each column.
Step = tuple[Callable[..., Any], Array]


def apply_steps(x: Array, steps: Sequence[Step], out: Array | None = None) -> bool:
    """Operations with a number for each column: all for one block, then the next.

    Parameters
    ----------
    x : array of shape (n, d)
    steps : sequence of (operation, row)
        Such as ``[(np.subtract, mean), (np.divide, deviation)]``.
    out : array of shape (n, d), optional
        Where the result goes; `x` itself otherwise.

    Returns
    -------
    bool
        False if there may be NaN or an infinity in the result.

    Examples
    --------
    >>> x = np.array([[1.0, 10.0], [3.0, 30.0]])
    >>> apply_steps(x, [(np.subtract, np.array([1.0, 10.0])),
    ...                 (np.divide, np.array([2.0, 20.0]))])
    True
    >>> x.tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    result = x if out is None else out
    rows = block_rows(x.shape)
    blocks = -(-len(x) // rows)
    finite = np.ones(blocks, bool)
    long = [(operation, LongRow(row)) for operation, row in steps]

    def run(start: int, stop: int) -> None:
        with np.errstate(all="ignore"):
            for i in range(start, stop):
                place = slice(i * rows, (i + 1) * rows)
                block, target = x[place], result[place]
                for operation, row in long:
                    row.apply(operation, block, target)
                    block = target
                if block is not target:
                    target[...] = block
                finite[i] = np.isfinite(target.sum())

    in_parallel(blocks, run, least=4)
    return bool(finite.all())


def has_infinity(x: Array) -> bool:
    """Whether there is an infinity in a matrix, whatever NaN there are.

    Examples
    --------
    >>> has_infinity(np.array([[np.nan, 1.0]])), has_infinity(np.array([[-np.inf]]))
    (False, True)
    """
    rows = block_rows(x.shape)
    blocks = -(-len(x) // rows)
    found = np.zeros(blocks, bool)

    def run(start: int, stop: int) -> None:
        for i in range(start, stop):
            found[i] = np.isinf(x[i * rows : (i + 1) * rows]).any()

    in_parallel(blocks, run, least=4)
    return bool(found.any())


def column_range(x: Array) -> tuple[Array, Array]:
    """Minimum and maximum of each column, NaN left out; NaN where there is no number.

    Examples
    --------
    >>> low, high = column_range(np.array([[1.0, 5.0], [3.0, np.nan]]))
    >>> low.tolist(), high.tolist()
    ([1.0, 5.0], [3.0, 5.0])
    """
    low, high = _range(x, np.minimum, np.maximum)
    if np.isnan(low).any():  # fmin and fmax leave NaN out, at several times the cost
        low, high = _range(x, np.fmin, np.fmax)
    return low, high


def _range(x: Array, least: np.ufunc, most: np.ufunc) -> tuple[Array, Array]:
    d, rows = x.shape[1], block_rows(x.shape)
    blocks = -(-len(x) // rows)
    low, high = (np.empty((blocks, d), x.dtype) for _ in "lh")

    def run(start: int, stop: int) -> None:
        for i in range(start, stop):
            block = x[i * rows : (i + 1) * rows]
            _extreme(least, block, low[i])
            _extreme(most, block, high[i])

    with np.errstate(invalid="ignore"):
        in_parallel(blocks, run, least=4)
        return least.reduce(low, axis=0), most.reduce(high, axis=0)


def _extreme(operation: np.ufunc, block: Array, out: Array) -> None:
    """``operation.reduce`` of the rows: halves against each other, in long loops."""
    while len(block) > 1 and block.flags.c_contiguous:
        half = len(block) // 2
        joined = operation(block[:half], block[half : 2 * half])
        if len(block) % 2:
            operation(joined[0], block[-1], out=joined[0])
        block = joined
    operation.reduce(block, axis=0, out=out)


def usable(scale: Array, constant: NDArray[np.bool_] | None = None) -> Array:
    """`scale` with 1 where dividing by it would make no sense: the column is constant.

    Examples
    --------
    >>> usable(np.array([2.0, 0.0, 1e-300])).tolist()
    [2.0, 1.0, 1.0]
    """
    if constant is None:
        constant = scale < 10 * np.finfo(scale.dtype).eps
    return np.where(constant, scale.dtype.type(1), scale)


def column_quantiles(x: Array, fractions: Sequence[float]) -> Array:
    """Quantiles of each column, in float64, NaN left out; shape (len(fractions), d).

    Between two values of the sorted column, x_(j) and x_(j+1) with j = q (n - 1), the
    quantile lies on the straight line (type 7 of Hyndman and Fan, *Sample quantiles in
    statistical packages*, The American Statistician 50, 1996).

    Examples
    --------
    >>> column_quantiles(np.array([[1.0], [2.0], [10.0]]), [0.25, 0.5]).tolist()
    [[1.5], [2.0]]
    """
    for q in fractions:
        if not 0 <= q <= 1:
            raise ArgumentError(f"column_quantiles: 0 <= q <= 1 was wanted, got {q}")
    found = np.empty((len(fractions), x.shape[1]))

    def run(start: int, stop: int) -> None:
        for j in range(start, stop):
            found[:, j] = quantiles(x[:, j].copy(), fractions)

    in_parallel(x.shape[1], run, least=max(1, 100_000 // max(1, len(x))))
    return found


def quantiles(values: Array, fractions: Sequence[float]) -> Array:
    """Quantiles of the numbers in `values`, whose order is spoiled.

    Examples
    --------
    >>> quantiles(np.array([4.0, np.nan, 1.0]), [0.5]).tolist()
    [2.5]
    """
    missing = np.isnan(values)
    if missing.any():
        values = values[~missing]
    if not len(values):
        return np.full(len(fractions), np.nan)
    places = np.asarray(fractions, float) * (len(values) - 1)
    below = np.floor(places).astype(np.intp)
    above = np.minimum(below + 1, len(values) - 1)
    values.partition(np.unique(np.concatenate([below, above])))
    a, b = values[below].astype(np.float64), values[above].astype(np.float64)
    t = places - below
    with np.errstate(invalid="ignore"):
        # from the nearer end, so that t = 1 gives b exactly
        return np.asarray(np.where(t < 0.5, a + (b - a) * t, b - (b - a) * (1 - t)))


def row_norms(x: Array, norm: str) -> Array:
    """The l1, l2 or largest-entry norm of each row; shape (n,).

    Examples
    --------
    >>> row_norms(np.array([[3.0, -4.0]]), "l2").tolist()
    [5.0]
    """
    if norm == "l2":
        return np.asarray(np.sqrt(np.einsum("ij,ij->i", x, x)))
    if norm not in ("l1", "max"):
        raise ArgumentError(f"row_norms: 'l1', 'l2' or 'max' was wanted, got {norm!r}")
    size = np.abs(x)
    return np.asarray(size.sum(axis=1) if norm == "l1" else size.max(axis=1, initial=0))


def divide_rows(x: Array, norm: str, out: Array) -> None:
    """Each row by its norm, into `out`, which may be `x`; rows of zeros stay.

    Examples
    --------
    >>> x = np.array([[3.0, -4.0], [0.0, 0.0]])
    >>> divide_rows(x, "l1", x)
    >>> x.round(3).tolist()
    [[0.429, -0.571], [0.0, 0.0]]
    """
    rows = block_rows(x.shape)

    def run(start: int, stop: int) -> None:
        for i in range(start, stop):
            place = slice(i * rows, (i + 1) * rows)
            size = usable(row_norms(x[place], norm))
            np.divide(x[place], size[:, None], out=out[place])

    in_parallel(-(-len(x) // rows), run, least=4)
