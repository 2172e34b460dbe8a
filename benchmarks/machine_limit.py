"""How fast this machine multiplies and moves numbers: what no library can pass.

A workload cannot take less time than its products take at the rate of NumPy's best
product of large matrices, and its other work at the speed at which memory of that size
is read and written.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from captured_workloads import Cost


def limit(cost: Cost, training: bool) -> float:
    """Seconds that one step, or one run forward, takes at least."""
    if training:
        flops, nbytes = cost.training_flops, cost.training_bytes
    else:
        flops, nbytes = cost.forward_flops, cost.forward_bytes
    return flops / flops_per_second() + nbytes / bytes_per_second(_size(cost))


def _size(cost: Cost) -> int:
    """Bytes of the memory that a workload goes through, as a power of two."""
    numbers = 4 * (cost.parameters + cost.activations)
    return 1 << max(numbers - 1, 1 << 15).bit_length()


@cache
def flops_per_second() -> float:
    """The best rate of products in float32, with all threads of NumPy's BLAS."""
    rates = []
    for n in (512, 1024, 2048):
        a, b, y = (np.ones((n, n), np.float32) for _ in range(3))
        rates.append(2 * n**3 / _quickest(lambda a=a, b=b, y=y: np.matmul(a, b, y)))
    return max(rates)


@cache
def bytes_per_second(size: int) -> float:
    """What is read and written in a second, going through `size` bytes.

    The larger of a copy's and a sum's rate; with all cores where there is much to move,
    as then they share the work.
    """
    threads = _cores() if size > 1 << 20 else 1
    turns = max(1, (1 << 24) // size)
    parts = [np.ones((2, size // 8 // threads), np.float32) for _ in range(threads)]

    def copies(part: np.ndarray) -> None:
        for _ in range(turns):
            np.copyto(part[0], part[1])

    def sums(part: np.ndarray) -> None:
        for _ in range(turns):
            np.add(part[0], part[1], part[0])

    with ThreadPoolExecutor(threads) as pool:
        run = map if threads == 1 else pool.map
        copying, adding = (
            _quickest(lambda work=work: list(run(work, parts)))
            for work in (copies, sums)
        )
    moved = sum(part.nbytes for part in parts) * turns
    return max(moved / copying, 1.5 * moved / adding)


def _cores() -> int:
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


def _quickest(call: Callable[[], Any], repeats: int = 15) -> float:
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return min(taken)


def describe_limits() -> str:
    """The measured rates, for the reader of a benchmark."""
    rate = flops_per_second() / 1e9
    small, large = (bytes_per_second(1 << n) / 1e9 for n in (16, 27))
    return (
        f"products of large matrices: {rate:.0f} GFLOP/s; memory: {small:.0f} GB/s "
        f"within 64 KiB, {large:.0f} GB/s within 128 MiB"
    )
