"""Recurrent networks: the same affine map applied at every step of a sequence.

Elman, "Finding structure in time", 1990, and for the way back Werbos, "Backpropagation
through time: what it does and how to do it", 1990.

All three cells (this file, `lstm.py`, `gru.py`) are one operation for a whole sequence
in one direction, and are arranged alike:

- Forward, the products of all steps with W_ih are one product of matrices. What remains
  for each step is h W_hh^T and a few functions, written into memory that is there.
- Backward, the derivatives of all steps with respect to what goes into the gates are
  worked out at once from what was saved. What remains for each step is to multiply
  them by dh and to send that back through W_hh. The gradients of the weights are one
  product each at the end, over all steps.

A batch is packed: `x` has the rows of the first step, then those of the second, and so
on. `sizes` says how many rows each step has. Sequences stand in order of falling
length, so that those still running are the first rows of the state: a step moves
``state[:n]`` and leaves the final states of the others alone. From the end to the
beginning (`reverse`), sequences join instead, and ``state[n:]`` is where they start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

import numpy as np

from dotori.kernels import Pair
from dotori.ops._op import Op, Sample

Sizes = tuple[int, ...]


class RNN(Op):
    """h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), where f is tanh or ReLU.

    Gives all h_t, and the last of each sequence.
    """

    whole = True
    saves = ("x", "h0", "w_ih", "w_hh", "b_ih", "b_hh", "y")
    outputs = ("y", "h")

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
        relu: bool,
    ) -> Any:
        y = affine(xp, x, w_ih, b_ih, b_hh)  # becomes the states
        h, w = fresh(xp, h0, h0.shape, y.dtype), w_hh.T
        sent = xp.empty_like(h)
        for rows, n in steps(sizes, reverse):
            now = y[rows]
            now += xp.matmul(h[:n], w, out=sent[:n])
            if relu:
                xp.maximum(now, 0, out=now)
            else:
                xp.tanh(now, out=now)
            h[:n] = now
        return y, h

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
        *,
        sizes: Sizes,
        reverse: bool,
        relu: bool,
    ) -> Any:
        inputs = (x, h0, w_ih, w_hh, b_ih, b_hh)
        if are_tensors(dys):
            attrs = {"sizes": sizes, "reverse": reverse, "relu": relu}
            return through_formula(rnn_by_formula, xp, dys, needs, inputs, attrs)
        dy, dh = dys
        dh = fresh(xp, dh, h0.shape, y.dtype)
        if relu:
            da = (~(y <= 0)).astype(y.dtype)  # f' in place of a, to be multiplied by dh
        else:
            da = y * y
            xp.subtract(1, da, out=da)
        for rows, n in reversed(steps(sizes, reverse)):
            d, dnow = da[rows], dh[:n]
            if dy is not None:
                dnow += dy[rows]
            d *= dnow
            xp.matmul(d, w_hh, out=dnow)
        biased = needs[4] or needs[5]
        dx, dw_ih, db = of_affine(xp, da, (needs[0], needs[2], biased), x, w_ih)
        dw_hh = of_weights(xp, da, y, h0, sizes, reverse) if needs[3] else None
        return dx, dh, dw_ih, dw_hh, db, db.copy() if biased else None

    @staticmethod
    def torch(
        x: Any, h0: Any, *weights: Any, sizes: Sizes, reverse: bool, relu: bool
    ) -> Any:
        import torch

        run = torch.rnn_relu if relu else torch.rnn_tanh
        return in_torch(run, x, (h0[None],), weights, sizes, reverse)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for i, (inputs, attrs) in enumerate(cell_samples(rng, gates=1)):
            yield Sample(inputs, attrs | {"relu": i % 2 == 1})


def rnn_by_formula(
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
    relu: bool,
) -> Any:
    """The same step by step, with nothing in place."""
    from_input = affine(xp, x, w_ih, b_ih, b_hh)

    def step(a: Any, h: Any) -> Any:
        a = a + h @ w_hh.T
        return (xp.maximum(a, 0) if relu else xp.tanh(a),)

    y, (h,) = step_by_step(xp, step, from_input, (h0,), sizes, reverse)
    return y, h


def steps(sizes: Sizes, reverse: bool) -> list[tuple[slice, int]]:
    """The rows of each step and their number, in the order in which steps are run."""
    found = [
        (slice(end - n, end), n)
        for end, n in zip(accumulate(sizes), sizes, strict=True)
    ]
    return found[::-1] if reverse else found


def before(xp: Any, y: Any, start: Any, sizes: Sizes, reverse: bool) -> Any:
    """For each row of `y`, the state that its step began with."""
    n, start = sizes[0], fresh(xp, start, start.shape, y.dtype)
    if sizes[-1] == n:
        first, rest = start[:n], y[n:] if reverse else y[: len(y) - n]
        return xp.concatenate([rest, first] if reverse else [first, rest])
    found = xp.empty_like(y)
    for rows, n in steps(sizes, reverse):
        found[rows] = start[:n]
        start[:n] = y[rows]
    return found


def affine(xp: Any, x: Any, w: Any, *biases: Any) -> Any:
    """x W^T + b for all steps at once; the result is the caller's to write into."""
    a = xp.matmul(x, w.T)
    given = [b for b in biases if b is not None]
    if not given:
        return a
    bias = sum(given[1:], given[0])
    if are_tensors((a, bias)):
        return a + bias
    a += bias
    return a


