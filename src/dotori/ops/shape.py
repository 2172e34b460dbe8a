"""Operations that only change the shape: their values are views where NumPy's are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample


class Reshape(Op):
    """The same elements in C order under another shape."""

    saves = ("x",)

    @staticmethod
    def forward(xp: Any, x: Any, *, shape: tuple[int, ...]) -> Any:
        return x.reshape(shape)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, *, shape: tuple[int, ...]) -> Any:
        return dy.reshape(x.shape)

    @staticmethod
    def torch(x: Any, *, shape: tuple[int, ...]) -> Any:
        return x.reshape(shape)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((2, 6)),), {"shape": (3, 4)})


class Permute(Op):
    """The axes in another order."""

    @staticmethod
    def forward(xp: Any, x: Any, *, axes: tuple[int, ...]) -> Any:
        return x.transpose(axes)

    @staticmethod
    def backward(xp: Any, dy: Any, *, axes: tuple[int, ...]) -> Any:
        back = sorted(range(len(axes)), key=lambda i: axes[i])
        return xp.transpose(dy, tuple(back))

    @staticmethod
    def torch(x: Any, *, axes: tuple[int, ...]) -> Any:
        return x.permute(axes)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((2, 3, 4)),), {"axes": (2, 0, 1)})


class Cast(Op):
    """The same numbers as another type; the gradient is brought back by the walk."""

    @staticmethod
    def forward(xp: Any, x: Any, *, dtype: Any) -> Any:
        return x.astype(dtype)

    @staticmethod
    def backward(xp: Any, dy: Any, *, dtype: Any) -> Any:
        return dy

    @staticmethod
    def torch(x: Any, *, dtype: Any) -> Any:
        import torch

        return x.to(getattr(torch, str(dtype)))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((2, 3)),), {"dtype": np.dtype(np.float64)})


class BroadcastTo(Op):
    """The same numbers, repeated along new axes and axes of length 1."""

    @staticmethod
    def forward(xp: Any, x: Any, *, shape: tuple[int, ...]) -> Any:
        return xp.broadcast_to(x, shape)

    @staticmethod
    def backward(xp: Any, dy: Any, *, shape: tuple[int, ...]) -> Any:
        return dy  # the walk undoes broadcasting

    @staticmethod
    def torch(x: Any, *, shape: tuple[int, ...]) -> Any:
        return x.broadcast_to(shape)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((3, 1)),), {"shape": (2, 3, 4)})
