"""Samplers that look at the data: at its classes, groups or lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.data.sampler import BatchSampler, IndexSampler, check_positive
from dotori.errors import ShapeError
from dotori.random import Generator


class StratifiedSampler(IndexSampler):
    """A random order in which every stretch holds the classes in their shares.

    Member j of a class with n_c members is placed at (j + u) / n_c of the epoch, u
    being uniform in [0, 1), and the members are numbered at random.

    Parameters
    ----------
    labels : array, shape (n,)
        The class of each sample: integers, text, anything that sorts.
    generator : Generator, optional

    Examples
    --------
    >>> order = list(StratifiedSampler(["a", "b"] * 50, Generator(0)))
    >>> sum(i % 2 for i in order[:20]) in (9, 10, 11)
    True
    """

    def __init__(self, labels: Any, generator: Generator | None = None) -> None:
        super().__init__(generator)
        self._codes, self._sizes = _codes("StratifiedSampler", "labels", labels)

    def indices(self, generator: Generator) -> NDArray[np.int64]:
        members, rank, sizes = self._members(generator)
        jitter = generator.uniform(rank.shape, dtype=np.float64)
        return members[np.argsort((rank + jitter) / sizes, kind="stable")]

    def _members(
        self, generator: Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Samples class by class, shuffled; number within the class; class size."""
        shuffled = generator.permutation(len(self._codes))
        members = shuffled[np.argsort(self._codes[shuffled], kind="stable")]
        first = np.cumsum(self._sizes) - self._sizes
        rank = np.arange(len(members)) - np.repeat(first, self._sizes)
        return members, rank, np.repeat(self._sizes, self._sizes)

    def __len__(self) -> int:
        return len(self._codes)


class _StratifiedBatches(StratifiedSampler):
    """Member j of a class is due at (j + 1/2) / n_c; batches are cut, then shuffled.

    Up to any moment of the epoch a class has then had its share to within half a
    sample (Inman and Bulfin, "Sequencing JIT mixed-model assembly lines", Management
    Science 1991).
    """

    def __init__(
        self, labels: Any, batch_size: int, generator: Generator | None
    ) -> None:
        super().__init__(labels, generator)
        self._batch_size = batch_size

    def indices(self, generator: Generator) -> NDArray[np.int64]:
        members, rank, sizes = self._members(generator)
        ties = generator.uniform(rank.shape, dtype=np.float64)
        members = members[np.lexsort((ties, (rank + 0.5) / sizes))]
        batch = np.arange(len(members)) // self._batch_size
        mixed = batch + generator.uniform(batch.shape, dtype=np.float64)
        return members[np.argsort(mixed, kind="stable")]


class StratifiedBatchSampler(BatchSampler):
    """Random batches, each with the classes in the shares of the whole data set.

    With K classes, the number of samples of a class in a batch differs from
    ``batch_size * share`` by at most ``1 + K * share``, and mostly by less than 1.

    Parameters
    ----------
    labels : array, shape (n,)
    batch_size : int
    drop_last : bool
    generator : Generator, optional

    Examples
    --------
    >>> labels = np.array([0] * 90 + [1] * 10)
    >>> batches = StratifiedBatchSampler(labels, 20, generator=Generator(0))
    >>> [int(labels[batch].sum()) for batch in batches]
    [2, 2, 2, 2, 2]
    """

    def __init__(
        self,
        labels: Any,
        batch_size: int,
        drop_last: bool = False,
        generator: Generator | None = None,
    ) -> None:
        check_positive("StratifiedBatchSampler", "batch_size", batch_size)
        order = _StratifiedBatches(labels, batch_size, generator)
        super().__init__(order, batch_size, drop_last)


class GroupSampler(IndexSampler):
    """Groups in random order; the samples of a group follow one another as they stand.

    Parameters
    ----------
    groups : array, shape (n,)
        The group of each sample: a patient, a session, a document.
    generator : Generator, optional

    Examples
    --------
    >>> list(GroupSampler(["x", "y", "x"], Generator(0))) in ([0, 2, 1], [1, 0, 2])
    True
    """

    def __init__(self, groups: Any, generator: Generator | None = None) -> None:
        super().__init__(generator)
        self._codes, self._sizes = _codes("GroupSampler", "groups", groups)

    def indices(self, generator: Generator) -> NDArray[np.int64]:
        turn = generator.permutation(len(self._sizes))
        return np.argsort(turn[self._codes], kind="stable")

    def __len__(self) -> int:
        return len(self._codes)


class LengthBatchSampler(BatchSampler):
    """Random batches of samples of similar length, which need little padding.

    The epoch is shuffled, cut into stretches of ``batches_per_bucket`` batches, each
    stretch is sorted by length and cut into batches, and the batches are shuffled. A
    batch that is not full stays last.

    Parameters
    ----------
    lengths : array, shape (n,)
    batch_size : int
    drop_last : bool
    generator : Generator, optional
    batches_per_bucket : int
        More of them need less padding, fewer are closer to a plain shuffle.

    Examples
    --------
    >>> sampler = LengthBatchSampler([9, 1, 8, 2], 2, generator=Generator(0))
    >>> sorted(sorted(batch) for batch in sampler)
    [[0, 2], [1, 3]]
    """

    def __init__(
        self,
        lengths: Any,
        batch_size: int,
        drop_last: bool = False,
        generator: Generator | None = None,
        batches_per_bucket: int = 100,
    ) -> None:
        check_positive("LengthBatchSampler", "batch_size", batch_size)
        check_positive("LengthBatchSampler", "batches_per_bucket", batches_per_bucket)
        order = _SimilarLengths(lengths, batch_size, batches_per_bucket, generator)
        super().__init__(order, batch_size, drop_last)


class _SimilarLengths(IndexSampler):
    def __init__(
        self, lengths: Any, batch_size: int, batches: int, generator: Generator | None
    ) -> None:
        super().__init__(generator)
        self._lengths = _one_axis("LengthBatchSampler", "lengths", lengths)
        self._batch_size, self._bucket = batch_size, batch_size * batches

    def indices(self, generator: Generator) -> NDArray[np.int64]:
        n, size = len(self), self._batch_size
        order = generator.permutation(n)
        bucket = np.arange(n) // self._bucket
        order = order[np.lexsort((self._lengths[order], bucket))]
        full = n - n % size
        batches = order[:full].reshape(-1, size)
        batches = batches[generator.permutation(len(batches))]
        return np.concatenate([batches.ravel(), order[full:]])

    def __len__(self) -> int:
        return len(self._lengths)


def _codes(
    place: str, name: str, values: Any
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for each distinct value, and how often each occurs."""
    array = _one_axis(place, name, values)
    _, codes, sizes = np.unique(array, return_inverse=True, return_counts=True)
    return codes.astype(np.int64, copy=False), sizes.astype(np.int64, copy=False)


def _one_axis(place: str, name: str, values: Any) -> NDArray[Any]:
    array = np.asarray(getattr(values, "array", values))
    if array.ndim != 1:
        raise ShapeError(f"{place}: {name} must have one axis, got {array.shape}")
    return array
