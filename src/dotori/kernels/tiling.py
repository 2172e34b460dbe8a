"""Windows over one, two or three axes: where they lie, tap by tap.

A window has `size` taps along each axis, `dilation` places apart; windows begin
`stride` places apart, the first one at -`padding`. Taps are numbered in C order, and
those that lie outside of the axes take no part. There are always three axes: the first
ones have length 1 where pictures or lines are meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Three = tuple[int, int, int]
Slices = tuple[slice, slice, slice]


class Tiling(NamedTuple):
    """Windows over axes of the lengths `shape`; there are `out` of them along each."""

    shape: Three
    out: Three
    size: Three
    stride: Three
    padding: Three
    dilation: Three

    def starts(self, axis: int) -> NDArray[np.int64]:
        """Where the windows begin along an axis."""
        return np.arange(self.out[axis]) * self.stride[axis] - self.padding[axis]

    def has_empty(self) -> bool:
        """Whether a window has no tap inside, as dilated ones can."""
        for a in range(3):
            taps = np.arange(self.size[a]) * self.dilation[a]
            at = self.starts(a)[:, None] + taps
            if not ((at >= 0) & (at < self.shape[a])).any(axis=1).all():
                return True
        return False

    def disjoint(self) -> bool:
        """Whether no place belongs to two windows."""
        return self.dilation == (1, 1, 1) and all(
            step >= n or out <= 1
            for step, n, out in zip(self.stride, self.size, self.out, strict=True)
        )


@lru_cache(maxsize=64)
def taps(tiling: Tiling) -> tuple[tuple[int, Slices, Slices], ...]:
    """For each tap: its number, the windows that have it inside, and where it lies.

    Examples
    --------
    >>> line = Tiling((1, 1, 5), (1, 1, 2), (1, 1, 2), (1, 1, 3), (0, 0, 0), (1, 1, 1))
    >>> [(windows[2], places[2]) for _, windows, places in taps(line)]
    [(slice(0, 2, None), slice(0, 4, 3)), (slice(0, 2, None), slice(1, 5, 3))]
    """
    along = [
        [
            _inside(tiling.shape[a], tiling.out[a], tiling.stride[a], offset)
            for offset in _offsets(tiling, a)
        ]
        for a in range(3)
    ]
    return tuple(
        (number, (d[0], h[0], w[0]), (d[1], h[1], w[1]))
        for number, (d, h, w) in enumerate(product(*along))
    )


def _offsets(tiling: Tiling, axis: int) -> list[int]:
    """Where the taps of the first window lie."""
    step, padding = tiling.dilation[axis], tiling.padding[axis]
    return [k * step - padding for k in range(tiling.size[axis])]


def _inside(n: int, out: int, stride: int, offset: int) -> tuple[slice, slice]:
    """The windows o with 0 <= o stride + offset < n, and these places."""
    first = max(0, -(offset // stride))
    last = min(out, (n - 1 - offset) // stride + 1)
    if first >= last:
        return slice(0, 0), slice(0, 0)
    begin, end = first * stride + offset, (last - 1) * stride + offset
    return slice(first, last), slice(begin, end + 1, stride)


@lru_cache(maxsize=16)
def places(tiling: Tiling) -> NDArray[np.int64]:
    """Where tap k of window o lies, as a table of shape (windows, taps).

    Places count through the three axes in C order; -1 lies outside.

    Examples
    --------
    >>> places(Tiling((1, 1, 4), (1, 1, 2), (1, 1, 3), (1, 1, 2), (0, 0, 1), (1, 1, 1)))
    array([[-1,  0,  1],
           [ 1,  2,  3]])
    """
    flat: Any = np.zeros((1,) * 6, np.int64)
    outside: Any = np.zeros((1,) * 6, np.bool_)
    for a in range(3):
        at = tiling.starts(a)[:, None] + np.arange(tiling.size[a]) * tiling.dilation[a]
        at = at.reshape([at.shape[i // 3] if i % 3 == a else 1 for i in range(6)])
        flat = flat * tiling.shape[a] + at
        outside = outside | (at < 0) | (at >= tiling.shape[a])
    table: NDArray[np.int64] = np.where(outside, -1, flat)
    table = table.reshape(int(np.prod(tiling.out)), int(np.prod(tiling.size)))
    table.flags.writeable = False  # all who ask share it
    return table


@lru_cache(maxsize=256)
def tile(
    shape: tuple[int, ...],
    size: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    beyond: bool = False,
) -> Tiling:
    """As many windows as fit into one, two or three axes.

    With `beyond`, a last window may reach beyond the end, if it begins before it.

    Examples
    --------
    >>> tile((5,), (2,), (2,), (0,), (1,)).out
    (1, 1, 2)
    >>> tile((5,), (2,), (2,), (0,), (1,), beyond=True).out
    (1, 1, 3)
    """
    out = []
    for n, k, s, p, d in zip(shape, size, stride, padding, dilation, strict=True):
        free = n + 2 * p - d * (k - 1) - 1
        count = (free + (s - 1 if beyond else 0)) // s + 1
        if beyond and (count - 1) * s >= n + p:
            count -= 1
        out.append(count)
    return Tiling(
        _three(shape, 1),
        _three(out, 1),
        _three(size, 1),
        _three(stride, 1),
        _three(padding, 0),
        _three(dilation, 1),
    )


def _three(given: Sequence[int], fill: int) -> Three:
    """One, two or three numbers, after as many of `fill` as are missing."""
    first, second, third = (*(fill,) * (3 - len(given)), *given)
    return first, second, third
