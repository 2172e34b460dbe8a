"""The network of an MLP estimator: a `nn.Sequential` from the estimator's parameters.

A hidden layer is linear, then batch normalisation if asked for, the activation, and
dropout if asked for; the output layer is linear. What the loss makes of the outputs
(softmax, logistic, exp) belongs to the loss: see `_losses.py`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori import nn
from dotori._tensor import Tensor
from dotori.autograd import note_change
from dotori.errors import ArgumentError
from dotori.random import Generator

Array = NDArray[Any]

#: Activations by name: scikit-learn's, and those of `dotori.nn`.
ACTIVATIONS = {
    "identity": "Identity",
    "logistic": "Sigmoid",
    "tanh": "Tanh",
    "relu": "ReLU",
    "celu": "CELU",
    "elu": "ELU",
    "gelu": "GELU",
    "hardsigmoid": "Hardsigmoid",
    "hardswish": "Hardswish",
    "hardtanh": "Hardtanh",
    "leaky_relu": "LeakyReLU",
    "logsigmoid": "LogSigmoid",
    "mish": "Mish",
    "relu6": "ReLU6",
    "selu": "SELU",
    "sigmoid": "Sigmoid",
    "silu": "SiLU",
    "softplus": "Softplus",
    "softsign": "Softsign",
}


class Activation(nn.Module):
    """A function of tensors as a layer.

    Examples
    --------
    >>> import dotori
    >>> Activation(lambda x: x * x)(dotori.tensor([3.0])).tolist()
    [9.0]
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)

    def extra_repr(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))


def per_layer(owner: str, name: str, value: Any, n_hidden: int) -> list[Any]:
    """A parameter that may be one value for all hidden layers, or one for each."""
    if not isinstance(value, (list, tuple, np.ndarray)):
        return [value] * n_hidden
    if len(value) != n_hidden:
        raise ArgumentError(
            f"{owner}: {name} has {len(value)} entries for {n_hidden} hidden layers; "
            "give one for each, or a single value for all"
        )
    return list(value)


def activation_layer(owner: str, activation: Any) -> nn.Module:
    """The layer for a name, a module, a class of modules or a function."""
    if isinstance(activation, str) and activation in ACTIVATIONS:
        made: nn.Module = getattr(nn, ACTIVATIONS[activation])()
        return made
    if isinstance(activation, nn.Module):
        return copy.deepcopy(activation)
    if isinstance(activation, type) and issubclass(activation, nn.Module):
        return activation()
    if callable(activation) and not isinstance(activation, str):
        return Activation(activation)
    raise ArgumentError(
        f"{owner}: activation must be one of {', '.join(ACTIVATIONS)}, or a function "
        f"of tensors, or a list with one of these for each hidden layer; got "
        f"{activation!r}"
    )


def build(
    owner: str,
    widths: Sequence[int],
    activation: Any,
    dropout: Any,
    batch_norm: bool,
    dtype: Any,
) -> nn.Sequential:
    """The layers for widths (inputs, hidden ..., outputs); their weights are to be set.

    Examples
    --------
    >>> build("MLP", (4, 8, 3), "relu", 0.5, False, "float64")
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): ReLU()
      (2): Dropout(p=0.5, inplace=False)
      (3): Linear(in_features=8, out_features=3, bias=True)
    )
    """
    n_hidden = len(widths) - 2
    activations = per_layer(owner, "activation", activation, n_hidden)
    rates = per_layer(owner, "dropout", dropout, n_hidden)
    layers: list[nn.Module] = []
    for i in range(n_hidden):
        layers.append(nn.Linear(widths[i], widths[i + 1], dtype=dtype))
        if batch_norm:
            layers.append(nn.BatchNorm1d(widths[i + 1], dtype=dtype))
        layers.append(activation_layer(owner, activations[i]))
        if rates[i]:
            layers.append(nn.Dropout(float(rates[i])))
    layers.append(nn.Linear(widths[-2], widths[-1], dtype=dtype))
    return nn.Sequential(*layers)


def linear_layers(network: nn.Sequential) -> list[nn.Linear]:
    """The layers that have weights, inputs first."""
    return [layer for layer in network if isinstance(layer, nn.Linear)]


def initialise(network: nn.Sequential, activation: Any, generator: Generator) -> None:
    """Draw weights and intercepts evenly from +-sqrt(f / (fan_in + fan_out)).

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, equation 16: f = 6, with scikit-learn's f = 2 where the
    activation is logistic, and with intercepts drawn as well.
    """
    layers = linear_layers(network)
    names = per_layer("MLP", "activation", activation, len(layers) - 1)
    for layer, name in zip(layers, [*names, (names or [activation])[-1]], strict=True):
        fan_out, fan_in = layer.weight.shape
        factor = 2.0 if name in ("logistic", "sigmoid") else 6.0
        bound = float(np.sqrt(factor / (fan_in + fan_out)))
        drawn = generator.uniform((fan_in + 1, fan_out), -bound, bound, np.float64)
        layer.weight.array[...] = drawn[:-1].T
        assert layer.bias is not None
        layer.bias.array[...] = drawn[-1]


def weights_of(network: nn.Module) -> list[Tensor]:
    """The parameters that the L2 penalty is of: matrices, not intercepts or scales."""
    return [p for p in network.parameters() if p.ndim > 1]


def coefficients(network: nn.Sequential) -> tuple[list[Array], list[Array]]:
    """Weights of shape (fan_in, fan_out) and intercepts: views of the network's own."""
    layers = linear_layers(network)
    intercepts = [layer.bias.array for layer in layers if layer.bias is not None]
    return [layer.weight.array.T for layer in layers], intercepts


def other_state(network: nn.Module, linear: bool) -> dict[str, Array]:
    """What a network holds besides weights and intercepts; all of it if not `linear`.

    These are the scales and running means of batch normalisation, or everything that a
    user's own module has.
    """
    known: set[int] = set()
    if linear and isinstance(network, nn.Sequential):
        for layer in linear_layers(network):
            known |= {id(layer.weight), id(layer.bias)}
    tensors = [*network.named_parameters(), *network.named_buffers()]
    return {k: v.array for k, v in tensors if id(v) not in known}


def put(array: Array, value: Any) -> None:
    """Make `value` the contents of a network's array, unless it is that array."""
    given = np.asarray(value)
    if (
        given.__array_interface__["data"] == array.__array_interface__["data"]
        and given.strides == array.strides
    ):
        return
    if given.shape != array.shape:
        raise ArgumentError(
            f"coefs_, intercepts_: an array of shape {array.shape} was wanted, got "
            f"{given.shape}"
        )
    array[...] = given
    note_change(array, "the estimator's coefficients")
