"""Logistic regression and SGD: dotori beside scikit-learn, and scikit-learn-intelex.

    python benchmarks/learn_logistic.py [--cpu] [name of a workload ...]

Times of whole fits, taken in turn, with the objective that each side ends at: lower is
better, and the time is only fair beside it. `--cpu` counts processor time instead of
the clock, for a machine that others use meanwhile (then set OMP_NUM_THREADS=1). Where
scikit-learn-intelex can be imported, it is a third side.
"""

from __future__ import annotations

import argparse
import gc
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import sklearn.linear_model
from side_by_side import compare, describe_environment, table
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import ConvergenceWarning

import dotori.learn
from dotori.algorithms.logistic.loss import LogisticLoss

#: dotori's time over scikit-learn's, at most.
WANTED = {"binary 100k x 50": 0.5, "pictures 70k x 784": 0.55}


def binary(n: int) -> tuple[Any, Any]:
    return make_classification(n, 50, n_informative=20, random_state=0)


def pictures(n: int) -> tuple[Any, Any]:
    """Digits of 8 x 8 enlarged to 20 x 20, moved about in 28 x 28, with noise."""
    rng = np.random.default_rng(0)
    small, y = load_digits(return_X_y=True)
    at = np.linspace(0, 7, 20)
    low = np.minimum(at.astype(int), 6)
    enlarge = np.zeros((20, 8))
    enlarge[np.arange(20), low] = 1 - (at - low)
    enlarge[np.arange(20), low + 1] += at - low
    large = enlarge @ (small.reshape(-1, 8, 8) / 16) @ enlarge.T
    pick, across, down = rng.integers(0, len(y), n), *rng.integers(2, 7, (2, n))
    x = np.zeros((n, 28, 28))
    for i in range(2, 7):
        for j in range(2, 7):
            here = np.flatnonzero((across == i) & (down == j))
            x[here, i : i + 20, j : j + 20] = large[pick[here]]
    for part in np.array_split(x, 50):
        part += (part > 0) * rng.normal(0, 0.1, part.shape)
    return np.clip(x, 0, 1, out=x).reshape(n, -1), y[pick]


def single(make: Callable[[], tuple[Any, Any]]) -> tuple[Any, Any]:
    x, y = make()
    return x.astype(np.float32), y


#: Data, estimator, its options, repeats.
WORKLOADS: dict[str, tuple[Callable[[], Any], str, dict[str, Any], int]] = {
    "binary 100k x 50": (lambda: binary(100_000), "LogisticRegression", {}, 9),
    "binary 10k x 50": (lambda: binary(10_000), "LogisticRegression", {}, 15),
    "binary 1M x 50": (lambda: binary(1_000_000), "LogisticRegression", {}, 3),
    "pictures 70k x 784": (
        lambda: pictures(70_000),
        "LogisticRegression",
        {"max_iter": 20},
        3,
    ),
    "pictures 70k x 784, float32": (
        lambda: single(lambda: pictures(70_000)),
        "LogisticRegression",
        {"max_iter": 20},
        3,
    ),
    "L1 10k x 50": (
        lambda: binary(10_000),
        "LogisticRegression",
        {"solver": "saga", "l1_ratio": 1.0, "C": 0.01},
        3,
    ),
    "SGD 100k x 50": (
        lambda: binary(100_000),
        "SGDClassifier",
        {"random_state": 0, "max_iter": 20, "tol": None},
        3,
    ),
}


def sides(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """An unfitted estimator of each library."""
    found = {
        "dotori": getattr(dotori.learn, name)(**options),
        "scikit-learn": getattr(sklearn.linear_model, name)(**options),
    }
    if find_spec("sklearnex") and not options:
        from sklearnex.linear_model import LogisticRegression as Intel

        found["intelex"] = Intel(**options)
    return found


def objective(model: Any, x: Any, y: Any) -> float:
    """What a logistic regression minimises, for the coefficients that were found."""
    codes = np.searchsorted(model.classes_, y)
    scale = 1 / (model.C * len(y))
    loss = LogisticLoss(
        x.astype(np.float64), codes, len(model.classes_), None,
        (1 - model.l1_ratio) * scale,
    )  # fmt: skip
    theta = np.column_stack([model.coef_, model.intercept_]).astype(np.float64)
    absolute = model.l1_ratio * scale * np.abs(model.coef_).sum()
    return loss(theta.ravel())[0] + float(absolute)


def processor_time(
    calls: dict[str, Callable[[], Any]], repeats: int
) -> dict[str, float]:
    """The least processor time of each side, in turn."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            gc.collect()
            start = time.process_time()
            call()
            taken[name].append(time.process_time() - start)
    return {name: min(times) for name, times in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="workload")
    parser.add_argument("--cpu", action="store_true")
    about = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    for workload in about.names or WORKLOADS:
        make, name, options, repeats = WORKLOADS[workload]
        x, y = make()
        models = sides(name, options)
        calls = {
            side: (lambda model=model, x=x, y=y: model.fit(x, y))
            for side, model in models.items()
        }
        time_them = processor_time if about.cpu else compare
        seconds = time_them(calls, repeats=repeats)
        print(f"\n{workload}, {name}({options})")
        print(table(seconds, "scikit-learn", unit="ms"))
        for side, model in models.items():
            steps = np.max(model.n_iter_)
            end = f"accuracy {model.score(x[:10_000], y[:10_000]):.4f}"
            if name == "LogisticRegression":
                end = f"objective {objective(model, x, y):.6f}, {end}"
            print(f"  {side}: {steps} steps, {end}")
        if workload in WANTED:
            ratio = seconds["dotori"] / seconds["scikit-learn"]
            verdict = "met" if ratio <= WANTED[workload] else "MISSED"
            print(
                f"  {ratio:.2f} of scikit-learn's, {WANTED[workload]} wanted: {verdict}"
            )
    print("\n" + describe_environment())


if __name__ == "__main__":
    main()
