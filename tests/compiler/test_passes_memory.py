"""Buffer planning: nothing is overwritten that is still read, and memory is saved."""

import numpy as np
import pytest
from hand_made import Maker
from hypothesis import given
from hypothesis import strategies as st
from memory_model import Model
from programs import Case, programs

from dotori.compiler.ir import Instr, Value
from dotori.compiler.numpy_plan import NumPyPlan
from dotori.compiler.passes.arena import Block, pack
from dotori.compiler.passes.memory import plan_memory
from dotori.compiler.passes.strides import reshaped, same
from dotori.compiler.primitives import Slot
from dotori.kernels import optim as kernels
from dotori.ops.transcendental import Exp


@given(case=programs())
def test_what_is_read_is_still_there(case: Case):
    Model(plan_memory(case.program))


@given(
    st.lists(
        st.tuples(st.integers(0, 300), st.integers(0, 9), st.integers(0, 9)),
        max_size=12,
    )
)
def test_blocks_that_live_together_lie_apart(sizes):
    blocks = [Block(n, min(a, b), max(a, b)) for n, a, b in sizes]
    end = pack(blocks)
    for i, a in enumerate(blocks):
        assert a.offset % 64 == 0 and a.offset + a.nbytes <= end
        for b in blocks[:i]:
            apart = a.offset + a.nbytes <= b.offset or b.offset + b.nbytes <= a.offset
            assert apart or a.last < b.first or b.last < a.first


@given(st.data())
def test_steps_of_reshaped_arrays_are_those_of_numpy(data):
    shape = data.draw(st.lists(st.sampled_from([1, 2, 3, 4]), max_size=4))
    axes = data.draw(st.permutations(range(len(shape))))
    x = np.zeros(shape, "f4").transpose(axes)
    x = x[::-1] if x.ndim and data.draw(st.booleans()) else x
    new, left = [], x.size
    while left > 1:
        n = data.draw(st.sampled_from([n for n in range(2, left + 1) if left % n == 0]))
        new, left = [*new, n], left // n
    new.insert(data.draw(st.integers(0, len(new))), 1)
    view = x.reshape(new)
    found = reshaped(x.shape, x.strides, new, 4)
    assert (found is not None) == np.shares_memory(view, x)
    assert found is None or same(new, found, view.strides)


def test_a_chain_of_elementwise_instructions_needs_one_buffer():
    m = Maker()
    x = m.input(100)
    h = m.add(x, 1.0)
    for _ in range(5):
        h = m.multiply(h, m.tanh(h))
    plan = plan_memory(m.program(m.sum(h, axis=(0,))))
    assert plan.nbytes == 2 * 448


def test_views_take_no_memory():
    m = Maker()
    h = m.exp(m.input(4, 6))
    v = m.slice(m.transpose(h, axes=(1, 0)), index=(slice(None, None, 2), 1))
    plan = plan_memory(m.program(m.sum(m.exp(v), axis=(0,))))
    place = plan.places[v]
    assert place.base is None and place.offset == plan.places[h].offset + 24
    assert place.steps == (8,)


def test_gradients_are_made_inside_of_the_flat_one():
    m = Maker()
    x, dy = m.input(8, 4), m.input(8, 3)
    dw = m.matmul(m.transpose(dy, axes=(1, 0)), x)
    db = m.sum(dy, axis=(0,))
    flat = m.concatenate(m.reshape(dw, shape=(12,)), db, axis=0)
    program = m.program(m.exp(flat))
    plan = plan_memory(program)
    assert plan.places[db].offset == plan.places[dw].offset + 48
    concatenate = next(i for i in plan.program.instrs if i.op == "concatenate")
    assert plan.missing_parts(concatenate) == []
    assert plan.nbytes == 64
    assert "concatenate" not in NumPyPlan(program).source()


def test_what_is_concatenated_twice_is_copied_once():
    m = Maker()
    h = m.exp(m.input(3))
    whole = m.concatenate(h, h, axis=0)
    plan = plan_memory(m.program(m.exp(whole)))
    assert len(plan.missing_parts(plan.program.instrs[1])) == 1
    Model(plan)


def sgd(m, w, x):
    """w - 0.1 x, and the state that it becomes."""
    new = m.subtract(w, m.multiply(x, 0.1))
    m.updates.append((w, new))
    return new


def test_a_state_is_updated_where_it_lies():
    m = Maker()
    w = m.state(np.ones(4, "f4"))
    new = sgd(m, w, m.exp(m.multiply(m.input(4), w)))
    plan = plan_memory(m.program())
    assert plan.together(w, new)


