"""What a program costs, judged by its shapes alone.

The judgement decides when compiled code takes over. A clock would do that better, but
then no training would repeat itself to the bit.
"""

from __future__ import annotations

from math import prod

from dotori.compiler.ir import Instr, Program, Value

#: Seconds: of a NumPy call, of an element that one passes, of a multiplication.
CALL, ELEMENT, PRODUCT = 1e-6, 5e-10, 2e-11

#: Seconds that compiling takes: in all, for an instruction, and for a routine.
COMPILE, COMPILE_INSTR, COMPILE_ROUTINE = 5.0, 0.03, 1.5


def seconds(program: Program) -> float:
    """About how long the NumPy plan takes for one step."""
    return sum(map(_of, program.instrs)) + 1e-5


def _of(instr: Instr) -> float:
    size = sum(x.size for x in (*instr.values(), *instr.outputs))
    if instr.op == "matmul":
        a, b = (x for x in instr.inputs if isinstance(x, Value))
        return CALL + PRODUCT * prod(a.shape) * b.shape[-1]
    return CALL + ELEMENT * size * (20 if instr.op == "call" else 1)


def calls_worth_compiling(program: Program) -> int:
    """After how many calls the NumPy plan has worked as long as compiling takes."""
    routines = sum(instr.op == "call" for instr in program.instrs)
    needed = COMPILE + COMPILE_INSTR * len(program.instrs) + COMPILE_ROUTINE * routines
    return max(10, int(needed / seconds(program)))


def better_plain(program: Program) -> bool:
    """Whether the step itself is faster than its NumPy plan.

    So it is of networks on pictures: their time goes into large arrays, not into calls,
    and the operations of the library go over them piece by piece, in the cache.
    """
    ops = [i.attrs["op"].__name__ for i in program.instrs if i.op == "call"]
    return any("Convolution" in name for name in ops)
