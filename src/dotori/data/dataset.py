"""Datasets: what can be asked for sample number i, or for many samples at once.

A dataset that defines ``__getitems__(indices)`` is asked once for a whole batch. Those
that hold arrays answer with a `Batch`, gathered by one call a column: this is what
makes a loader over arrays as fast as indexing them by hand.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from dotori._tensor import Tensor
from dotori.autograd import wrap
from dotori.errors import ArgumentError, ShapeError
from dotori.functions.creation import to_array
from dotori.random import Generator, default_generator

T_co = TypeVar("T_co", covariant=True)

#: The samples of a batch: an int64 array, or a range where they follow one another.
Indices: TypeAlias = NDArray[np.int64] | range


class Indexable(Protocol[T_co]):
    """What a loader reads from: a Dataset, a list, a dictionary."""

    def __getitem__(self, index: Any, /) -> T_co: ...

    def __len__(self) -> int: ...


class Batch(tuple[Any, ...]):
    """Columns of samples that are stacked already; a loader hands it on as it is.

    ``__getitems__`` of a dataset may return one, with a Tensor or array a column whose
    first axis counts the samples.
    """

    __slots__ = ()

    def samples(self) -> list[tuple[Any, ...]]:
        """The samples one by one, as ``dataset[i]`` gives them."""
        rows = [[wrap(np.asarray(row)) for row in to_array(c)] for c in self]
        return list(zip(*rows, strict=True))


class Dataset(Generic[T_co]):
    """Samples that are numbered from 0: subclasses define both methods below.

    ``__getitems__(indices)`` is optional. It gets an int64 array and returns a list of
    samples, or a `Batch`.

    Examples
    --------
    >>> class Squares(Dataset[int]):
    ...     def __getitem__(self, index: int) -> int:
    ...         return index**2
    ...
    ...     def __len__(self) -> int:
    ...         return 10
    >>> Squares()[3], len(Squares() + Squares())
    (9, 20)
    """

    # dotori's own datasets also take a range, and answer with a view of their memory.
    _takes_ranges: ClassVar[bool] = False

    def __getitem__(self, index: int, /) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__")

    def __len__(self) -> int:
        # len() speaks of a missing length by TypeError; list() relies on it.
        raise TypeError(f"{type(self).__name__} does not define __len__")

    def __add__(self, other: Dataset[T_co]) -> Dataset[T_co]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Samples that come as a stream: subclasses define ``__iter__``.

    With workers, each worker iterates over the whole dataset, as in PyTorch: divide
    the stream by `get_worker_info` inside of ``__iter__``.

    Examples
    --------
    >>> class Countdown(IterableDataset[int]):
    ...     def __iter__(self) -> Iterator[int]:
    ...         return iter([3, 2, 1])
    >>> list(Countdown() + Countdown())
    [3, 2, 1, 3, 2, 1]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__")

    def __add__(self, other: Dataset[T_co]) -> Dataset[T_co]:
        if not isinstance(other, IterableDataset):
            raise ArgumentError(
                "an IterableDataset can be followed only by another one, got "
                f"{type(other).__name__}"
            )
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Arrays or tensors of equal length: sample i is row i of each.

    Memory is shared with what is given. A batch of shuffled rows is one gather an
    array; consecutive rows are a view, which is read-only so that an in-place change
    of a batch cannot reach the data.

    Parameters
    ----------
    *tensors : Tensor or array, shape (n, ...)

    Raises
    ------
    ShapeError
        If the first axes differ in length.

    Examples
    --------
    >>> data = TensorDataset(np.eye(3), np.arange(3))
    >>> x, y = data[1]
    >>> x.tolist(), y.item()
    ([0.0, 1.0, 0.0], 1)
    >>> x, y = data.__getitems__(np.array([2, 0]))
    >>> y.tolist()
    [2, 0]
    """

    _takes_ranges = True

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise ArgumentError("TensorDataset needs at least one array or tensor")
        self.arrays: tuple[NDArray[Any], ...] = tuple(map(to_array, tensors))
        shapes = [array.shape for array in self.arrays]
        if any(not shape or shape[0] != shapes[0][0] for shape in shapes):
            raise ShapeError(
                "TensorDataset needs arrays whose first axes are of equal length, "
                f"got shapes {', '.join(map(str, shapes))}"
            )

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The columns as tensors on the same memory."""
        return tuple(map(wrap, self.arrays))

    def __getitem__(self, index: int, /) -> tuple[Tensor, ...]:
        return tuple([wrap(np.asarray(array[index])) for array in self.arrays])

    def __getitems__(self, indices: Indices | Sequence[int]) -> Batch:
        """The rows `indices` of every column, each gathered by one call."""
        if type(indices) is range:
            return Batch([wrap(_rows(array, indices)) for array in self.arrays])
        if type(indices) is not np.ndarray:
            indices = np.array(indices, dtype=np.int64)
        return Batch([wrap(_gather(array, indices)) for array in self.arrays])

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __repr__(self) -> str:
        columns = ", ".join(f"{a.dtype}{list(a.shape)}" for a in self.arrays)
        return f"TensorDataset({columns})"


def _gather(array: NDArray[Any], indices: NDArray[Any]) -> NDArray[Any]:
    # take is 2.5 times as fast as array[indices] on rows that lie together, but it
    # copies the whole array first where they do not.
    if array.flags.c_contiguous:
        return array.take(indices, 0)
    rows: NDArray[Any] = array[indices]
    return rows


def _rows(array: NDArray[Any], rows: range) -> NDArray[Any]:
    if rows and max(rows[0], rows[-1]) >= len(array):
        raise IndexError(f"{rows} is out of bounds for {len(array)} samples")
    view: NDArray[Any] = array[rows.start : rows.stop : rows.step]
    view.flags.writeable = False
    return view


def fetch_samples(dataset: Any, indices: Indices | list[Any]) -> list[Any] | Batch:
    """The samples `indices` of any dataset, in one call where it offers one.

    Parameters
    ----------
    dataset : Dataset, or anything with ``__getitem__``
    indices : int64 array, range, or list of keys
    """
    if hasattr(dataset, "__getitems__"):
        if type(indices) is range and not getattr(dataset, "_takes_ranges", False):
            indices = np.asarray(indices, dtype=np.int64)
        fetched: list[Any] | Batch = dataset.__getitems__(indices)
        return fetched
    at: Any = None
    try:
        return [dataset[(at := index)] for index in plain(indices)]
    except Exception as error:
        error.add_note(f"while reading sample {at!r} of {type(dataset).__name__}")
        raise


def plain(indices: Indices | list[Any]) -> range | list[Any]:
    """Indices as Python's own integers, which dictionaries and JSON understand."""
    return indices.tolist() if isinstance(indices, np.ndarray) else indices


