"""`NativePlan`: a program compiled into functions of the machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dotori.compiler.interpret import perform
from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.native import runtime
from dotori.compiler.native.buffers import Array, Buffers
from dotori.compiler.native.emit import Emitter
from dotori.compiler.native.lowering import lowered
from dotori.compiler.native.many import Many
from dotori.compiler.native.prepare import Natives, in_place, prepared, with_own_outputs
from dotori.compiler.passes.fusion import fused
from dotori.compiler.passes.memory import plan_memory
from dotori.compiler.primitives import REDUCTIONS
from dotori.kernels import _threads

#: Work of a step, in multiplications, from which on it runs on several threads: below,
#: what threads save in some 100 us is what they cost.
LEAST_SHARED = 1 << 22
#: What an element of another instruction is worth in multiplications.
ELEMENT = 8


class NativePlan:
    """A program as machine code: products by BLAS, all else in fused loops.

    What has no native form is called in Python, between native segments.

    Parameters
    ----------
    program : Program
    threads : int, optional
        By default one for small programs and one for each core for others. The results
        are the same.

    Attributes
    ----------
    nbytes : int
        The memory of all that it keeps between runs, states and constants aside.

    Raises
    ------
    MissingDependencyError
        Without Numba, unless the machine code lies on the disk already.

    Notes
    -----
    A plan has one set of buffers: one thread at a time may run it.

    Examples
    --------
    >>> import numpy as np, pytest
    >>> _ = pytest.importorskip("numba")
    >>> x, y = (Value((2,), np.dtype("f4"), kind) for kind in ("input", "made"))
    >>> plan = NativePlan(Program([x], [], [Instr("add", (x, 0.5), (y,))], [y]))
    >>> plan.run([np.float32([1, 2])])
    [array([1.5, 2.5], dtype=float32)]
    """

    def __init__(self, program: Program, threads: int | None = None) -> None:
        self.threads = threads or threads_for(program)
        native = Natives(self.threads)
        ready = prepared(fused(with_own_outputs(lowered(program))), native)
        memory = plan_memory(
            ready, lambda instr: instr.op != "call" or native(instr), in_place
        )
        emitter = Emitter(memory, native)
        self._segments = emitter.emit()
        self._errors: list[Any] = emitter.errors
        self._buffers = Buffers(memory, emitter.slots)
        self.nbytes = self._buffers.nbytes
        self._program = memory.program
        self._natives: list[runtime.Native] = []
        self._runs = [
            self._native(s.source) if s.instr is None else self._python(s.instr)
            for s in self._segments
        ]
        self._call = self._buffers.caller(self._runs)

    def _native(self, source: str) -> Callable[[], int]:
        native, table = runtime.load(source), self._buffers.table
        self._natives.append(native)
        if self.threads == 1:
            return native.bound(table)
        return lambda: native(table, self.threads)

    def _python(self, instr: Instr) -> Callable[[], int]:
        """What runs an instruction that has no native form."""
        buffers = self._buffers

        def run() -> int:
            given = [
                buffers.array(x) if isinstance(x, Value) else x for x in instr.inputs
            ]
            made = perform(instr, given)
            for y, array in zip(instr.outputs, made, strict=True):
                if instr.op == "call":
                    buffers.lie(y, array)
                else:
                    buffers.array(y)[...] = array
            return 0

        return run

    def run(self, inputs: Sequence[Array], host: Sequence[Any] = ()) -> list[Array]:
        """Perform the program; states are changed in place.

        Parameters
        ----------
        inputs : sequence of array
            As `program.inputs`, with any strides.
        host : sequence of array or number
            As `program.host`.

        Returns
        -------
        list of array
            One for each of `program.outputs`, which no later run changes.

        Raises
        ------
        Exception
            What a ``require`` asks for; no state has changed then.
        """
        found = self._call(inputs, host)
        if type(found) is int:
            raise self._errors[found - 1]()
        outputs: list[Array] = found
        return outputs

    def run_many(
        self, inputs: Sequence[Sequence[Array]], host: Sequence[Sequence[Any] | Array]
    ) -> list[Array]:
        """Several runs, one after the other; at least one.

        Parameters
        ----------
        inputs : sequence
            For each run, as `run` takes them.
        host : sequence
            For each of `program.host`, what it is in each run; one array of all runs
            is read where it lies.

        Returns
        -------
        list of array
            What `run` gives, each output stacked along a first axis.

        Raises
        ------
        Exception
            What a ``require`` asks for; the runs before it have changed the states, and
            its attribute ``completed`` says how many there were.
        """
        if len(self._natives) != len(self._runs) or len(self._runs) != 1:
            given = zip(*host, strict=True) if host else [()] * len(inputs)
            runs = [self.run(x, h) for x, h in zip(inputs, given, strict=True)]
            return [np.stack(arrays) for arrays in zip(*runs, strict=True)]
        many = Many(self._program, self._buffers, inputs, host)
        number = many.run(self._natives[0].address, self.threads)
        if number:
            error = self._errors[number - 1]()
            error.completed = many.completed
            raise error
        return many.outputs()

    def source(self) -> str:
        """The Python code that is compiled, and the calls in between."""
        parts = [
            s.source if s.instr is None else f"# in Python: {s.instr.op}\n"
            for s in self._segments
        ]
        return "\n\n".join(parts)


def threads_for(program: Program) -> int:
    """One thread for small programs, all for others."""
    return 1 if work_of(program) < LEAST_SHARED else _threads.number()


def work_of(program: Program) -> int:
    """What a run takes, roughly, in multiplications."""
    work = 0
    for instr in program.instrs:
        first = next(instr.values(), None)
        size = sum(y.size for y in instr.outputs)
        if first is not None and instr.op == "matmul":
            work += size * first.shape[-1]
        elif first is not None and instr.op == "call":
            work += ELEMENT * ELEMENT * (size + sum(x.size for x in instr.values()))
        elif first is not None and instr.op in REDUCTIONS:
            work += ELEMENT * first.size
        else:
            work += ELEMENT * size
    return work
