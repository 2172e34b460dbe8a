"""Mean and variance of columns: value by value, by parts, by blocks in the cache.

For one column, with n values, mean m and the sum of squares M2 = sum (x_i - m)^2:

- **Welford (1962)**: a value x more, and m' = m + (x - m) / n',
  M2' = M2 + (x - m)(x - m').
- **Chan, Golub and LeVeque (1983), equation 2.1**: two parts a and b are joined by
  M2 = M2_a + M2_b + (m_b - m_a)^2 n_a n_b / (n_a + n_b).
- **The shifted one-pass form** (the same paper, section 3): for any s near the data,
  M2 = sum (x_i - s)^2 - (sum (x_i - s))^2 / n. Relative errors grow with
  1 + n (m - s)^2 / M2 only, where the form without s has m^2 in that place.

`column_moments` takes the last: it reads the data once. What s loses is seen in the
result, and then a second pass takes s = m.

References: B. P. Welford, *Note on a method for calculating corrected sums of squares
and products*, Technometrics 4, 1962. T. F. Chan, G. H. Golub, R. J. LeVeque,
*Algorithms for computing the sample variance*, The American Statistician 37, 1983.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.errors import ShapeError
from dotori.kernels import in_parallel

Array = NDArray[Any]
Floats = NDArray[np.float64]

#: Numbers in a block: fewer would cost more to begin with than to compute.
BLOCK = 1 << 17
#: A row this long makes the cost of a NumPy loop's start small.
_LONG = 2048
#: Rows that are looked at to find out where the data lies.
_SAMPLE = 256
#: From this loss of relative precision on, a second pass is made.
_LOSS = 1e3


@dataclass(frozen=True)
class Moments:
    """How many values there are, their mean, and the sum of squares about it.

    Parameters
    ----------
    count, mean, squares : float64 arrays of shape (d,)
        One number for each column. With weights, `count` is the sum of the weights.

    Examples
    --------
    >>> a = column_moments(np.array([[1.0], [2.0]]))
    >>> b = column_moments(np.array([[3.0], [6.0]]))
    >>> both = a.join(b)
    >>> both.mean.tolist(), both.variance.tolist()
    ([3.0], [3.5])
    """

    count: Floats
    mean: Floats
    squares: Floats

    @property
    def variance(self) -> Floats:
        """M2 / n, the population variance; NaN for columns without values."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.squares / self.count)

    def join(self, other: Moments) -> Moments:
        """The moments of both parts together (Chan, Golub and LeVeque)."""
        count = self.count + other.count
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(count > 0, other.count / count, 0.0)
        apart = np.where(other.count > 0, other.mean, 0.0) - np.where(
            self.count > 0, self.mean, 0.0
        )
        mean = np.where(self.count > 0, self.mean + apart * part, other.mean)
        between = np.square(apart) * self.count * part
        return Moments(count, mean, self.squares + other.squares + between)

    def constant(self) -> NDArray[np.bool_]:
        """Columns whose variance is no more than rounding makes of equal numbers.

        The bound is that of a two-pass variance (Chan, Golub and LeVeque, table 1):
        n eps M2/n + (n eps m)^2.
        """
        eps = float(np.finfo(np.float64).eps)
        variance, n = self.variance, self.count
        bound = n * eps * variance + np.square(n * self.mean * eps)
        return np.asarray(variance <= bound)


def welford(values: Iterable[float]) -> tuple[int, float, float]:
    """Number, mean and sum of squares of a stream, one value at a time.

    Examples
    --------
    >>> welford([2.0, 4.0, 9.0])
    (3, 5.0, 26.0)
    """
    n, mean, squares = 0, 0.0, 0.0
    for x in values:
        n += 1
        before = x - mean
        mean += before / n
        squares += before * (x - mean)
    return n, mean, squares


