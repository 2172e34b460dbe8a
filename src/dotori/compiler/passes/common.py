"""Common subexpressions: what has been computed already is not computed again."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from dotori.compiler.ir import Instr, Operand, Program, Value

#: These are never merged: running their code twice may be meant.
_ALONE = frozenset({"call", "kernel", "require", "fused"})

#: Constants of so many bytes are compared by what they hold.
_SMALL = 1024


def without_repetition(program: Program) -> Program:
    """The program in which equal instructions on equal operands are one.

    Examples
    --------
    >>> import numpy as np
    >>> f4 = np.dtype("f4")
    >>> x, a, b, y = (Value((2,), f4, k) for k in ("input", "made", "made", "made"))
    >>> twice = [Instr("exp", (x,), (a,)), Instr("exp", (x,), (b,))]
    >>> program = Program([x], [], [*twice, Instr("add", (a, b), (y,))], [y])
    >>> print(without_repetition(program))
    inputs   i0: float32[2]
      m0: float32[2] = exp(i0)
      m1: float32[2] = add(m0, m0)
    outputs  m1
    """
    known: dict[Hashable, Instr] = {}
    constants: dict[Hashable, Value] = {}
    new: dict[Value, Value] = {}
    kept = []
    for instr in program.instrs:
        for x in instr.values():
            if x.kind == "constant" and x.nbytes <= _SMALL:
                first = constants.setdefault(_content(x), x)
                if first is not x:
                    new[x] = first
        instr = instr.replaced(new)
        found = instr
        if instr.op not in _ALONE:
            found = known.setdefault(_key(instr), instr)
        if found is instr:
            kept.append(instr)
        else:
            new.update(zip(instr.outputs, found.outputs, strict=True))
    return program.with_instrs(kept, new)


def _content(x: Value) -> Hashable:
    return x.shape, x.dtype, x.array.tobytes()


def _key(instr: Instr) -> Hashable:
    """Equal for instructions that give equal values."""
    y = instr.output
    operands = tuple(_operand(x) for x in instr.inputs)
    return instr.op, operands, _hashable(instr.attrs), y.shape, y.dtype, y.order


def _operand(x: Operand) -> Hashable:
    # 1, 1.0 and True are equal in Python, but give results of other types
    return x if isinstance(x, Value) else (type(x), repr(x))


def _hashable(thing: Any) -> Hashable:
    if isinstance(thing, dict):
        return tuple((key, _hashable(part)) for key, part in sorted(thing.items()))
    if isinstance(thing, tuple | list):
        return tuple(_hashable(part) for part in thing)
    if isinstance(thing, slice):
        return "slice", thing.start, thing.stop, thing.step
    return thing if isinstance(thing, int | str | None) else id(thing)
