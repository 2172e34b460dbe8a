"""How one batch is made: the same in the caller's thread and in every worker.

The random numbers of a batch are a stream of its own, named by the epoch and by the
number of the batch. Who makes the batch, and when, does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, islice
from typing import Any, NamedTuple

import numpy as np

from dotori._tensor import Tensor
from dotori.data.collate import collate_samples, default_collate, default_convert
from dotori.data.dataset import (
    Batch,
    Indices,
    Subset,
    TensorDataset,
    fetch_samples,
    plain,
)
from dotori.random import Generator, use_generator

# The first number of a derived stream's path: what the stream is for.
ORDER, BATCH, WORKER = 0, 1, 2


class Task(NamedTuple):
    """Which batch to make; a stream's batches are not named by indices."""

    epoch: int
    number: int
    indices: Indices | list[Any] | Any = None


def describe(task: Task) -> str:
    """Which batch a task is for, in words."""
    text = f"batch {task.number} of epoch {task.epoch}"
    if isinstance(task.indices, (range, list, np.ndarray)):
        shown = ", ".join(str(i) for i in task.indices[:8])
        more = ", ..." if len(task.indices) > 8 else ""
        return f"{text} from samples [{shown}{more}]"
    return text if task.indices is None else f"{text} from sample {task.indices!r}"


def _holds_arrays(dataset: Any) -> bool:
    while type(dataset) is Subset:
        dataset = dataset.dataset
    return type(dataset) is TensorDataset


class BatchMaker:
    """Makes the batches of a dataset.

    Parameters
    ----------
    dataset : Dataset or IterableDataset
    collate_fn : callable
        `default_collate` is left out where the dataset returns a `Batch`.
    batched : bool
        Whether a task's indices are a batch, or one index.
    base : Generator
        Its streams are derived, it is never drawn from.
    """

    def __init__(
        self,
        dataset: Any,
        collate_fn: Callable[[Any], Any],
        batched: bool,
        base: Generator,
    ) -> None:
        self.dataset = dataset
        self.collate_fn = collate_fn
        self.batched = batched
        self.base = base
        # Nobody's code but dotori's runs then: nothing is drawn, nothing collated.
        self._direct = (
            batched and collate_fn is default_collate and _holds_arrays(dataset)
        )

    def make(self, task: Task) -> Any:
        """The batch, or where the loader makes none the sample, that `task` names."""
        epoch, number, indices = task
        try:
            if self._direct:
                return self.dataset.__getitems__(indices)
            # The stream is derived only if somebody draws: most batches need none.
            with use_generator(partial(self.base.derive, BATCH, epoch, number)):
                if self.batched:
                    return self._collate(fetch_samples(self.dataset, indices), indices)
                return self.collate_fn(self.dataset[indices])
        except Exception as error:
            error.add_note(f"while making {describe(task)}")
            raise

    def _collate(self, samples: list[Any] | Batch, indices: Indices | list[Any]) -> Any:
        if self.collate_fn is not default_collate:
            return self.collate_fn(
                samples.samples() if isinstance(samples, Batch) else samples
            )
        if isinstance(samples, Batch):
            for column in samples:
                if type(column) is not Tensor:
                    return Batch(map(default_convert, samples))
            return samples
        return collate_samples(samples, plain(indices))

    def stream(
        self, epoch: int, worker: int, size: int, drop_last: bool
    ) -> Iterator[Any]:
        """The batches of an iterable dataset, as one worker sees it."""
        samples: Iterator[Any] | None = None
        for number in count():
            draws = partial(self.base.derive, BATCH, epoch, worker, number)
            with use_generator(draws):
                if samples is None:
                    samples = iter(self.dataset)
                chunk = list(islice(samples, size))
                if not chunk or (drop_last and len(chunk) < size):
                    return
                if self.batched:
                    first = number * size
                    batch = self._collate(chunk, range(first, first + len(chunk)))
                else:
                    batch = self.collate_fn(chunk[0])
            yield batch
