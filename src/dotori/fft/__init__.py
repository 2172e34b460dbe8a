"""Fourier transforms under the names of ``torch.fft``.

Real numbers may be given wherever complex ones are meant; float32 gives complex64, and
gradients flow through. Arguments of all:

- `n` (or `s`, one for each axis): the length; the input is cut or filled with zeros.
- `dim`: the axes, the last one (or two, or all) by default.
- `norm`: ``"backward"`` divides by the length on the way back, ``"forward"`` on the way
  there, ``"ortho"`` by its root in both.

NumPy's functions of the same names (``np.fft.fft(t)``) reach these for tensors.
"""

from dotori.fft.frequencies import fftfreq as fftfreq
from dotori.fft.frequencies import fftshift as fftshift
from dotori.fft.frequencies import ifftshift as ifftshift
from dotori.fft.frequencies import rfftfreq as rfftfreq
from dotori.fft.transforms import fft as fft
from dotori.fft.transforms import fft2 as fft2
from dotori.fft.transforms import fftn as fftn
from dotori.fft.transforms import hfft as hfft
from dotori.fft.transforms import hfft2 as hfft2
from dotori.fft.transforms import hfftn as hfftn
from dotori.fft.transforms import ifft as ifft
from dotori.fft.transforms import ifft2 as ifft2
from dotori.fft.transforms import ifftn as ifftn
from dotori.fft.transforms import ihfft as ihfft
from dotori.fft.transforms import ihfft2 as ihfft2
from dotori.fft.transforms import ihfftn as ihfftn
from dotori.fft.transforms import irfft as irfft
from dotori.fft.transforms import irfft2 as irfft2
from dotori.fft.transforms import irfftn as irfftn
from dotori.fft.transforms import rfft as rfft
from dotori.fft.transforms import rfft2 as rfft2
from dotori.fft.transforms import rfftn as rfftn
