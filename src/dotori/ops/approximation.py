"""How special functions are computed: in float64, in blocks, piece by piece.

The files beside this one hold formulas for float64 arrays of one axis. `in_float64`
takes them to arrays of any shape and type, a block at a time, so that what a formula
needs for its steps stays in the cache; results in float32 are rounded once and thereby
right to half a unit in the last place or barely more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

BLOCK = 8192  # numbers: eight arrays of 64 KiB are at hand at a time
INFINITY = math.inf


def in_float64(xp: Any, formula: Callable[..., Any], *xs: Any) -> Any:
    """`formula(xp, *blocks)` in float64 over arrays (or numbers) that broadcast.

    The result has the type of the arrays among `xs`, which is one.
    """
    return in_blocks(xp, formula, "float64", *xs)


def in_blocks(xp: Any, formula: Callable[..., Any], inside: Any, *xs: Any) -> Any:
    """The same in the type `inside`; a formula may write into the blocks."""
    types = (x.dtype for x in xs if hasattr(x, "dtype"))
    dtype = next(types, xp.dtype("float64")).newbyteorder("=")
    arrays: Any = xp.broadcast_arrays(*xs) if len(xs) > 1 else xs
    flat = [a.reshape(-1) for a in arrays]
    y = xp.empty(flat[0].shape, dtype)
    for start in range(0, y.size, BLOCK):
        here = slice(start, start + BLOCK)
        y[here] = formula(xp, *(a[here].astype(inside) for a in flat))
    return y.reshape(arrays[0].shape)


def piecewise(xp: Any, x: Any, *parts: tuple[float, Callable[[Any], Any]]) -> Any:
    """f(x) by intervals: each of `parts` is (end, f), from the last end up to its own.

    The end itself belongs to the next part; NaN stays NaN.
    """
    cases, low = [], -INFINITY
    for high, f in parts:
        inside = x < high if high < INFINITY else x >= low
        cases.append(((x >= low) & inside, f))
        low = high
    return by_case(xp, *cases, xs=(x,))


def by_case(
    xp: Any,
    *cases: tuple[Any, Callable[..., Any]],
    xs: Sequence[Any],
    other: Any = None,
) -> Any:
    """f(*xs) where its mask holds; the masks exclude each other.

    Elsewhere `other`, an array or a number; NaN if it is None.
    """
    y = None
    for mask, f in cases:
        places = xp.flatnonzero(mask)  # three times as fast as the mask itself
        if places.size == mask.size:
            return f(*xs)
        if places.size:
            if y is None:
                y = _start(xp, xs[0], other)
            y[places] = f(*(x[places] for x in xs))
    return _start(xp, xs[0], other) if y is None else y


def _start(xp: Any, like: Any, other: Any) -> Any:
    y = xp.empty_like(like)
    y[...] = xp.nan if other is None else other
    return y


def horner(t: Any, coefficients: Sequence[float]) -> Any:
    """c_0 + c_1 t + c_2 t^2 + ..."""
    y = t * coefficients[-1]
    for c in coefficients[-2:0:-1]:
        y += c
        y *= t
    y += coefficients[0]
    return y


def in_powers(series: Sequence[float]) -> tuple[float, ...]:
    """The coefficients for `horner` of c_0 + c_1 T_1(t) + ...

    Horner's rule takes two steps a term where Clenshaw's takes three; it is as good
    where the coefficients fall by a factor of three or more from term to term.
    """
    parts: list[list[float]] = [[] for _ in series]
    before, now = [0, 1], [1]  # T_{-1} = T_1, and T_0, in powers of t
    for c in series:
        for i, a in enumerate(now):
            parts[i].append(c * a)
        after = [0, *(2 * a for a in now)]
        for i, a in enumerate(before):
            after[i] -= a
        before, now = now, after
    return tuple(map(math.fsum, parts))


def clenshaw(t: Any, coefficients: Sequence[float]) -> Any:
    """c_0 + c_1 T_1(t) + c_2 T_2(t) + ..., with Chebyshev's polynomials T.

    C. W. Clenshaw, "A note on the summation of Chebyshev series", 1955.
    """
    twice = t + t
    b = after = t * 0
    for c in coefficients[:0:-1]:
        following = twice * b
        following -= after
        following += c
        b, after = following, b
    y = t * b
    y -= after
    y += coefficients[0]
    return y
