"""What native routines may call, in plain NumPy.

The routines of this folder (`recurrent`, `convolution`, `pooling`) are Python functions
over arrays. In a native step their text stands beside the generated loops, and there
each name below means its compiled form (`dotori.compiler.native.runtime`). Here the
same names are NumPy's, so that a routine can also be called, tested and stepped through
as the Python that it is, by one thread.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Function = TypeVar("Function")


def compiled(function: Function) -> Function:
    """Marks a function of a routine: compiled on its own, and called by others."""
    return function


def apart(function: Function) -> Function:
    """Like `compiled`, with a promise: no two of the arrays that it is given overlap.

    So the compiler makes vectors of loops over many arrays without having to check.
    """
    return function


def matmul(a: Array, b: Array, out: Array) -> None:
    """out = a @ b, in this thread alone; a and b may each be a transpose."""
    np.matmul(a, b, out=out)


def matmul_add(a: Array, b: Array, out: Array) -> None:
    """out = out + a @ b."""
    out += a @ b


def multiply_matrices(
    a: Array, b: Array, out: Array, thread: int, threads: int
) -> None:
    """out = a @ b, shared among the threads: all must call it."""
    np.matmul(a, b, out=out)


def barrier(table: Any, thread: int, threads: int) -> None:
    """Returns when all threads have come here."""


def exp(x: Any) -> Any:
    return np.exp(x)


def tanh(x: Any) -> Any:
    return np.tanh(x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x); 0 or 1 where that overflows."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))
