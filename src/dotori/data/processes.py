"""Process workers: for datasets whose Python code keeps the interpreter lock.

Each worker has one two-way pipe. In the child a thread reads the pipe and another one
writes it, so that neither side ever waits for the other to read. A closed pipe is
a sign to end: the parent has died.

Large arrays of the dataset go into memory that all workers share, which has no name in
the file system and so cannot be left behind. The rest is pickled, between a program
and its own children, never on data from outside.
"""

from __future__ import annotations

import io
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dotori.data.workers import GRACE, Answer, Desk, Job, empty
from dotori.errors import ArgumentError, WorkerError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

    from dotori.data.fetch import Task


def hire_processes(
    job: Job, context: str | BaseContext | None
) -> Callable[[int], ProcessWorker]:
    """A function that starts process worker number k.

    `context` is a start method or a context of multiprocessing. The default, "spawn",
    starts a fresh interpreter: a fork would copy locks that other threads, such as
    those of a BLAS, may be holding.

    Raises
    ------
    ArgumentError
        If the job cannot be sent to another process.
    """
    import multiprocessing

    ctx: Any = context
    if context is None or isinstance(context, str):
        ctx = multiprocessing.get_context(context or "spawn")
    forked = ctx.get_start_method() == "fork"
    luggage: Luggage = job if forked else _pack(job, ctx)
    pipes: list[Connection] = []

    def hire(number: int) -> ProcessWorker:
        # A forked child inherits the pipes of the workers before it. Were they left
        # open there, those workers would not notice the end of the parent.
        return ProcessWorker(ctx, luggage, number, pipes if forked else [], pipes)

    return hire


def _pack(job: Job, ctx: Any) -> tuple[bytes, list[Any]]:
    """The job as bytes, and its large arrays in shared memory."""
    file = io.BytesIO()
    packer = _Packer(file, ctx)
    try:
        packer.dump(job)
    except Exception as error:
        raise ArgumentError(
            f"DataLoader: this job cannot be sent to process workers ({error}); define "
            "the dataset and its functions at the top level of a module, use "
            "workers='thread', or multiprocessing_context='fork'"
        ) from error
    return file.getvalue(), packer.blocks


class _Packer(pickle.Pickler):
    """Puts arrays of 4 MiB and more aside: one copy, however many workers there are."""

    def __init__(self, file: io.BytesIO, ctx: Any) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._ctx = ctx
        self._places: dict[int, int] = {}
        self._kept: list[Any] = []  # an id() names an array only while it lives
        self.blocks: list[Any] = []

    def persistent_id(self, value: Any) -> tuple[int, np.dtype[Any], Any] | None:
        large = type(value) is np.ndarray and value.nbytes >= 1 << 22
        if not large or value.dtype.hasobject:
            return None
        at = self._places.setdefault(id(value), len(self.blocks))
        if at == len(self.blocks):
            self._kept.append(value)
            self.blocks.append(self._ctx.RawArray("b", value.nbytes))
            _view(self.blocks[at], value.dtype, value.shape)[...] = value
        return at, value.dtype, value.shape


class _Unpacker(pickle.Unpickler):
    def __init__(self, luggage: bytes, blocks: list[Any]) -> None:
        super().__init__(io.BytesIO(luggage))
        self._blocks = blocks
        self._arrays: dict[int, NDArray[Any]] = {}

    def persistent_load(self, pid: tuple[int, np.dtype[Any], Any]) -> NDArray[Any]:
        at, dtype, shape = pid
        if at not in self._arrays:  # what was one array is one array again
            self._arrays[at] = _view(self._blocks[at], dtype, shape)
        return self._arrays[at]


