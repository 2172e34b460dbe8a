"""The wait before a first training step, with kernels to compile and without.

    python benchmarks/first_step.py

The small CNN of `convolution_training.py` in fresh processes: with an empty cache of
compiled kernels, then with a full one. In mode "auto", which is the default, the
kernels are compiled beside the training; in mode "numba" the first step waits for them.
PyTorch's first step stands beside.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STEPS = 400


def first_steps(side: str) -> None:
    """Train, and print the seconds of the first step and until all was compiled."""
    from convolution_training import CASES
    from training_step import dotori_step, torch_step

    if side == "PyTorch":
        step, _ = torch_step(CASES[0])
        print(*_timed(step, 5, lambda: False))
        return
    from dotori import kernels

    kernels.use(side)
    step, _ = dotori_step(CASES[0])
    print(*_timed(step, STEPS if side == "auto" else 5, lambda: kernels.pending() > 0))


def _timed(step, n, compiling) -> tuple[float, float, float]:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    step()
    first, compiled, slowest = time.perf_counter() - start, 0.0, 0.0
    for _ in range(n):
        before = time.perf_counter()
        step()
        now = time.perf_counter()
        slowest = max(slowest, now - before)
        if compiling():
            compiled = now - start
    return first, slowest, compiled


def fresh_process(side: str, cache: str) -> list[float]:
    command = [sys.executable, __file__, "--side", side]
    here = str(Path(__file__).parent)
    environment = os.environ | {"NUMBA_CACHE_DIR": cache, "PYTHONPATH": here}
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    )
    return [float(t) for t in done.stdout.split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side")
    options = parser.parse_args()
    if options.side:
        first_steps(options.side)
        return
    print("seconds:                 first step   slowest later   compiling until")
    with tempfile.TemporaryDirectory() as cache:
        for side, state in [
            ("numba", "empty cache"),
            ("numba", "full cache"),
            ("auto", "full cache"),
            ("PyTorch", ""),
        ]:
            row = fresh_process(side, cache)
            print(f"{side:8} {state:12}", *(f"{t:12.2f}" for t in row))
    with tempfile.TemporaryDirectory() as cache:
        row = fresh_process("auto", cache)
        print(f"{'auto':8} {'empty cache':12}", *(f"{t:12.2f}" for t in row))


if __name__ == "__main__":
    main()
