"""Checks first: a step that must fail fails before it has computed anything else.

And states can be written where they lie from the first instruction on: before the last
check has passed, that would not be allowed.
"""

from __future__ import annotations

from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.primitives import ARG_REDUCTIONS, ELEMENTWISE, REDUCTIONS, VIEWS

_CHEAP = ELEMENTWISE | REDUCTIONS | ARG_REDUCTIONS | VIEWS

#: A check that needs more instructions than that is not about what the step was given.
_MOST = 24


def with_checks_first(program: Program) -> Program:
    """The program with each ``require`` as early as what it reads allows.

    Only checks of what is given move, such as labels out of range: those that a few
    elementwise instructions and reductions lead to.

    Examples
    --------
    >>> import numpy as np
    >>> x, h = (Value((), np.dtype("f4"), kind) for kind in ("input", "made"))
    >>> ok = Value((), np.dtype(bool))
    >>> instrs = [Instr("exp", (x,), (h,)), Instr("isfinite", (x,), (ok,))]
    >>> instrs.append(Instr("require", (ok,), (), {"error": ValueError}))
    >>> [i.op for i in with_checks_first(Program([x], [], instrs, [h])).instrs]
    ['isfinite', 'require', 'exp']
    """
    makers = program.made_by()
    first: dict[Instr, None] = {}
    for instr in program.instrs:
        if instr.op == "require":
            needed = _needed(instr, makers)
            if needed is not None:
                first.update(dict.fromkeys(needed))
    if not first:
        return program
    early = [instr for instr in program.instrs if instr in first]
    late = [instr for instr in program.instrs if instr not in first]
    return program.with_instrs(early + late)


def _needed(check: Instr, makers: dict[Value, Instr]) -> list[Instr] | None:
    """The check and all that it reads; None if that is too much work."""
    found: dict[Instr, None] = {}
    waiting = [check]
    while waiting:
        instr = waiting.pop()
        if instr in found:
            continue
        if (instr is not check and instr.op not in _CHEAP) or len(found) == _MOST:
            return None
        found[instr] = None
        waiting += [makers[x] for x in instr.values() if x in makers]
    return list(found)
