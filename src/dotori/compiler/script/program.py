"""How the single instructions of a program read in a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dotori.compiler.ir import Instr
from dotori.compiler.primitives import ARG_REDUCTIONS, REDUCTIONS, UFUNCS
from dotori.compiler.script.text import bracketed, infix

_SIGNS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "power": "**",
    "matmul": "@",
    "remainder": "%",
    "floor_divide": "//",
    "equal": "==",
    "not_equal": "!=",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "bitwise_and": "&",
    "bitwise_or": "|",
    "bitwise_xor": "^",
}
_SHORT = {"absolute": "abs"}


def instr_text(instr: Instr, inputs: Sequence[str]) -> str | None:
    """The text of the one output of an instruction, or None where there is none."""
    op = instr.op
    if op in _SIGNS:
        if op == "multiply" and inputs[0] == inputs[1]:
            return infix(inputs[0], "**", "2")
        return infix(inputs[0], _SIGNS[op], inputs[1])
    if op == "negative":
        return f"-{bracketed(inputs[0])}"
    if op in UFUNCS:
        return f"np.{_SHORT.get(op, op)}({', '.join(inputs)})"
    if op in REDUCTIONS or op in ARG_REDUCTIONS:
        return _reduction(instr, inputs[0])
    found = _TEXTS.get(op)
    return None if found is None else found(instr, inputs)


def _reduction(instr: Instr, x: str) -> str:
    axis, given = instr.attrs["axis"], []
    source = next(instr.values(), None)
    if isinstance(axis, tuple):
        everything = source is not None and len(axis) == source.ndim
        axis = None if everything else axis[0] if len(axis) == 1 else axis
    if axis is not None:
        given.append(f"axis={axis}")
    if instr.attrs["keepdims"]:
        given.append("keepdims=True")
    return f"{bracketed(x)}.{instr.op}({', '.join(given)})"


def _where(instr: Instr, x: Sequence[str]) -> str:
    return f"np.where({', '.join(x)})"


def _cast(instr: Instr, x: Sequence[str]) -> str:
    return f"{bracketed(x[0])}.astype(np.{dtype_name(instr.output.dtype)})"


def dtype_name(dtype: np.dtype[Any]) -> str:
    """NumPy's name for a type, such as ``float32``; ``bool_`` for truth values."""
    return "bool_" if dtype.kind == "b" else dtype.name


def _erf(instr: Instr, x: Sequence[str]) -> str:
    return f"erf({x[0]})"


def _reshape(instr: Instr, x: Sequence[str]) -> str:
    shape = instr.output.shape
    text = "-1" if len(shape) == 1 else ", ".join(map(str, shape)) or "()"
    return f"{bracketed(x[0])}.reshape({text})"


def _transpose(instr: Instr, x: Sequence[str]) -> str:
    axes = tuple(instr.attrs["axes"])
    if axes == tuple(range(len(axes)))[::-1]:
        text = bracketed(x[0])
        return text.removesuffix(".T") if text.endswith(".T") else f"{text}.T"
    return f"{bracketed(x[0])}.transpose{axes}"


def _slice(instr: Instr, x: Sequence[str]) -> str:
    source = next(instr.values())
    return f"{bracketed(x[0])}[{index_text(instr.attrs['index'], source.shape)}]"


def index_text(index: Sequence[int | slice], shape: tuple[int, ...]) -> str:
    """An index as it is written between brackets; whole axes at its end go without."""
    whole = [slice(0, n, 1) for n in shape]
    kept = max((i + 1 for i, p in enumerate(index) if p != whole[i]), default=0)
    parts = []
    for part, everything in zip(index[: max(kept, 1)], whole, strict=False):
        if part == everything:
            parts.append(":")
        elif isinstance(part, slice):
            ends = ["" if n is None else str(n) for n in (part.start, part.stop)]
            step = [] if part.step in (None, 1) else [str(part.step)]
            parts.append(":".join([*ends, *step]))
        else:
            parts.append(str(part))
    return ", ".join(parts)


def _broadcast(instr: Instr, x: Sequence[str]) -> str:
    return f"np.broadcast_to({x[0]}, {instr.output.shape})"


def _copy(instr: Instr, x: Sequence[str]) -> str:
    return f"{bracketed(x[0])}.copy()"


def _concatenate(instr: Instr, x: Sequence[str]) -> str:
    return f"np.concatenate([{', '.join(x)}], axis={instr.attrs['axis']})"


def _take(instr: Instr, x: Sequence[str]) -> str:
    return f"np.take({x[0]}, {x[1]}, axis={instr.attrs['axis']})"


def _take_along(instr: Instr, x: Sequence[str]) -> str:
    return f"np.take_along_axis({x[0]}, {x[1]}, axis={instr.attrs['axis']})"


def _update(instr: Instr, x: Sequence[str]) -> str:
    index = instr.attrs["index"]
    parts = [repr(p) if isinstance(p, int) else _slice_text(p) for p in index]
    return f"with_part({x[0]}, ({', '.join(parts)},), {x[1]})"


def _slice_text(part: slice) -> str:
    return f"slice({part.start}, {part.stop}, {part.step})"


_TEXTS: dict[str, Callable[[Instr, Sequence[str]], str]] = {
    "where": _where,
    "cast": _cast,
    "erf": _erf,
    "reshape": _reshape,
    "transpose": _transpose,
    "slice": _slice,
    "broadcast_to": _broadcast,
    "copy": _copy,
    "concatenate": _concatenate,
    "take": _take,
    "take_along_axis": _take_along,
    "update": _update,
}
