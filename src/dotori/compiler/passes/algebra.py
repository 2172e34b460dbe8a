"""Algebra: instructions that others express with less work, to the same numbers.

Each rule takes an instruction and what is known of the program, and gives the value
that its output equals, or instructions in its place, or None. A rule gives the same
bits, or says that the last place may be rounded otherwise. Signed zeros, NaN and
infinities are respected: x + 0.0 stays, as -0.0 + 0.0 is 0.0, but x - 0.0 goes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from dotori.compiler.ir import Instr, Operand, Program, Value
from dotori.compiler.primitives import ELEMENTWISE, UFUNCS, VIEWS

Found: TypeAlias = "Value | list[Instr] | None"


def with_less_work(program: Program) -> Program:
    """The program after all rules.

    Examples
    --------
    >>> f4 = np.dtype("f4")
    >>> x, h, y = (Value((2,), f4, kind) for kind in ("input", "made", "made"))
    >>> instrs = [Instr("multiply", (x, 1), (h,)), Instr("divide", (h, 4.0), (y,))]
    >>> print(with_less_work(Program([x], [], instrs, [y])))
    inputs   i0: float32[2]
      m0: float32[2] = multiply(i0, 0.25)
    outputs  m0
    """
    known = _Known(program.uses())
    new: dict[Value, Value] = {}
    kept: list[Instr] = []
    for instr in program.instrs:
        waiting = [instr]
        while waiting:
            part = waiting.pop(0).replaced(new)
            found = _first(part, known)
            if found is None:
                kept.append(part)
                known.makers.update(dict.fromkeys(part.outputs, part))
            elif isinstance(found, Value):
                new[part.output] = found
            else:
                waiting = [*found, *waiting]
    return program.with_instrs(kept, new)


@dataclass
class _Known:
    """How often values are read, and the instructions behind those made so far."""

    uses: dict[Value, int]
    makers: dict[Value, Instr] = field(default_factory=dict)

    def flat(self, x: Operand) -> Value:
        """What `x` is a reshape of, if nothing else reads that."""
        assert isinstance(x, Value)
        maker = self.maker(x, "reshape")
        if maker is None or self.uses.get(x) != 1:
            return x
        source = maker.inputs[0]
        assert isinstance(source, Value)
        return source

    def maker(self, x: Operand, *ops: str) -> Instr | None:
        """The instruction that made `x`, if it is one of `ops`."""
        found = self.makers.get(x) if isinstance(x, Value) else None
        return found if found is not None and found.op in ops else None


def _first(instr: Instr, known: _Known) -> Found:
    for rule in _RULES.get(instr.op, ()):
        found = rule(instr, known)
        if found is not None:
            return found
    if instr.op in ELEMENTWISE and len(instr.inputs) > 1:
        return _broadcast_operand(instr, known)
    return None


def _number(x: Operand) -> float | None:
    """The number that an operand is in all places; None if it is not known."""
    if not isinstance(x, Value):
        return x
    if x.kind == "constant" and not x.shape:
        return float(x.array)
    return None


def _if_equal(x: Operand, instr: Instr) -> Value | None:
    """`x`, if it has the shape and type of the output."""
    y = instr.output
    if isinstance(x, Value) and (x.shape, x.dtype) == (y.shape, y.dtype):
        return x
    return None


def _instead(instr: Instr, op: str, *inputs: Operand) -> list[Instr]:
    return [Instr(op, inputs, instr.outputs, {}, instr.where)]


# Elementwise


def _times_one(instr: Instr, known: _Known) -> Found:
    """x * 1 = x and x * -1 = -x."""
    for x, other in (instr.inputs, instr.inputs[::-1]):
        number, same = _number(other), _if_equal(x, instr)
        if number == 1 and same is not None:
            return same
        if number == -1 and same is not None and same.dtype.kind == "f":
            return _instead(instr, "negative", same)
    return None


def _with_itself(instr: Instr, known: _Known) -> Found:
    """x * x = x^2."""
    x, other = instr.inputs
    if x is other and isinstance(x, Value) and x.dtype.kind == "f":
        return _instead(instr, "square", x)
    return None


def _over_power_of_two(instr: Instr, known: _Known) -> Found:
    """x / 1 = x; x / 2^k = x * 2^-k, which is rounded from the same number."""
    x, other = instr.inputs
    number, same = _number(other), _if_equal(x, instr)
    if number is None or same is None:
        return None
    if number == 1:
        return same
    exact = math.isfinite(number) and abs(math.frexp(number)[0]) == 0.5
    if exact and abs(math.frexp(number)[1]) < 15:  # within the range of all types
        return _instead(instr, "multiply", same, 1.0 / number)
    return None


def _plus_zero(instr: Instr, known: _Known) -> Found:
    """x + 0 = x of whole numbers, and x + -0.0 = x; a + -b = a - b."""
    for x, other in (instr.inputs, instr.inputs[::-1]):
        number, same = _number(other), _if_equal(x, instr)
        if number == 0 and same is not None:
            if same.dtype.kind in "iu" or math.copysign(1, number) < 0:
                return same
        negated = _negated(other, instr, known)
        if negated is not None:
            return _instead(instr, "subtract", x, negated)
    return None


def _minus_zero(instr: Instr, known: _Known) -> Found:
    """x - 0 = x; a - -b = a + b."""
    x, other = instr.inputs
    number, same = _number(other), _if_equal(x, instr)
    if number == 0 and same is not None and math.copysign(1, number) > 0:
        return same
    negated = _negated(other, instr, known)
    return None if negated is None else _instead(instr, "add", x, negated)


def _negated(x: Operand, instr: Instr, known: _Known) -> Value | None:
    """What `x` is minus of; whole numbers of a smaller type could have overflowed."""
    maker = known.maker(x, "negative")
    return None if maker is None else _as(maker.inputs[0], instr.output.dtype)


def _as(x: Operand, dtype: np.dtype[Any]) -> Value | None:
    return x if isinstance(x, Value) and x.dtype == dtype else None


def _small_power(instr: Instr, known: _Known) -> Found:
    """x ^ 1 = x; x ^ 2 by a product, which may round the last place otherwise."""
    x, other = instr.inputs
    number, same = _number(other), _if_equal(x, instr)
    if same is None or number not in (1, 2):
        return None
    return same if number == 1 else _instead(instr, "square", same)


def _undone(instr: Instr, known: _Known) -> Found:
    """What undoes itself: -(-x) = x, not not x = x of truth values, ~~x = x."""
    first = known.maker(instr.inputs[0], instr.op)
    return None if first is None else _if_equal(first.inputs[0], instr)


def _sign_is_lost(instr: Instr, known: _Known) -> Found:
    """||x|| = |x|, |-x| = |x|, (-x)^2 = |x|^2 = x^2."""
    first = known.maker(instr.inputs[0], "negative", "absolute")
    source = None if first is None else _as(first.inputs[0], instr.output.dtype)
    if source is None or source.dtype.kind not in "if":
        return None
    return _instead(instr, instr.op, source)


def _not_negative(x: Operand, known: _Known, depth: int = 8) -> bool:
    """Whether no number of `x` can be below 0; it may be NaN."""
    maker = known.makers.get(x) if isinstance(x, Value) else None
    if maker is None or depth == 0:
        return False
    if maker.op in ("square", "absolute", "exp", "sqrt"):
        return maker.op != "square" or maker.output.dtype.kind == "f"
    if maker.op not in ("sum", "add", "reshape", "concatenate"):
        return False
    floats = maker.output.dtype.kind == "f"
    return floats and all(_not_negative(o, known, depth - 1) for o in maker.inputs)


def _is_positive_already(instr: Instr, known: _Known) -> Found:
    """|x| = x where x comes from squares and the like."""
    x = instr.inputs[0]
    return _if_equal(x, instr) if _not_negative(x, known) else None


def _square_of_root(instr: Instr, known: _Known) -> Found:
    """sqrt(x)^2 = x, which is rounded less often, where x is not below 0."""
    root = known.maker(instr.inputs[0], "sqrt")
    if root is None or not _not_negative(root.inputs[0], known):
        return None
    return _if_equal(root.inputs[0], instr)


def _same(instr: Instr, known: _Known) -> Found:
    """+x = x; a copy of a value that is no view: values never change."""
    x = instr.inputs[0]
    if instr.op == "copy" and isinstance(x, Value):
        if x.order != instr.output.order or known.maker(x, *VIEWS) is not None:
            return None
    return _if_equal(x, instr)


def _cast_twice(instr: Instr, known: _Known) -> Found:
    """A cast to the same type; a cast from a type that held all of the first one."""
    x = instr.inputs[0]
    first = known.maker(x, "cast")
    if first is None or not isinstance(x, Value):
        return _if_equal(x, instr)
    source = first.inputs[0]
    if isinstance(source, Value) and _holds(x.dtype, source.dtype):
        return _if_equal(source, instr) or _instead(instr, "cast", source)
    return _if_equal(x, instr)


def _holds(wide: np.dtype[Any], narrow: np.dtype[Any]) -> bool:
    """Whether each number of one type is one of the other."""
    rounds = narrow.kind in "iu" and narrow.itemsize == 8 and wide.kind == "f"
    return np.can_cast(narrow, wide, "safe") and not rounds


def _either_is_same(instr: Instr, known: _Known) -> Found:
    """where(c, x, x) = x."""
    _, x, other = instr.inputs
    return _if_equal(x, instr) if x is other else None


def _broadcast_operand(instr: Instr, known: _Known) -> Found:
    """Elementwise operands need not be broadcast beforehand."""
    inputs = list(instr.inputs)
    for i, x in enumerate(inputs):
        wide = known.maker(x, "broadcast_to")
        if wide is None:
            continue
        inputs[i] = wide.inputs[0]
        shapes = [o.shape for o in inputs if isinstance(o, Value)]
        if np.broadcast_shapes(*shapes) != instr.output.shape:
            inputs[i] = x
    if all(a is b for a, b in zip(inputs, instr.inputs, strict=True)):
        return None
    return _instead(instr, instr.op, *inputs)


# Views and movement


def _reshape(instr: Instr, known: _Known) -> Found:
    """To the same shape; of a reshape; of a transpose that moves no elements."""
    x = instr.inputs[0]
    first = known.maker(x, "reshape", "transpose")
    if first is not None and (first.op == "reshape" or _moves_nothing(first)):
        return _instead(instr, "reshape", first.inputs[0])
    return _if_equal(x, instr)


def _moves_nothing(transpose: Instr) -> bool:
    """Whether a transpose keeps the order of all axes but those of length 1."""
    x = transpose.inputs[0]
    assert isinstance(x, Value)
    moved = [a for a in transpose.attrs["axes"] if x.shape[a] != 1]
    return moved == sorted(moved)


def _transpose(instr: Instr, known: _Known) -> Found:
    """In the same order; of a transpose; of a product that nothing else reads.

    (a b)' = b' a' is made in the order in which it is read. BLAS may round it
    otherwise.
    """
    x, axes = instr.inputs[0], tuple(instr.attrs["axes"])
    if axes == tuple(range(len(axes))):
        return _if_equal(x, instr)
    first = known.maker(x, "transpose", "matmul")
    if first is None:
        return None
    if first.op == "transpose":
        inner = first.attrs["axes"]
        both = {"axes": tuple(inner[a] for a in axes)}
        return [Instr("transpose", first.inputs[:1], instr.outputs, both, instr.where)]
    if axes != _swapped(len(axes)) or known.uses.get(first.output) != 1:
        return None
    (a, a_turned), (b, b_turned) = (_turned(v, instr) for v in first.inputs)
    product = Instr("matmul", (b, a), instr.outputs, {}, first.where)
    return [b_turned, a_turned, product]


def _swapped(ndim: int) -> tuple[int, ...]:
    return (*range(ndim - 2), ndim - 1, ndim - 2)


def _turned(x: Operand, instr: Instr) -> tuple[Value, Instr]:
    assert isinstance(x, Value)
    axes = _swapped(x.ndim)
    y = Value(tuple(x.shape[a] for a in axes), x.dtype)
    return y, Instr("transpose", (x,), (y,), {"axes": axes}, instr.where)


def _broadcast_to(instr: Instr, known: _Known) -> Found:
    x = instr.inputs[0]
    first = known.maker(x, "broadcast_to")
    if first is not None:
        return _instead(instr, "broadcast_to", first.inputs[0])
    return _if_equal(x, instr)


def _slice(instr: Instr, known: _Known) -> Found:
    """All of it."""
    whole = all(
        isinstance(at, slice) and at.step in (None, 1) for at in instr.attrs["index"]
    )
    return _if_equal(instr.inputs[0], instr) if whole else None


def _update(instr: Instr, known: _Known) -> Found:
    """x with all of it replaced is what replaces it."""
    index = instr.attrs["index"]
    whole = all(isinstance(at, slice) and at.step in (None, 1) for at in index)
    x, part = instr.inputs
    if whole and isinstance(x, Value) and _covered(x, index):
        return _if_equal(part, instr)
    return None


def _covered(x: Value, index: tuple[slice, ...]) -> bool:
    pairs = zip(x.shape, index, strict=True)
    return all(len(range(n)[at]) == n for n, at in pairs)


def _one_part(instr: Instr, known: _Known) -> Found:
    """The concatenation of one array."""
    return _if_equal(instr.inputs[0], instr) if len(instr.inputs) == 1 else None


def _work_on_parts(instr: Instr, known: _Known) -> Found:
    """What is done to each part in a row is done once to the whole.

    Such as the scaling of all gradients by one number, before they are joined.
    """
    parts = [known.flat(x) for x in instr.inputs]
    works = [known.makers.get(x) for x in parts]
    first = works[0]
    if instr.output.ndim != 1 or len(parts) < 2 or first is None:
        return None
    if first.op not in UFUNCS or not all(
        work is not None and _alike(work, first, instr.output, known) for work in works
    ):
        return None
    place = _place_of_part(first)
    y, made = instr.output, []
    for work in works:
        assert work is not None
        x = work.inputs[place]
        assert isinstance(x, Value)
        flat = Value((x.size,), x.dtype)
        made.append(Instr("reshape", (x,), (flat,), {}, work.where))
    whole = Value(y.shape, y.dtype)
    joined = tuple(part.output for part in made)
    inputs = tuple(whole if i == place else o for i, o in enumerate(first.inputs))
    return [
        *made,
        Instr("concatenate", joined, (whole,), {"axis": 0}, instr.where),
        Instr(first.op, inputs, instr.outputs, {}, first.where),
    ]


def _place_of_part(work: Instr) -> int:
    """Which operand has the shape of the output; -1 if it is not one alone."""
    y = work.output
    found = [
        i
        for i, x in enumerate(work.inputs)
        if isinstance(x, Value) and x.size == y.size
    ]
    return found[0] if len(found) == 1 else -1


def _alike(work: Instr, first: Instr, y: Value, known: _Known) -> bool:
    """Whether `work` does the same, for this purpose alone, beside single numbers."""
    place = _place_of_part(work)
    if work.op != first.op or place < 0 or place != _place_of_part(first):
        return False
    x = work.inputs[place]
    once = known.uses.get(work.output) == 1
    if not once or not isinstance(x, Value) or x.dtype != y.dtype or x.kind != "made":
        return False
    others = zip(work.inputs, first.inputs, strict=True)
    return all(
        i == place
        or (a is b and isinstance(a, Value) and not a.shape)
        or (not isinstance(a, Value) and type(a) is type(b) and a == b)
        for i, (a, b) in enumerate(others)
    )


def _of_one(instr: Instr, known: _Known) -> Found:
    """A sum, product or extreme over axes of length 1."""
    x, y = instr.inputs[0], instr.output
    assert isinstance(x, Value)
    if x.dtype != y.dtype or any(x.shape[a] != 1 for a in instr.attrs["axis"]):
        return None
    return _instead(instr, "reshape", x)


Rule: TypeAlias = Callable[[Instr, _Known], Found]

_RULES: dict[str, tuple[Rule, ...]] = {
    "multiply": (_times_one, _with_itself),
    "divide": (_over_power_of_two,),
    "add": (_plus_zero,),
    "subtract": (_minus_zero,),
    "power": (_small_power,),
    "negative": (_undone,),
    "logical_not": (_undone,),
    "invert": (_undone,),
    "absolute": (_sign_is_lost, _is_positive_already),
    "square": (_sign_is_lost, _square_of_root),
    "positive": (_same,),
    "copy": (_same,),
    "cast": (_cast_twice,),
    "where": (_either_is_same,),
    "reshape": (_reshape,),
    "transpose": (_transpose,),
    "broadcast_to": (_broadcast_to,),
    "slice": (_slice,),
    "update": (_update,),
    "concatenate": (_one_part, _work_on_parts),
    **dict.fromkeys(("sum", "prod", "max", "min", "any", "all"), (_of_one,)),
}
