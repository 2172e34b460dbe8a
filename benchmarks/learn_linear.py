"""Least squares, ridge and lasso: dotori beside scikit-learn, and scikit-learn-intelex.

    python benchmarks/learn_linear.py [--cpu] [--memory] [part of a workload's name ...]

Times of whole fits, taken in turn, how far apart the coefficients are, and how the time
grows with the rows. `--cpu` counts processor time instead of the clock, for a machine
that others use meanwhile (then set OMP_NUM_THREADS=1). `--memory` measures what a fit
adds to the peak of a process of its own. Where scikit-learn-intelex can be imported, it
is a third side.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np
import sklearn.linear_model
from scipy import sparse
from side_by_side import compare, describe_environment, table

import dotori.learn
from dotori import kernels

#: dotori's time over scikit-learn's, at most.
WANTED = {"LinearRegression 100k x 50": 0.13, "Ridge 100k x 50": 0.35}


def dense(n: int, d: int, dtype: type = np.float64) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, d)) + 1
    y = x[:, : min(d, 20)].sum(axis=1) + rng.standard_normal(n)
    return x.astype(dtype), y.astype(dtype)


def collinear(n: int, d: int) -> tuple[Any, Any]:
    x, y = dense(n, d)
    x[:, 1] = x[:, 0] + x[:, 2]
    return x, y


def words(n: int, d: int) -> tuple[Any, Any]:
    """A sparse table, of which some columns matter."""
    rng = np.random.default_rng(0)
    x = sparse.random(n, d, 0.002, format="csc", random_state=0)
    return x, x[:, :200] @ rng.standard_normal(200) + 0.1 * rng.standard_normal(n)


#: Data, estimator, its options, repeats.
Workload = tuple[Callable[[], Any], str, dict[str, Any], int]
WORKLOADS: dict[str, Workload] = {
    "LinearRegression 10k x 50": (
        lambda: dense(10_000, 50),
        "LinearRegression",
        {},
        15,
    ),
    "LinearRegression 100k x 50": (
        lambda: dense(100_000, 50),
        "LinearRegression",
        {},
        15,
    ),
    "LinearRegression 1M x 50": (
        lambda: dense(1_000_000, 50),
        "LinearRegression",
        {},
        3,
    ),
    "LinearRegression 100k x 50, float32": (
        lambda: dense(100_000, 50, np.float32),
        "LinearRegression",
        {},
        9,
    ),
    "LinearRegression 100k x 50, collinear": (
        lambda: collinear(100_000, 50),
        "LinearRegression",
        {},
        9,
    ),
    "LinearRegression 20k x 500": (
        lambda: dense(20_000, 500),
        "LinearRegression",
        {},
        3,
    ),
    "Ridge 10k x 50": (lambda: dense(10_000, 50), "Ridge", {}, 15),
    "Ridge 100k x 50": (lambda: dense(100_000, 50), "Ridge", {}, 25),
    "Ridge 1M x 50": (lambda: dense(1_000_000, 50), "Ridge", {}, 3),
    "Ridge 500 x 3000": (lambda: dense(500, 3000), "Ridge", {}, 5),
    "Lasso 10k x 50": (lambda: dense(10_000, 50), "Lasso", {"alpha": 0.1}, 15),
    "Lasso 100k x 50": (lambda: dense(100_000, 50), "Lasso", {"alpha": 0.1}, 9),
    "Lasso 1M x 50": (lambda: dense(1_000_000, 50), "Lasso", {"alpha": 0.1}, 3),
    "Lasso 1000 x 5000": (lambda: dense(1000, 5000), "Lasso", {"alpha": 0.1}, 7),
    "Lasso 1000 x 5000, precise": (
        lambda: dense(1000, 5000),
        "Lasso",
        {"alpha": 0.03, "tol": 1e-8, "max_iter": 100_000},
        5,
    ),
    "Lasso sparse 5000 x 20k": (
        lambda: words(5000, 20_000),
        "Lasso",
        {"alpha": 1e-4},
        5,
    ),
}


def sides(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """An unfitted estimator of each library."""
    found = {
        "dotori": getattr(dotori.learn, name)(**options),
        "scikit-learn": getattr(sklearn.linear_model, name)(**options),
    }
    if find_spec("sklearnex"):
        import sklearnex.linear_model

        found["intelex"] = getattr(sklearnex.linear_model, name)(**options)
    return found


def processor_time(
    calls: Mapping[str, Callable[[], Any]], repeats: int
) -> dict[str, float]:
    """The least processor time of each side, in turn."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.process_time()
            call()
            taken[name].append(time.process_time() - start)
    return {name: min(times) for name, times in taken.items()}


