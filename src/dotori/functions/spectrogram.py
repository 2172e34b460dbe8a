"""The short-time Fourier transform: the spectrum of a signal, stretch by stretch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable, wrap
from dotori.dtypes import real_type
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.fft import fft, ifft, irfft, rfft
from dotori.functions._numpy import TensorLike
from dotori.functions.complex import real, view_as_real
from dotori.functions.join import cat
from dotori.functions.shape import getitem, reshape, transpose
from dotori.ops.indexing import PutInto

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["istft", "stft"]

#: PyTorch's names of paddings, and NumPy's.
_PADDINGS = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def stft(
    x: TensorLike,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: TensorLike | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """Windows of a signal, each transformed.

    Parameters
    ----------
    x : Tensor
        Signals along the last axis, one or a batch.
    n_fft : int
        The length of a transform.
    hop_length : int, optional
        From the start of one window to that of the next: n_fft // 4.
    win_length : int, optional
        The length of the window, which is padded to `n_fft`: n_fft.
    window : Tensor, optional
        Ones by default.
    center : bool
        Pad the signal, so that window t is centered at ``t * hop_length``.
    pad_mode : {"reflect", "constant", "replicate", "circular"}
    normalized : bool
        Divide by the root of `n_fft`.
    onesided : bool, optional
        Only the frequencies up to the half: by default for real signals.
    return_complex : bool
        If False, real and imaginary parts along a last axis. Must be given for real
        signals.

    Returns
    -------
    Tensor
        (batch, frequencies, windows).

    Examples
    --------
    >>> stft(np.zeros(16), 8, return_complex=True).shape
    (5, 9)
    """
    t = as_variable(x)
    if t.ndim not in (1, 2) or t.dtype.kind not in "fc":
        raise ShapeError(
            "stft: floats of shape (time,) or (batch, time) are wanted, got shape "
            f"{t.shape} of {t.dtype}"
        )
    hop, weights = _checked_window("stft", t, n_fft, hop_length, win_length, window)
    real_valued = t.dtype.kind != "c" and weights.dtype.kind != "c"
    if return_complex is None:
        if real_valued:
            raise ArgumentError("stft: return_complex must be given for real signals")
        return_complex = True
    if center and align_to_window is not None:
        raise ArgumentError("stft: align_to_window is for center=False")
    if onesided and not real_valued:
        raise ArgumentError("stft: complex signals have no onesided transform")
    frames = _frames(t, n_fft, hop, center, pad_mode) * weights
    norm = "ortho" if normalized else None
    half = real_valued if onesided is None else onesided
    y = transpose((rfft if half else fft)(frames, norm=norm), -1, -2)
    return y if return_complex else view_as_real(y)


def _checked_window(
    place: str,
    t: Tensor,
    n_fft: int,
    hop_length: int | None,
    win_length: int | None,
    window: TensorLike | None,
) -> tuple[int, Tensor]:
    """The hop, and the window padded to `n_fft`."""
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    if n_fft < 1 or hop < 1 or not 0 < length <= n_fft:
        raise ArgumentError(
            f"{place}: 0 < win_length <= n_fft and 0 < hop_length are wanted, got "
            f"n_fft={n_fft}, hop_length={hop}, win_length={length}"
        )
    if window is None:
        w = wrap(np.ones(length, real_type(t.dtype)))
    else:
        w = as_variable(window)
    if w.shape != (length,):
        raise ShapeError(
            f"{place}: a window of shape ({length},) is wanted, got {w.shape}"
        )
    left = (n_fft - length) // 2
    if length == n_fft:
        return hop, w
    before, after = (wrap(np.zeros(n, w.dtype)) for n in (left, n_fft - length - left))
    return hop, cat([before, w, after])


def _starts(count: int, hop: int, n_fft: int) -> Any:
    """The places of each window's elements: (count, n_fft)."""
    return hop * np.arange(count)[:, None] + np.arange(n_fft)


