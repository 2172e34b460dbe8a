"""Principal components: the directions in which a table varies most.

With X about its mean, the covariance is S = X^T X / (n - 1). Its eigenvectors v_j, by
falling eigenvalue, are the components, and the eigenvalue is the variance along v_j:

    S v_j = lambda_j v_j,    X = U D V^T  =>  lambda_j = d_j^2 / (n - 1)

So there are two ways: the singular values of X, which loses no digits, and the
eigenvalues of S, which squares the numbers and is far quicker if there are many more
rows than columns. Signs are free; as in scikit-learn, the largest entry of each
component is positive.

References: K. Pearson, *On lines and planes of closest fit*, 1901. M. E. Tipping, C. M.
Bishop, *Probabilistic principal component analysis*, JRSS B 61, 1999 (the noise's
variance). T. P. Minka, *Automatic choice of dimensionality for PCA*, NIPS 2000.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms._stored import storable
from dotori.algorithms.kmeans.lloyd import is_sparse
from dotori.errors import ArgumentError, ShapeError
from dotori.kernels import in_parallel, one_blas_thread

Array = NDArray[Any]

#: ``eigh(matrix, count)``: the `count` largest eigenvalues, rising, and their vectors.
TopEigen = Callable[[Array, int], tuple[Array, Array]]
#: ``svd(matrix)``: U, the singular values and V^T, no wider than they must be.
ThinSVD = Callable[[Array], tuple[Array, Array, Array]]

#: Rows multiplied at a time: enough for BLAS, and few roundings in one float32 sum.
_ROWS = 8192
#: Numbers that the covariances of several parts of the rows, one for each thread, may
#: have together, and the most parts.
_ROOM = 1 << 21
_PARTS = 4
#: Up to this many times the variance, a squared mean costs a digit and no more.
_NEAR = 10.0


@dataclass
class Spectrum:
    """Components by falling variance, as one of the ways has found them.

    Parameters
    ----------
    mean : array, shape (d,)
    components : array, shape (m, d)
        Rows of length one.
    variances : float64 array, shape (m,)
    total : float
        The variance in all directions.
    length : int
        How many directions there are, those left out included.
    scores : array, shape (n, m), optional
        U: the rows along the components, scaled to length one.
    """

    mean: Array
    components: Array
    variances: Array
    total: float
    length: int
    scores: Array | None = None


@storable
@dataclass(frozen=True)
class PCAModel:
    """Components that rows are projected on; needs nothing but NumPy.

    Parameters
    ----------
    mean : array, shape (d,)
    components : array, shape (m, d)
    variances : array, shape (m,)
    whiten : bool
        Whether the results are scaled to variance one.

    Examples
    --------
    >>> model = PCAModel(np.array([1.0, 1.0]), np.array([[0.6, 0.8]]), np.ones(1))
    >>> model.transform(np.array([[4.0, 5.0]]))
    array([[5.]])
    >>> model.inverse_transform(np.array([[5.0]]))
    array([[4., 5.]])
    """

    mean: Array
    components: Array
    variances: Array
    whiten: bool = False

    def __post_init__(self) -> None:
        m, d = self.components.shape if self.components.ndim == 2 else (-1, -1)
        if self.mean.shape != (d,) or self.variances.shape != (m,):
            raise ShapeError(
                "PCAModel: mean, components and variances must have shapes (d,), "
                f"(m, d) and (m,), got {self.mean.shape}, {self.components.shape} and "
                f"{self.variances.shape}"
            )

    def transform(self, x: Any) -> Array:
        """The rows of `x`, shape (n, d), along the components: shape (n, m)."""
        found = np.asarray(x @ self.components.T)
        found -= self.mean @ self.components.T
        return found / self._scale() if self.whiten else found

    def inverse_transform(self, scores: Array) -> Array:
        """What comes nearest to rows with these scores: shape (n, d)."""
        scores = scores * np.sqrt(self.variances) if self.whiten else scores
        return np.asarray(scores @ self.components + self.mean)

    def _scale(self) -> Array:
        """Deviations along the components, and no zeros to divide by."""
        scale = np.sqrt(self.variances)
        return np.asarray(np.maximum(scale, np.finfo(scale.dtype).eps))


def flipped(components: Array, scores: Array | None = None) -> None:
    """Turn signs in place so that each component's largest entry is positive.

    Examples
    --------
    >>> components = np.array([[0.6, -0.8], [0.8, 0.6]])
    >>> flipped(components)
    >>> components.tolist()
    [[-0.6, 0.8], [0.8, 0.6]]
    """
    if not components.size:
        return
    each = np.arange(len(components))
    signs = np.sign(components[each, np.abs(components).argmax(axis=1)])
    components *= signs[:, None]
    if scores is not None:
        scores *= signs


def by_svd(x: Array, copy: bool = True, svd: ThinSVD | None = None) -> Spectrum:
    """All components, from the singular values of the table about its mean.

    Parameters
    ----------
    x : array, shape (n, d)
    copy : bool
        Without, the mean is subtracted from `x` itself.
    svd : callable, optional
        Finds U, the singular values and V^T; NumPy's by default.

    Examples
    --------
    >>> found = by_svd(np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]))
    >>> np.round(found.variances, 6).tolist(), np.round(found.components[0], 3).tolist()
    ([2.0, 0.0], [0.707, 0.707])
    """
    n = len(x)
    mean = column_means(x)
    x = x - mean if copy else np.subtract(x, mean, out=x)
    if svd is None:
        u, singular, components = np.linalg.svd(x, full_matrices=False)
    else:
        u, singular, components = svd(x)
    flipped(components, u)
    variances = singular.astype(np.float64) ** 2 / (n - 1)
    total = float(variances.sum())
    return Spectrum(mean, components, variances, total, len(variances), u)


def by_covariance(
    x: Any, count: int | None = None, eigh: TopEigen | None = None
) -> Spectrum:
    """Components from the eigenvectors of the covariance; the table is not copied.

    Parameters
    ----------
    x : array or sparse matrix, shape (n, d)
    count : int, optional
        Only so many components; all of them by default.
    eigh : callable, optional
        Finds the largest eigenvalues, if `count` is given; LAPACK finds all otherwise.

    Examples
    --------
    >>> found = by_covariance(np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]), 1)
    >>> np.round(found.variances, 6).tolist(), round(found.total, 6)
    ([2.0], 2.0)
    """
    d, dtype = x.shape[1], x.dtype
    matrix, mean = covariance(x)
    total, count = float(np.trace(matrix)), d if count is None else count
    if eigh is None or count == d or count == 0:
        values, vectors = np.linalg.eigh(matrix)
        values, vectors = values[d - count :], vectors[:, d - count :]
    else:
        values, vectors = eigh(matrix, count)
    components = np.ascontiguousarray(vectors[:, ::-1].T).astype(dtype, copy=False)
    flipped(components)
    variances = np.maximum(values[::-1], 0)
    return Spectrum(mean, components, variances, total, d)


def column_means(x: Any) -> Array:
    """The mean of each column in the table's own type; sums are kept in float64.

    Examples
    --------
    >>> column_means(np.array([[1.0, 2.0], [3.0, 2.0]]))
    array([2., 2.])
    """
    if is_sparse(x):
        return np.asarray(x.mean(axis=0)).reshape(-1).astype(x.dtype)
    if x.dtype == np.float64:
        return np.asarray(x.mean(axis=0))
    sums, ones = np.zeros(x.shape[1]), np.ones(_ROWS, x.dtype)
    for start in range(0, len(x), _ROWS):
        rows = x[start : start + _ROWS]
        sums += ones[: len(rows)] @ rows
    return (sums / len(x)).astype(x.dtype)


def covariance(x: Any) -> tuple[Array, Array]:
    """The covariance in float64, shape (d, d), and the columns' means.

    sum x x^T - n m m^T if that costs no digits, and the products of x - m, block by
    block, if means are large beside deviations.

    Examples
    --------
    >>> covariance(np.array([[1.0, 0.0], [3.0, 0.0]]))[0].tolist()
    [[2.0, 0.0], [0.0, 0.0]]
    """
    n, mean = x.shape[0], column_means(x)
    if is_sparse(x):
        product = (x.T @ x).toarray().astype(np.float64)
        shift = mean.astype(np.float64)
    else:
        some = x[:: max(n // 1000, 1)].astype(np.float64)
        spread = np.var(some, axis=0).sum()
        wide = mean.astype(np.float64)
        near = bool(wide @ wide <= _NEAR * spread)
        product = _products(x, None if near else mean)
        shift = wide if near else np.zeros(len(wide))
    product -= np.multiply.outer(shift * n, shift)
    product /= n - 1
    return product, mean


class Centred:
    """A table about its mean, to be multiplied with: the table itself stays as it is.

    Parameters
    ----------
    x : array or sparse matrix, shape (n, d)
    mean : array, shape (d,)

    Examples
    --------
    >>> a = Centred(np.array([[1.0, 0.0], [3.0, 0.0]]), np.array([2.0, 0.0]))
    >>> (a @ np.eye(2)).tolist(), (a.T @ np.eye(2)).tolist()
    ([[-1.0, 0.0], [1.0, 0.0]], [[-1.0, 1.0], [0.0, 0.0]])
    """

    def __init__(self, x: Any, mean: Array, transposed: bool = False) -> None:
        self.x, self.mean, self._transposed = x, mean, transposed
        self.shape = x.shape[::-1] if transposed else x.shape
        self.dtype = x.dtype

    @property
    def T(self) -> Centred:
        """The transpose."""
        return Centred(self.x, self.mean, not self._transposed)

    def __matmul__(self, v: Array) -> Array:
        if self._transposed:
            return np.asarray(
                self.x.T @ v - np.multiply.outer(self.mean, v.sum(axis=0))
            )
        return np.asarray(self.x @ v - self.mean @ v)


def centred(x: Any) -> tuple[Any, Array, float]:
    """The table about its mean, that mean, and the variance in all directions.

    A `Centred` one if that costs no digits, else a copy.

    Examples
    --------
    >>> table, mean, total = centred(np.array([[1.0, 0.0], [3.0, 0.0]]))
    >>> mean.tolist(), total
    ([2.0, 0.0], 2.0)
    """
    n, mean = x.shape[0], column_means(x)
    wide = mean.astype(np.float64)
    if is_sparse(x):
        squares = float(np.sum(x.data.astype(np.float64) ** 2)) - n * float(wide @ wide)
        return Centred(x, mean), mean, max(squares, 0.0) / (n - 1)
    squares = 0.0
    for start in range(0, n, _ROWS // 8):
        rows = x[start : start + _ROWS // 8] - mean
        squares += float(np.einsum("ij,ij->", rows, rows))
    near = n * float(wide @ wide) <= _NEAR * squares
    return (Centred(x, mean) if near else x - mean), mean, squares / (n - 1)


def _products(x: Array, mean: Array | None) -> Array:
    """sum x x^T over the rows, or of x - mean; in parts that shapes alone decide."""
    n, d = x.shape
    blocks = -(-n // _ROWS)
    parts = next(p for p in (_PARTS, 2, 1) if p * d * d <= _ROOM or p == 1)
    parts = min(parts, blocks)
    sums = np.zeros((parts, d, d))

    def run(first: int, last: int) -> None:
        product = np.empty((d, d), x.dtype)
        for p in range(first, last):
            for b in range(blocks * p // parts, blocks * (p + 1) // parts):
                rows = x[b * _ROWS : (b + 1) * _ROWS]
                rows = rows if mean is None else rows - mean
                np.matmul(rows.T, rows, out=product)
                sums[p] += product

    if parts == 1:  # BLAS has threads of its own
        run(0, 1)
    else:
        with one_blas_thread:
            in_parallel(parts, run)
    for more in sums[1:]:
        sums[0] += more
    return np.asarray(sums[0])


def minka_dimension(variances: Array, n: int) -> int:
    """How many components there are behind the noise, by Minka's evidence.

    Parameters
    ----------
    variances : array, shape (d,)
        All eigenvalues of the covariance, falling.
    n : int
        Rows of the table.

    Examples
    --------
    >>> minka_dimension(np.array([9.0, 7.0, 0.11, 0.1, 0.09]), 1000)
    2
    """
    if len(variances) < 2:
        raise ArgumentError("minka_dimension: two variances or more are needed, got 1")
    values = variances.astype(np.float64)
    found = [-math.inf] + [_evidence(values, k, n) for k in range(1, len(values))]
    return int(np.argmax(found))


def _evidence(values: Array, k: int, n: int) -> float:
    """log p(X | k components), Minka (2000), equations 76 to 80."""
    d, tiny = len(values), 1e-15
    if values[k - 1] < tiny:
        return -math.inf
    sizes = (d - np.arange(k)) / 2
    prior = sum(map(math.lgamma, sizes)) - sizes.sum() * math.log(math.pi)
    noise = max(tiny, float(values[k:].sum()) / (d - k))
    flat = np.concatenate((values[:k], np.full(d - k, noise)))
    i, j = np.triu_indices(d, 1)
    i, j = i[i < k], j[i < k]
    curves = (values[i] - values[j]) * (1 / flat[j] - 1 / flat[i])
    with np.errstate(divide="ignore"):
        volume = float(np.sum(np.log(curves))) + len(i) * math.log(n)
    free = d * k - k * (k + 1) / 2
    return float(
        prior
        - k * math.log(2)
        - n / 2 * float(np.log(values[:k]).sum())
        - n * (d - k) / 2 * math.log(noise)
        + (free + k) / 2 * math.log(2 * math.pi)
        - volume / 2
        - k / 2 * math.log(n)
    )
