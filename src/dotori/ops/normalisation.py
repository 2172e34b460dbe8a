"""Normalisation: numbers brought to mean 0 and variance 1, then scaled and shifted.

With u = (x - mean) / sqrt(var + eps), of the numbers that share a mean, and g = w dy
(Ioffe and Szegedy, "Batch normalization", 2015, section 3):

    dx = (g - mean of g - u * mean of (g u)) / sqrt(var + eps)

For the gradient of this rule, mean and variance must be functions of x. Where a caller
wants them, they are outputs with gradients of their own; layer norm, which keeps them
for the rule alone, works them out again if the rule runs on tensors.

The plain formulas serve tensors, and any layout of the memory. On the CPU, rows that
are normalised by themselves, and batch norm (`dotori.ops.batch_norm`), have kernels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dotori.kernels import in_parallel
from dotori.kernels import normalisation as kernels
from dotori.ops._op import Op, Sample
from dotori.ops.reduce import total

#: The fewest numbers that are worth a thread of their own.
_WORTH_A_THREAD = 100_000

Axes = tuple[int, ...]


def in_pieces(n: int, width: int, run: Callable[[int, int], None]) -> None:
    """`run` on pieces of `n` rows, or blocks, of `width` numbers each."""
    in_parallel(n, run, max(1, _WORTH_A_THREAD // max(width, 1)))


def has_kernel(xp: Any, x: Any) -> bool:
    """Whether kernels work on numbers such as those of `x`."""
    return xp is np and x.size > 0 and x.dtype in (np.float32, np.float64)


def in_c_order(x: Any) -> Any:
    """`x` itself if a kernel can read it as it lies, else a copy."""
    flags = x.flags
    return x if flags.c_contiguous and flags.aligned else x.copy(order="C")


def mean_along(xp: Any, x: Any, axes: Axes) -> Any:
    """The mean, with the axes kept at length 1; NaN of nothing."""
    n = math.prod([x.shape[i] for i in axes])
    if hasattr(x, "node") or x.flags.c_contiguous:
        return total(xp, x, axes, True) / (n or math.nan)
    for axis in reversed(axes):  # ten times as fast as at once, and more precise
        x = total(xp, x, axis, True)
    return x / (n or math.nan)


def moments(xp: Any, x: Any, axes: Axes) -> tuple[Any, Any]:
    """Mean and variance, in two passes, with the axes kept at length 1."""
    mean = mean_along(xp, x, axes)
    d = x - mean
    return mean, mean_along(xp, d * d, axes)


def plain_gradients(
    xp: Any,
    dys: list[Any],
    needs: Any,
    x: Any,
    w: Any,
    mean: Any,
    var: Any,
    *,
    axes: Axes,
    over: Axes,
    eps: float,
) -> tuple[Any, Any, Any]:
    """The gradients of x, w and b, from those of the value, mean and variance.

    `over` are the axes that w and b do not have. A `mean` of None is 0.
    """
    dy, dmean, dvar = dys
    n = math.prod([x.shape[i] for i in axes])
    d = x if mean is None else x - mean
    root = xp.sqrt(var + eps)
    u = d / root
    dx, dw, db = d * 0 if dy is None else None, None, None
    if dy is not None and needs[0]:
        g = dy if w is None else dy * w
        off = g if mean is None else g - mean_along(xp, g, axes)
        dx = (off - u * mean_along(xp, g * u, axes)) / root
    if dmean is not None:
        dx = dx + dmean / n
    if dvar is not None:
        dx = dx + d * (dvar * (2 / n))
    if dy is not None and needs[1]:
        dw = total(xp, dy * u, over, False) if over else dy * u
    if dy is not None and needs[2]:
        db = total(xp, dy, over, False) if over else dy * 1
    return dx, dw, db


class Standardize(Op):
    """y = (x - mean) / sqrt(var + eps) along `axes`; and mean and var, axes kept."""

    outputs = ("y", "mean", "var")
    saves = ("x", "mean", "var")
    real = True

    @staticmethod
    def forward(xp: Any, x: Any, *, axes: Axes, eps: float) -> Any:
        mean, var = moments(xp, x, axes)
        return (x - mean) / xp.sqrt(var + eps), mean, var

    @staticmethod
    def backward(
        xp: Any, dy: Any, x: Any, mean: Any, var: Any, *, axes: Axes, eps: float
    ) -> Any:
        needs = (True, False, False)
        return plain_gradients(
            xp, dy, needs, x, None, mean, var, axes=axes, over=(), eps=eps
        )[0]

    @staticmethod
    def torch(x: Any, axes: Axes, eps: float) -> Any:
        mean, var = x.mean(axes, True), x.var(axes, correction=0, keepdim=True)
        return (x - mean) / (var + eps).sqrt(), mean, var

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((2, 3, 4, 2))
        yield Sample((x,), {"axes": (2, 3), "eps": 1e-5})
        yield Sample((x,), {"axes": (-1,), "eps": 0.1})


class LayerNorm(Op):
    """y = (x - mean) / sqrt(var + eps) w + b over the last `n_axes` axes.

    w and b, which may be None, have the shape of these axes. Ba, Kiros and Hinton,
    "Layer normalization", 2016.
    """

    extras = ("mean", "var")
    saves = ("x", "w", "mean", "var")
    real = True

    @staticmethod
    def forward(xp: Any, x: Any, w: Any, b: Any, *, n_axes: int, eps: float) -> Any:
        if has_kernel(xp, x):
            return _row_norm(x, w, b, n_axes, eps, centred=True)
        mean, var = moments(xp, x, _split(x.ndim, n_axes)[0])
        y = (x - mean) / xp.sqrt(var + eps)
        y = y if w is None else y * w
        return (y if b is None else y + b), mean, var

    @staticmethod
    def backward(
        xp: Any,
        dy: Any,
        needs: Any,
        x: Any,
        w: Any,
        mean: Any,
        var: Any,
        *,
        n_axes: int,
        eps: float,
    ) -> Any:
        if has_kernel(xp, x):
            return _row_gradients(dy, x, w, mean, var, n_axes, eps, centred=True)
        axes, over = _split(x.ndim, n_axes)
        if hasattr(x, "node"):  # a tensor
            mean, var = moments(xp, x, axes)
        dys = [dy, None, None]
        return plain_gradients(
            xp, dys, needs, x, w, mean, var, axes=axes, over=over, eps=eps
        )

    @staticmethod
    def torch(x: Any, w: Any, b: Any, n_axes: int, eps: float) -> Any:
        from torch.nn.functional import layer_norm

        return layer_norm(x, x.shape[-n_axes:], w, b, eps)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((2, 3, 5))
        w, b = rng.standard_normal((2, 3, 5))
        yield Sample((x, w[0], b[0]), {"n_axes": 1, "eps": 1e-5})
        yield Sample((x, w, None), {"n_axes": 2, "eps": 0.1})
        yield Sample((x, None, b), {"n_axes": 2, "eps": 1e-5})


class RmsNorm(Op):
    """y = x / sqrt(square + eps) w over the last `n_axes` axes; square: mean of x^2.

    w may be None. Zhang and Sennrich, "Root mean square layer normalization", 2019,
    equation 4.
    """

    extras = ("square",)
    saves = ("x", "w", "square")
    real = True

    @staticmethod
    def forward(xp: Any, x: Any, w: Any, *, n_axes: int, eps: float) -> Any:
        if has_kernel(xp, x):
            y, _, square = _row_norm(x, w, None, n_axes, eps, centred=False)
            return y, square
        square = mean_along(xp, x * x, _split(x.ndim, n_axes)[0])
        y = x / xp.sqrt(square + eps)
        return (y if w is None else y * w), square

    @staticmethod
    def backward(
        xp: Any,
        dy: Any,
        needs: Any,
        x: Any,
        w: Any,
        square: Any,
        *,
        n_axes: int,
        eps: float,
    ) -> Any:
        if has_kernel(xp, x):
            zero = np.zeros_like(square)
            return _row_gradients(dy, x, w, zero, square, n_axes, eps, False)[:2]
        axes, over = _split(x.ndim, n_axes)
        if hasattr(x, "node"):  # a tensor
            square = mean_along(xp, x * x, axes)
        dys, needs = [dy, None, None], (*needs, False)
        return plain_gradients(
            xp, dys, needs, x, w, None, square, axes=axes, over=over, eps=eps
        )[:2]

    @staticmethod
    def torch(x: Any, w: Any, n_axes: int, eps: float) -> Any:
        from torch.nn.functional import rms_norm

        return rms_norm(x, x.shape[-n_axes:], w, eps)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x, w = rng.standard_normal((2, 3, 5)), rng.standard_normal((3, 5))
        yield Sample((x, w[0]), {"n_axes": 1, "eps": 1e-5})
        yield Sample((x, None), {"n_axes": 2, "eps": 0.1})
        yield Sample((x, w), {"n_axes": 2, "eps": 1e-5})


def _split(ndim: int, n_axes: int) -> tuple[Axes, Axes]:
    """The last `n_axes` axes, and those before them."""
    return tuple(range(ndim - n_axes, ndim)), tuple(range(ndim - n_axes))


def _row_norm(
    x: Any, w: Any, b: Any, n_axes: int, eps: float, centred: bool
) -> tuple[Any, Any, Any]:
    """Value, mean and variance by the kernel."""
    inner = x.shape[x.ndim - n_axes :]
    kept = x.shape[: x.ndim - n_axes] + (1,) * n_axes
    rows = in_c_order(x).reshape(-1, math.prod(inner))
    width = rows.shape[1]
    w = np.ones(width, x.dtype) if w is None else in_c_order(w).reshape(-1)
    b = np.zeros(width, x.dtype) if b is None else in_c_order(b).reshape(-1)
    # made in the shapes of the results, which then own their memory
    y = np.empty(x.shape, x.dtype)
    mean, var = np.empty(kept, x.dtype), np.empty(kept, x.dtype)
    made, m, v = y.reshape(rows.shape), mean.reshape(-1), var.reshape(-1)

    def run(i: int, j: int) -> None:
        kernels.row_norm(rows[i:j], w, b, eps, centred, made[i:j], m[i:j], v[i:j])

    in_pieces(len(rows), width, run)
    return y, mean, var


#: The rows whose gradients for w and b are summed up as a block.
_ROWS = 256


def _row_gradients(
    dy: Any,
    x: Any,
    w: Any,
    mean: Any,
    var: Any,
    n_axes: int,
    eps: float,
    centred: bool,
) -> tuple[Any, Any, Any]:
    """The gradients of x, w and b by the kernel."""
    inner = x.shape[x.ndim - n_axes :]
    rows = in_c_order(x).reshape(-1, math.prod(inner))
    dys = in_c_order(dy).reshape(rows.shape)
    n, width = rows.shape
    w = np.ones(width, x.dtype) if w is None else in_c_order(w).reshape(-1)
    mean, var = mean.reshape(-1), var.reshape(-1)
    n_blocks = -(-n // _ROWS)
    dx = np.empty(x.shape, x.dtype)
    made, sums = dx.reshape(n, width), np.empty((2, n_blocks, width), x.dtype)
    dw, db = sums

    def run(i: int, j: int) -> None:
        part = slice(i * _ROWS, j * _ROWS)
        given = dys[part], rows[part], w, mean[part], var[part]
        parts = made[part], dw[i:j], db[i:j]
        kernels.row_norm_gradient(*given, eps, centred, _ROWS, *parts)

    in_pieces(n_blocks, _ROWS * width, run)
    dw, db = sums.sum(axis=1, dtype=np.float64).astype(x.dtype)
    return dx, dw.reshape(inner), db.reshape(inner)
