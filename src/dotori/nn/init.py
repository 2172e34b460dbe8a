"""Initial values for parameters: PyTorch's names, arguments and numbers.

Each function writes into the memory of the tensor that it is given and returns it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dotori._tensor import Tensor
from dotori.autograd import note_change
from dotori.backend import Array, to_device
from dotori.errors import ArgumentError, ShapeError
from dotori.random import Generator, default_generator

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

_LINEAR = {"linear", "sigmoid"} | {
    f"conv{kind}{d}d" for kind in ("", "_transpose") for d in (1, 2, 3)
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the size of signals through an activation.

    Parameters
    ----------
    nonlinearity : str
        ``"linear"``, ``"sigmoid"``, ``"tanh"``, ``"relu"``, ``"leaky_relu"``,
        ``"selu"`` or the name of a convolution.
    param : float, optional
        The negative slope of ``"leaky_relu"``; 0.01 by default.

    Raises
    ------
    ArgumentError
        If the name is not known.

    Examples
    --------
    >>> round(calculate_gain("relu"), 4)
    1.4142
    """
    if nonlinearity in _LINEAR:
        return 1.0
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else float(param)
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ArgumentError(
        "calculate_gain: nonlinearity must be linear, sigmoid, tanh, relu, leaky_relu, "
        f"selu or a convolution, got {nonlinearity!r}"
    )


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Numbers evenly spread over [a, b).

    Examples
    --------
    >>> import dotori
    >>> bool((uniform_(dotori.zeros(3), 2.0, 3.0).array >= 2).all())
    True
    """
    values = _random(generator).uniform(tensor.shape, a, b, tensor.dtype)
    return _fill(tensor, values, "init.uniform_")


def normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    generator: Generator | None = None,
) -> Tensor:
    """Numbers from the normal distribution.

    Examples
    --------
    >>> import dotori
    >>> normal_(dotori.zeros(3), mean=5.0, std=0.0).tolist()
    [5.0, 5.0, 5.0]
    """
    values = _random(generator).normal(tensor.shape, mean, std, tensor.dtype)
    return _fill(tensor, values, "init.normal_")


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Numbers from the normal distribution, those outside of [a, b] drawn again.

    Examples
    --------
    >>> import dotori
    >>> bool((abs(trunc_normal_(dotori.zeros(99), b=0.5).array) <= 2).all())
    True
    """
    if not (a < b and std > 0):
        raise ArgumentError(
            f"trunc_normal_: a < b and std > 0 are wanted, got a={a}, b={b}, std={std}"
        )
    draws = _truncated(
        tensor.numel(), (a - mean) / std, (b - mean) / std, _random(generator)
    )
    values = np.clip(mean + std * draws, a, b).reshape(tensor.shape)
    return _fill(tensor, values, "init.trunc_normal_")


def _truncated(
    n: int, low: float, high: float, generator: Generator
) -> NDArray[np.float64]:
    """`n` numbers of the standard normal distribution within [low, high].

    Rejection from a uniform proposal (Robert, "Simulation of truncated normal
    variables", 1995, section 2.2), cut where the density is e^-40 of its peak: it also
    works far out in a tail.
    """
    peak = min(max(0.0, low), high)
    reach = math.sqrt(peak**2 + 80)
    low, high = max(low, -reach), min(high, reach)
    kept: list[NDArray[np.float64]] = []
    missing = n
    while missing:
        x = generator.uniform((2 * missing + 16,), low, high, np.float64)
        u = generator.uniform(x.shape, dtype=np.float64)
        kept.append(x[u <= np.exp((peak**2 - x**2) / 2)][:missing])
        missing -= len(kept[-1])
    return np.concatenate(kept) if kept else np.empty(0)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """The same number everywhere.

    Examples
    --------
    >>> import dotori
    >>> constant_(dotori.zeros(2), 3.0).tolist()
    [3.0, 3.0]
    """
    return _fill(tensor, np.full(tensor.shape, val, tensor.dtype), "init.constant_")


