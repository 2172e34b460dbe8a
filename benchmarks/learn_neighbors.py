"""Nearest neighbours and naive Bayes: fit and predict beside scikit-learn's.

    python benchmarks/learn_neighbors.py [--cpu]

Each side fits and predicts, in turn, after both gave equal answers. `--cpu` counts
processor time instead of the clock, for a machine that others use meanwhile (then set
OMP_NUM_THREADS=1). The k-d tree's loop is compiled before anything is timed, as it is
from the second process on.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn.naive_bayes
import sklearn.neighbors
from side_by_side import compare, describe_environment, table

import dotori.learn
from dotori import kernels
from dotori.algorithms.neighbors.kd_tree import KDTree

#: Training rows, features, rows to be classified.
SHAPES = [
    (150, 4, 150),
    (100_000, 3, 20_000),
    (20_000, 6, 5_000),
    (20_000, 10, 3_000),
    (20_000, 20, 3_000),
    (10_000, 784, 1_000),
]
BAYES = [(150, 4, 150), (200_000, 20, 200_000)]


def problem(n: int, d: int, m: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d))
    return X, (X[:, 0] + rng.normal(size=n) > 0).astype(int), rng.normal(size=(m, d))


def calls(name: str, shape: tuple[int, int, int]) -> dict[str, Callable[[], Any]]:
    X, y, queries = problem(*shape)
    module = "neighbors" if "Neighbors" in name else "naive_bayes"
    kinds = {
        "dotori": getattr(dotori.learn, name),
        "scikit-learn": getattr(getattr(sklearn, module), name),
    }
    sides = {
        side: lambda kind=kind: kind().fit(X, y).predict(queries)
        for side, kind in kinds.items()
    }
    answers = [side() for side in sides.values()]
    np.testing.assert_array_equal(*answers)
    return sides


def processor_time(sides: dict[str, Callable[[], Any]], repeats: int) -> Any:
    least = dict.fromkeys(sides, np.inf)
    for _ in range(repeats):
        for side, call in sides.items():
            start = time.process_time()
            call()
            least[side] = min(least[side], time.process_time() - start)
    return least


def compile_tree() -> None:
    kernels.use("numba")
    KDTree(np.zeros((2, 1))).k_nearest(np.zeros((1, 1)), 1)
    kernels.use("auto")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cpu", action="store_true")
    clock = processor_time if parser.parse_args().cpu else compare
    compile_tree()
    jobs = [("KNeighborsClassifier", shape) for shape in SHAPES]
    for name, shape in [*jobs, *[("GaussianNB", shape) for shape in BAYES]]:
        seconds = clock(calls(name, shape), 5)
        ratio = seconds["dotori"] / seconds["scikit-learn"]
        n, d, m = shape
        print(f"\n{name}, {n} x {d}, {m} predicted: {ratio:.2f} of scikit-learn's")
        print(table(seconds, reference="scikit-learn", unit="ms"))
    print()
    print(describe_environment())


if __name__ == "__main__":
    main()
