"""What the modules of `dotori.nn` compute, as functions, under PyTorch's names."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dotori.functions.distance import pdist as pdist
from dotori.nn import _lazy
from dotori.nn.functional.activation import *
from dotori.nn.functional.classification import *
from dotori.nn.functional.ctc import *
from dotori.nn.functional.distance import *
from dotori.nn.functional.dropout import *
from dotori.nn.functional.linear import *
from dotori.nn.functional.loss import *
from dotori.nn.functional.margin import *
from dotori.nn.functional.padding import *
from dotori.nn.functional.penalty import *

if TYPE_CHECKING:
    from dotori.nn.functional.adaptive_pooling import *
    from dotori.nn.functional.attention import *
    from dotori.nn.functional.convolution import *
    from dotori.nn.functional.folding import *
    from dotori.nn.functional.fractional_pooling import *
    from dotori.nn.functional.grid import *
    from dotori.nn.functional.interpolation import *
    from dotori.nn.functional.lookup import *
    from dotori.nn.functional.mean_pooling import *
    from dotori.nn.functional.multi_head import *
    from dotori.nn.functional.normalization import *
    from dotori.nn.functional.pixels import *
    from dotori.nn.functional.pooling import *
    from dotori.nn.functional.unpooling import *

_LATER = _lazy.places("dotori.nn.functional", _lazy.FUNCTIONS)


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'dotori.nn.functional' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_LATER[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
