"""A table of n rows brought down to a triangle of d rows with the same least squares.

For X = Q R with orthonormal columns in Q, ||Y - X B||^2 = ||Q^T Y - R B||^2 + rest: all
that follows (rank, singular values, solutions with or without constraints) is a matter
of the d x d triangle R and of C = Q^T Y. There are two ways to it:

- the Cholesky factor of the Gram matrix is R, found at the speed of a product of
  matrices. It loses twice as many digits as the condition number of X has;
- Householder reflections, block of rows after block of rows, lose nothing (Demmel,
  Grigori, Hoemmen and Langou, SIAM J. Sci. Comput. 34 (2012), A206-A239).

`triangle` takes the first for tables that are long and well conditioned, and the second
for all others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dotori.algorithms.linear.gram import (
    Array,
    Float,
    Moments,
    Rows,
    as_columns,
    moments,
)
from dotori.kernels import in_parallel, one_blas_thread

#: Multiplications up to which reflections cost nothing that one would notice.
_SMALL = 1 << 19
#: The largest square of a condition number with which Cholesky's factor is trusted: it
#: has some 8 digits then.
_TRUSTED = 1e8


@dataclass(frozen=True)
class Triangle:
    """What is left of a table: ||Y - X B||^2 = ||C - R B||^2 + a constant.

    Attributes
    ----------
    r : array of shape (m, d)
        With m <= d rows; of a table with fewer rows than columns, its centred rows.
    c : array of shape (m, k)
    mean_x, mean_y : array of shape (d,) and (k,)
        The weighted means, zeros if nothing was centred.
    singular : array of shape (min(n, d),), optional
        The singular values of the centred table, from the largest to the smallest,
        where they were found on the way.
    """

    r: Float
    c: Float
    mean_x: Float
    mean_y: Float
    singular: Float | None = None

    @property
    def finite(self) -> bool:
        """Whether all is finite: the rows were, and their squares did not overflow."""
        return bool(np.isfinite(self.r).all() and np.isfinite(self.c).all())

    def solve(self, tolerance: float) -> tuple[Float, int, Float]:
        """The least squares solution (d, k), the rank and the singular values.

        Singular values up to `tolerance` times the largest count as zero; among the
        many solutions that there are then, the shortest is taken.
        """
        singular = self.singular
        if singular is not None:
            rank = int((singular > tolerance * singular[:1]).sum())
            if rank == self.r.shape[1]:  # R is square: B from R B = C, last row first
                return np.linalg.solve(self.r, self.c), rank, singular
            if not rank:
                return np.zeros((self.r.shape[1], self.c.shape[1])), 0, singular
        solution, _, count, found = np.linalg.lstsq(self.r, self.c, rcond=tolerance)
        return solution, int(count), found if singular is None else singular


def triangle(
    x: Array,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    centred: bool = True,
) -> Triangle:
    """Bring a table down to its triangle.

    Parameters
    ----------
    x : array of shape (n, d)
    y : array of shape (n,) or (n, k)
    sample_weight : array of shape (n,), optional
        Weights of the rows.
    centred : bool
        Whether weighted means are taken out first.

    Examples
    --------
    >>> found = triangle(np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 4.0, 6.0]))
    >>> found.singular.round(6).tolist()  # of the column (-1, 0, 1)
    [1.414214]
    >>> slope, rank, _ = found.solve(1e-6)
    >>> slope.round(6).tolist(), rank
    ([[2.0]], 1)
    """
    targets = as_columns(y)
    n, d = x.shape
    if n > d and n * d**2 > _SMALL:
        found = by_cholesky(moments(x, targets, sample_weight, centred), min(n, d))
        if found is not None:
            return found
    weight = None if sample_weight is None else np.asarray(sample_weight)
    with np.errstate(all="ignore"):  # what is not finite is found by the caller
        return by_reflections(Rows(x, targets, weight, centred))


def by_cholesky(sums: Moments, values: int) -> Triangle | None:
    """R from R^T R = (X - m)^T (X - m), C from R^T C = (X - m)^T (Y - t).

    Columns are scaled to length one first. None if too few digits would be left.
    """
    length = np.sqrt(np.diagonal(sums.gram))
    varies = np.flatnonzero(length > 0)
    if not sums.finite or not len(varies):
        return None
    scale = length[varies]
    correlation = sums.gram[np.ix_(varies, varies)] / scale
    correlation /= scale[:, np.newaxis]
    try:
        lower = np.linalg.cholesky(correlation)
    except np.linalg.LinAlgError:
        return None
    factor = lower.T * scale
    singular = _values(factor)
    if not _trusted(singular) and not _trusted(_values(lower)):
        return None
    r = np.zeros((len(varies), len(length)))
    r[:, varies] = factor
    c = np.linalg.solve(lower, sums.cross[varies] / scale[:, np.newaxis])
    singular = np.pad(singular, (0, values - len(singular)))
    return Triangle(r, c, sums.mean_x, sums.mean_y, singular)


def _values(matrix: Float) -> Float:
    found: Float = np.linalg.svd(matrix, compute_uv=False)
    return found


def _trusted(singular: Float) -> bool:
    return bool(singular[0] ** 2 < _TRUSTED * singular[-1] ** 2)


def by_reflections(rows: Rows) -> Triangle:
    """R and C by Householder's reflections of ``[1, X - s, Y - u]``.

    The first reflection takes the means out: what is left below the first row of the
    factor is the factor of the centred table.
    """
    d, means = rows.d, np.zeros(rows.d + rows.k)
    if rows.n <= d:
        return _wide(rows)
    factor = _factor(rows)
    if rows.centred:
        means = rows.shift + factor[0, 1:] / factor[0, 0]
        factor = factor[1:, 1:]
    r, c = factor[:d, :d], factor[:d, d:]
    singular = None
    if np.isfinite(r).all():
        singular = _values(r)
        singular = np.pad(singular, (0, d - len(singular)))
    return Triangle(r, c, means[:d], means[d:], singular)


def _factor(rows: Rows) -> Float:
    """The triangle of all rows: of each chunk's blocks, and then of the chunks'."""
    chunks = rows.chunks()
    found: list[Float] = [np.zeros((0, rows.width))] * len(chunks)
    ones_first = np.roll(np.arange(rows.width), rows.centred)

    def run(first: int, last: int) -> None:
        buffer = rows.buffer()
        for i in range(first, last):
            start, stop = chunks[i]
            for row in range(start, stop, rows.step):
                z = rows.block(row, min(row + rows.step, stop), buffer)
                stacked = np.concatenate([found[i], z[:, ones_first]])
                found[i] = _upper(stacked)

    if len(chunks) == 1:
        run(0, 1)
        return found[0]
    with one_blas_thread:
        in_parallel(len(chunks), run)
    return _upper(np.concatenate(found))


def _upper(matrix: Float) -> Float:
    factor: Float = np.asarray(np.linalg.qr(matrix, mode="r"))
    return factor


def _wide(rows: Rows) -> Triangle:
    """A table with no more rows than columns stands for itself."""
    d = rows.d
    x, y = rows.x - rows.shift[:d], rows.y - rows.shift[d:]
    mean_x, mean_y = rows.shift[:d], rows.shift[d:]
    if rows.centred:
        weight = np.ones(rows.n) if rows.root is None else np.square(rows.root)
        offset_x, offset_y = (weight @ v / weight.sum() for v in (x, y))
        x, mean_x = np.subtract(x, offset_x, out=x), mean_x + offset_x
        y, mean_y = np.subtract(y, offset_y, out=y), mean_y + offset_y
    if rows.root is not None:
        x *= rows.root[:, np.newaxis]
        y *= rows.root[:, np.newaxis]
    return Triangle(x, y, mean_x, mean_y)
