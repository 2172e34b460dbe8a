"""The gated recurrent unit: one gate for what is forgotten and what is new.

Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical
machine translation", 2014, in PyTorch's form: the reset gate is applied after the
product with W_hn, and not before, so that all products of a step are one.

    r = s(W_ir x_t + b_ir + W_hr h + b_hr)            how much of the past is seen
    z = s(W_iz x_t + b_iz + W_hz h + b_hz)            how much of it stays
    n = tanh(W_in x_t + b_in + r (W_hn h + b_hn))     what is new
    h_t = (1 - z) n + z h

Here h is h_{t-1} and s the sigmoid. Batches are packed, as `dotori.ops.recurrent` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dotori.kernels import recurrent as kernels
from dotori.ops._op import Op, Sample
from dotori.ops.recurrent import (
    Sizes,
    affine,
    are_tensors,
    before,
    cell_samples,
    fresh,
    in_torch,
    of_affine,
    sigmoid,
    step_by_step,
    steps,
    suited,
    through_formula,
)


class GRU(Op):
    """h_t = (1 - z) n + z h_{t-1}, for a sequence in one direction.

    Gives all h_t, and the last of each sequence. `past` is W_hn h + b_hn.
    """

    whole = True
    saves = (
        *("x", "h0", "w_ih", "w_hh", "b_ih", "b_hh"),
        *("y", "gates", "past"),
    )
    outputs = ("y", "h")
    extras = ("gates", "past")

    @staticmethod
    def forward(
        xp: Any,
        x: Any,
        h0: Any,
        w_ih: Any,
        w_hh: Any,
        b_ih: Any,
        b_hh: Any,
        *,
        sizes: Sizes,
        reverse: bool,
    ) -> Any:
        size = h0.shape[1]
        two = 2 * size
        # s(a) = 1 / (1 + e^-a): with -a in the first place, a step has less to do.
        w_ih, w_hh, b_ih, b_hh = (
            None if w is None else xp.concatenate([-w[:two], w[two:]])
            for w in (w_ih, w_hh, b_ih, b_hh)
        )
        b_rz, b_past = None, xp.zeros(size, w_hh.dtype)
        if b_hh is not None:
            b_rz, b_past = xp.concatenate([b_hh[:two], b_past]), b_hh[two:]
        gates = affine(xp, x, w_ih, b_ih, b_rz)
        add, move = suited(xp, gates, kernels.gru_gates, kernels.gru_state)
        h, w = fresh(xp, h0, h0.shape, gates.dtype), w_hh.T
        b_past = fresh(xp, b_past, (size,), gates.dtype)
        y = xp.empty((len(x), size), gates.dtype)
        past = xp.empty_like(y)
        sent = xp.empty((len(h), 3 * size), gates.dtype)
        for rows, n in steps(sizes, reverse):
            product, a = xp.matmul(h[:n], w, out=sent[:n]), gates[rows]
            minus, new = a[:, :two], a[:, two:]
            minus += product[:, :two]
            xp.exp(minus, out=minus)
            add(a, product, b_past, past[rows])
            xp.tanh(new, out=new)
            move(a, h[:n], y[rows])
        return y, h, gates, past

    @staticmethod
    def backward(
        xp: Any,
        dys: Any,
        needs: Any,
        x: Any,
        h0: Any,
        w_ih: Any,
        w_hh: Any,
        b_ih: Any,
        b_hh: Any,
        y: Any,
        gates: Any,
        past: Any,
        *,
        sizes: Sizes,
        reverse: bool,
    ) -> Any:
        if are_tensors(dys):
            inputs = (x, h0, w_ih, w_hh, b_ih, b_hh)
            attrs = {"sizes": sizes, "reverse": reverse}
            return through_formula(gru_by_formula, xp, dys, needs, inputs, attrs)
        slopes, back = suited(xp, gates, kernels.gru_slopes, kernels.gru_back)
        da, dn = xp.empty_like(gates), xp.empty_like(y)
        h_before = before(xp, y, h0, sizes, reverse)
        slopes(gates, past, h_before, da, dn)
        dy, dh = dys
        dh = fresh(xp, dh, h0.shape, gates.dtype)
        for rows, n in reversed(steps(sizes, reverse)):
            dnow, d = dh[:n], da[rows]
            if dy is not None:
                dnow += dy[rows]
            back(d, gates[rows], dn[rows], dnow)
            dnow += d @ w_hh
        _, dw_hh, db_hh = of_affine(xp, da, (None, *needs[3::2]), h_before, w_hh)
        da[:, 2 * h0.shape[1] :] = dn  # W_ih x was not multiplied by r
        dx, dw_ih, db_ih = of_affine(xp, da, needs[0::2], x, w_ih)
        return dx, dh, dw_ih, dw_hh, db_ih, db_hh

    @staticmethod
    def torch(x: Any, h0: Any, *weights: Any, sizes: Sizes, reverse: bool) -> Any:
        import torch

        return in_torch(torch.gru, x, (h0[None],), weights, sizes, reverse)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for inputs, attrs in cell_samples(rng, gates=3):
            yield Sample(inputs, attrs)


def gru_by_formula(
    xp: Any,
    x: Any,
    h0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    sizes: Sizes,
    reverse: bool,
) -> Any:
    """The same step by step, with nothing in place."""
    from_input = affine(xp, x, w_ih, b_ih)
    size = w_hh.shape[0] // 3

    def step(a: Any, h: Any) -> Any:
        from_past = affine(xp, h, w_hh, b_hh)
        r, z = (
            sigmoid(xp, a[:, part] + from_past[:, part])
            for part in (slice(size), slice(size, 2 * size))
        )
        n = xp.tanh(a[:, 2 * size :] + r * from_past[:, 2 * size :])
        return (n + z * (h - n),)

    y, (h,) = step_by_step(xp, step, from_input, (h0,), sizes, reverse)
    return y, h
