"""Constant folding: what is the same in each run is computed once, beforehand."""

from __future__ import annotations

import numpy as np

from dotori.compiler.interpret import perform
from dotori.compiler.ir import Instr, Program, Value

#: Larger results stay instructions: they would be kept for as long as the program is.
LARGEST = 65_536

_NEVER = frozenset({"call", "kernel", "require", "fused"})


def with_constants_folded(program: Program) -> Program:
    """The program in which what depends on constants and numbers alone is a constant.

    Examples
    --------
    >>> f4 = np.dtype("f4")
    >>> two = Value((), f4, "constant", np.float32(2))
    >>> x, root, y = (Value((), f4, kind) for kind in ("input", "made", "made"))
    >>> instrs = [Instr("sqrt", (two,), (root,)), Instr("divide", (x, root), (y,))]
    >>> print(with_constants_folded(Program([x], [], instrs, [y])))
    inputs   i0: float32[]
      m0: float32[] = divide(i0, c0)
    outputs  m0
    """
    new: dict[Value, Value] = {}
    kept = []
    for instr in program.instrs:
        instr = instr.replaced(new)
        found = _folded(instr)
        if found is None:
            kept.append(instr)
        else:
            new[instr.output] = found
    return program.with_instrs(kept, new)


def _folded(instr: Instr) -> Value | None:
    if instr.op in _NEVER or any(x.kind != "constant" for x in instr.values()):
        return None
    y = instr.output
    if y.nbytes > LARGEST:
        return None
    arrays = [x.array if isinstance(x, Value) else x for x in instr.inputs]
    with np.errstate(all="ignore"):
        array = np.array(perform(instr, arrays)[0], order="C")
    return Value(y.shape, y.dtype, "constant", array, y.name)
