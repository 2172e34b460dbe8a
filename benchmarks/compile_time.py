"""What compiling a captured training step takes, and whether training waits for it.

    python benchmarks/compile_time.py [WORKLOAD ...]

Each workload of `captured_workloads.py` in fresh processes:

- cold, warm: mode "native", where the first call waits for the compiler, with an empty
  cache of compiled code and with a full one; seconds of that call beyond an eager step,
  so capture and planning are in it;
- the longest step: mode "auto", with an empty cache. Training goes on as planned NumPy,
  from some step on beside a thread that compiles, until the compiled step takes over at
  a step that is known beforehand, and waits for the thread if it must. Given are the
  longest of these steps, their median, and when the compiled step took over.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WARM_SECONDS = 0.3
#: No compiler is waited for longer.
PATIENCE = 300.0


def first_call(name: str, mode: str) -> None:
    """Print the seconds of a first call, and of the steps until all is compiled."""
    from captured_workloads import WORKLOADS
    from training_step import dotori_parts

    import dotori

    step, batch, _ = dotori_parts(WORKLOADS[name].case)
    _seconds(lambda: step(*batch))  # loads what it needs
    eager = _seconds(lambda: step(*batch))
    start = time.perf_counter()
    fast = dotori.compile(step, mode=mode)
    fast(*batch)
    first = time.perf_counter() - start
    later = [] if mode == "native" else _until_compiled(fast, lambda: fast(*batch))
    print(json.dumps({"first": first - eager, "later": later}))


def _until_compiled(step: Any, call: Callable[[], Any]) -> list[float]:
    """Seconds of each call up to the first ones of the compiled step."""
    (entry,) = step.entries()
    taken: list[float] = []
    end = time.perf_counter() + PATIENCE
    while entry.native is None or len(taken) < entry.switch:
        taken.append(_seconds(call))
        if entry.trouble or time.perf_counter() > end:
            raise SystemExit(f"not compiled in {PATIENCE:g} s. {entry.trouble}")
    return taken


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def fresh_process(name: str, mode: str, cache: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--process", name, mode]
    environment = os.environ | {
        "NUMBA_CACHE_DIR": cache,
        "PYTHONPATH": str(Path(__file__).parent),
    }
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure(name: str) -> dict[str, Any]:
    """Cold, warm, and beside the training."""
    with tempfile.TemporaryDirectory() as cache:
        cold = fresh_process(name, "native", cache)["first"]
        warm = fresh_process(name, "native", cache)["first"]
    with tempfile.TemporaryDirectory() as cache:
        later = fresh_process(name, "auto", cache)["later"]
    return {
        "cold": cold,
        "warm": warm,
        "longest": max(later),
        "median": statistics.median(later),
        "until": sum(later),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="workloads; all if none is given")
    parser.add_argument("--process", nargs=2, metavar=("WORKLOAD", "MODE"))
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    if options.process:
        first_call(*options.process)
        return
    from captured_workloads import chosen

    print(f"{'':12}{'cold':>9}{'wanted':>9}{'warm':>9}{'wanted':>9}", end="")
    print(f"{'longest step':>16}{'median':>10}{'compiled after':>16}")
    figures = {}
    for workload in chosen(options.names):
        found = figures[workload.name] = measure(workload.name)
        print(f"{workload.name:12}{found['cold']:7.2f} s", end="")
        print(f"{workload.compile_seconds:7g} s", end="")
        print(f"{found['warm']:7.2f} s{WARM_SECONDS:7g} s", end="")
        print(
            f"{1e3 * found['longest']:13.1f} ms{1e3 * found['median']:7.1f} ms", end=""
        )
        print(f"{found['until']:14.1f} s", flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
