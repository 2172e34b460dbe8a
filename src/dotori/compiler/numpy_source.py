"""A program as Python source that computes it with NumPy, in planned memory.

What lies in the arena, in states and in constants are arrays made once, and globals of
the source. What comes with each run, and what a call returns, are its local variables.
"""

from __future__ import annotations

import keyword
from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.compiler.ir import Instr, Names, Operand, Value
from dotori.compiler.numpy_lines import FUNCTIONS, lines
from dotori.compiler.passes.arena import ALIGNMENT
from dotori.compiler.passes.lifetimes import Lifetimes
from dotori.compiler.passes.memory import MemoryPlan, Place, overwritable
from dotori.compiler.passes.strides import dense, same
from dotori.compiler.primitives import VIEWS

Array = NDArray[Any]

#: Memory that a call returned is given back after its last use from this size on.
WORTH_FREEING = 16_384

_RESERVED = {*keyword.kwlist, *FUNCTIONS, "step", "inputs", "host", "_"}


class Scribe:
    """Writes the source, and makes the arrays that it names.

    Attributes
    ----------
    memory : MemoryPlan
    globals : dict
        What the source runs with.
    """

    def __init__(self, memory: MemoryPlan) -> None:
        self.memory = memory
        program = memory.program
        self.globals: dict[str, Any] = dict(FUNCTIONS)
        self._names = Names(program, _RESERVED)
        self._bound: dict[Hashable, str] = {}
        self._lives = Lifetimes(program)
        self._where = ""
        self._arena = _aligned(memory.nbytes)
        self._numbers = {x: np.empty((), x.dtype) for x in program.host if not x.shape}
        self._read: set[Value] = set()
        self._shown: list[Value] = []
        self._same = self._renewed()
        self._given = {
            x: self._names.unique(f"{self._names(x)}_given") for x in self._numbers
        }

    # What arrays are called

    def name(self, x: Operand) -> str:
        """What a value is called; a number as it is written."""
        if not isinstance(x, Value):
            return repr(x)
        x = self._same.get(x, x)
        name = self._names(x)
        if name not in self.globals and self.is_fixed(x):
            self.globals[name] = self._array(self.memory.places[x], x, x.shape)
            self._shown.append(x)
        return name

    def _renewed(self) -> dict[Value, Value]:
        """The value in whose place another one is made; both have its name."""
        program, places = self.memory.program, self.memory.places
        whole: dict[Hashable, Value] = {
            (x, 0, x.shape, places[x].steps): x for x in program.states()
        }
        found: dict[Value, Value] = {}
        for instr in program.instrs:
            for y in instr.outputs:
                place = places[y]
                state = whole.get((place.base, place.offset, y.shape, place.steps))
                if state is not None and instr.op not in VIEWS:
                    found[y] = state
            for k, i in overwritable(instr):
                x, y = instr.inputs[i], instr.outputs[k]
                if isinstance(x, Value) and y not in found and self.together(y, x):
                    found[y] = found.get(x, x)
        return found

    def bind(self, stem: str, thing: Any, key: Hashable) -> str:
        """The name of a thing that is no value; one name for equal keys."""
        name = self._bound.get((stem, key))
        if name is None:
            name = self._bound[stem, key] = self._names.unique(stem)
            self.globals[name] = thing
        return name

    def reshaped(self, x: Value, shape: tuple[int, ...]) -> str:
        """A fixed and dense value in another shape."""
        if x.shape == shape:
            return self.name(x)
        array = self._array(self.memory.places[x], x, x.shape).reshape(shape)
        return self.bind(f"{self._names(x)}_flat", array, (x, shape))

    def ordered(self, x: Value, shape: tuple[int, ...]) -> str:
        """The elements of `x` as they lie in memory, in another shape."""
        plain = x.order == tuple(range(x.ndim))
        if not self.is_fixed(x):
            turned = "" if plain else f".transpose({x.order})"
            return f"{self.name(x)}{turned}.reshape({shape})"
        if plain:
            return self.reshaped(x, shape)
        array = self._array(self.memory.places[x], x, x.shape)
        array = array.transpose(x.order).reshape(shape)
        return self.bind(f"{self._names(x)}_ordered", array, (x, shape))

    def part(self, y: Value, place: Place, shape: tuple[int, ...]) -> str:
        """A part of `y`, of this shape, that lies at `place`."""
        array = self._array(place, y, shape)
        return self.bind(f"{self._names(y)}_part", array, (y, place, shape))

    def number(self, x: Value) -> str:
        """A value without axes as a number of Python."""
        if x in self._given:
            kinds = {"b": "bool", "i": "int", "u": "int"}
            return f"{kinds.get(x.dtype.kind, 'float')}({self._given[x]})"
        return f"{self.name(x)}.item()"

    # What is known of where they lie

    def is_fixed(self, x: Operand) -> bool:
        """Whether the array of a value is the same in each run."""
        if not isinstance(x, Value):
            return False
        base = self.memory.places[x].base
        return base is None or base in self._numbers or base.array is not None

    def is_dense(self, x: Value) -> bool:
        """Whether a fixed value lies in C order without gaps."""
        steps = dense(Value(x.shape, x.dtype))
        return same(x.shape, self.memory.places[x].steps, steps)

    def in_order(self, x: Value) -> bool:
        """Whether it fills its memory in its order, as all that is not fixed should."""
        steps = self.memory.places[x].steps
        return not self.is_fixed(x) or same(x.shape, steps, dense(x))

    def together(self, x: Value, y: Value) -> bool:
        """Whether two values are the same array."""
        return self.is_fixed(x) and self.memory.together(x, y)

    def is_alias(self, y: Value) -> bool:
        """Whether a view lies in its input's memory."""
        maker = self._lives.makers[y]
        return self.memory.is_alias(maker)

    def _array(self, place: Place, x: Value, shape: tuple[int, ...]) -> Array:
        base = place.base
        if base is None:
            whole = self._arena
        elif base in self._numbers:
            whole = self._numbers[base]
            self._read.add(base)
        else:
            whole = np.asarray(base.array)
            if (place.offset, place.steps) == (
                0,
                whole.strides,
            ) and shape == whole.shape:
                return whole
        return _array_at(whole, place.offset, shape, place.steps, x.dtype)

    # The source

    def source(self) -> str:
        """The text of a function ``step(inputs, host)``."""
        program = self.memory.program
        body = [line for i in range(len(program.instrs)) for line in self._step(i)]
        copies, returned = self._returned()
        body += copies  # before the states change
        for state, new in program.updates:
            if not self.memory.together(state, new):
                body.append(f"{self.name(state)}[...] = {self.name(new)}")
        given = [*self._unpacked("inputs", program.inputs)]
        given += self._unpacked("host", program.host)
        given += [
            f"{self.name(x)}[()] = {number}"
            for x, number in self._given.items()
            if x in self._read  # kernels take the number as it is given
        ]
        text = [*given, *body, f"return [{', '.join(returned)}]"]
        header = [f"# {line}" for line in self._arrays()]
        step = ["def step(inputs, host):", *(f"    {line}" for line in text)]
        return "\n".join([*header, *step]) + "\n"

    def _step(self, i: int) -> list[str]:
        program = self.memory.program
        instr = program.instrs[i]
        found = lines(self, instr)
        if found and instr.where and instr.where != self._where:
            self._where = instr.where
            found = [f"# {' '.join(instr.where.split())}", *found]
        return found + self._freed(i, instr)

    def _freed(self, i: int, instr: Instr) -> list[str]:
        """What calls returned is given back after its last use, if it is large."""
        known = {*instr.values(), *instr.outputs}
        done = [
            self.name(x)
            for x in known
            if x.kind == "made"
            and self._lives.until[x] == i
            and x.nbytes >= WORTH_FREEING
            and not self.is_fixed(x)
        ]
        return [f"del {', '.join(sorted(done))}"] if done else []

    def _unpacked(self, given: str, values: list[Value]) -> list[str]:
        names = [self._given.get(x) or self.name(x) for x in values]
        return [f"[{', '.join(names)}] = {given}"] if names else []

    def _returned(self) -> tuple[list[str], list[str]]:
        """Lines that copy outputs out of memory that is not theirs alone; all names."""
        copies: list[str] = []
        names: list[str] = []
        for x in self.memory.program.outputs:
            name = self.name(x)
            own = not self.is_fixed(x) and x.kind == "made"
            if not own or self._lives.sources(x) != {x} or name in names:
                copy = self._names.unique("out")
                copies.append(f"{copy} = array({name})")
                name = copy
            elif not x.shape:  # functions of NumPy give numbers there
                name = f"asarray({name})"
            names.append(name)
        return copies, names

    def _arrays(self) -> list[str]:
        """What the arrays are that were made with the plan."""
        found = []
        for x in self._shown:
            place = self.memory.places[x]
            if place.base is None:
                where = f"the arena at {place.offset}"
            elif place.base is x:
                where = f"a {x.kind}"
            else:
                where = f"{self._names(place.base)} at {place.offset}"
            found.append(f"{self._names.typed(x)}, {where}")
        return found


def _aligned(nbytes: int) -> Array:
    """Bytes whose first one lies at a multiple of the alignment."""
    memory = np.empty(nbytes + ALIGNMENT, np.uint8)
    skip = -memory.ctypes.data % ALIGNMENT
    return memory[skip : skip + nbytes]


class _Placed:
    """What NumPy asks for when it makes an array of memory that is there."""

    def __init__(self, owner: Array, interface: dict[str, Any]) -> None:
        self.owner = owner
        self.__array_interface__ = interface


def _array_at(
    owner: Array,
    offset: int,
    shape: tuple[int, ...],
    steps: tuple[int, ...],
    dtype: np.dtype[Any],
) -> Array:
    """An array in the memory of another one, which it keeps alive."""
    start, read_only = owner.__array_interface__["data"]
    interface = {
        "version": 3,
        "data": (start + offset, read_only),
        "shape": shape,
        "strides": steps,
        "typestr": dtype.str,
    }
    return np.asarray(_Placed(owner, interface))
