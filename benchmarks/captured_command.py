"""What the benchmarks of captured steps have in common: options, timing, verdicts."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import machine_limit
import numpy as np
import torch
from captured_workloads import Workload, chosen
from side_by_side import describe_environment

from dotori import backend, kernels

#: One thread, and as many as PyTorch takes by itself.
THREADS = sorted({1, torch.get_num_threads()})

#: Times a workload: gets how often to repeat, and the sides to leave out.
Run = Callable[[Workload, int, list[str]], dict[str, Any]]


def numbers(result: Any) -> np.ndarray:
    """A tensor of any library, or a number, as an array; JAX has finished with it."""
    detach = getattr(result, "detach", None)
    return np.asarray(detach().numpy() if detach else result)


def repeated(
    call: Callable[[], Any], times: int, threads: int = 0, mode: str = "numba"
) -> Callable[[], None]:
    """Many calls as what is timed, so that the clock and the thread pools settle."""

    def run() -> None:
        if threads:
            torch.set_num_threads(threads)
        kernels.use(mode)
        for _ in range(times):
            result = call()
        numbers(result)

    return run


def fastest(seconds: dict[str, float], dotori: bool) -> str:
    """The fastest side: of dotori, the compiled ones if any run; or of the peers."""
    names = [name for name in seconds if name.startswith("dotori") == dotori]
    compiled = [name for name in names if "NumPy" not in name and "eager" not in name]
    return min(compiled or names, key=seconds.__getitem__)


def verdict(
    workload: Workload, seconds: dict[str, float], wanted: float, least: float
) -> dict[str, Any]:
    """Print dotori's ratio to the best peer, and the share of the limit `least`."""
    ours, peer = fastest(seconds, dotori=True), fastest(seconds, dotori=False)
    ratio, share = seconds[ours] / seconds[peer], least / seconds[ours]
    met = "met" if ratio <= wanted else "MISSED"
    print(f"{ours} / {peer}: {ratio:.2f} (wanted: <= {wanted}): {met}")
    plan, eager = (seconds.get(f"dotori, {s} NumPy") for s in ("planned", "eager"))
    if plan and eager:
        print(f"without Numba, planned / eager: {plan / eager:.2f} (wanted: < 1)")
    print(f"limit {least * 1e6:.1f} us, of which dotori reaches {share:.0%}\n")
    return {
        "workload": workload.name,
        "seconds": seconds,
        "side": ours,
        "best peer": peer,
        "ratio": ratio,
        "wanted": wanted,
        "limit": least,
        "share of the limit": share,
    }


def main(description: str, run: Run) -> None:
    """Run the workloads that the command line names, and print the conditions."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="workloads; all if none is given")
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--quick", action="store_true", help="only see that it runs")
    parser.add_argument("--without", nargs="*", default=[], help="sides to leave out")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    backend.keep_memory()
    for peer in ("jax", "optax", "onnxruntime"):
        if find_spec(peer) is None:
            print(f"{peer} is not installed: its sides are missing")
    repeats = 1 if options.quick else options.repeats
    figures = [run(w, repeats, options.without) for w in chosen(options.names)]
    conditions = f"{machine_limit.describe_limits()}\n{describe_environment()}"
    print(conditions)
    if options.json:
        written = {"workloads": figures, "conditions": conditions.splitlines()}
        options.json.write_text(json.dumps(written, indent=2), encoding="utf-8")
