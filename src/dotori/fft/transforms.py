"""The transforms: of complex numbers, of real ones, and to real ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable
from dotori.errors import ShapeError
from dotori.fft.arguments import as_signal, axes_and_lengths, fitted, scale_of
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.complex import conj
from dotori.ops import fft as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def _transform(
    which: Any, place: str, x: TensorLike, s: Any, dim: Any, norm: Any
) -> Tensor:
    """Complex to complex."""
    t = as_signal(place, x, real=False)
    axes, lengths = axes_and_lengths(place, t, s, dim)
    scale = scale_of(place, norm)
    t = fitted(place, t, axes, lengths)
    result: Tensor = apply(which, t, axes=axes, norm=scale) if axes else t
    return result


def _of_real(place: str, x: TensorLike, s: Any, dim: Any, norm: Any) -> Tensor:
    """Real to half a spectrum."""
    t = as_signal(place, x, real=True)
    axes, lengths = axes_and_lengths(place, t, s, dim)
    _some_axis(place, axes)
    scale = scale_of(place, norm)
    t = fitted(place, t, axes, lengths)
    result: Tensor = apply(op.RealFFT, t, axes=axes, norm=scale, n=t.shape[axes[-1]])
    return result


def _to_real(place: str, x: TensorLike, s: Any, dim: Any, norm: Any) -> Tensor:
    """Half a spectrum to real."""
    t = as_signal(place, x, real=False)
    axes, lengths = axes_and_lengths(place, t, s, dim)
    _some_axis(place, axes)
    scale = scale_of(place, norm)
    n = lengths[-1] if lengths[-1] != -1 else 2 * (t.shape[axes[-1]] - 1)
    if n < 1:
        raise ShapeError(
            f"fft.{place}: a length of at least 1 is wanted, got {n} of shape {t.shape}"
        )
    t = fitted(place, t, axes, [*lengths[:-1], n // 2 + 1])
    result: Tensor = apply(op.RealInverseFFT, t, axes=axes, norm=scale, n=n)
    return result


def _some_axis(place: str, axes: Sequence[int]) -> None:
    if not axes:
        raise ShapeError(f"fft.{place}: at least one axis is wanted")


def _one(n: int | None) -> list[int] | None:
    return None if n is None else [n]


def _opposite(norm: str | None) -> str:
    """Dividing on the other way: Hermitian transforms run in the other direction."""
    names = {"backward": "forward", "forward": "backward", "ortho": "ortho"}
    return names.get(norm or "backward", str(norm))


def fft(
    x: TensorLike, n: int | None = None, dim: int = -1, norm: str | None = None
) -> Tensor:
    """The discrete Fourier transform: X_k = sum_j x_j exp(-2 pi i jk / n).

    Examples
    --------
    >>> fft([1.0, 0.0, 0.0]).tolist()
    [(1+0j), (1+0j), (1+0j)]
    """
    return _transform(op.FFT, "fft", x, _one(n), dim, norm)


def ifft(
    x: TensorLike, n: int | None = None, dim: int = -1, norm: str | None = None
) -> Tensor:
    """The inverse of `fft`.

    Examples
    --------
    >>> ifft([1.0, 1.0]).tolist()
    [(1+0j), 0j]
    """
    return _transform(op.InverseFFT, "ifft", x, _one(n), dim, norm)


def rfft(
    x: TensorLike, n: int | None = None, dim: int = -1, norm: str | None = None
) -> Tensor:
    """`fft` of real numbers: the first n/2 + 1, which the others mirror.

    Examples
    --------
    >>> rfft([1.0, 0.0, 0.0, 0.0]).shape
    (3,)
    """
    return _of_real("rfft", x, _one(n), dim, norm)


def irfft(
    x: TensorLike, n: int | None = None, dim: int = -1, norm: str | None = None
) -> Tensor:
    """The inverse of `rfft`: real numbers, 2 (m - 1) of m unless `n` is given.

    Examples
    --------
    >>> irfft([1.0, 1.0, 1.0]).tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    return _to_real("irfft", x, _one(n), dim, norm)


# ------------------------------------------------------------ along two axes


def fft2(
    x: TensorLike, s: Any = None, dim: Any = (-2, -1), norm: str | None = None
) -> Tensor:
    """`fft` along two axes.

    Examples
    --------
    >>> fft2(np.zeros((4, 4))).shape
    (4, 4)
    """
    return _transform(op.FFT, "fft2", x, s, dim, norm)


def ifft2(
    x: TensorLike, s: Any = None, dim: Any = (-2, -1), norm: str | None = None
) -> Tensor:
    """`ifft` along two axes.

    Examples
    --------
    >>> ifft2(np.zeros((4, 4))).shape
    (4, 4)
    """
    return _transform(op.InverseFFT, "ifft2", x, s, dim, norm)


def rfft2(
    x: TensorLike, s: Any = None, dim: Any = (-2, -1), norm: str | None = None
) -> Tensor:
    """`rfft` along the last and `fft` along the others of two axes.

    Examples
    --------
    >>> rfft2(np.zeros((4, 4))).shape
    (4, 3)
    """
    return _of_real("rfft2", x, s, dim, norm)


