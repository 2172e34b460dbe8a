"""`Window`: how a kernel steps over the places of a picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

#: Bytes that a block may take: it and what is made of it fit the cache of a core.
BUDGET = 1 << 19


class Window(NamedTuple):
    """A kernel's size and steps along each spatial axis.

    Output place i along an axis sees the input places
    ``i * stride - padding[0] + k * dilation`` for k = 0 ... kernel - 1; those outside
    of the picture count as zero.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]  # before and behind; negative: cut off
    dilation: tuple[int, ...]

    def reach(self) -> tuple[int, ...]:
        """How many places the dilated kernel spans."""
        return tuple(
            d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True)
        )

    def positions(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """How many places the output has, for an input of this size."""
        rows = zip(size, self.padding, self.reach(), self.stride, strict=True)
        return tuple(
            (n + before + behind - r) // s + 1 for n, (before, behind), r, s in rows
        )

    def around(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """The size of a picture of `size` with its zeros, before anything is cut."""
        rows = zip(size, self.padding, strict=True)
        return tuple(n + max(a, 0) + max(b, 0) for n, (a, b) in rows)

    def mirrored(self) -> Window:
        """The window that takes an output's gradient back, if the stride is one."""
        rows = zip(self.reach(), self.padding, strict=True)
        return self._replace(
            padding=tuple((r - 1 - a, r - 1 - b) for r, (a, b) in rows)
        )


def padded(xp: Any, x: Any, window: Window) -> Any:
    """`x` (N, *spatial, C) with the zeros around it that the window wants."""
    if not any(n for pair in window.padding for n in pair):
        return x
    cut = tuple(
        slice(max(-before, 0), n - max(-behind, 0))
        for n, (before, behind) in zip(x.shape[1:-1], window.padding, strict=True)
    )
    x = x[(slice(None), *cut)]
    size = x.shape[1:-1]
    result = xp.zeros((x.shape[0], *window.around(size), x.shape[-1]), x.dtype)
    result[_inside(window, size)] = x
    return result


def unpadded(xp: Any, x: Any, window: Window, size: tuple[int, ...]) -> Any:
    """The inside, of `size`, of a padded `x`: contiguous."""
    return xp.ascontiguousarray(x[_inside(window, size)])


def _inside(window: Window, size: tuple[int, ...]) -> tuple[slice, ...]:
    """Where a picture of `size` lies among its zeros."""
    starts = [max(before, 0) for before, _ in window.padding]
    rows = zip(starts, size, strict=True)
    return (slice(None), *(slice(start, start + n) for start, n in rows))


def windows(xp: Any, x: Any, window: Window) -> Any:
    """What each output place sees of a padded `x`: a view (N, *out, *kernel, C)."""
    none = ((0, 0),) * len(window.kernel)
    out = window._replace(padding=none).positions(x.shape[1:-1])
    first, *steps, last = x.strides
    strides = (
        first,
        *(n * s for n, s in zip(steps, window.stride, strict=True)),
        *(n * d for n, d in zip(steps, window.dilation, strict=True)),
        last,
    )
    shape = (x.shape[0], *out, *window.kernel, x.shape[-1])
    return xp.lib.stride_tricks.as_strided(x, shape, strides)


def shifts(window: Window, out: tuple[int, ...]) -> Iterator[tuple[Any, Any]]:
    """For each place of the kernel: its index, and the slices of a padded input that
    meet it, one for each output place.
    """
    for index in np.ndindex(*window.kernel):
        rows = zip(index, window.dilation, window.stride, out, strict=True)
        yield (
            index,
            tuple(slice(k * d, k * d + s * (n - 1) + 1, s) for k, d, s, n in rows),
        )


def blocks(n: int, rows: int, cost: int) -> list[tuple[slice, list[slice]]]:
    """Pictures, and rows of their output, in blocks whose copies stay in the cache.

    `cost` is the number of bytes that one row of one picture takes. Whole pictures go
    together where several fit, else one is cut into rows. The blocks do not depend on
    the number of threads, so neither do the results.
    """
    whole = max(rows * cost, 1)
    if whole <= BUDGET or rows == 0:
        step = max(1, BUDGET // whole)
        every = [slice(0, rows)]
        return [(slice(i, min(i + step, n)), every) for i in range(0, n, step)]
    height = max(1, BUDGET // cost)
    parts = [slice(j, min(j + height, rows)) for j in range(0, rows, height)]
    return [(slice(i, i + 1), parts) for i in range(n)]
