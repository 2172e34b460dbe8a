"""k-means: dotori beside scikit-learn, and scikit-learn-intelex, from the same start.

    python benchmarks/learn_kmeans.py [--cpu] [name of a workload ...]

Times of whole fits, taken in turn, after all sides have led to the same labels and the
same inertia. dotori runs with its kernels compiled, and on NumPy alone. `--cpu` counts
processor time instead of the clock, for a machine that others use meanwhile (then set
OMP_NUM_THREADS=1). "growth" doubles the rows: the time should double, on both sides.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import side_by_side
import sklearn.cluster
from sklearn.datasets import load_digits, make_blobs

import dotori.learn
from dotori import kernels

#: dotori's time over scikit-learn's, at most.
WANTED = {"100k x 20, k=50": 0.6, "60k x 784, k=10": 0.5}


def blobs(n: int) -> Any:
    """Fifty clusters that overlap."""
    return make_blobs(n, 20, centers=50, cluster_std=3.0, random_state=0)[0]


def formless(n: int) -> Any:
    """No clusters at all: the worst case for bounds."""
    return np.random.default_rng(0).standard_normal((n, 20))


def pictures(n: int) -> Any:
    """Digits of 8 x 8, each pixel 3 x 3 times, moved about in 28 x 28, and noise."""
    rng = np.random.default_rng(0)
    small = load_digits().images / 16
    large = np.zeros((len(small), 28, 28))
    large[:, 2:26, 2:26] = small.repeat(3, axis=1).repeat(3, axis=2)
    x = large[rng.integers(0, len(small), n)]
    for row, (i, j) in zip(x, rng.integers(-2, 3, (n, 2)), strict=True):
        row[:] = np.roll(row, (i, j), (0, 1))
    x += (x > 0) * rng.normal(0, 0.1, x.shape)
    return x.reshape(n, -1)


#: Data, centres, repeats.
WORKLOADS: dict[str, tuple[Callable[[], Any], int, int]] = {
    "100k x 20, k=50": (lambda: blobs(100_000), 50, 7),
    "60k x 784, k=10": (lambda: pictures(60_000), 10, 3),
    "60k x 784, k=10, float32": (lambda: pictures(60_000).astype(np.float32), 10, 3),
    "100k x 20, k=50, no clusters": (lambda: formless(100_000), 50, 3),
    "growth, 20k x 20, k=50": (lambda: blobs(20_000), 50, 7),
    "growth, 40k x 20, k=50": (lambda: blobs(40_000), 50, 7),
    "1797 x 64, k=10": (lambda: load_digits().data, 10, 15),
}


def on_numpy(fit: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> Any:
        kernels.use("numpy")
        try:
            return fit()
        finally:
            kernels.use("numba")

    return run


def sides(X: Any, start: Any) -> dict[str, Callable[[], Any]]:
    options: dict[str, Any] = {"init": start, "n_init": 1}
    k = len(start)
    found: dict[str, Callable[[], Any]] = {
        "scikit-learn": lambda: sklearn.cluster.KMeans(k, **options).fit(X),
        "dotori": lambda: dotori.learn.KMeans(k, **options).fit(X),
    }
    found["dotori, NumPy"] = on_numpy(found["dotori"])
    if find_spec("sklearnex"):
        from sklearnex.cluster import KMeans

        found["intelex"] = lambda: KMeans(k, **options).fit(X)
    return found


def check(fits: dict[str, Callable[[], Any]], dtype: Any) -> int:
    """All sides end at the same; how many iterations that took."""
    wanted = fits["scikit-learn"]()
    for name, fit in fits.items():
        found = fit()
        same = float(np.mean(found.labels_ == wanted.labels_))
        if name.startswith("dotori"):
            # float32 sums round differently, so a few points in a million may differ
            assert same == 1.0 if dtype == np.float64 else same > 0.999, (name, same)
            assert found.n_iter_ == wanted.n_iter_ or dtype == np.float32
        np.testing.assert_allclose(found.inertia_, wanted.inertia_, rtol=1e-3)
    return int(wanted.n_iter_)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cpu", action="store_true", help="count processor time")
    parser.add_argument("names", nargs="*", help="parts of workloads' names")
    asked = parser.parse_args()
    if asked.cpu:
        time.perf_counter = time.process_time  # what `compare` counts with
    warnings.simplefilter("ignore")
    kernels.use("numba")
    for title, (make, k, repeats) in WORKLOADS.items():
        if asked.names and not any(name in title for name in asked.names):
            continue
        X = make()
        start = X[np.random.default_rng(1).permutation(len(X))[:k]].copy()
        fits = sides(X, start)
        rounds = check(fits, X.dtype)
        medians = side_by_side.compare(fits, repeats=repeats)
        ratio = medians["dotori"] / medians["scikit-learn"]
        wanted = f", wanted <= {WANTED[title]}" if title in WANTED else ""
        print(f"\n{title}: {rounds} iterations; ratio {ratio:.2f}{wanted}")
        print(side_by_side.table(medians, unit="ms"), flush=True)
    print()
    print(side_by_side.describe_environment())


if __name__ == "__main__":
    main()
