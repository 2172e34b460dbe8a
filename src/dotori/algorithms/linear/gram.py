"""Sums over the rows of a table that stand for all of it: means, Gram, cross products.

Least squares asks a table X (n, d) and its targets Y (n, k) for little: the means, the
centred Gram matrix (X - m)^T (X - m) and the cross products (X - m)^T (Y - t), of size
d x d and d x k however long the table is. One pass over blocks of rows that stay in the
processor's cache finds them all as a single product Z^T Z, with

    Z = sqrt(w) [X - s, Y - u, 1]

Any shift (s, u) gives the same answer in exact numbers, and the closer it is to the
means, the fewer digits are lost when the means are taken out at the end: for a column
with mean m and deviation sigma, rounding grows by 1 + ((m - s) / sigma)^2. With the
mean of a sample of f n rows as s, that is at most about 1 / f, whatever the data, and
usually nothing (Chan, Golub and LeVeque, The American Statistician 37 (1983), 242-247).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dotori.errors import ShapeError
from dotori.kernels import in_parallel, one_blas_thread

Array = NDArray[Any]
Float = NDArray[np.floating[Any]]

_SAMPLE = 256  # rows whose mean is the shift
_BLOCK = 1 << 17  # numbers in a block of rows: a megabyte
_CHUNKS = 16  # the most partial sums, which threads share
_PRODUCTS = 1 << 24  # multiplications from which on threads are worth waking


class Rows:
    """The rows of a weighted table, shifted and scaled, a block at a time.

    Parameters
    ----------
    x : array of shape (n, d)
    y : array of shape (n, k)
    sample_weight : array of shape (n,), optional
    centred : bool
        Whether there is a shift and a column of ones: without, the blocks are
        ``sqrt(w) [x, y]``.
    dtype : numpy type
        The type of the blocks.

    Examples
    --------
    >>> rows = Rows(np.array([[1.0], [3.0]]), np.array([[5.0], [7.0]]))
    >>> rows.shift.tolist()
    [2.0, 6.0]
    >>> rows.block(0, 2, rows.buffer()).tolist()
    [[-1.0, -1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    def __init__(
        self,
        x: Array,
        y: Array,
        sample_weight: Array | None = None,
        centred: bool = True,
        dtype: Any = np.float64,
    ) -> None:
        if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or not len(x):
            raise ShapeError(
                "least squares: x of shape (n, d) and y of shape (n, k) with n >= 1 "
                f"were wanted, got {x.shape} and {y.shape}"
            )
        self.x, self.y, self.centred, self.dtype = x, y, centred, np.dtype(dtype)
        self.n, self.d, self.k = len(x), x.shape[1], y.shape[1]
        self.root = None
        if sample_weight is not None:
            self.root = np.sqrt(np.asarray(sample_weight, np.float64))
        self.width = self.d + self.k + centred
        self.step = max(_BLOCK // self.width, 2 * self.width)
        self.shift = np.zeros(self.d + self.k, self.dtype)
        if centred:
            self.shift = np.concatenate([_sample_mean(x), _sample_mean(y)]).astype(
                self.dtype
            )

    def buffer(self) -> Array:
        """Memory for one block, in the order in which the table lies."""
        n = min(self.step, self.n)
        if self.x.flags.f_contiguous and not self.x.flags.c_contiguous:
            return np.empty((self.width, n), self.dtype).T
        return np.empty((n, self.width), self.dtype)

    def block(self, start: int, stop: int, buffer: Array) -> Array:
        """Rows start to stop as ``sqrt(w) [x - s, y - u, 1]``, in the buffer."""
        z: Array = buffer[: stop - start]
        d, k = self.d, self.k
        if self.centred:
            np.subtract(self.x[start:stop], self.shift[:d], out=z[:, :d])
            np.subtract(self.y[start:stop], self.shift[d:], out=z[:, d : d + k])
            z[:, -1] = 1
        else:
            z[:, :d], z[:, d:] = self.x[start:stop], self.y[start:stop]
        if self.root is not None:
            z *= self.root[start:stop, np.newaxis]
        return z

    def chunks(self) -> list[tuple[int, int]]:
        """Ranges of rows for threads; they depend on the shape of the table alone."""
        blocks = -(-self.n // self.step)
        chunks = min(blocks, _CHUNKS, self.n // (8 * self.width))
        if chunks <= 1 or self.n * self.width**2 < _PRODUCTS:
            return [(0, self.n)]
        bounds = [blocks * i // chunks * self.step for i in range(chunks)] + [self.n]
        return list(pairwise(bounds))


def _sample_mean(values: Array) -> Array:
    """The mean of some rows; exactly the value of a column that is constant there."""
    some = values[:: max(1, len(values) // _SAMPLE)].astype(np.float64)
    constant = (some == some[0]).all(axis=0)
    mean: Float = np.where(constant, some[0], some.mean(axis=0))
    return mean


@dataclass(frozen=True)
class Moments:
    """What least squares asks of a table.

    Attributes
    ----------
    rows : int
        n.
    weight : float
        The sum of the weights.
    mean_x : array of shape (d,)
    mean_y : array of shape (k,)
        Weighted means, zeros if nothing was centred.
    gram : array of shape (d, d)
        sum_i w_i (x_i - mean_x) (x_i - mean_x)^T.
    cross : array of shape (d, k)
        sum_i w_i (x_i - mean_x) (y_i - mean_y)^T.
    square : array of shape (k,)
        sum_i w_i (y_i - mean_y)^2.
    """

    rows: int
    weight: float
    mean_x: Float
    mean_y: Float
    gram: Float
    cross: Float
    square: Float

    @property
    def finite(self) -> bool:
        """Whether all is finite: the rows were, and their squares did not overflow."""
        sums = (np.diagonal(self.gram), self.cross, self.square)
        return all(bool(np.isfinite(s).all()) for s in sums)


def moments(
    x: Any,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    centred: bool = True,
    dtype: Any = np.float64,
) -> Moments:
    """Means, Gram matrix and cross products of a table in one pass over its rows.

    Parameters
    ----------
    x : array or sparse matrix of shape (n, d)
    y : array of shape (n,) or (n, k)
    sample_weight : array of shape (n,), optional
        Weights of the rows.
    centred : bool
        Whether the means are taken out.
    dtype : numpy type
        The type in which products within a block of rows are made. The blocks are added
        up in float64 in any case.

    Raises
    ------
    ShapeError
        If `x` and `y` do not have as many rows as each other.

    Examples
    --------
    >>> found = moments(np.array([[1.0], [3.0]]), np.array([5.0, 7.0]))
    >>> found.mean_x.tolist(), found.gram.tolist(), found.cross.tolist()
    ([2.0], [[2.0]], [[2.0]])
    """
    targets = as_columns(y)
    weight = None if sample_weight is None else np.asarray(sample_weight)
    if hasattr(x, "toarray"):
        return _sparse_moments(x, targets, weight, centred)
    rows = Rows(x, targets, weight, centred, dtype)
    with np.errstate(all="ignore"):  # what is not finite shows in the sums
        return _taken_out(rows, _sums(rows))


class ColumnMoments(NamedTuple):
    """What is asked of a table with too many columns for their Gram matrix.

    Attributes
    ----------
    mean_x, mean_y : array of shape (d,) and (k,)
        Weighted means, zeros if nothing was centred.
    square_x : array of shape (d,)
        The diagonal of the Gram matrix.
    cross : array of shape (d, k)
        As in `Moments`.
    """

    mean_x: Float
    mean_y: Float
    square_x: Float
    cross: Float


def column_moments(
    x: Any, y: Array, sample_weight: Array | None = None, centred: bool = True
) -> ColumnMoments:
    """Means, squares and cross products of the columns in one pass over the rows.

    Parameters
    ----------
    x : array or sparse matrix of shape (n, d)
    y : array of shape (n, k)
    sample_weight : array of shape (n,), optional
    centred : bool
        Whether the means are taken out.

    Examples
    --------
    >>> found = column_moments(np.array([[1.0], [3.0]]), np.array([[5.0], [7.0]]))
    >>> found.mean_x.tolist(), found.square_x.tolist(), found.cross.tolist()
    ([2.0], [2.0], [[2.0]])
    """
    n, d = x.shape
    if hasattr(x, "toarray"):
        weight = np.ones(n) if sample_weight is None else sample_weight
        columns, total = as_double(x.T.tocsr()), float(weight.sum())
        squares: Float = columns.multiply(columns) @ weight
        mean_x, mean_y = np.zeros(d), np.zeros(y.shape[1])
        if centred:
            mean_x, mean_y = columns @ weight / total, weight @ y / total
        cross: Float = columns @ (weight[:, np.newaxis] * (y - mean_y))
        return ColumnMoments(mean_x, mean_y, squares - total * mean_x**2, cross)
    rows = Rows(x, y, sample_weight, centred)
    rows.step = max(16, _BLOCK // rows.width)
    squares, cross = np.zeros(rows.width), np.zeros((rows.width, rows.width - d))
    buffer = rows.buffer()
    for start in range(0, n, rows.step):
        z = rows.block(start, min(start + rows.step, n), buffer)
        squares += np.einsum("ij,ij->j", z, z)
        cross += z.T @ z[:, d:]  # the last column has the sums
    means = rows.shift
    if centred:
        offset = cross[:-1, -1] / squares[-1]
        means = rows.shift + offset
        squares = squares[:-1] - squares[-1] * offset**2
        cross = cross[:, :-1] - np.multiply.outer(cross[:, -1], offset[d:])
    return ColumnMoments(means[:d], means[d:], squares[:d], cross[:d])


def as_double(x: Any) -> Any:
    """A sparse matrix in float64, not copied if it is one already."""
    return x.astype(np.float64, copy=False)


def as_columns(y: ArrayLike) -> Array:
    """Targets as a matrix: one column for each."""
    targets = np.asarray(y)
    return targets[:, np.newaxis] if targets.ndim == 1 else targets


def _sums(rows: Rows) -> Float:
    """Z^T Z, in partial sums by chunk, which are added up in order."""
    chunks, width = rows.chunks(), rows.width
    partial = np.zeros((len(chunks), width, width))

    def run(first: int, last: int) -> None:
        buffer = rows.buffer()
        product = np.empty((width, width), rows.dtype)
        for i in range(first, last):
            start, stop = chunks[i]
            for row in range(start, stop, rows.step):
                z = rows.block(row, min(row + rows.step, stop), buffer)
                np.matmul(z.T, z, out=product)
                partial[i] += product

    total: Float = partial[0]
    if len(chunks) == 1:
        run(0, 1)
        return total
    with one_blas_thread:
        in_parallel(len(chunks), run)
    for part in partial[1:]:
        total += part
    return total


def _taken_out(rows: Rows, sums: Float) -> Moments:
    """Moments about the means, from sums about the shift."""
    d, k = rows.d, rows.k
    means, weight = np.zeros(d + k), float(rows.n)
    if rows.centred:
        weight = float(sums[-1, -1])
        offset = sums[:-1, -1] / weight
        means = rows.shift + offset
        sums = sums[:-1, :-1]
        sums -= np.multiply.outer(weight * offset, offset)
    elif rows.root is not None:
        weight = float(rows.root @ rows.root)
    gram, cross = sums[:d, :d].copy(), sums[:d, d:].copy()
    square = np.diagonal(sums)[d:].copy()
    return Moments(rows.n, weight, means[:d], means[d:], gram, cross, square)


def _sparse_moments(
    x: Any, y: Array, sample_weight: Array | None, centred: bool
) -> Moments:
    """The same sums of a sparse matrix; its zeros are not visited."""
    n, d = x.shape
    weight = np.ones(n) if sample_weight is None else sample_weight.astype(np.float64)
    columns = as_double(x.tocsc())
    weighted = columns.multiply(weight[:, np.newaxis]).tocsc()
    total = float(weight.sum())
    mean_x, mean_y = np.zeros(d), np.zeros(y.shape[1])
    if centred:
        mean_x = np.asarray(weighted.sum(axis=0)).ravel() / total
        mean_y = (weight @ y) / total
    true = y - mean_y
    gram = (columns.T @ weighted).toarray()
    gram -= total * np.multiply.outer(mean_x, mean_x)
    cross = weighted.T @ true  # the rows of `true` have mean zero already
    square = weight @ np.square(true)
    return Moments(n, total, mean_x, mean_y, gram, cross, square)
