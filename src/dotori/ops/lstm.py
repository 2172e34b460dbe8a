"""Long short-term memory: a cell that a gate lets forget.

Hochreiter and Schmidhuber, "Long short-term memory", 1997; the forget gate is Gers,
Schmidhuber and Cummins', "Learning to forget", 2000.

    i = s(W_ii x_t + b_ii + W_hi h + b_hi)          what comes in
    f = s(W_if x_t + b_if + W_hf h + b_hf)          what is kept
    g = tanh(W_ig x_t + b_ig + W_hg h + b_hg)       what is new
    o = s(W_io x_t + b_io + W_ho h + b_ho)          what is shown
    c_t = f c_{t-1} + i g
    h_t = o tanh(c_t)                               (or W_hr times that)

Here h is h_{t-1} and s the sigmoid. The way back through c_t = f c_{t-1} + ... is a
product with f alone, which is what lets gradients last. Batches are packed, as
`dotori.ops.recurrent` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dotori.kernels import recurrent as kernels
from dotori.kernels.recurrent import parts
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
    of_weights,
    sigmoid,
    step_by_step,
    steps,
    suited,
    through_formula,
)


class LSTM(Op):
    """c_t = f c_{t-1} + i g and h_t = o tanh(c_t), for a sequence in one direction.

    Gives all h_t, and the last h and c of each sequence. The gates stand in memory in
    the order o, i, f, g, unlike in the weights: so the three sigmoids lie side by side,
    and so do the three that c_t depends on.
    """

    whole = True
    saves = (
        *("x", "h0", "c0", "w_ih", "w_hh", "b_ih", "b_hh", "w_hr"),
        *("y", "gates", "cells", "shown"),
    )
    outputs = ("y", "h", "c")
    extras = ("gates", "cells", "shown")

    @staticmethod
    def forward(
        xp: Any,
        x: Any,
        h0: Any,
        c0: Any,
        w_ih: Any,
        w_hh: Any,
        b_ih: Any,
        b_hh: Any,
        w_hr: Any,
        *,
        sizes: Sizes,
        reverse: bool,
    ) -> Any:
        size = c0.shape[1]
        # s(a) = 1 / (1 + e^-a): with -a in the first place, a step has less to do.
        w_ih, w_hh, b_ih, b_hh = (
            _for_forward(xp, w, size) for w in (w_ih, w_hh, b_ih, b_hh)
        )
        gates = affine(xp, x, w_ih, b_ih, b_hh)
        (cell,) = suited(xp, gates, kernels.lstm_cell)
        h, c = (fresh(xp, s, s.shape, gates.dtype) for s in (h0, c0))
        w = w_hh.T
        y = xp.empty((len(x), h.shape[1]), gates.dtype)
        cells = xp.empty((len(x), size), gates.dtype)
        shown = xp.empty_like(cells)  # tanh(c_t)
        sent = xp.empty((len(c), 4 * size), gates.dtype)
        for rows, n in steps(sizes, reverse):
            a = gates[rows]
            a += xp.matmul(h[:n], w, out=sent[:n])
            minus, g = a[:, : 3 * size], a[:, 3 * size :]
            xp.exp(minus, out=minus)
            xp.tanh(g, out=g)
            cell(a, c[:n], cells[rows])
            r = a[:, :size] * xp.tanh(cells[rows], out=shown[rows])
            h[:n] = y[rows] = r if w_hr is None else r @ w_hr.T
        return y, h, c, gates, cells, shown

    @staticmethod
    def backward(
        xp: Any,
        dys: Any,
        needs: Any,
        x: Any,
        h0: Any,
        c0: Any,
        w_ih: Any,
        w_hh: Any,
        b_ih: Any,
        b_hh: Any,
        w_hr: Any,
        y: Any,
        gates: Any,
        cells: Any,
        shown: Any,
        *,
        sizes: Sizes,
        reverse: bool,
    ) -> Any:
        if are_tensors(dys):
            inputs = (x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr)
            attrs = {"sizes": sizes, "reverse": reverse}
            return through_formula(lstm_by_formula, xp, dys, needs, inputs, attrs)
        size = c0.shape[1]
        w_in, w_back = (xp.roll(w, size, axis=0) for w in (w_ih, w_hh))
        slopes, back = suited(xp, gates, kernels.lstm_slopes, kernels.lstm_back)
        da, through = xp.empty_like(gates), xp.empty_like(cells)
        c_before = before(xp, cells, c0, sizes, reverse)
        slopes(gates, c_before, shown, da, through)
        dy, dh, dc = dys
        dh = fresh(xp, dh, h0.shape, gates.dtype)
        dc = fresh(xp, dc, c0.shape, gates.dtype)
        dh_all: Any = None if w_hr is None else xp.empty_like(y)
        for rows, n in reversed(steps(sizes, reverse)):
            dr, d = dh[:n], da[rows]
            if dy is not None:
                dr += dy[rows]
            if w_hr is not None:
                dh_all[rows] = dr
                dr = dr @ w_hr
            back(d, gates[rows], through[rows], dr, dc[:n])
            xp.matmul(d, w_back, out=dh[:n])
        biased = needs[5] or needs[6]
        dx, dw_ih, db = of_affine(xp, da, (needs[0], needs[3], biased), x, w_in)
        dw_hh = of_weights(xp, da, y, h0, sizes, reverse) if needs[4] else None
        dw_hr = None
        if needs[7]:
            dw_hr = dh_all.T @ (gates[:, :size] * shown)
        weights = (
            None if d is None else xp.roll(d, -size, axis=0)
            for d in (dw_ih, dw_hh, db, db)
        )
        return dx, dh, dc, *weights, dw_hr

    @staticmethod
    def torch(
        x: Any,
        h0: Any,
        c0: Any,
        *weights: Any,
        sizes: Sizes,
        reverse: bool,
    ) -> Any:
        import torch

        start = (h0[None], c0[None])
        return in_torch(torch.lstm, x, start, weights, sizes, reverse)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for inputs, attrs in cell_samples(rng, gates=4, cells=1):
            yield Sample((*inputs, None), attrs)
        for inputs, attrs in cell_samples(rng, gates=4, cells=1, projected=2):
            yield Sample((*inputs, rng.standard_normal((2, 3))), attrs)


def lstm_by_formula(
    xp: Any,
    x: Any,
    h0: Any,
    c0: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    w_hr: Any,
    *,
    sizes: Sizes,
    reverse: bool,
) -> Any:
    """The same step by step, with nothing in place."""
    from_input = affine(xp, x, w_ih, b_ih, b_hh)

    def step(a: Any, h: Any, c: Any) -> Any:
        i, f, g, o = parts(a + h @ w_hh.T, 4)
        c = sigmoid(xp, f) * c + sigmoid(xp, i) * xp.tanh(g)
        h = sigmoid(xp, o) * xp.tanh(c)
        return (h if w_hr is None else h @ w_hr.T), c

    y, (h, c) = step_by_step(xp, step, from_input, (h0, c0), sizes, reverse)
    return y, h, c


def _for_forward(xp: Any, w: Any, size: int) -> Any:
    """Weights or a bias in the order o, i, f, g, those of the sigmoids negated."""
    if w is None:
        return None
    w = xp.roll(w, size, axis=0)
    w[: 3 * size] *= -1
    return w