def ones_(tensor: Tensor) -> Tensor:
    """Ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix, cut or filled up with zeros where it is not square.

    Examples
    --------
    >>> import dotori
    >>> eye_(dotori.ones(2, 3)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    if tensor.ndim != 2:
        raise ShapeError(f"eye_: two axes are wanted, got shape {tensor.shape}")
    return _fill(tensor, np.eye(*tensor.shape, dtype=tensor.dtype), "init.eye_")


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Kernels of a convolution that hand their input channels on unchanged.

    Parameters
    ----------
    tensor : Tensor, shape (out_channels, in_channels, ...), 3 to 5 axes
    groups : int
        Divides out_channels.

    Examples
    --------
    >>> import dotori
    >>> dirac_(dotori.ones(1, 1, 3)).tolist()
    [[[0.0, 1.0, 0.0]]]
    """
    if not 3 <= tensor.ndim <= 5:
        raise ShapeError(f"dirac_: 3 to 5 axes are wanted, got shape {tensor.shape}")
    if groups < 1 or tensor.shape[0] % groups:
        raise ArgumentError(
            f"dirac_: groups must divide the {tensor.shape[0]} output channels, "
            f"got {groups}"
        )
    values = np.zeros(tensor.shape, tensor.dtype)
    size = tensor.shape[0] // groups
    middle = tuple(n // 2 for n in tensor.shape[2:])
    for group in range(groups):
        for i in range(min(size, tensor.shape[1])):
            values[(group * size + i, i, *middle)] = 1
    return _fill(tensor, values, "init.dirac_")


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform in +-gain sqrt(6 / (fan_in + fan_out)).

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010, equation 16.

    Examples
    --------
    >>> import dotori
    >>> bool((abs(xavier_uniform_(dotori.zeros(3, 3)).array) <= 1).all())
    True
    """
    fan_in, fan_out = _fans(tensor, "xavier_uniform_")
    bound = gain * math.sqrt(6.0 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Normal with the deviation gain sqrt(2 / (fan_in + fan_out)).

    Glorot and Bengio 2010, equation 12.
    """
    fan_in, fan_out = _fans(tensor, "xavier_normal_")
    std = gain * math.sqrt(2.0 / (fan_in + fan_out))
    return normal_(tensor, 0.0, std, generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform in +-gain sqrt(3 / fan).

    He et al., "Delving deep into rectifiers", 2015, equation 14.

    Parameters
    ----------
    a : float
        The negative slope of leaky_relu.
    mode : {'fan_in', 'fan_out'}
        Whether sizes are kept on the way forward or back.
    nonlinearity : str
        As for `calculate_gain`.

    Examples
    --------
    >>> import dotori
    >>> bool((abs(kaiming_uniform_(dotori.zeros(3, 6)).array) <= 1).all())
    True
    """
    std = _kaiming(tensor, a, mode, nonlinearity, "kaiming_uniform_")
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with the deviation gain / sqrt(fan): see `kaiming_uniform_`."""
    std = _kaiming(tensor, a, mode, nonlinearity, "kaiming_normal_")
    return normal_(tensor, 0.0, std, generator)


def orthogonal_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """A random (semi-)orthogonal matrix; axes after the first count as one.

    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning
    in deep linear neural networks", 2013. The signs make it evenly spread: Mezzadri,
    "How to generate random matrices from the classical compact groups", 2007.

    Examples
    --------
    >>> import dotori
    >>> w = orthogonal_(dotori.zeros(2, 5)).array
    >>> bool(abs(w @ w.T - [[1, 0], [0, 1]]).max() < 1e-6)
    True
    """
    if tensor.ndim < 2:
        raise ShapeError(
            f"orthogonal_: at least two axes are wanted, got shape {tensor.shape}"
        )
    if not tensor.numel():
        return tensor
    rows, cols = tensor.shape[0], tensor.numel() // tensor.shape[0]
    draws = _random(generator).normal((rows, cols), dtype=np.float64)
    q, r = np.linalg.qr(draws.T if rows < cols else draws)
    q = q * np.sign(np.diag(r))
    values = gain * (q.T if rows < cols else q)
    return _fill(tensor, values.reshape(tensor.shape), "init.orthogonal_")


def sparse_(
    tensor: Tensor,
    sparsity: float,
    std: float = 0.01,
    generator: Generator | None = None,
) -> Tensor:
    """Normal, with the share `sparsity` of each column set to zero.

    Martens, "Deep learning via Hessian-free optimization", 2010, section 5.

    Examples
    --------
    >>> import dotori
    >>> int((sparse_(dotori.ones(10, 2), 0.35).array == 0).sum())
    8
    """
    if tensor.ndim != 2 or not 0 <= sparsity <= 1:
        raise ArgumentError(
            "sparse_: two axes and a sparsity from 0 to 1 are wanted, got shape "
            f"{tensor.shape} and sparsity {sparsity}"
        )
    random = _random(generator)
    rows, cols = tensor.shape
    values = random.normal(tensor.shape, 0.0, std, tensor.dtype)
    for col in range(cols):
        values[random.permutation(rows)[: math.ceil(sparsity * rows)], col] = 0
    return _fill(tensor, values, "init.sparse_")


def _random(generator: Generator | None) -> Generator:
    return default_generator() if generator is None else generator


def _fill(tensor: Tensor, values: Array, by: str) -> Tensor:
    tensor.array[...] = to_device(values, tensor.device)
    note_change(tensor.array, by)
    return tensor


def _fans(tensor: Tensor, name: str) -> tuple[int, int]:
    """How many inputs an output is summed from, and how many outputs an input goes to.

    The weight has the shape (out, in, *kernel).
    """
    if tensor.ndim < 2:
        raise ShapeError(
            f"{name}: at least two axes (out, in) are wanted, got shape "
            f"{tensor.shape}; use uniform_ or zeros_ for a bias"
        )
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def _kaiming(
    tensor: Tensor, a: float, mode: str, nonlinearity: str, name: str
) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"{name}: mode must be fan_in or fan_out, got {mode!r}")
    fan = _fans(tensor, name)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0
