"""The reference interpreter, checked by hand."""

import numpy as np
import pytest
from hand_made import Maker
from programs import a_call

from dotori.compiler.interpret import evaluate, perform
from dotori.compiler.ir import Instr, Value
from dotori.kernels import optim as kernels

F4 = np.dtype("f4")


def test_numbers_have_no_type_of_their_own():
    m = Maker()
    (y,) = evaluate(m.program(m.add(m.input(2), 0.5)), [np.float32([1, 2])])
    assert y.dtype == np.float32 and y.tolist() == [1.5, 2.5]


def test_states_keep_what_they_held_until_the_end():
    m = Maker()
    a, b = m.state(np.zeros(2, "f4")), m.state(np.ones(2, "f4"))
    m.updates += [(a, b), (b, m.add(a, 5.0))]
    memory = a.array
    (old,) = evaluate(m.program(a), [])
    assert (old.tolist(), a.array.tolist(), b.array.tolist()) == (
        [0, 0],
        [1, 1],
        [5, 5],
    )
    assert a.array is memory


def test_outputs_are_no_views_of_states_or_inputs():
    m = Maker()
    w, x = m.state(np.zeros(2, "f4")), m.input(2)
    given = np.ones(2, "f4")
    for y in evaluate(m.program(w, x, m.reshape(w, shape=(1, 2))), [given]):
        assert not np.shares_memory(y, w.array) and not np.shares_memory(y, given)


def test_a_check_that_fails_leaves_the_states_alone():
    m = Maker()
    w = m.state(np.zeros(2, "f4"))
    m.updates.append((w, m.add(w, 1.0)))
    m.require(m.less(m.input(), 3.0), lambda: ValueError("too large"))
    with pytest.raises(ValueError, match="too large"):
        evaluate(m.program(), [np.float32(4)])
    assert w.array.tolist() == [0, 0]
    evaluate(m.program(), [np.float32(2)])
    assert w.array.tolist() == [1, 1]


def test_kernels_work_on_copies():
    m = Maker("f8")
    p, v, a, g = (m.input(3) for _ in range(4))
    rate = m.given(dtype="f8")
    args = [p, g, v, a, None, rate, 0.1, 0.001, 0.999, 1e-8, 0.0, 1.0]
    new = m.kernel(kernels.adam, args, [p, v, a])
    arrays = [np.full(3, n) for n in (1.0, 0.0, 0.0, 2.0)]
    found = evaluate(m.program(*new), arrays, [0.5])
    np.testing.assert_allclose(found[1], 0.1 * 2)
    np.testing.assert_allclose(found[2], 0.001 * 4)
    np.testing.assert_allclose(found[0], 1 - 0.5 * 0.2 / (np.sqrt(0.004) + 1e-8))
    assert arrays[0].tolist() == [1, 1, 1]


def test_calls_give_the_parts_that_are_outputs():
    dy, x, w = (
        np.arange(n, dtype=F4).reshape(-1, k) for n, k in ((8, 4), (6, 3), (12, 3))
    )
    dw, db = evaluate(a_call(), [dy, x, w])
    np.testing.assert_array_equal(dw, dy.T @ x)
    np.testing.assert_array_equal(db, dy.sum(0))


def test_what_is_declared_otherwise_is_found():
    x, y = Value((2,), F4, "input"), Value((2,), np.dtype("f8"))
    with pytest.raises(AssertionError, match="float32"):
        perform(Instr("exp", (x,), (y,)), [np.zeros(2, "f4")])
