"""Convolution, and the two ways back from it.

A kernel w slides over a picture x; at each place, what it covers is multiplied by it
and added up (a cross-correlation: nothing is flipped, as everywhere in deep learning):

    y[n, k, i, j] = sum over (c, r, s) of
                    x[n, c, i * stride + r * dilation, j * stride + s * dilation]
                    w[k, c, r, s]

with x zero outside. The formula is bilinear, so each of its three tensors follows from
the two others by a formula of the same kind, and the gradients of all three operations
here are the operations themselves:

    Convolution            y  from (x, w)
    TransposedConvolution  dx from (dy, w), what `conv_transpose` computes too
    KernelGradient         dw from (x, dy)

How it is computed depends on the shapes: `dotori.kernels` has `winograd` for 3 x 3
kernels, `depthwise` for a kernel of each channel's own, and `gathered` for everything
else. Inside, pictures lie with their channels last (see `layout`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.kernels import depthwise, gathered, product, winograd
from dotori.kernels.window import Window
from dotori.ops._op import Op, Sample, follow
from dotori.ops.layout import channels_first_view, channels_last


def correlate(xp: Any, x: Any, w: Any, bias: Any, window: Window, groups: int) -> Any:
    """The formula, for pictures (N, *spatial, C) and their output (N, *out, K)."""
    if xp is np and winograd.suits(x, w.shape[0], window, groups):
        return winograd.correlate(x, w, bias, window)
    if groups > 1 and groups == x.shape[-1]:
        return depthwise.correlate(xp, x, w, bias, window)
    return gathered.correlate(xp, x, w, bias, window, groups)


def spread(
    xp: Any, dy: Any, w: Any, window: Window, groups: int, size: tuple[int, ...]
) -> Any:
    """dx (N, *size, C) from dy (N, *out, K).

    With a stride of one, that is a convolution by the mirrored kernel. Else each
    output's share is added to the places that it saw.
    """
    n_in = w.shape[1] * groups
    if groups > 1 and groups == n_in:
        return depthwise.spread(xp, dy, w, window, n_in, size)
    if max(window.stride) > 1:
        return gathered.spread(xp, dy, w, window, groups, size)
    back = window.mirrored()
    natural = back.positions(dy.shape[1:-1])
    rows = zip(back.padding, size, natural, strict=True)
    back = back._replace(padding=tuple((a, b + n - m) for (a, b), n, m in rows))
    return correlate(xp, dy, _mirrored(xp, w, groups), None, back, groups)


def weight_gradient(xp: Any, x: Any, dy: Any, window: Window, groups: int) -> Any:
    """dw (K, C / groups, *kernel) from x and dy."""
    if xp is np and winograd.suits(x, dy.shape[-1], window, groups):
        return winograd.weight_gradient(x, dy, window)
    if groups > 1 and groups == x.shape[-1]:
        return depthwise.weight_gradient(xp, x, dy, window)
    return gathered.weight_gradient(xp, x, dy, window, groups)


def _mirrored(xp: Any, w: Any, groups: int) -> Any:
    """(K, C / groups, *kernel) as (C, K / groups, *kernel), back to front."""
    by_group = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])
    turned = xp.flip(xp.swapaxes(by_group, 1, 2), tuple(range(3, by_group.ndim)))
    return turned.reshape(w.shape[1] * groups, w.shape[0] // groups, *w.shape[2:])


def _sum_of_places(xp: Any, dy: Any) -> Any:
    """The gradient of a bias, from dy (N, *out, K): a product with ones."""
    rows = dy.reshape(-1, dy.shape[-1])
    ones = xp.ones((1, len(rows)), dy.dtype)
    return product(xp, ones, rows)[0]


def _is_tensor(x: Any) -> bool:
    return hasattr(x, "node")


class Convolution(Op):
    """y[n, k, i] = sum over (c, r) of x[n, c, i * stride + r * dilation] w[k, c, r]."""

    whole = True
    saves = ("x", "w")

    @staticmethod
    def forward(xp: Any, x: Any, w: Any, *, window: Window, groups: int) -> Any:
        y = correlate(xp, channels_last(xp, x), w, None, window, groups)
        return channels_first_view(xp, y)

    @staticmethod
    def backward(
        xp: Any, dy: Any, needs: Any, x: Any, w: Any, *, window: Window, groups: int
    ) -> Any:
        size = x.shape[2:]
        if _is_tensor(dy) or _is_tensor(x) or _is_tensor(w):
            how: dict[str, Any] = {"window": window, "groups": groups}
            dx = follow(TransposedConvolution, xp, dy, w, size=size, **how)
            return dx, follow(KernelGradient, xp, x, dy, **how)
        dy = channels_last(xp, dy)
        dx = dw = None
        if needs[0]:
            dx = channels_first_view(xp, spread(xp, dy, w, window, groups, size))
        if needs[1]:
            dw = weight_gradient(xp, channels_last(xp, x), dy, window, groups)
        return dx, dw

    @staticmethod
    def torch(x: Any, w: Any, *, window: Window, groups: int) -> Any:
        from torch.nn import functional as F

        ahead = [n for pair in reversed(window.padding) for n in pair]
        conv = getattr(F, f"conv{len(window.kernel)}d")
        x = F.pad(x, ahead)
        return conv(x, w, None, window.stride, 0, window.dilation, groups)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for window, groups in _windows():
            yield Sample(_picture_and_kernel(rng, window, groups), _how(window, groups))


class ConvolutionWithBias(Op):
    """`Convolution` + b[k]; db[k] = sum over (n, i) of dy[n, k, i]."""

    whole = True
    saves = ("x", "w")

    @staticmethod
    def forward(xp: Any, x: Any, w: Any, b: Any, *, window: Window, groups: int) -> Any:
        y = correlate(xp, channels_last(xp, x), w, b, window, groups)
        return channels_first_view(xp, y)

    @staticmethod
    def backward(
        xp: Any, dy: Any, needs: Any, x: Any, w: Any, *, window: Window, groups: int
    ) -> Any:
        db = None
        if needs[2]:
            if _is_tensor(dy):
                db = dy.sum(axis=(0, *range(2, dy.ndim)))
            else:
                db = _sum_of_places(xp, channels_last(xp, dy))
        how: dict[str, Any] = {"window": window, "groups": groups}
        return *Convolution.backward(xp, dy, needs, x, w, **how), db

    @staticmethod
    def torch(x: Any, w: Any, b: Any, *, window: Window, groups: int) -> Any:
        y = Convolution.torch(x, w, window=window, groups=groups)
        return y + b.reshape(-1, *[1] * (y.ndim - 2))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for window, groups in _windows():
            x, w = _picture_and_kernel(rng, window, groups)
            b = rng.standard_normal(w.shape[0])
            yield Sample((x, w, b), _how(window, groups))


class TransposedConvolution(Op):
    """x[n, c, i * stride + r * dilation] += y[n, k, i] w[k, c, r], over all (k, i, r).

    The gradient of `Convolution` for its input. `size` says how large x is, as a stride
    leaves that open.
    """

    whole = True
    saves = ("y", "w")
    outputs = ("x",)

    @staticmethod
    def forward(
        xp: Any,
        y: Any,
        w: Any,
        *,
        window: Window,
        groups: int,
        size: tuple[int, ...],
    ) -> Any:
        x = spread(xp, channels_last(xp, y), w, window, groups, size)
        return channels_first_view(xp, x)

    @staticmethod
    def backward(
        xp: Any,
        dx: Any,
        needs: Any,
        y: Any,
        w: Any,
        *,
        window: Window,
        groups: int,
        size: tuple[int, ...],
    ) -> Any:
        how: dict[str, Any] = {"window": window, "groups": groups}
        dy = follow(Convolution, xp, dx, w, **how) if needs[0] else None
        dw = follow(KernelGradient, xp, dx, y, **how) if needs[1] else None
        return dy, dw

    @staticmethod
    def torch(
        y: Any, w: Any, *, window: Window, groups: int, size: tuple[int, ...]
    ) -> Any:
        from torch.nn import functional as F

        conv = getattr(F, f"conv_transpose{len(size)}d")
        whole = conv(y, w, None, window.stride, 0, 0, groups, window.dilation)
        rows = zip(size, window.padding, whole.shape[2:], strict=True)
        ahead = [(-a, n + a - m) for n, (a, _), m in rows]
        return F.pad(whole, [n for pair in reversed(ahead) for n in pair])

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for window, groups in _windows():
            x, w = _picture_and_kernel(rng, window, groups)
            size = x.shape[2:]
            y = rng.standard_normal((x.shape[0], w.shape[0], *window.positions(size)))
            yield Sample((y, w), _how(window, groups) | {"size": size})


class KernelGradient(Op):
    """w[k, c, r] = sum over (n, i) of x[n, c, i * stride + r * dilation] y[n, k, i].

    The gradient of `Convolution` for its kernel.
    """

    whole = True
    saves = ("x", "y")
    outputs = ("w",)

    @staticmethod
    def forward(xp: Any, x: Any, y: Any, *, window: Window, groups: int) -> Any:
        x, y = channels_last(xp, x), channels_last(xp, y)
        return weight_gradient(xp, x, y, window, groups)

    @staticmethod
    def backward(
        xp: Any, dw: Any, needs: Any, x: Any, y: Any, *, window: Window, groups: int
    ) -> Any:
        how: dict[str, Any] = {"window": window, "groups": groups}
        size = x.shape[2:]
        dx = dy = None
        if needs[0]:
            dx = follow(TransposedConvolution, xp, y, dw, size=size, **how)
        if needs[1]:
            dy = follow(Convolution, xp, x, dw, **how)
        return dx, dy

    @staticmethod
    def torch(x: Any, y: Any, *, window: Window, groups: int) -> Any:
        import torch

        n_out, n_in = y.shape[1], x.shape[1] // groups
        w = torch.zeros(n_out, n_in, *window.kernel, dtype=x.dtype, requires_grad=True)
        whole = Convolution.torch(x, w, window=window, groups=groups)
        return torch.autograd.grad(whole, w, y, create_graph=True)[0]

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for window, groups in _windows():
            x, w = _picture_and_kernel(rng, window, groups)
            shape = (x.shape[0], w.shape[0], *window.positions(x.shape[2:]))
            yield Sample((x, rng.standard_normal(shape)), _how(window, groups))


def _how(window: Window, groups: int) -> dict[str, Any]:
    return {"window": window, "groups": groups}


def _windows() -> Iterator[tuple[Window, int]]:
    """What the contract tests try."""
    yield Window((3,), (1,), ((1, 1),), (1,)), 1
    yield Window((2, 3), (2, 1), ((0, 1), (2, 2)), (1, 2)), 2
    yield Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)), 1
    yield Window((1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1)), 1
    yield Window((3, 2), (2, 1), ((1, 1), (0, 1)), (1, 1)), 4
    yield Window((2, 1, 2), (1, 2, 1), ((0, 0), (0, 0), (1, 1)), (1, 1, 1)), 1


def _picture_and_kernel(rng: Any, window: Window, groups: int) -> tuple[Any, Any]:
    size = (6, 5, 4)[: len(window.kernel)]
    w = rng.standard_normal((8 if groups == 4 else 2, 4 // groups, *window.kernel))
    return rng.standard_normal((2, 4, *size)), w
