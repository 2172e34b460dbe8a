"""Planned NumPy computes what the reference does, run after run."""

from contextlib import suppress

import numpy as np
import pytest
from hand_made import Maker
from hypothesis import given
from programs import Case, a_call, checked, close, programs

from dotori.compiler.interpret import evaluate
from dotori.compiler.ir import Instr, Value
from dotori.compiler.numpy_plan import NumPyPlan
from dotori.kernels import optim as kernels


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
    for state, _ in case.before:
        state.array[...] = 1
    with suppress(ArithmeticError):  # a check may fail now
        plan.run([np.ones_like(x) for x in case.inputs], case.host)
    for outputs in found:
        for a, b in zip(outputs, wanted, strict=True):
            close(a, b, case.tolerance())
    case.reset()


def test_calls_and_their_parts():
    program = a_call()
    arrays = [
        np.arange(n, dtype="f4").reshape(-1, k) for n, k in ((8, 4), (6, 3), (12, 3))
    ]
    plan = NumPyPlan(program)
    for a, b in zip(plan.run(arrays), evaluate(program, arrays), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_calls_gave_is_given_back_after_its_last_use():
    program = a_call()
    dw = program.outputs[0]
    dw.shape, program.inputs[1].shape = (4, 2000), (2, 2000)
    program.inputs[2].shape = (4, 2000)
    y = Value(dw.shape, dw.dtype)
    program.instrs.append(Instr("exp", (dw,), (y,)))
    program.outputs[:] = [y]
    assert "    del " in NumPyPlan(program).source()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_kernels_run_on_the_states_themselves(order):
    """Where their memory is contiguous; else on a copy that is written back."""
    rng = np.random.default_rng(0)
    arrays = [
        np.ascontiguousarray(rng.random((4, 3)).transpose(order)) for _ in range(3)
    ]
    m = Maker("f8")
    p, v, a = (m.state(x.transpose(order)) for x in arrays)
    g, rate = m.input(4, 3), m.given(dtype="f8")
    args = [p, g, v, a, None, rate, 0.1, 0.001, 0.999, 1e-8, 0.0, 1.0]
    flat = [
        m.reshape(x, shape=(12,)) if isinstance(x, Value) and x.ndim else x
        for x in args
    ]
    new = m.kernel(kernels.adam, flat, [flat[0], flat[2], flat[3]])
    m.updates += [
        (x, m.reshape(y, shape=(4, 3))) for x, y in zip((p, v, a), new, strict=True)
    ]
    program = m.program()
    plan, given_g = NumPyPlan(program), rng.random((4, 3))
    before = [np.array(x.array) for x in (p, v, a)]
    evaluate(program, [given_g], [0.1])
    wanted = [np.array(x.array) for x in (p, v, a)]
    for x, array in zip((p, v, a), before, strict=True):
        x.array[...] = array
    plan.run([given_g], [0.1])
    for x, array in zip((p, v, a), wanted, strict=True):
        np.testing.assert_allclose(x.array, array, rtol=1e-14)


def test_numbers_from_the_host_come_in_the_type_that_is_declared():
    m = Maker()
    rate, scale = m.given(dtype="f8"), m.given()
    y = m.multiply(m.multiply(m.input(2), scale), rate)
    program = m.program(y)
    for numbers in (
        [2, 3],
        [2.0, 3.0],
        [np.float64(2), np.float32(3)],
        [np.array(2.0), 3],
    ):
        (found,) = NumPyPlan(program).run([np.ones(2, "f4")], numbers)
        assert found.dtype == np.float64 and found.tolist() == [6, 6]


def test_names_and_lines_of_users_cannot_break_the_source():
    m = Maker()
    x = m.input(2, name="lambda")
    for name in ("lambda", "exp", "step", "1 = 2\nimport os", "가중치", "²"):
        m.instrs.append(
            Instr("exp", (x,), (Value((2,), x.dtype, name=name),), {}, "a\nb")
        )
    outputs = [instr.output for instr in m.instrs]
    program = m.program(*outputs)
    for y in NumPyPlan(program).run([np.zeros(2, "f4")]):
        assert y.tolist() == [1, 1]


def test_a_plan_of_many_instructions_is_made_in_one_go():
    m = Maker()
    h = m.input(3)
    w = m.state(np.zeros(3, "f4"))
    for k in range(3000):
        h = (
            m.update(h, m.reshape(h, shape=(3,)), index=(slice(None),))
            if k % 9 == 8
            else m.add(h, 1.0)
        )
    m.updates.append((w, h))
    NumPyPlan(m.program()).run([np.zeros(3, "f4")])
    np.testing.assert_array_equal(w.array, 3000 - 3000 // 9)


def test_warnings_stay_inside():
    m = Maker()
    x = m.input(2)
    (y,) = NumPyPlan(m.program(m.log(x))).run([np.zeros(2, "f4")])
    assert np.isneginf(y).all()


def test_source_reads_like_the_program():
    m = Maker()
    w = m.state(np.ones((3, 2), "f4"), "weight")
    x = m.input(4, 3, name="x")
    h = m.maximum(m.matmul(x, w), 0.0)
    m.updates.append((w, m.subtract(w, m.matmul(m.transpose(x, axes=(1, 0)), h))))
    for k, instr in enumerate(m.instrs):
        instr.where = f"train.py:{k}"
    source = NumPyPlan(m.program()).source()
    assert "    # train.py:0\n    dot(x, weight, m0)\n    # train.py:1\n" in source
    assert "subtract(weight, " in source and ", weight)\n" in source


@pytest.mark.parametrize("dying", ["x", "other", "neither"])
def test_where_in_whose_place_it_is_made(dying):
    m = Maker()
    given_x, given_other = m.input(4), m.input(4)
    x = m.exp(given_x) if dying == "x" else given_x
    other = m.exp(given_other) if dying == "other" else given_other
    y = m.where(m.greater(given_x, 0.5), x, other)
    program = m.program(m.add(y, 1.0))
    arrays = [np.array([0, 1, 2, 0], "f4"), np.array([5, 6, 7, 8], "f4")]
    plan = NumPyPlan(program)
    for _ in range(2):
        np.testing.assert_array_equal(plan.run(arrays)[0], evaluate(program, arrays)[0])


def test_an_output_that_a_state_becomes_is_no_part_of_it():
    m = Maker()
    w = m.state(np.zeros(3, "f4"))
    new = m.add(w, m.input(3))
    m.updates.append((w, new))
    plan = NumPyPlan(m.program(new))
    (first,) = plan.run([np.ones(3, "f4")])
    plan.run([np.ones(3, "f4")])
    assert first.tolist() == [1, 1, 1] and w.array.tolist() == [2, 2, 2]
