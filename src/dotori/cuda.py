"""Whether there is a CUDA device, as programs ask before they choose one.

CuPy does the work on it: see `dotori.backend`.
"""

from __future__ import annotations

from dotori.backend import cuda_devices

__all__ = ["device_count", "is_available"]


def device_count() -> int:
    """The number of CUDA devices; 0 without CuPy."""
    return cuda_devices()


def is_available() -> bool:
    """Whether there is a CUDA device, and CuPy to use it.

    Examples
    --------
    >>> from dotori import cuda, device
    >>> place = device("cuda" if cuda.is_available() else "cpu")
    """
    return cuda_devices() > 0