class Subset(Dataset[T_co]):
    """The samples of `dataset` at `indices`, in this order.

    Examples
    --------
    >>> Subset(["a", "b", "c"], [2, 0])[0]
    'c'
    """

    _takes_ranges = True

    def __init__(
        self, dataset: Indexable[T_co], indices: Sequence[int] | NDArray[Any]
    ) -> None:
        self.dataset = dataset
        self.indices = indices
        self._chosen = as_indices(indices)

    def __getitem__(self, index: int, /) -> T_co:
        return self.dataset[int(self._chosen[index])]

    def __getitems__(self, indices: Indices | Sequence[int]) -> list[Any] | Batch:
        return fetch_samples(self.dataset, compose(self._chosen, indices))

    def __len__(self) -> int:
        return len(self._chosen)


def as_indices(indices: Any) -> Indices:
    """`indices` as a range, or as an int64 array with one axis."""
    if type(indices) is range:
        return indices
    array = np.asarray(indices)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise ArgumentError(
            "indices must be a sequence of integers, got "
            f"{array.dtype} of shape {array.shape}"
        )
    return array.astype(np.int64, copy=False)


def compose(outer: Indices, inner: Indices | Sequence[int]) -> Indices:
    """``[outer[i] for i in inner]`` as indices; a view or a range where it can be."""
    if type(inner) is not range:
        return np.asarray(outer, dtype=np.int64)[np.asarray(inner, dtype=np.int64)]
    return outer[inner.start : inner.stop : inner.step]


