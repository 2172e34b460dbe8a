"""Instructions on single numbers as Python expressions that Numba gives the right type.

Numba follows NumPy where both operands have a type, but a Python number would make
float64 of float32, and small integers become int64. So every constant is typed
(``f4(0.5)``), and what could come out wider is brought back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from dotori.compiler.ir import Instr, Operand, Value
from dotori.compiler.passes.fusion_space import elementwise_call

DType: TypeAlias = "np.dtype[Any]"

#: The name of each type in the source, as a function that converts a number.
CASTS = {
    "?": "bool",
    "b": "i1",
    "h": "i2",
    "i": "i4",
    "l": "i8",
    "q": "i8",
    "B": "u1",
    "H": "u2",
    "I": "u4",
    "L": "u8",
    "Q": "u8",
    "f": "f4",
    "d": "f8",
}
#: What the source begins with.
HEADER = "\n".join(
    f"{name} = np.{np.dtype(char).name}"
    for char, name in CASTS.items()
    if name != "bool" and char not in "qQ"
)
_INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_COMPARED = {
    "equal": "==",
    "not_equal": "!=",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
}
_LOGICAL = {"logical_and": "&", "logical_or": "|", "logical_xor": "^"}
_BITWISE = {"bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^"}
_SHIFTS = {"left_shift": "<<", "right_shift": ">>"}


def constant(number: Any, dtype: DType) -> str:
    """A number of this type.

    Examples
    --------
    >>> constant(0.5, np.dtype("f4")), constant(2, np.dtype("i8"))
    ('f4(0.5)', 'i8(2)')
    """
    if dtype.kind == "b":
        return repr(bool(number))
    if dtype.kind != "f":
        return f"{CASTS[dtype.char]}({int(number)})"
    number = float(number)
    if math.isfinite(number):
        return f"{CASTS[dtype.char]}({number!r})"
    name = "nan" if math.isnan(number) else "inf" if number > 0 else "-inf"
    return f"{CASTS[dtype.char]}({'-' * (name[0] == '-')}np.{name.lstrip('-')})"


def cast(text: str, old: DType, new: DType) -> str:
    """An expression of type `old` brought to type `new`."""
    if old == new:
        return text
    if new.kind == "b":
        return f"({text} != {constant(0, old)})"
    if old.kind == "b":
        return f"({constant(1, new)} if {text} else {constant(0, new)})"
    return f"{CASTS[new.char]}({text})"


def weak_types(instr: Instr) -> tuple[DType, ...]:
    """The types in which NumPy computes: those of the operands and of the result.

    Python's numbers take the type of what stands beside them. Half precision, in which
    NumPy works out functions of truth values, is no type of loops: single is as good.
    """
    given = [
        x.dtype
        if isinstance(x, Value)
        else np.dtype(bool)
        if x is True or x is False
        else type(x)
        for x in instr.inputs
    ]
    ufunc = getattr(np, instr.op)
    *operands, result = ufunc.resolve_dtypes((*given, *[None] * ufunc.nout))
    half, single = np.dtype("f2"), np.dtype("f4")
    return tuple(single if t == half else t for t in (*operands, result))


def expression(instr: Instr, names: Sequence[str]) -> str:
    """The instruction on single numbers.

    Parameters
    ----------
    instr : Instr
        Elementwise.
    names : sequence of str
        Of its inputs, each of its own type; ignored where an input is a number.

    Examples
    --------
    >>> x, y = Value((), np.dtype("f4")), Value((), np.dtype("f4"))
    >>> expression(Instr("add", (x, 0.5), (y,)), ["a", ""])
    'a + f4(0.5)'
    """
    y = instr.output.dtype
    if instr.op in ("cast", "copy"):
        return _operand(instr.inputs[0], names[0], y)
    if instr.op == "where":
        condition, a, b = zip(instr.inputs, names, strict=True)
        chosen = _operand(*condition, np.dtype(bool))
        return f"{_operand(*a, y)} if {chosen} else {_operand(*b, y)}"
    if instr.op in ("erf", "call"):
        name = elementwise_call(instr) or "erf"
        return f"{name}({_operand(instr.inputs[0], names[0], y)})"
    *types, result = weak_types(instr)
    pairs = zip(instr.inputs, names, types, strict=True)
    operands = [_operand(x, name, dtype) for x, name, dtype in pairs]
    return cast(_applied(instr, operands, types, result), result, y)


def _operand(x: Operand, name: str, dtype: DType) -> str:
    return cast(name, x.dtype, dtype) if isinstance(x, Value) else constant(x, dtype)


def _applied(
    instr: Instr, operands: list[str], types: Sequence[DType], result: DType
) -> str:
    """The operation on operands that have the types that NumPy computes in."""
    op, kind = instr.op, types[0].kind
    if op in _COMPARED:
        return f"{operands[0]} {_COMPARED[op]} {operands[1]}"
    if kind == "b":
        return _of_truths(op, operands, result)
    if op in _LOGICAL:
        zero = constant(0, types[0])
        truths = [f"({operand} != {zero})" for operand in operands]
        return f"{truths[0]} {_LOGICAL[op]} {truths[1]}"
    if op == "logical_not":
        return f"{operands[0]} == {constant(0, types[0])}"
    if kind == "f":
        return _of_floats(instr, operands, types)
    return _of_integers(op, operands, result)


def _of_truths(op: str, operands: list[str], result: DType) -> str:
    """NumPy's functions of truth values, which are few."""
    if op in ("logical_not", "invert"):
        return f"not {operands[0]}"
    joined = {
        **_LOGICAL,
        **_BITWISE,
        "add": "|",
        "multiply": "&",
        "maximum": "|",
        "minimum": "&",
        "fmax": "|",
        "fmin": "&",
    }
    if op in joined:
        return f"{operands[0]} {joined[op]} {operands[1]}"
    if op in ("isfinite", "isnan", "isinf"):
        return repr(op == "isfinite")
    if op in ("absolute", "positive"):
        return operands[0]
    return f"{op}({', '.join(operands)})"


