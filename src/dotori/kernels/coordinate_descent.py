"""Sweeps of coordinate descent over the coefficients of a penalised least squares.

Minimises w^T G w / 2 - c^T w + a sum |w_j| + b sum w_j^2 / 2 in one coefficient after
the other (Friedman, Hastie and Tibshirani, J. Statistical Software 33 (2010), 1-22,
section 2.2). What is kept up to date is the slope s = c - G w: a coefficient that does
not move costs nothing.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from dotori.kernels._pair import paired

Array = NDArray[Any]


def descend_numpy(
    w: Array,
    slope: Array,
    gram: Array,
    l1: float,
    l2: float,
    positive: bool,
    order: Array,
    sweeps: int,
    tolerance: float,
    done: Array,
) -> None:
    """Sweep until no coefficient moves by more than `tolerance` times the largest one.

    `w` and `slope` of shape (d,) are written in place, `gram` is (d, d). Sweep i takes
    the coefficients in the order of row i modulo m of `order`, of shape (m, d); there
    are at most `sweeps`. `done` becomes (their number, the last one's largest change,
    the largest coefficient).
    """
    double = w.dtype == "f8"  # Python's own numbers, which it handles fastest
    scalar: Any = float if double else w.dtype.type
    zero, l1, l2, tolerance = map(scalar, (0, l1, l2, tolerance))
    values = w.tolist() if double else list(w)
    curves = gram.diagonal().tolist() if double else list(gram.diagonal())
    rows = order.tolist()
    for sweep in range(sweeps):
        moved = largest = zero
        for j in rows[sweep % len(rows)]:
            before, curve = values[j], curves[j]
            if curve + l2 == 0:
                continue
            pull, after = scalar(slope[j]) + curve * before, zero
            if pull > l1:
                after = (pull - l1) / (curve + l2)
            elif pull < -l1 and not positive:
                after = (pull + l1) / (curve + l2)
            change = after - before
            if change != 0:
                w[j] = values[j] = after
                slope -= change * gram[j]
            moved, largest = max(moved, abs(change)), max(largest, abs(after))
        done[0], done[1], done[2] = sweep + 1, moved, largest
        if moved <= tolerance * largest:
            return


@paired(descend_numpy)
def descend(
    w: Array,
    slope: Array,
    gram: Array,
    l1: float,
    l2: float,
    positive: bool,
    order: Array,
    sweeps: int,
    tolerance: float,
    done: Array,
) -> None:
    """One coefficient after the other."""
    zero = l1 - l1
    for sweep in range(sweeps):
        moved = zero
        largest = zero
        row = sweep % order.shape[0]
        for i in range(order.shape[1]):
            j = order[row, i]
            before = w[j]
            curve = gram[j, j]
            if curve + l2 == 0:
                continue
            pull = slope[j] + curve * before
            after = zero
            if pull > l1:
                after = (pull - l1) / (curve + l2)
            elif pull < -l1 and not positive:
                after = (pull + l1) / (curve + l2)
            change = after - before
            if change != 0:
                w[j] = after
                for k in range(w.shape[0]):
                    slope[k] -= change * gram[j, k]
            if abs(change) > moved:
                moved = abs(change)
            if abs(after) > largest:
                largest = abs(after)
        done[0] = sweep + 1
        done[1] = moved
        done[2] = largest
        if moved <= tolerance * largest:
            return
