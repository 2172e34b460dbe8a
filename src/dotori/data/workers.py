"""Workers: threads or processes that make batches ahead of time, in order.

Task t goes to worker t modulo the number of workers, and each worker answers its tasks
one after the other, so the batches come home in order without being sorted. Nothing is
shared between workers, not even a queue: one that is killed cannot block another.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Protocol

import numpy as np

from dotori.data.fetch import WORKER, BatchMaker, Task, describe
from dotori.dtypes import get_default_dtype, set_default_dtype
from dotori.errors import WorkerError
from dotori.random import use_generator

POLL = 0.5  # seconds until a wait looks whether the workers are alive
GRACE = 5.0  # seconds that a worker has to finish what it is at


@dataclass(frozen=True)
class WorkerInfo:
    """What `get_worker_info` tells: the names are PyTorch's."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


class _Current(threading.local):
    info: WorkerInfo | None = None


_current = _Current()


def get_worker_info() -> WorkerInfo | None:
    """The worker that the calling code runs in; None outside of workers.

    An `IterableDataset` divides its stream with it.

    Examples
    --------
    >>> get_worker_info() is None
    True
    """
    return _current.info


@dataclass(frozen=True)
class Job:
    """What all workers of a pool are told when they start.

    `stream` is None for a dataset with indices, else the batch size and `drop_last`.
    The default dtype is that of the thread that makes the job.
    """

    maker: BatchMaker
    num_workers: int
    stream: tuple[int, bool] | None
    worker_init_fn: Callable[[int], Any] | None
    default_dtype: np.dtype[Any] = field(default_factory=get_default_dtype)


class Answer(NamedTuple):
    """What a worker sends home. `run` is the pass of the loader that it belongs to."""

    run: int
    kind: str  # "batch", "end" (of a worker's stream) or "error"
    value: Any


class Desk:
    """The part of a worker that is the same in a thread and in a process."""

    def __init__(self, job: Job, worker: int, kind: str) -> None:
        self._job, self._worker, self._kind = job, worker, kind
        self._run = -1
        self._stream: Iterator[Any] = iter(())
        self._failure: BaseException | None = None
        try:
            self._settle()
        except BaseException as error:
            self._failure = self._explain(error, ", starting")

    def _settle(self) -> None:
        job, worker = self._job, self._worker
        own = job.maker.base.derive(WORKER, worker)
        seed = int(own.integers(0, 2**63 - 1))
        _current.info = WorkerInfo(worker, job.num_workers, seed, job.maker.dataset)
        set_default_dtype(job.default_dtype)
        if job.worker_init_fn is not None:
            with use_generator(own):
                job.worker_init_fn(worker)

    def answer(self, run: int, task: Task) -> Answer:
        """Make one batch; whatever goes wrong becomes an answer as well."""
        if self._failure is not None:
            return Answer(run, "error", self._failure)
        try:
            return self._make(run, task)
        except BaseException as error:
            return Answer(run, "error", self._explain(error))

    def _make(self, run: int, task: Task) -> Answer:
        if self._job.stream is None:
            return Answer(run, "batch", self._job.maker.make(task))
        if run != self._run:
            self._run = run
            self._stream = self._job.maker.stream(
                task.epoch, self._worker, *self._job.stream
            )
        for batch in self._stream:
            return Answer(run, "batch", batch)
        return Answer(run, "end", None)

    def _explain(self, error: BaseException, when: str = "") -> BaseException:
        place = f"DataLoader worker {self._worker} ({self._kind})"
        if not isinstance(error, Exception):  # sys.exit() must not end the caller
            error = WorkerError(f"{place} was ended by {error!r}")
        error.add_note(f"in {place}{when}")
        return error


class Worker(Protocol):
    """What the pool needs of a worker."""

    name: str

    def send(self, run: int, task: Task) -> None:
        """Give it a task; never waits."""

    def receive(self, timeout: float) -> Answer | None:
        """Its next answer; None if there is none within `timeout` seconds."""

    def death(self) -> str | None:
        """How it died; None while it lives."""

    def stop(self) -> None:
        """Tell it to end after the batch that it is at; never waits."""

    def join(self, deadline: float) -> None:
        """Wait for its end, at most until `deadline` of the monotonic clock."""


