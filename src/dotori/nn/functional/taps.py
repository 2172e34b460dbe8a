"""Where the outputs of a resampling lie among its inputs, and how they are weighed.

An axis of n pixels covers [0, n]; pixel j is the square from j to j + 1 with its centre
at j + 1/2. An output i of m has its centre at ``(i + 1/2) s`` with ``s = n / m``, which
among the centres of the inputs is the place ``(i + 1/2) s - 1/2``. With `align_corners`
the centres of the first and the last pixels are laid on each other instead:
``i (n - 1) / (m - 1)``.

Each function gives the `Taps` of one axis; they are kept, as a network asks for the
same ones in each step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from dotori.ops.resampling import Taps

kept = lru_cache(maxsize=256)


def step(n: int, m: int, align_corners: bool, scale: float | None) -> float:
    """How far the outputs lie apart, in pixels of the input.

    By the `scale` that was asked for, if one was; m = floor(n scale) rounds it.
    """
    if align_corners:
        return (n - 1) / (m - 1) if m > 1 else 0.0
    return 1 / scale if scale else n / m


@kept
def nearest(n: int, m: int, scale: float | None, exact: bool) -> Taps:
    """The pixel that the place of the output falls into.

    That of its centre if `exact`, otherwise of its left edge. In single precision, as
    in PyTorch, whatever the data: the choice hangs on the last bit.
    """
    s = np.float32(1 / scale) if scale else np.float32(n) / np.float32(m)
    i = np.arange(m, dtype=np.float32) + np.float32(0.5 if exact else 0)
    places = np.minimum(np.floor(i * s).astype(np.int64), n - 1)
    return Taps(m, n, np.arange(m), places, np.ones(m))


@kept
def linear(n: int, m: int, scale: float | None, align_corners: bool) -> Taps:
    """The two pixels on either side, by closeness.

    An axis that keeps its size stays as it is, whatever the `scale`.
    """
    s = step(n, m, align_corners, scale if n != m else None)
    i = np.arange(m)
    place = np.clip(s * i if align_corners else s * (i + 0.5) - 0.5, 0.0, n - 1.0)
    left = place.astype(np.int64)
    t = place - left
    columns = np.stack((left, np.minimum(left + 1, n - 1)))
    return _taps(m, n, columns, np.stack((1 - t, t)))


@kept
def cubic(n: int, m: int, scale: float | None, align_corners: bool) -> Taps:
    """The four pixels around, by Keys' cubic kernel; those at the ends are repeated."""
    s = step(n, m, align_corners, scale)
    i = np.arange(m)
    place = s * i if align_corners else s * (i + 0.5) - 0.5
    left = np.floor(place)
    offsets = np.arange(-1, 3)[:, np.newaxis]
    columns = np.clip(left.astype(np.int64) + offsets, 0, n - 1)
    return _taps(m, n, columns, keys(place - left - offsets, -0.75))


@kept
def area(n: int, m: int) -> Taps:
    """The mean of all pixels that the output touches, each counted in full."""
    i = np.arange(m)
    first, end = i * n // m, -(-(i + 1) * n // m)
    j = np.arange(n)[:, np.newaxis]
    inside = (j >= first) & (j < end)
    return _taps(m, n, np.broadcast_to(j, inside.shape), inside / (end - first))


@kept
def smooth(n: int, m: int, scale: float | None, align: bool, mode: str) -> Taps:
    """The pixels under a kernel as wide as the output: against false patterns.

    A picture that is made smaller by taking a few pixels has frequencies folded back
    into it which its grid cannot show. A kernel that is stretched by s takes them away
    (Turkowski, Filters for common resampling tasks, 1990).
    """
    kernel, reach = _KERNELS[mode]
    s = step(n, m, align, scale)
    stretch = max(s, 1.0)
    centre = s * (np.arange(m) + 0.5)
    j = np.arange(n)[:, np.newaxis]
    low = np.maximum((centre - reach * stretch + 0.5).astype(np.int64), 0)
    high = np.minimum((centre + reach * stretch + 0.5).astype(np.int64), n)
    w = np.where((j >= low) & (j < high), kernel((j - centre + 0.5) / stretch), 0.0)
    return _taps(m, n, np.broadcast_to(j, w.shape), w / w.sum(axis=0))


def keys(t: Any, a: float) -> Any:
    """Keys' cubic kernel (1981, eq. 15), 1 at 0 and 0 at the other whole numbers.

    Array or tensor in, the same out; |t| <= 2 is the caller's business.
    """
    t = abs(t)
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.where(t <= 1, near, far)


def _taps(m: int, n: int, columns: Any, weights: Any) -> Taps:
    """From arrays (taps, m)."""
    rows = np.broadcast_to(np.arange(m), columns.shape)
    return Taps(m, n, rows.ravel(), columns.ravel(), weights.ravel())


def _triangle(t: Any) -> Any:
    return np.maximum(1 - abs(t), 0.0)


def _keys_half(t: Any) -> Any:
    return np.where(abs(t) < 2, keys(np.clip(t, -2, 2), -0.5), 0.0)


def _lanczos(t: Any) -> Any:
    """sinc(t) sinc(t/3) within three pixels (Duchon, 1979)."""
    return np.where(abs(t) < 3, np.sinc(t) * np.sinc(t / 3), 0.0)


_KERNELS: dict[str, tuple[Callable[[Any], Any], float]] = {
    "bilinear": (_triangle, 1.0),
    "bicubic": (_keys_half, 2.0),
    "lanczos": (_lanczos, 3.0),
}
