"""Pictures, signals and volumes made larger or smaller."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.nn.functional import taps as weights
from dotori.ops.resampling import Resample, Taps

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

#: The number of axes that are resampled, where a mode is made for one number only.
_AXES = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3, "lanczos": 2}
_MODES = ("nearest", "nearest-exact", "area", *_AXES)
_SMOOTH = ("bilinear", "bicubic", "lanczos")


def interpolate(
    input: TensorLike,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    r"""The input on a finer or a coarser grid.

    Along each axis an output is :math:`y_i = \sum_j W_{ij} x_j`, where W depends on the
    two sizes and on `mode` only:

    ========================= ==========================================================
    nearest                   the pixel at the left edge of the output
    nearest-exact             the pixel at its centre
    linear, bilinear, ...     the two pixels around its centre, by closeness
    bicubic                   four of them, by Keys' cubic with a = -0.75
    area                      the mean of the pixels that it touches
    lanczos                   six of them, by a windowed sinc; with `antialias` only
    ========================= ==========================================================

    Parameters
    ----------
    input : Tensor, shape (N, C, L), (N, C, H, W) or (N, C, D, H, W)
    size : int or sequence of ints, optional
        The new size of the axes behind the channels.
    scale_factor : float or sequence of floats, optional
        Instead of `size`: new sizes are floor(size * scale_factor).
    mode : str
        linear wants one axis, bilinear, bicubic and lanczos two, trilinear three.
    align_corners : bool, optional
        Whether the centres of the corner pixels stay where they are. Otherwise (also
        if None) their outer edges do. For the linear and cubic modes.
    recompute_scale_factor : bool, optional
        Whether the grid is laid out by the sizes, which are rounded, instead of by
        `scale_factor`.
    antialias : bool
        Whether a kernel as wide as the output's pixels is laid over the input where it
        is made smaller. For bilinear, bicubic and lanczos.

    Returns
    -------
    Tensor, shape (N, C, *new size)
        uint8 pictures are rounded, and kept within 0 and 255.

    Raises
    ------
    ArgumentError
        If a mode is unknown, or options do not belong to it.
    ShapeError
        If the shape does not suit the mode, or a size is not positive.
    DTypeError
        If the input is neither floating nor uint8.

    Examples
    --------
    >>> import dotori
    >>> x = dotori.tensor([[[0.0, 4.0]]])
    >>> interpolate(x, scale_factor=2).tolist()
    [[[0.0, 0.0, 4.0, 4.0]]]
    >>> interpolate(x, size=4, mode="linear").tolist()
    [[[0.0, 1.0, 3.0, 4.0]]]
    >>> interpolate(x, size=3, mode="linear", align_corners=True).tolist()
    [[[0.0, 2.0, 4.0]]]
    """
    x = as_variable(input)
    _check_options(x, mode, align_corners, antialias)
    _check_given(size, scale_factor, recompute_scale_factor)
    sizes, scales = _target(x, size, scale_factor)
    if recompute_scale_factor or mode == "area":
        scales = [None] * len(sizes)
    if any(n <= 0 for n in (*x.shape[1:], *sizes)):
        raise ShapeError(
            f"interpolate: sizes must be positive, got an input of shape {x.shape} and "
            f"the output size {tuple(sizes)}"
        )
    rounded = x.dtype.kind != "f" and not mode.startswith("nearest")
    y = x.float() if rounded else x
    # the last axis first: where the most is computed, neighbours lie together
    for axis in reversed(range(2, x.ndim)):
        n, m, scale = x.shape[axis], sizes[axis - 2], scales[axis - 2]
        if n == m and scale in (None, 1.0):
            continue  # W is the identity
        found = _taps(mode, n, m, scale, bool(align_corners), antialias)
        y = apply(Resample, y, taps=found, axis=axis)
    if rounded:
        y = (y + 0.5).floor().clamp(0, 255).to(x.dtype)
    return y.clone() if y is x else y


def _taps(
    mode: str, n: int, m: int, scale: float | None, align: bool, antialias: bool
) -> Taps:
    """The weights of one axis."""
    if antialias:
        return weights.smooth(n, m, scale, align, mode)
    if mode == "area":
        return weights.area(n, m)
    if mode.startswith("nearest"):
        return weights.nearest(n, m, scale, mode == "nearest-exact")
    kind = weights.cubic if mode == "bicubic" else weights.linear
    return kind(n, m, scale, align)


def _check_options(
    x: Tensor, mode: str, align_corners: bool | None, antialias: bool
) -> None:
    """Whether the mode exists, and suits the input and the other options."""
    if mode not in _MODES:
        raise ArgumentError(
            f"interpolate: mode must be one of {', '.join(_MODES)}, got {mode!r}"
        )
    if x.ndim not in (3, 4, 5):
        raise ShapeError(
            "interpolate: the input must be (N, C) and one to three axes to resample, "
            f"got shape {x.shape}"
        )
    if x.ndim - 2 != _AXES.get(mode, x.ndim - 2):
        raise ShapeError(
            f"interpolate: {mode} resamples {_AXES[mode]} axes behind (N, C), got an "
            f"input of shape {x.shape}"
        )
    if align_corners is not None and mode not in _AXES:
        raise ArgumentError(
            f"interpolate: align_corners has no meaning for mode {mode!r}; leave it out"
        )
    if antialias and mode not in _SMOOTH:
        raise ArgumentError(
            f"interpolate: antialias is for {', '.join(_SMOOTH)}, got mode {mode!r}"
        )
    if mode == "lanczos" and (align_corners or not antialias):
        raise ArgumentError(
            "interpolate: lanczos wants antialias=True and align_corners=False, got "
            f"{antialias} and {align_corners}"
        )
    if x.dtype.kind != "f" and x.dtype != np.uint8:
        raise DTypeError(
            f"interpolate: floats or uint8 are wanted, got {x.dtype}; use .float()"
        )


def _check_given(size: Any, scale_factor: Any, recompute: bool | None) -> None:
    if (size is None) == (scale_factor is None):
        raise ArgumentError(
            "interpolate: exactly one of size and scale_factor must be given, got "
            f"size={size} and scale_factor={scale_factor}"
        )
    if recompute and size is not None:
        raise ArgumentError(
            "interpolate: recompute_scale_factor has no meaning beside a size; leave "
            "it out"
        )


def _target(
    x: Tensor, size: Any, scale_factor: Any
) -> tuple[list[int], list[float | None]]:
    """The new size of each axis, and its scale factor, if one was given."""
    n_axes = x.ndim - 2
    given = _for_each_axis(size if scale_factor is None else scale_factor, n_axes, x)
    if scale_factor is None:
        try:
            return [operator.index(n) for n in given], [None] * n_axes
        except TypeError as error:
            raise DTypeError(f"interpolate: size must be ints, got {size!r}") from error
    scales = [float(s) for s in given]
    sizes = [math.floor(n * s) for n, s in zip(x.shape[2:], scales, strict=True)]
    return sizes, [s if s > 0 else None for s in scales]


def _for_each_axis(given: Any, n_axes: int, x: Tensor) -> list[Any]:
    """One number for each axis from one for all, or as many as there are axes."""
    if not hasattr(given, "__len__") or getattr(given, "ndim", 1) == 0:
        return [given] * n_axes
    if len(given) != n_axes:
        raise ShapeError(
            f"interpolate: an input of shape {x.shape} wants one number or {n_axes}, "
            f"got {tuple(given)}"
        )
    return list(given)


def upsample(
    input: TensorLike,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """`interpolate` under its older name.

    Examples
    --------
    >>> import dotori
    >>> upsample(dotori.ones(1, 1, 2, 2), scale_factor=3).shape
    (1, 1, 6, 6)
    """
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: TensorLike,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:
    """`interpolate` by the nearest pixel.

    Examples
    --------
    >>> import dotori
    >>> upsample_nearest(dotori.tensor([[[1.0, 2.0]]]), size=4).tolist()
    [[[1.0, 1.0, 2.0, 2.0]]]
    """
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(
    input: TensorLike,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:
    """`interpolate` linearly in two axes, with the corners' centres kept.

    Examples
    --------
    >>> import dotori
    >>> x = dotori.tensor([[[[0.0, 2.0], [4.0, 6.0]]]])
    >>> upsample_bilinear(x, size=3).tolist()
    [[[[0.0, 1.0, 2.0], [2.0, 3.0, 4.0], [4.0, 5.0, 6.0]]]]
    """
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)
