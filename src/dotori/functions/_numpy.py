"""The table that lets NumPy's own functions work on tensors.

``np.exp(t)`` reaches `dotori.exp` through it, and gradient rules, which call
``xp.exp``, run on tensors through `namespace`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np

from dotori.functions._lazy import load_all

F = TypeVar("F", bound=Callable[..., Any])

#: What a function takes where it wants a tensor: numbers, lists and arrays as well.
TensorLike: TypeAlias = Any

#: dotori's function for each of NumPy's.
table: dict[Any, Callable[..., Any]] = {}
#: The same by NumPy's name, for `xp`.
_by_name: dict[str, Callable[..., Any]] = {}


def implements(*numpy_functions: Any) -> Callable[[F], F]:
    """Say that the decorated function is what these functions of NumPy do on tensors.

    It must accept NumPy's positional arguments and keywords for them.
    """

    def register(function: F) -> F:
        for f in numpy_functions:
            table[f] = function
            _by_name[f.__name__] = function
        return function

    return register


class _TensorNamespace:
    """`xp` for tensors: dotori's functions under NumPy's names, then NumPy itself."""

    linalg: Any

    def __init__(self, numpy: Any) -> None:
        self._numpy = numpy

    def __getattr__(self, name: str) -> Any:
        if name not in _by_name:
            load_all()
        found = _by_name.get(name)
        return getattr(self._numpy, name) if found is None else found


namespace = _TensorNamespace(np)
namespace.linalg = _TensorNamespace(np.linalg)
