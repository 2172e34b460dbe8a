"""Clipping gradients, and parameters as one vector: PyTorch's `nn.utils`.

`dotori.nn.utils.rnn` is loaded when it is first used.
"""

from importlib import import_module
from typing import Any

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

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "parameters_to_vector",
    "vector_to_parameters",
]


def __getattr__(name: str) -> Any:
    if name != "rnn":
        raise AttributeError(f"module 'dotori.nn.utils' has no attribute {name!r}")
    return import_module("dotori.nn.utils.rnn")
