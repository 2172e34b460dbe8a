"""Gradients, parameters and weights handled from outside: PyTorch's `nn.utils`.

Clipping and parameters as one vector are here at once; the rest is loaded when it is
first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dotori.nn.utils.clip_grad import clip_grad_norm_ as clip_grad_norm_
from dotori.nn.utils.clip_grad import clip_grad_value_ as clip_grad_value_
from dotori.nn.utils.clip_grad import clip_grads_with_norm_ as clip_grads_with_norm_
from dotori.nn.utils.clip_grad import get_total_norm as get_total_norm
from dotori.nn.utils.convert_parameters import (
    parameters_to_vector as parameters_to_vector,
)
from dotori.nn.utils.convert_parameters import (
    vector_to_parameters as vector_to_parameters,
)

if TYPE_CHECKING:
    from dotori.nn.utils import parametrizations as parametrizations
    from dotori.nn.utils import parametrize as parametrize
    from dotori.nn.utils import rnn as rnn
    from dotori.nn.utils.fusion import fuse_conv_bn_eval as fuse_conv_bn_eval
    from dotori.nn.utils.fusion import fuse_conv_bn_weights as fuse_conv_bn_weights
    from dotori.nn.utils.fusion import fuse_linear_bn_eval as fuse_linear_bn_eval
    from dotori.nn.utils.fusion import fuse_linear_bn_weights as fuse_linear_bn_weights
    from dotori.nn.utils.init import skip_init as skip_init
    from dotori.nn.utils.norms import remove_spectral_norm as remove_spectral_norm
    from dotori.nn.utils.norms import remove_weight_norm as remove_weight_norm
    from dotori.nn.utils.norms import spectral_norm as spectral_norm
    from dotori.nn.utils.norms import weight_norm as weight_norm

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
    "get_total_norm",
    "parameters_to_vector",
    "remove_spectral_norm",
    "remove_weight_norm",
    "skip_init",
    "spectral_norm",
    "vector_to_parameters",
    "weight_norm",
]

_LATER = {
    "fusion": "fuse_conv_bn_eval fuse_conv_bn_weights fuse_linear_bn_eval "
    "fuse_linear_bn_weights",
    "init": "skip_init",
    "norms": "remove_spectral_norm remove_weight_norm spectral_norm weight_norm",
}
_FILES = {name: file for file, names in _LATER.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name in ("parametrizations", "parametrize", "rnn"):
        return import_module(f"dotori.nn.utils.{name}")
    if name not in _FILES:
        raise AttributeError(f"module 'dotori.nn.utils' has no attribute {name!r}")
    module = import_module(f"dotori.nn.utils.{_FILES[name]}")
    found = globals()[name] = getattr(module, name)
    return found
