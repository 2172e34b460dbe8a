"""Rows in other places: how sequences of different lengths are packed and padded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample, follow


class PackRows(Op):
    """y = x[rows], where no row of the `n` is taken twice.

    So the gradient is put into place, where that of any index has to be added up.
    """

    @staticmethod
    def forward(xp: Any, x: Any, *, rows: Any, n: int) -> Any:
        return x[rows]

    @staticmethod
    def backward(xp: Any, dy: Any, *, rows: Any, n: int) -> Any:
        return follow(PlaceRows, xp, dy, rows=rows, n=n, value=0)

    @staticmethod
    def torch(x: Any, *, rows: Any, n: int) -> Any:
        return x[rows]

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        attrs = {"rows": np.array([4, 0, 3]), "n": 5}
        yield Sample((rng.standard_normal((5, 2)),), attrs)


class PlaceRows(Op):
    """y[rows] = x, and `value` in the others of the `n` rows."""

    @staticmethod
    def forward(xp: Any, x: Any, *, rows: Any, n: int, value: float) -> Any:
        y = xp.full((n, *x.shape[1:]), value, x.dtype)
        y[rows] = x
        return y

    @staticmethod
    def backward(xp: Any, dy: Any, *, rows: Any, n: int, value: float) -> Any:
        return follow(PackRows, xp, dy, rows=rows, n=n)

    @staticmethod
    def torch(x: Any, *, rows: Any, n: int, value: float) -> Any:
        import torch

        return torch.full((n, *x.shape[1:]), value, dtype=x.dtype).index_copy(
            0, torch.as_tensor(rows), x
        )

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        attrs = {"rows": np.array([4, 0, 3]), "n": 5, "value": 7.0}
        yield Sample((rng.standard_normal((3, 2)),), attrs)