def irfft2(
    x: TensorLike, s: Any = None, dim: Any = (-2, -1), norm: str | None = None
) -> Tensor:
    """The inverse of `rfft2`.

    Examples
    --------
    >>> irfft2(np.zeros((4, 4))).shape
    (4, 6)
    """
    return _to_real("irfft2", x, s, dim, norm)


# ------------------------------------------------------------ along several axes


def fftn(
    x: TensorLike, s: Any = None, dim: Any = None, norm: str | None = None
) -> Tensor:
    """`fft` along several axes, all by default.

    Examples
    --------
    >>> fftn(np.zeros((4, 4))).shape
    (4, 4)
    """
    return _transform(op.FFT, "fftn", x, s, dim, norm)


def ifftn(
    x: TensorLike, s: Any = None, dim: Any = None, norm: str | None = None
) -> Tensor:
    """`ifft` along several axes, all by default.

    Examples
    --------
    >>> ifftn(np.zeros((4, 4))).shape
    (4, 4)
    """
    return _transform(op.InverseFFT, "ifftn", x, s, dim, norm)


def rfftn(
    x: TensorLike, s: Any = None, dim: Any = None, norm: str | None = None
) -> Tensor:
    """`rfft` along the last and `fft` along the others of several axes, all by default.

    Examples
    --------
    >>> rfftn(np.zeros((4, 4))).shape
    (4, 3)
    """
    return _of_real("rfftn", x, s, dim, norm)


def irfftn(
    x: TensorLike, s: Any = None, dim: Any = None, norm: str | None = None
) -> Tensor:
    """The inverse of `rfftn`.

    Examples
    --------
    >>> irfftn(np.zeros((4, 4))).shape
    (4, 6)
    """
    return _to_real("irfftn", x, s, dim, norm)


# ------------------------------------------------------------ Hermitian spectra


def hfft(
    x: TensorLike, n: int | None = None, dim: int = -1, norm: str | None = None
) -> Tensor:
    """The real transform of half a signal whose other half mirrors it, conjugated.

    Examples
    --------
    >>> hfft([1.0, 0.0, 0.0]).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    return hfftn(x, _one(n), (dim,), norm)


def ihfft(
    x: TensorLike, n: int | None = None, dim: int = -1, norm: str | None = None
) -> Tensor:
    """The inverse of `hfft`.

    Examples
    --------
    >>> ihfft([1.0, 1.0, 1.0, 1.0]).tolist()
    [(1-0j), -0j, -0j]
    """
    return ihfftn(x, _one(n), (dim,), norm)


def hfft2(
    x: TensorLike, s: Any = None, dim: Any = (-2, -1), norm: str | None = None
) -> Tensor:
    """`hfft` along the last and `fft` along the other of two axes.

    Examples
    --------
    >>> hfft2(np.zeros((4, 4))).shape
    (4, 6)
    """
    return hfftn(x, s, dim, norm)


def ihfft2(
    x: TensorLike, s: Any = None, dim: Any = (-2, -1), norm: str | None = None
) -> Tensor:
    """The inverse of `hfft2`.

    Examples
    --------
    >>> ihfft2(np.zeros((4, 4))).shape
    (4, 3)
    """
    return ihfftn(x, s, dim, norm)


def hfftn(
    x: TensorLike, s: Any = None, dim: Any = None, norm: str | None = None
) -> Tensor:
    """`hfft` along the last and `fft` along the others of several axes.

    Examples
    --------
    >>> hfftn(np.zeros((2, 4, 4))).shape
    (2, 4, 6)
    """
    # A transform is the inverse one of the conjugate, conjugated; and this is real.
    return _to_real("hfftn", conj(as_variable(x)), s, dim, _opposite(norm))


def ihfftn(
    x: TensorLike, s: Any = None, dim: Any = None, norm: str | None = None
) -> Tensor:
    """The inverse of `hfftn`.

    Examples
    --------
    >>> ihfftn(np.zeros((2, 4, 4))).shape
    (2, 4, 3)
    """
    return conj(_of_real("ihfftn", x, s, dim, _opposite(norm)))


# ------------------------------------------------------------ under NumPy's names


def _numpys(ours: Callable[..., Tensor], several: bool) -> Callable[..., Tensor]:
    """The same with NumPy's name for `dim`: `axis`, or `axes`."""
    if several:

        def along_axes(
            a: TensorLike, s: Any = None, axes: Any = None, norm: str | None = None
        ) -> Tensor:
            return ours(a, s, norm=norm) if axes is None else ours(a, s, axes, norm)

        return along_axes

    def along_axis(
        a: TensorLike, n: int | None = None, axis: int = -1, norm: str | None = None
    ) -> Tensor:
        return ours(a, n, axis, norm)

    return along_axis


for _one_axis in (fft, ifft, rfft, irfft, hfft, ihfft):
    implements(getattr(np.fft, _one_axis.__name__))(_numpys(_one_axis, False))
for _axes in (fft2, ifft2, rfft2, irfft2, fftn, ifftn, rfftn, irfftn):
    implements(getattr(np.fft, _axes.__name__))(_numpys(_axes, True))