def _view(block: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    return np.frombuffer(block, dtype=np.uint8).view(dtype).reshape(shape)


#: What a worker is given to start with: a forked one finds the job in its memory.
Luggage: TypeAlias = "Job | tuple[bytes, list[Any]]"


class ProcessWorker:
    """A worker with an interpreter and a memory of its own."""

    def __init__(
        self,
        ctx: Any,
        luggage: Luggage,
        number: int,
        inherited: list[Connection],
        pipes: list[Connection],
    ) -> None:
        self._pipe, far_end = ctx.Pipe(duplex=True)
        pipes.append(self._pipe)
        self._process = ctx.Process(
            target=_main,
            args=(luggage, number, far_end, inherited),
            name=f"dotori-loader-{number}",
            daemon=True,
        )
        self._process.start()
        far_end.close()
        self._answered = False
        self.name = f"worker {number} (process {self._process.pid})"

    def send(self, run: int, task: Task) -> None:
        try:
            self._pipe.send_bytes(pickle.dumps((run, task)))
        except OSError:  # it is dead, which receive() is about to find out
            return

    def receive(self, timeout: float) -> Answer | None:
        from multiprocessing.connection import wait

        wait([self._pipe, self._process.sentinel], timeout)
        try:
            if not self._pipe.poll(0):
                return None
            answer: Answer = pickle.loads(self._pipe.recv_bytes())
        except (EOFError, OSError):
            self._process.join(1.0)
            return None
        self._answered = True
        return answer

    def death(self) -> str | None:
        code = self._process.exitcode
        if code is None:
            return None
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}; out of memory?"
        hint = (
            ""
            if self._answered
            else (
                " before its first batch; a script with process workers must start "
                'its work under `if __name__ == "__main__":`'
            )
        )
        return f"ended with exit code {code}{hint}"

    def stop(self) -> None:
        # Closing would do, if no forked worker of another loader held the pipe open.
        with suppress(OSError):
            self._pipe.send_bytes(pickle.dumps(None))
        self._pipe.close()

    def join(self, deadline: float) -> None:
        self._process.join(max(0.0, deadline - time.monotonic()))
        for end in (self._process.terminate, self._process.kill):
            if self._process.exitcode is None:
                end()
                self._process.join(1.0)
        if self._process.exitcode is not None:
            self._process.close()


def _main(
    luggage: Luggage, number: int, pipe: Connection, inherited: list[Connection]
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    for other in inherited:
        other.close()
    inbox: SimpleQueue[tuple[int, Task] | None] = SimpleQueue()
    outbox: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read, args=(pipe, inbox), daemon=True).start()
    threading.Thread(target=_write, args=(pipe, outbox), daemon=True).start()
    answer = _open_desk(luggage, number)
    while (message := inbox.get()) is not None:
        outbox.put(_encode(answer(*message)))


def _open_desk(luggage: Luggage, number: int) -> Callable[[int, Task], Answer]:
    try:
        job = _Unpacker(*luggage).load() if isinstance(luggage, tuple) else luggage
    except Exception as error:
        # What was packed here may not be found there, such as a class that was
        # defined in a notebook. Every task is answered with the reason.
        failure = error
        failure.add_note(
            f"in DataLoader worker {number} (process), unpacking the dataset; classes "
            "and functions must be defined at the top level of a module"
        )
        return lambda run, task: Answer(run, "error", failure)
    return Desk(job, number, "process").answer


def _encode(answer: Answer) -> bytes:
    if answer.kind == "error":
        return pickle.dumps(answer._replace(value=_portable(answer.value)))
    try:
        return pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        error.add_note("a batch made by a process worker could not be sent home")
        return pickle.dumps(Answer(answer.run, "error", _portable(error)))


def _portable(error: BaseException) -> BaseException:
    """An error that arrives on the other side, as its own type where it can be."""
    notes = list(getattr(error, "__notes__", []))
    lines = traceback.format_exception(error, chain=True)
    notes.append("traceback in the worker:\n" + "".join(lines).rstrip())
    try:
        copy: BaseException = pickle.loads(pickle.dumps(error))
        usable = type(copy) is type(error)
    except Exception:
        usable = False
    if not usable:
        copy = WorkerError(f"{type(error).__name__}: {error}")
    copy.__notes__ = notes
    return copy


def _read(pipe: Connection, inbox: SimpleQueue[tuple[int, Task] | None]) -> None:
    with suppress(EOFError, OSError):
        while (message := pickle.loads(pipe.recv_bytes())) is not None:
            inbox.put(message)
    empty(inbox)
    inbox.put(None)
    # The main thread ends after the batch that it is at, unless that one hangs.
    time.sleep(GRACE)
    os._exit(1)


def _write(pipe: Connection, outbox: SimpleQueue[bytes]) -> None:
    with suppress(OSError):
        while True:
            pipe.send_bytes(outbox.get())
