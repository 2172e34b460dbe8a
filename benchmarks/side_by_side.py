"""Two or more ways to do the same, timed fairly: interleaved runs, medians, conditions.

A benchmark of dotori never stands alone: its peer runs in the same process, the same
minute and in turn, after both gave equal results. What the machine was is printed.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

#: Variables that change which BLAS kernels run, and with them what a ratio means.
FORBIDDEN = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")

#: Seconds between two calls: threads of OpenBLAS and OpenMP spin on after their work,
#: in the way of the next side's.
PAUSE = 0.05

#: Packages whose versions belong to a result.
COMPARED = (
    "dotori",
    "numpy",
    "numba",
    "scipy",
    "sklearn",
    "sklearnex",
    "torch",
    "jax",
    "optax",
    "onnxruntime",
)


def refuse_tuned_blas() -> None:
    """End the program if the environment forces other BLAS kernels on one side."""
    found = [name for name in FORBIDDEN if name in os.environ]
    if found:
        sys.exit(
            f"benchmark refused: {' and '.join(found)} would change one side's BLAS "
            f"kernels; run it with: env {' '.join(f'-u {name}' for name in found)} ..."
        )


def compare(
    sides: Mapping[str, Callable[[], Any]], repeats: int = 7, warmup: int = 1
) -> dict[str, float]:
    """Median seconds of one call of each side.

    The sides take turns, and each round another one begins, so that a slow second of
    the machine hits all of them. The garbage collector rests while a call is timed.
    """
    refuse_tuned_blas()
    names = list(sides)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(-warmup, repeats):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            taken = _time(sides[name])
            if turn >= 0:
                seconds[name].append(taken)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def _time(call: Callable[[], Any]) -> float:
    time.sleep(PAUSE)
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start
    finally:
        if enabled:
            gc.enable()


def table(
    medians: Mapping[str, float],
    reference: str = "dotori",
    per: int = 1,
    unit: str = "us",
    targets: Mapping[str, float] | None = None,
) -> str:
    """The medians as lines, each with its ratio to the reference's.

    Parameters
    ----------
    per : int
        How many steps or batches one call makes: times are given for one of them.
    targets : mapping, optional
        For a side, how many times as long as the reference it should take at least.
    """
    scale = {"s": 1.0, "ms": 1e3, "us": 1e6}[unit] / per
    width = max(map(len, medians))
    lines = []
    for name, seconds in medians.items():
        ratio = seconds / medians[reference]
        line = f"{name:<{width}}  {seconds * scale:10.2f} {unit}  {ratio:7.2f} x"
        if targets and name in targets:
            verdict = "met" if ratio >= targets[name] else "MISSED"
            line += f"   wanted >= {targets[name]:g} x: {verdict}"
        lines.append(line)
    return "\n".join(lines)


def describe_environment() -> str:
    """Processor, versions, and the kernels and threads of every native library.

    Call it when everything that is compared has been imported and used.
    """
    refuse_tuned_blas()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    lines = [f"{_processor()}, {_cores()} cores; {platform.system()}; {python}"]
    loaded = [m for m in COMPARED if m in sys.modules]
    lines.append(", ".join(f"{m} {import_module(m).__version__}" for m in loaded))
    if "torch" in sys.modules:
        torch = import_module("torch")
        capability = torch.backends.cpu.get_cpu_capability()
        lines.append(f"PyTorch: {torch.get_num_threads()} threads, {capability}")
    lines += _native_libraries()
    return "\n".join(lines)


def _native_libraries() -> list[str]:
    if find_spec("threadpoolctl") is None:
        return ["BLAS: unknown; install threadpoolctl to see it"]
    info = import_module("threadpoolctl").threadpool_info()
    return [
        f"{os.path.basename(lib['filepath'])}: {lib['internal_api']} {lib['version']}, "
        f"{lib['num_threads']} threads, kernels {lib.get('architecture', '-')}"
        for lib in info
    ]


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _cores() -> int:
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1
