"""Recomputation: cheap values are made again instead of being kept for long.

What the forward pass makes is read again by the backward pass, at the other end of the
program. Where its operands live that long anyway, computing it a second time costs less
than the memory that it would hold meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator

from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.passes.lifetimes import Lifetimes
from dotori.compiler.primitives import VIEWS

_CHEAP = frozenset(
    "add subtract multiply divide maximum minimum negative absolute square greater "
    "greater_equal less less_equal equal not_equal where cast sign".split()
)


def with_recomputation(program: Program) -> Program:
    """The program with cheap values computed again where that lowers its peak.

    The numbers stay the same. No standard pass: it costs time.

    Examples
    --------
    >>> import numpy as np
    >>> f4 = np.dtype("f4")
    >>> x = Value((100,), f4, "input")
    >>> h, a, b, c, y = (Value((100,), f4) for _ in "habcy")
    >>> instrs = [
    ...     Instr("multiply", (x, 2.0), (h,)),
    ...     Instr("exp", (h,), (a,)),
    ...     Instr("sqrt", (a,), (b,)),
    ...     Instr("add", (a, b), (c,)),
    ...     Instr("add", (c, h), (y,)),
    ... ]
    >>> program = Program([x], [], instrs, [y])
    >>> again = with_recomputation(program)
    >>> [i.op for i in again.instrs]
    ['multiply', 'exp', 'sqrt', 'add', 'multiply', 'add']
    >>> peak(program), peak(again)
    (1600, 1200)
    """
    best, lowest = program, peak(program)
    while True:
        for candidate in _candidates(best):
            height = peak(candidate)
            if height < lowest:
                best, lowest = candidate, height
                break
        else:
            return best


def peak(program: Program) -> int:
    """The most bytes of made values that live at the same time, calls' results too."""
    return max(_heights(program, Lifetimes(program)), default=0)


def _heights(program: Program, lives: Lifetimes) -> list[int]:
    """The bytes that live at each instruction."""
    change = [0] * (lives.end + 2)
    for i, instr in enumerate(program.instrs):
        if instr.op in VIEWS:
            continue
        for y in instr.outputs:
            change[i] += y.nbytes
            change[lives.until[y] + 1] -= y.nbytes
    heights, now = [], 0
    for step in change[: lives.end + 1]:
        now += step
        heights.append(now)
    return heights


def _candidates(program: Program) -> Iterator[Program]:
    """The program with one value made again after the peak, the largest value first."""
    lives = Lifetimes(program)
    heights = _heights(program, lives)
    if not heights:
        return
    top = heights.index(max(heights))
    asleep = [
        (instr.output, instr)
        for i, instr in enumerate(program.instrs[:top])
        if instr.op in _CHEAP and lives.until[instr.output] > top
    ]
    for x, instr in sorted(asleep, key=lambda pair: -pair[0].nbytes):
        readers = [i for i, other in enumerate(program.instrs) if x in other.values()]
        if x in program.results() or not readers or top in readers:
            continue
        later = [i for i in readers if i > top]
        last = max(readers)
        alive = all(o.kind != "made" or lives.until[o] >= last for o in instr.values())
        viewed = any(program.instrs[i].op in VIEWS for i in readers)
        if later and alive and not viewed:
            yield _made_again(program, x, instr, later)


def _made_again(program: Program, x: Value, maker: Instr, later: list[int]) -> Program:
    """`x` computed once more, right before the first of its later readers."""
    again = Value(x.shape, x.dtype, name=x.name, order=x.order)
    instrs = list(program.instrs)
    for i in later:
        instrs[i] = instrs[i].replaced({x: again})
    copy = Instr(maker.op, maker.inputs, (again,), maker.attrs, maker.where)
    return program.with_instrs([*instrs[: later[0]], copy, *instrs[later[0] :]])
