"""A captured program cut into what a script tells in one go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.script.session import Event, values_in


@dataclass
class Unit:
    """What is told together: an operation, or one instruction beside all of them."""

    instrs: list[Instr]
    event: Event | None = None

    def reads(self) -> list[Value]:
        if self.event is None or self.event.forward is None:
            return [x for instr in self.instrs for x in instr.values()]
        event = self.event
        return [*values_in(event.args), *values_in(event.inputs)]


def given_to(event: Event) -> list[Any]:
    """The inputs of an operation, and the classes or places that it is told."""
    told = [event.attrs.get(name) for name in ("target", "index")]
    return [*event.args, *(x for x in told if isinstance(x, Value))]


def live_values(
    program: Program, kernels: list[Instr], grads: dict[Value, str]
) -> set[Value]:
    """What must be computed; gradients stand for what they become in the kernels.

    What is only asked, such as whether a loss is finite, is not told.
    """
    own = {y for kernel in kernels for y in kernel.outputs}
    live = {x for x in program.results() if x not in own} | set(grads)
    for instr in reversed(program.instrs):
        if instr.op == "kernel":
            continue
        if any(y in live for y in instr.outputs):
            live.update(instr.values())
    return live


def name_of(instr: Instr) -> str:
    op = instr.attrs.get("op")
    return getattr(op, "__name__", instr.op)
