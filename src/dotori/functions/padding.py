"""Tensors made longer at both ends of their axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions._places import at_axis, number_as
from dotori.functions.gathering import take_places
from dotori.functions.shape import getitem
from dotori.ops.padding import PadAround, PadConstant, Widths

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["constant_pad_nd"]


def constant_pad_nd(x: TensorLike, pad: Sequence[int], value: float = 0) -> Tensor:
    """A number put before and behind the elements of the last axes.

    Parameters
    ----------
    x : Tensor
    pad : sequence of int
        Before and behind, for the last axis, then for the one before it, and so on.
        Negative lengths cut off.
    value : number

    Examples
    --------
    >>> constant_pad_nd([1, 2], (1, 2)).tolist()
    [0, 1, 2, 0, 0]
    """
    t = as_variable(x)
    widths = _widths("pad", t.shape, pad)
    shape = tuple(a + n + b for n, (a, b) in zip(t.shape, widths, strict=True))
    if min(shape, default=0) < 0:
        raise ShapeError(
            f"pad: a tensor of shape {t.shape} with {tuple(pad)} would have the shape "
            f"{shape}"
        )
    result: Tensor = apply(
        PadConstant,
        _cut(t, widths),
        widths=_added(widths),
        value=number_as("pad", value, t.dtype),
    )
    return result


def _added(widths: list[tuple[int, int]]) -> Widths:
    """The lengths that are not negative."""
    return tuple((max(a, 0), max(b, 0)) for a, b in widths)


def _cut(t: Tensor, widths: list[tuple[int, int]]) -> Tensor:
    """`t` without what negative lengths cut off."""
    if min((n for pair in widths for n in pair), default=0) >= 0:
        return t
    rows = list(zip(t.shape, widths, strict=True))
    if any(n + min(a, 0) + min(b, 0) < 0 for n, (a, b) in rows):
        raise ShapeError(f"pad: {widths} cut off more than the shape {t.shape} has")
    return getitem(t, tuple(slice(max(-a, 0), n + min(b, 0)) for n, (a, b) in rows))


def _widths(
    place: str, shape: tuple[int, ...], pad: Sequence[int]
) -> list[tuple[int, int]]:
    """What comes before and behind each axis, from PyTorch's list from the end on."""
    given = [int(n) for n in pad]
    if len(given) % 2 or len(given) > 2 * len(shape):
        raise ShapeError(
            f"{place}: two lengths for an axis, and at most for the {len(shape)} axes "
            f"of shape {shape}, are wanted, got {tuple(pad)}"
        )
    pairs = list(zip(given[::2], given[1::2], strict=True))[::-1]
    return [(0, 0)] * (len(shape) - len(pairs)) + pairs


def pad(
    x: TensorLike,
    pad: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
) -> Tensor:
    """The last axes made longer (or shorter, by negative lengths) at both ends.

    Parameters
    ----------
    x : Tensor
        For other modes than "constant": one, two or three axes are padded, and one or
        two stand before them, channels and batch.
    pad : sequence of int
        Before and behind, for the last axis, then for the one before it, and so on.
    mode : "constant", "reflect", "replicate" or "circular"
        What comes there: a number; the elements in reverse order without the one at
        the end; the one at the end; or the elements of the other end.
    value : number, optional
        For "constant": 0 by default.

    Raises
    ------
    ShapeError
        If an axis is too short to be reflected or repeated so far.

    Examples
    --------
    >>> pad([[[1.0, 2.0, 3.0]]], (2, 1), mode="reflect").tolist()
    [[[3.0, 2.0, 1.0, 2.0, 3.0, 2.0]]]
    """
    t = as_variable(x)
    if mode == "constant":
        return constant_pad_nd(t, pad, 0 if value is None else value)
    if mode not in ("reflect", "replicate", "circular"):
        raise ArgumentError(
            "pad: mode is 'constant', 'reflect', 'replicate' or 'circular', "
            f"got {mode!r}"
        )
    if value is not None and value != 0:
        raise ArgumentError(f"pad: mode {mode!r} takes no value, got {value}")
    widths = _widths("pad", t.shape, pad)
    axes = len(pad) // 2
    if not 1 <= axes <= 3 or t.ndim - axes not in (1, 2):
        raise ShapeError(
            f"pad: mode {mode!r} pads one to three axes behind one or two others; got "
            f"lengths {tuple(pad)} for the shape {t.shape}"
        )
    _check_room(t.shape, widths, mode)
    if mode == "circular":  # around what negative lengths leave
        t = _cut(t, widths)
    added = _added(widths)
    y: Tensor = apply(PadAround, t, widths=added, mode=mode)
    if mode == "circular":
        return y
    rest = [(min(a, 0), min(b, 0)) for a, b in widths]
    return _cut(y, rest)


def _check_room(
    shape: tuple[int, ...], widths: list[tuple[int, int]], mode: str
) -> None:
    for axis, (n, (before, behind)) in enumerate(zip(shape, widths, strict=True)):
        left = n + min(before, 0) + min(behind, 0)
        longest = {"reflect": n - 1, "circular": left}.get(mode, math.inf if n else 0)
        too_long = max(before, behind) > longest
        if (before or behind) and (too_long or before + n + behind < 1):
            raise ShapeError(
                f"pad: {before} and {behind} are too much for axis {axis} of shape "
                f"{shape} in mode {mode!r}"
            )
    if 0 in shape[1:]:
        raise ShapeError(f"pad: there is nothing to take in mode {mode!r}: {shape}")


def _around(n: int, before: int, behind: int, mode: str) -> Any:
    """The places from -before to n + behind of an axis of length n, taken inside.

    In NumPy's modes, which know no limit: an axis is repeated as often as it takes.
    """
    places = np.arange(-before, n + behind)
    if mode == "edge":
        return places.clip(0, n - 1)
    if mode == "wrap":
        return places % n
    period = 2 * n if mode == "symmetric" else max(2 * (n - 1), 1)
    places = places % period
    return np.where(places < n, places, period - places - (mode == "symmetric"))


@implements(np.pad)
def _numpys_pad(
    x: TensorLike, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0
) -> Tensor:
    """NumPy's meaning: lengths from the first axis on, and NumPy's modes."""
    t = as_variable(x)
    pairs = np.broadcast_to(np.asarray(pad_width), (t.ndim, 2)).tolist()
    if min((n for pair in pairs for n in pair), default=0) < 0:
        raise ArgumentError(f"pad: lengths are not negative, got {pad_width}")
    if mode == "constant":
        if np.ndim(constant_values):
            raise ArgumentError("pad: one number is wanted as constant_values")
        flat = [n for pair in pairs[::-1] for n in pair]
        return constant_pad_nd(t, flat, constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ArgumentError(f"pad: mode {mode!r} is not there for tensors")
    for axis, (before, behind) in enumerate(pairs):
        places = _around(t.shape[axis], before, behind, mode)
        t = take_places(t, at_axis(places, axis))
    return t
