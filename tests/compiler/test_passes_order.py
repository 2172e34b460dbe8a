"""Passes that move or repeat instructions: the numbers stay, checks and peaks do not."""

import numpy as np
import pytest
from hand_made import Maker
from hypothesis import given
from programs import Case, checked, programs

from dotori.compiler.interpret import evaluate
from dotori.compiler.passes.checks import with_checks_first
from dotori.compiler.passes.memory import plan_memory
from dotori.compiler.passes.recompute import peak, with_recomputation


@pytest.mark.parametrize("a_pass", [with_checks_first, with_recomputation])
@given(case=programs())
def test_a_pass_changes_no_numbers(a_pass, case: Case):
    program = a_pass(case.program)
    checked(case, lambda inputs, host: evaluate(program, inputs, host))


@given(case=programs())
def test_recomputation_never_raises_the_peak(case: Case):
    assert peak(with_recomputation(case.program)) <= peak(case.program)


def test_what_the_backward_pass_needs_is_made_again():
    m = Maker()
    x = m.input(1000)
    kept = [m.multiply(x, float(k)) for k in range(1, 5)]
    h = x
    for k in kept:
        h = m.exp(m.add(h, k))
    for k in reversed(kept):
        h = m.multiply(m.tanh(h), k)
    program = m.program(h)
    again = with_recomputation(program)
    assert len(again.instrs) > len(program.instrs)
    assert plan_memory(again).nbytes < plan_memory(program).nbytes


def test_costly_values_are_kept():
    m = Maker()
    x = m.input(1000)
    kept = m.exp(x)
    h = m.tanh(m.add(m.sqrt(x), m.cos(x)))
    program = m.program(m.add(h, kept))
    assert with_recomputation(program).instrs == program.instrs


def test_a_check_of_an_input_comes_before_the_work():
    m = Maker()
    x, w = m.input(4, 3), m.state(np.ones((3, 2), "f4"))
    new = m.multiply(w, 0.5)
    m.updates.append((w, new))
    h = m.matmul(x, w)
    m.require(m.all(m.less(x, 5.0), axis=(0, 1)), ValueError)
    program = m.program(h)
    first = with_checks_first(program)
    assert [i.op for i in first.instrs] == [
        "less",
        "all",
        "require",
        "multiply",
        "matmul",
    ]
    plan = plan_memory(with_checks_first(program))
    assert plan.places[new].base is not w, "w is read later"


def test_a_check_of_a_result_stays_where_it_is():
    m = Maker()
    h = m.matmul(m.input(4, 3), m.input(3, 2))
    m.require(m.all(m.isfinite(h), axis=(0, 1)), ValueError)
    program = m.program(h)
    assert with_checks_first(program).instrs == program.instrs


def test_checks_keep_their_order():
    m = Maker()
    x = m.input()
    m.require(m.less(x, 5.0), ValueError)
    m.exp(x)
    m.require(m.less(x, 3.0), TypeError)
    with pytest.raises(ValueError):
        evaluate(with_checks_first(m.program()), [np.float32(7)])
