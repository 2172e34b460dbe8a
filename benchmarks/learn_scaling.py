"""Scaling, imputation, encoding: fit and transform beside scikit-learn's.

    python benchmarks/learn_scaling.py [--cpu] [name of a workload ...]

Each side fits and transforms the same table, in turn, after both gave equal results.
`--cpu` counts processor time instead of the clock, for a machine that others use
meanwhile (then set OMP_NUM_THREADS=1). Where scikit-learn-intelex can be imported, it
is a third side.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from side_by_side import compare, describe_environment, table

import dotori.learn

#: dotori's time over scikit-learn's, at most.
WANTED = {"StandardScaler": 0.25, "MinMaxScaler": 0.5}


def numbers() -> Any:
    """1M x 50 in float32: 200 MB, far more than any cache holds."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((1_000_000, 50), dtype=np.float32) * 3 + 1


def with_gaps() -> Any:
    X = numbers()
    X[np.random.default_rng(1).random(X.shape, dtype=np.float32) < 0.05] = np.nan
    return X


def categories() -> Any:
    return np.random.default_rng(0).integers(0, 100, (300_000, 10))


def texts() -> Any:
    words = np.array([f"word{i}" for i in range(50)], dtype=object)
    return words[np.random.default_rng(0).integers(0, 50, (100_000, 5))]


#: Data, module, estimator, its options, repeats.
WORKLOADS: dict[str, tuple[Callable[[], Any], str, str, dict[str, Any], int]] = {
    "StandardScaler": (numbers, "preprocessing", "StandardScaler", {}, 9),
    "MinMaxScaler": (numbers, "preprocessing", "MinMaxScaler", {}, 9),
    "MaxAbsScaler": (numbers, "preprocessing", "MaxAbsScaler", {}, 9),
    "Normalizer": (numbers, "preprocessing", "Normalizer", {}, 9),
    "RobustScaler": (numbers, "preprocessing", "RobustScaler", {}, 3),
    "StandardScaler, gaps": (with_gaps, "preprocessing", "StandardScaler", {}, 3),
    "SimpleImputer, mean": (with_gaps, "impute", "SimpleImputer", {}, 3),
    "SimpleImputer, median": (
        with_gaps,
        "impute",
        "SimpleImputer",
        {"strategy": "median"},
        3,
    ),
    "OneHotEncoder, numbers": (categories, "preprocessing", "OneHotEncoder", {}, 5),
    "OneHotEncoder, texts": (texts, "preprocessing", "OneHotEncoder", {}, 3),
    "OrdinalEncoder, texts": (texts, "preprocessing", "OrdinalEncoder", {}, 3),
}


def sides(module: str, name: str, options: dict[str, Any]) -> dict[str, Any]:
    libraries = {"dotori": "dotori.learn", "scikit-learn": "sklearn"}
    if find_spec("sklearnex"):
        libraries["intelex"] = "sklearnex"
    found = {}
    for title, library in libraries.items():
        try:
            kind = getattr(import_module(f"{library}.{module}"), name)
        except (ImportError, AttributeError):
            continue
        found[title] = kind(**options)
    return found


def check(estimators: dict[str, Any], X: Any) -> None:
    """All sides give the same for the first rows."""
    found = {}
    for title, estimator in estimators.items():
        out = estimator.fit(X).transform(X[:1000])
        found[title] = out.toarray() if hasattr(out, "toarray") else out
    for title, out in found.items():
        np.testing.assert_allclose(
            found["dotori"], out, rtol=1e-4, atol=1e-4, err_msg=title
        )


def processor_time(calls: dict[str, Callable[[], Any]], repeats: int) -> Any:
    least = dict.fromkeys(calls, np.inf)
    for _ in range(repeats):
        for title, call in calls.items():
            start = time.process_time()
            call()
            least[title] = min(least[title], time.process_time() - start)
    return least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    for title in options.names or WORKLOADS:
        make, module, name, params, repeats = WORKLOADS[title]
        X, estimators = make(), sides(module, name, params)
        check(estimators, X)
        calls = {
            side: lambda made=made, X=X: made.fit(X).transform(X)
            for side, made in estimators.items()
        }
        clock = processor_time if options.cpu else compare
        seconds = clock(calls, repeats)
        ratio = seconds["dotori"] / seconds["scikit-learn"]
        goal = f", wanted <= {WANTED[title]}" if title in WANTED else ""
        print(f"\n{title}: {ratio:.2f} of scikit-learn's{goal}")
        print(table(seconds, reference="scikit-learn", unit="ms"))
    print()
    print(f"dotori {dotori.__version__}")
    print(describe_environment())


if __name__ == "__main__":
    main()