def _frames(t: Tensor, n_fft: int, hop: int, center: bool, pad_mode: str) -> Tensor:
    """The stretches of the signal: (batch, windows, n_fft)."""
    n, margin = t.shape[-1], n_fft // 2
    places = np.arange(n)
    if center and pad_mode == "constant":
        zeros = wrap(np.zeros((*t.shape[:-1], margin), t.dtype))
        t = cat([zeros, t, zeros], -1)
        places = np.arange(n + 2 * margin)
    elif center:
        if pad_mode not in _PADDINGS:
            raise ArgumentError(
                f"stft: pad_mode must be 'constant' or in {list(_PADDINGS)}, got "
                f"{pad_mode!r}"
            )
        if margin >= n:
            raise ShapeError(
                f"stft: a signal of length {n} is too short to be padded by {margin}"
            )
        places = np.pad(places, margin, mode=_PADDINGS[pad_mode])  # type: ignore[call-overload]
    if len(places) < n_fft:
        raise ShapeError(
            f"stft: n_fft must be at most the length {len(places)}, got {n_fft}"
        )
    count = 1 + (len(places) - n_fft) // hop
    return getitem(t, (..., places[_starts(count, hop, n_fft)]))


def istft(
    x: TensorLike,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: TensorLike | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """The signal that comes closest to these spectra: the inverse of `stft`.

    Griffin and Lim, "Signal estimation from modified short-time Fourier transform",
    1984, equation 6: windows are weighted once more, added where they overlap, and
    divided by the sum of the squared weights.

    Parameters
    ----------
    length : int, optional
        Of the result, which is cut or filled with zeros.
    return_complex : bool
        For spectra of complex signals, which are not onesided.

    Examples
    --------
    >>> x = np.sin(np.arange(16.0))
    >>> y = istft(stft(x, 8, return_complex=True), 8)
    >>> np.allclose(y.numpy(), x)
    True
    """
    t = as_variable(x)
    if t.dtype.kind != "c" or t.ndim not in (2, 3) or not t.numel():
        raise DTypeError(
            "istft: complex numbers of shape (frequencies, windows) or (batch, "
            f"frequencies, windows) are wanted, got shape {t.shape} of {t.dtype}"
        )
    hop, weights = _checked_window("istft", t, n_fft, hop_length, win_length, window)
    half = t.shape[-2] != n_fft if onesided is None else onesided
    if t.shape[-2] != (n_fft // 2 + 1 if half else n_fft):
        raise ShapeError(
            f"istft: {n_fft // 2 + 1 if half else n_fft} frequencies belong to "
            f"n_fft={n_fft}, got shape {t.shape}"
        )
    if return_complex and half:
        raise ArgumentError("istft: onesided spectra are of real signals")
    norm = "ortho" if normalized else None
    spectra = transpose(t, -1, -2)
    frames = irfft(spectra, n_fft, norm=norm) if half else ifft(spectra, norm=norm)
    frames = frames if return_complex or half else real(frames)
    return _overlapped(frames * weights, weights, hop, center, length)


def _overlapped(
    frames: Tensor, weights: Tensor, hop: int, center: bool, length: int | None
) -> Tensor:
    """The frames added where they overlap, over the sum of the squared weights."""
    count, n_fft = frames.shape[-2:]
    total, margin = n_fft + hop * (count - 1), n_fft // 2 if center else 0
    index = (..., _starts(count, hop, n_fft))
    lead = frames.shape[:-2]
    y: Tensor = apply(PutInto, frames, index=index, shape=(*lead, total))
    squares = reshape(weights * weights, (1, -1)).broadcast_to((count, n_fft))
    envelope: Tensor = apply(PutInto, squares, index=index, shape=(total,))
    end = total - margin if length is None else min(margin + length, total)
    y, envelope = y[..., margin:end], envelope[margin:end]
    if not (np.abs(envelope.array) > 1e-11).all():
        raise ArgumentError(
            "istft: the windows leave parts of the signal without weight; a window "
            "without zeros, or more overlap, is needed"
        )
    y = y / envelope
    missing = 0 if length is None else length - y.shape[-1]
    if missing <= 0:
        return y
    return cat([y, wrap(np.zeros((*lead, missing), y.dtype))], -1)
