"""Functions of single numbers for compiled code; in loops they become vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dotori.compiler.primitives import UFUNCS
from dotori.errors import need


def functions(options: dict[str, Any]) -> dict[str, Any]:
    """All elementwise functions by their names, compiled with these options."""
    numba: Any = need("numba", "fast", "compiled steps")
    made = {name: _of_numpy(getattr(np, name)) for name in sorted(UFUNCS)}
    made["sigmoid"] = _sigmoid
    made["erf"] = _erf
    return {name: numba.njit(f, **options) for name, f in made.items()}


def _of_numpy(ufunc: np.ufunc) -> Any:
    """NumPy's function, which Numba knows, as one of single numbers."""

    def one(x: Any) -> Any:
        return ufunc(x)

    def two(x: Any, y: Any) -> Any:
        return ufunc(x, y)

    return one if ufunc.nin == 1 else two


def _sigmoid(x: Any) -> Any:
    one = x * 0 + 1
    return one / (one + np.exp(-x))


def _erf(x: Any) -> Any:
    return math.erf(x)
