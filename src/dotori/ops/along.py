"""Taking elements along one axis by their indices: what sorting and selecting share.

`index` has as many axes as the input; y[i, j] = x[index[i, j], j] for axis 0. `once`
says that no element is taken twice, so that gradients are put back without adding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample, follow


def places(index: Any, axis: int) -> tuple[Any, ...]:
    """The index of NumPy that takes `index` along `axis` and the rest as it lies."""
    grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[axis] = index
    return tuple(grid)


class TakeAlong(Op):
    """y = x at `index` along an axis; the gradient goes to what was taken."""

    @staticmethod
    def forward(
        xp: Any, x: Any, *, index: Any, axis: int, shape: tuple[int, ...], once: bool
    ) -> Any:
        return xp.take_along_axis(x, index, axis)

    @staticmethod
    def backward(xp: Any, dy: Any, **attrs: Any) -> Any:
        return follow(PutAlong, xp, dy, **attrs)

    @staticmethod
    def torch(x: Any, *, index: Any, axis: int, shape: Any, once: bool) -> Any:
        import torch

        return torch.take_along_dim(x, torch.as_tensor(index), axis)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((3, 4))
        order = {"index": x.argsort(0), "axis": 0, "shape": x.shape, "once": True}
        yield Sample((x,), order)
        index = np.array([[0, 0, 3], [1, 2, 1], [2, 2, 2]])
        yield Sample((x,), {**order, "index": index, "axis": 1, "once": False})


class PutAlong(Op):
    """Zeros of a shape to which x is added at `index` along an axis."""

    @staticmethod
    def forward(
        xp: Any, x: Any, *, index: Any, axis: int, shape: tuple[int, ...], once: bool
    ) -> Any:
        y = xp.zeros(shape, x.dtype)
        if once:
            xp.put_along_axis(y, index, x, axis)
        else:
            xp.add.at(y, places(index, axis), x)
        return y

    @staticmethod
    def backward(xp: Any, dy: Any, **attrs: Any) -> Any:
        return follow(TakeAlong, xp, dy, **attrs)

    @staticmethod
    def torch(x: Any, *, index: Any, axis: int, shape: Any, once: bool) -> Any:
        import torch

        zeros = torch.zeros(shape, dtype=x.dtype)
        return zeros.scatter_add(axis, torch.as_tensor(index), x)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((3, 4))
        attrs = {"index": x.argsort(1), "axis": 1, "shape": x.shape, "once": True}
        yield Sample((x,), attrs)
        index = np.array([[0, 0, 3, 3], [1, 2, 1, 1], [2, 2, 2, 0]])
        yield Sample((x,), {**attrs, "index": index, "shape": (3, 5), "once": False})
