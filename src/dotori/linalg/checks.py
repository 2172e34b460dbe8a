"""What all of linear algebra asks of its arguments, and how it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable, wrap
from dotori.dtypes import to_floating
from dotori.errors import LinAlgError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.elementwise import where
from dotori.functions.shape import cast

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def matrix(place: str, x: TensorLike, square: bool = True) -> Tensor:
    """`x` as a tensor of matrices that hold floats or complex numbers.

    Raises
    ------
    ShapeError
        If it has fewer than two axes, or the matrices are not square.
    """
    t = as_variable(x)
    if t.ndim < 2 or (square and t.shape[-1] != t.shape[-2]):
        kind = "square matrices" if square else "matrices"
        raise ShapeError(f"linalg.{place}: {kind} were wanted, got shape {t.shape}")
    return t if t.dtype.kind in "fc" else cast(t, to_floating(t.array).dtype)


def run(place: str, which: Any, *inputs: Any, **attrs: Any) -> Any:
    """Apply an operation; say what NumPy found in words of ours.

    Raises
    ------
    LinAlgError
        If a matrix is singular, not positive definite, or an iteration did not end.
    """
    try:
        return apply(which, *inputs, **attrs)
    except np.linalg.LinAlgError as error:
        shapes = " and ".join(str(t.shape) for t in inputs)
        raise LinAlgError(
            f"linalg.{place} of shape {shapes}: {str(error).lower()}"
            + ("; pinv and lstsq work for it" if "ingular" in str(error) else "")
        ) from error


def stacks_fit(place: str, a: Tensor, b: Tensor) -> None:
    """The axes before the matrices must broadcast.

    Raises
    ------
    ShapeError
        If they do not.
    """
    try:
        np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError as error:
        raise ShapeError(
            f"linalg.{place}: the stacks of shapes {a.shape} and {b.shape} do not "
            "broadcast"
        ) from error


def without(bad: Any, a: Tensor) -> Tensor:
    """The matrices, with the identity in the place of bad ones."""
    if not np.any(bad):
        return a
    eye = wrap(np.eye(a.shape[-1], dtype=a.dtype))
    return where(wrap(np.asarray(bad)[..., None, None]), eye, a)


def identities(a: Tensor) -> Tensor:
    """Identities like the matrices `a`; with a gradient for them, which is 0."""
    eye = wrap(np.eye(*a.shape[-2:], dtype=a.dtype))
    return where(wrap(np.ones(a.shape, np.bool_)), eye, a)


def spoilt(bad: Any, a: Tensor) -> Tensor:
    """The matrices, with NaN in the place of bad ones."""
    if not np.any(bad):
        return a
    return where(wrap(np.asarray(bad)[..., None, None]), a.dtype.type(np.nan), a)
