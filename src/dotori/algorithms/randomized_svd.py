"""The largest singular values of a matrix by random projection.

A random matrix W of k + p columns is sent through A; what comes out spans, with high
probability, nearly the directions of the k largest singular values. Powers of A A^T
make the others vanish, and between them the columns are made orthonormal, as otherwise
all of them would turn to the first direction:

    Q = orth((A A^T)^q A W),    B = Q^T A = U' S V^T,    A ~ (Q U') S V^T

Only products with A are needed, so it may be sparse.

Reference: N. Halko, P. G. Martinsson, J. A. Tropp, *Finding structure with randomness*,
SIAM Review 53, 2011, algorithms 4.4 and 5.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.random import Generator

Array = NDArray[Any]


def range_basis(
    a: Any, size: int, powers: int, generator: Generator, orthonormal: bool = True
) -> Array:
    """Orthonormal columns that nearly span what `a` does to most vectors.

    Parameters
    ----------
    a : array, sparse matrix or what can be multiplied, shape (n, d)
    size : int
        How many columns.
    powers : int
        The q above.
    generator : Generator
    orthonormal : bool
        Whether columns are made orthonormal between the powers.

    Examples
    --------
    >>> a = np.outer([1.0, 2.0, 2.0], [3.0, 4.0])
    >>> q = range_basis(a, 1, 2, Generator(0))
    >>> np.round(np.abs(q.ravel()), 3).tolist()
    [0.333, 0.667, 0.667]
    """
    q = generator.normal((a.shape[1], size), dtype=a.dtype)
    for _ in range(powers):
        q = a @ q
        q = a.T @ (orthonormalised(q) if orthonormal else q)
        q = orthonormalised(q) if orthonormal else q
    return np.linalg.qr(a @ q)[0]


def orthonormalised(q: Array) -> Array:
    """The same span in columns that are orthonormal but for rounding.

    With the Cholesky factor of q^T q = L L^T, they are q L^-T: a product of matrices
    where Householder's method goes column by column. It squares the condition, so badly
    conditioned columns take the longer way.

    Examples
    --------
    >>> np.round(orthonormalised(np.array([[3.0], [4.0]])), 6).ravel().tolist()
    [0.6, 0.8]
    """
    wide = q.astype(np.float64, copy=False)
    try:
        factor = np.linalg.cholesky(wide.T @ wide)
    except np.linalg.LinAlgError:
        return np.linalg.qr(q)[0]
    diagonal = np.diagonal(factor)
    if diagonal.min() < 1e-6 * diagonal.max():
        return np.linalg.qr(q)[0]
    return np.asarray(q @ np.linalg.inv(factor).T.astype(q.dtype))


def randomized_svd(
    a: Any,
    count: int,
    generator: Generator,
    powers: int | None = None,
    oversampling: int = 10,
    orthonormal: bool = True,
) -> tuple[Array, Array, Array]:
    """U, the `count` largest singular values, and V^T, nearly.

    Parameters
    ----------
    a : array, sparse matrix or what can be multiplied, shape (n, d)
    count : int
    generator : Generator
    powers : int, optional
        4, or 7 if `count` is less than a tenth of what there are.
    oversampling : int
        Columns beyond `count`.
    orthonormal : bool
        As in `range_basis`.

    Returns
    -------
    u, singular, vt : array, shapes (n, count), (count,) and (count, d)

    Examples
    --------
    >>> a = np.diag([5.0, 3.0, 0.1, 0.01])
    >>> u, singular, vt = randomized_svd(a, 2, Generator(0))
    >>> np.round(singular, 6).tolist()
    [5.0, 3.0]
    """
    if powers is None:
        powers = 7 if count < 0.1 * min(a.shape) else 4
    if a.shape[0] < a.shape[1]:  # the small side is where the orthonormal columns are
        u, singular, vt = randomized_svd(
            a.T, count, generator, powers, oversampling, orthonormal
        )
        return vt.T, singular, u.T
    size = min(count + oversampling, a.shape[1])
    q = range_basis(a, size, powers, generator, orthonormal)
    small, singular, vt = np.linalg.svd((a.T @ q).T, full_matrices=False)
    return q @ small[:, :count], singular[:count], vt[:count]
