"""Layout: pictures keep their channels last, from convolution to convolution.

An elementwise operation gives its result the order of its first operand, as NumPy does.
Where a picture as it was handed in, channels first, meets one that a convolution has
made, the wrong order spreads from there: each loop over both jumps through memory, and
each convolution turns its input anew.
"""

from __future__ import annotations

from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.primitives import ELEMENTWISE

Order = tuple[int, ...]

#: Values of fewer axes are no pictures.
LEAST_AXES = 3
#: Calls that give the same for any order of what they read. Pooling does not: what it
#: saves for the way back lies like its input.
INDIFFERENT = frozenset({"Convolution", "ConvolutionWithBias"})


def with_one_layout(program: Program) -> Program:
    """The program where elementwise operations keep the order of what calls make.

    Values that are joined by elementwise operations take the order that most of those
    among them have which a call made. What comes from elsewhere in another order is
    copied, once.

    Examples
    --------
    >>> import numpy as np
    >>> f4, last = np.dtype("f4"), (0, 2, 1)
    >>> x, y = Value((8, 4, 9), f4, "input"), Value((8, 4, 9), f4)
    >>> c = Value((8, 4, 9), f4, order=last)
    >>> call = Instr("call", (), (c,), {"op": Value})
    >>> program = Program([x], [], [call, Instr("add", (x, c), (y,))], [y])
    >>> [(i.op, i.output.order) for i in with_one_layout(program).instrs]
    [('call', (0, 2, 1)), ('copy', (0, 2, 1)), ('add', (0, 2, 1))]
    """
    wanted = _wanted_orders(program)
    new = {
        y: Value(y.shape, y.dtype, y.kind, y.array, y.name, order)
        for y, order in wanted.items()
        if y.order != order
    }
    if not new and not _meets_another(program, wanted):
        return program
    turned = _Turned(program, wanted)
    instrs: list[Instr] = []
    for instr in program.instrs:
        instrs += turned.copies(instr)
        given = turned.given(instr) | new
        outputs = tuple(new.get(y, y) for y in instr.outputs)
        moved = instr.replaced(dict(given))
        instrs.append(Instr(moved.op, moved.inputs, outputs, instr.attrs, instr.where))
    return program.with_instrs(instrs, new)


def _is_pointwise(instr: Instr) -> bool:
    shaped = len(instr.outputs) == 1 and instr.output.ndim >= LEAST_AXES
    return shaped and instr.op in ELEMENTWISE


def _joined(instr: Instr) -> list[Value]:
    """The operands of the full shape."""
    return [x for x in instr.values() if x.shape == instr.output.shape]


def _wanted_orders(program: Program) -> dict[Value, Order]:
    """The order of each elementwise result, where calls have made some like it."""
    made = {
        y for instr in program.instrs if _is_pointwise(instr) for y in instr.outputs
    }
    called = {y for i in program.instrs if i.op == "call" for y in i.outputs}
    fixed = {x for i in program.instrs if _is_particular(i) for x in i.values()}
    wanted: dict[Value, Order] = {}
    for group in _groups(program, made | called):
        order = _most_common([x for x in group if x in called])
        turned = [x for x in group if x in made and x.order != order]
        if order is not None and not fixed.intersection(turned):
            wanted.update((x, order) for x in group if x in made)
    return wanted


def _is_particular(instr: Instr) -> bool:
    """Whether the instruction counts on the order of what it reads."""
    if instr.op == "call":
        return instr.attrs["op"].__name__ not in INDIFFERENT
    return instr.op == "kernel"


def _groups(program: Program, members: set[Value]) -> list[list[Value]]:
    """Those of `members` that elementwise operations join, group by group."""
    above: dict[Value, Value] = {}  # a tree for each group

    def root(x: Value) -> Value:
        while above.setdefault(x, x) is not x:
            above[x] = above[above[x]]
            x = above[x]
        return x

    for instr in program.instrs:
        if _is_pointwise(instr):
            for x in _joined(instr):
                if x in members:
                    above[root(x)] = root(instr.output)
    groups: dict[Value, list[Value]] = {}
    for x in above:
        groups.setdefault(root(x), []).append(x)
    return list(groups.values())


def _most_common(values: list[Value]) -> Order | None:
    """The order of most of the values; None where they all lie as they would anyway."""
    orders = [x.order for x in values]
    plain = all(order == tuple(range(len(order))) for order in orders)
    return None if plain else max(sorted(set(orders)), key=orders.count)


def _meets_another(program: Program, wanted: dict[Value, Order]) -> bool:
    return any(
        x not in wanted and x.order != wanted[instr.output]
        for instr in program.instrs
        if instr.op in ELEMENTWISE and instr.output in wanted
        for x in _joined(instr)
    )


class _Turned:
    """Copies in another order of what is not made by elementwise operations."""

    def __init__(self, program: Program, wanted: dict[Value, Order]) -> None:
        self.wanted = wanted
        self.made: dict[tuple[Value, Order], Value] = {}
        self.needed = {
            x: order for instr in program.instrs for x, order in self._met(instr)
        }

    def _met(self, instr: Instr) -> list[tuple[Value, Order]]:
        """Operands that lie otherwise than the result of an elementwise operation."""
        if instr.op not in ELEMENTWISE or instr.output not in self.wanted:
            return []
        order = self.wanted[instr.output]
        return [
            (x, order)
            for x in dict.fromkeys(_joined(instr))
            if x not in self.wanted and x.order != order
        ]

    def _needs(self, instr: Instr) -> list[tuple[Value, Order]]:
        """The same; a convolution takes the copies that are made anyway."""
        if instr.op == "call" and not _is_particular(instr):
            found = dict.fromkeys(x for x in instr.values() if x in self.needed)
            return [(x, self.needed[x]) for x in found]
        return self._met(instr)

    def copies(self, instr: Instr) -> list[Instr]:
        """Those that the instruction is the first to need."""
        found = []
        for x, order in self._needs(instr):
            if (x, order) not in self.made:
                y = self.made[x, order] = Value(x.shape, x.dtype, order=order)
                found.append(Instr("copy", (x,), (y,), {}, instr.where))
        return found

    def given(self, instr: Instr) -> dict[Value, Value]:
        """What the instruction reads in place of its operands."""
        return {x: self.made[x, order] for x, order in self._needs(instr)}
