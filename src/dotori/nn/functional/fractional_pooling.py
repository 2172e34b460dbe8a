"""Max pooling by a ratio that need not be whole.

Graham, "Fractional max-pooling", 2014, section 2, the pseudo-random and overlapping
form: windows are of one size, and begin floor((i + u) alpha) - floor(u alpha) behind
the start, where alpha is no whole number and u is drawn from [0, 1); the last one ends
where the axis does. Every channel of every sample has its own u for each axis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import as_variable, wrap
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.nn.functional.pooling import taken
from dotori.nn.functional.sizes import Sizes, each_axis, pictures
from dotori.random import default_generator

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
]

#: Where the axes' numbers stand among the random samples: PyTorch's order.
_ORDER = {2: (1, 0), 3: (0, 1, 2)}


def _fractional(
    axes: int,
    x: TensorLike,
    kernel_size: Sizes,
    output_size: Sizes | None,
    output_ratio: float | Sequence[float] | None,
    samples: TensorLike | None,
) -> tuple[Tensor, Tensor]:
    place = f"fractional_max_pool{axes}d"
    t = pictures(place, x, axes)
    size = each_axis(place, "kernel_size", kernel_size, axes, 1)
    out = _output(place, t.shape[-axes:], output_size, output_ratio)
    for n, k, m in zip(t.shape[-axes:], size, out, strict=True):
        if m < 1 or m + k - 1 > n:
            raise ShapeError(
                f"{place}: {m} windows of {k} do not fit into an axis of {n}: at least "
                f"{m + k - 1} are needed; x has shape {t.shape}, kernel_size is "
                f"{kernel_size}, the output {out}"
            )
    u = _random(place, t, axes, samples)
    starts = [
        _starts(u[..., _ORDER[axes][a]], t.shape[a - axes], size[a], out[a])
        for a in range(axes)
    ]
    index = _largest(t.array, starts, size)
    return taken(t, index, axes, once=False), wrap(index)


def _output(
    place: str,
    shape: tuple[int, ...],
    output_size: Sizes | None,
    ratio: float | Sequence[float] | None,
) -> tuple[int, ...]:
    axes = len(shape)
    if output_size is not None:
        return each_axis(place, "output_size", output_size, axes)
    if ratio is None:
        raise ArgumentError(f"{place}: output_size or output_ratio is wanted, got none")
    ratios = [float(ratio)] * axes if isinstance(ratio, (int, float)) else list(ratio)
    if len(ratios) != axes:
        raise ArgumentError(
            f"{place}: output_ratio is one number, or {axes}, got {ratio}"
        )
    return tuple(int(n * r) for n, r in zip(shape, ratios, strict=True))


def _random(place: str, t: Tensor, axes: int, samples: TensorLike | None) -> Any:
    """u for each sample, channel and axis: drawn, or as they are given."""
    lead = t.shape[:-axes]
    shape = (1, *lead, axes)[-3:]
    if samples is None:
        u = default_generator().uniform(shape).astype(t.dtype)
    else:
        u = as_variable(samples).array
    if u.ndim != 3 or u.shape[0] < shape[0] or u.shape[1:] != shape[1:]:
        raise ShapeError(
            f"{place}: _random_samples have the shape {shape} for x of shape "
            f"{t.shape}, got {u.shape}"
        )
    return u[: shape[0]].reshape(*lead, axes)


def _starts(u: Any, n: int, k: int, m: int) -> Any:
    """Where m windows of k begin on an axis of n, for each u: (..., m)."""
    last = np.full((*u.shape, 1), n - k, np.int64)
    if m == 1:
        return last
    alpha = u.dtype.type((n - k) / (m - 1))
    steps = np.arange(m - 1, dtype=u.dtype)
    begun = ((steps + u[..., None]) * alpha).astype(np.int64)
    return np.concatenate(
        [begun - (u[..., None] * alpha).astype(np.int64), last], axis=-1
    )


def _largest(x: Any, starts: list[Any], size: tuple[int, ...]) -> Any:
    """Where the largest number of each window is, in C order, tap by tap.

    The first of equals; of several NaN the last, as in PyTorch.
    """
    axes, lead = len(size), x.shape[: -len(size)]
    flat = x.reshape(*lead, math.prod(x.shape[-axes:]))
    best = found = None
    for tap in product(*[range(k) for k in size]):
        at: Any = 0
        for a in range(axes):
            m = starts[a].shape[-1]
            along = (m if b == a else 1 for b in range(axes))
            here = (starts[a] + tap[a]).reshape(*lead, *along)
            at = at * x.shape[a - axes] + here
        rows = at.reshape(*lead, math.prod(at.shape[-axes:]))
        v = np.take_along_axis(flat, rows, -1).reshape(at.shape)
        if best is None:
            best, found = v, at
        better = (v > best) | (v != v)
        best, found = np.where(better, v, best), np.where(better, at, found)
    return found


def fractional_max_pool2d(
    input: TensorLike,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: TensorLike | None = None,
) -> Any:
    """Largest numbers of windows that begin at random over the last two axes.

    Graham, "Fractional max-pooling", 2014. Random numbers come from the thread's
    default generator.

    Parameters
    ----------
    input : Tensor, shape (N, C, height, width) or (C, height, width)
    kernel_size : int or pair
    output_size : int or pair, optional
        The height and width of the result.
    output_ratio : float or pair, optional
        The same as a part of the input's, between 0 and 1, if there is no output_size.
    return_indices : bool
        Give a pair: the values, and where they are from, counted through each picture
        in C order.
    _random_samples : Tensor, shape (N, C, 2), optional
        Numbers in [0, 1) that decide where windows begin: of width, then of height.

    Raises
    ------
    ShapeError
        If so many windows do not fit.
    ArgumentError
        If neither a size nor a ratio is given.

    Examples
    --------
    >>> import dotori
    >>> fractional_max_pool2d(dotori.rand(2, 3, 9, 9), 2, output_ratio=0.7).shape
    (2, 3, 6, 6)
    """
    y, index = _fractional(
        2, input, kernel_size, output_size, output_ratio, _random_samples
    )
    return (y, index) if return_indices else y


def fractional_max_pool3d(
    input: TensorLike,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: TensorLike | None = None,
) -> Any:
    """The same over the last three axes: see `fractional_max_pool2d`.

    `_random_samples` have the shape (N, C, 3): for depth, height and width.

    Examples
    --------
    >>> import dotori
    >>> fractional_max_pool3d(dotori.rand(1, 2, 6, 6, 6), 2, output_size=4).shape
    (1, 2, 4, 4, 4)
    """
    y, index = _fractional(
        3, input, kernel_size, output_size, output_ratio, _random_samples
    )
    return (y, index) if return_indices else y


def fractional_max_pool2d_with_indices(
    input: TensorLike,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: TensorLike | None = None,
) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool2d` with `return_indices`.

    Examples
    --------
    >>> x = [[[1.0, 2.0], [4.0, 3.0]]]
    >>> fractional_max_pool2d_with_indices(x, 2, output_size=1)[1].tolist()
    [[[2]]]
    """
    return _fractional(
        2, input, kernel_size, output_size, output_ratio, _random_samples
    )


def fractional_max_pool3d_with_indices(
    input: TensorLike,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: TensorLike | None = None,
) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool3d` with `return_indices`.

    Examples
    --------
    >>> import dotori
    >>> x = dotori.arange(8.0).reshape(1, 2, 2, 2)
    >>> fractional_max_pool3d_with_indices(x, 2, output_size=1)[1].tolist()
    [[[[7]]]]
    """
    return _fractional(
        3, input, kernel_size, output_size, output_ratio, _random_samples
    )
