"""What an instruction may be: the operations of NumPy that programs are made of.

=============  =====================================================================
elementwise    a NumPy ufunc of that name, on inputs that broadcast; and ``where``,
               ``cast`` (to the output's type), ``erf``
reductions     ``sum prod max min any all``: attrs ``axis`` (tuple of int, not
               negative, maybe all axes) and ``keepdims``;
               ``argmax argmin``: attrs ``axis`` (int) and ``keepdims``
product        ``matmul``: two inputs of at least two axes
views          ``reshape`` (the output's shape; elements in C order of the axes, a
               copy where the memory does not allow a view), ``transpose`` (attr
               ``axes``), ``slice`` (attr ``index``: a tuple with one int or slice for
               each axis), ``broadcast_to`` (the output's shape)
movement       ``copy``; ``concatenate`` (attr ``axis``); ``take`` (x, index; attr
               ``axis``; the index may have any shape, its numbers are not negative);
               ``take_along_axis`` (x, index; attr ``axis``); ``update`` (x, part; attr
               ``index`` as for slice: x with that part replaced)
call           an operation of `dotori.ops` as a whole, run by its own code: attrs
               ``op`` (the class), ``rule`` ("forward" or "backward"), ``args`` and
               ``kwargs`` (what to call it with, `Slot(i)` standing for input i) and
               ``structure`` (for each result of the call: a list of outputs' positions
               or None, as `unpacked` takes it)
kernel         a pair of `dotori.kernels` that writes into its arguments: attrs
               ``pair``, ``args`` (what to call it with, `Slot(i)` standing for
               input i), ``writes`` (the inputs that it changes; the outputs are
               these, changed)
require        nothing is made; where the input, one truth value, is false, the step
               ends before any update with the error of attr ``error`` (a callable)
fused          elementwise instructions and reductions as one loop: attr ``body``, a
               list of instructions over values of its own; made by the fusion pass
=============  =====================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dotori.compiler.tree import mapped

UFUNCS = frozenset(
    "add subtract multiply divide power maximum minimum fmax fmin remainder fmod "
    "floor_divide arctan2 hypot copysign logaddexp negative absolute sign sqrt cbrt "
    "square reciprocal exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos "
    "arctan sinh cosh tanh arcsinh arccosh arctanh floor ceil trunc rint isnan "
    "isfinite isinf signbit equal not_equal less less_equal greater greater_equal "
    "logical_and logical_or logical_xor logical_not bitwise_and bitwise_or "
    "bitwise_xor invert left_shift right_shift positive".split()
)
ELEMENTWISE = UFUNCS | {"where", "cast", "erf"}
REDUCTIONS = frozenset({"sum", "prod", "max", "min", "any", "all"})
ARG_REDUCTIONS = frozenset({"argmax", "argmin"})
VIEWS = frozenset({"reshape", "transpose", "slice", "broadcast_to"})
MOVEMENT = frozenset({"copy", "concatenate", "take", "take_along_axis", "update"})
OTHERS = frozenset({"matmul", "call", "kernel", "require", "fused"})
ALL = ELEMENTWISE | REDUCTIONS | ARG_REDUCTIONS | VIEWS | MOVEMENT | OTHERS

#: These are kept even if nothing reads what they make.
EFFECTS = frozenset({"require"})


@dataclass(frozen=True)
class Slot:
    """The place of input `index` among the arguments of a call or kernel."""

    index: int


def filled(template: Any, inputs: Any) -> Any:
    """`template`, tuples, lists and dicts included, with its slots filled."""
    return mapped(lambda x: inputs[x.index] if isinstance(x, Slot) else x, template)


def unpacked(result: Any, structure: Any) -> list[Any]:
    """The arrays of a call's result that are outputs, in order.

    `structure` is None for what is no output, True for an array that is one, or a
    sequence of such for a tuple.
    """
    if structure is None:
        return []
    if structure is True:
        return [np.asarray(result)]
    pairs = zip(result, structure, strict=True)
    return [array for part, inner in pairs for array in unpacked(part, inner)]
