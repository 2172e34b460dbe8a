"""Operands in the type that is computed in: for NumPy, which converts them slowly."""

from __future__ import annotations

from dotori.compiler.ir import Instr, Operand, Program, Value

#: They compute in the type of their output, whatever they are given.
_IN_OUTPUT_TYPE = frozenset(
    "add subtract multiply divide maximum minimum fmax fmin hypot logaddexp".split()
)

#: Larger operands are converted piece by piece in the cache; a copy would cost more.
_LARGEST = 65_536


def with_casts(program: Program) -> Program:
    """The program in which small operands of another type are cast beforehand.

    A ufunc that converts an operand takes three times as long. A mask times a gradient
    is the usual case.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = (Value((9,), np.dtype("f4"), kind) for kind in ("input", "made"))
    >>> mask = Value((9,), np.dtype(bool), "input", name="mask")
    >>> program = Program([x, mask], [], [Instr("multiply", (x, mask), (y,))], [y])
    >>> print(with_casts(program))
    inputs   i0: float32[9], mask: bool[9]
      m0: float32[9] = cast(mask)
      m1: float32[9] = multiply(i0, m0)
    outputs  m1
    """
    casts: dict[tuple[Value, str], Value] = {}
    kept: list[Instr] = []

    def cast(x: Operand, instr: Instr) -> Operand:
        dtype = instr.output.dtype
        if not isinstance(x, Value) or x.dtype == dtype or not 1 < x.size <= _LARGEST:
            return x
        if (x, dtype.char) not in casts:
            y = casts[x, dtype.char] = Value(x.shape, dtype, order=x.order)
            kept.append(Instr("cast", (x,), (y,), {}, instr.where))
        return casts[x, dtype.char]

    for instr in program.instrs:
        if instr.op in _IN_OUTPUT_TYPE:
            instr = instr.replaced({x: cast(x, instr) for x in instr.values()})
        kept.append(instr)
    return program.with_instrs(kept)
