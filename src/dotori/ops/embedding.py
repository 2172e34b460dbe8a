"""Rows taken from a table by number, and gradients added back into them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.kernels.embedding import add_rows
from dotori.ops._op import Op, Sample, follow


class TakeRows(Op):
    """y[...] = table[index[...]]; each row of the gradient goes to the row it is of.

    `rows` is the length of the table. `scale`, if it is not None, has a factor for each
    row of the gradient: 0 for a row that is not to be trained.
    """

    whole = True

    @staticmethod
    def forward(xp: Any, table: Any, *, index: Any, rows: int, scale: Any) -> Any:
        return xp.take(table, index, axis=0)

    @staticmethod
    def backward(xp: Any, dy: Any, *, index: Any, rows: int, scale: Any) -> Any:
        total = follow(AddRows, xp, dy, index=index, rows=rows)
        return total if scale is None else total * _column(scale, total)

    @staticmethod
    def torch(table: Any, *, index: Any, rows: int, scale: Any) -> Any:
        import torch

        if scale is not None:  # the table itself, its gradient times the scale
            factor = torch.as_tensor(scale)[:, None].to(table)
            table = table * factor + table.detach() * (1 - factor)
        return table[torch.as_tensor(index)]

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        table = rng.standard_normal((5, 3))
        for index in (np.array([0, 4, 0]), np.array([[1], [3]]), np.array(2)):
            yield Sample((table,), {"index": index, "rows": 5, "scale": None})


def _column(scale: Any, like: Any) -> Any:
    """A factor for each row, in the type of `like`."""
    return scale.astype(like.dtype)[:, None]


class AddRows(Op):
    """y = zeros of so many `rows` with y[index[...]] += x[...]: TakeRows, backwards."""

    whole = True

    @staticmethod
    def forward(xp: Any, x: Any, *, index: Any, rows: int) -> Any:
        d = x.shape[-1]
        y = xp.zeros((rows, d), x.dtype)
        x, index = x.reshape(-1, d), index.reshape(-1)
        if xp is not np:
            xp.add.at(y, index, x)
        elif x.dtype.kind == "f" and x.dtype.itemsize >= 4:
            add_rows(np.ascontiguousarray(x, x.dtype.newbyteorder("=")), index, y)
        else:
            np.add.at(y, index, x)
        return y

    @staticmethod
    def backward(xp: Any, dy: Any, *, index: Any, rows: int) -> Any:
        return follow(TakeRows, xp, dy, index=index, rows=rows, scale=None)

    @staticmethod
    def torch(x: Any, *, index: Any, rows: int) -> Any:
        import torch

        flat = x.reshape(-1, x.shape[-1])
        places = torch.as_tensor(index).reshape(-1)
        return flat.new_zeros(rows, x.shape[-1]).index_add(0, places, flat)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((4, 3))
        yield Sample((x,), {"index": np.array([0, 4, 0, 2]), "rows": 5})
        index = np.array([[0, 1], [1, 1]])
        yield Sample((rng.standard_normal((2, 2, 3)),), {"index": index, "rows": 2})
