"""Pictures and volumes looked up at any places: spatial transformers.

Jaderberg, Simonyan, Zisserman and Kavukcuoglu, Spatial transformer networks (2015).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable
from dotori.backend import namespace
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.elementwise import where
from dotori.functions.linear import matmul
from dotori.functions.padding import pad
from dotori.nn.functional.taps import keys
from dotori.ops.embedding import TakeRows

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["affine_grid", "grid_sample"]

_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def grid_sample(
    input: TensorLike,
    grid: TensorLike,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The input at the places that `grid` names, by interpolation.

    A place is (x, y) or (x, y, z), each from -1 at one edge of the input to 1 at the
    other: x along the *last* axis. The gradient goes to the input and to the places.

    Parameters
    ----------
    input : Tensor, shape (N, C, H, W) or (N, C, D, H, W)
    grid : Tensor, shape (N, H', W', 2) or (N, D', H', W', 3)
        NaN is read as -1.
    mode : str
        "bilinear" (of volumes: in three axes), "nearest", or "bicubic" (pictures).
    padding_mode : str
        What lies outside: "zeros", the pixel at the "border", or the "reflection".
    align_corners : bool, optional
        Whether -1 and 1 are the centres of the pixels at the ends. Otherwise (also if
        None) they are their outer edges.

    Returns
    -------
    Tensor, shape (N, C, H', W') or (N, C, D', H', W')

    Raises
    ------
    ShapeError
        If the shapes do not belong together, or the input has no pixels.
    DTypeError
        If the two are not of one float type.
    ArgumentError
        If a mode is unknown.

    Examples
    --------
    >>> import dotori
    >>> x = dotori.tensor([[[[0.0, 2.0], [4.0, 6.0]]]])
    >>> middle, corner = [0.0, 0.0], [1.0, -1.0]
    >>> grid_sample(x, dotori.tensor([[[middle, corner]]]), align_corners=True).tolist()
    [[[[3.0, 2.0]]]]
    """
    x, places = as_variable(input), as_variable(grid)
    _check(x, places, mode, padding_mode)
    places = _finite(places)
    align = bool(align_corners)
    sizes = x.shape[2:]
    axes = range(len(sizes))
    table = _Table(x, padding_mode == "zeros")
    # the last axis of the picture comes first in a place
    along = [_in_pixels(places[..., -1 - i], sizes[i], align) for i in axes]
    taps = [_TAPS[mode](along[i], sizes[i], padding_mode, align) for i in axes]
    y = None
    for corner in product(*taps):
        value = table.at([index for index, _ in corner])
        if mode != "nearest":
            weight = math.prod(w for _, w in corner)  # first: they are few
            value = value * weight.unsqueeze(-1)
        y = value if y is None else y + value
    assert y is not None  # an input has axes
    return y.movedim(-1, 1)


class _Table:
    """The pixels as rows of channels, in a frame of zeros if that is asked for."""

    def __init__(self, x: Tensor, framed: bool) -> None:
        self.frame = int(framed)
        last = x.movedim(1, -1)
        if framed:
            last = pad(last, (0, 0) + (1, 1) * (x.ndim - 2))
        self.shape = last.shape[:-1]
        self.rows = last.reshape(math.prod(self.shape), x.shape[1])

    def at(self, indices: Sequence[Any]) -> Tensor:
        """The rows of the pixels at int arrays (N, *places), one for each axis."""
        first = namespace(self.rows.array).arange(self.shape[0])
        row: Any = first.reshape(-1, *(1,) * (indices[0].ndim - 1))
        for n, index in zip(self.shape[1:], indices, strict=True):
            row = row * n + index + self.frame
        found: Tensor = apply(
            TakeRows, self.rows, index=row, rows=len(self.rows), scale=None
        )
        return found


def _in_pixels(place: Tensor, n: int, align: bool) -> Tensor:
    """From [-1, 1] to the pixels' centres at 0 ... n - 1."""
    if align:
        return (place + 1) * ((n - 1) / 2)
    return ((place + 1) * n - 1) / 2


def _bilinear(place: Tensor, n: int, padding: str, align: bool) -> list[Any]:
    """The pixels on both sides, by closeness."""
    place = _padded(place, n, padding, align)
    left = np.floor(place.array)
    t = place - left
    index = left.astype(np.int64)
    end = n if padding == "zeros" else n - 1
    return [(index, 1 - t), (np.minimum(index + 1, end), t)]


def _nearest(place: Tensor, n: int, padding: str, align: bool) -> list[Any]:
    """The one pixel whose centre is nearest, the even one of two."""
    found = np.rint(_padded(place, n, padding, align).array)
    return [(found.astype(np.int64), None)]


def _bicubic(place: Tensor, n: int, padding: str, align: bool) -> list[Any]:
    """Four pixels by Keys' kernel; those outside are taken where the padding says."""
    left = np.floor(place.array)
    t = place - left
    found = []
    for offset in range(-1, 3):
        index, _ = _inside(left + offset, n, padding, align)
        found.append((index.astype(np.int64), keys(t - offset, -0.75)))
    return found


_TAPS = {"bilinear": _bilinear, "nearest": _nearest, "bicubic": _bicubic}


