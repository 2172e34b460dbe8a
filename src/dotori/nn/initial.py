"""New parameters, on a device and of a type, before they are given values."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import wrap
from dotori.backend import to_device
from dotori.dtypes import get_default_dtype
from dotori.nn.parameter import Parameter
from dotori.random import default_generator


def new_parameter(
    shape: tuple[int, ...],
    dtype: DTypeLike | None = None,
    device: str | None = None,
    bound: float = 0.0,
) -> Parameter:
    """A parameter of numbers evenly spread over [-bound, bound): zeros for bound 0.

    Examples
    --------
    >>> new_parameter((2, 3)).shape
    (2, 3)
    """
    chosen = get_default_dtype() if dtype is None else np.dtype(dtype)
    if bound:
        values = default_generator().uniform(shape, -bound, bound, chosen)
    else:
        values = np.zeros(shape, chosen)
    return Parameter(wrap(to_device(values, device or "cpu")))
