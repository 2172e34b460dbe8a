"""`load`: the text of a step as a function of the machine.

The text defines ``step(table, thread, threads)``, where `table` points to the addresses
of all arrays, and returns 0, or the number of the check that failed. It may use these
names (besides `np` and `math`), all of them compiled:

``a = float32(table, slot, (32, 13))``
    The array, C-contiguous, whose address is ``table[slot]``; so for all types.
``matmul(a, b, out)``, ``matmul_add(a, b, out)``
    out = a @ b, and out += a @ b, in this thread alone. `a` and `b` may be transposes.
``multiply_matrices(a, b, out, thread, threads)``
    The product shared among all threads.
``barrier(table, thread, threads)``
    Returns when all threads have come here.
``exp log tanh sigmoid erf`` ...
    Of single numbers; in loops they become vectors
    (`dotori.compiler.native.functions`).
``@compiled``, ``@apart``
    A function of its own; `apart` promises that no two of its arrays overlap.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.compiler.native import borrowed, cache, gemm, machine, products, synchrony
from dotori.compiler.native.threads import run
from dotori.kernels._threads import one_blas_thread

#: A step as C sees it; ctypes lets go of Python's lock while it runs.
STEP = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)


class Native:
    """A step as a function of the machine. It runs without Python's lock.

    Attributes
    ----------
    address : int
        Of the function ``step(table, thread, threads)``.
    step : callable
        The function; takes the address of a table.
    """

    def __init__(self, code: bytes) -> None:
        self._linked = machine.Linked(code)  # owns the memory of the code
        self.address = self._linked.address
        self.step = STEP(self.address)
        # A call that is bound to a table keeps the code alive, not this object.
        self.step.__dict__["code"] = self._linked
        self._last: tuple[Any, Callable[[], int]] = (None, int)
        # Whether its products are so large that BLAS would use its own threads; known
        # after the first run. Asking BLAS not to costs as much as a small step.
        self._large: bool | None = None

    def __call__(self, table: NDArray[np.int64], threads: int = 1) -> int:
        """Run the step over the arrays whose addresses are in `table`.

        Returns
        -------
        int
            0, or the number of the check that failed.
        """
        if threads > 1:
            place = table.__array_interface__["data"][0]
            with one_blas_thread:  # the threads are the parallelism already
                return run(self.address, place, threads)
        known, bound = self._last
        if known is not table:
            bound = self.bound(table)
            self._last = table, bound
        if self._large:
            with one_blas_thread:
                return bound()
        if self._large is None:
            gemm.large.value = 0
            with one_blas_thread:  # the first run gives the bits of all others
                result = bound()
            self._large = bool(gemm.large.value)
            return result
        return bound()

    def bound(self, table: NDArray[np.int64]) -> Callable[[], int]:
        """The step for this table, in one thread: the quickest to call.

        Large products may use BLAS's own threads then.
        The table must live as long as this is called, and may be written to.
        """
        address = ctypes.c_void_p(table.__array_interface__["data"][0])
        return partial(self.step, address, ctypes.c_int64(0), ctypes.c_int64(1))


def load(source: str, arguments: int = 0) -> Native:
    """The text of a step as a function of the machine.

    With `arguments`, the text's function takes so many numbers, all int64, and only
    compiled code can call it.

    Examples
    --------
    >>> import numpy as np, pytest
    >>> _ = pytest.importorskip("numba")
    >>> twice = load('''
    ... def step(table, thread, threads):
    ...     x = float32(table, 0, (3,))
    ...     for i in range(3):
    ...         x[i] *= 2
    ...     return 0
    ... ''')
    >>> x = np.arange(3, dtype=np.float32)
    >>> twice(np.array([x.ctypes.data]))
    0
    >>> x.tolist()
    [0.0, 2.0, 4.0]
    """
    synchrony.define()
    gemm.define()
    return Native(_code(source, arguments))


def _code(source: str, arguments: int) -> bytes:
    """Object code of the text: from the disk, or compiled and kept there."""
    name = cache.key(f"{arguments} {source}")
    kept = cache.read(name)
    if kept is not None and not _missing(kept[1]):
        return kept[0]
    from dotori.compiler.native import build

    code, needed = build.compiled(source, arguments)
    missing = _missing(needed)
    if missing:
        raise RuntimeError(f"a compiled step needs functions unknown here: {missing}")
    cache.write(name, code, needed)
    return code


def _missing(needed: list[str]) -> list[str]:
    """Those of the functions that there are not, once ours are provided."""
    products.provide(needed)
    borrowed.provide(needed)
    return machine.missing(needed)