def _padded(place: Tensor, n: int, padding: str, align: bool) -> Tensor:
    """The places that are looked at instead of those outside, with their slope."""
    inside, slope = _inside(place.array, n, padding, align)
    # the second term is 0: it carries the gradient
    found: Tensor = inside + slope * (place - place.array)
    return found


def _finite(grid: Tensor) -> Tensor:
    """NaN as -1, as PyTorch's documentation has it, and infinity as a place outside."""
    good = np.isfinite(grid.array)
    if good.all():
        return grid
    return where(good, grid, np.nan_to_num(grid.array, nan=-1, posinf=9, neginf=-9))


def _inside(a: Any, n: int, padding: str, align: bool) -> tuple[Any, Any]:
    """Where the places `a` lie in the input, and the slope of that function."""
    slope: Any = np.ones_like(a)
    if padding == "zeros":  # one step outside are zeros
        return np.clip(a, -1, n), slope * ((a >= -1) & (a <= n))
    if padding == "reflection":
        low, span = (0.0, n - 1.0) if align else (-0.5, float(n))
        if span == 0:
            return np.zeros_like(a), np.zeros_like(a)
        flips, rest = np.divmod(abs(a - low), a.dtype.type(span))
        slope = np.where((a < low) != (flips % 2 == 1), -slope, slope)
        a = np.where(flips % 2 == 1, span - rest, rest) + a.dtype.type(low)
    return np.clip(a, 0, n - 1), slope * ((a > 0) & (a < n - 1))


def _check(x: Tensor, grid: Tensor, mode: str, padding: str) -> None:
    """Whether the arguments of grid_sample are known and belong together."""
    if mode not in _MODES:
        raise ArgumentError(
            f"grid_sample: mode must be one of {', '.join(_MODES)}, got {mode!r}"
        )
    if padding not in _PADDINGS:
        raise ArgumentError(
            f"grid_sample: padding_mode must be one of {', '.join(_PADDINGS)}, got "
            f"{padding!r}"
        )
    if x.dtype.kind != "f" or x.dtype != grid.dtype:
        raise DTypeError(
            "grid_sample: input and grid must be of one float type, got "
            f"{x.dtype} and {grid.dtype}; use .to()"
        )
    fits = x.ndim in (4, 5) and x.ndim == grid.ndim and len(x) == len(grid)
    if not fits or grid.shape[-1] != x.ndim - 2:
        raise ShapeError(
            "grid_sample: an input (N, C, H, W) wants a grid (N, H', W', 2), one of "
            f"(N, C, D, H, W) wants (N, D', H', W', 3), got {x.shape} and {grid.shape}"
        )
    if 0 in x.shape[2:]:
        raise ShapeError(f"grid_sample: the input of shape {x.shape} has no pixels")
    if mode == "bicubic" and x.ndim != 4:
        raise ArgumentError(
            f"grid_sample: bicubic is for pictures (N, C, H, W), got shape {x.shape}"
        )


def affine_grid(
    theta: TensorLike, size: Sequence[int], align_corners: bool | None = None
) -> Tensor:
    """The places that an affine map of the output's places leads to: for `grid_sample`.

    An output pixel at (x, y), each in [-1, 1], looks at ``theta @ (x, y, 1)``.

    Parameters
    ----------
    theta : Tensor, shape (N, 2, 3) for pictures or (N, 3, 4) for volumes
    size : sequence of ints
        The output's: (N, C, H, W) or (N, C, D, H, W).
    align_corners : bool, optional
        As in `grid_sample`; None is False.

    Returns
    -------
    Tensor, shape (N, H, W, 2) or (N, D, H, W, 3)

    Raises
    ------
    ShapeError
        If `theta` does not belong to `size`, or a size is not positive.
    DTypeError
        If `theta` is not floating.

    Examples
    --------
    >>> import dotori
    >>> mirror = dotori.tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> affine_grid(mirror, (1, 1, 1, 2), align_corners=True).tolist()
    [[[[1.0, 0.0], [-1.0, 0.0]]]]
    """
    t = as_variable(theta)
    if t.dtype.kind != "f":
        raise DTypeError(f"affine_grid: theta must be floating, got {t.dtype}")
    n_axes = len(size) - 2
    if n_axes not in (2, 3) or t.shape != (size[0], n_axes, n_axes + 1):
        raise ShapeError(
            "affine_grid: a size (N, C, H, W) wants theta (N, 2, 3), one of "
            f"(N, C, D, H, W) wants (N, 3, 4), got {tuple(size)} and {t.shape}"
        )
    if min(size) <= 0:
        raise ShapeError(f"affine_grid: sizes must be positive, got {tuple(size)}")
    axes = [_centres(n, bool(align_corners), t.dtype) for n in size[2:]]
    places = np.stack(np.meshgrid(*axes, indexing="ij")[::-1], axis=-1)
    ones = np.ones((*places.shape[:-1], 1), t.dtype)
    places = np.concatenate((places, ones), axis=-1).reshape(-1, n_axes + 1)
    found = matmul(namespace(t.array).asarray(places), t.transpose(1, 2))
    y: Tensor = found.reshape(size[0], *size[2:], n_axes)
    return y


def _centres(n: int, align: bool, dtype: Any) -> Any:
    """The pixels' centres in [-1, 1]; a single one is at 0."""
    if align and n > 1:
        return np.linspace(-1, 1, n, dtype=dtype)
    return ((2 * np.arange(n) + 1) / n - 1).astype(dtype)
