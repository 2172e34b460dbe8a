"""Methods of a tensor that are named after types, as ``x.half()``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.dtypes import (
    bool_,
    complex64,
    complex128,
    float16,
    int8,
    int16,
    int32,
    uint8,
)
from dotori.functions.shape import cast

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__: list[str] = []  # methods alone: under these names, dotori has the types


def _caster(name: str, dtype: np.dtype[Any]) -> Callable[[Tensor], Tensor]:
    """The method `name`, which converts to `dtype`."""

    def method(x: Tensor) -> Tensor:
        return cast(x, dtype)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"The tensor as {dtype}; itself if it is that already."
    return method


half = _caster("half", float16)
cfloat = _caster("cfloat", complex64)
cdouble = _caster("cdouble", complex128)
byte = _caster("byte", uint8)
char = _caster("char", int8)
short = _caster("short", int16)
int = _caster("int", int32)
bool = _caster("bool", bool_)
