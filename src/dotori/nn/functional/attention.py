"""Attention: every query takes a mean of the values, weighted by how keys answer it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable
from dotori.backend import device_of, to_device
from dotori.dtypes import float16, float32
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.shape import broadcast_to, cast
from dotori.ops.attention import Attention
from dotori.ops.attention_blocks import AttentionInBlocks, Dropped
from dotori.random import Generator, default_generator

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["scaled_dot_product_attention"]

#: From so many scores of one head on, or of all heads, they are worked out in blocks
#: and not kept. Keeping them is faster as long as there is the memory for it.
_MANY_IN_A_HEAD = 2**20
_MANY = 2**26


def scaled_dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    attn_mask: TensorLike | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(scale Q K^T + mask) V (Vaswani and others, 2017, equation 1).

    Of long sequences the scores are worked out in blocks, in memory that grows with
    their length and not with its square (Rabe and Staats, 2021; Dao and others, 2022).

    Parameters
    ----------
    query : Tensor, shape (..., length, dim)
    key : Tensor, shape (..., keys, dim)
    value : Tensor, shape (..., keys, width)
    attn_mask : Tensor that broadcasts to (..., length, keys), optional
        Booleans, True where a query may look; or numbers that are added to the scores.
    dropout_p : float
        The probability with which a weight is dropped. Set it to 0 outside of training.
    is_causal : bool
        Query i sees the keys 0 to i alone. Not together with a mask.
    scale : float, optional
        1/sqrt(dim) unless it is given.
    enable_gqa : bool
        Queries may have a multiple of the heads (third axis from the end) of keys and
        values; each of these serves several heads (Ainslie and others, 2023).

    Returns
    -------
    Tensor, shape (..., length, width)
        0 for a query that may look nowhere.

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    Examples
    --------
    >>> q, k, v = [[10.0, 0.0]], [[10.0, 0.0], [0.0, 10.0]], [[1.0], [2.0]]
    >>> scaled_dot_product_attention(q, k, v).tolist()
    [[1.0]]
    """
    q, k, v = (as_variable(t) for t in (query, key, value))
    mask = None if attn_mask is None else as_variable(attn_mask)
    if enable_gqa:
        k, v = _for_each_head(k, q), _for_each_head(v, q)
    _check(q, k, v, mask, dropout_p, is_causal)
    if q.dtype == float16:  # sums of products would lose half of their digits
        q, k, v = (cast(t, float32) for t in (q, k, v))
        y = scaled_dot_product_attention(q, k, v, mask, dropout_p, is_causal, scale)
        return cast(y, float16)
    dim = q.shape[-1]
    factor = (1 / math.sqrt(dim) if dim else 1.0) if scale is None else float(scale)
    shape = (*_lead(q, k, v, mask), q.shape[-2], k.shape[-2])
    return _attend(q, k, v, mask, shape, factor, is_causal, float(dropout_p))


def _attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None,
    shape: tuple[int, ...],
    scale: float,
    causal: bool,
    p: float,
) -> Tensor:
    """The operation that suits scores of this `shape`."""
    if mask is not None and mask.dtype != bool and mask.dtype != q.dtype:
        mask = cast(mask, q.dtype)
    trained = mask is not None and mask.requires_grad
    scores: int = math.prod(shape)
    long = shape[-2] * shape[-1] > _MANY_IN_A_HEAD or scores > _MANY
    if p == 1:
        scale, v, p = 0.0, v * 0.0, 0.0
    given: Any = None if mask is None else mask if trained else mask.array
    y: Tensor
    if long and not trained and scores:
        dropped = None
        if p:
            seed = int(default_generator().integers(0, 2**63 - 1))
            dropped = Dropped(Generator(seed), p)
        y = apply(
            AttentionInBlocks,
            *(q, k, v, given),
            scale=scale,
            causal=causal,
            dropped=dropped,
        )
        return y
    keep = None
    if p:
        kept = default_generator().keep_mask(shape, p)
        keep = to_device(kept, device_of(q.array)), 1 / (1 - p)
    y = apply(Attention, q, k, v, given, scale=scale, causal=causal, keep=keep)
    return y


def _lead(*tensors: Tensor | None) -> tuple[int, ...]:
    return np.broadcast_shapes(*(t.shape[:-2] for t in tensors if t is not None))


def _for_each_head(t: Tensor, q: Tensor) -> Tensor:
    """Keys or values with as many heads as the queries, each repeated in place."""
    heads = q.shape[-3] if q.ndim > 2 else 0
    own = t.shape[-3] if t.ndim > 2 else 0
    if not own or heads % own:
        raise ShapeError(
            f"scaled_dot_product_attention: with enable_gqa the {heads} heads of the "
            f"query of shape {q.shape} must be a multiple of the heads of keys and "
            f"values, got shape {t.shape}"
        )
    if own == heads:
        return t
    *lead, _, n, d = t.shape
    wide = broadcast_to(
        t.reshape(*lead, own, 1, n, d), (*lead, own, heads // own, n, d)
    )
    return wide.reshape(*lead, heads, n, d)


def _check(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, p: float, causal: bool
) -> None:
    place, shapes = "scaled_dot_product_attention", f"{q.shape}, {k.shape}, {v.shape}"
    if min(t.ndim for t in (q, k, v)) < 2:
        raise ShapeError(
            f"{place}: query, key and value of shape (..., length, dim) are wanted, "
            f"got {shapes}"
        )
    if q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise ShapeError(
            f"{place}: the last axes of query and key must be equally long, and the "
            f"last but one of key and value, got {shapes}"
        )
    if not (q.dtype == k.dtype == v.dtype) or q.dtype.kind != "f":
        raise DTypeError(
            f"{place}: query, key and value must be floats of one type, got "
            f"{q.dtype}, {k.dtype} and {v.dtype}"
        )
    if not 0 <= p <= 1:
        raise ArgumentError(
            f"{place}: dropout_p is a probability, from 0 to 1, got {p}"
        )
    if mask is not None:
        if causal:
            raise ArgumentError(f"{place}: give a mask or is_causal=True, not both")
        if mask.dtype.kind not in "bf":
            raise DTypeError(
                f"{place}: attn_mask must be booleans or floats, got {mask.dtype}"
            )
    _check_leading(place, q, k, v, mask)


def _check_leading(
    place: str, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None
) -> None:
    try:
        shape = (*_lead(q, k, v), q.shape[-2], k.shape[-2])
    except ValueError as error:
        raise ShapeError(
            f"{place}: the leading axes of query, key and value do not go together: "
            f"{q.shape}, {k.shape}, {v.shape}"
        ) from error
    if mask is not None:
        try:
            fits = np.broadcast_shapes(mask.shape, shape)[-2:] == shape[-2:]
        except ValueError:
            fits = False
        if not fits or mask.ndim < 2:
            raise ShapeError(
                f"{place}: attn_mask of shape {mask.shape} does not broadcast to the "
                f"scores of shape {shape}"
            )
