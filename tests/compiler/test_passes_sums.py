"""The forms in which NumPy is fast give the same numbers, in fewer instructions."""

import numpy as np
import pytest
from hand_made import Maker
from hypothesis import given
from programs import Case, checked, programs

from dotori.compiler.interpret import evaluate
from dotori.compiler.numpy_plan import NumPyPlan
from dotori.compiler.passes.operands import with_casts
from dotori.compiler.passes.sums import with_faster_sums


@pytest.mark.parametrize("a_pass", [with_casts, with_faster_sums])
@given(case=programs())
def test_a_pass_changes_no_numbers(a_pass, case: Case):
    program = a_pass(case.program)
    checked(case, lambda inputs, host: evaluate(program, inputs, host))


@pytest.mark.parametrize("keepdims", [False, True])
def test_a_sum_of_sums_is_one(keepdims):
    m = Maker("f8")
    x = m.input(2, 3, 4, 5)
    inner = m.sum(x, axis=(1, 3), keepdims=keepdims)
    y = m.sum(inner, axis=(2,) if keepdims else (1,), keepdims=keepdims)
    program = with_faster_sums(m.program(y))
    assert program.instrs[-1].attrs["axis"] == (1, 2, 3)
    numbers = np.arange(120.0).reshape(2, 3, 4, 5)
    wanted = numbers.sum((1, 2, 3), keepdims=keepdims)
    np.testing.assert_array_equal(evaluate(program, [numbers])[0], wanted)


def test_a_sum_that_is_read_again_stays():
    m = Maker()
    inner = m.sum(m.input(3, 4), axis=(1,), keepdims=False)
    y = m.sum(inner, axis=(0,), keepdims=False)
    program = with_faster_sums(m.program(y, inner))
    assert [i.op for i in program.instrs] == ["sum", "sum"]


def test_a_sum_of_products_is_a_product():
    m = Maker("f8")
    a, b = m.input(3, 4), m.input(3, 4)
    y = m.sum(m.multiply(a, b), axis=(0, 1), keepdims=True)
    plan = NumPyPlan(m.program(y))
    assert "multiply" not in plan.source()
    x = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(plan.run([x, x[::-1]])[0], [[np.sum(x * x[::-1])]])


def test_a_product_that_broadcasts_is_summed_as_it_is():
    m = Maker("f8")
    a, b = m.input(3, 4), m.input(4)
    program = m.program(m.sum(m.multiply(a, b), axis=(0, 1), keepdims=False))
    x = np.arange(12.0).reshape(3, 4)
    (found,) = NumPyPlan(program).run([x, x[0]])
    np.testing.assert_array_equal(found, np.sum(x * x[0]))


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1)])
@pytest.mark.parametrize("axis", [(0,), (3,), (0, 2, 3), (1, 2, 3), (0, 1, 2, 3), (2,)])
def test_sums_over_any_axes_of_pictures(axis, order):
    """Those that lie together in memory are products with ones."""
    m = Maker("f8")
    h = m.exp(m.input(2, 3, 4, 5))
    h.order = order
    y = m.add(m.sum(h, axis=axis, keepdims=False), 0.5)
    x = np.linspace(-1, 1, 120).reshape(2, 3, 4, 5)
    plan = NumPyPlan(m.program(y))
    wanted = np.exp(x).sum(axis) + 0.5
    np.testing.assert_allclose(plan.run([x])[0], wanted, rtol=1e-14)
    together = {(0, 1, 2, 3), (1, 2, 3)}
    together |= {(0, 2, 3)} if order[-1] == 1 else {(0,), (3,)}
    assert ("dot(" in plan.source()) == (axis in together)


def test_a_mask_times_floats_is_cast_once():
    m = Maker()
    x, mask = m.input(5), m.input(5, dtype=bool)
    y = m.add(m.multiply(x, mask), m.multiply(m.exp(x), mask))
    program = with_casts(m.program(y))
    assert [i.op for i in program.instrs].count("cast") == 1
