"""Native routines beside the operations whose calls they serve, for their tests.

A call is made as a captured program would have it. Its routine runs as plain Python, or
compiled, with any number of threads; its results stand beside those of the operation's
own rule.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dotori.compiler.ir import Instr, Value
from dotori.compiler.native.library import (
    Read,
    Room,
    Routine,
    Table,
    Write,
    find,
    source,
)
from dotori.compiler.primitives import Slot


def order_of(array: Any) -> tuple[int, ...]:
    """The axes of an array from the slowest to the fastest."""
    return tuple(sorted(range(array.ndim), key=lambda a: -array.strides[a]))


class Example:
    """A call of a rule, and what the operation itself makes of it.

    Attributes
    ----------
    instr : Instr
    inputs : list of array
    expected : list of array
        The outputs.
    raw : Any
        All that the rule gave.
    """

    def __init__(self, op: Any, rule: str, *args: Any, **kwargs: Any) -> None:
        self.inputs: list[Any] = []
        template = tuple(self._slots(arg) for arg in args)
        self.raw = getattr(op, rule)(np, *args, **kwargs)
        self.expected: list[Any] = []
        structure = self._structure(self.raw)
        attrs = {
            "op": op,
            "rule": rule,
            "args": template,
            "kwargs": kwargs,
            "structure": structure,
        }
        values = tuple(Value(a.shape, a.dtype, "input") for a in self.inputs)
        made = tuple(Value(a.shape, a.dtype, order=order_of(a)) for a in self.expected)
        self.instr = Instr("call", values, made, attrs)

    def _slots(self, arg: Any) -> Any:
        if isinstance(arg, np.ndarray):
            self.inputs.append(arg)
            return Slot(len(self.inputs) - 1)
        if isinstance(arg, tuple | list):
            return tuple(self._slots(part) for part in arg)
        return arg

    def _structure(self, result: Any) -> Any:
        if result is None:
            return None
        if isinstance(result, tuple | list):
            return [self._structure(part) for part in result]
        self.expected.append(np.asarray(result))
        return True

    def routine(self, threads: int = 1) -> Routine | None:
        return find(self.instr, threads)

    def run(self, how: str = "python", threads: int = 1) -> list[Any]:
        """The outputs by the routine: ``"python"``, or ``"numba"`` for compiled."""
        routine = self.routine(threads)
        assert routine is not None
        memories, outputs = self._memories(routine)
        given = [m for m in memories if isinstance(m, np.ndarray)]
        before = [array.copy() for array in self.inputs]
        if how == "python":
            routine.function(*memories, None, 0, 1)
        else:
            _run_compiled(_step(routine, memories), given, threads)
        for array, copy in zip(self.inputs, before, strict=True):
            np.testing.assert_array_equal(array, copy)  # inputs are left alone
        return outputs

    def _memories(self, routine: Routine) -> tuple[list[Any], list[Any]]:
        """What the routine is called with, and the outputs among it."""
        memories: list[Any] = []
        outputs: list[Any] = [None] * len(self.expected)
        for argument in routine.arguments:
            if isinstance(argument, Read):
                source = self.inputs[argument.index].transpose(argument.order)
                memories.append(np.array(source, order="C"))
            elif isinstance(argument, Write):
                like = self.expected[argument.index]
                shape = tuple(like.shape[a] for a in argument.order)
                memories.append(_unset(shape, like.dtype))
                back = np.argsort(argument.order)
                outputs[argument.index] = memories[-1].transpose(back)
            elif isinstance(argument, Room):
                memories.append(_unset(argument.shape, np.dtype(argument.dtype)))
            elif isinstance(argument, Table):
                memories.append(argument.array)
            else:
                memories.append(argument)
        return memories, outputs


def _unset(shape: tuple[int, ...], dtype: Any) -> Any:
    """Memory that shows when it is read before it is written."""
    array = np.empty(shape, dtype)
    array.fill(np.nan if array.dtype.kind == "f" else 99)
    return array


def _step(routine: Routine, memories: list[Any]) -> str:
    """The text of a step that calls the routine once."""
    given, slot = [], 0
    for memory in memories:
        if isinstance(memory, np.ndarray):
            given.append(f"{memory.dtype.name}(table, {slot}, {memory.shape})")
            slot += 1
        else:
            given.append(repr(memory))
    call = f"{routine.name}({', '.join(given)}, table, thread, threads)"
    head = "from __future__ import annotations\n\n"
    step = f"def step(table, thread, threads):\n    {call}\n    return 0\n"
    return f"{head}{source([routine])}\n\n{step}"


def _run_compiled(text: str, arrays: list[Any], threads: int) -> None:
    from dotori.compiler.native import runtime

    step = runtime.load(text)
    table = np.array([a.__array_interface__["data"][0] for a in arrays], np.int64)
    assert step(table, threads) == 0


def agree(example: Example, how: str = "python", threads: int = 1) -> None:
    """The routine's outputs are the operation's, up to rounding."""
    for found, wanted in zip(example.run(how, threads), example.expected, strict=True):
        assert found.dtype == wanted.dtype and found.shape == wanted.shape
        if wanted.dtype.kind != "f":
            np.testing.assert_array_equal(found, wanted)
            continue
        exact = wanted.dtype == np.float64
        scale = float(np.fmax.reduce(np.abs(wanted), axis=None, initial=1.0))
        bound = (1e-12 if exact else 2e-5) * scale
        np.testing.assert_allclose(found, wanted, rtol=0, atol=bound)
