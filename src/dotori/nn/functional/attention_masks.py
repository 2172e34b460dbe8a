"""The masks of multi-head attention: what each may be, and both made one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import as_variable
from dotori.errors import DTypeError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.creation import zeros
from dotori.functions.elementwise import where
from dotori.functions.join import cat
from dotori.functions.shape import cast

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__: list[str] = []


def merged_masks(
    attn_mask: TensorLike | None,
    key_padding_mask: TensorLike | None,
    q: Tensor,
    given: int,
    keys: int,
    batched: bool,
) -> Tensor | None:
    """Both masks as one that broadcasts to (batch, heads, length, keys), or None.

    Booleans say what is hidden, numbers are added to the scores. The masks are for the
    `given` keys; those that were added behind them are seen by all.
    """
    n, heads, length, _ = q.shape
    masks: list[Tensor] = []
    if attn_mask is not None:
        mask = _checked("attn_mask", attn_mask)
        flat = mask.ndim != 3
        _check(
            "attn_mask", mask, (length, given) if flat else (n * heads, length, given)
        )
        masks.append(mask if flat else mask.reshape(n, heads, length, given))
    if key_padding_mask is not None:
        mask = _checked("key_padding_mask", key_padding_mask)
        _check("key_padding_mask", mask, (n, given) if batched else (given,))
        masks.append(mask.reshape(n, 1, 1, given))
    masks = [_seen_by_all(mask, keys - given) for mask in masks]
    if len(masks) < 2:
        return masks[0] if masks else None
    if all(mask.dtype == bool for mask in masks):
        return masks[0] | masks[1]
    return additive(masks[0], q.dtype) + additive(masks[1], q.dtype)


def additive(mask: Tensor, dtype: np.dtype[Any]) -> Tensor:
    """`mask` as numbers to add: -inf where a boolean one hides."""
    if mask.dtype == bool:
        return cast(where(mask, -np.inf, 0.0), dtype)
    return mask if mask.dtype == dtype else cast(mask, dtype)


def _checked(name: str, given: TensorLike) -> Tensor:
    mask = as_variable(given)
    if mask.dtype.kind not in "bf":
        raise DTypeError(
            f"attention: {name} must be booleans or floats, got {mask.dtype}"
        )
    return mask


def _check(name: str, mask: Tensor, wanted: tuple[int, ...]) -> None:
    if mask.shape != wanted:
        raise ShapeError(
            f"attention: {name} must have the shape {wanted}, got {mask.shape}"
        )


def _seen_by_all(mask: Tensor, more: int) -> Tensor:
    """`mask` with so many columns more that hide nothing."""
    if not more:
        return mask
    return cat([mask, zeros(*mask.shape[:-1], more, dtype=mask.dtype)], -1)
