"""Trees and forests beside scikit-learn: seconds of a fit, and accuracy.

    python benchmarks/learn_trees.py

Two threads each: forests of scikit-learn run with n_jobs=2. Accuracy (R^2 for the
regressor) is that on 20 000 rows that were held out. With scikit-learn-intelex
installed, its forest is a side of its own. Growth with rows comes last.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from side_by_side import compare, describe_environment, table
from sklearn.datasets import make_classification, make_regression

from dotori import kernels

HELD_OUT = 20_000


def classes(n: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = make_classification(
        n + HELD_OUT, 20, n_informative=10, flip_y=0.05, random_state=0
    )
    return x, y


def amounts(n: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = make_regression(
        n + HELD_OUT, 20, n_informative=10, noise=10.0, random_state=0
    )
    return x, y


#: What to fit: a module, a class, its settings, the data, rows, the ratio wanted.
WORKLOADS: dict[
    str, tuple[str, str, dict[str, Any], Callable[..., Any], int, float]
] = {
    "classifier": ("tree", "DecisionTreeClassifier", {}, classes, 100_000, 0.3),
    "classifier, depth 8": (
        "tree",
        "DecisionTreeClassifier",
        {"max_depth": 8},
        classes,
        100_000,
        0.3,
    ),
    "regressor": ("tree", "DecisionTreeRegressor", {}, amounts, 100_000, 0.3),
    "forest of 50": (
        "ensemble",
        "RandomForestClassifier",
        {"n_estimators": 50, "n_jobs": 2},
        classes,
        50_000,
        0.2,
    ),
}


def models(module: str, name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The same estimator of each library."""
    packages = {"scikit-learn": "sklearn", "dotori": "dotori.learn"}
    if module == "ensemble" and find_spec("sklearnex"):
        packages["intelex"] = "sklearnex"
    return {
        side: getattr(import_module(f"{package}.{module}"), name)(
            random_state=0, **settings
        )
        for side, package in packages.items()
    }


def fits(
    sides: dict[str, Any], x: np.ndarray, y: np.ndarray
) -> dict[str, Callable[[], Any]]:
    return {side: partial(model.fit, x, y) for side, model in sides.items()}


def run(name: str) -> None:
    module, kind, settings, data, n, wanted = WORKLOADS[name]
    x, y = data(n)
    sides = models(module, kind, settings)
    medians = compare(fits(sides, x[:n], y[:n]), repeats=3)
    print(f"\n{name}, {n} x 20; wanted: {wanted} of scikit-learn's")
    print(table(medians, reference="scikit-learn", unit="s"))
    for side, model in sides.items():
        print(f"  {side}: score on held-out rows {model.score(x[n:], y[n:]):.4f}")


def growth_with_rows() -> None:
    print("\nclassifier, seconds by rows")
    for n in (25_000, 50_000, 100_000, 200_000):
        x, y = classes(n)
        sides = models("tree", "DecisionTreeClassifier", {})
        medians = compare(fits(sides, x[:n], y[:n]), repeats=3)
        print(n, {side: round(seconds, 3) for side, seconds in medians.items()})


def main() -> None:
    kernels.use("numba")
    for name in WORKLOADS:
        run(name)
    growth_with_rows()
    print("\n" + describe_environment())


if __name__ == "__main__":
    main()
