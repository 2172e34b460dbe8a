"""Axes made longer at both ends: with a number, or with elements of the axis itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dotori.ops._op import Op, Sample, follow

#: What comes before and behind each axis; nothing is negative.
Widths = tuple[tuple[int, int], ...]


def _longer(x: Any, widths: Widths) -> tuple[int, ...]:
    rows = zip(x.shape, widths, strict=True)
    return tuple(a + n + b for n, (a, b) in rows)


def _inside(shape: tuple[int, ...], widths: Widths) -> tuple[slice, ...]:
    """Where x lies in what it is padded to."""
    return tuple(slice(a, n - b) for n, (a, b) in zip(shape, widths, strict=True))


class PadConstant(Op):
    """x with `value` around it; in memory, its axes keep their order."""

    @staticmethod
    def forward(xp: Any, x: Any, *, widths: Widths, value: Any) -> Any:
        y = xp.empty_like(x, shape=_longer(x, widths))
        y[...] = value
        y[_inside(y.shape, widths)] = x
        return y

    @staticmethod
    def backward(xp: Any, dy: Any, *, widths: Widths, value: Any) -> Any:
        return dy[_inside(dy.shape, widths)]

    @staticmethod
    def torch(x: Any, *, widths: Widths, value: Any) -> Any:
        import torch

        return torch.nn.functional.pad(x, _torch_order(widths), value=value)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((2, 3, 4))
        widths = ((0, 0), (1, 0), (2, 3))
        yield Sample((x,), {"widths": widths, "value": 0.0})
        yield Sample((x,), {"widths": widths, "value": 1.5})


def _borders(
    n: int, before: int, behind: int, mode: str
) -> Iterator[tuple[slice, slice]]:
    """Of an axis with x at ``before : before + n``: each border, and its elements.

    Both in order, counted along the longer axis. "replicate" has one element for all.
    """
    first, end = before, before + n
    if mode == "reflect":
        left = slice(first + before, first, -1)
        right = slice(end - 2, end - 2 - behind if behind < end - 1 else None, -1)
    elif mode == "circular":
        left, right = slice(end - before, end), slice(first, first + behind)
    else:
        left, right = slice(first, first + 1), slice(end - 1, end)
    if before:
        yield slice(0, before), left
    if behind:
        yield slice(end, end + behind), right


class PadAround(Op):
    """x with its own elements around it: see `dotori.nn.functional.pad`.

    Axis after axis, so that corners come from borders that are there already.
    """

    @staticmethod
    def forward(xp: Any, x: Any, *, widths: Widths, mode: str) -> Any:
        y = xp.empty_like(x, shape=_longer(x, widths))
        part = list(_inside(y.shape, widths))
        y[tuple(part)] = x
        for axis, (before, behind) in enumerate(widths):
            for border, elements in _borders(x.shape[axis], before, behind, mode):
                part[axis] = elements
                source = y[tuple(part)]
                part[axis] = border
                y[tuple(part)] = source
            part[axis] = slice(None)
        return y

    @staticmethod
    def backward(xp: Any, dy: Any, *, widths: Widths, mode: str) -> Any:
        return follow(FoldBorders, xp, dy, widths=widths, mode=mode)

    @staticmethod
    def torch(x: Any, *, widths: Widths, mode: str) -> Any:
        import torch

        return torch.nn.functional.pad(x, _torch_order(widths, 2), mode)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((2, 3, 4, 5))
        for mode in ("reflect", "replicate", "circular"):
            for last in ((2, 4), (0, 1)):
                widths = ((0, 0), (0, 0), (3, 1), last)
                yield Sample((x,), {"widths": widths, "mode": mode})


class FoldBorders(Op):
    """dx = dy without its borders, which are added to what they came from."""

    @staticmethod
    def forward(xp: Any, dy: Any, *, widths: Widths, mode: str) -> Any:
        dx = dy.copy(order="K")
        part: list[slice] = [slice(None)] * dy.ndim
        inside = _inside(dy.shape, widths)
        for axis in range(dy.ndim - 1, -1, -1):
            before, behind = widths[axis]
            n = dy.shape[axis] - before - behind
            for border, elements in _borders(n, before, behind, mode):
                part[axis] = border
                g = dx[tuple(part)]
                part[axis] = elements
                if mode == "replicate":
                    g = g.sum(axis=axis, keepdims=True)
                dx[tuple(part)] += g
            part[axis] = inside[axis]
        return xp.copy(dx[inside])

    @staticmethod
    def backward(xp: Any, dy: Any, *, widths: Widths, mode: str) -> Any:
        return follow(PadAround, xp, dy, widths=widths, mode=mode)

    @staticmethod
    def torch(dy: Any, *, widths: Widths, mode: str) -> Any:
        import torch

        shape = [n - a - b for n, (a, b) in zip(dy.shape, widths, strict=True)]
        x = torch.zeros(shape, dtype=dy.dtype, requires_grad=True)
        y = PadAround.torch(x, widths=widths, mode=mode)
        return torch.autograd.grad(y, x, dy, create_graph=True)[0]

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for sample in PadAround.samples(rng):
            longer = _longer(sample.inputs[0], sample.attrs["widths"])
            yield Sample((rng.standard_normal(longer),), sample.attrs)


def _torch_order(widths: Widths, skip: int = 0) -> list[int]:
    """From the last axis on."""
    return [n for pair in widths[skip:][::-1] for n in pair]
