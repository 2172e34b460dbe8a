"""Sums in the form in which NumPy adds fastest: few of them, and as products."""

from __future__ import annotations

from dotori.compiler.ir import Instr, Program, Value

#: BLAS adds as many terms without losing more digits than NumPy's pairwise sums.
_MOST = 65_536


def with_faster_sums(program: Program) -> Program:
    """The program in which sums of sums are one, and sums of products are products.

    Both round otherwise in the last place.

    Examples
    --------
    >>> import numpy as np
    >>> f4 = np.dtype("f4")
    >>> x = Value((3, 2), f4, "input")
    >>> square, y = Value((3, 2), f4), Value((), f4)
    >>> instrs = [Instr("square", (x,), (square,))]
    >>> instrs += [Instr("sum", (square,), (y,), {"axis": (0, 1), "keepdims": False})]
    >>> print(with_faster_sums(Program([x], [], instrs, [y])))
    inputs   i0: float32[3, 2]
      m0: float32[3, 2] = square(i0)
      m1: float32[1, 6] = reshape(i0)
      m2: float32[6, 1] = reshape(i0)
      m3: float32[1, 1] = matmul(m1, m2)
      m4: float32[] = reshape(m3)
    outputs  m4
    """
    uses, makers = program.uses(), program.made_by()
    kept: list[Instr] = []
    for instr in program.instrs:
        if instr.op == "sum" and instr.output.dtype.kind == "f":
            (x,) = instr.values()
            first = makers.get(x)
            if first is not None and uses[x] == 1:
                instr = _joined(instr, first)
            whole = len(instr.attrs["axis"]) == x.ndim and 0 < x.size <= _MOST
            if first is not None and uses[x] == 1 and whole:
                kept += _product(instr, first)
                continue
        makers.update(dict.fromkeys(instr.outputs, instr))
        kept.append(instr)
    return program.with_instrs(kept)


def _joined(instr: Instr, first: Instr) -> Instr:
    """A sum of a sum, if both keep their axes or neither does, over all of the axes."""
    keepdims = instr.attrs.get("keepdims", False)
    if first.op != "sum" or first.attrs.get("keepdims", False) != keepdims:
        return instr
    (x,) = first.values()
    if x.dtype != instr.output.dtype:
        return instr
    inner, outer = first.attrs["axis"], instr.attrs["axis"]
    if not keepdims:  # count the axes as before the first sum
        left = [a for a in range(x.ndim) if a not in inner]
        outer = [left[a] for a in outer]
    attrs = {"axis": tuple(sorted({*inner, *outer})), "keepdims": keepdims}
    return Instr("sum", (x,), instr.outputs, attrs, instr.where)


def _product(instr: Instr, first: Instr) -> list[Instr]:
    """The sum of all x * y as a row times a column."""
    factors = list(first.values())
    if first.op == "square":
        factors *= 2
    alike = {(x.shape, x.dtype, x.order) for x in [*factors, *first.outputs]}
    ordered = tuple(range(first.output.ndim))
    dense = first.output.order == ordered and instr.output.dtype == first.output.dtype
    if first.op not in ("square", "multiply") or len(factors) < 2 or len(alike) > 1:
        return [instr]
    if not dense or instr.inputs[0] is not first.output:
        return [instr]
    n, where, dtype = factors[0].size, instr.where, instr.output.dtype
    row, column, one = Value((1, n), dtype), Value((n, 1), dtype), Value((1, 1), dtype)
    return [
        Instr("reshape", (factors[0],), (row,), {}, where),
        Instr("reshape", (factors[1],), (column,), {}, where),
        Instr("matmul", (row, column), (one,), {}, where),
        Instr("reshape", (one,), instr.outputs, {}, where),
    ]
