"""softmax(scale Q K^T + mask) V as one operation, for sequences that are not long.

Vaswani and others, "Attention is all you need", 2017, equation 1. The exponentials are
kept for the gradient as they are, before they are divided by the sums of their rows: it
is cheaper to divide the rows of the result. `dotori.ops.attention_blocks` is for long
sequences, and keeps nothing of this size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.backend import namespace
from dotori.kernels import in_parallel
from dotori.ops._op import Op, Sample, follow
from dotori.ops.activation import Softmax

#: Scores that are worked on at a time: they and a temporary stay in the cache.
_AT_A_TIME = 65_536
#: Scores that are worth a thread of their own.
_WORTH_A_THREAD = 32_768
#: Multiplications in a product of matrices up to which OpenBLAS uses one thread. Larger
#: ones it shares out by itself, one caller at a time: threads of ours would only wait.
_ONE_THREAD = 2**18
#: Within these bounds scores need no shift before exp: nothing comes near an overflow,
#: and one look at all scores is five times as fast as one maximum for each row.
_TAME = 16.0


class Attention(Op):
    """y = P V, P = softmax(scale Q K^T + mask) along the keys.

    `mask` is None, or numbers that are added to the scores, or true where a query may
    look. With `causal` query i sees the keys 0 to i. A row that sees nothing is 0.
    `keep`, if not None, says which weights are kept, and the factor they get (dropout).
    Leading axes broadcast.

    With dP = dY V^T and D the row sums of P dP, which are those of Y dY:
    dS = P (dP - D), dQ = scale dS K, dK = scale dS^T Q, dV = P^T dY.
    """

    real = True
    extras = ("e", "sums")
    saves = ("q", "k", "v", "mask", "y", "e", "sums")

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
        keep: Any,
    ) -> Any:
        if xp is not np:
            return formula(xp, q, k, v, mask, scale, causal, keep)[0], None, None
        lead = leading(q, k, v, mask)
        qs, ks, vs = (spread(a, lead) for a in (q, k, v))
        rows, keys, dtype = q.shape[-2], k.shape[-2], q.dtype
        y = packed_like(q, (*lead, rows, v.shape[-1]))
        e = np.empty((*lead, rows, keys), dtype)
        sums = np.empty((*lead, rows, 1), dtype)
        ys, es, totals = (front(a, lead) for a in (y, e, sums))
        hide = Hide(mask, causal, lead, rows, keys, dtype)
        kept, factor = (None, 1.0) if keep is None else (front(keep[0], lead), keep[1])
        ones = np.ones((keys, 1), dtype)

        def run(start: int, stop: int) -> None:
            for part in grid[start:stop]:
                p = es[part]
                np.matmul(qs[part] * scale, ks[part].swapaxes(-1, -2), out=p)
                _to_exponentials(p, hide, part)
                total = np.matmul(p, ones, out=totals[part])
                total[total == 0] = np.inf  # so that a row that sees nothing is 0
                if kept is not None:
                    p = p * kept[part].astype(dtype)
                part_of_y = np.matmul(p, vs[part], out=ys[part])
                part_of_y *= factor / total

        if e.size:
            grid = list(_parts(es))
            in_parallel(len(grid), run, _least(es, q, v, len(grid)))
        else:
            y[...], sums[...] = 0, np.inf
        return y, e, sums

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
        e: Any,
        sums: Any,
        *,
        scale: float,
        causal: bool,
        keep: Any,
    ) -> Any:
        if xp is not np:
            return gradients(xp, dy, needs, q, k, v, mask, scale, causal, keep)
        return _in_parts(dy, needs, (q, k, v, mask), y, e, sums, scale, keep)

    @staticmethod
    def torch(q: Any, k: Any, v: Any, mask: Any, **attrs: Any) -> Any:
        return in_torch(q, k, v, mask, **attrs)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for inputs, attrs in some_samples(rng):
            yield Sample(inputs, {**attrs, "keep": None})
        inputs, attrs = next(some_samples(rng))
        kept = rng.random((2, 4, 5)) < 0.7
        yield Sample(inputs, {**attrs, "keep": (kept, 1 / 0.7)})


def _in_parts(
    dy: Any,
    needs: Any,
    inputs: tuple[Any, ...],
    y: Any,
    e: Any,
    sums: Any,
    scale: float,
    keep: Any,
) -> tuple[Any, ...]:
    """The gradients on arrays, part by part.

    With e the exponentials, M what was kept and G = factor dY / sums:
    dV = (e M)^T G and dS = e (M (G V^T) - D / sums).
    """
    lead = e.shape[:-2]
    q, k, v, mask = inputs
    made = [packed_like(a, (*lead, *a.shape[-2:])) for a in (q, k, v)]
    if needs[3] and mask is not None:
        made.append(np.empty_like(e))
    qs, ks, vs = (spread(a, lead) for a in (q, k, v))
    dys, ys, es, totals = (front(a, lead) for a in (dy, y, e, sums))
    dq, dk, dv, *dmask = (front(a, lead) for a in made)
    kept, factor = (None, 1.0) if keep is None else (front(keep[0], lead), keep[1])

    def run(start: int, stop: int) -> None:
        for part in grid[start:stop]:
            p = es[part]
            g = dys[part] / totals[part]
            d = np.einsum("...i,...i->...", g, ys[part])[..., None]
            if factor != 1:
                g *= factor
            ds = np.matmul(g, vs[part].swapaxes(-1, -2))
            if kept is not None:
                m = kept[part].astype(e.dtype)
                ds *= m
                m *= p
                p = m
            np.matmul(p.swapaxes(-1, -2), g, out=dv[part])
            ds -= d
            ds *= es[part]
            if dmask:
                dmask[0][part] = ds
            np.matmul(ds, ks[part] * scale, out=dq[part])
            np.matmul(ds.swapaxes(-1, -2), qs[part] * scale, out=dk[part])

    if e.size:
        grid = list(_parts(es))
        in_parallel(len(grid), run, _least(es, q, v, len(grid)))
    else:
        for a in made:
            a[...] = 0
    return (*made, None)[:4]


def _to_exponentials(s: Any, hide: Hide, part: tuple[Any, ...]) -> None:
    """exp of the scores in place, those of each row shifted where they are not tame."""
    hide.add(s, part)
    tame = s.max() < _TAME and s.min() > -_TAME  # not so if one is NaN
    if not tame:
        hide.fill(s, part)
        top = s.max(axis=-1, keepdims=True)
        top[top == -np.inf] = 0
        s -= top
    np.exp(s, out=s)
    if tame:
        hide.clear(s, part)


class Hide:
    """What is added to scores, and which are hidden, for any part of them."""

    def __init__(
        self,
        mask: Any,
        causal: bool,
        lead: tuple[int, ...],
        rows: int,
        keys: int,
        dtype: Any,
    ) -> None:
        self.bias: Any = None
        self.shown: list[Any] = []  # 1 where a query may look, else 0
        shape = (*lead, rows, keys)
        if mask is not None:
            spread_out = front(np.broadcast_to(mask.astype(dtype), shape), lead)
            if mask.dtype == bool:
                self.shown.append(spread_out)
            else:
                self.bias = spread_out
        if causal:
            past = np.tri(rows, keys, dtype=dtype)
            self.shown.append(front(np.broadcast_to(past, shape), lead))

    def add(self, s: Any, part: Any) -> None:
        """Add what is added to the scores `s` of a part."""
        if self.bias is not None:
            s += self.bias[part]

    def fill(self, s: Any, part: Any) -> None:
        """Make hidden scores -inf."""
        for shown in self.shown:
            np.copyto(s, -np.inf, where=shown[part] == 0)

    def clear(self, e: Any, part: Any) -> None:
        """Make hidden exponentials 0."""
        for shown in self.shown:
            e *= shown[part]


# ------------------------------------------------------------------ axes and parts


def leading(q: Any, k: Any, v: Any, mask: Any) -> tuple[int, ...]:
    """The leading axes that the inputs broadcast to."""
    arrays = (q, k, v) if mask is None else (q, k, v, mask)
    return np.broadcast_shapes(*(a.shape[:-2] for a in arrays))


def front(a: Any, lead: tuple[int, ...]) -> Any:
    """A view without leading axes of length 1 in front of others; with at least one."""
    if not lead:
        return a[None]
    ones = next((i for i, n in enumerate(lead) if n != 1), len(lead) - 1)
    return a[(0,) * ones]


def spread(a: Any, lead: tuple[int, ...]) -> Any:
    """`front` of an input, broadcast to the leading axes."""
    return front(np.broadcast_to(a, (*lead, *a.shape[-2:])), lead)


def _parts(e: Any) -> Iterator[tuple[Any, ...]]:
    """Indices of parts of `e` that are small enough.

    They do not depend on the number of threads: whether scores are tame is asked of a
    part, and decides about its rounding.
    """
    inner = e[0].size
    if inner > _AT_A_TIME and e.ndim > 3:
        for i in range(len(e)):
            for part in _parts(e[i]):
                yield (i, *part)
        return
    step = max(1, _AT_A_TIME // inner)
    for i in range(0, len(e), step):
        yield (slice(i, i + step),)


def _least(e: Any, q: Any, v: Any, parts: int) -> int:
    """The fewest parts of `e` that are worth a thread."""
    rows, keys = e.shape[-2:]
    alone = rows * keys * max(q.shape[-1], v.shape[-1]) <= _ONE_THREAD
    return int(_WORTH_A_THREAD * parts // e.size if alone else parts)


def packed_like(a: Any, shape: tuple[int, ...]) -> Any:
    """An empty array whose axes lie in memory in the order of those of `a`.

    Heads are views of a wider array; what they give lies ready to be joined again.
    """
    if a.ndim != len(shape):
        return np.empty(shape, a.dtype)
    order = sorted(range(a.ndim), key=lambda i: -a.strides[i])
    places = sorted(range(a.ndim), key=lambda i: order[i])
    return np.empty([shape[i] for i in order], a.dtype).transpose(places)


# ------------------------------------------------------------------ the plain formula


def formula(
    xp: Any,
    q: Any,
    k: Any,
    v: Any,
    mask: Any,
    scale: float,
    causal: bool,
    keep: Any,
) -> tuple[Any, Any, Any]:
    """y, the softmax P, and P after dropout, as the formula has it, on any arrays."""
    s = xp.matmul(q, xp.swapaxes(k, -1, -2)) * scale
    shown: Any = None
    raw = getattr(mask, "array", mask)
    if mask is not None:
        shown = raw if raw.dtype == bool else raw > -np.inf
        if raw.dtype != bool:
            s = s + mask
    if causal:
        ns = namespace(getattr(q, "array", q))
        past = ns.tri(s.shape[-2], s.shape[-1], dtype=bool)
        shown = past if shown is None else shown & past
    if shown is None:
        p = follow(Softmax, xp, s, axis=-1)
    else:  # rows that see nothing would be NaN: they get any numbers, and then 0
        some = shown.any(axis=-1, keepdims=True)
        s = xp.where(shown, s, xp.where(some, -np.inf, 0.0).astype(s.dtype))
        p = follow(Softmax, xp, s, axis=-1) * some
    kept = p if keep is None else p * (keep[0].astype(p.dtype) * keep[1])
    return xp.matmul(kept, v), p, kept


def gradients(
    xp: Any,
    dy: Any,
    needs: Any,
    q: Any,
    k: Any,
    v: Any,
    mask: Any,
    scale: float,
    causal: bool,
    keep: Any,
) -> tuple[Any, ...]:
    """The rule of `Attention` as the formula has it: for tensors, to any order."""
    _, p, kept = formula(xp, q, k, v, mask, scale, causal, keep)
    dp = xp.matmul(dy, xp.swapaxes(v, -1, -2))
    if keep is not None:
        dp = dp * (keep[0].astype(dp.dtype) * keep[1])
    g = p * dp
    ds = g - p * g.sum(axis=-1, keepdims=True)
    dq = xp.matmul(ds, k) * scale if needs[0] else None
    dk = xp.matmul(xp.swapaxes(ds, -1, -2), q) * scale if needs[1] else None
    dv = xp.matmul(xp.swapaxes(kept, -1, -2), dy) if needs[2] else None
    return dq, dk, dv, (ds if needs[3] else None)


# ------------------------------------------------------------------ for the tests


def in_torch(
    q: Any, k: Any, v: Any, mask: Any, *, scale: float, causal: bool, keep: Any
) -> Any:
    """The same by PyTorch's functions."""
    s = q @ k.transpose(-1, -2) * scale
    if causal:
        s = s.masked_fill(~s.new_ones(s.shape[-2:]).tril().bool(), -np.inf)
    if mask is not None:
        s = s + mask if mask.is_floating_point() else s.masked_fill(~mask, -np.inf)
    p = s.softmax(-1)
    if keep is not None:
        p = p * p.new_tensor(keep[0]) * keep[1]
    return p @ v


def some_samples(rng: Any) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Inputs and attributes without `keep`."""

    def x(*shape: int) -> Any:
        return rng.standard_normal(shape)

    plain = {"scale": 0.5, "causal": False}
    shown = rng.random((4, 5)) < 0.5
    shown[:, 0] = True
    yield (x(2, 4, 3), x(2, 5, 3), x(2, 5, 2), None), plain
    yield (x(4, 3), x(5, 3), x(5, 2), None), {"scale": 1.0, "causal": True}
    yield (x(2, 1, 4, 3), x(3, 5, 3), x(1, 5, 2), x(3, 1, 5)), plain
    yield (x(2, 4, 3), x(2, 5, 3), 30 * x(2, 5, 2), 30 * x(4, 5)), plain
    yield (x(1, 2, 4, 3), x(1, 2, 5, 3), x(1, 2, 5, 2), shown), plain
