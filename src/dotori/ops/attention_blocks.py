"""Attention for long sequences: blocks of queries against blocks of keys.

The scores of one block are all that is ever there of them. A row's maximum and sum are
brought up to date from block to block (Rabe and Staats, "Self-attention does not need
O(n^2) memory", 2021, section 2); the gradient works the blocks out again from the
logarithm of the sums (Dao and others, "FlashAttention", 2022, algorithms 1 and 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample
from dotori.ops.attention import (
    formula,
    front,
    gradients,
    in_torch,
    leading,
    packed_like,
    some_samples,
    spread,
)
from dotori.random import Generator

#: How many queries and keys make a block of scores: half a megabyte in float32.
QUERIES, KEYS = 256, 512


class Dropped:
    """Which weights are kept, drawn block by block, and as often as asked.

    Parameters
    ----------
    generator : Generator
        Each block has a stream of its own, derived from this one.
    p : float
        The probability that a weight is dropped.
    """

    def __init__(self, generator: Generator, p: float) -> None:
        self.generator, self.p = generator, p
        self.factor = 1 / (1 - p)

    def block(self, head: int, i: int, j: int, shape: tuple[int, int]) -> Any:
        """What is kept in the block whose first query is i and whose first key is j."""
        return self.generator.derive(head, i, j).keep_mask(shape, self.p)

    def whole(self, shape: tuple[int, ...]) -> Any:
        """What is kept of all scores, which have this shape."""
        kept = np.empty(shape, bool)
        for head, at in enumerate(np.ndindex(shape[:-2])):
            for i in range(0, shape[-2], QUERIES):
                for j in range(0, shape[-1], KEYS):
                    part = kept[at][i : i + QUERIES, j : j + KEYS]
                    part[...] = self.block(head, i, j, part.shape)
        return kept


class AttentionInBlocks(Op):
    """The value and gradient of `Attention`, in memory that grows with the length.

    `dropped` is None or draws what is kept. A mask gets no gradient here.
    """

    whole = True
    real = True
    extras = ("log_sums",)
    saves = ("q", "k", "v", "mask", "y", "log_sums")

    @staticmethod
    def forward(
        xp: Any,
        q: Any,
        k: Any,
        v: Any,
        mask: Any,
        *,
        scale: float,
        causal: bool,
        dropped: Dropped | None,
    ) -> Any:
        if xp is not np:
            keep = _whole(xp, dropped, q, k, v, mask)
            return formula(xp, q, k, v, mask, scale, causal, keep)[0], None
        lead = leading(q, k, v, mask)
        y = packed_like(q, (*lead, q.shape[-2], v.shape[-1]))
        log_sums = np.empty((*lead, q.shape[-2], 1), q.dtype)
        blocks = _Blocks(q, k, v, mask, lead, scale, causal, dropped)
        ys, totals = front(y, lead), front(log_sums, lead)
        for head, at in enumerate(blocks.heads):
            for i in range(0, q.shape[-2], QUERIES):
                rows = slice(i, i + QUERIES)
                blocks.value(head, i, ys[at][rows], totals[at][rows])
        return y, log_sums

    @staticmethod
    def backward(
        xp: Any,
        dy: Any,
        needs: Any,
        q: Any,
        k: Any,
        v: Any,
        mask: Any,
        y: Any,
        log_sums: Any,
        *,
        scale: float,
        causal: bool,
        dropped: Dropped | None,
    ) -> Any:
        if xp is not np:
            keep = _whole(xp, dropped, q, k, v, mask)
            needs = (*needs[:3], False)
            return gradients(xp, dy, needs, q, k, v, mask, scale, causal, keep)
        lead = leading(q, k, v, mask)
        blocks = _Blocks(q, k, v, mask, lead, scale, causal, dropped)
        made = [packed_like(a, (*lead, *a.shape[-2:])) for a in (q, k, v)]
        outs = [front(a, lead) for a in made]
        dys, ys, totals = (front(a, lead) for a in (dy, y, log_sums))

        for head, at in enumerate(blocks.heads):
            given = (dys[at], ys[at], totals[at])
            blocks.gradient(head, *given, *(a[at] for a in outs))
        return (*made, None)

    @staticmethod
    def torch(q: Any, k: Any, v: Any, mask: Any, *, dropped: Any, **attrs: Any) -> Any:
        return in_torch(q, k, v, mask, keep=None, **attrs)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for (q, k, v, mask), attrs in some_samples(rng):
            if mask is None or mask.dtype == bool:
                yield Sample((q, k, v, mask), {**attrs, "dropped": None})


def _whole(xp: Any, dropped: Any, q: Any, k: Any, v: Any, mask: Any) -> Any:
    if dropped is None:
        return None
    shape = (*leading(q, k, v, mask), q.shape[-2], k.shape[-2])
    return xp.asarray(dropped.whole(shape)), dropped.factor


class _Blocks:
    """The inputs, head by head, and what is done with one block of them."""

    def __init__(
        self,
        q: Any,
        k: Any,
        v: Any,
        mask: Any,
        lead: tuple[int, ...],
        scale: float,
        causal: bool,
        dropped: Dropped | None,
    ) -> None:
        self.q, self.k, self.v = (spread(a, lead) for a in (q, k, v))
        self.mask = None
        if mask is not None:
            shape = (*lead, q.shape[-2], k.shape[-2])
            self.mask = front(np.broadcast_to(mask, shape), lead)
        self.scale, self.causal, self.dropped = scale, causal, dropped
        self.heads = list(np.ndindex(self.q.shape[:-2]))

    def _keys(self, i: int, rows: int) -> range:
        """Where blocks of keys begin that queries i, i+1, ... can see."""
        keys = self.k.shape[-2]
        return range(0, min(keys, i + rows) if self.causal else keys, KEYS)

    def _scores(self, head: int, i: int, q: Any, j: int) -> Any:
        """The scores of scaled queries `q`, from number i on, and of keys from j on."""
        at = self.heads[head]
        s = q @ self.k[at][j : j + KEYS].T
        if self.mask is not None:
            mask = self.mask[at][i : i + len(q), j : j + KEYS]
            if mask.dtype == bool:
                s[~mask] = -np.inf
            else:
                s += mask
        if self.causal and j + s.shape[1] > i + 1:
            s[~np.tri(s.shape[0], s.shape[1], i - j, dtype=bool)] = -np.inf
        return s

    def value(self, head: int, i: int, y: Any, log_sums: Any) -> None:
        """Fill in the rows `y` of queries i, i+1, ... and their `log_sums`."""
        at, rows = self.heads[head], len(y)
        q, v = self.q[at][i : i + rows] * self.scale, self.v[at]
        top = np.full((rows, 1), -np.inf, q.dtype)
        sums, total = np.zeros_like(top), np.zeros(y.shape, q.dtype)
        for j in self._keys(i, rows):
            s = self._scores(head, i, q, j)
            higher = np.maximum(top, s.max(axis=1, keepdims=True))
            shift = np.where(higher == -np.inf, 0, higher)  # nothing is seen so far
            s -= shift
            p = np.exp(s, out=s)
            fade = np.exp(top - shift)
            sums = sums * fade + p.sum(axis=1, keepdims=True)
            if self.dropped is not None:
                p *= self.dropped.block(head, i, j, p.shape)
            total *= fade
            total += p @ v[j : j + KEYS]
            top = higher
        seen = sums != 0
        factor = 1.0 if self.dropped is None else self.dropped.factor
        y[...] = total * np.where(seen, factor / sums, 0).astype(q.dtype)
        # of a row that sees nothing every weight is exp(-inf - inf) = 0
        log_sums[...] = np.where(seen, top + np.log(sums), np.inf)

    def gradient(
        self, head: int, dy: Any, y: Any, log_sums: Any, dq: Any, dk: Any, dv: Any
    ) -> None:
        """Fill in the gradients of one head."""
        at = self.heads[head]
        k, v = self.k[at], self.v[at]
        dq[...], dk[...], dv[...] = 0, 0, 0
        for i in range(0, len(dy), QUERIES):
            rows = slice(i, i + QUERIES)
            q, g = self.q[at][rows] * self.scale, dy[rows]
            d = np.einsum("ij,ij->i", g, y[rows])[:, None]
            for j in self._keys(i, len(q)):
                keys = slice(j, j + KEYS)
                p = self._scores(head, i, q, j)
                p -= log_sums[rows]
                np.exp(p, out=p)
                ds, kept = g @ v[keys].T, p
                if self.dropped is not None:
                    m = self.dropped.block(head, i, j, p.shape).astype(p.dtype)
                    m *= self.dropped.factor
                    ds *= m
                    kept = p * m
                ds -= d
                ds *= p
                dv[keys] += kept.T @ g
                dk[keys] += ds.T @ q
                dq[rows] += ds @ k[keys]
        dq *= self.scale
