"""Connectionist temporal classification: every way to spell a sequence of labels.

Graves, Fernandez, Gomez and Schmidhuber, "Connectionist temporal classification:
labelling unsegmented sequence data with recurrent neural networks", 2006, section 4.

A sequence l of L labels is spelled by any path that becomes l when repetitions and then
blanks are dropped. With blanks around its labels, l' has 2L + 1 states; at each time a
path stays in its state, goes on to the next, or skips a blank between two different
labels. Sums over all paths are sums over the last steps of paths (equations 6 to 11),
taken of logarithms here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample

NEVER = -np.inf


class CTC(Op):
    """-log p(labels | x) for each sample of a batch.

    `x` holds logarithms of probabilities, of shape (time, batch, classes). `states` are
    the labels with blanks around them, of shape (batch, 2L + 1), `may_skip` is true
    where a path may come from two states before; `times` and `ends` are the lengths of
    the inputs and the number of states of each sample.
    """

    whole = True
    real = True
    saves = ("x", "y", "reached")
    extras = ("reached",)

    @staticmethod
    def forward(
        xp: Any, x: Any, *, states: Any, may_skip: Any, times: Any, ends: Any
    ) -> Any:
        emitted = emissions(x, states)
        reached = _forwards(xp, emitted, may_skip)
        rows = xp.arange(len(ends))
        last = reached[times - 1, rows]
        best = xp.logaddexp(last[rows, ends - 1], _state(xp, last, ends - 2))
        nothing = xp.where(ends == 1, 0.0, NEVER).astype(x.dtype)
        return xp.where(times == 0, -nothing, -best), reached

    @staticmethod
    def backward(
        xp: Any,
        dy: Any,
        x: Any,
        y: Any,
        reached: Any,
        *,
        states: Any,
        may_skip: Any,
        times: Any,
        ends: Any,
    ) -> Any:
        if hasattr(dy, "node"):  # a tensor: the way back has a gradient as well
            from dotori.autograd import grad

            loss = step_by_step(xp, x, states, may_skip, times, ends)
            return grad(loss, x, dy, create_graph=True)[0]
        emitted = emissions(x, states)
        to_come = _backwards(xp, emitted, may_skip, times, ends)
        share = xp.exp(reached + to_come + y[:, None])  # of the paths in this state
        counts = (xp.arange(len(x))[:, None] < times) & (dy != 0)
        share = xp.where(counts[:, :, None], share * dy[:, None], 0)
        dx = xp.zeros_like(x)
        rows = xp.arange(len(ends))[:, None]
        xp.subtract.at(dx, (slice(None), rows, states), share)
        return dx

    @staticmethod
    def torch(x: Any, *, states: Any, may_skip: Any, times: Any, ends: Any) -> Any:
        import torch

        lengths, times = torch.as_tensor(ends // 2), torch.as_tensor(times)
        targets = torch.as_tensor(states[:, 1::2])
        loss = torch.nn.functional.ctc_loss
        y = loss(x, targets, times, lengths, blank=0, reduction="none")
        # PyTorch's gradient has e^x too many, which log_softmax would take away again.
        p = x.exp() * (torch.arange(len(x))[:, None] < times)[:, :, None]
        return y - (p - p.detach()).sum(dim=(0, 2))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        labels = np.array([[1, 2, 2], [3, 1, 0]])
        states, may_skip = with_blanks(labels, np.array([3, 2]), 0)
        x = rng.standard_normal((8, 2, 4))
        x = x - np.log(np.exp(x).sum(axis=2, keepdims=True))
        times, ends = np.array([8, 6]), np.array([7, 5])
        attrs = {"states": states, "may_skip": may_skip, "times": times, "ends": ends}
        yield Sample((x,), attrs)


def with_blanks(labels: Any, lengths: Any, blank: int) -> tuple[Any, Any]:
    """The states of each sample, and where a path may skip the one before."""
    n, longest = labels.shape
    states = np.full((n, 2 * longest + 1), blank, np.int64)
    states[:, 1::2] = np.where(np.arange(longest) < lengths[:, None], labels, blank)
    may_skip = np.zeros(states.shape, np.bool_)
    may_skip[:, 3::2] = states[:, 3::2] != states[:, 1:-2:2]
    return states, may_skip


def emissions(x: Any, states: Any) -> Any:
    """log p of the label of each state, (time, batch, states)."""
    return x[:, np.arange(len(states))[:, None], states]


def _state(xp: Any, values: Any, index: Any) -> Any:
    """`values` in a state of each sample; never for states before the first."""
    rows = xp.arange(len(index))
    return xp.where(index >= 0, values[rows, xp.maximum(index, 0)], NEVER)


def _from_before(xp: Any, a: Any, n: int) -> Any:
    """The values of the states `n` before each state."""
    before = xp.full_like(a, NEVER)
    before[:, n:] = a[:, : max(a.shape[1] - n, 0)]
    return before


def _forwards(xp: Any, emitted: Any, may_skip: Any) -> Any:
    """alpha: log p of all beginnings of paths that are in a state at a time."""
    reached = xp.full_like(emitted, NEVER)
    if not len(emitted):
        return reached
    reached[0, :, :2] = emitted[0, :, :2]
    for t in range(1, len(emitted)):
        a = reached[t - 1]
        skipped = xp.where(may_skip, _from_before(xp, a, 2), NEVER)
        ways = xp.logaddexp(xp.logaddexp(a, _from_before(xp, a, 1)), skipped)
        reached[t] = ways + emitted[t]
    return reached


def _backwards(xp: Any, emitted: Any, may_skip: Any, times: Any, ends: Any) -> Any:
    """beta: log p of all ends of paths that are in a state at a time, without it."""
    to_come = xp.full_like(emitted, NEVER)
    places = xp.arange(emitted.shape[2])
    is_end = (places == ends[:, None] - 1) | (places == ends[:, None] - 2)
    ending = xp.where(is_end, 0.0, NEVER).astype(emitted.dtype)
    # Leaving state s by a skip arrives in s + 2, so arrows are read from their heads.
    for t in reversed(range(len(emitted))):
        if t + 1 < len(emitted):
            b = to_come[t + 1] + emitted[t + 1]
            skipped = xp.where(may_skip, b, NEVER)
            onwards = xp.logaddexp(b, _to_after(xp, b, 1))
            to_come[t] = xp.logaddexp(onwards, _to_after(xp, skipped, 2))
        to_come[t] = xp.where((times == t + 1)[:, None], ending, to_come[t])
    return to_come


def _to_after(xp: Any, b: Any, n: int) -> Any:
    """The values of the states `n` after each state."""
    after = xp.full_like(b, NEVER)
    after[:, : max(b.shape[1] - n, 0)] = b[:, n:]
    return after


def step_by_step(
    xp: Any, x: Any, states: Any, may_skip: Any, times: Any, ends: Any
) -> Any:
    """The same loss as a program of tensors: slower, but with gradients of any order.

    A large number stands for "never" here: infinity minus infinity has no gradient.
    """
    never = -1e30
    emitted = emissions(x, states)
    n, n_states = states.shape
    start = np.arange(n_states) < 2
    a = xp.where(np.broadcast_to(start, (n, n_states)), emitted[0], never)
    nowhere = np.full((n, 2), never, x.dtype)
    for t in range(1, len(x)):
        padded = xp.concatenate([nowhere, a], axis=1)
        skipped = xp.where(may_skip, padded[:, :n_states], never)
        ways = xp.logaddexp(xp.logaddexp(a, padded[:, 1:-1]), skipped)
        a = xp.where((t < times)[:, None], ways + emitted[t], a)
    rows = np.arange(n)
    before = xp.where(ends >= 2, a[rows, np.maximum(ends - 2, 0)], never)
    return -xp.logaddexp(a[rows, ends - 1], before)