class ConcatDataset(Dataset[T_co]):
    """The samples of several datasets, one dataset after the other.

    Examples
    --------
    >>> both = ConcatDataset([["a", "b"], ["c"]])
    >>> both[2], both[-1], len(both)
    ('c', 'c', 3)
    """

    _takes_ranges = True

    def __init__(self, datasets: Iterable[Indexable[T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ArgumentError("ConcatDataset needs at least one dataset")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise ArgumentError(
                "ConcatDataset cannot hold an IterableDataset; use ChainDataset"
            )
        sizes = [len(d) for d in self.datasets]
        self.cumulative_sizes = list(itertools.accumulate(sizes))
        self._ends = np.array(self.cumulative_sizes)
        self._starts = self._ends - sizes

    def __getitem__(self, index: int, /) -> T_co:
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(f"index {index} is out of bounds for {len(self)} samples")
        part = int(self._ends.searchsorted(at, "right"))
        return self.datasets[part][at - int(self._starts[part])]

    def __getitems__(self, indices: Indices | Sequence[int]) -> list[Any] | Batch:
        if len(indices) == 0:
            return fetch_samples(self.datasets[0], np.empty(0, np.int64))
        wanted = np.asarray(indices, dtype=np.int64)
        if wanted.min() < 0 or wanted.max() >= len(self):
            raise IndexError(f"an index is out of bounds for {len(self)} samples")
        owners = self._ends.searchsorted(wanted, "right")
        places, parts = [], []
        for owner in np.unique(owners):
            place = np.flatnonzero(owners == owner)
            local: Indices = wanted[place] - self._starts[owner]
            if type(indices) is range and indices.step == 1:
                local = range(int(local[0]), int(local[-1]) + 1)
            places.append(place)
            parts.append(fetch_samples(self.datasets[owner], local))
        return parts[0] if len(parts) == 1 else _merge(places, parts)

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


def _merge(
    places: list[NDArray[np.intp]], parts: list[list[Any] | Batch]
) -> list[Any] | Batch:
    """One batch whose samples ``places[k]`` are those of ``parts[k]``."""
    batches = [part for part in parts if isinstance(part, Batch)]
    if len(batches) == len(parts):
        return _merge_columns(places, batches)
    merged: list[Any] = [None] * sum(map(len, places))
    for place, part in zip(places, parts, strict=True):
        samples = part.samples() if isinstance(part, Batch) else part
        for at, sample in zip(place.tolist(), samples, strict=True):
            merged[at] = sample
    return merged


def _merge_columns(places: list[NDArray[np.intp]], batches: list[Batch]) -> Batch:
    columns: list[list[NDArray[Any]]] = [[to_array(c) for c in b] for b in batches]
    shapes = [[column.shape[1:] for column in part] for part in columns]
    if any(shape != shapes[0] for shape in shapes):
        raise ShapeError(
            "ConcatDataset: the datasets must hold samples of equal shapes, got "
            + " and ".join(map(str, shapes))
        )
    order = np.argsort(np.concatenate(places))
    return Batch(
        [wrap(np.concatenate(c).take(order, 0)) for c in zip(*columns, strict=True)]
    )


class ChainDataset(IterableDataset[T_co]):
    """The streams of several iterable datasets, one after the other."""

    def __init__(self, datasets: Iterable[Iterable[T_co]]) -> None:
        self.datasets: list[Any] = list(datasets)

    def __iter__(self) -> Iterator[T_co]:
        return itertools.chain.from_iterable(self.datasets)

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self.datasets)


def random_split(
    dataset: Indexable[T_co],
    lengths: Sequence[int | float],
    generator: Generator | None = None,
) -> list[Subset[T_co]]:
    """Divide a dataset at random into parts that do not overlap.

    Parameters
    ----------
    dataset : Dataset
    lengths : sequence of int or float
        The sizes of the parts, or their shares if they add up to 1. What the rounding
        of shares leaves over goes to the first parts, one sample each.
    generator : Generator, optional
        The default generator unless given.

    Examples
    --------
    >>> parts = random_split(range(10), [0.75, 0.25], Generator(0))
    >>> [len(part) for part in parts]
    [8, 2]
    """
    n = len(dataset)
    sizes = _split_sizes(n, lengths)
    order = (generator or default_generator()).permutation(n)
    cuts = np.cumsum(sizes)[:-1]
    return [Subset(dataset, part) for part in np.split(order, cuts)]


def _split_sizes(n: int, lengths: Sequence[int | float]) -> list[int]:
    if lengths and math.isclose(sum(lengths), 1) and sum(lengths) <= 1 + 1e-9:
        if any(not 0 <= share <= 1 for share in lengths):
            raise ArgumentError(f"random_split: shares must be in [0, 1]: {lengths}")
        sizes = [math.floor(n * share) for share in lengths]
        for k in range(n - sum(sizes)):
            sizes[k % len(sizes)] += 1
    else:
        sizes = [int(length) for length in lengths]
    if sum(sizes) != n or any(size < 0 for size in sizes):
        raise ArgumentError(
            f"random_split: lengths must add up to the dataset's {n} samples, or "
            f"shares to 1, got {list(lengths)}"
        )
    return sizes
