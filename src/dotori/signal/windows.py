"""Windows: weights that fade a stretch of a signal in and out, before a transform.

Formulas: Harris, "On the use of windows for harmonic analysis with the discrete Fourier
transform", 1978. With `sym` a window of M numbers is symmetric; without, it is the
first M of the symmetric one with M + 1, so that its repetition has no seam.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import leaf, wrap
from dotori.backend import to_device
from dotori.dtypes import float32, float64, get_default_dtype
from dotori.errors import ArgumentError, DTypeError

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]


def _places(name: str, M: int) -> Any:
    """0, ..., M - 1 in double precision.

    Raises
    ------
    ArgumentError
        If M is negative.
    """
    if M < 0:
        raise ArgumentError(f"{name} window: M must not be negative, got {M}")
    return np.arange(M, dtype=np.float64)


def _span(M: int, sym: bool) -> int:
    """The distance from the first number to where the window ends."""
    return max(M - 1, 1) if sym else max(M, 1)


def _finished(
    values: Any,
    dtype: DTypeLike | None,
    device: Any,
    requires_grad: bool,
    layout: Any = None,
) -> Tensor:
    chosen = get_default_dtype() if dtype is None else np.dtype(dtype)
    if chosen not in (float32, float64):
        raise DTypeError(f"a window holds float32 or float64, got dtype {chosen}")
    if len(values) == 1:
        values = np.ones(1)
    made = to_device(values.astype(chosen), "cpu" if device is None else device)
    return wrap(made, leaf(made) if requires_grad else None)


def general_cosine(
    M: int,
    *,
    a: Sequence[float],
    sym: bool = True,
    dtype: DTypeLike | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """a_0 - a_1 cos(t) + a_2 cos(2t) - ..., t from 0 to 2 pi.

    Examples
    --------
    >>> general_cosine(3, a=[0.5, 0.5]).tolist()
    [0.0, 1.0, 0.0]
    """
    coefficients = list(a)
    if not coefficients:
        raise ArgumentError("general_cosine window: at least one coefficient is wanted")
    t = _places("general_cosine", M) * (2 * np.pi / _span(M, sym))
    terms = [(-1) ** i * c * np.cos(i * t) for i, c in enumerate(coefficients)]
    return _finished(np.sum(terms, axis=0), dtype, device, requires_grad)


def general_hamming(
    M: int,
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: DTypeLike | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """alpha - (1 - alpha) cos(t), t from 0 to 2 pi.

    Examples
    --------
    >>> general_hamming(3, alpha=0.5).tolist()
    [0.0, 1.0, 0.0]
    """
    t = _places("general_hamming", M) * (2 * np.pi / _span(M, sym))
    return _finished(alpha - (1 - alpha) * np.cos(t), dtype, device, requires_grad)


def hamming(
    M: int,
    *,
    sym: bool = True,
    dtype: DTypeLike | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`general_hamming` with alpha = 0.54.

    Examples
    --------
    >>> hamming(3).numpy().round(2).tolist()
    [0.07999999821186066, 1.0, 0.07999999821186066]
    """
    t = _places("hamming", M) * (2 * np.pi / _span(M, sym))
    return _finished(0.54 - 0.46 * np.cos(t), dtype, device, requires_grad)


def hann(
    M: int,
    *,
    sym: bool = True,
    dtype: DTypeLike | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`general_hamming` with alpha = 0.5.

    Examples
    --------
    >>> hann(3).tolist()
    [0.0, 1.0, 0.0]
    """
    t = _places("hann", M) * (2 * np.pi / _span(M, sym))
    return _finished(0.5 - 0.5 * np.cos(t), dtype, device, requires_grad)


def blackman(
    M: int,
    *,
    sym: bool = True,
    dtype: DTypeLike | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`general_cosine` with Blackman's three coefficients.

    Examples
    --------
    >>> blackman(5).shape
    (5,)
    """
    return general_cosine(
        M,
        a=[0.42, 0.5, 0.08],
        sym=sym,
        dtype=dtype,
        device=device,
        requires_grad=requires_grad,
    )


def nuttall(
    M: int,
    *,
    sym: bool = True,
    dtype: DTypeLike | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`general_cosine` with Nuttall's four coefficients.

    Examples
    --------
    >>> nuttall(5).shape
    (5,)
    """
    return general_cosine(
        M,
        a=[0.3635819, 0.4891775, 0.1365995, 0.0106411],
        sym=sym,
        dtype=dtype,
        device=device,
        requires_grad=requires_grad,
    )


def bartlett(
    M: int,
    *,
    sym: bool = True,
    dtype: DTypeLike | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A triangle from 0 to 1 and back.

    Examples
    --------
    >>> bartlett(5).tolist()
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    t = _places("bartlett", M) * (2 / _span(M, sym))
    return _finished(1 - np.abs(t - 1), dtype, device, requires_grad)


def cosine(
    M: int,
    *,
    sym: bool = True,
    dtype: DTypeLike | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Half a wave: sin(pi (k + 1/2) / M).

    Examples
    --------
    >>> cosine(1).tolist()
    [1.0]
    """
    whole = M if sym else M + 1
    t = (_places("cosine", M) + 0.5) * (np.pi / max(whole, 1))
    return _finished(np.sin(t), dtype, device, requires_grad)


def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: DTypeLike | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """exp(-|k - center| / tau), with the middle as the default center.

    Examples
    --------
    >>> exponential(3).numpy().round(3).tolist()
    [0.36800000071525574, 1.0, 0.36800000071525574]
    """
    if tau <= 0:
        raise ArgumentError(f"exponential window: tau must be positive, got {tau}")
    if sym and center is not None:
        raise ArgumentError("exponential window: with sym the center cannot be chosen")
    middle = (M if not sym and M > 1 else M - 1) / 2 if center is None else center
    return _finished(
        np.exp(-np.abs(_places("exponential", M) - middle) / tau),
        dtype,
        device,
        requires_grad,
    )


def gaussian(
    M: int,
    *,
    std: float = 1.0,
    sym: bool = True,
    dtype: DTypeLike | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """exp(-(k - middle)^2 / (2 std^2)).

    Examples
    --------
    >>> gaussian(3).numpy().round(3).tolist()
    [0.6069999933242798, 1.0, 0.6069999933242798]
    """
    if std <= 0:
        raise ArgumentError(f"gaussian window: std must be positive, got {std}")
    middle = (M if not sym and M > 1 else M - 1) / 2
    t = (_places("gaussian", M) - middle) / std
    return _finished(np.exp(-0.5 * t * t), dtype, device, requires_grad)


def kaiser(
    M: int,
    *,
    beta: float = 12.0,
    sym: bool = True,
    dtype: DTypeLike | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """I_0(beta (1 - t^2)^(1/2)) / I_0(beta), t from -1 to 1 (Kaiser, 1974).

    Examples
    --------
    >>> kaiser(3, beta=0.0).tolist()
    [1.0, 1.0, 1.0]
    """
    if beta < 0:
        raise ArgumentError(f"kaiser window: beta must not be negative, got {beta}")
    t = _places("kaiser", M) * (2 / _span(M, sym)) - 1
    inside = np.sqrt(np.maximum(1 - t * t, 0))
    return _finished(np.i0(beta * inside) / np.i0(beta), dtype, device, requires_grad)
