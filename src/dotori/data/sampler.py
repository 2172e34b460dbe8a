"""Samplers: the order in which an epoch visits the samples.

A sampler here makes the whole epoch's order at once, as one array that is a function
of a generator (`IndexSampler.indices`); a loader cuts it into batches. Iterating over a
sampler gives Python integers, as in PyTorch.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeGuard, TypeVar

import numpy as np
from numpy.typing import NDArray

from dotori.data.dataset import Indices, as_indices, plain
from dotori.errors import ArgumentError, ShapeError
from dotori.random import Generator, default_generator, use_generator

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """Anything that can be iterated over for indices, or for lists of them."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__")


class IndexSampler(Sampler[int]):
    """A sampler whose epoch is one array: subclasses define `indices` and ``__len__``.

    Parameters
    ----------
    generator : Generator, optional
        Iterating draws from it, or from the default generator. A loader draws nothing
        from it: it derives one stream an epoch, so that any epoch can be repeated.
    """

    def __init__(self, generator: Generator | None = None) -> None:
        self.generator = generator

    def indices(self, generator: Generator) -> Indices:
        """The order of one epoch, drawn from `generator`."""
        raise NotImplementedError(f"{type(self).__name__} must define indices")

    def __iter__(self) -> Iterator[int]:
        return iter(plain(self.indices(self.generator or default_generator())))

    def __len__(self) -> int:
        raise TypeError(f"{type(self).__name__} does not define __len__")


