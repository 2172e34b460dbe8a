"""Taking elements by index, and putting gradients back where they came from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.backend import is_captured
from dotori.ops._op import Op, Sample, follow


def has_arrays(index: Any) -> bool:
    """Whether `index` holds an integer array, which may name an element twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(p, np.ndarray) and p.dtype.kind != "b" for p in parts)


def flat_positions(shape: tuple[int, ...], index: Any) -> Any:
    """Where in ``x.reshape(-1)`` the elements of ``x[index]`` lie, x having `shape`."""
    strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    if isinstance(index, tuple) and len(index) == 1 and has_arrays(index):
        rows = index[0] % max(shape[0], 1) * strides[0]  # often: rows of a table
        inside = np.arange(strides[0]).reshape(shape[1:])
        return rows.reshape(rows.shape + (1,) * inside.ndim) + inside
    total: Any = 0
    for axis, (n, stride) in enumerate(zip(shape, strides, strict=True)):
        steps = np.arange(n) * stride
        steps = steps.reshape((n,) + (1,) * (len(shape) - axis - 1))
        total = total + np.broadcast_to(steps, shape)[index]
    return np.asarray(total)


def add_at(xp: Any, y: Any, index: Any, v: Any) -> None:
    """``y[index] += v``, where an element that is named twice is added to twice.

    `y` is contiguous. NumPy adds at places of one axis about twice as fast as at rows,
    and faster than any way round by sorting or counting.
    """
    if not has_arrays(index):
        y[index] += v
    elif xp is np:
        places = flat_positions(y.shape, index)
        v = np.broadcast_to(np.asarray(v, y.dtype), places.shape)
        np.add.at(y.reshape(-1), places.ravel(), v.ravel())
    else:
        xp.add.at(y, index, v)


def _picks(index: Any) -> bool:
    """Whether `index` has an array of places or a mask, so that there is a copy."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(part, list) or hasattr(part, "dtype") for part in parts)


class Index(Op):
    """y = x[index]; the gradient goes to the elements that were taken.

    `shape` is that of x.
    """

    views = True

    @staticmethod
    def forward(xp: Any, x: Any, *, index: Any, shape: tuple[int, ...]) -> Any:
        y = x[index]
        if isinstance(y, np.generic):  # one element: a view of it, not its copy
            y = x[(*index, ...) if isinstance(index, tuple) else (index, ...)]
        elif not y.flags.c_contiguous and x.flags.c_contiguous and _picks(index):
            y = xp.ascontiguousarray(y)  # NumPy puts the axes that were picked first
        return y

    @staticmethod
    def backward(xp: Any, dy: Any, *, index: Any, shape: tuple[int, ...]) -> Any:
        return follow(PutInto, xp, dy, index=index, shape=shape)

    @staticmethod
    def torch(x: Any, *, index: Any, shape: tuple[int, ...]) -> Any:
        return x[index]

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((4, 5))
        for index in (
            (slice(1, 3), 2),
            (np.array([0, 0, 3]),),
            (x > 0,),
            (None, Ellipsis, slice(0, 4, 2)),
            (np.array([[0], [1]]), np.array([2, 2])),
        ):
            yield Sample((x,), {"index": index, "shape": x.shape})


class PutInto(Op):
    """Zeros of a shape with y[index] += x: what Index does, backwards."""

    @staticmethod
    def forward(xp: Any, x: Any, *, index: Any, shape: tuple[int, ...]) -> Any:
        if is_captured(x) and not _picks(index):  # no element is named twice
            y = x.trace.constant(np.zeros(shape, x.dtype)).copy()
            y[index] = x
            return y
        y = xp.zeros(shape, x.dtype)
        add_at(xp, y, index, x)
        return y

    @staticmethod
    def backward(xp: Any, dy: Any, *, index: Any, shape: tuple[int, ...]) -> Any:
        return dy[index]

    @staticmethod
    def torch(x: Any, *, index: Any, shape: tuple[int, ...]) -> Any:
        import torch

        return torch.zeros(shape, dtype=x.dtype).index_put(
            tuple(torch.as_tensor(i) for i in index), x, accumulate=True
        )

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        index = (np.array([0, 0, 3]),)
        yield Sample((rng.standard_normal((3, 5)),), {"index": index, "shape": (4, 5)})


class Overwrite(Op):
    """y = x, but v at y[index]: what a recorded write makes of the tensor."""

    @staticmethod
    def forward(xp: Any, x: Any, v: Any, *, index: Any) -> Any:
        y = x.copy()
        y[index] = v
        return y

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, *, index: Any) -> Any:
        dx = follow(Overwrite, xp, dy, 0, index=index) if needs[0] else None
        return dx, dy[index] if needs[1] else None

    @staticmethod
    def torch(x: Any, v: Any, *, index: Any) -> Any:
        import torch

        places = tuple(torch.as_tensor(i) for i in index)
        return x.index_put(places, v)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        index = (np.array([0, 3]),)
        x, v = rng.standard_normal((4, 5)), rng.standard_normal((2, 5))
        yield Sample((x, v), {"index": index})
        yield Sample((x, rng.standard_normal((1, 5))), {"index": index})
