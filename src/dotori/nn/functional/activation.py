"""Activations: elementwise non-linear functions, and softmax.

Each takes a tensor (or an array or list) and gives a new one of its shape. PyTorch's
`inplace` is accepted and changes nothing: memory that a gradient rule may need is never
written over.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from dotori import functions as fn
from dotori.autograd import apply, as_variable, unary, wrap
from dotori.backend import as_array
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.activation import log_softmax, relu, softmax, with_axis
from dotori.ops import activation as op
from dotori.ops.normal import NormalCdf
from dotori.random import default_generator

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "rrelu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
]


def relu6(input: TensorLike, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6).

    Examples
    --------
    >>> relu6([-1.0, 2.0, 9.0]).tolist()
    [0.0, 2.0, 6.0]
    """
    return hardtanh(input, 0.0, 6.0)


def hardtanh(
    input: TensorLike,
    min_val: float = -1.0,
    max_val: float = 1.0,
    inplace: bool = False,
) -> Tensor:
    """x held between `min_val` and `max_val`.

    Examples
    --------
    >>> hardtanh([-3.0, 0.5, 3.0]).tolist()
    [-1.0, 0.5, 1.0]
    """
    if min_val > max_val:
        raise ArgumentError(
            f"hardtanh: min_val={min_val} must not exceed max_val={max_val}"
        )
    x = as_variable(input)
    y: Tensor = apply(op.Hardtanh, x, min_val=min_val, max_val=max_val)
    return y


def leaky_relu(
    input: TensorLike, negative_slope: float = 0.01, inplace: bool = False
) -> Tensor:
    """x where x > 0, else negative_slope x.

    Examples
    --------
    >>> leaky_relu([-100.0, 1.0]).tolist()
    [-1.0, 1.0]
    """
    y: Tensor = apply(op.LeakyRelu, as_variable(input), negative_slope=negative_slope)
    return y


def prelu(input: TensorLike, weight: TensorLike) -> Tensor:
    """x where x > 0, else weight x, with a slope that is learned.

    Parameters
    ----------
    input : Tensor, shape (batch, channels, ...)
    weight : Tensor, shape (1,) or (channels,)
        One slope for all, or one for each channel.

    Examples
    --------
    >>> prelu([[-2.0, 4.0]], [0.5]).tolist()
    [[-1.0, 4.0]]
    """
    x, slope = as_variable(input), as_variable(weight)
    channels = x.shape[1] if x.ndim > 1 else 1
    if slope.numel() == 1:
        slope = slope.reshape(1) if x.ndim else slope.reshape(())
    elif slope.shape == (channels,):
        slope = slope.reshape(channels, *(1,) * (x.ndim - 2))
    else:
        raise ShapeError(
            f"prelu: the weight has shape {slope.shape}, but x of shape {x.shape} has "
            f"{channels} channels (axis 1); give one slope, or one for each channel"
        )
    return fn.where(x > 0, x, x * slope)


