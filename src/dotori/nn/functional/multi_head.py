"""Attention with several heads: parts of the vectors that attend each by itself.

Vaswani and others, "Attention is all you need", 2017, section 3.2.2: queries, keys and
values are projected, each head takes its part of the features, and what the heads found
is joined and projected again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from dotori.autograd import apply, as_variable
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.comparison import logical_not
from dotori.functions.creation import zeros
from dotori.functions.join import cat, chunk
from dotori.functions.linear import matmul
from dotori.functions.shape import broadcast_to, permute, swapaxes
from dotori.nn.functional.activation import softmax
from dotori.nn.functional.attention import scaled_dot_product_attention
from dotori.nn.functional.attention_masks import additive, merged_masks
from dotori.nn.functional.dropout import dropout
from dotori.nn.functional.linear import linear
from dotori.ops.heads import SplitHeads

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["multi_head_attention_forward"]


class Weights(NamedTuple):
    """What multi-head attention learns: `in_weight`, or three apart; and the biases."""

    in_weight: Tensor | None
    q_weight: Tensor | None
    k_weight: Tensor | None
    v_weight: Tensor | None
    in_bias: Tensor | None
    bias_k: Tensor | None
    bias_v: Tensor | None
    out_weight: Tensor
    out_bias: Tensor | None


class Options(NamedTuple):
    """What a call asks for, and where the batch lies: axis 0, or 1 as in PyTorch."""

    num_heads: int
    batch_axis: int = 1
    dropout_p: float = 0.0
    add_zero_attn: bool = False
    need_weights: bool = True
    average: bool = True
    is_causal: bool = False


def multi_head_attention_forward(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: TensorLike | None = None,
    need_weights: bool = True,
    attn_mask: TensorLike | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What `dotori.nn.MultiheadAttention` computes, from its weights.

    Parameters
    ----------
    query, key, value : Tensor, shape (length, batch, features) or (length, features)
    embed_dim_to_check : int
        The features that the query must have.
    in_proj_weight : Tensor, shape (3 embed_dim, embed_dim)
        The projections of query, key and value; or, with `use_separate_proj_weight`,
        `q_proj_weight`, `k_proj_weight` and `v_proj_weight`.
    in_proj_bias : Tensor, shape (3 embed_dim,), optional
    bias_k, bias_v : Tensor, shape (1, 1, embed_dim), optional
        One key and value more, which are learned.
    add_zero_attn : bool
        One key and value more, which are 0.
    dropout_p : float
        The probability with which a weight is dropped while `training`.
    out_proj_weight, out_proj_bias : Tensor
        The last projection.
    key_padding_mask : Tensor, shape (batch, keys) or (keys,), optional
        True for keys that nobody sees; or numbers that are added to the scores.
    need_weights : bool
        Return the weights as well, averaged over the heads if `average_attn_weights`.
    attn_mask : Tensor, shape (length, keys) or (batch num_heads, length, keys)
        True where a query may **not** look; or numbers that are added to the scores.
    static_k, static_v : Tensor, shape (batch num_heads, keys, embed_dim / num_heads)
        Take the place of the projected keys and values.
    is_causal : bool
        Says that `attn_mask`, which must be given, is causal.

    Returns
    -------
    output : Tensor, the shape of `query`
    weights : Tensor, shape (batch, length, keys), or None
        With an axis for the heads after the batch if they are not averaged.

    Examples
    --------
    >>> import dotori
    >>> x, w = dotori.ones(3, 2, 4), dotori.ones(12, 4)
    >>> y, weights = multi_head_attention_forward(
    ...     x, x, x, 4, 2, w, None, None, None, False, 0.0, dotori.ones(4, 4), None
    ... )
    >>> y.shape, weights.shape
    ((3, 2, 4), (2, 3, 3))
    """
    separate = (q_proj_weight, k_proj_weight, v_proj_weight)
    if use_separate_proj_weight:
        in_proj_weight = None
    weights = Weights(
        in_proj_weight,
        *(separate if use_separate_proj_weight else (None,) * 3),
        in_bias=in_proj_bias,
        bias_k=bias_k,
        bias_v=bias_v,
        out_weight=out_proj_weight,
        out_bias=out_proj_bias,
    )
    features = as_variable(query).shape[-1:]
    if features != (embed_dim_to_check,):
        raise ShapeError(
            f"multi_head_attention_forward: the query has shape "
            f"{as_variable(query).shape}, its last axis must be {embed_dim_to_check}"
        )
    options = Options(
        num_heads,
        dropout_p=dropout_p if training else 0.0,
        add_zero_attn=add_zero_attn,
        need_weights=need_weights,
        average=average_attn_weights,
        is_causal=is_causal,
    )
    masks = (attn_mask, key_padding_mask)
    return attend(query, key, value, weights, options, *masks, static_k, static_v)


