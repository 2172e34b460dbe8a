"""Operations that only change the shape: their values are views where NumPy's are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.backend import to_device
from dotori.ops._op import Op, Sample, follow


class Reshape(Op):
    """The same elements in C order under another shape; `was` is the one before."""

    views = True

    @staticmethod
    def forward(xp: Any, x: Any, *, shape: tuple[int, ...], was: Any) -> Any:
        return x.reshape(shape)

    @staticmethod
    def backward(xp: Any, dy: Any, *, shape: tuple[int, ...], was: Any) -> Any:
        return dy.reshape(was)

    @staticmethod
    def torch(x: Any, *, shape: tuple[int, ...], was: Any) -> Any:
        return x.reshape(shape)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((2, 6))
        yield Sample((x,), {"shape": (3, 4), "was": (2, 6)})
        yield Sample((x,), {"shape": (-1,), "was": (2, 6)})


class Permute(Op):
    """The axes in another order."""

    views = True

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
    """The same numbers as another type; the gradient is brought back by the walk.

    In memory they keep the order of axes that x has, or lie in that of `order`.
    """

    @staticmethod
    def forward(xp: Any, x: Any, *, dtype: Any, order: str = "K") -> Any:
        if x.dtype.kind == "c" and np.dtype(dtype).kind not in "cb":
            x = x.real  # as PyTorch: the imaginary part is dropped
        return x.astype(dtype, order=order)

    @staticmethod
    def backward(xp: Any, dy: Any, *, dtype: Any, order: str = "K") -> Any:
        return dy

    @staticmethod
    def torch(x: Any, *, dtype: Any, order: str = "K") -> Any:
        import torch

        return x.to(getattr(torch, str(dtype)))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((2, 3)),), {"dtype": np.dtype(np.float64)})


class ToIntegers(Op):
    """Numbers cut to integers, or made true and false: no gradient comes back."""

    differentiable = False

    @staticmethod
    def forward(xp: Any, x: Any, *, dtype: Any) -> Any:
        return x.astype(dtype)

    @staticmethod
    def torch(x: Any, *, dtype: Any) -> Any:
        import torch

        return x.to(getattr(torch, str(dtype)))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((3 * rng.standard_normal((2, 3)),), {"dtype": np.dtype(np.int64)})


class Move(Op):
    """The same numbers on another device; `was` is the one before."""

    @staticmethod
    def forward(xp: Any, x: Any, *, device: str, was: str) -> Any:
        return to_device(x, device)

    @staticmethod
    def backward(xp: Any, dy: Any, *, device: str, was: str) -> Any:
        return follow(Move, xp, dy, device=was, was=device)

    @staticmethod
    def torch(x: Any, *, device: str, was: str) -> Any:
        return x.to(device)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((2, 3)),), {"device": "cpu", "was": "cpu"})


class BroadcastTo(Op):
    """The same numbers, repeated along new axes and axes of length 1."""

    views = True

    @staticmethod
    def forward(xp: Any, x: Any, *, shape: tuple[int, ...]) -> Any:
        y = xp.broadcast_to(x, shape)
        # where nothing was stretched it may be written to, which NumPy's may not
        return y if y.size != x.size else x.reshape(y.shape)

    @staticmethod
    def backward(xp: Any, dy: Any, *, shape: tuple[int, ...]) -> Any:
        return dy  # the walk undoes broadcasting

    @staticmethod
    def torch(x: Any, *, shape: tuple[int, ...]) -> Any:
        return x.broadcast_to(shape)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((3, 1)),), {"shape": (2, 3, 4)})


class Reinterpret(Op):
    """The same bytes, read as numbers of another type."""

    views = True
    differentiable = False

    @staticmethod
    def forward(xp: Any, x: Any, *, dtype: Any) -> Any:
        return x.view(dtype)

    @staticmethod
    def torch(x: Any, *, dtype: Any) -> Any:
        import torch

        return x.view(getattr(torch, str(dtype)))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((2, 3)),), {"dtype": np.dtype(np.int64)})


class Flip(Op):
    """The elements in reverse order along some axes."""

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: Any) -> Any:
        return xp.flip(x, axis).copy()  # as in PyTorch; NumPy's is a view

    @staticmethod
    def backward(xp: Any, dy: Any, *, axis: Any) -> Any:
        return xp.flip(dy, axis)

    @staticmethod
    def torch(x: Any, *, axis: Any) -> Any:
        return x.flip(axis)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((2, 3)),), {"axis": (1,)})
        yield Sample((rng.standard_normal((2, 3)),), {"axis": (0, 1)})


class Roll(Op):
    """Elements moved along axes; what leaves at one end comes in at the other."""

    @staticmethod
    def forward(
        xp: Any, x: Any, *, shifts: tuple[int, ...], axes: tuple[int, ...]
    ) -> Any:
        return xp.roll(x, shifts, axes)

    @staticmethod
    def backward(
        xp: Any, dy: Any, *, shifts: tuple[int, ...], axes: tuple[int, ...]
    ) -> Any:
        return xp.roll(dy, tuple(-n for n in shifts), axes)

    @staticmethod
    def torch(x: Any, *, shifts: Any, axes: Any) -> Any:
        return x.roll(shifts, axes)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((4, 5))
        yield Sample((x,), {"shifts": (1, -2), "axes": (0, 1)})
        yield Sample((x,), {"shifts": (7,), "axes": (1,)})


class Concatenate(Op):
    """Arrays one after the other along an axis; each gets its part of the gradient."""

    @staticmethod
    def forward(xp: Any, *xs: Any, axis: int, ends: tuple[int, ...]) -> Any:
        return xp.concatenate(xs, axis=axis)

    @staticmethod
    def backward(
        xp: Any, dy: Any, needs: Any, *, axis: int, ends: tuple[int, ...]
    ) -> Any:
        before = (slice(None),) * (axis % dy.ndim)
        starts = (0, *ends[:-1])
        return [
            dy[(*before, slice(a, b))] if need else None
            for a, b, need in zip(starts, ends, needs, strict=True)
        ]

    @staticmethod
    def torch(*xs: Any, axis: int, ends: Any) -> Any:
        import torch

        return torch.cat(xs, dim=axis)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        parts = tuple(rng.standard_normal((2, n, 3)) for n in (1, 4, 2))
        yield Sample(parts, {"axis": 1, "ends": (1, 5, 7)})
        yield Sample(parts, {"axis": -2, "ends": (1, 5, 7)})
