"""dotori: machine learning and deep learning on NumPy."""

from importlib import import_module
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi
from typing import TYPE_CHECKING, Any

from numpy import dtype as _dtype

from dotori import autograd as autograd
from dotori._tensor import Tensor as Tensor
from dotori._version import __version__ as __version__
from dotori.autograd import enable_grad as enable_grad
from dotori.autograd import inference_mode as inference_mode
from dotori.autograd import is_grad_enabled as is_grad_enabled
from dotori.autograd import no_grad as no_grad
from dotori.autograd import set_grad_enabled as set_grad_enabled
from dotori.backend import channels_last as channels_last
from dotori.backend import channels_last_3d as channels_last_3d
from dotori.backend import contiguous_format as contiguous_format
from dotori.backend import device as device
from dotori.backend import memory_format as memory_format
from dotori.backend import preserve_format as preserve_format
from dotori.dtypes import bool_ as bool
from dotori.dtypes import complex64 as complex64
from dotori.dtypes import complex128 as complex128
from dotori.dtypes import float16 as float16
from dotori.dtypes import float32 as float32
from dotori.dtypes import float64 as float64
from dotori.dtypes import get_default_dtype as get_default_dtype
from dotori.dtypes import int8 as int8
from dotori.dtypes import int16 as int16
from dotori.dtypes import int32 as int32
from dotori.dtypes import int64 as int64
from dotori.dtypes import promote_types as promote_types
from dotori.dtypes import set_default_dtype as set_default_dtype
from dotori.dtypes import uint8 as uint8
from dotori.dtypes import uint16 as uint16
from dotori.dtypes import uint32 as uint32
from dotori.dtypes import uint64 as uint64
from dotori.functions import *
from dotori.functions import _lazy
from dotori.random import Generator as Generator
from dotori.random import default_generator as default_generator
from dotori.random import get_rng_state as get_rng_state
from dotori.random import initial_seed as initial_seed
from dotori.random import manual_seed as manual_seed
from dotori.random import seed as seed
from dotori.random import set_rng_state as set_rng_state

if TYPE_CHECKING:
    from builtins import tuple as Size

    from numpy import dtype as dtype

    from dotori import algorithms as algorithms
    from dotori import cuda as cuda
    from dotori import data as data
    from dotori import fft as fft
    from dotori import io as io
    from dotori import learn as learn
    from dotori import linalg as linalg
    from dotori import nn as nn
    from dotori import optim as optim
    from dotori import signal as signal
    from dotori import special as special
    from dotori import tabular as tabular
    from dotori import train as train
    from dotori._gradcheck import gradcheck as gradcheck
    from dotori._gradcheck import gradgradcheck as gradgradcheck
    from dotori.dtypes import complex64 as cfloat
    from dotori.dtypes import complex128 as cdouble
    from dotori.dtypes import float16 as half
    from dotori.dtypes import float32 as float
    from dotori.dtypes import float64 as double
    from dotori.dtypes import int16 as short
    from dotori.dtypes import int32 as int
    from dotori.dtypes import int64 as long
    from dotori.nn.functional import adaptive_avg_pool1d as adaptive_avg_pool1d
    from dotori.nn.functional import avg_pool1d as avg_pool1d
    from dotori.nn.functional import bilinear as bilinear
    from dotori.nn.functional import celu as celu
    from dotori.nn.functional import channel_shuffle as channel_shuffle
    from dotori.nn.functional import conv1d as conv1d
    from dotori.nn.functional import conv2d as conv2d
    from dotori.nn.functional import conv3d as conv3d
    from dotori.nn.functional import conv_transpose1d as conv_transpose1d
    from dotori.nn.functional import conv_transpose2d as conv_transpose2d
    from dotori.nn.functional import conv_transpose3d as conv_transpose3d
    from dotori.nn.functional import cosine_similarity as cosine_similarity
    from dotori.nn.functional import group_norm as group_norm
    from dotori.nn.functional import hardshrink as hardshrink
    from dotori.nn.functional import layer_norm as layer_norm
    from dotori.nn.functional import max_pool1d as max_pool1d
    from dotori.nn.functional import max_pool1d_with_indices as max_pool1d_with_indices
    from dotori.nn.functional import max_pool2d as max_pool2d
    from dotori.nn.functional import max_pool3d as max_pool3d
    from dotori.nn.functional import pairwise_distance as pairwise_distance
    from dotori.nn.functional import pixel_shuffle as pixel_shuffle
    from dotori.nn.functional import pixel_unshuffle as pixel_unshuffle
    from dotori.nn.functional import prelu as prelu
    from dotori.nn.functional import rms_norm as rms_norm
    from dotori.nn.functional import rrelu as rrelu
    from dotori.nn.functional import selu as selu
    from dotori.nn.functional import threshold as threshold
    from dotori.nn.summary import summary as summary
    from dotori.tabular.job import fit as fit
    from dotori.tabular.model import load as load


newaxis = None

# Loaded when they are first used: what is not needed costs no time.
_LAZY_PACKAGES = (
    "algorithms",
    "cuda",
    "data",
    "fft",
    "io",
    "learn",
    "linalg",
    "nn",
    "optim",
    "signal",
    "special",
    "tabular",
    "train",
)
_LAZY_NAMES = {
    "compile": "dotori.compiler",
    "fit": "dotori.tabular.job",
    "gradcheck": "dotori._gradcheck",
    "gradgradcheck": "dotori._gradcheck",
    "load": "dotori.tabular.model",
    "summary": "dotori.nn.summary",
    # what PyTorch has both here and in nn.functional
    **dict.fromkeys(
        (
            "adaptive_avg_pool1d avg_pool1d bilinear celu channel_shuffle conv1d "
            "conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d "
            "cosine_similarity group_norm hardshrink layer_norm max_pool1d "
            "max_pool1d_with_indices max_pool2d max_pool3d pairwise_distance "
            "pixel_shuffle pixel_unshuffle prelu rms_norm rrelu selu threshold"
        ).split(),
        "dotori.nn.functional",
    ),
}

# PyTorch's other names of types. They wait here, and `dtype` and `Size` with them, so
# that `from dotori import *` leaves Python's own `float` and `int` as they are.
_TYPES = {
    "Size": tuple,
    "cdouble": complex128,
    "cfloat": complex64,
    "double": float64,
    "dtype": _dtype,
    "float": float32,
    "half": float16,
    "int": int32,
    "long": int64,
    "short": int16,
}


def __getattr__(name: str) -> Any:
    if name in _TYPES:
        return _TYPES[name]
    if name in _LAZY_PACKAGES:
        return import_module(f"dotori.{name}")
    if name in _LAZY_NAMES:
        return getattr(import_module(_LAZY_NAMES[name]), name)
    if name in _lazy.IN_PLACE:
        from dotori.functions.inplace import form

        found = globals()[name] = form(name)
        return found
    if name in _lazy.FUNCTIONS:
        found = globals()[name] = _lazy.load(name, _lazy.FUNCTIONS)
        return found
    raise AttributeError(f"module 'dotori' has no attribute {name!r}")


def __dir__() -> list[str]:
    lazy = (*_LAZY_PACKAGES, *_LAZY_NAMES, *_TYPES, *_lazy.FUNCTIONS)
    return sorted({*globals(), *lazy})
