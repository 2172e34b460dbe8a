"""Discrete Fourier transforms along axes, and their gradients.

X_k = sum_j x_j exp(-2 pi i jk / n) is a product with a symmetric matrix F, so the
gradient of the input is conj(F) times that of the output: a transform in the other
direction (Cooley and Tukey, 1965, for the fast way, which is NumPy's). `norm` is
NumPy's: which direction divides by n.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample, follow

#: The same scale for the transform in the other direction.
_OPPOSITE = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


def _numbers(rng: Any, *shape: int) -> Any:
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def _torch(name: str) -> Any:
    def call(x: Any, *, axes: Any, norm: str, **attrs: Any) -> Any:
        import torch

        return getattr(torch.fft, name)(x, dim=axes, norm=norm)

    return call


class FFT(Op):
    """Complex numbers to complex numbers along some axes; dx = conj(F) dy."""

    torch = _torch("fftn")
    holomorphic = False

    @staticmethod
    def forward(xp: Any, x: Any, *, axes: tuple[int, ...], norm: str) -> Any:
        return xp.fft.fftn(x, axes=axes, norm=norm)

    @staticmethod
    def backward(xp: Any, dy: Any, *, axes: tuple[int, ...], norm: str) -> Any:
        return follow(InverseFFT, xp, dy, axes=axes, norm=_OPPOSITE[norm])

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for norm in _OPPOSITE:
            yield Sample((rng.standard_normal((2, 5)),), {"axes": (1,), "norm": norm})
        yield Sample((_numbers(rng, 3, 4),), {"axes": (0, 1), "norm": "ortho"})


class InverseFFT(Op):
    """The way back: exp(+2 pi i jk / n), divided by n by default; dx = F dy."""

    torch = _torch("ifftn")
    holomorphic = False

    @staticmethod
    def forward(xp: Any, x: Any, *, axes: tuple[int, ...], norm: str) -> Any:
        return xp.fft.ifftn(x, axes=axes, norm=norm)

    @staticmethod
    def backward(xp: Any, dy: Any, *, axes: tuple[int, ...], norm: str) -> Any:
        return follow(FFT, xp, dy, axes=axes, norm=_OPPOSITE[norm])

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for norm in _OPPOSITE:
            yield Sample((rng.standard_normal((2, 5)),), {"axes": (1,), "norm": norm})
        yield Sample((_numbers(rng, 3, 4),), {"axes": (0, 1), "norm": "ortho"})


class RealFFT(Op):
    """Of real numbers, the first n/2 + 1 of the last axis: the others mirror them.

    dx = real part of conj(F) dy, where `dy` is 0 at what was left out. A real inverse
    transform gives it, since it counts those twice that have a mirror image: they are
    halved first.
    """

    torch = _torch("rfftn")
    holomorphic = False

    @staticmethod
    def forward(xp: Any, x: Any, *, axes: tuple[int, ...], norm: str, n: int) -> Any:
        return xp.fft.rfftn(x, axes=axes, norm=norm)

    @staticmethod
    def backward(xp: Any, dy: Any, *, axes: tuple[int, ...], norm: str, n: int) -> Any:
        once = dy * _along(axes[-1], dy, 1 / _counts(n, dy))
        attrs = {"axes": axes, "norm": _OPPOSITE[norm], "n": n}
        return follow(RealInverseFFT, xp, once, **attrs)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for n in (4, 5):
            one = {"axes": (-1,), "norm": "backward", "n": n}
            yield Sample((rng.standard_normal((2, n)),), one)
            two = {"axes": (0, 1), "norm": "ortho", "n": n}
            yield Sample((rng.standard_normal((3, n)),), two)


class RealInverseFFT(Op):
    """Real numbers, n along the last axis, of half a spectrum: RealFFT's way back.

    dx = F dy, counted twice where the input stood for its mirror image as well.
    """

    torch = staticmethod(
        lambda x, *, axes, norm, n: _torch("irfftn")(x, axes=axes, norm=norm)
    )
    holomorphic = False

    @staticmethod
    def forward(xp: Any, x: Any, *, axes: tuple[int, ...], norm: str, n: int) -> Any:
        sizes = [*(x.shape[a] for a in axes[:-1]), n]
        return xp.fft.irfftn(x, sizes, axes=axes, norm=norm)

    @staticmethod
    def backward(xp: Any, dy: Any, *, axes: tuple[int, ...], norm: str, n: int) -> Any:
        spectrum = follow(RealFFT, xp, dy, axes=axes, norm=_OPPOSITE[norm], n=n)
        return spectrum * _along(axes[-1], spectrum, _counts(n, spectrum))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        attrs = {"axes": (0, 1), "norm": "ortho", "n": 6}
        yield Sample((_numbers(rng, 3, 4),), attrs)


def _counts(n: int, like: Any) -> Any:
    """How often each of the n/2 + 1 numbers occurs in the whole spectrum of n."""
    counts = np.full(n // 2 + 1, 2, np.float32 if like.dtype.itemsize == 8 else float)
    counts[0] = 1
    if n % 2 == 0:
        counts[-1] = 1
    return counts


def _along(axis: int, like: Any, numbers: Any) -> Any:
    """A vector as an array that broadcasts along one axis of another."""
    return numbers.reshape((-1, *(1,) * (like.ndim - 1 - axis % like.ndim)))