def rrelu(
    input: TensorLike,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """x where x >= 0, else x times a random slope from [lower, upper].

    Outside of training the slope is the mean of both bounds (Xu, Wang, Chen and Li,
    "Empirical evaluation of rectified activations", 2015).

    Examples
    --------
    >>> rrelu([-16.0, 2.0], 0.25, 0.75).tolist()
    [-8.0, 2.0]
    """
    if not lower <= upper:
        raise ArgumentError(f"rrelu: lower={lower} must not exceed upper={upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    x = as_variable(input)
    slopes = default_generator().uniform(x.shape, lower, upper, x.dtype)
    return x * fn.where(x.detach() >= 0, 1.0, wrap(slopes))


def elu(input: TensorLike, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (e^x - 1).

    Examples
    --------
    >>> elu([0.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    x = as_variable(input)
    y: Tensor = apply(op.Elu, x, alpha=alpha, scale=1.0, input_scale=1.0)
    return y


def celu(input: TensorLike, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (e^(x/alpha) - 1): smooth for every alpha.

    Examples
    --------
    >>> celu([0.0, 2.0], 0.5).tolist()
    [0.0, 2.0]
    """
    if not alpha:
        raise ArgumentError("celu: alpha divides x, it must not be 0")
    x = as_variable(input)
    y: Tensor = apply(op.Elu, x, alpha=alpha, scale=1.0, input_scale=1 / alpha)
    return y


# Klambauer, Unterthiner, Mayr and Hochreiter, "Self-normalizing neural networks", 2017:
# the fixed point of equation 14 for zero mean and unit variance.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def selu(input: TensorLike, inplace: bool = False) -> Tensor:
    """ELU with the two constants that keep mean 0 and variance 1 from layer to layer.

    Examples
    --------
    >>> round(selu([1.0]).item(), 6)
    1.050701
    """
    x = as_variable(input)
    y: Tensor = apply(op.Elu, x, alpha=_SELU_ALPHA, scale=_SELU_SCALE, input_scale=1.0)
    return y


def gelu(input: TensorLike, approximate: str = "none") -> Tensor:
    """x P(Z <= x) for a standard normal Z; ``approximate="tanh"`` avoids erf.

    Examples
    --------
    >>> round(gelu([1.0]).item(), 5), round(gelu([1.0], "tanh").item(), 5)
    (0.84134, 0.84119)
    """
    if approximate == "tanh":
        return unary(op.GeluTanh, input)
    if approximate != "none":
        raise ArgumentError(
            f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}"
        )
    x = as_variable(input)
    return x * unary(NormalCdf, x)


def sigmoid(input: TensorLike) -> Tensor:
    """1 / (1 + e^-x).

    Examples
    --------
    >>> sigmoid([0.0, -1000.0, 1000.0]).tolist()
    [0.5, 0.0, 1.0]
    """
    return fn.sigmoid(input)


def tanh(input: TensorLike) -> Tensor:
    """The hyperbolic tangent.

    Examples
    --------
    >>> tanh([0.0]).tolist()
    [0.0]
    """
    return fn.tanh(input)


def silu(input: TensorLike, inplace: bool = False) -> Tensor:
    """x sigmoid(x), also called swish.

    Examples
    --------
    >>> silu([0.0, 100.0]).tolist()
    [0.0, 100.0]
    """
    x = as_variable(input)
    return x * fn.sigmoid(x)


def mish(input: TensorLike, inplace: bool = False) -> Tensor:
    """x tanh(softplus(x)).

    Examples
    --------
    >>> mish([0.0, 100.0]).tolist()
    [0.0, 100.0]
    """
    x = as_variable(input)
    return x * fn.tanh(softplus(x))


def softplus(input: TensorLike, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + e^(beta x)) / beta; x itself where beta x > threshold.

    Examples
    --------
    >>> round(softplus([0.0]).item(), 6)
    0.693147
    """
    y: Tensor = apply(op.Softplus, as_variable(input), beta=beta, threshold=threshold)
    return y


def logsigmoid(input: TensorLike) -> Tensor:
    """log(1 / (1 + e^-x)), without overflow on either side.

    Examples
    --------
    >>> logsigmoid([-1000.0, 1000.0]).tolist()
    [-1000.0, -0.0]
    """
    return -softplus(-as_variable(input), threshold=math.inf)


def softsign(input: TensorLike) -> Tensor:
    """x / (1 + |x|).

    Examples
    --------
    >>> softsign([-1.0, 3.0]).tolist()
    [-0.5, 0.75]
    """
    x = as_variable(input)
    return x / (abs(x) + 1)


def tanhshrink(input: TensorLike) -> Tensor:
    """x - tanh(x).

    Examples
    --------
    >>> tanhshrink([0.0]).tolist()
    [0.0]
    """
    x = as_variable(input)
    return x - fn.tanh(x)


def softshrink(input: TensorLike, lambd: float = 0.5) -> Tensor:
    """x brought nearer to 0 by `lambd`; 0 where |x| <= lambd.

    Examples
    --------
    >>> softshrink([-1.0, 0.25, 1.0]).tolist()
    [-0.5, 0.0, 0.5]
    """
    if lambd < 0:
        raise ArgumentError(f"softshrink: lambd must be at least 0, got {lambd}")
    x = as_variable(input)
    return fn.where((x <= lambd) & (x >= -lambd), 0.0, x - hardtanh(x, -lambd, lambd))


def hardshrink(input: TensorLike, lambd: float = 0.5) -> Tensor:
    """x where |x| > lambd, else 0.

    Examples
    --------
    >>> hardshrink([-1.0, 0.25, 1.0]).tolist()
    [-1.0, 0.0, 1.0]
    """
    x = as_variable(input)
    return fn.where((x <= lambd) & (x >= -lambd), 0.0, x)  # NaN stays


def threshold(
    input: TensorLike, threshold: float, value: float, inplace: bool = False
) -> Tensor:
    """x where x > threshold, else `value`.

    Examples
    --------
    >>> threshold([0.5, 2.0], 1.0, -1.0).tolist()
    [-1.0, 2.0]
    """
    x = as_variable(input)
    return fn.where(x <= threshold, type(threshold)(value), x)  # NaN stays


def hardsigmoid(input: TensorLike, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6.

    Examples
    --------
    >>> hardsigmoid([-4.0, 0.0, 4.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return relu6(as_variable(input) + 3) / 6


def hardswish(input: TensorLike, inplace: bool = False) -> Tensor:
    """x hardsigmoid(x) (Howard and others, "Searching for MobileNetV3", 2019).

    Examples
    --------
    >>> hardswish([-4.0, 0.0, 4.0]).tolist()
    [-0.0, 0.0, 4.0]
    """
    x = as_variable(input)
    return x * hardsigmoid(x)


def gumbel_softmax(
    logits: TensorLike,
    tau: float = 1.0,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
) -> Tensor:
    """softmax((x + g) / tau) with Gumbel noise g: a soft draw of one of the classes.

    Jang, Gu and Poole, "Categorical reparameterization with Gumbel-softmax", 2017. With
    `hard` the value is one-hot, and the gradient that of the soft draw. `eps` is
    PyTorch's, which no longer uses it either.

    Examples
    --------
    >>> gumbel_softmax([0.0, 1000.0], hard=True).tolist()
    [0.0, 1.0]
    """
    x = as_variable(logits)
    noise = default_generator().numpy().gumbel(size=x.shape)
    soft = softmax((x + wrap(as_array(noise, x.dtype))) / tau, dim)
    if not hard:
        return soft
    top = np.expand_dims(soft.array.argmax(dim), dim)
    chosen = np.zeros(x.shape, x.dtype)
    np.put_along_axis(chosen, top, 1, dim)
    return wrap(chosen) - soft.detach() + soft


def softmin(
    input: TensorLike, dim: int = -1, *, dtype: DTypeLike | None = None
) -> Tensor:
    """softmax(-x) along `dim`.

    Examples
    --------
    >>> softmin([0.0, 1000.0]).tolist()
    [1.0, 0.0]
    """
    return softmax(-as_variable(input), dim, dtype=dtype)


def glu(input: TensorLike, dim: int = -1) -> Tensor:
    """a sigmoid(b), where a and b are the halves of x along `dim`.

    Dauphin, Fan, Auli and Grangier, "Language modeling with gated convolutional
    networks", 2017.

    Examples
    --------
    >>> glu([4.0, 0.0]).tolist()
    [2.0]
    """
    x = as_variable(input)
    with_axis("glu", x, dim)
    n = x.shape[dim]
    if n % 2:
        raise ShapeError(
            f"glu: x of shape {x.shape} cannot be halved along dim={dim}, "
            f"whose length {n} is odd"
        )
    before = (slice(None),) * (dim % x.ndim)
    gates = x[(*before, slice(n // 2, n))]
    return x[(*before, slice(0, n // 2))] * fn.sigmoid(gates)
