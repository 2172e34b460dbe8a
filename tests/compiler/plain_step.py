"""The source of a native step run as the plain Python that it is, without Numba."""

from __future__ import annotations

import ctypes
import math
import threading
from typing import Any

import numpy as np

from dotori.compiler.native import language
from dotori.compiler.native.arrays import TYPES
from dotori.compiler.primitives import UFUNCS
from dotori.ops.error_function import Erf
from dotori.ops.normal import NormalCdf


def _view(dtype: Any) -> Any:
    def view(table: Any, slot: int, shape: Any) -> Any:
        shape = (shape,) if isinstance(shape, int) else shape
        size = math.prod(shape) * dtype.itemsize
        if not size:
            return np.empty(shape, dtype)
        memory = (ctypes.c_char * size).from_address(int(table[slot]))
        return np.frombuffer(memory, dtype).reshape(shape)

    return view


def namespace(threads: int = 1) -> dict[str, Any]:
    """What the source may use, as NumPy's functions and Python's threads."""
    door = threading.Barrier(threads)
    names = {name: getattr(np, name) for name in UFUNCS}
    names.update({name: getattr(language, name) for name in ("compiled", "apart")})
    for name in TYPES:
        names[name] = _view(np.dtype("bool" if name == "boolean" else name))

    def multiply(a: Any, b: Any, out: Any, thread: int, threads: int) -> None:
        if thread == 0:
            np.matmul(a, b, out=out)

    return {
        **names,
        "np": np,
        "math": math,
        "sigmoid": language.sigmoid,
        "erf": lambda x: x.dtype.type(Erf.forward(np, x)),
        "normal_cdf": lambda x: NormalCdf.forward(np, np.atleast_1d(x))[0],
        "matmul": lambda a, b, out: np.matmul(a, b, out=out),
        "matmul_add": language.matmul_add,
        "multiply_matrices": multiply,
        "barrier": lambda table, thread, threads: door.wait() and None,
    }


class PlainStep:
    """In place of `dotori.compiler.native.runtime.Native`."""

    def __init__(self, source: str) -> None:
        self.source = source

    def __call__(self, table: Any, threads: int = 1) -> int:
        names = namespace(threads)
        exec(compile(self.source, "<step>", "exec"), names)
        results = [0] * threads
        failed: list[BaseException] = []

        def run(thread: int) -> None:
            try:
                with np.errstate(all="ignore"):
                    results[thread] = names["step"](table, thread, threads)
            except BaseException as error:
                failed.append(error)
                names["barrier"].__closure__[0].cell_contents.abort()

        workers = [threading.Thread(target=run, args=(t,)) for t in range(1, threads)]
        for worker in workers:
            worker.start()
        run(0)
        for worker in workers:
            worker.join()
        if failed:
            raise failed[0]
        return results[0]

    def bound(self, table: Any) -> Any:
        return lambda: self(table)
