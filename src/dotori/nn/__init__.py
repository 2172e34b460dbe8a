"""Networks: modules, their functions and initial values, under PyTorch's names."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dotori.nn import _lazy
from dotori.nn import functional as functional
from dotori.nn import init as init
from dotori.nn import utils as utils
from dotori.nn.activation import *
from dotori.nn.classification import *
from dotori.nn.container import ModuleDict as ModuleDict
from dotori.nn.container import ModuleList as ModuleList
from dotori.nn.container import Sequential as Sequential
from dotori.nn.ctc import *
from dotori.nn.dead import dead_units as dead_units
from dotori.nn.dropout import *
from dotori.nn.guard import Fault as Fault
from dotori.nn.guard import find_nonfinite as find_nonfinite
from dotori.nn.linear import *
from dotori.nn.loss import *
from dotori.nn.many_classes import *
from dotori.nn.margin import *
from dotori.nn.module import Module as Module
from dotori.nn.parameter import Parameter as Parameter
from dotori.nn.parameter import UninitializedBuffer as UninitializedBuffer
from dotori.nn.parameter import UninitializedParameter as UninitializedParameter
from dotori.nn.parameters import ParameterDict as ParameterDict
from dotori.nn.parameters import ParameterList as ParameterList
from dotori.nn.rectifier import *
from dotori.nn.summary import Summary as Summary
from dotori.nn.summary import summary as summary
from dotori.nn.weights import load_weights as load_weights
from dotori.nn.weights import save_weights as save_weights

if TYPE_CHECKING:
    from dotori.nn.adaptive_pooling import *
    from dotori.nn.attention import *
    from dotori.nn.batch_norm import *
    from dotori.nn.convolution import *
    from dotori.nn.embedding import *
    from dotori.nn.folding import *
    from dotori.nn.fractional_pooling import *
    from dotori.nn.lazy import *
    from dotori.nn.normalization import *
    from dotori.nn.padding import *
    from dotori.nn.pixels import *
    from dotori.nn.pooling import *
    from dotori.nn.position import *
    from dotori.nn.recurrent import *
    from dotori.nn.recurrent_base import *
    from dotori.nn.recurrent_cells import *
    from dotori.nn.transformer import *
    from dotori.nn.transformer_layer import *
    from dotori.nn.unpooling import *
    from dotori.nn.upsampling import *

_LATER = _lazy.places("dotori.nn", _lazy.MODULES)


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'dotori.nn' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_LATER[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
