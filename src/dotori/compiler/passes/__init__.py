"""Passes: each a small function from a program to a program that gives the same."""

from __future__ import annotations

from dotori.compiler.ir import Program
from dotori.compiler.passes.algebra import with_less_work
from dotori.compiler.passes.checks import with_checks_first
from dotori.compiler.passes.common import without_repetition
from dotori.compiler.passes.constants import with_constants_folded
from dotori.compiler.passes.dead import without_dead_code
from dotori.compiler.passes.layout import with_one_layout

#: In the order in which they are made; each leaves work for the next one.
STANDARD = (
    without_dead_code,
    with_constants_folded,
    with_less_work,
    without_repetition,
)


def simplified(program: Program) -> Program:
    """The program after the standard passes, again and again until nothing changes.

    At last, its checks come first, and its pictures get one layout.

    Examples
    --------
    >>> import numpy as np
    >>> from dotori.compiler.ir import Instr, Value
    >>> f4 = np.dtype("f4")
    >>> x, h, y = (Value((2,), f4, kind) for kind in ("input", "made", "made"))
    >>> instrs = [Instr("negative", (x,), (h,)), Instr("negative", (h,), (y,))]
    >>> print(simplified(Program([x], [], instrs, [y])))
    inputs   i0: float32[2]
    outputs  i0
    """
    while True:
        before = program
        for each in STANDARD:
            program = each(program)
        if program.instrs == before.instrs and program.results() == before.results():
            return with_one_layout(with_checks_first(program))
