"""Threads that run a step together: one program, many threads, a number for each.

`run` calls a compiled step on several threads at once. The workers are threads of
Python which stay inside of compiled code, without Python's lock, as long as there is
work: they watch a number in memory for about a millisecond, and the next step begins
within a microsecond if it comes in that time. After that they wait in Python, and cost
nothing.

The pool belongs to the process. Steps that are run at the same time by threads of the
user take turns. After a fork the child makes a pool of its own when it needs one.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import Any

import numpy as np

#: The words of the pool's memory. The job's number and its threads are one number, so
#: that they are read at once. From `_ASLEEP` on: whether each worker waits in Python;
#: from `_WAKE` on: whether the one who starts a job has to wake it.
_JOB, _LEFT, _RESULT, _STEP, _TABLE, _SLEEPERS = 0, 8, 16, 24, 25, 26
_MOST = 255  # workers
_ASLEEP, _WAKE, _WORDS = 32, 32 + 256, 32 + 512
_START, _GO_ON = -1, 0

#: How often a worker looks for the next job before it waits in Python: about 1 ms.
PATIENCE = 2000

_SOURCE = f"""
@compiled
def take_part(pool, thread, threads):
    result = call(pool[{_STEP}], pointer(pool[{_TABLE}]), thread, threads)
    if result != 0:
        atomic_swap(pool, {_RESULT}, 0, result)


@compiled
def start(pool, threads):
    sleepers = 0
    atomic_store(pool, {_LEFT}, threads - 1)
    atomic_store(pool, {_RESULT}, 0)
    atomic_store(pool, {_JOB}, (pool[{_JOB}] // 256 + 1) * 256 + threads)
    for worker in range(1, threads):
        if atomic_swap(pool, {_ASLEEP} + worker, 1, 0):
            pool[{_WAKE} + worker] = 1
            sleepers += 1
    pool[{_SLEEPERS}] = sleepers
    return sleepers


@compiled
def lead(pool, threads):
    pool[{_SLEEPERS}] = 0
    take_part(pool, 0, threads)
    spins = 0
    while atomic_load(pool, {_LEFT}) != 0:
        pause(spins)
        spins += 1
    return pool[{_RESULT}]


@compiled
def follow(pool, thread, seen):
    spins = 0
    while spins < {PATIENCE}:
        job = atomic_load(pool, {_JOB})
        if job == seen:
            pause(spins)
            spins += 1
            continue
        seen, spins = job, 0
        if thread < job % 256:
            take_part(pool, thread, job % 256)
            atomic_add(pool, {_LEFT}, -1)
    return seen


def step(pool, thread, number):
    if thread <= {_GO_ON}:  # the one who has a job, for this number of threads
        if thread == {_START} and start(pool, number):
            return 0
        return lead(pool, number)
    seen = number  # a worker, and the last job that it knows
    while True:
        seen = follow(pool, thread, seen)
        atomic_store(pool, {_ASLEEP} + thread, 1)
        # A job that came just now was started by one who thought this worker awake,
        # or who is about to wake it: then the 1 is gone.
        if atomic_load(pool, {_JOB}) == seen:
            return seen
        if not atomic_swap(pool, {_ASLEEP} + thread, 1, 0):
            return seen
"""


class _Pool:
    """The workers of this process and the memory by which they are told what to do."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._memory: Any = None
        # A locked lock each, which a ring opens: nothing that a signal could leave
        # half done, as Python's semaphores would be.
        self._bells: list[threading.Lock] = []
        self._loops: Any = None  # `_SOURCE`, compiled
        self._place = 0  # where the memory is

    def _grow(self, workers: int) -> None:
        if self._loops is None:
            from dotori.compiler.native.runtime import load

            self._memory = np.zeros(_WORDS, np.int64)
            self._place = self._memory.ctypes.data
            self._loops = load(_SOURCE)
        while len(self._bells) < workers:
            bell, number = threading.Lock(), len(self._bells) + 1
            bell.acquire()
            seen = int(self._memory[_JOB])
            threading.Thread(
                target=_serve,
                args=(self._loops, self._memory, bell, number, seen),
                name=f"dotori step {number}",
                daemon=True,
            ).start()
            self._bells.append(bell)

    def run(self, step: int, table: int, threads: int) -> int:
        """Run the step at an address on this many threads."""
        threads = min(threads, _MOST)
        with self.lock:
            if len(self._bells) < threads - 1:
                self._grow(threads - 1)
            self._memory[_STEP], self._memory[_TABLE] = step, table
            self._perform(threads)
            return int(self._memory[_RESULT])

    def _perform(self, threads: int) -> None:
        """Start the job, wake who sleeps, take part, and wait for the others.

        Once begun, a job goes to its end: what a signal's handler raises between two
        lines of this comes after it.
        """
        enter, interrupt = self._loops.step, None
        try:
            enter(self._place, _START, threads)
        except BaseException as error:
            interrupt = error
        while self._memory[_SLEEPERS]:
            try:
                for worker in np.flatnonzero(self._memory[_WAKE:]):
                    _ring(self._bells[worker - 1])
                    self._memory[_WAKE + worker] = 0
                enter(self._place, _GO_ON, threads)
            except BaseException as error:
                interrupt = error
        if interrupt is not None:
            raise interrupt

    def settle(self) -> None:
        """Wait until no worker is in compiled code, which goes when Python ends."""
        end = time.monotonic() + 1
        asleep = slice(_ASLEEP + 1, _ASLEEP + 1 + len(self._bells))
        while self._bells and time.monotonic() < end:
            if self._memory[asleep].all():
                return
            time.sleep(0.0005)


def _ring(bell: threading.Lock) -> None:
    try:
        bell.release()
    except RuntimeError:  # rung before, by one whom a signal took away
        return


def _serve(
    loops: Any, memory: Any, bell: threading.Lock, number: int, seen: int
) -> None:
    """The life of a worker: there is work, or it waits until its bell rings.

    It holds the code and the memory, which so outlive it when Python ends.
    """
    place = memory.ctypes.data
    while True:
        seen = loops.step(place, number, seen)
        bell.acquire()


_pool = _Pool()


def run(step: int, table: int, threads: int) -> int:
    """Run the step at address `step` on several threads; its result, as of one.

    Parameters
    ----------
    step : int
        The address of ``step(table, thread, threads)``.
    table : int
        The address of the table.
    threads : int
        More than 1.
    """
    return _pool.run(step, table, threads)


def _forget() -> None:
    """In the child of a fork no worker is alive."""
    global _pool
    _pool = _Pool()


def _settle() -> None:
    _pool.settle()


atexit.register(_settle)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