def attend(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    weights: Weights,
    options: Options,
    attn_mask: TensorLike | None = None,
    key_padding_mask: TensorLike | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Multi-head attention with the batch on the axis that `options` name."""
    x = as_variable(query)
    k = x if key is query else as_variable(key)
    v = x if value is query else k if value is key else as_variable(value)
    _check_inputs(x, k, v, weights, options)
    batched = x.ndim == 3
    if not batched:
        one = {id(t): t.unsqueeze(options.batch_axis) for t in (x, k, v)}
        x, k, v = one[id(x)], one[id(k)], one[id(v)]
    q, k, v = _projected((x, k, v), weights, options)
    k = k if static_k is None else _static(static_k, q)
    v = v if static_v is None else _static(static_v, q)
    given = k.shape[-2]
    k, v = _with_more_keys(k, v, weights, options)
    if options.is_causal and attn_mask is None:
        raise ArgumentError(
            "attention: is_causal says that attn_mask is causal; give that mask as "
            "well, from nn.Transformer.generate_square_subsequent_mask"
        )
    causal = options.is_causal and key_padding_mask is None and not options.need_weights
    masks = (None if causal else attn_mask, key_padding_mask)
    hidden = merged_masks(*masks, q, given, k.shape[-2], batched)
    found = None
    if options.need_weights:
        y, found = _weighted(q, k, v, hidden, options)
        found = found if batched else found.squeeze(0)
    else:
        seen = hidden
        if hidden is not None and hidden.dtype == bool:
            seen = logical_not(hidden)
        y = scaled_dot_product_attention(q, k, v, seen, options.dropout_p, causal)
    # (batch, heads, length, dim) -> the layout of the query
    y = permute(y, (0, 2, 1, 3) if options.batch_axis == 0 else (2, 0, 1, 3))
    y = y.reshape(y.shape[0], y.shape[1], y.shape[2] * y.shape[3])
    y = linear(y, weights.out_weight, weights.out_bias)
    return (y if batched else y.squeeze(options.batch_axis)), found


def _projected(
    inputs: tuple[Tensor, ...], weights: Weights, options: Options
) -> tuple[Tensor, ...]:
    """Queries, keys and values of shape (batch, heads, length, dim)."""
    heads, b = options.num_heads, options.batch_axis
    query, key, value = inputs
    if weights.in_weight is not None and key is query and value is query:
        y = linear(query, weights.in_weight, weights.in_bias)  # one product for three
        split: tuple[Tensor, ...] = apply(SplitHeads, y, heads=heads, batch_axis=b)
        return split
    if weights.in_weight is not None:
        parts: tuple[Tensor | None, ...] = chunk(weights.in_weight, 3)
    else:
        parts = weights.q_weight, weights.k_weight, weights.v_weight
    biases: tuple[Tensor | None, ...] = (None,) * 3
    if weights.in_bias is not None:
        biases = chunk(weights.in_bias, 3)
    found = []
    for t, weight, bias in zip(inputs, parts, biases, strict=True):
        if weight is None:
            raise ArgumentError("attention: a weight of a projection is missing")
        y = linear(t, weight, bias)
        y = y.reshape(*y.shape[:2], heads, y.shape[2] // heads)
        found.append(permute(y, (b, 2, 1 - b, 3)))
    return tuple(found)


def _static(given: Tensor, q: Tensor) -> Tensor:
    n, heads, _, dim = q.shape
    if given.ndim != 3 or (given.shape[0], given.shape[2]) != (n * heads, dim):
        raise ShapeError(
            f"attention: static keys and values must have the shape ({n * heads}, "
            f"keys, {dim}), got {given.shape}"
        )
    return given.reshape(n, heads, given.shape[1], dim)


def _with_more_keys(
    k: Tensor, v: Tensor, weights: Weights, options: Options
) -> tuple[Tensor, Tensor]:
    """One key and value more that are learned, and one more that is 0."""
    if (weights.bias_k is None) != (weights.bias_v is None):
        raise ArgumentError("attention: bias_k and bias_v go together; give both")
    n, heads, _, dim = k.shape
    if weights.bias_k is not None and weights.bias_v is not None:
        shape = (n, heads, 1, dim)
        more = [
            broadcast_to(bias.reshape(1, heads, 1, dim), shape)
            for bias in (weights.bias_k, weights.bias_v)
        ]
        k, v = cat([k, more[0]], 2), cat([v, more[1]], 2)
    if options.add_zero_attn:
        zero = zeros(n, heads, 1, dim, dtype=k.dtype)
        k, v = cat([k, zero], 2), cat([v, zero], 2)
    return k, v


def _weighted(
    q: Tensor, k: Tensor, v: Tensor, hidden: Tensor | None, options: Options
) -> tuple[Tensor, Tensor]:
    """The result and the weights, which have to be there as a whole.

    As in PyTorch, the weights of a query that may look nowhere are NaN here.
    """
    scores = matmul(q * (1 / math.sqrt(q.shape[-1])), swapaxes(k, -1, -2))
    if hidden is not None:
        scores = scores + additive(hidden, scores.dtype)
    weights = dropout(softmax(scores, -1), options.dropout_p)
    y = matmul(weights, v)
    return y, (weights.mean(dim=1) if options.average else weights)


def _check_inputs(
    q: Tensor, k: Tensor, v: Tensor, weights: Weights, options: Options
) -> None:
    place, shapes = "attention", f"{q.shape}, {k.shape} and {v.shape}"
    if q.ndim not in (2, 3) or not q.ndim == k.ndim == v.ndim:
        raise ShapeError(
            f"{place}: query, key and value must all have 3 axes, or 2 without a "
            f"batch, got {shapes}"
        )
    if k.shape[:-1] != v.shape[:-1]:
        raise ShapeError(
            f"{place}: key and value must agree in length and batch, got {shapes}"
        )
    b = options.batch_axis
    if q.ndim == 3 and q.shape[b] != k.shape[b]:
        raise ShapeError(
            f"{place}: query and key must have one batch size (axis {b}), got {shapes}"
        )
    features = weights.out_weight.shape[-1]
    if options.num_heads < 1 or features % options.num_heads:
        raise ArgumentError(
            f"{place}: {features} features cannot be shared out among "
            f"{options.num_heads} heads"
        )
