"""The exponential of matrices, and norms of vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample, follow
from dotori.ops.linalg.parts import transposed
from dotori.ops.reduce import stretch

# The coefficients of the Pade approximant of degree 13, and the largest 1-norm that it
# serves in double precision: Higham, "The scaling and squaring method for the matrix
# exponential revisited", 2005, table 2.3 and equation 2.3.
_PADE = [
    64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800,
    129060195264000, 10559470521600, 670442572800, 33522128640, 1323241920, 40840800,
    960960, 16380, 182, 1,
]  # fmt: skip
_LARGEST = 5.371920351148152


def expm(a: Any) -> Any:
    """e^A of each matrix: A / 2^s in a rational function, squared s times."""
    if not a.size:
        return a.copy()
    size = np.abs(a).sum(axis=-2).max(axis=-1)
    bad = ~np.isfinite(size)[..., None, None]
    if bad.any():
        return np.where(bad, a.dtype.type(np.nan), expm(np.where(bad, 0, a)))
    ratio = np.maximum(size / _LARGEST, 1)
    times = np.ceil(np.log2(ratio)).astype(int)  # for each matrix of the stack
    b = [a.dtype.type(c) for c in _PADE]
    a = a / (2.0**times).astype(size.dtype)[..., None, None]
    eye = np.eye(a.shape[-1], dtype=a.dtype)
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    u = a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2)
    u = a @ (u + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * eye)
    v = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2)
    v = v + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * eye
    y = np.linalg.solve(v - u, v + u)
    for step in range(times.max(initial=0)):
        y = np.where((times > step)[..., None, None], y @ y, y)
    return y


class MatrixExp(Op):
    """Y = e^A; dA is the corner of e^[[A^T, dY], [0, A^T]].

    Al-Mohy and Higham, "Computing the Frechet derivative of the matrix exponential",
    2009, equation 1.1.
    """

    saves = ("x",)
    floats = True
    torch = "linalg.matrix_exp"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return expm(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        n, t = x.shape[-1], transposed(xp, x)
        above = xp.concatenate([t, dy], axis=-1)
        below = xp.concatenate([t * 0, t], axis=-1)
        whole = follow(MatrixExp, xp, xp.concatenate([above, below], axis=-2))
        return whole[..., :n, n:]

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((2, 3, 3)),))
        yield Sample((rng.standard_normal((3, 3)) * 10,))


class VectorNorm(Op):
    """y = (sum |x|^ord)^(1/ord): the largest |x| for infinity, their number for 0.

    dx = sgn(x) |x|^(ord-1) y^(1-ord) dy, and 0 where x or y is 0 and the formula is
    not finite: PyTorch's choice among the subgradients.
    """

    saves = ("x", "y")
    floats = True
    holomorphic = False

    @staticmethod
    def forward(
        xp: Any, x: Any, *, ord: float, axis: Any, keepdims: bool, shape: Any
    ) -> Any:
        size = xp.abs(x)
        if ord == np.inf:
            return size.max(axis=axis, keepdims=keepdims)
        if ord == -np.inf:
            return size.min(axis=axis, keepdims=keepdims)
        if ord == 0:
            count = xp.count_nonzero(size, axis=axis, keepdims=keepdims)
            return xp.asarray(count, size.dtype)
        if ord == 1:
            return size.sum(axis=axis, keepdims=keepdims)
        if ord == 2:
            return xp.sqrt((size * size).sum(axis=axis, keepdims=keepdims))
        return (size**ord).sum(axis=axis, keepdims=keepdims) ** (1 / ord)

    @staticmethod
    def backward(
        xp: Any,
        dy: Any,
        x: Any,
        y: Any,
        *,
        ord: float,
        axis: Any,
        keepdims: bool,
        shape: Any,
    ) -> Any:
        dy, y = stretch(dy, shape, axis), stretch(y, shape, axis)
        if ord == 0:
            return x * 0
        if ord == 2:
            return x * _quotient(xp, dy, y)
        size = xp.abs(x)
        sign = x / xp.where(size == 0, 1, size)  # 0 at 0, and right for complex numbers
        if ord == 1:
            return sign * dy
        if abs(ord) == np.inf:
            chosen = (size == y) | (xp.isnan(size) & xp.isnan(y))
            count = chosen.sum(axis=axis, keepdims=True)
            return sign * (chosen * (dy / count))
        safe = xp.where(size == 0, 1, size)
        return sign * safe ** (ord - 1) * _quotient(xp, dy, y ** (ord - 1))

    @staticmethod
    def torch(x: Any, *, ord: float, axis: Any, keepdims: bool, shape: Any) -> Any:
        import torch

        return torch.linalg.vector_norm(x, ord, axis, keepdims)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((2, 3, 4))
        for ord in (2, 1, 3, 0.5, -1, np.inf, -np.inf, 0):
            for axis, keepdims in ((None, False), (1, False), ((0, 2), True)):
                attrs = {"axis": axis, "keepdims": keepdims, "shape": x.shape}
                yield Sample((x,), {"ord": ord, **attrs})


def _quotient(xp: Any, dy: Any, y: Any) -> Any:
    """dy / y, and 0 where y is 0."""
    zero = y == 0
    return xp.where(zero, 0, dy / xp.where(zero, 1, y))