def _of_floats(instr: Instr, operands: list[str], types: Sequence[DType]) -> str:
    op, a = instr.op, operands[0]
    if op in _INFIX:
        return f"{a} {_INFIX[op]} {operands[1]}"
    if op == "square":
        return f"{a} * {a}"
    if op == "reciprocal":
        return f"{constant(1, types[0])} / {a}"
    if op == "negative":
        return f"-{a}"
    if op == "positive":
        return a
    if op == "power" and not isinstance(instr.inputs[1], Value):
        return _power(a, float(instr.inputs[1]), operands[1], types[0])
    if op in ("maximum", "minimum"):
        return _extreme(op, instr, operands)
    return f"{op}({', '.join(operands)})"


def _power(a: str, exponent: float, text: str, dtype: DType) -> str:
    """NumPy's own short cuts for exponents that are written out."""
    known = {
        0.5: f"sqrt({a})",
        1.0: a,
        2.0: f"{a} * {a}",
        3.0: f"{a} * {a} * {a}",
        -1.0: f"{constant(1, dtype)} / {a}",
    }
    return known.get(exponent, f"power({a}, {text})")


def _extreme(op: str, instr: Instr, operands: list[str]) -> str:
    """Beside a number that is no NaN, one comparison says all; a NaN is let through."""
    for x, bound, other in zip(instr.inputs, operands, reversed(operands), strict=True):
        if not isinstance(x, Value) and x == x:
            beyond = "<=" if op == "maximum" else ">="
            return f"{bound} if {other} {beyond} {bound} else {other}"
    return f"{op}({', '.join(operands)})"


def _of_integers(op: str, operands: list[str], result: DType) -> str:
    infix = {**_INFIX, **_BITWISE, **_SHIFTS}
    if op == "negative":
        text = f"-{operands[0]}"
    elif op == "square":
        text = f"{operands[0]} * {operands[0]}"
    elif op == "positive":
        text = operands[0]
    elif op in ("maximum", "minimum", "fmax", "fmin"):
        sign = ">" if op in ("maximum", "fmax") else "<"
        a, b = operands
        text = f"{a} if {a} {sign} {b} else {b}"
    elif op in infix:
        text = f"{operands[0]} {infix[op]} {operands[1]}"
    else:
        text = f"{op}({', '.join(operands)})"
    return text if result.kind == "b" else f"{CASTS[result.char]}({text})"


# Reductions


def start(op: str, dtype: DType) -> str:
    """What a reduction begins with."""
    if op in ("sum", "any"):
        return constant(0, dtype)
    if op in ("prod", "all"):
        return constant(1, dtype)
    if dtype.kind == "f":
        return constant(-np.inf if op == "max" else np.inf, dtype)
    if dtype.kind == "b":
        return repr(op == "min")
    limits = np.iinfo(dtype)
    return constant(limits.min if op == "max" else limits.max, dtype)


def joined(op: str, total: str, text: str, dtype: DType) -> str:
    """The next value of a total, both of this type."""
    if dtype.kind == "b":
        sign = "|" if op in ("any", "max", "sum") else "&"
        return f"{total} {sign} {text}"
    if op in ("sum", "prod"):
        whole = f"{total} {'+' if op == 'sum' else '*'} {text}"
        return whole if dtype.kind == "f" else f"{CASTS[dtype.char]}({whole})"
    if dtype.kind == "f":
        return f"{'maximum' if op == 'max' else 'minimum'}({total}, {text})"
    return f"{text} if {text} {'>' if op == 'max' else '<'} {total} else {total}"
