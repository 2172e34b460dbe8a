"""What the arguments of a transform mean: types, axes, lengths, scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import as_variable, wrap
from dotori.dtypes import complex_type, get_default_dtype
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.join import cat
from dotori.functions.shape import axis_of, cast, getitem

if TYPE_CHECKING:
    from dotori._tensor import Tensor

_NORMS = ("backward", "ortho", "forward")


def scale_of(place: str, norm: str | None) -> str:
    if norm is None:
        return "backward"
    if norm not in _NORMS:
        raise ArgumentError(f"fft.{place}: norm must be in {_NORMS}, got {norm!r}")
    return norm


def as_signal(place: str, x: TensorLike, real: bool) -> Tensor:
    """`x` as floats, or, unless `real`, as complex numbers."""
    t = as_variable(x)
    if real and t.dtype.kind == "c":
        raise DTypeError(f"fft.{place}: real numbers are wanted, got {t.dtype}")
    if t.dtype == np.float16:
        raise DTypeError(f"fft.{place}: float16 has no transform; use .float()")
    if real:
        return t if t.dtype.kind == "f" else cast(t, get_default_dtype())
    return cast(t, complex_type(t.dtype))


def axes_and_lengths(
    place: str, t: Tensor, s: Any, dim: Any
) -> tuple[tuple[int, ...], list[int]]:
    """The axes of a transform, and the length along each: -1 for as it is."""
    lengths = None if s is None else [int(n) for n in np.atleast_1d(s)]
    if dim is None:
        dim = range(-t.ndim if lengths is None else -len(lengths), 0)
    listed = tuple(dim) if isinstance(dim, (tuple, list, range)) else (dim,)
    chosen = tuple(axis_of(f"fft.{place}", int(a), t.ndim, t.shape) for a in listed)
    if len(set(chosen)) != len(chosen):
        raise ArgumentError(f"fft.{place}: an axis occurs twice in dim={dim}")
    if lengths is None:
        lengths = [-1] * len(chosen)
    if len(lengths) != len(chosen):
        raise ArgumentError(
            f"fft.{place}: s has {len(lengths)} lengths for {len(chosen)} axes"
        )
    return chosen, lengths


def fitted(
    place: str, t: Tensor, axes: Sequence[int], lengths: Sequence[int]
) -> Tensor:
    """Cut, or filled with zeros at the end, to these lengths along these axes.

    Raises
    ------
    ShapeError
        If a length is 0.
    """
    for axis, n in zip(axes, lengths, strict=True):
        here = t.shape[axis]
        wanted = here if n == -1 else n
        if wanted < 1:
            raise ShapeError(
                f"fft.{place}: a length of at least 1 is wanted, got {wanted} along "
                f"axis {axis} of shape {t.shape}"
            )
        if wanted < here:
            t = getitem(t, (*(slice(None),) * axis, slice(wanted)))
        elif wanted > here:
            more = (*t.shape[:axis], wanted - here, *t.shape[axis + 1 :])
            t = cat([t, wrap(np.zeros(more, t.dtype))], axis)
    return t
