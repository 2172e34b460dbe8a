"""Calls of whole operations that a few instructions say as well."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.primitives import Slot
from dotori.kernels.embedding import add_rows


def lowered(program: Program) -> Program:
    """The program with instructions in place of such calls."""
    instrs: list[Instr] = []
    for instr in program.instrs:
        found = _instead(instr)
        instrs.extend([instr] if found is None else found)
    return program.with_instrs(instrs)


def _instead(instr: Instr) -> list[Instr] | None:
    """What a call is in other instructions; None where there is nothing known."""
    if instr.op != "call" or instr.attrs["structure"] is not True:
        return None
    rule = _RULES.get((instr.attrs["op"].__name__, instr.attrs["rule"]))
    return None if rule is None else rule(instr)


def _rows(instr: Instr) -> tuple[Value, Value] | None:
    """What `TakeRows` and `AddRows` are given: an array, and whole numbers."""
    index, given = instr.attrs["kwargs"].get("index"), instr.attrs["args"]
    if not isinstance(index, Slot) or len(given) != 1 or given[0] is None:
        return None
    x, rows = instr.inputs[given[0].index], instr.inputs[index.index]
    if not isinstance(x, Value) or not isinstance(rows, Value):
        return None
    known = x.dtype.char in "fd" and rows.dtype == np.int64
    return (x, rows) if known else None


def _take_rows(instr: Instr) -> list[Instr] | None:
    found = _rows(instr)
    if found is None:
        return None
    return [Instr("take", found, instr.outputs, {"axis": 0}, instr.where)]


def _add_rows(instr: Instr) -> list[Instr] | None:
    """The kernel that the operation calls itself, over zeros."""
    found, y = _rows(instr), instr.output
    if found is None or instr.attrs["kwargs"].get("scale") is not None or y.ndim != 2:
        return None
    x, index = found
    flat = Value((index.size, y.shape[1]), x.dtype)
    places = Value((index.size,), index.dtype)
    nothing = Value((), y.dtype, "constant", np.zeros((), y.dtype))
    spread, zeros = Value(y.shape, y.dtype), Value(y.shape, y.dtype)
    attrs = {"pair": add_rows, "args": (Slot(0), Slot(1), Slot(2)), "writes": [2]}
    return [
        Instr("reshape", (x,), (flat,), {}, instr.where),
        Instr("reshape", (index,), (places,), {}, instr.where),
        Instr("broadcast_to", (nothing,), (spread,), {}, instr.where),
        Instr("copy", (spread,), (zeros,), {}, instr.where),
        Instr("kernel", (flat, places, zeros), (y,), attrs, instr.where),
    ]


_RULES: dict[tuple[str, str], Callable[[Instr], list[Instr] | None]] = {
    ("TakeRows", "forward"): _take_rows,
    ("TakeRows", "backward"): _add_rows,
    ("AddRows", "forward"): _add_rows,
}