def run(workload: str, time_them: Callable[..., dict[str, float]]) -> dict[str, float]:
    """Time one workload and print what was found."""
    make, name, options, repeats = WORKLOADS[workload]
    x, y = make()
    models = sides(name, options)
    calls = {
        side: (lambda model=model: model.fit(x, y)) for side, model in models.items()
    }
    seconds = time_them(calls, repeats=repeats)
    print(f"\n{workload}, {name}({options})")
    print(table(seconds, "scikit-learn", unit="ms"))
    theirs = models["scikit-learn"].coef_
    for side, model in models.items():
        apart = np.abs(model.coef_ - theirs).max() / np.abs(theirs).max()
        print(f"  {side}: coefficients differ by {apart:.1e} of the largest")
    if workload in WANTED:
        ratio = seconds["dotori"] / seconds["scikit-learn"]
        verdict = "met" if ratio <= WANTED[workload] else "MISSED"
        print(f"  {ratio:.3f} of scikit-learn's, {WANTED[workload]} wanted: {verdict}")
    return seconds


def growth(found: Mapping[str, Mapping[str, float]]) -> None:
    """How many times as long ten times the rows take."""
    print("\ntime for ten times the rows, dotori and scikit-learn:")
    for name in ("LinearRegression", "Ridge", "Lasso"):
        sizes = [f"{name} {n} x 50" for n in ("10k", "100k", "1M")]
        for small, large in pairwise(sizes):
            if small in found and large in found:
                ours, theirs = (
                    found[large][side] / found[small][side]
                    for side in ("dotori", "scikit-learn")
                )
                print(f"  {small} -> {large}: {ours:.1f} and {theirs:.1f}")


MEMORY = """
import sys
sys.path.insert(0, {here!r})
from learn_linear import WORKLOADS, sides
make, name, options, _ = WORKLOADS[{workload!r}]
x, y = make()
model = sides(name, options)[{side!r}]
model.fit(x[:300], y[:300])
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # forget the peak of making the data
def now():
    lines = open("/proc/self/status").read().splitlines()
    return {{l.split(":")[0]: l.split()[1] for l in lines if l.startswith("Vm")}}
before = int(now()["VmRSS"])
model.fit(x, y)
print((int(now()["VmHWM"]) - before) / 1024)
"""


def memory(workload: str) -> None:
    """What a fit adds to the memory of a process of its own, at its peak (Linux)."""
    found = {}
    for side in ("dotori", "scikit-learn"):
        code = MEMORY.format(here=sys.path[0], workload=workload, side=side)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            check=True,
            capture_output=True,
            text=True,
        )
        found[side] = float(done.stdout)
    print(
        f"{workload:40s} dotori {found['dotori']:8.1f} MB   "
        f"scikit-learn {found['scikit-learn']:8.1f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="workload")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--memory", action="store_true")
    about = parser.parse_args()
    warnings.simplefilter("ignore")
    chosen = [
        w for w in WORKLOADS if not about.names or any(n in w for n in about.names)
    ]
    if about.memory:
        for workload in chosen:
            memory(workload)
        return
    kernels.use("numba")
    time_them = processor_time if about.cpu else compare
    growth({workload: run(workload, time_them) for workload in chosen})
    print("\n" + describe_environment())


if __name__ == "__main__":
    main()