def column_moments(
    x: Array, weights: Array | None = None, *, squares: bool = True
) -> Moments:
    """Mean and sum of squares of each column, in float64, whatever the type of `x`.

    NaN counts as missing. The data is read once, by blocks of rows that stay in the
    cache, on several threads; the blocks are cut by the shape alone, so that results do
    not depend on the number of threads.

    Parameters
    ----------
    x : array of shape (n, d)
        Real numbers. An infinity makes the moments of its column NaN or infinite.
    weights : array of shape (n,), optional
        How often each row counts.
    squares : bool
        Whether the sums of squares are wanted; they are zero otherwise.

    Raises
    ------
    ShapeError
        If `x` is no matrix or `weights` has another length.

    Examples
    --------
    >>> found = column_moments(np.array([[1.0, 5.0], [3.0, np.nan], [8.0, 7.0]]))
    >>> found.count.tolist(), found.mean.tolist(), found.squares.tolist()
    ([3.0, 2.0], [4.0, 6.0], [26.0, 2.0])
    """
    if x.ndim != 2:
        raise ShapeError(f"column_moments: x of shape (n, d) was wanted, got {x.shape}")
    if weights is not None and weights.shape != (len(x),):
        raise ShapeError(
            f"column_moments: weights of shape ({len(x)},) were wanted, "
            f"got {weights.shape}"
        )
    with np.errstate(all="ignore"):
        shift = _near(x)
        found = _about(x, shift, weights, squares, missing=False)
        missing = bool(np.isnan(found.mean).any())
        if missing:
            found = _about(x, shift, weights, squares, missing=True)
        off = found.count * np.square(found.mean - shift)
        if squares and bool((off > _LOSS * found.squares).any()):
            shift = np.where(np.isfinite(found.mean), found.mean, 0.0)
            found = _about(x, shift, weights, squares, missing)
    return found