class ThreadWorker:
    """A worker that shares the caller's memory: nothing is copied or pickled."""

    def __init__(self, job: Job, number: int) -> None:
        self.name = f"worker {number} (thread)"
        self._inbox: SimpleQueue[tuple[int, Task] | None] = SimpleQueue()
        self._outbox: SimpleQueue[Answer] = SimpleQueue()
        self._thread = threading.Thread(
            target=_serve,
            args=(job, number, self._inbox, self._outbox),
            name=f"dotori-loader-{number}",
            daemon=True,
        )
        self._thread.start()

    def send(self, run: int, task: Task) -> None:
        self._inbox.put((run, task))

    def receive(self, timeout: float) -> Answer | None:
        try:
            return self._outbox.get(timeout=timeout)
        except Empty:
            return None

    def death(self) -> str | None:
        return None if self._thread.is_alive() else "ended unexpectedly"

    def stop(self) -> None:
        empty(self._inbox)
        self._inbox.put(None)

    def join(self, deadline: float) -> None:
        # A thread cannot be killed. One that hangs in the dataset is a daemon: it ends
        # with its call, or with the program.
        if self._thread is threading.current_thread():
            return  # the garbage collector found the loader here
        self._thread.join(max(0.0, deadline - time.monotonic()))


def _serve(
    job: Job,
    number: int,
    inbox: SimpleQueue[tuple[int, Task] | None],
    outbox: SimpleQueue[Answer],
) -> None:
    desk = Desk(job, number, "thread")
    while (message := inbox.get()) is not None:
        outbox.put(desk.answer(*message))
        del message


def empty(queue: SimpleQueue[Any]) -> None:
    """Drop whatever waits in the queue."""
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return


class Pool:
    """Workers with tasks in hand, whose batches come home in order.

    Parameters
    ----------
    hire : callable
        Starts worker number k.
    num_workers, prefetch_factor : int
        Each worker has up to `prefetch_factor` tasks at a time.
    timeout : float
        Seconds to wait for a batch; 0 waits as long as the workers live.
    """

    def __init__(
        self,
        hire: Callable[[int], Worker],
        num_workers: int,
        prefetch_factor: int,
        timeout: float,
    ) -> None:
        self._ahead = num_workers * prefetch_factor
        self._timeout = timeout
        self._run = 0
        self._hung = False
        self._workers: list[Worker] = []
        try:
            for number in range(num_workers):
                self._workers.append(hire(number))
        except BaseException:
            self.close()
            raise

    def batches(self, tasks: Iterator[Task]) -> Iterator[Any]:
        """The batches of `tasks` in order; of streams, in turn until all have ended."""
        self._run += 1
        run, ended = self._run, set[str]()
        waiting: deque[tuple[Worker, Task]] = deque()
        assignments = zip(tasks, cycle(self._workers), strict=False)

        def assign(number: int) -> None:
            for task, worker in islice(assignments, number):
                worker.send(run, task)
                waiting.append((worker, task))

        assign(self._ahead)
        while waiting and len(ended) < len(self._workers):
            worker, task = waiting.popleft()
            answer = self._receive(worker, task, run)
            assign(1)
            if answer.kind == "batch":
                yield answer.value
            else:
                ended.add(worker.name)

    def _receive(self, worker: Worker, task: Task, run: int) -> Answer:
        deadline = time.monotonic() + (self._timeout or float("inf"))
        while True:
            left = max(0.0, deadline - time.monotonic())
            answer = worker.receive(min(POLL, left))
            if answer is None:
                self._look_after(worker, task, deadline)
            elif answer.run == run:  # an older one is of a loop that was left early
                if answer.kind != "error":
                    return answer
                try:
                    raise answer.value
                finally:
                    del answer  # the error's traceback would hold itself

    def _look_after(self, awaited: Worker, task: Task, deadline: float) -> None:
        """Raise if any worker is dead, or if time is up."""
        for worker in self._workers:
            if (death := worker.death()) is not None:
                raise WorkerError(f"DataLoader: {worker.name} {death}")
        if time.monotonic() >= deadline:
            self._hung = True
            raise WorkerError(
                f"DataLoader: {awaited.name} did not finish within {self._timeout:g} s "
                f"(timeout) making {describe(task)}"
            )

    def close(self) -> None:
        """End all workers; returns when they are gone. May be called again."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.stop()
        deadline = time.monotonic() + (0.1 if self._hung else GRACE)
        for worker in workers:
            worker.join(deadline)
