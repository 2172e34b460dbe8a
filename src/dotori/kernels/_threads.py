"""`in_parallel`: pieces of a range on several threads.

Compiled kernels and NumPy's calls release Python's lock, so threads of Python are
enough, and safe wherever they are called from: Numba's own pool of threads ends the
process when two threads enter it at once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import ContextDecorator
from contextvars import copy_context
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor


class _Threads:
    """The pool, and how many pieces work is cut into."""

    def __init__(self) -> None:
        self.number = _cores()
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def pool(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                from concurrent.futures import ThreadPoolExecutor

                self._pool = ThreadPoolExecutor(
                    max(1, self.number - 1), thread_name_prefix="dotori"
                )
            return self._pool

    def forget(self) -> None:
        """Make another pool when one is needed: after a fork, threads are gone."""
        self._pool, self._lock = None, threading.Lock()


def _cores() -> int:
    """OMP_NUM_THREADS, as for BLAS, or the cores that this process may run on."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_threads = _Threads()
_here = threading.local()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.forget)


def number() -> int:
    """How many threads share large work."""
    return _threads.number


def set_number(number: int) -> None:
    """Cut work into `number` pieces from now on."""
    _threads.number = number
    _threads.forget()


def in_parallel(n: int, run: Callable[[int, int], object], least: int = 1) -> None:
    """Call ``run(start, stop)`` for pieces that make up ``range(n)``, on the threads.

    What `run` does for one index must not depend on the others, so that results are the
    same for any number of threads. Waking a thread takes some 50 us.

    Parameters
    ----------
    n : int
    run : callable
    least : int
        The fewest indices that are worth a piece of their own.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(10.0)
    >>> in_parallel(10, lambda i, j: np.sqrt(x[i:j], out=x[i:j]))
    >>> float(x[9])
    3.0
    """
    pieces = min(_threads.number, n // max(least, 1))
    if pieces <= 1 or getattr(_here, "inside", False):
        if n > 0:
            run(0, n)
        return
    bounds = [n * i // pieces for i in range(pieces + 1)]
    submit = _threads.pool().submit
    others = [
        submit(copy_context().run, _piece, run, bounds[i], bounds[i + 1])
        for i in range(1, pieces)
    ]
    try:
        run(0, bounds[1])
    finally:
        failures = [job.exception() for job in others]  # waits for all
    for failure in failures:
        if failure is not None:
            raise failure


def _piece(run: Callable[[int, int], object], start: int, stop: int) -> None:
    _here.inside = True  # a piece is not cut again
    run(start, stop)


class _OneBlasThread(ContextDecorator):
    """While it is entered, each product of matrices stays in the thread that asks.

    For pieces of `in_parallel` that multiply: they are the parallelism already. Several
    threads may be inside; the last one out puts back what was. Without threadpoolctl,
    nothing changes: the pieces then wait for each other's products.

    A thread of OpenBLAS spins for some 30 ms after a product, in the way of ours. So
    once `used`, smaller products of other layers stay in one thread as well.
    """

    used = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._libraries: list[Any] | None = None
        self._before: list[int] = []

    def _find(self) -> list[Any]:
        if find_spec("threadpoolctl") is None:
            return []
        from threadpoolctl import ThreadpoolController

        found = ThreadpoolController().select(user_api="blas").lib_controllers
        return [library for library in found if "numpy" in library.filepath]

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            self.used = True
            if self._libraries is None:
                self._libraries = self._find()
            if self._inside == 1:
                self._before = [int(b.get_num_threads()) for b in self._libraries]
            # also where it holds already: other packages change the number as well
            for library in self._libraries:
                library.set_num_threads(1)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside or not self._before:
                return
            for library, n in zip(self._libraries or (), self._before, strict=True):
                library.set_num_threads(n)
            self._before = []


one_blas_thread = _OneBlasThread()

#: Multiplications in a product from which on BLAS's own threads are worth their spin.
_WORTH_SPINNING = 1 << 26


def product(xp: Any, a: Any, b: Any) -> Any:
    """``a @ b``; of two small matrices in one thread, beside `in_parallel`'s pieces."""
    if one_blas_thread.used and xp is np and a.ndim == b.ndim == 2:
        if a.shape[0] * a.shape[1] * b.shape[1] < _WORTH_SPINNING:
            with one_blas_thread:
                return xp.matmul(a, b)
    return xp.matmul(a, b)
