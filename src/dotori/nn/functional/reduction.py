"""What all losses share: checked pairs, the reduction, and a look at NaN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dotori.autograd import as_variable, wrap
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.nn.functional.hints import hint_once

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def checked_pair(
    name: str, input: TensorLike, target: TensorLike
) -> tuple[Tensor, Tensor]:
    """Prediction and target as tensors of one shape and, for data, of one type.

    A target that is data is cast to the prediction's type: labels come as float64 from
    NumPy, and must not raise a float32 loss to float64.
    """
    x, t = as_variable(input), as_variable(target)
    a, b = x.array, t.array
    if a.shape != b.shape:
        raise ShapeError(_unequal(name, a.shape, b.shape))
    if a.dtype is not b.dtype and a.dtype.kind == "f" and t.node is None:
        t = wrap(b.astype(a.dtype))
    return x, t


def _unequal(name: str, given: tuple[int, ...], target: tuple[int, ...]) -> str:
    message = (
        f"{name}: the prediction has shape {given}, but the target {target}; "
        "they must be equal"
    )
    if given == (*target, 1):
        return (
            f"{message}, or every prediction would be compared with every target; "
            "use target.reshape(-1, 1), or prediction.squeeze(-1)"
        )
    if target == (*given, 1):
        return (
            f"{message}, or every prediction would be compared with every target; "
            "use target.squeeze(-1), or prediction.reshape(-1, 1)"
        )
    return message


def reduced(
    name: str, values: Tensor, reduction: str, target: Tensor | None = None
) -> Tensor:
    """`values` themselves, their mean or their sum.

    With `target`, a NaN that stems from it is pointed out.
    """
    if reduction == "mean":
        total = values.mean()
    elif reduction == "sum":
        total = values.sum()
    elif reduction == "none":
        return values
    else:
        raise ArgumentError(
            f"{name}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}"
        )
    return total if target is None else watched(name, total, target)


def watched(name: str, loss: Tensor, target: Tensor) -> Tensor:
    """`loss`; if it is NaN because the target is, say so once.

    Looking at one number is all that this costs as long as nothing is wrong.
    """
    value = loss.array
    if type(value) is np.ndarray and value != value:
        missing = np.isnan(target.array) if target.dtype.kind == "f" else np.zeros(0)
        bad = np.argwhere(missing)
        if len(bad):
            place = tuple(map(int, bad[0]))
            hint_once(
                f"{name}: NaN target",
                f"{name}: the target holds NaN, first at {place}, so the loss is NaN; "
                "drop or fill the missing targets",
            )
    return loss
