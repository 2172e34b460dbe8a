"""Principal components: dotori beside scikit-learn, and scikit-learn-intelex.

    python benchmarks/learn_pca.py [--cpu] [name of a workload ...]

Times of whole fits, taken in turn, after all sides have found the same variances and
the same subspace. Beside them stands the product X^T X alone, which none of them can do
without. `--cpu` counts processor time instead of the clock, for a machine that others
use meanwhile (then set OMP_NUM_THREADS=1).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import side_by_side
import sklearn.decomposition
from learn_kmeans import pictures

import dotori.learn

#: dotori's time over scikit-learn's, at most.
WANTED = {"60k x 784 to 50, float32": 0.7, "60k x 784 to 50": 0.7}


def falling(n: int, d: int) -> Any:
    """Columns whose deviations fall, mixed."""
    rng = np.random.default_rng(0)
    mixing = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return rng.standard_normal((n, d)) * 0.97 ** np.arange(d) @ mixing + 1


#: Data, estimator, components, options, repeats.
WORKLOADS: dict[str, tuple[Callable[[], Any], str, int, dict[str, Any], int]] = {
    "60k x 784 to 50, float32": (
        lambda: pictures(60_000).astype(np.float32),
        "PCA",
        50,
        {},
        7,
    ),
    "60k x 784 to 50": (lambda: pictures(60_000), "PCA", 50, {}, 5),
    "growth, 30k x 784 to 50": (lambda: pictures(30_000), "PCA", 50, {}, 7),
    "3k x 784 to 50, random projection": (
        lambda: falling(3000, 784),
        "PCA",
        50,
        {"svd_solver": "randomized", "random_state": 0},
        7,
    ),
    "3k x 784, all": (lambda: falling(3000, 784), "PCA", 784, {}, 5),
    "20k x 500 to 20, not centred": (
        lambda: falling(20_000, 500),
        "TruncatedSVD",
        20,
        {"random_state": 0},
        5,
    ),
}


def sides(X: Any, name: str, k: int, options: dict[str, Any]) -> dict[str, Any]:
    theirs = getattr(sklearn.decomposition, name)
    ours = getattr(dotori.learn, name)
    found: dict[str, Callable[[], Any]] = {
        "scikit-learn": lambda: theirs(k, **options).fit(X),
        "dotori": lambda: ours(k, **options).fit(X),
    }
    if find_spec("sklearnex") and name == "PCA" and not options:
        from sklearnex.decomposition import PCA

        found["intelex"] = lambda: PCA(k).fit(X)
    return found


def check(fits: dict[str, Callable[[], Any]], tol: float) -> None:
    """Variances and subspaces agree; random projections only nearly."""
    wanted = fits["scikit-learn"]()
    for fit in fits.values():
        found = fit()
        large = wanted.singular_values_ > 0.05 * wanted.singular_values_[0]
        values = found.singular_values_[large], wanted.singular_values_[large]
        np.testing.assert_allclose(*values, rtol=tol)
        lengths = np.linalg.norm(found.components_ @ wanted.components_.T, axis=1)
        assert (lengths[large] > 1 - tol).all(), lengths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cpu", action="store_true", help="count processor time")
    parser.add_argument("names", nargs="*", help="parts of workloads' names")
    asked = parser.parse_args()
    if asked.cpu:
        time.perf_counter = time.process_time  # what `compare` counts with
    for title, (make, kind, k, options, repeats) in WORKLOADS.items():
        if asked.names and not any(name in title for name in asked.names):
            continue
        X = make()
        fits = sides(X, kind, k, options)
        check(fits, 1e-2 if X.dtype == np.float32 or options else 1e-5)
        fits["X^T X alone"] = lambda X=X: X.T @ X
        medians = side_by_side.compare(fits, repeats=repeats)
        ratio = medians["dotori"] / medians["scikit-learn"]
        wanted = f", wanted <= {WANTED[title]}" if title in WANTED else ""
        print(f"\n{title}: ratio {ratio:.2f}{wanted}")
        print(side_by_side.table(medians, unit="ms"), flush=True)
    print()
    print(side_by_side.describe_environment())


if __name__ == "__main__":
    main()
