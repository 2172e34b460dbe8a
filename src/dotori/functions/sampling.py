"""Tensors of random numbers.

Every function draws from the calling thread's stream, or from `generator`. A sample has
no gradient: what its distribution depends on is read as plain numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import as_variable, wrap
from dotori.backend import as_array
from dotori.dtypes import get_default_dtype, int64
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.creation import _finish, _shape
from dotori.random import Generator, default_generator

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "bernoulli",
    "binomial",
    "multinomial",
    "normal",
    "poisson",
    "rand_like",
    "randint",
    "randint_like",
    "randn_like",
    "randperm",
]


def numbers_of(generator: Generator | None) -> np.random.Generator:
    """NumPy's generator beneath the stream that is meant."""
    return (generator or default_generator()).numpy()


def check_probabilities(place: str, values: Any) -> None:
    """Raise if one of `values` lies outside of [0, 1] or is NaN."""
    if not ((values >= 0) & (values <= 1)).all():
        raise ArgumentError(f"{place}: a probability must lie between 0 and 1")


def _float_type(x: Tensor, dtype: DTypeLike | None) -> np.dtype[Any]:
    chosen = np.dtype(x.dtype if dtype is None else dtype)
    if chosen.kind != "f":
        raise DTypeError(f"random floats were wanted as {chosen}; give a float dtype")
    return chosen


