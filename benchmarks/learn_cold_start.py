"""The first fit of a new process: imports, and iris, with nothing compiled before.

Each estimator of `dotori.learn` and its counterpart in scikit-learn are imported and
fitted to iris in processes of their own, in turn; the folder in which Numba keeps
compiled kernels is empty. What is timed is the whole process.

    python benchmarks/learn_cold_start.py [name of an estimator ...]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from side_by_side import describe_environment, refuse_tuned_blas

from dotori.learn import ESTIMATORS

PROGRAM = """
import csv, sys
from importlib.resources import files
import numpy as np
rows = files("sklearn.datasets.data").joinpath("iris.csv").read_text().splitlines()[1:]
table = np.array([row.split(",") for row in rows], float)
X, y = table[:, :4], table[:, 4].astype(int)
from {package}{module} import {name}
{name}({settings}).fit(X, y)
"""
#: Where a default cannot be fitted to iris.
SETTINGS = {"TruncatedSVD": "n_components=2"}
ROUNDS = 5


def seconds(package: str, name: str) -> float:
    """One process from its start to its end."""
    code = PROGRAM.format(
        package=package,
        module=ESTIMATORS[name],
        name=name,
        settings=SETTINGS.get(name, ""),
    )
    with tempfile.TemporaryDirectory() as empty:
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            check=True,
            env={**os.environ, "NUMBA_CACHE_DIR": empty},
        )
        return time.perf_counter() - start


def main(names: list[str]) -> None:
    refuse_tuned_blas()
    print(describe_environment())
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    worst = 0.0
    for name in names or ESTIMATORS:
        taken: dict[str, list[float]] = {"sklearn.": [], "dotori.learn.": []}
        for turn in range(-1, ROUNDS):
            for package, found in taken.items():
                once = seconds(package, name)
                if turn >= 0:
                    found.append(once)
        theirs, ours = (statistics.median(found) for found in taken.values())
        worst = max(worst, ours / theirs)
        print(
            f"{name:24} scikit-learn {theirs:6.3f} s   dotori {ours:6.3f} s   "
            f"ratio {ours / theirs:5.2f}"
        )
    print(f"largest ratio {worst:.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
