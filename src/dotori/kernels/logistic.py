"""Coordinate descent on a quadratic with an L1 penalty: the inner loop of a fit.

Each coordinate needs the result of the one before, so NumPy can do no more than a row
at a time; the loop saves the calls.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._pair import paired

Array = NDArray[Any]


def quadratic_lasso_numpy(
    h: Array,
    slope: Array,
    point: Array,
    penalty: Array,
    largest: Array,
    sweeps: int,
    tolerance: float,
) -> None:
    """Minimise slope . d + d . h . d / 2 + sum_j penalty_j |point_j + d_j| over d.

    One coordinate after the other takes its best value with the others held (Friedman,
    Hastie, Tibshirani, J. Stat. Softw. 33 (2010), section 2), until a sweep changes no
    slope by more than `tolerance` at its own coordinate.

    `h` has the shape (p, p), `slope`, `point` and `penalty` (p,). `slope` and `point`
    are written in place and always belong together; `largest`, of shape (1,), becomes
    the largest change of the last sweep.
    """
    for _ in range(sweeps):
        largest[0] = 0
        for j in range(len(point)):
            a = h[j, j]
            if not a > 0:
                continue
            old, level = point[j], penalty[j]
            target = old * a - slope[j]
            if target > level:
                new = (target - level) / a
            elif target < -level:
                new = (target + level) / a
            else:
                new = level - level
            change = new - old
            if change != 0:
                point[j] = new
                slope += change * h[j]
                largest[0] = np.maximum(largest[0], np.abs(change) * a)
        if largest[0] <= tolerance:
            break


@paired(quadratic_lasso_numpy)
def quadratic_lasso(
    h: Array,
    slope: Array,
    point: Array,
    penalty: Array,
    largest: Array,
    sweeps: int,
    tolerance: float,
) -> None:
    """Coordinate after coordinate, without temporaries."""
    for _ in range(sweeps):
        largest[0] = 0
        for j in range(len(point)):
            a = h[j, j]
            if not a > 0:
                continue
            old, level = point[j], penalty[j]
            target = old * a - slope[j]
            if target > level:
                new = (target - level) / a
            elif target < -level:
                new = (target + level) / a
            else:
                new = level - level
            change = new - old
            if change != 0:
                point[j] = new
                for i in range(len(slope)):
                    slope[i] += change * h[j, i]
                size = abs(change) * a
                if size > largest[0]:
                    largest[0] = size
        if largest[0] <= tolerance:
            break