class SequentialSampler(IndexSampler):
    """0, 1, ..., n - 1.

    Examples
    --------
    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        super().__init__()
        self.data_source = data_source

    def indices(self, generator: Generator) -> range:
        return range(len(self))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(IndexSampler):
    """Samples in random order, each once an epoch; or drawn with replacement.

    Parameters
    ----------
    data_source : sized
    replacement : bool
        Draw every sample from all of them, whatever was drawn before.
    num_samples : int, optional
        Draws in an epoch: by default as many as there are samples. Beyond that and
        without replacement, one random order follows the other.
    generator : Generator, optional

    Examples
    --------
    >>> sorted(RandomSampler("abcd", generator=Generator(0)))
    [0, 1, 2, 3]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(generator)
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        if num_samples is not None:
            check_positive("RandomSampler", "num_samples", num_samples)

    @property
    def num_samples(self) -> int:
        """How many indices an epoch has."""
        given = self._num_samples
        return len(self.data_source) if given is None else given

    def indices(self, generator: Generator) -> NDArray[np.int64]:
        n, wanted = len(self.data_source), self.num_samples
        if wanted and not n:
            raise ArgumentError("RandomSampler cannot draw from an empty dataset")
        if self.replacement:
            return generator.integers(0, n, (wanted,)) if wanted else _NOTHING
        if wanted == n:
            return generator.permutation(n)
        rounds = [generator.permutation(n) for _ in range(-(-wanted // n))]
        return np.concatenate(rounds)[:wanted]

    def __len__(self) -> int:
        return self.num_samples


_NOTHING = np.empty(0, dtype=np.int64)


class SubsetRandomSampler(IndexSampler):
    """The given indices in random order, each once.

    Examples
    --------
    >>> sorted(SubsetRandomSampler([7, 3, 5]))
    [3, 5, 7]
    """

    def __init__(
        self,
        indices: Sequence[int] | NDArray[Any],
        generator: Generator | None = None,
    ) -> None:
        super().__init__(generator)
        self._from = np.asarray(as_indices(indices), dtype=np.int64)

    def indices(self, generator: Generator) -> NDArray[np.int64]:
        return self._from[generator.permutation(len(self._from))]

    def __len__(self) -> int:
        return len(self._from)


class WeightedRandomSampler(IndexSampler):
    """Sample i is drawn with a probability proportional to ``weights[i]``.

    Without replacement, the n samples with the smallest e_i / w_i are taken, e_i from
    the exponential distribution: this is one draw after the other, each in proportion
    to the weights that are left (Efraimidis and Spirakis, "Weighted random sampling
    with a reservoir", IPL 2006).

    Parameters
    ----------
    weights : array, shape (n,)
        Finite numbers of 0 or more; they need not add up to 1.
    num_samples : int
        Draws in an epoch.
    replacement : bool
    generator : Generator, optional

    Examples
    --------
    >>> list(WeightedRandomSampler([0.0, 2.0, 0.0], 3))
    [1, 1, 1]
    """

    def __init__(
        self,
        weights: Any,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(generator)
        check_positive("WeightedRandomSampler", "num_samples", num_samples)
        self.weights = _check_weights(weights)
        self.num_samples = int(num_samples)
        self.replacement = replacement
        possible = int(np.count_nonzero(self.weights))
        if not possible or (not replacement and num_samples > possible):
            raise ArgumentError(
                f"WeightedRandomSampler: {possible} weights are above zero, too few to "
                f"draw {num_samples} samples with replacement={replacement}"
            )

    def indices(self, generator: Generator) -> NDArray[np.int64]:
        if self.replacement:
            edges = np.cumsum(self.weights)
            drawn = generator.uniform((self.num_samples,), dtype=np.float64)
            found = np.searchsorted(edges / edges[-1], drawn, "right")
            return found.astype(np.int64, copy=False)
        u = generator.uniform(self.weights.shape, dtype=np.float64)
        with np.errstate(divide="ignore"):  # a weight of 0 waits for ever
            waiting = -np.log1p(-u) / self.weights
        waiting[self.weights == 0] = np.inf
        return np.argsort(waiting, kind="stable")[: self.num_samples]

    def __len__(self) -> int:
        return self.num_samples


def _check_weights(weights: Any) -> NDArray[np.float64]:
    array = np.asarray(getattr(weights, "array", weights), dtype=np.float64)
    if array.ndim != 1:
        raise ShapeError(
            f"WeightedRandomSampler: weights must have one axis, got {array.shape}"
        )
    if not np.isfinite(array).all() or (array < 0).any():
        raise ArgumentError("WeightedRandomSampler: weights must be finite and >= 0")
    return array


class BatchSampler(Sampler[list[int]]):
    """The indices of a sampler, cut into batches.

    Parameters
    ----------
    sampler : iterable of int
    batch_size : int
    drop_last : bool
        Leave out a last batch that is not full.

    Examples
    --------
    >>> list(BatchSampler(SequentialSampler("abcde"), 2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self, sampler: Iterable[Any], batch_size: int, drop_last: bool
    ) -> None:
        check_positive(type(self).__name__, "batch_size", batch_size)
        self.sampler = sampler
        self.batch_size = int(batch_size)
        self.drop_last = bool(drop_last)

    @property
    def generator(self) -> Generator | None:
        """The sampler's own generator, if it has one."""
        return getattr(self.sampler, "generator", None)

    def batches(self, generator: Generator) -> Iterator[Indices | list[Any]]:
        """The batches of one epoch: slices of one array wherever the sampler has one.

        A sampler of another kind is iterated over, and need not end.
        """
        if not draws_arrays(self.sampler):
            return self._chunks(under(generator, self.sampler))
        order, size = self.sampler.indices(generator), self.batch_size
        end = len(order) - len(order) % size if self.drop_last else len(order)
        return (order[start : start + size] for start in range(0, end, size))

    def _chunks(self, indices: Iterator[Any]) -> Iterator[list[Any]]:
        while chunk := list(itertools.islice(indices, self.batch_size)):
            if len(chunk) == self.batch_size or not self.drop_last:
                yield chunk

    def __iter__(self) -> Iterator[list[int]]:
        stream = self.generator or default_generator()
        return (list(plain(batch)) for batch in self.batches(stream))

    def __len__(self) -> int:
        n: int = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


def draws_arrays(sampler: object) -> TypeGuard[IndexSampler]:
    """Whether `indices` is this sampler's order: a subclass may change ``__iter__``."""
    kind = type(sampler)
    return issubclass(kind, IndexSampler) and kind.__iter__ is IndexSampler.__iter__


def draws_batches(sampler: object) -> TypeGuard[BatchSampler]:
    """Whether `batches` is this sampler's order: a subclass may change ``__iter__``."""
    kind = type(sampler)
    return issubclass(kind, BatchSampler) and kind.__iter__ is BatchSampler.__iter__


def under(generator: Generator, iterable: Iterable[Any]) -> Iterator[Any]:
    """The items of `iterable`, which draws its random numbers from `generator`."""
    with use_generator(generator):
        iterator = iter(iterable)
    while True:
        with use_generator(generator):
            try:
                item = next(iterator)
            except StopIteration:
                return
        yield item


def check_positive(place: str, name: str, value: Any) -> None:
    """Raise ArgumentError unless `value` is an integer of 1 or more."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < 1:
        raise ArgumentError(f"{place}: {name} must be an integer > 0, got {value!r}")
