"""`Report`: what `step.explain()` tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dotori.compiler.ir import Program
from dotori.compiler.passes.fusion import fused

if TYPE_CHECKING:
    from dotori.compiler.step import Compiled


def _loops(program: Program) -> list[str]:
    """For each loop that instructions share: what they are, and from which line."""
    groups = [instr for instr in fused(program).instrs if instr.op == "fused"]
    return [f"{' '.join(i.op for i in g.attrs['body'])} ({g.where})" for g in groups]


class Report:
    """What became of a captured step, for people to read; print it.

    Attributes
    ----------
    captures : int
        How often the step was captured.
    reasons : list of str
        Why, each time.
    failure : str
        Why the step runs without being captured, if so.
    calls : list of str
        The operations that run by their own code, as a whole.
    n_captured, n_instructions : int
        Of the last capture: how many instructions, and how many after the passes.
    loops : list of str
        What is fused, of instructions that share a loop, in machine code.
    nbytes : int
        The memory of its plan's buffers.
    native : bool
        Whether it runs compiled.
    plain_first : bool
        Whether it runs as it is until then.
    """

    def __init__(self, step: Compiled) -> None:
        self.captures, self.failure = step.captures, step.failure
        self.reasons = list(step.reasons)
        entries = list(step.entries())
        self.kept = len(entries)
        self.calls: list[str] = []
        self.n_instructions = self.n_captured = self.nbytes = 0
        self.loops: list[str] = []
        self.native, self.trouble, self.plain_first = False, "", False
        if entries:
            entry = entries[-1]
            plan = entry.native or entry.plan
            self.calls = list(dict.fromkeys(entry.captured.calls))
            self.n_captured = len(entry.captured.program.instrs)
            self.n_instructions = len(entry.program.instrs)
            self.loops = _loops(entry.program)
            self.nbytes = int(plan.nbytes)
            self.native, self.trouble = entry.native is not None, entry.trouble
            self.plain_first = entry.plain_first

    def __str__(self) -> str:
        if self.failure:
            return f"not captured: {self.failure}"
        if not self.kept:
            return "not captured yet: call the step once"
        lines = [f"captured {self.captures} times, {self.kept} kept"]
        lines += [f"  {i + 1}. {reason}" for i, reason in enumerate(self.reasons)]
        how = "planned NumPy"
        if self.native:
            how = "compiled to machine code"
        elif self.plain_first:
            how = "it is, until it is compiled"
        lines.append(f"runs as {how}, {self.nbytes / 1024:.1f} kB of buffers")
        lines.append(
            f"{self.n_captured} instructions captured, {self.n_instructions} after "
            "the passes"
        )
        if self.loops:
            lines.append("fused, in machine code, into these loops:")
            lines += [f"  {loop}" for loop in self.loops]
        if self.calls:
            lines.append("run as a whole, by their own code:")
            lines += [f"  {call}" for call in self.calls]
        if self.trouble:
            lines.append(f"compiling failed: {self.trouble}")
        return "\n".join(lines)

    __repr__ = __str__
