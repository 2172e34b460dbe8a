"""Dead code: what nothing reads is not computed."""

from __future__ import annotations

from dotori.compiler.ir import Program
from dotori.compiler.primitives import EFFECTS


def without_dead_code(program: Program) -> Program:
    """The program without instructions whose outputs nothing reads.

    A ``require`` makes nothing and stays.

    Examples
    --------
    >>> import numpy as np
    >>> from dotori.compiler.ir import Instr, Value
    >>> f4 = np.dtype("f4")
    >>> x, y, z = (Value((2,), f4, kind) for kind in ("input", "made", "made"))
    >>> instrs = [Instr("exp", (x,), (y,)), Instr("sqrt", (x,), (z,))]
    >>> [i.op for i in without_dead_code(Program([x], [], instrs, [z])).instrs]
    ['sqrt']
    """
    needed = set(program.results())
    kept = []
    for instr in reversed(program.instrs):
        if instr.op in EFFECTS or not needed.isdisjoint(instr.outputs):
            needed.update(instr.values())
            kept.append(instr)
    return program.with_instrs(reversed(kept))
