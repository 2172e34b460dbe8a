"""Kernel pairs inside of a step: the text of their loops, and how they are called."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from dotori.compiler.ir import Instr, Value
from dotori.compiler.native.expressions import CASTS, DType, constant
from dotori.compiler.primitives import Slot

#: Modules whose loops treat each element by itself: they can be cut anywhere.
_ELEMENTWISE = ("dotori.kernels.optim", "dotori.kernels.adaptive")
_MODULES = (np, math)

#: Elements from which on an update is shared among the threads.
LEAST_SHARED = 1 << 14


def embedded(instr: Instr) -> str | None:
    """The text of a pair's loop and what it calls; None where that is not all of it."""
    arrays = [x for x in instr.values() if x.ndim]
    if {x.dtype.char for x in arrays} - set("fdl?q"):
        return None
    parts: dict[str, str] = {}
    if not _gather(instr.attrs["pair"].loop, parts):
        return None
    return "\n\n".join(parts.values())


def _gather(function: FunctionType, parts: dict[str, str]) -> bool:
    """Add a function's text after that of all it names; whether that was possible."""
    if function.__name__ in parts:
        return True
    for name in function.__code__.co_names:
        if name not in function.__globals__:
            continue
        used = function.__globals__[name]
        if isinstance(used, FunctionType):
            if not _gather(used, parts):
                return False
        elif isinstance(used, int | float):
            parts[name] = f"{name} = {used!r}\n"
        elif not (isinstance(used, ModuleType) and used in _MODULES):
            return False
    lines = inspect.getsource(function).splitlines()
    while not lines[0].startswith("def "):
        del lines[0]
    parts[function.__name__] = "\n".join(["@apart", *lines]) + "\n"
    return True


def is_elementwise(instr: Instr) -> bool:
    """Whether a pair can be applied to any part of its arrays."""
    shapes = {x.shape for x in instr.values() if x.ndim}
    module = instr.attrs["pair"].loop.__module__
    return module in _ELEMENTWISE and len(shapes) == 1 and len(next(iter(shapes))) == 1


def arguments(instr: Instr, arrays: dict[Value, str], shared: bool) -> Sequence[str]:
    """What to call the loop with.

    Floats, given or worked out, come in the type of the first array, as the pair itself
    would bring them. A shared loop gets this thread's part of each array.
    """
    first = next(x for x in instr.values() if x.ndim)
    given = []
    for arg in instr.attrs["args"]:
        if not isinstance(arg, Slot):
            given.append(_number(arg, first.dtype))
            continue
        x = instr.inputs[arg.index]
        if not isinstance(x, Value):
            given.append(_number(x, first.dtype))
        elif x.ndim == 0:
            kind = first.dtype if x.dtype.kind == "f" else x.dtype
            given.append(f"{CASTS[kind.char]}({arrays[x]}[0])")
        else:
            given.append(arrays[x] + ("[first:last]" if shared else ""))
    return given


def _number(number: Any, dtype: DType) -> str:
    is_float = isinstance(number, float)
    return constant(number, dtype) if is_float else repr(number)
