"""The product of matrices, and the affine map that layers are made of."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from dotori.kernels import product
from dotori.ops._op import Op, Sample


class Matmul(Op):
    """Y = A B for stacks of matrices; dA = dY B^T, dB = A^T dY."""

    saves = ("a", "b")
    torch = "matmul"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.matmul(a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any) -> Any:
        da = xp.matmul(dy, xp.swapaxes(b, -1, -2)) if needs[0] else None
        db = xp.matmul(xp.swapaxes(a, -1, -2), dy) if needs[1] else None
        return da, db

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((3, 4)), rng.standard_normal((4, 2))))
        yield Sample((rng.standard_normal((5, 3, 4)), rng.standard_normal((4, 2))))


class Linear(Op):
    """Y = X W^T + b; dX = dY W, dW = dY^T X, db = sum of dY over the rows."""

    saves = ("x", "w")

    @staticmethod
    def forward(xp: Any, x: Any, w: Any, b: Any) -> Any:
        if x.ndim > 2 and x.size and x.flags.c_contiguous:
            # one product, where NumPy would make one for each matrix of the stack
            y = product(xp, x.reshape(-1, w.shape[1]), w.T)
            y += b
            return y.reshape(*x.shape[:-1], w.shape[0])
        y = product(xp, x, w.T)
        y += b  # the product is fresh memory of this operation's own
        return y

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, x: Any, w: Any) -> Any:
        shape = x.shape
        if dy.ndim != 2:
            rows = math.prod(shape[:-1])
            dy, x = dy.reshape((rows, w.shape[0])), x.reshape((rows, w.shape[1]))
        dx = product(xp, dy, w) if needs[0] else None
        if dx is not None and len(shape) != 2:
            dx = dx.reshape(shape)
        dw = product(xp, dy.T, x) if needs[1] else None
        return dx, dw, (dy.sum(axis=0) if needs[2] else None)

    @staticmethod
    def torch(x: Any, w: Any, b: Any) -> Any:
        from torch.nn.functional import linear

        return linear(x, w, b)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for lead in ((5,), (2, 5), ()):
            x = rng.standard_normal((*lead, 3))
            yield Sample((x, rng.standard_normal((4, 3)), rng.standard_normal(4)))
