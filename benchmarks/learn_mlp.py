"""MLPClassifier beside scikit-learn's: fit time on digits and on 60,000 x 784.

Both make the same number of epochs with the same options, and end equally good. The
products of matrices, which both leave to the same BLAS, are timed by themselves: no
implementation of these steps can be faster than they are.

    python benchmarks/learn_mlp.py [digits | large] [--cpu]

`--cpu` compares the processor's time instead of the clock's, for a machine that is busy
with other things; set OMP_NUM_THREADS=1 with it. Of the large fits, those with many
epochs run as machine code, which the first fit on a machine waits two seconds for and
every later one finds on the disk; the warm-up round is that first one.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import side_by_side
from side_by_side import compare, describe_environment, refuse_tuned_blas
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier as Theirs

from dotori.learn.neural_network import MLPClassifier as Ours

#: Name: (rows, columns or 0 for digits, epochs).
WORKLOADS = {
    "digits, 50 epochs": (1797, 0, 50),
    "digits, 200 epochs": (1797, 0, 200),
    "large, 3 epochs": (60_000, 784, 3),
    "large, 10 epochs": (60_000, 784, 10),
}
TARGET = 0.3
HIDDEN, BATCH, CLASSES = 100, 200, 10


def table(rows: int, columns: int, dtype: Any) -> tuple[Any, Any]:
    """Digits, or as many rows of ten classes about ten centres."""
    if not columns:
        X, y = load_digits(return_X_y=True)
        return X.astype(dtype), y
    rng = np.random.default_rng(0)
    y = rng.integers(0, CLASSES, rows)
    centres = rng.random((CLASSES, columns), dtype=np.float32)
    X = rng.random((rows, columns), dtype=np.float32)
    X += 0.2 * centres[y]
    return X.astype(dtype, copy=False), y


def products(rows: int, columns: int, epochs: int, dtype: Any) -> Callable[[], None]:
    """The five products of matrices of every step."""
    rng = np.random.default_rng(0)
    x, delta, out, w, v = (
        rng.random(shape).astype(dtype)
        for shape in (
            (BATCH, columns),
            (BATCH, HIDDEN),
            (BATCH, CLASSES),
            (HIDDEN, columns),
            (CLASSES, HIDDEN),
        )
    )

    def run() -> None:
        for _ in range(epochs * rows // BATCH):
            for a, b in (
                (x, w.T),
                (delta.T, x),
                (delta, v.T),
                (out.T, delta),
                (out, v),
            ):
                np.dot(a, b)

    return run


def measure(name: str, dtype: Any) -> None:
    """One workload in one type."""
    rows, columns, epochs = WORKLOADS[name]
    X, y = table(rows, columns, dtype)
    settings = {"max_iter": epochs, "tol": 0.0, "n_iter_no_change": epochs}
    fitted: dict[str, Any] = {}

    def fit(kind: Any, side: str) -> None:
        fitted[side] = kind(random_state=0, **settings).fit(X, y)

    medians = compare(
        {
            "scikit-learn": lambda: fit(Theirs, "theirs"),
            "dotori": lambda: fit(Ours, "ours"),
            "products": products(rows, X.shape[1], epochs, dtype),
        },
        repeats=3 if columns else 7,
    )
    scores = [fitted[side].score(X, y) for side in ("theirs", "ours")]
    assert abs(scores[0] - scores[1]) < 0.02, scores
    theirs, ours, floor = medians.values()
    print(
        f"{name:20} {np.dtype(dtype).name}  scikit-learn {theirs:7.3f} s   dotori "
        f"{ours:7.3f} s   ratio {ours / theirs:4.2f} (wanted {TARGET}; the products "
        f"alone {floor / theirs:4.2f})"
    )


def main(arguments: list[str]) -> None:
    refuse_tuned_blas()
    warnings.simplefilter("ignore")
    if "--cpu" in arguments:
        side_by_side.time.perf_counter = time.process_time
    wanted = [a for a in arguments if not a.startswith("-")] or ["digits", "large"]
    for name in WORKLOADS:
        if name.split(",")[0] in wanted:
            for dtype in (np.float64, np.float32):
                measure(name, dtype)
    print(describe_environment())


if __name__ == "__main__":
    main(sys.argv[1:])
