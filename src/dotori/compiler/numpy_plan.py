"""`NumPyPlan`: a program computed with NumPy, in memory that was planned once."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import Context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.compiler.ir import Program
from dotori.compiler.numpy_source import Scribe
from dotori.compiler.passes.dead import without_dead_code
from dotori.compiler.passes.memory import plan_memory
from dotori.compiler.passes.operands import with_casts
from dotori.compiler.passes.sums import with_faster_sums


class NumPyPlan:
    """A program as one Python function that calls NumPy, and allocates little else.

    Parameters
    ----------
    program : Program

    Attributes
    ----------
    nbytes : int
        The memory of all that it keeps between runs, states and constants aside.

    Notes
    -----
    A plan has one set of buffers: one thread at a time may run it.

    Examples
    --------
    >>> from dotori.compiler.ir import Instr, Value
    >>> x, y = (Value((2,), np.dtype("f4"), kind) for kind in ("input", "made"))
    >>> plan = NumPyPlan(Program([x], [], [Instr("exp", (x,), (y,))], [y]))
    >>> plan.run([np.zeros(2, "f4")])
    [array([1., 1.], dtype=float32)]
    >>> print(plan.source())
    def step(inputs, host):
        [i0] = inputs
        m0 = exp(i0)
        return [m0]
    <BLANKLINE>
    """

    def __init__(self, program: Program) -> None:
        memory = plan_memory(_prepared(program))
        self.nbytes = memory.nbytes
        scribe = Scribe(memory)
        self._source = scribe.source()
        exec(compile(self._source, "<planned step>", "exec"), scribe.globals)
        self._step = scribe.globals["step"]
        # entering a context that was made once takes a fraction of np.errstate
        self._quiet = Context()
        self._quiet.run(np.seterr, all="ignore")

    def run(
        self, inputs: Sequence[NDArray[Any]], host: Sequence[Any] = ()
    ) -> list[NDArray[Any]]:
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
        found: list[NDArray[Any]] = self._quiet.run(self._step, inputs, host)
        return found

    def source(self) -> str:
        """The Python code that runs, under the arrays that it was planned with."""
        return self._source


def _prepared(program: Program) -> Program:
    """The program in the form that suits NumPy."""
    return with_casts(without_dead_code(with_faster_sums(program)))
