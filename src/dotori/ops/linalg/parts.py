"""What the rules of linear algebra share: transposes, diagonals, triangles."""

from __future__ import annotations

from typing import Any

import numpy as np


def transposed(xp: Any, a: Any) -> Any:
    """A^T of each matrix."""
    return xp.swapaxes(a, -1, -2)


def adjoint(xp: Any, a: Any) -> Any:
    """A^H: transposed, and conjugated if complex."""
    t = xp.swapaxes(a, -1, -2)
    return t.conj() if t.dtype.kind == "c" else t


def embedded(v: Any) -> Any:
    """Vectors as the diagonals of matrices."""
    return v[..., None] * np.eye(v.shape[-1], dtype=v.dtype)


def on_diagonal(a: Any) -> Any:
    """Matrices with everything but their diagonals set to 0."""
    return a * np.eye(a.shape[-1], dtype=bool)


def lower(a: Any, diagonal: int = 0) -> Any:
    """Matrices with everything above a diagonal set to 0."""
    return a * np.tri(a.shape[-2], a.shape[-1], diagonal, dtype=bool)


def upper(a: Any, diagonal: int = 0) -> Any:
    """Matrices with everything below a diagonal set to 0."""
    return a * ~np.tri(a.shape[-2], a.shape[-1], diagonal - 1, dtype=bool)


def plain(a: Any) -> Any:
    """The array behind a tensor, or the array itself."""
    return getattr(a, "array", a)


def rows(a: Any, order: Any) -> Any:
    """The rows of each matrix in the order that `order` gives for it."""
    grid = np.ogrid[tuple(slice(n) for n in order.shape[:-1])] if order.ndim > 1 else ()
    return a[(*(g[..., None] for g in grid), order)]


def invertible(rng: Any, *lead: int, n: int = 3) -> Any:
    """Samples far from singular."""
    return rng.standard_normal((*lead, n, n)) + 3 * np.eye(n)
