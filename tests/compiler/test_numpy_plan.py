"""Planned NumPy computes what the reference does, run after run."""

import numpy as np
from hypothesis import given
from programs import Case, checked, close, programs

from dotori.compiler.interpret import evaluate
from dotori.compiler.numpy_plan import NumPyPlan


@given(programs())
def test_a_plan_is_equal_to_the_reference(case: Case):
    checked(case, NumPyPlan(case.program).run)


def strange(array, gene):
    """The same numbers, differently laid out in memory."""
    if gene == 0:
        return np.array(array.T, order="C").T
    if gene == 1:
        return np.array(array[..., ::-1])[..., ::-1] if array.ndim else array
    larger = np.zeros((*array.shape, 2), array.dtype)
    larger[..., 1] = array
    return larger[..., 1]


@given(programs())
def test_runs_do_not_disturb_each_other(case: Case):
    """Not by the strides of their inputs, nor by what they leave in the buffers."""
    wanted = evaluate(case.program, case.inputs, case.host)
    states = case.states()
    plan = NumPyPlan(case.program)
    found = []
    for k in range(3):
        case.reset()
        inputs = [strange(x, k) for x in case.inputs]
        found.append(plan.run(inputs, case.host))
        for a, b in zip(case.states(), states, strict=True):
            close(a, b, case.tolerance())
    for outputs in found:
        for a, b in zip(outputs, wanted, strict=True):
            close(a, b, case.tolerance())
    case.reset()
