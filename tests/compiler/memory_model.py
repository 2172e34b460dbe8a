"""A model of memory that says whether a plan keeps what is still to be read.

Each element of each value has a number of its own. The model goes through a program,
notes which number each byte holds, and checks that whatever is read is still there, that
nothing is written over what the same instruction reads, and that states keep what they
held until the last check has passed. It knows nothing of lifetimes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dotori.compiler.interpret import _PERFORM
from dotori.compiler.ir import Instr, Value
from dotori.compiler.passes.memory import MemoryPlan, Place, overwritable
from dotori.compiler.primitives import ELEMENTWISE, VIEWS


class Model:
    """Walk through `plan`; an AssertionError tells what goes wrong."""

    def __init__(self, plan: MemoryPlan) -> None:
        self.plan = plan
        self.bytes: dict[Any, dict[int, int]] = {}  # by memory: which element is there
        self.elements: dict[Value, Any] = {}
        self.fresh = 0
        program = plan.program
        for x in plan.places:
            if x.kind != "made":
                self.elements[x] = self._overlaid(x)
                self._write(x, plan.places[x])
        self.initial = {
            x: self._held(x, plan.places[x]) for x in plan.places if x.kind == "state"
        }
        checks = [i for i, instr in enumerate(program.instrs) if instr.op == "require"]
        self.last_check = max(checks, default=-1)
        for i, instr in enumerate(program.instrs):
            self.perform(i, instr)
        self.finish()

    def perform(self, i: int, instr: Instr) -> None:
        for x in instr.values():
            self.check(x, f"{instr.op} at {i} reads {x}")
        if instr.op in VIEWS or instr.op == "concatenate":
            parts = [self.elements[x] for x in instr.values()]
            y = Instr(instr.op, instr.inputs, instr.outputs, instr.attrs)
            self.elements[instr.output] = np.asarray(_PERFORM[instr.op](y, *parts)[0])
        for k, y in enumerate(instr.outputs):
            self._make(i, instr, k, y)
        if i <= self.last_check:
            for x, held in self.initial.items():
                assert self._held(x, self.plan.places[x]) == held, f"{x} before a check"

    def _make(self, i: int, instr: Instr, k: int, y: Value) -> None:
        place = self.plan.places[y]
        if instr.op in VIEWS and self.plan.is_alias(instr):
            return
        if instr.op == "concatenate":
            for x, part in self.plan.missing_parts(instr):
                inside = Value(x.shape, y.dtype)
                self.elements[inside] = self.elements[x]
                self._disjoint(i, instr, self._addresses(inside, part), part.base, None)
                self._write(inside, part)
            return
        if instr.op not in VIEWS:
            self.elements[y] = self._numbers(y.shape)
        same = [
            index
            for out, index in overwritable(instr)
            if out == k and self.plan.together(y, instr.inputs[index])
        ]
        addresses = self._addresses(y, place)
        if instr.op == "update":
            x = instr.inputs[0]
            numbers = np.array(self.elements[x])
            index = instr.attrs["index"]
            numbers[index] = self.elements[y][index]
            self.elements[y] = numbers
        self._disjoint(i, instr, addresses, place.base, same[0] if same else None)
        self._write(y, place)

    def _disjoint(
        self, i: int, instr: Instr, written: Any, base: Any, same: Any
    ) -> None:
        """What is written is not what an input, other than `same`, still holds."""
        memory = self._memory(base)
        for j, x in enumerate(instr.inputs):
            if not isinstance(x, Value) or j == same:
                continue
            place = self.plan.places[x]
            if same is not None and instr.op in ELEMENTWISE:
                old = instr.inputs[same]
                alike = (x.shape, x.dtype) == (old.shape, old.dtype)
                if alike and self.plan.together(x, old):
                    continue  # each element is read before it is written
            if self._memory(place.base) is memory:
                shared = np.intersect1d(written, self._addresses(x, place))
                assert not shared.size, f"{instr.op} at {i} writes over its input {x}"

    def check(self, x: Value, what: str) -> None:
        held = self._held(x, self.plan.places[x])
        wanted = np.repeat(self.elements[x].ravel(), x.dtype.itemsize).tolist()
        assert held == wanted, f"{what}, which is no longer there"

    def finish(self) -> None:
        program = self.plan.program
        for x in program.results():
            self.check(x, f"the result {x} is read")
        for state, new in program.updates:
            self.check(new, f"the new value of {state} is read")
            numbers, place = self.elements[new], self.plan.places[state]
            self.elements[state] = numbers
            self._write(state, place)
        for state, new in program.updates:
            self.elements[state] = self.elements[new]
            self.check(state, f"the state {state}")

    # memory

    def _numbers(self, shape: tuple[int, ...]) -> Any:
        size = int(np.prod(shape))
        self.fresh += size
        return np.arange(self.fresh - size, self.fresh).reshape(shape)

    def _overlaid(self, x: Value) -> Any:
        """Numbers for what is there at first: those that memory holds already."""
        found = self._numbers(x.shape)
        if not isinstance(x.array, np.ndarray):
            return found
        memory = self._memory(x)
        addresses = self._addresses(x, self.plan.places[x])[:: x.dtype.itemsize]
        flat = [memory.get(a, n) for a, n in zip(addresses, found.ravel(), strict=True)]
        return np.array(flat, int).reshape(x.shape)

    def _memory(self, base: Value | None) -> dict[int, int]:
        """States and constants may overlap, so they share one."""
        lives = base is not None and base.kind in ("state", "constant")
        return self.bytes.setdefault("machine" if lives else base, {})

    def _addresses(self, x: Value, place: Place) -> Any:
        start = place.offset
        if place.base is not None and place.base.array is not None:
            start += place.base.array.__array_interface__["data"][0]
        grid = np.full(x.shape, start)
        for axis, step in enumerate(place.steps):
            shape = [1] * x.ndim
            shape[axis] = -1
            grid = grid + (np.arange(x.shape[axis]) * step).reshape(shape)
        return (grid.ravel()[:, None] + np.arange(x.dtype.itemsize)).ravel()

    def _held(self, x: Value, place: Place) -> list[Any]:
        memory = self._memory(place.base)
        return [memory.get(a) for a in self._addresses(x, place).tolist()]

    def _write(self, x: Value, place: Place) -> None:
        memory = self._memory(place.base)
        addresses = self._addresses(x, place)
        if place.base is None and addresses.size:
            assert addresses.min() >= 0 and addresses.max() < self.plan.nbytes
        numbers = np.repeat(self.elements[x].ravel(), x.dtype.itemsize)
        memory.update(zip(addresses.tolist(), numbers.tolist(), strict=True))
