"""Programs with numbers to run them on, and what it means that a run is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dotori.compiler.interpret import evaluate
from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.primitives import Slot
from dotori.ops.linear import Linear


@dataclass
class Case:
    """A program with numbers to run it on."""

    program: Program
    inputs: list[Any]
    host: list[Any]
    before: list[tuple[Value, Any]] = field(default_factory=list)

    def reset(self) -> None:
        """Give the states the numbers that they had at first."""
        for state, array in self.before:
            state.array[...] = array

    def states(self) -> list[Any]:
        """What the states hold now."""
        return [np.array(state.array) for state, _ in self.before]

    def tolerance(self) -> float:
        values = {x for i in self.program.instrs for x in (*i.values(), *i.outputs)}
        single = any(x.dtype == np.float32 for x in values)
        return 2e-3 if single else 1e-9

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What hypothesis shows of an example that fails."""
        before = [array for _, array in self.before]
        printer.text(f"{self.program}\n{self.inputs} {self.host} {before}")


def close(found: Any, wanted: Any, tolerance: float) -> None:
    """Same type, same shape, same numbers but for rounding."""
    assert isinstance(found, np.ndarray)
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def checked(case: Case, run: Callable[[list[Any], list[Any]], list[Any]]) -> None:
    """`run` gives what the reference gives, and leaves the same states."""
    case.reset()
    wanted = evaluate(case.program, case.inputs, case.host)
    states = case.states()
    case.reset()
    found = run(case.inputs, case.host)
    for a, b in zip(found, wanted, strict=True):
        close(a, b, case.tolerance())
    for a, b in zip(case.states(), states, strict=True):
        close(a, b, case.tolerance())
    case.reset()


def a_call() -> Program:
    """The gradients of x w' + b, as one call whose first one is not wanted."""
    f4 = np.dtype("f4")
    x, w, dy = (Value(s, f4, "input") for s in ((2, 3), (4, 3), (2, 4)))
    dw, db = Value((4, 3), f4), Value((4,), f4)
    attrs = {
        "op": Linear,
        "rule": "backward",
        "args": (Slot(0), (False, True, True), Slot(1), Slot(2)),
        "kwargs": {},
        "structure": (None, True, True),
    }
    return Program(
        [dy, x, w], [], [Instr("call", (dy, x, w), (dw, db), attrs)], [dw, db]
    )