def rand_like(
    x: TensorLike,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers spread evenly over [0, 1), in the shape and type of `x`.

    Examples
    --------
    >>> import dotori
    >>> rand_like(dotori.zeros(2, 3)).shape
    (2, 3)
    """
    x = as_variable(x)
    source = generator or default_generator()
    array = source.uniform(x.shape, dtype=_float_type(x, dtype))
    return _finish(array, requires_grad, device)


def randn_like(
    x: TensorLike,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from the standard normal distribution, in the shape and type of `x`.

    Examples
    --------
    >>> import dotori
    >>> randn_like(dotori.zeros(2, 3)).shape
    (2, 3)
    """
    x = as_variable(x)
    source = generator or default_generator()
    return _finish(
        source.normal(x.shape, dtype=_float_type(x, dtype)), requires_grad, device
    )


def _integers(
    low: int, high: int, shape: tuple[int, ...], generator: Generator | None
) -> Any:
    low, high = int(low), int(high)
    if low >= high:
        raise ArgumentError(f"randint: {low} to {high} holds no integer")
    return (generator or default_generator()).integers(low, high, shape)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers from low, ..., high - 1: ``randint(high, size)`` or with `low` before.

    Raises
    ------
    ArgumentError
        If there is no integer from `low` up to and without `high`.

    Examples
    --------
    >>> x = randint(3, 10, (100,))
    >>> x.min().item() >= 3, x.max().item() < 10
    (True, True)
    """
    if size is None:
        low, high, size = 0, low, high
    if size is None:
        raise ArgumentError("randint: a size is missing, for example randint(10, (3,))")
    array = _integers(low, high, _shape((size,)), generator)
    return _finish(
        array.astype(int64 if dtype is None else dtype), requires_grad, device
    )


def randint_like(
    x: TensorLike,
    low: int,
    high: int | None = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers from low, ..., high - 1 in the shape and type of `x`.

    Examples
    --------
    >>> import dotori
    >>> randint_like(dotori.zeros(2), 0, 5).dtype
    dtype('float32')
    """
    x = as_variable(x)
    if high is None:
        low, high = 0, low
    array = _integers(low, high, x.shape, generator)
    return _finish(
        array.astype(x.dtype if dtype is None else dtype), requires_grad, device
    )


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The integers 0, ..., n - 1 in random order.

    Examples
    --------
    >>> randperm(4).sort().values.tolist()
    [0, 1, 2, 3]
    """
    if n < 0:
        raise ArgumentError(f"randperm: n must not be negative, got {n}")
    order = (generator or default_generator()).permutation(n)
    order = order.astype(int64 if dtype is None else dtype, copy=False)
    return _finish(order, requires_grad, device)


def bernoulli(
    x: TensorLike, p: float | None = None, *, generator: Generator | None = None
) -> Tensor:
    """1 with the probability in each element of `x` (or with `p`), else 0.

    Raises
    ------
    ArgumentError
        If a probability lies outside of [0, 1].

    Examples
    --------
    >>> bernoulli([0.0, 1.0]).tolist()
    [0.0, 1.0]
    """
    x = as_variable(x)
    chance = x.array if p is None else np.asarray(p)
    if chance.dtype.kind != "f":
        raise DTypeError(f"bernoulli: probabilities are floats, got {chance.dtype}")
    check_probabilities("bernoulli", chance)
    drawn = numbers_of(generator).random(x.shape) < chance
    return wrap(as_array(drawn).astype(x.dtype))


def normal(
    mean: TensorLike,
    std: TensorLike = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from normal distributions with these means and deviations.

    With two numbers, `size` is the shape; otherwise `mean` and `std` broadcast to it.

    Raises
    ------
    ArgumentError
        If a deviation is negative, or two numbers come without a `size`.

    Examples
    --------
    >>> import dotori
    >>> normal(dotori.zeros(3), 2.0).shape, normal(0.0, 1.0, (2, 2)).shape
    ((3,), (2, 2))
    """
    arrays: list[Any] = [getattr(v, "array", v) for v in (mean, std)]
    if not (np.asarray(arrays[1]) >= 0).all():
        raise ArgumentError("normal: a deviation must not be negative")
    tensors = [a for a in arrays if isinstance(a, np.ndarray)]
    if size is None and not tensors:
        raise ArgumentError("normal: of two numbers, a size is wanted as well")
    try:
        shape = np.broadcast_shapes(*(a.shape for a in tensors))
    except ValueError as error:
        raise ShapeError(
            f"normal: the shapes {arrays[0].shape} of the means and {arrays[1].shape} "
            "of the deviations do not go together"
        ) from error
    if size is not None:
        shape = _shape((size,))
    if dtype is None:
        dtype = np.result_type(*tensors) if tensors else get_default_dtype()
    draw = numbers_of(generator).standard_normal(shape)
    return _finish(
        np.asarray(arrays[0] + arrays[1] * draw, dtype), requires_grad, device
    )


def poisson(x: TensorLike, generator: Generator | None = None) -> Tensor:
    """Counts from the Poisson distributions with these rates, in the type of `x`.

    Examples
    --------
    >>> poisson([0.0]).tolist()
    [0.0]
    """
    x = as_variable(x)
    if not (x.array >= 0).all():
        raise ArgumentError("poisson: a rate must not be negative")
    return wrap(as_array(numbers_of(generator).poisson(x.array)).astype(x.dtype))


def binomial(
    count: TensorLike, prob: TensorLike, generator: Generator | None = None
) -> Tensor:
    """How many of `count` trials succeed, each with probability `prob`.

    Examples
    --------
    >>> binomial([3.0, 3.0], [0.0, 1.0]).tolist()
    [0.0, 3.0]
    """
    n, p = as_variable(count), as_variable(prob)
    if not ((p.array >= 0) & (p.array <= 1)).all() or not (n.array >= 0).all():
        raise ArgumentError(
            "binomial: counts must not be negative, probabilities lie between 0 and 1"
        )
    drawn = numbers_of(generator).binomial(n.array.astype(int64), p.array)
    return wrap(as_array(drawn).astype(n.dtype))


def multinomial(
    x: TensorLike,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Indices into each row of weights, drawn with probability in proportion to them.

    Without replacement the draw is a race: category i finishes at a time from the
    exponential distribution with rate w_i, and the first `num_samples` win (Efraimidis
    and Spirakis, "Weighted random sampling with a reservoir", 2006).

    Parameters
    ----------
    x : Tensor
        Weights, not negative, of shape (categories,) or (rows, categories).
    num_samples : int
        At most the number of categories, unless `replacement`.

    Examples
    --------
    >>> multinomial([0.0, 0.0, 1.0], 2, replacement=True).tolist()
    [2, 2]
    """
    weights = as_variable(x).array
    _check_weights(weights, num_samples, replacement)
    rows = np.atleast_2d(weights).astype(np.float64)
    numbers = numbers_of(generator)
    if replacement:
        ends = rows.cumsum(axis=1)
        drawn = numbers.random((len(rows), num_samples)) * ends[:, -1:]
        chosen = [
            np.searchsorted(end, d, side="right")
            for end, d in zip(ends, drawn, strict=True)
        ]
        indices = np.asarray(chosen, int64).reshape(len(rows), num_samples)
    else:
        with np.errstate(divide="ignore"):
            times = numbers.standard_exponential(rows.shape) / rows
        indices = np.argsort(times, axis=1, kind="stable")[:, :num_samples]
    return wrap(indices.reshape(*weights.shape[:-1], num_samples))


def _check_weights(weights: Any, num_samples: int, replacement: bool) -> None:
    if weights.ndim not in (1, 2) or weights.dtype.kind != "f":
        raise ShapeError(
            "multinomial: weights are floats of shape (categories,) or (rows, "
            f"categories), got {weights.dtype} of shape {weights.shape}"
        )
    if not ((weights >= 0) & (weights < np.inf)).all():
        raise ArgumentError("multinomial: a weight is negative, infinite or NaN")
    if (weights.sum(axis=-1) <= 0).any():
        raise ArgumentError("multinomial: the weights of a row add up to zero")
    if num_samples <= 0:
        raise ArgumentError(f"multinomial: num_samples is {num_samples}, not positive")
    possible = (weights > 0).sum(axis=-1).min()
    if not replacement and num_samples > possible:
        raise ArgumentError(
            f"multinomial: {num_samples} samples without replacement of {possible} "
            "categories with a weight; pass replacement=True"
        )
