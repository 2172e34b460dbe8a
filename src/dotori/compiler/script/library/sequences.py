"""Recurrent layers and attention."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from dotori.compiler.script.library.activations import sigmoid, softmax

Array: TypeAlias = Any  # for people; a checker would want a variable for each result


# Recurrent layers: `weights` has the layer's weights by their names


def rnn(
    x: Array,
    weights: dict[str, Array],
    layers: int = 1,
    both_ways: bool = False,
    batch_first: bool = False,
    activation: Any = np.tanh,
) -> tuple[Array, Array]:
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh); all h, and the last ones."""

    def step(inputs: Array, h: Array, w: Array, b: Array) -> Array:
        return activation(inputs + h @ w.T + b)

    return sweep(x, weights, layers, both_ways, batch_first, step)


def gru(
    x: Array,
    weights: dict[str, Array],
    layers: int = 1,
    both_ways: bool = False,
    batch_first: bool = False,
) -> tuple[Array, Array]:
    """h_t = (1 - z) n + z h_(t-1), where r and z are gates and n is the news.

    r = sigmoid(a_r + c_r), z = sigmoid(a_z + c_z), n = tanh(a_n + r c_n) with
    a = W_ih x_t + b_ih and c = W_hh h_(t-1) + b_hh.
    """

    def step(inputs: Array, h: Array, w: Array, b: Array) -> Array:
        a_r, a_z, a_n = np.split(inputs, 3, axis=-1)
        c_r, c_z, c_n = np.split(h @ w.T + b, 3, axis=-1)
        z = sigmoid(a_z + c_z)
        return (1 - z) * np.tanh(a_n + sigmoid(a_r + c_r) * c_n) + z * h

    return sweep(x, weights, layers, both_ways, batch_first, step)


def lstm(
    x: Array,
    weights: dict[str, Array],
    layers: int = 1,
    both_ways: bool = False,
    batch_first: bool = False,
) -> tuple[Array, Array, Array]:
    """c_t = f c_(t-1) + i g and h_t = o tanh(c_t), with gates i, f, o and news g.

    All four are made of W_ih x_t + b_ih + W_hh h_(t-1) + b_hh.
    """

    def step(inputs: Array, state: Array, w: Array, b: Array) -> Array:
        h, c = np.split(state, 2, axis=-1)  # both travel as one
        i, f, g, o = np.split(inputs + h @ w.T + b, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return np.concatenate([sigmoid(o) * np.tanh(c), c], axis=-1)

    y, last = sweep(x, weights, layers, both_ways, batch_first, step, parts=2)
    h, c = np.split(last, 2, axis=-1)
    return y, h, c


def sweep(
    x: Array,
    weights: dict[str, Array],
    layers: int,
    both_ways: bool,
    batch_first: bool,
    step: Any,
    parts: int = 1,
) -> tuple[Array, Array]:
    """Carry a state along the sequence, layer by layer, maybe in both directions.

    Returns what each layer on top saw last, and the last state of each layer.
    """
    x = np.swapaxes(x, 0, 1) if batch_first else x  # (time, batch, features)
    last = []
    for k in range(layers):
        outputs = []
        for way in ("", "_reverse") if both_ways else ("",):
            w_ih, w_hh = (weights[f"weight_{n}_l{k}{way}"] for n in ("ih", "hh"))
            b_ih, b_hh = (weights.get(f"bias_{n}_l{k}{way}", 0) for n in ("ih", "hh"))
            size = w_hh.shape[1]
            state = np.zeros((x.shape[1], parts * size), x.dtype)
            inputs = x @ w_ih.T + b_ih
            states = []
            for a in inputs[::-1] if way else inputs:
                state = step(a, state, w_hh, b_hh)
                states.append(state[:, :size])
            outputs.append(np.stack(states[::-1] if way else states))
            last.append(state)
        x = np.concatenate(outputs, axis=-1)
    return np.swapaxes(x, 0, 1) if batch_first else x, np.stack(last)


# Attention


def split_heads(x: Array, heads: int, batch_axis: int) -> tuple[Array, ...]:
    """Queries, keys and values, each of shape (batch, heads, length, features)."""
    one, two, wide = x.shape
    parts = x.reshape(one, two, 3, heads, wide // (3 * heads))
    return tuple(parts.transpose(2, batch_axis, 3, 1 - batch_axis, 4))


def attention(
    q: Array,
    k: Array,
    v: Array,
    scale: float,
    mask: Array | None = None,
    causal: bool = False,
) -> Array:
    """softmax(scale q k^T) v: a mean of the values for each query.

    The weights are large where a key is like the query. A mask of numbers is added to
    the scores; one of truth values says where a query may look. With `causal` it looks
    at its own place and those before.
    """
    return attention_weights(q, k, scale, mask, causal) @ v


def attention_weights(
    q: Array, k: Array, scale: float, mask: Array | None = None, causal: bool = False
) -> Array:
    """softmax(scale q k^T), where the mask allows it."""
    scores = scale * (q @ np.swapaxes(k, -1, -2))
    if causal:
        mask = np.tri(*scores.shape[-2:], dtype=bool)
    if mask is not None:
        allowed = mask.dtype == bool
        scores = np.where(mask, scores, -np.inf) if allowed else scores + mask
    return softmax(scores)


def attention_gradients(
    dy: Array, q: Array, k: Array, v: Array, scale: float, causal: bool = False
) -> tuple[Array, Array, Array]:
    """The gradients of attention for q, k and v.

    With p the weights and dp = dy v^T, the scores get ds = p (dp - sum of p dp).
    """
    p = attention_weights(q, k, scale, causal=causal)
    dp = dy @ np.swapaxes(v, -1, -2)
    ds = scale * p * (dp - (p * dp).sum(axis=-1, keepdims=True))
    return ds @ k, np.swapaxes(ds, -1, -2) @ q, np.swapaxes(p, -1, -2) @ dy


def join_heads(parts: list[Array], batch_axis: int) -> Array:
    """Queries, keys and values side by side again: split_heads backwards."""
    axes = (3, 1, 0, 2, 4) if batch_axis else (1, 3, 0, 2, 4)
    x = np.stack(parts).transpose(axes)
    return x.reshape(*x.shape[:2], -1)
