"""Peak memory of a fit, beside scikit-learn's, on the speed benchmarks' workloads.

Each fit runs in a process of its own: the highest resident memory after the fit less
that before it, when the data were there and everything was imported and used once on a
few rows, with kernels compiled. No other process matters to it.

    python benchmarks/learn_memory.py [name of a workload ...]
"""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import resource, sys
import numpy as np
from {package}{module} import {name}

def table(n, d, kind):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d), dtype={dtype})
    signal = X[:, 0] + X[:, 1] * X[:, 2]
    if kind == "amounts":
        return X, signal.astype({dtype})
    return X, np.digitize(signal, [0.0] if kind == "two" else np.linspace(-1, 1, 9))

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def fit(X, y):
    return {name}({settings}).{method}(X, y)

X, y = table({n}, {d}, {kind!r})
import numba
from dotori import kernels
kernels.use("numba")
fit(X[:500].copy(), y[:500].copy())
kernels.use("auto")
before = peak()
fit(X, y)
print(peak() - before)
"""

#: Rows, columns, target, module, class, settings, type, method.
WORKLOADS = {
    "KMeans 100k x 20, k=50": (
        100_000,
        20,
        "two",
        "cluster",
        "KMeans",
        "50, n_init=1, init='random', random_state=0, max_iter=20",
        "np.float64",
        "fit",
    ),
    "KMeans 60k x 784, k=10": (
        60_000,
        784,
        "two",
        "cluster",
        "KMeans",
        "10, n_init=1, init='random', random_state=0, max_iter=10",
        "np.float32",
        "fit",
    ),
    "DecisionTreeClassifier 100k x 20": (
        100_000,
        20,
        "two",
        "tree",
        "DecisionTreeClassifier",
        "random_state=0",
        "np.float64",
        "fit",
    ),
    "DecisionTreeRegressor 100k x 20": (
        100_000,
        20,
        "amounts",
        "tree",
        "DecisionTreeRegressor",
        "random_state=0",
        "np.float64",
        "fit",
    ),
    "RandomForestClassifier 50k x 20": (
        50_000,
        20,
        "two",
        "ensemble",
        "RandomForestClassifier",
        "50, n_jobs=2, random_state=0",
        "np.float64",
        "fit",
    ),
    "LinearRegression 100k x 50": (
        100_000,
        50,
        "amounts",
        "linear_model",
        "LinearRegression",
        "",
        "np.float64",
        "fit",
    ),
    "Ridge 100k x 50": (
        100_000,
        50,
        "amounts",
        "linear_model",
        "Ridge",
        "",
        "np.float64",
        "fit",
    ),
    "LogisticRegression 100k x 50": (
        100_000,
        50,
        "two",
        "linear_model",
        "LogisticRegression",
        "",
        "np.float64",
        "fit",
    ),
    "LogisticRegression 70k x 784": (
        70_000,
        784,
        "ten",
        "linear_model",
        "LogisticRegression",
        "max_iter=5",
        "np.float32",
        "fit",
    ),
    "StandardScaler 1M x 50": (
        1_000_000,
        50,
        "two",
        "preprocessing",
        "StandardScaler",
        "",
        "np.float32",
        "fit_transform",
    ),
    "MinMaxScaler 1M x 50": (
        1_000_000,
        50,
        "two",
        "preprocessing",
        "MinMaxScaler",
        "",
        "np.float32",
        "fit_transform",
    ),
    "PCA 60k x 784 to 50": (
        60_000,
        784,
        "two",
        "decomposition",
        "PCA",
        "50",
        "np.float32",
        "fit",
    ),
    "MLPClassifier 60k x 784": (
        60_000,
        784,
        "ten",
        "neural_network",
        "MLPClassifier",
        "max_iter=2, random_state=0",
        "np.float32",
        "fit",
    ),
}


def megabytes(package: str, workload: tuple[object, ...]) -> float:
    """What a fit adds to the highest resident memory of its process."""
    n, d, kind, module, name, settings, dtype, method = workload
    code = PROGRAM.format(
        package=package,
        module=module,
        name=name,
        settings=settings,
        dtype=dtype,
        method=method,
        n=n,
        d=d,
        kind=kind,
    )
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ},
    )
    return float(run.stdout)


def main(names: list[str]) -> None:
    for name in names or WORKLOADS:
        theirs = megabytes("sklearn.", WORKLOADS[name])
        ours = megabytes("dotori.learn.", WORKLOADS[name])
        verdict = "" if ours <= theirs + 1 else "   MORE"
        print(
            f"{name:36} scikit-learn {theirs:7.0f} MB   dotori {ours:7.0f} MB{verdict}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
