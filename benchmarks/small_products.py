"""Small products of matrices inside of a compiled step: own loops against the library.

    python benchmarks/small_products.py [--float64]

Prints, for each shape and each way that the matrices may be transposed, the time of
one product in own loops and by the BLAS library, in nanoseconds: one thread, the
shortest of several runs. `dotori.compiler.native.gemm.LIMIT` is chosen by this table.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy: products stay in one thread

import argparse
import time
from typing import Any

import numpy as np

from dotori.compiler.native import build, gemm, machine, products, synchrony

SIZES = [(n, n, n) for n in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)]
# rows, columns, depth: layers of small networks, forward and back, and one sample
LAYERS = [
    (32, 64, 13), (32, 1, 64), (64, 13, 32), (1, 64, 32), (64, 1, 32), (32, 64, 1),
    (1, 64, 13), (1, 128, 128), (1, 10, 64), (16, 10, 64), (64, 128, 64),
]  # fmt: skip
WAYS = ["a @ b", "a @ b.T", "a.T @ b", "a.T @ b.T"]
LARGEST = max(m * n * k for m, n, k in SIZES + LAYERS)


def source(shape: tuple[int, int, int], way: str, kind: str) -> str:
    """A step that multiplies as often as its fourth array says."""
    m, n, k = shape
    left = f"({k}, {m})).T" if "a.T" in way else f"({m}, {k}))"
    right = f"({n}, {k})).T" if "b.T" in way else f"({k}, {n}))"
    return f"""
def step(table, thread, threads):
    a, b = {kind}(table, 0, {left}, {kind}(table, 1, {right}
    out = {kind}(table, 2, ({m}, {n}))
    for i in range(int64(table, 3, 1)[0]):
        matmul(a, b, out)
    return 0
"""


def multiplier(kind: str, limit: int) -> Any:
    """The code that multiplies; up to `limit` multiplications in own loops."""
    gemm.LIMIT = gemm.VECTOR_LIMIT = limit
    gemm.functions.cache_clear()
    build._names.cache_clear()
    bits = 32 if kind == "float32" else 64
    text = products.SOURCE.format(bits=bits)
    linked = machine.Linked(build.compiled(text, len(products.ARGUMENTS))[0])
    machine.define(f"{products.SYMBOL}{bits}", linked.address)
    return linked


def nanoseconds(step: Any, shape: tuple[int, int, int], kind: str) -> float:
    """Of one product: the shortest of 15 runs of some 100 microseconds each."""
    from dotori.compiler.native.runtime import STEP

    m, n, k = shape
    rng = np.random.default_rng(0)
    often = np.array([max(1, 500_000 // (m * n * k + 300))])
    arrays = [rng.random(s).astype(kind) for s in (m * k, k * n, m * n)]
    table = np.array([x.ctypes.data for x in (*arrays, often)])
    run, best = STEP(step.address), float("inf")
    for _ in range(15):
        start = time.perf_counter()
        run(table.ctypes.data, 0, 1)
        best = min(best, time.perf_counter() - start)
    return best / int(often[0]) * 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--float64", action="store_true")
    kind = "float64" if parser.parse_args().float64 else "float32"
    synchrony.define()
    gemm.define()
    times: dict[tuple[Any, str], list[float]] = {}
    for limit in (LARGEST, -1):
        linked = multiplier(kind, limit)
        for shape in SIZES + LAYERS:
            for way in WAYS:
                step = machine.Linked(build.compiled(source(shape, way, kind))[0])
                found = nanoseconds(step, shape, kind)
                times.setdefault((shape, way), []).append(found)
        del linked
    print(f"{kind}: own loops / library, ns")
    print(f"{'m x n x k':>14}  " + "  ".join(f"{way:>17}" for way in WAYS))
    for shape in SIZES + LAYERS:
        row = [times[shape, way] for way in WAYS]
        cells = "  ".join(f"{own:8.0f} /{library:7.0f}" for own, library in row)
        print(f"{'x'.join(map(str, shape)):>14}  {cells}")


if __name__ == "__main__":
    main()