def _near(x: Array) -> Floats:
    """A value of each column near its middle; 0 where that serves as well.

    A value of the column and no mean, as equal numbers then give exact zeros.
    """
    step = max(1, len(x) // _SAMPLE)
    sample = x[::step][:_SAMPLE].astype(np.float64)
    if not len(sample):
        return np.zeros(x.shape[1])
    sample[~np.isfinite(sample)] = 0.0
    sample.sort(axis=0)
    middle: Floats = sample[len(sample) // 2]
    spread = np.abs(sample - middle).mean(axis=0)
    return np.asarray(np.where(np.abs(middle) > 2 * spread, middle, 0.0))


def _about(
    x: Array, shift: Floats, weights: Array | None, squares: bool, missing: bool
) -> Moments:
    """The moments by sums about `shift`; with NaN left out if there are some."""
    d, rows = x.shape[1], block_rows(x.shape)
    blocks = -(-len(x) // rows)
    parts = np.zeros((blocks, 3, d))
    off = LongRow(shift) if shift.any() else None

    def run(start: int, stop: int) -> None:
        scratch = np.empty((rows, d))
        for i in range(start, stop):
            place = slice(i * rows, min((i + 1) * rows, len(x)))
            w = None if weights is None else weights[place].astype(np.float64)
            block = scratch[: place.stop - place.start]
            np.copyto(block, x[place])
            _sums(block, off, w, squares, missing, parts[i])

    in_parallel(blocks, run, least=4)
    total, square, count = parts.sum(axis=0)
    if not missing:
        count[:] = len(x) if weights is None else weights.sum(dtype=np.float64)
    mean = total / count
    around = np.where(count > 0, np.maximum(square - total * mean, 0.0), 0.0)
    return Moments(count, shift + mean, around)


def _sums(
    block: Floats,
    shift: LongRow | None,
    weights: Floats | None,
    squares: bool,
    missing: bool,
    out: Floats,
) -> None:
    """Sums of x - s, of its squares and, with NaN, of the weights; spoils the block."""
    if missing:
        there = ~np.isnan(block)
        out[2] = there.sum(axis=0) if weights is None else weights @ there
        np.copyto(block, 0.0 if shift is None else shift.row, where=~there)
    if shift is not None:
        shift.apply(np.subtract, block, block)
    if weights is None:
        _add_up(block, out[0])
        if squares:
            np.multiply(block, block, out=block)
            _add_up(block, out[1])
    else:
        np.einsum("i,ij->j", weights, block, out=out[0])
        if squares:
            np.einsum("i,ij,ij->j", weights, block, block, out=out[1])


def _add_up(block: Floats, out: Floats) -> None:
    """The sums of the columns, by long rows: several rows side by side."""
    many, d = _side_by_side(block), block.shape[1]
    if many == 1:
        np.add.reduce(block, axis=0, out=out)
        return
    whole = len(block) // many * many
    sums = np.add.reduce(block[:whole].reshape(-1, many * d), axis=0)
    np.add.reduce(sums.reshape(many, d), axis=0, out=out)
    out += np.add.reduce(block[whole:], axis=0)


def block_rows(shape: tuple[int, ...]) -> int:
    """How many rows of a matrix stay in the cache together: a multiple of 64, or 1."""
    rows = BLOCK // max(1, int(shape[1]))
    return max(1, rows - rows % 64 if rows > 64 else rows)


def _side_by_side(block: Array) -> int:
    """How many rows make up a long one, if the block lies in one piece."""
    rows, d = block.shape
    if not block.flags.c_contiguous or d == 0:
        return 1
    return int(max(1, min(_LONG // d, rows)))


class LongRow:
    """``operation(block, row, out=out)``, with several rows of the block at a time.

    NumPy starts a loop of its own for each row, which for short rows costs more than
    what is computed there.

    Parameters
    ----------
    row : array of shape (d,)

    Examples
    --------
    >>> x = np.ones((3, 2))
    >>> LongRow(np.array([1.0, 2.0])).apply(np.add, x, x)
    >>> x.tolist()
    [[2.0, 3.0], [2.0, 3.0], [2.0, 3.0]]
    """

    def __init__(self, row: Array) -> None:
        self.row = row
        self.many = max(1, _LONG // max(1, len(row)))
        self.long = np.tile(row, self.many)

    def apply(self, operation: Callable[..., Any], block: Array, out: Array) -> None:
        """Compute all rows of the block; `out` may be the block itself."""
        rows, d = block.shape
        whole = rows // self.many * self.many
        lie = block.flags.c_contiguous and out.flags.c_contiguous
        if self.many == 1 or not whole or not lie:
            operation(block, self.row, out=out)
            return
        shape = (whole // self.many, self.many * d)
        operation(
            block[:whole].reshape(shape), self.long, out=out[:whole].reshape(shape)
        )
        if whole < rows:
            operation(block[whole:], self.row, out=out[whole:])


def sparse_moments(x: Any, weights: Array | None = None) -> Moments:
    """`column_moments` of a sparse matrix: what is not stored are zeros.

    Parameters
    ----------
    x : sparse matrix of shape (n, d)
        With the method `tocsr`. NaN counts as missing.
    weights : array of shape (n,), optional

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> rows = SimpleNamespace(shape=(3, 1), data=np.array([6.0]),
    ...                        indices=np.array([0]), indptr=np.array([0, 1, 1, 1]))
    >>> rows.tocsr = lambda: rows
    >>> found = sparse_moments(rows)
    >>> found.mean.tolist(), found.squares.tolist()
    ([2.0], [24.0])
    """
    rows, (n, d) = x.tocsr(), x.shape
    values, columns = rows.data.astype(np.float64), rows.indices
    w = np.ones(len(values))
    if weights is not None:
        w = np.repeat(weights.astype(np.float64), np.diff(rows.indptr))
    total = float(n) if weights is None else float(weights.sum(dtype=np.float64))
    there = ~np.isnan(values)
    absent = np.bincount(columns[~there], w[~there], minlength=d)
    values, columns, w = values[there], columns[there], w[there]
    stored = np.bincount(columns, w, minlength=d)
    count = total - absent
    with np.errstate(all="ignore"):
        mean = np.bincount(columns, w * values, minlength=d) / count
        squares = np.bincount(columns, w * np.square(values - mean[columns]), d)
        zeros = (count - stored) * np.square(mean)
    squares = np.where(count > 0, squares + zeros, 0.0)
    return Moments(*(np.asarray(a, np.float64) for a in (count, mean, squares)))