def test_not_while_its_old_value_is_still_read():
    m = Maker()
    w = m.state(np.ones(4, "f4"))
    view = m.transpose(w, axes=(0,))
    new = sgd(m, w, m.input(4))
    y = m.exp(view)
    plan = plan_memory(m.program(y))
    assert not plan.together(w, new)
    Model(plan)


def test_not_if_another_state_shares_its_memory_and_is_still_read():
    m = Maker()
    memory = np.ones(4, "f4")
    w, part = m.state(memory), m.state(memory[1:3])
    new = sgd(m, w, m.input(4))
    plan = plan_memory(m.program(m.exp(part)))
    assert not plan.together(w, new)


def test_not_before_a_check_that_may_fail():
    m = Maker()
    w, x = m.state(np.ones(4, "f4")), m.input(4)
    new = sgd(m, w, x)
    m.require(m.all(m.isfinite(x), axis=(0,)), lambda: ValueError("not finite"))
    program = m.program()
    assert not plan_memory(program).together(w, new)
    plan = NumPyPlan(program)
    with pytest.raises(ValueError, match="not finite"):
        plan.run([np.array([1, np.nan, 0, 0], "f4")])
    np.testing.assert_array_equal(w.array, 1)
    plan.run([np.ones(4, "f4")])
    np.testing.assert_allclose(w.array, 0.9, rtol=1e-6)


def test_states_that_are_exchanged():
    m = Maker()
    a, b = m.state(np.zeros(3, "f4")), m.state(np.ones(3, "f4"))
    m.updates += [(a, b), (b, a)]
    program = m.program(a)
    Model(plan_memory(program))
    (y,) = NumPyPlan(program).run([])
    np.testing.assert_array_equal([y, a.array, b.array], [[0] * 3, [1] * 3, [0] * 3])


def test_a_part_of_a_state_is_replaced_in_place():
    m = Maker()
    w = m.state(np.zeros((3, 2), "f4"))
    row = m.exp(m.input(2))
    new = m.update(w, row, index=(1, slice(None)))
    m.updates.append((w, new))
    program = m.program()
    assert plan_memory(program).together(w, new)
    NumPyPlan(program).run([np.zeros(2, "f4")])
    np.testing.assert_array_equal(w.array, [[0, 0], [1, 1], [0, 0]])


def test_a_kernel_changes_states_where_they_lie():
    m = Maker()
    p, v, a = (m.state(np.full(5, n, "f4")) for n in (1, 0, 0))
    g = m.input(5)
    rate = m.given(dtype="f8")
    new = m.kernel(
        kernels.adam, [p, g, v, a, None, rate, 0.1, 0.1, 0.9, 1e-8, 0.0, 1.0], [p, v, a]
    )
    m.updates += zip([p, v, a], new, strict=True)
    plan = plan_memory(m.program())
    assert all(plan.together(x, y) for x, y in m.updates)


def test_a_kernel_that_is_also_given_a_view_of_what_it_changes_works_on_a_copy():
    m = Maker()
    p = m.state(np.ones(5, "f4"))
    backwards = m.slice(p, index=(slice(None, None, -1),))
    (new,) = m.kernel(kernels.adam, [p, backwards], [p])
    m.updates.append((p, new))
    plan = plan_memory(m.program())
    assert not plan.together(p, new)
    Model(plan)


def test_operands_that_lie_across_each_other_are_not_overwritten():
    """Loops read them in an order of their own; NumPy alone would notice."""
    m = Maker()
    h = m.exp(m.input(3, 3))
    y = m.add(h, m.transpose(h, axes=(1, 0)))
    plan = plan_memory(m.program(m.exp(y)))
    assert plan.places[y].offset != plan.places[h].offset


def test_outputs_have_memory_of_their_own():
    m = Maker()
    y = m.exp(m.input(3))
    plan = plan_memory(m.program(y, m.transpose(y, axes=(0,))))
    assert plan.places[y].base is y and plan.nbytes == 0


def test_what_a_call_gives_is_not_overwritten():
    """It may be memory that the operation keeps."""
    m = Maker()
    x, y = m.input(3), Value((3,), np.dtype("f4"))
    attrs = {
        "op": Exp,
        "rule": "forward",
        "args": (Slot(0),),
        "kwargs": {},
        "structure": True,
    }
    m.instrs.append(Instr("call", (x,), (y,), attrs))
    z = m.exp(m.add(y, x))
    plan = plan_memory(m.program(m.exp(z)))
    assert plan.places[y].base is y and plan.places[z].base is None
