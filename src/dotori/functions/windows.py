"""The windows that PyTorch has at its top; `dotori.signal.windows` has more.

They are periodic by default, made for transforms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dotori.signal import windows

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "bartlett_window",
    "blackman_window",
    "hamming_window",
    "hann_window",
    "kaiser_window",
]


def hann_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """See `signal.windows.hann`.

    Examples
    --------
    >>> hann_window(4).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    return windows.hann(window_length, sym=not periodic, **options)


def bartlett_window(
    window_length: int, periodic: bool = True, **options: Any
) -> Tensor:
    """See `signal.windows.bartlett`.

    Examples
    --------
    >>> bartlett_window(4).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    return windows.bartlett(window_length, sym=not periodic, **options)


def blackman_window(
    window_length: int, periodic: bool = True, **options: Any
) -> Tensor:
    """See `signal.windows.blackman`.

    Examples
    --------
    >>> blackman_window(4).numpy().round(2).tolist()
    [-0.0, 0.3400000035762787, 1.0, 0.3400000035762787]
    """
    return windows.blackman(window_length, sym=not periodic, **options)


def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    **options: Any,
) -> Tensor:
    """alpha - beta cos(t): see `signal.windows.hamming`.

    Examples
    --------
    >>> hamming_window(4, alpha=0.5, beta=0.5).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    a = [alpha, beta]
    return windows.general_cosine(window_length, a=a, sym=not periodic, **options)


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, **options: Any
) -> Tensor:
    """See `signal.windows.kaiser`.

    Examples
    --------
    >>> kaiser_window(3, beta=0.0).tolist()
    [1.0, 1.0, 1.0]
    """
    return windows.kaiser(window_length, beta=beta, sym=not periodic, **options)
