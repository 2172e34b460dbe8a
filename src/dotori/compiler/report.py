"""`Report`: what `step.explain()` tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dotori.compiler.step import Compiled


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
    n_instructions, n_fused : int
        Of the last capture: how many instructions, and how many of its elementwise
        ones and reductions share a loop with others.
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
        self.n_instructions = self.n_captured = self.n_fused = self.nbytes = 0
        self.native, self.trouble, self.plain_first = False, "", False
        if entries:
            entry = entries[-1]
            plan = entry.native or entry.plan
            self.calls = list(dict.fromkeys(entry.captured.calls))
            self.n_captured = len(entry.captured.program.instrs)
            self.n_instructions = len(entry.program.instrs)
            self.n_fused = int(getattr(plan, "n_fused", 0))
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
            f"the passes, {self.n_fused} fused into loops"
        )
        if self.calls:
            lines.append("run as a whole, by their own code:")
            lines += [f"  {call}" for call in self.calls]
        if self.trouble:
            lines.append(f"compiling failed: {self.trouble}")
        return "\n".join(lines)

    __repr__ = __str__
