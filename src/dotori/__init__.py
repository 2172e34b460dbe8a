"""dotori: machine learning and deep learning on NumPy."""

from dotori._version import __version__ as __version__