def of_affine(xp: Any, da: Any, needs: Any, x: Any, w: Any) -> tuple[Any, Any, Any]:
    """The gradients for x, W and b of x W^T + b, as far as they are needed."""
    dx = xp.matmul(da, w) if needs[0] else None
    dw = xp.matmul(da.T, x) if needs[1] else None
    # BLAS adds up rows in half the time that NumPy's sum takes.
    return dx, dw, xp.ones(len(da), da.dtype) @ da if needs[2] else None


def sigmoid(xp: Any, a: Any) -> Any:
    """1 / (1 + e^-a), in a form without overflow."""
    return 0.5 * xp.tanh(0.5 * a) + 0.5


def of_weights(
    xp: Any, da: Any, y: Any, start: Any, sizes: Sizes, reverse: bool
) -> Any:
    """The gradient for W_hh: da^T times the states that the steps began with."""
    n = sizes[0]
    if sizes[-1] != n:
        return da.T @ before(xp, y, start, sizes, reverse)
    m = len(y) - n  # no copy of the states, but two products
    if reverse:
        return da[:m].T @ y[n:] + da[m:].T @ start[:n]
    return da[n:].T @ y[:m] + da[:n].T @ start[:n]


def fresh(xp: Any, values: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """A copy of `values` to write into, in C order; zeros for None."""
    if values is None:
        return xp.zeros(shape, dtype)
    return xp.array(values, dtype, order="C")


def suited(xp: Any, like: Any, *kernels: Pair) -> tuple[Callable[..., None], ...]:
    """The kernels, or their twins where numbers such as those of `like` have none."""
    if xp is np and like.dtype.char in "fd":
        return kernels
    return tuple(kernel.twin for kernel in kernels)


def are_tensors(values: Any) -> bool:
    """Whether a rule was given tensors, for the sake of the second order."""
    return any(hasattr(value, "node") for value in values)


def step_by_step(
    xp: Any,
    step: Callable[..., tuple[Any, ...]],
    from_input: Any,
    start: tuple[Any, ...],
    sizes: Sizes,
    reverse: bool,
) -> tuple[Any, tuple[Any, ...]]:
    """A recurrence with nothing in place, for tensors, and to compare with.

    ``step(a, *states)`` gives the new states from `a`, the rows of `from_input` that
    belong to the step. The first of them is the output.

    Returns
    -------
    outputs, final states
    """
    states, outputs = start, []
    for rows, n in steps(sizes, reverse):
        moved = step(from_input[rows], *[s[:n] for s in states])
        outputs.append(moved[0])
        states = tuple(
            xp.concatenate([new, old[n:]]) if n < old.shape[0] else new
            for new, old in zip(moved, states, strict=True)
        )
    return xp.concatenate(outputs[::-1] if reverse else outputs), states


def through_formula(
    formula: Callable[..., tuple[Any, ...]],
    xp: Any,
    dys: Any,
    needs: Any,
    inputs: tuple[Any, ...],
    attrs: dict[str, Any],
) -> list[Any]:
    """The gradients for `inputs` as tensors, by a walk back through `formula`.

    Multiplied by 1, an input stands in a place of its own in the graph: the walk ends
    there, even where one input was computed from another, as in layers that share
    their weights.
    """
    from dotori.autograd import grad

    own = [x * 1.0 if need else x for x, need in zip(inputs, needs, strict=True)]
    pairs = [
        (y, dy)
        for y, dy in zip(formula(xp, *own, **attrs), dys, strict=True)
        if dy is not None and y.node is not None
    ]
    wanted = [x for x, need in zip(own, needs, strict=True) if need]
    found = iter(
        grad(
            [y for y, _ in pairs],
            wanted,
            [dy for _, dy in pairs],
            create_graph=True,
            allow_unused=True,
        )
    )
    return [next(found) if need else None for need in needs]


def in_torch(
    run: Any, x: Any, start: Any, weights: Any, sizes: Sizes, reverse: bool
) -> Any:
    """PyTorch's outputs for one layer in one direction, for the contract tests."""
    import torch

    given = [w for w in weights if w is not None]
    has_biases = weights[2] is not None
    if reverse:  # it has no such layer: the other half of one in both directions
        given, start = given * 2, tuple(torch.cat([s, s]) for s in start)
    states = start if len(start) > 1 else start[0]
    y, *final = run(
        x, torch.tensor(sizes), states, given, has_biases, 1, 0.0, False, reverse
    )
    if reverse:
        y, final = y[:, y.shape[1] // 2 :], [s[1:] for s in final]
    return y, *(s[0] for s in final)


def cell_samples(
    rng: Any, gates: int, cells: int = 0, projected: int = 0
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Inputs and attributes for the contract tests of a cell."""
    n_in, n_out = 2, 3
    given_back = projected or n_out
    for sizes, reverse, bias in (
        ((2, 2, 2), False, True),
        ((3, 2, 2, 1), True, True),
        ((2, 1), False, False),
        ((2, 2), True, True),
    ):
        states = [rng.standard_normal((sizes[0], given_back))]
        states += [rng.standard_normal((sizes[0], n_out))] * cells
        weights = [
            rng.standard_normal((gates * n_out, n_in)),
            rng.standard_normal((gates * n_out, given_back)),
        ]
        biases = [rng.standard_normal(gates * n_out) if bias else None for _ in "12"]
        x = rng.standard_normal((sum(sizes), n_in))
        yield (x, *states, *weights, *biases), {"sizes": sizes, "reverse": reverse}
