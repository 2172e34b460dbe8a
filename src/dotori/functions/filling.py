"""Filling a tensor's own memory with random numbers.

The numbers have no gradient: where the write is recorded, the gradient ends there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.errors import ArgumentError, DTypeError
from dotori.functions._numpy import TensorLike
from dotori.functions.inplace import assign
from dotori.functions.sampling import check_probabilities, numbers_of
from dotori.random import Generator, default_generator

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "bernoulli_",
    "cauchy_",
    "exponential_",
    "geometric_",
    "log_normal_",
    "normal_",
    "random_",
    "uniform_",
]


def _floats(x: Tensor, name: str) -> None:
    if x.dtype.kind != "f":
        raise DTypeError(f"{name}: a tensor of floats is wanted, got {x.dtype}")


def uniform_(
    x: Tensor,
    from_: float = 0.0,
    to: float = 1.0,
    *,
    generator: Generator | None = None,
    **start: float,
) -> Tensor:
    """Numbers spread evenly over [from, to); `from` may be given by that name.

    Examples
    --------
    >>> import dotori
    >>> 2 <= dotori.empty(1).uniform_(2, 3).item() < 3
    True
    """
    _floats(x, "uniform_")
    low = start.pop("from", from_)
    if start:
        raise ArgumentError(f"uniform_ has no argument {next(iter(start))!r}")
    if not low <= to:
        raise ArgumentError(f"uniform_: from, {low}, must not lie above to, {to}")
    source = generator or default_generator()
    return assign(x, ..., source.uniform(x.shape, low, to, x.dtype), "uniform_")


def normal_(
    x: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Any = None
) -> Tensor:
    """Numbers from the normal distribution with this mean and deviation.

    Examples
    --------
    >>> import dotori
    >>> dotori.empty(2).normal_(5.0, 0.0).tolist()
    [5.0, 5.0]
    """
    _floats(x, "normal_")
    if not std >= 0:
        raise ArgumentError(f"normal_: the deviation must not be negative, got {std}")
    source = generator or default_generator()
    return assign(x, ..., source.normal(x.shape, mean, std, x.dtype), "normal_")


def log_normal_(
    x: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Any = None
) -> Tensor:
    """e^z, where z has the normal distribution with this mean and deviation.

    Examples
    --------
    >>> import dotori
    >>> dotori.empty(1).log_normal_(0.0, 1e-9).round().tolist()
    [1.0]
    """
    _floats(x, "log_normal_")
    if not std > 0:
        raise ArgumentError(f"log_normal_: the deviation must be positive, got {std}")
    source = generator or default_generator()
    z = source.normal(x.shape, mean, std, x.dtype)
    return assign(x, ..., np.exp(z), "log_normal_")


def exponential_(x: Tensor, lambd: float = 1.0, *, generator: Any = None) -> Tensor:
    """Numbers with the density lambd e^(-lambd t), t > 0.

    Examples
    --------
    >>> import dotori
    >>> dotori.empty(1).exponential_().item() > 0
    True
    """
    _floats(x, "exponential_")
    if not lambd > 0:
        raise ArgumentError(f"exponential_: lambd must be positive, got {lambd}")
    source = numbers_of(generator)
    # Never 0, so that dividing by a draw is safe, as PyTorch promises.
    draw = np.maximum(source.standard_exponential(x.shape), np.finfo(x.dtype).tiny)
    return assign(x, ..., draw / lambd, "exponential_")


def cauchy_(
    x: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None
) -> Tensor:
    """Numbers with the density sigma / (pi ((t - median)^2 + sigma^2)).

    Examples
    --------
    >>> import dotori
    >>> dotori.empty(3).cauchy_().isfinite().all().item()
    True
    """
    _floats(x, "cauchy_")
    if not sigma > 0:
        raise ArgumentError(f"cauchy_: sigma must be positive, got {sigma}")
    source = numbers_of(generator)
    draw = median + sigma * np.tan(math.pi * (source.random(x.shape) - 0.5))
    return assign(x, ..., draw, "cauchy_")


def geometric_(x: Tensor, p: float, *, generator: Any = None) -> Tensor:
    """The number of trials up to the first success, each with probability `p`.

    Examples
    --------
    >>> import dotori
    >>> dotori.empty(1).geometric_(1.0 - 1e-12).tolist()
    [1.0]
    """
    if not 0 < p < 1:
        raise ArgumentError(f"geometric_: p must lie between 0 and 1, got {p}")
    source = numbers_of(generator)
    return assign(x, ..., source.geometric(p, x.shape), "geometric_")


def bernoulli_(x: Tensor, p: TensorLike = 0.5, *, generator: Any = None) -> Tensor:
    """1 with probability `p`, a number or a tensor, else 0.

    Examples
    --------
    >>> import dotori
    >>> dotori.empty(2).bernoulli_(1.0).tolist()
    [1.0, 1.0]
    """
    chance = np.asarray(getattr(p, "array", p))
    check_probabilities("bernoulli_", chance)
    source = numbers_of(generator)
    return assign(x, ..., source.random(x.shape) < chance, "bernoulli_")


def random_(
    x: Tensor, from_: int = 0, to: int | None = None, *, generator: Any = None
) -> Tensor:
    """Integers from `from_`, ..., `to` - 1; with one number, from 0, ..., number - 1.

    Without numbers: all integers that the type holds and that are not negative; for
    floats, those up to 2^24 in float32 and 2^53 in float64, which are exact.

    Examples
    --------
    >>> import dotori
    >>> dotori.empty(3).random_(1).tolist()
    [0.0, 0.0, 0.0]
    """
    low, high = (from_, to) if to is not None else (0, from_ or _last_integer(x) + 1)
    if low >= high:
        raise ArgumentError(f"random_: {low} to {high} holds no integer")
    source = numbers_of(generator)
    draw = source.integers(low, high - 1, x.shape, np.int64, endpoint=True)
    return assign(x, ..., draw, "random_")


def _last_integer(x: Tensor) -> int:
    if x.dtype.kind == "f":
        digits = int(np.finfo(x.dtype).nmant) + 1
        return 1 << digits
    return 1 if x.dtype.kind == "b" else min(int(np.iinfo(x.dtype).max), 2**63 - 1)
