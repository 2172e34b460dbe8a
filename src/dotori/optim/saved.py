"""What an optimiser saves, and what it takes from elsewhere: copies of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dotori._tensor import Tensor
from dotori.autograd import wrap


def copied(value: Any) -> Any:
    """`value` with all tensors and arrays in it copied, in lists, tuples and dicts.

    Examples
    --------
    >>> import dotori
    >>> x = dotori.zeros(2)
    >>> kept = copied({"betas": (0.9, 0.99), "exp_avg": x})
    >>> x[0] = 1.0
    >>> kept["betas"], kept["exp_avg"].tolist()
    ((0.9, 0.99), [0.0, 0.0])
    """
    if isinstance(value, Tensor):
        return wrap(value.array.copy())
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, Mapping):
        return {k: copied(v) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(copied(v) for v in value)
    return value


def taken_over(value: Any, dtype: np.dtype[Any] | None) -> Any:
    """`value` with arrays, and tensors of any library, as tensors of this dtype.

    None keeps dtypes. Numbers stay numbers; what holds no floats keeps its type.
    """
    if hasattr(value, "detach") and not isinstance(value, Tensor):
        value = value.detach().cpu().numpy()  # a tensor of PyTorch
    if isinstance(value, (Tensor, np.ndarray)):
        array = np.array(value.array if isinstance(value, Tensor) else value)
        floats = array.dtype.kind == "f" and dtype is not None
        return wrap(array.astype(dtype) if floats else array)
    if isinstance(value, Mapping):
        return {k: taken_over(v, dtype) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(taken_over(v, dtype) for v in value)
    return value
