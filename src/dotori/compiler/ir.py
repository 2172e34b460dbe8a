"""The program of a step: values, and the instructions that make them.

A program is a list of instructions in the order in which they ran. Each makes new
values and changes none, so a value is written once. What a step changes, such as
weights and running statistics, is a list of its own, `Program.updates`: at the end of
the step, each of these memories takes the value that stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

import numpy as np

#: What an instruction takes: a value, or a plain number, which has no type of its own
#: (float32 + 0.5 stays float32, as in NumPy).
Operand: TypeAlias = "Value | bool | int | float"


@dataclass(eq=False, slots=True)
class Value:
    """An array, or a single number of shape ().

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    kind : str
        ``"input"``: an array that the step is called with. ``"host"``: worked out in
        Python before each step, such as a random mask or a learning rate. ``"state"``:
        memory that lives from step to step, `array`. ``"constant"``: `array`, which
        never changes. ``"made"``: by an instruction.
    array : array or None
        Of a state or a constant.
    name : str
        For people; may be empty, need not be unique.
    order : tuple of int
        The axes from the slowest to the fastest in memory. ``(0, 2, 3, 1)`` is a
        picture whose channels lie last. Dense always: views are instructions.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    kind: str = "made"
    array: Any = None
    name: str = ""
    order: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.order:
            self.order = tuple(range(len(self.shape)))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __repr__(self) -> str:
        return f"<{self.name or self.kind} {self.dtype}{list(self.shape)}>"


@dataclass(eq=False, slots=True)
class Instr:
    """One operation: `outputs` from `inputs`.

    Attributes
    ----------
    op : str
        A name in `dotori.compiler.primitives`.
    inputs : tuple of Value or number
    outputs : tuple of Value
    attrs : dict
        What else the operation is given: axes, an index, a function.
    where : str
        The line of the user's program that it comes from, as ``"train.py:12"``.
    """

    op: str
    inputs: tuple[Operand, ...]
    outputs: tuple[Value, ...]
    attrs: dict[str, Any] = field(default_factory=dict)
    where: str = ""

    @property
    def output(self) -> Value:
        """The one output of most operations."""
        return self.outputs[0]

    def values(self) -> Iterator[Value]:
        """Those of the inputs that are values."""
        return (x for x in self.inputs if isinstance(x, Value))

    def replaced(self, new: Mapping[Value, Operand]) -> Instr:
        """This instruction with other inputs; itself if none of them is in `new`."""
        if not any(x in new for x in self.values()):
            return self
        inputs = tuple(
            new.get(x, x) if isinstance(x, Value) else x for x in self.inputs
        )
        return Instr(self.op, inputs, self.outputs, self.attrs, self.where)


@dataclass(eq=False, slots=True)
class Program:
    """What a captured step does.

    Attributes
    ----------
    inputs : list of Value
        The arrays among the arguments, in order.
    host : list of Value
        What Python works out before each step, in order.
    instrs : list of Instr
    outputs : list of Value
        What the step returns, in order; and the gradients that remain.
    updates : list of (Value, Value)
        A state, and what it holds after the step.
    """

    inputs: list[Value]
    host: list[Value]
    instrs: list[Instr]
    outputs: list[Value]
    updates: list[tuple[Value, Value]] = field(default_factory=list)

    def results(self) -> list[Value]:
        """All that must be computed: outputs, and the new values of states."""
        return [*self.outputs, *(new for _, new in self.updates)]

    def made_by(self) -> dict[Value, Instr]:
        """The instruction behind each made value."""
        return {y: instr for instr in self.instrs for y in instr.outputs}

    def uses(self) -> dict[Value, int]:
        """How often each value is read, results included."""
        count: dict[Value, int] = {}
        for x in [x for instr in self.instrs for x in instr.values()] + self.results():
            count[x] = count.get(x, 0) + 1
        return count

    def states(self) -> list[Value]:
        """The memories that the program reads or writes, each once."""
        found = dict.fromkeys(
            x for instr in self.instrs for x in instr.values() if x.kind == "state"
        )
        found.update(dict.fromkeys(state for state, _ in self.updates))
        found.update(dict.fromkeys(x for x in self.results() if x.kind == "state"))
        return list(found)

    def with_instrs(
        self, instrs: Iterable[Instr], new: Mapping[Value, Value] | None = None
    ) -> Program:
        """The same program with other instructions, and results that were replaced."""
        at = new or {}
        return Program(
            self.inputs,
            self.host,
            list(instrs),
            [at.get(x, x) for x in self.outputs],
            [(state, at.get(x, x)) for state, x in self.updates],
        )

    def __str__(self) -> str:
        names = Names(self)
        lines = [f"inputs   {', '.join(map(names.typed, self.inputs))}"]
        if self.host:
            lines.append(f"host     {', '.join(map(names.typed, self.host))}")
        for instr in self.instrs:
            made = ", ".join(map(names.typed, instr.outputs))
            lines.append(f"  {made} = {names.call(instr)}")
        lines.append(f"outputs  {', '.join(names(x) for x in self.outputs)}")
        for state, new in self.updates:
            lines.append(f"update   {names(state)} = {names(new)}")
        return "\n".join(lines)


class Names:
    """A short, unique name for each value of a program, usable in Python source.

    `taken` are the names that something else has.
    """

    def __init__(self, program: Program, taken: Iterable[str] = ()) -> None:
        self._names: dict[Value, str] = {}
        self._taken = set(taken)
        self._counts: dict[str, int] = {}
        for x in (*program.inputs, *program.host, *program.states()):
            self(x)

    def __call__(self, x: Operand) -> str:
        """The name of a value; a number as it is."""
        if not isinstance(x, Value):
            return repr(x)
        found = self._names.get(x)
        if found is None:
            stem = "".join(c if f"_{c}".isidentifier() else "_" for c in x.name)
            stem = f"_{stem}" if stem[:1].isdigit() else stem
            found = self.unique(stem) if stem else self.unique(x.kind[0], numbered=True)
            self._names[x] = found
        return found

    def unique(self, stem: str, numbered: bool = False) -> str:
        """`stem`, or with the first number that makes it unique; it is taken then."""
        n = self._counts.get(stem, 0)
        found = f"{stem}{n}" if n or numbered else stem
        while found in self._taken:
            n += 1
            found = f"{stem}{n}"
        self._counts[stem] = n + 1
        self._taken.add(found)
        return found

    def typed(self, x: Value) -> str:
        """Name, type and shape."""
        return f"{self(x)}: {x.dtype}{list(x.shape)}"

    def call(self, instr: Instr) -> str:
        """An instruction as a call."""
        given = [self(x) for x in instr.inputs]
        attrs = [f"{k}={_brief(v)}" for k, v in instr.attrs.items() if v is not None]
        where = f"  # {instr.where}" if instr.where else ""
        return f"{instr.op}({', '.join(given + attrs)}){where}"


def _brief(value: Any) -> str:
    name = getattr(value, "__name__", None)
    text = name if isinstance(name, str) else repr(value)
    return text if len(text) < 60 else text[:57] + "..."
