"""Fourier transforms under the names of ``torch.fft``.

Real numbers may be given wherever complex ones are meant; float32 gives complex64, and
gradients flow through. Arguments of all:

- `n` (or `s`, one for each axis): the length; the input is cut or filled with zeros.
- `dim`: the axes, the last one (or two, or all) by default.
- `norm`: ``"backward"`` divides by the length on the way back, ``"forward"`` on the way
  there, ``"ortho"`` by its root in both.

NumPy's functions of the same names (``np.fft.fft(t)``) reach these for tensors.
"""

from dotori.fft.frequencies import fftfreq, fftshift, ifftshift, rfftfreq
from dotori.fft.transforms import (
    fft,
    fft2,
    fftn,
    hfft,
    hfft2,
    hfftn,
    ifft,
    ifft2,
    ifftn,
    ihfft,
    ihfft2,
    ihfftn,
    irfft,
    irfft2,
    irfftn,
    rfft,
    rfft2,
    rfftn,
)

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "hfft2",
    "hfftn",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "ihfft2",
    "ihfftn",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]
