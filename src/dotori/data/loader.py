"""`DataLoader`: batches of a dataset, in an order that can be repeated and resumed."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from dotori.data.collate import default_collate, default_convert
from dotori.data.dataset import Indexable, IterableDataset, plain
from dotori.data.fetch import ORDER, BatchMaker, Task
from dotori.data.sampler import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    check_positive,
    draws_arrays,
    draws_batches,
    under,
)
from dotori.data.workers import Job, Pool, ThreadWorker, Worker
from dotori.errors import ArgumentError, DataError, FormatError
from dotori.random import Generator, default_generator

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

T_co = TypeVar("T_co", covariant=True)


@dataclass
class _Position:
    """Where a pass through the data stands: `batch` batches have been handed out."""

    epoch: int = 0
    batch: int = 0
    begun: bool = False


class DataLoader(Generic[T_co]):
    """Batches of a dataset, as tensors.

    The arguments are PyTorch's; these behave differently:

    - The order of epoch e, and the random numbers that a batch draws from
      `dotori.default_generator` while it is made, are functions of the generator's
      seed, e and the number of the batch. They do not depend on the workers.
    - A dataset with ``__getitems__`` is asked once a batch; see `TensorDataset`.
    - Workers are threads unless ``workers="process"``.
    - `state_dict` and `load_state_dict` resume in the middle of an epoch.

    Parameters
    ----------
    dataset : Dataset or IterableDataset
        Anything with ``__getitem__`` and ``__len__``, such as a list, will do.
    batch_size : int, optional
        None hands out the samples one by one, or the batches of the dataset itself.
    shuffle : bool
        A new random order each epoch.
    sampler : iterable of int, optional
        The order; excludes `shuffle`.
    batch_sampler : iterable of sequences of int, optional
        The batches; excludes `batch_size`, `shuffle`, `sampler` and `drop_last`.
    num_workers : int
        0 makes each batch when it is asked for.
    collate_fn : callable, optional
        From a list of samples to a batch: `default_collate` unless given.
    drop_last : bool
        Leave out a last batch that is not full.
    timeout : float
        Seconds to wait for a worker's batch; 0 waits as long as the workers live.
    worker_init_fn : callable, optional
        Called with the worker's number in each worker when it starts.
    multiprocessing_context : str or context, optional
        How processes start, "spawn" by default; giving it means ``workers="process"``.
    generator : Generator, optional
        Derived from, never drawn from. By default a seed is drawn from
        `dotori.default_generator` when the first epoch begins.
    prefetch_factor : int, optional
        How many batches each worker makes ahead: 2 by default.
    persistent_workers : bool
        Keep the workers from epoch to epoch; they end with the loader.
    workers : "thread" or "process", optional
        Threads share the memory and start at once. Processes help where the dataset
        spends its time in Python code; each has its own copy of the dataset, except
        for arrays of 4 MiB and more, which they share.

    Raises
    ------
    ArgumentError
        If arguments exclude each other.

    Examples
    --------
    >>> import numpy as np
    >>> from dotori.data import TensorDataset
    >>> data = TensorDataset(np.arange(10.0).reshape(5, 2), np.arange(5))
    >>> [y.tolist() for x, y in DataLoader(data, batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Indexable[T_co],
        batch_size: int | None = 1,
        shuffle: bool = False,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: str | BaseContext | None = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        workers: Literal["thread", "process"] | None = None,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.num_workers = num_workers
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        self.prefetch_factor = 2 if prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self.workers = workers or ("process" if multiprocessing_context else "thread")
        self._check_order(shuffle, sampler, batch_sampler)
        self._check_workers(prefetch_factor)
        self.sampler, self.batch_sampler = self._choose_samplers(
            shuffle, sampler, batch_sampler
        )
        if batch_sampler is not None:
            self.batch_size, self.drop_last = None, False
        convert = default_collate if self._batched else default_convert
        self.collate_fn = convert if collate_fn is None else collate_fn
        self._order_generator: Generator | None = getattr(
            self._source, "generator", None
        )
        self._position = _Position()
        self._pool: Pool | None = None
        self._pool_is_free = True

    # ------------------------------------------------------------ arguments

    @property
    def _iterable(self) -> bool:
        return isinstance(self.dataset, IterableDataset)

    @property
    def _batched(self) -> bool:
        return self.batch_size is not None or self.batch_sampler is not None

    @property
    def _source(self) -> Any:
        """Where the indices come from: batches of them, or single ones."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def _check_order(self, shuffle: bool, sampler: Any, batch_sampler: Any) -> None:
        if batch_sampler is not None and (
            self.batch_size not in (1, None)
            or shuffle
            or sampler is not None
            or self.drop_last
        ):
            raise ArgumentError(
                "DataLoader: batch_sampler excludes batch_size, shuffle, sampler and "
                "drop_last"
            )
        if sampler is not None and shuffle:
            raise ArgumentError("DataLoader: sampler excludes shuffle")
        chosen = sampler is not None or batch_sampler is not None
        if self._iterable and (shuffle or chosen):
            raise ArgumentError(
                "DataLoader: an IterableDataset has its own order; it takes no "
                "shuffle, sampler or batch_sampler"
            )
        if self.batch_size is not None:
            check_positive("DataLoader", "batch_size", self.batch_size)
        elif self.drop_last:
            raise ArgumentError("DataLoader: batch_size=None excludes drop_last")

    def _check_workers(self, prefetch_factor: int | None) -> None:
        if self.num_workers != 0:
            check_positive("DataLoader", "num_workers", self.num_workers)
        elif prefetch_factor is not None or self.persistent_workers:
            raise ArgumentError(
                "DataLoader: prefetch_factor and persistent_workers need workers"
            )
        check_positive("DataLoader", "prefetch_factor", self.prefetch_factor)
        if not self.timeout >= 0:
            raise ArgumentError(f"DataLoader: timeout must be >= 0: {self.timeout}")
        if self.workers not in ("thread", "process"):
            raise ArgumentError(
                f"DataLoader: workers must be 'thread' or 'process': {self.workers!r}"
            )
        if self.multiprocessing_context is not None and self.workers == "thread":
            raise ArgumentError(
                "DataLoader: multiprocessing_context excludes workers='thread'"
            )

    def _choose_samplers(
        self, shuffle: bool, sampler: Any, batch_sampler: Any
    ) -> tuple[Any, Any]:
        if self._iterable or batch_sampler is not None:
            return None, batch_sampler
        if sampler is None:
            kind = RandomSampler if shuffle else SequentialSampler
            sampler = kind(self.dataset)
        if self.batch_size is None:
            return sampler, None
        return sampler, BatchSampler(sampler, self.batch_size, self.drop_last)

    # ------------------------------------------------------------ iteration

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        if not self._iterable:
            return len(self._source)
        n, size = len(self.dataset), self.batch_size or 1
        return n // size if self.drop_last else -(-n // size)

    def __iter__(self) -> Iterator[Any]:
        """Begin the next epoch, or the rest of one after `load_state_dict`."""
        if self._position.begun:
            self._position = _Position(self._position.epoch + 1)
        self._position.begun = True
        return self._hand_out(self._position)

    def _hand_out(self, position: _Position) -> Iterator[Any]:
        """Yield batches and count them; the end is the next epoch's beginning."""
        maker = BatchMaker(self.dataset, self.collate_fn, self._batched, self._base())
        for batch in self._batches(maker, position.epoch, position.batch):
            position.batch += 1
            yield batch
        position.epoch, position.batch, position.begun = position.epoch + 1, 0, False

    def _base(self) -> Generator:
        if self.generator is None:
            seed = int(default_generator().integers(0, 2**63 - 1))
            self.generator = Generator(seed)
        return self.generator

    def _batches(self, maker: BatchMaker, epoch: int, first: int) -> Iterator[Any]:
        if self.num_workers:
            return self._batches_of_workers(maker, epoch, first)
        if self._iterable:
            stream = maker.stream(epoch, 0, self.batch_size or 1, self.drop_last)
            return islice(stream, first, None)
        # Not map(): a StopIteration out of the dataset would look like the end.
        return (maker.make(task) for task in self._tasks(epoch, first))

    def _batches_of_workers(
        self, maker: BatchMaker, epoch: int, first: int
    ) -> Iterator[Any]:
        pool, close = self._take_pool(maker), False
        try:
            if self._iterable:
                tasks = (Task(epoch, number) for number in count())
                yield from islice(pool.batches(tasks), first, None)
            else:
                yield from pool.batches(self._tasks(epoch, first))
        except GeneratorExit:  # the loop was left early: the workers can go on
            raise
        except BaseException:
            close = True
            raise
        finally:
            self._give_back(pool, close)

    def _tasks(self, epoch: int, first: int) -> Iterator[Task]:
        """What to make in this epoch, from batch `first` on."""
        stream = (self._order_generator or self._base()).derive(ORDER, epoch)
        source = self._source
        indices: Iterator[Any]
        if draws_batches(source):
            indices = source.batches(stream)
        elif draws_arrays(source):
            indices = iter(plain(source.indices(stream)))
        else:
            indices = under(stream, source)
        remaining = islice(indices, first, None)
        return (Task(epoch, k, batch) for k, batch in enumerate(remaining, first))

    # ------------------------------------------------------------ workers

    def _take_pool(self, maker: BatchMaker) -> Pool:
        """The persistent pool if there is one and no other loop is using it."""
        if not (self.persistent_workers and self._pool_is_free):
            return self._new_pool(maker)
        if self._pool is None:
            self._pool = self._new_pool(maker)
            weakref.finalize(self, self._pool.close)
        self._pool_is_free = False
        return self._pool

    def _give_back(self, pool: Pool, close: bool) -> None:
        if pool is not self._pool:  # of this loop alone, or dismissed meanwhile
            close = True
        else:
            self._pool_is_free = True
            if close:
                self._pool = None
        if close:
            pool.close()

    def _new_pool(self, maker: BatchMaker) -> Pool:
        stream = (self.batch_size or 1, self.drop_last) if self._iterable else None
        job = Job(maker, self.num_workers, stream, self.worker_init_fn)
        if self.workers == "thread":
            hire: Callable[[int], Worker] = partial(ThreadWorker, job)
        else:
            from dotori.data.processes import hire_processes

            hire = hire_processes(job, self.multiprocessing_context)
        return Pool(hire, self.num_workers, self.prefetch_factor, self.timeout)

    # ------------------------------------------------------------ state

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands, as plain JSON values.

        It counts the batches that were handed out, not those that workers have made.
        Inside of a loop it is in the middle of an epoch, also during the last batch;
        once the loop is over, at the beginning of the next.
        """
        position, base = self._position, self._base()
        return {
            "epoch": position.epoch,
            "batch": position.batch,
            "seed": _name(base),
            "order_seed": _name(self._order_generator or base),
            "samples": None if self._iterable else len(self.dataset),
            "batch_size": self.batch_size,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state`: the next loop hands out the rest of its epoch.

        The batches are those of the uninterrupted run, bit for bit, if dataset, sampler
        and batch size are the same; seeds are part of the state. An iterable dataset,
        or a sampler of one's own, is run up to this place and what it gives is dropped.

        Raises
        ------
        FormatError
            If `state` does not come from `state_dict`.
        DataError
            If it comes from a loader with other samples or another batch size.
        """
        try:
            position = _Position(int(state["epoch"]), int(state["batch"]))
            base, order = _named(state["seed"]), _named(state["order_seed"])
            theirs = (state["samples"], state["batch_size"])
        except (KeyError, TypeError, ValueError, ArgumentError) as error:
            raise FormatError(f"not a state of a DataLoader: {error!r}") from error
        ours = (None if self._iterable else len(self.dataset), self.batch_size)
        if ours != theirs:
            raise DataError(
                "DataLoader: the state is of {} samples in batches of {}, this loader "
                "has {} samples in batches of {}".format(*theirs, *ours)
            )
        self._position, self.generator, self._order_generator = position, base, order
        self._dismiss()  # the workers know the old seed

    def _dismiss(self) -> None:
        """Let the persistent workers go; those in use end with their loop."""
        if self._pool is not None and self._pool_is_free:
            self._pool.close()
        self._pool, self._pool_is_free = None, True

    def __repr__(self) -> str:
        data = type(self.dataset).__name__
        if not self._iterable:
            data += f" of {len(self.dataset)} samples"
        parts = [data]
        if self.batch_sampler is not None and self.batch_size is None:
            parts.append(f"batch_sampler={type(self.batch_sampler).__name__}")
        else:
            parts.append(f"batch_size={self.batch_size}")
            if self.sampler is not None:
                parts.append(f"sampler={type(self.sampler).__name__}")
        if self.drop_last:
            parts.append("drop_last=True")
        if self.num_workers:
            parts.append(f"num_workers={self.num_workers} ({self.workers})")
        return f"DataLoader({', '.join(parts)})"


def _name(generator: Generator) -> list[int]:
    """The seed and the path of a stream."""
    return [generator.initial_seed(), *generator.get_state()["path"]]


def _named(name: list[int]) -> Generator:
    seed, *path = name
    return Generator(seed).derive(*path)
