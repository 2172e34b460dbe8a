"""Views of memory that NumPy's index cannot name: diagonals, windows, strides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample, follow
from dotori.ops.indexing import PutInto


class Diagonal(Op):
    """A diagonal of two axes, along a last axis; `shape` is that of x."""

    views = True

    @staticmethod
    def forward(
        xp: Any, x: Any, *, offset: int, axis1: int, axis2: int, shape: Any
    ) -> Any:
        y = x.diagonal(offset, axis1, axis2)
        if type(y) is np.ndarray and x.flags.writeable:
            y.flags.writeable = True  # NumPy's is for reading only, for the time being
        return y

    @staticmethod
    def backward(
        xp: Any, dy: Any, *, offset: int, axis1: int, axis2: int, shape: Any
    ) -> Any:
        index = diagonal_index(shape, offset, axis1, axis2)
        return follow(PutInto, xp, dy, index=index, shape=shape)

    @staticmethod
    def torch(x: Any, *, offset: int, axis1: int, axis2: int, shape: Any) -> Any:
        return x.diagonal(offset, axis1, axis2)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((3, 4, 5))
        for offset, axis1, axis2 in ((0, 0, 1), (1, 2, 0), (-2, 1, 2)):
            attrs = {"offset": offset, "axis1": axis1, "axis2": axis2}
            yield Sample((x,), {**attrs, "shape": x.shape})


def diagonal_index(
    shape: tuple[int, ...], offset: int, axis1: int, axis2: int
) -> tuple[Any, ...]:
    """The index of arrays that names the elements of ``x.diagonal(...)``."""
    n = min(shape[axis1] + min(offset, 0), shape[axis2] - max(offset, 0))
    steps = np.arange(max(n, 0))
    others = [d for d in range(len(shape)) if d not in (axis1, axis2)]
    index: list[Any] = [None] * len(shape)
    for place, d in enumerate(others):
        along = (shape[d],) + (1,) * (len(others) - place)
        index[d] = np.arange(shape[d]).reshape(along)
    index[axis1] = steps - min(offset, 0)
    index[axis2] = steps + max(offset, 0)
    return tuple(index)


class Unfold(Op):
    """Windows of `size` along an axis, `step` apart, as a last axis."""

    views = True

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: int, size: int, step: int, shape: Any) -> Any:
        n = (x.shape[axis] - size) // step + 1
        before, after = x.strides[:axis], x.strides[axis + 1 :]
        along = x.strides[axis]
        return xp.lib.stride_tricks.as_strided(
            x,
            (*x.shape[:axis], n, *x.shape[axis + 1 :], size),
            (*before, step * along, *after, along),
        )

    @staticmethod
    def backward(
        xp: Any, dy: Any, *, axis: int, size: int, step: int, shape: Any
    ) -> Any:
        n = (shape[axis] - size) // step + 1
        starts = np.arange(0, n * step, step)
        windows = starts[:, None] + np.arange(size)
        index = (*(slice(None),) * axis, windows)
        moved = xp.moveaxis(dy, -1, axis + 1)  # windows beside their places
        return follow(PutInto, xp, moved, index=index, shape=shape)

    @staticmethod
    def torch(x: Any, *, axis: int, size: int, step: int, shape: Any) -> Any:
        return x.unfold(axis, size, step)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((6, 7))
        for axis, size, step in ((0, 2, 2), (1, 3, 1), (1, 2, 3)):
            attrs = {"axis": axis, "size": size, "step": step}
            yield Sample((x,), {**attrs, "shape": x.shape})


class AsStrided(Op):
    """Elements of the memory of x at offset + sum(index * stride), in elements.

    `x_strides` and `x_offset` say how x itself lies in that memory, which is `memory`
    elements long, so that gradients find the way back through it (PyTorch's "as_strided
    backward": through the memory, where elements that share a place share the sum).
    """

    views = True

    @staticmethod
    def forward(
        xp: Any,
        x: Any,
        *,
        shape: Any,
        strides: Any,
        offset: int,
        memory: int,
        was: Any,
    ) -> Any:
        if memory != memory_of(x)[1] or tuple(was[1]) != steps_of(x):
            row = np.full(memory, -1, x.dtype)  # x lies otherwise: its like, for once
            row[strided_places(*was)] = x
            x = row
        bytes_ = [s * x.itemsize for s in strides]
        start = _bytes_ahead(x) % x.itemsize + offset * x.itemsize
        return np.ndarray(shape, x.dtype, _row(storage(x)), start, bytes_)

    @staticmethod
    def backward(
        xp: Any,
        dy: Any,
        *,
        shape: Any,
        strides: Any,
        offset: int,
        memory: int,
        was: Any,
    ) -> Any:
        index = (strided_places(shape, strides, offset),)
        inside = follow(PutInto, xp, dy, index=index, shape=(memory,))
        places = strided_places(*was)
        counts = np.bincount(places.ravel(), minlength=1)[places]
        return inside[places] / counts.astype(dy.dtype)

    @staticmethod
    def torch(x: Any, *, shape: Any, strides: Any, offset: int, **rest: Any) -> Any:
        return x.as_strided(shape, strides, offset)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((3, 4))
        attrs = {"shape": (2, 3), "strides": (2, 1), "offset": 1}
        yield Sample((x,), {**attrs, "memory": 12, "was": ((3, 4), (4, 1), 0)})


def strided_places(shape: Any, strides: Any, offset: int) -> Any:
    """The places in memory of an array of such strides, in elements."""
    places: Any = np.full((1,) * len(shape), offset, np.intp)
    for d, (n, stride) in enumerate(zip(shape, strides, strict=True)):
        steps = np.arange(n) * stride
        places = places + steps.reshape((n,) + (1,) * (len(shape) - d - 1))
    return places


def storage(x: Any) -> Any:
    """The array that owns the memory of `x`, or the outermost that is known."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


def _row(x: Any) -> Any:
    """The same memory in C order, which is how a buffer is read."""
    return x.transpose(sorted(range(x.ndim), key=lambda d: -x.strides[d]))


def steps_of(x: Any) -> tuple[int, ...]:
    """The strides of `x`, in elements."""
    return tuple(s // x.itemsize for s in x.strides)


def memory_of(x: Any) -> tuple[int, int]:
    """Where `x` begins in the memory that it lies in, and the length of that."""
    ahead = _bytes_ahead(x)
    return ahead // x.itemsize, (storage(x).nbytes - ahead % x.itemsize) // x.itemsize


def _bytes_ahead(x: Any) -> int:
    """The bytes of the memory before the first element of `x`."""
    own, whole = (a.__array_interface__["data"][0] for a in (x, storage(x)))
    return int(own - whole)
