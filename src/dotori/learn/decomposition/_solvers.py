"""What SciPy solves for the estimators: some eigenvalues, some singular values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.sparse.linalg import LinearOperator, svds

from dotori.random import Generator

Array = NDArray[Any]


def top_eigen(matrix: Array, count: int) -> tuple[Array, Array]:
    """The `count` largest eigenvalues of a symmetric matrix, rising, and vectors."""
    d = len(matrix)
    found: tuple[Array, Array] = linalg.eigh(
        matrix,
        subset_by_index=[d - count, d - 1],
        overwrite_a=True,
        check_finite=False,
    )
    return found


def thin_svd(matrix: Array) -> tuple[Array, Array, Array]:
    """U, the singular values and V^T; NumPy would take float32 to float64 for it."""
    found: tuple[Array, Array, Array] = linalg.svd(
        matrix, full_matrices=False, check_finite=False
    )
    return found


def arpack(
    a: Any, count: int, tol: float, generator: Generator
) -> tuple[Array, Array, Array]:
    """U, the `count` largest singular values, falling, and V^T, by Lanczos' method."""
    operator = a
    if not (isinstance(a, np.ndarray) or hasattr(a, "indptr")):
        operator = LinearOperator(
            a.shape,
            matvec=lambda v: a @ v.reshape(-1),
            rmatvec=lambda v: a.T @ v.reshape(-1),
            matmat=lambda v: a @ v,
            rmatmat=lambda v: a.T @ v,
            dtype=a.dtype,
        )
    start = generator.uniform(min(a.shape), -1.0, 1.0, dtype=a.dtype)
    u, singular, vt = svds(operator, k=count, tol=tol, v0=start)
    return (
        np.ascontiguousarray(u[:, ::-1]),
        singular[::-1].copy(),
        np.ascontiguousarray(vt[::-1]),
    )
