"""Native routines: structured operations as functions over arrays.

A `call` instruction is an operation of `dotori.ops` as a whole: a recurrent layer, a
convolution. `find` says whether a routine of this folder can run it inside of a native
step, and how it is to be called:

    routine = find(instr, threads)
    routine.name         the function to call in the emitted source
    routine.arguments    what to pass, in this order; then: table, thread, threads
    routine.work         multiplications, to judge what another thread is worth

Each argument is one of

    Read(i, order)       input i of the call, as an array view whose axes are those of
                         the value in this order, C-contiguous: a value whose memory
                         lies otherwise is to be copied first
    Write(i, order)      output i, likewise; its memory lies like this already
    Room(dtype, shape)   memory to work in, for the time of the call; what it holds
                         before does not matter
    Table(array)         a constant array
    None, a number or a tuple of numbers: as it stands (`repr`)

The function runs on all threads, which share its work and meet at barriers of its own.
What it reads must be there when the first thread enters. When a thread returns, what
the *others* write may not be there yet, and they may still read: a barrier belongs
between the call and what depends on it, or uses its room again. Inputs are never
written to.

`source(routines)` is the text of all functions that they need. It uses the names of
`dotori.compiler.native.language` and expects ``from __future__ import annotations``.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import prod
from types import FunctionType, ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dotori.compiler.ir import Instr, Value
from dotori.compiler.primitives import Slot

Axes: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Read:
    """Input `index` of the call, its axes in this order."""

    index: int
    order: Axes


@dataclass(frozen=True)
class Write:
    """Output `index` of the call, its axes in this order."""

    index: int
    order: Axes


@dataclass(frozen=True)
class Room:
    """Memory to work in."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True, eq=False)
class Table:
    """A constant array, C-contiguous."""

    array: NDArray[Any]


Argument: TypeAlias = "Read | Write | Room | Table | bool | int | float | Axes | None"


@dataclass(frozen=True, eq=False)
class Routine:
    """A function, and what to call it with: see the module's text."""

    function: Callable[..., None]
    arguments: tuple[Argument, ...]
    work: float

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def scratch(self) -> int:
        """Bytes of room."""
        return sum(a.nbytes for a in self.arguments if isinstance(a, Room))


#: The module of this folder that knows an operation: its `plan(call)` gives a Routine.
MODULES = {
    "RNN": "recurrent",
    "LSTM": "lstm",
    "GRU": "gru",
    "Convolution": "convolution",
    "ConvolutionWithBias": "convolution",
    "MaxPool": "pooling",
    "MaxOnly": "pooling",
    "PutWinners": "pooling",
    "WindowSum": "pooling",
    "SpreadSum": "pooling",
}


def find(instr: Instr, threads: int = 1) -> Routine | None:
    """The native routine for a call, or None if there is none for such a call.

    `threads` is the most that will run it, for each of which it may want room.

    Examples
    --------
    >>> x = Value((3,), np.dtype("f4"))
    >>> find(Instr("negative", (x,), (Value((3,), np.dtype("f4")),))) is None
    True
    """
    if instr.op != "call":
        return None
    module = MODULES.get(instr.attrs["op"].__name__)
    if module is None:
        return None
    found: Any = importlib.import_module(f"dotori.compiler.native.{module}")
    routine: Routine | None = found.plan(Call(instr, threads))
    return routine


class Call:
    """A call instruction, looked at as the routines want it.

    Attributes
    ----------
    op, rule : str
    args : list
        What the operation is called with, without `xp`: a `Slot` for each input.
    attrs : dict
        Its attributes.
    results : list
        For each result of the operation, in order, the number of the output; None for
        what nobody wants.
    threads : int
    """

    def __init__(self, instr: Instr, threads: int = 1) -> None:
        self.instr = instr
        self.threads = threads
        self.op: str = instr.attrs["op"].__name__
        self.rule: str = instr.attrs["rule"]
        args = list(instr.attrs["args"])
        self.args = args[1:] if args and isinstance(args[0], ModuleType) else args
        self.attrs: dict[str, Any] = instr.attrs["kwargs"]
        numbers = iter(range(len(instr.outputs)))
        self.results = _numbered(instr.attrs["structure"], numbers)

    def value(self, given: Any) -> Value | None:
        """The value behind an argument; None where none is given."""
        if not isinstance(given, Slot):
            return None
        found = self.instr.inputs[given.index]
        return found if isinstance(found, Value) else None

    def read(self, given: Any, order: Axes | None = None) -> Read | None:
        """How a routine reads an argument: None where it is None."""
        value = self.value(given)
        if value is None:
            return None
        return Read(given.index, tuple(range(value.ndim)) if order is None else order)

    def write(
        self, result: int, dtype: np.dtype[Any], shape: tuple[int, ...]
    ) -> Write | Room:
        """Where a routine writes a result; room, where nobody wants it."""
        number = self.results[result] if result < len(self.results) else None
        if number is None:
            return Room(dtype.name, shape)
        return Write(number, tuple(range(len(shape))))

    def wanted(self, result: int) -> Write | None:
        """Where a routine writes a result; None, where nobody wants it."""
        number = self.results[result]
        if number is None:
            return None
        return Write(number, tuple(range(self.instr.outputs[number].ndim)))

    def plain(self, types: str = "fd") -> bool:
        """Whether all floats are of one type that routines know, and none is empty."""
        values = [*self.instr.values(), *self.instr.outputs]
        found = {x.dtype for x in values if x.dtype.kind in "fc"}
        if len(found) != 1 or next(iter(found)).char not in types:
            return False
        return all(x.size for x in values)


def _numbered(structure: Any, numbers: Iterator[int]) -> list[int | None]:
    if structure is True or structure is None:
        return [None if structure is None else next(numbers)]
    return [None if part is None else next(numbers) for part in structure]


def lies(value: Value, order: Axes) -> bool:
    """Whether the memory of a value is contiguous with its axes in this order.

    Axes of length one may stand anywhere.
    """
    wide = [a for a in order if value.shape[a] != 1]
    return wide == [a for a in value.order if value.shape[a] != 1]


def source(routines: Iterable[Routine]) -> str:
    """The text of the functions that the routines need, each before its first use."""
    parts: dict[str, Any] = {}
    for routine in routines:
        _gather(routine.function, parts)
    return "\n\n".join(map(_text, parts.items()))


def _gather(function: Any, parts: dict[str, Any]) -> None:
    """Add a function, after all that it names in its module: functions and numbers."""
    if parts.get(function.__name__) is function:
        return
    for name in function.__code__.co_names:
        used = function.__globals__.get(name)
        if isinstance(used, FunctionType) and _is_of_a_routine(used):
            _gather(used, parts)
        elif isinstance(used, int | float) and parts.setdefault(name, used) != used:
            raise ValueError(f"two modules of native routines disagree on {name}")
    if parts.setdefault(function.__name__, function) is not function:
        raise ValueError(f"two native routines are named {function.__name__}")


def _text(part: tuple[str, Any]) -> str:
    """The line of a number, or the lines of a function."""
    name, value = part
    if isinstance(value, FunctionType):
        return inspect.getsource(value).rstrip() + "\n"
    return f"{name} = {value!r}"


def _is_of_a_routine(function: FunctionType) -> bool:
    package, _, module = function.__module__.rpartition(".")
    return package == __package__ and module not in ("language", "library")
