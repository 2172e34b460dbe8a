"""Which instructions become one loop, and that this changes no number."""

import numpy as np
import pytest
from hand_made import Maker, layer_norm, softmax
from hypothesis import given
from programs import Case, checked, programs

from dotori.compiler.interpret import evaluate
from dotori.compiler.passes.fusion import fused


def ops(program):
    """What remains, views aside: a group as its members' operations."""
    return [
        " ".join(m.op for m in instr.attrs["space"].members)
        if instr.op == "fused"
        else instr.op
        for instr in fused(program).instrs
        if instr.op not in ("reshape", "transpose", "slice", "broadcast_to")
    ]


def same(program, rng):
    """Whether the fused program gives what the program does."""
    inputs = [rng.standard_normal(x.shape).astype(x.dtype) for x in program.inputs]
    wanted = evaluate(program, inputs)
    found = evaluate(fused(program), inputs)
    return all(np.array_equal(a, b) for a, b in zip(wanted, found, strict=True))


@given(programs())
def test_fusion_keeps_the_numbers(case: Case):
    checked(case, lambda inputs, host: evaluate(fused(case.program), inputs, host))


def test_bias_activation_and_mask_of_a_product_are_one_loop():
    m = Maker()
    x, w, b, mask = m.input(8, 4), m.input(6, 4), m.input(6), m.input(8, 6)
    h = m.add(m.matmul(x, m.transpose(w, axes=(1, 0))), b)
    program = m.program(m.multiply(m.maximum(h, 0.0), mask))
    assert ops(program) == ["matmul", "add maximum multiply"]
    group = fused(program).instrs[-1]
    assert len(group.outputs) == 1  # what lies between never reaches memory


def test_softmax_is_one_loop_over_rows():
    m = Maker()
    program = m.program(softmax(m, m.input(8, 10)))
    assert ops(program) == ["max subtract exp sum divide"]
    assert fused(program).instrs[0].attrs["space"].row == 1
    assert same(program, np.random.default_rng(0))


def test_layer_norm_with_its_weights_is_one_loop():
    m = Maker()
    program = m.program(layer_norm(m, m.input(2, 8, 16), m.input(16), m.input(16)))
    assert len(ops(program)) == 1
    assert same(program, np.random.default_rng(0))


def test_cross_entropy_forward_and_backward_are_one_loop():
    m = Maker()
    x, label = m.input(8, 10), m.input(8, dtype="i8")
    shifted = m.subtract(x, m.max(x, axis=(1,), keepdims=True))
    e = m.exp(shifted)
    total = m.sum(e, axis=(1,), keepdims=True)
    log = m.log(m.slice(total, index=(slice(None), 0)))
    column = m.reshape(label, shape=(8, 1))
    hot = m.equal(column, m.constant(np.arange(10)))
    picked = m.sum(m.where(hot, shifted, 0.0), axis=(1,))
    loss = m.sum(m.multiply(m.subtract(log, picked), 1 / 8), axis=(0,))
    slope = m.subtract(m.divide(e, total), m.cast(hot, to="f4"))
    program = m.program(loss, slope, m.sum(slope, axis=(0,)))
    assert len(ops(program)) == 1


def test_a_bias_gradient_is_summed_while_its_gradient_is_made():
    m = Maker()
    dy, z = m.input(8, 6), m.input(8, 6)
    dz = m.multiply(dy, m.greater(z, 0.0))
    program = m.program(dz, m.sum(dz, axis=(0,)))
    assert len(ops(program)) == 1


def test_the_slope_of_a_relu_is_found_where_it_is_used():
    """Beside the forward pass it would be an array of its own to write and read."""
    m = Maker()
    x, w, dy = m.input(8, 4), m.input(4, 6), m.input(8, 6)
    h = m.maximum(m.matmul(x, w), 0.0)
    z = m.matmul(h, m.input(6, 6))
    dz = m.multiply(m.multiply(dy, z), m.greater(h, 0.0))
    groups = ops(m.program(dz))
    assert groups == ["matmul", "maximum", "matmul", "multiply greater multiply"]


def test_a_column_sum_is_complete_only_after_its_loop():
    """Batch normalisation: sums, then what needs them."""
    m = Maker()
    x = m.input(16, 4)
    d = m.subtract(x, m.multiply(m.sum(x, axis=(0,)), 1 / 16))
    var = m.multiply(m.sum(m.multiply(d, d), axis=(0,)), 1 / 16)
    program = m.program(m.divide(d, m.sqrt(m.add(var, 1e-5))))
    groups = ops(program)
    assert [g.count("sum") for g in groups if "sum" in g] == [1, 1]
    assert same(program, np.random.default_rng(0))


def test_no_group_waits_for_itself():
    """exp feeds a product and what adds its result: not in one loop with exp."""
    m = Maker()
    x = m.input(6, 6)
    e = m.exp(x)
    program = m.program(m.add(e, m.matmul(e, x)))
    assert ops(program) == ["exp", "matmul", "add"]


def test_nothing_small_is_computed_again_for_each_row():
    m = Maker()
    w, x = m.input(6), m.input(8, 6)
    assert ops(m.program(m.multiply(x, m.exp(w)))) == ["exp", "multiply"]


def test_numbers_for_rows_are_computed_once_for_each():
    m = Maker()
    v, x = m.input(8, 1), m.input(8, 64)
    program = m.program(m.multiply(x, m.exp(v)))
    [group] = fused(program).instrs
    assert group.attrs["space"].row == 1


def test_an_array_beside_its_own_transpose_needs_two_passes():
    m = Maker()
    e = m.exp(m.input(6, 6))
    program = m.program(m.add(e, m.transpose(e, axes=(1, 0))))
    assert ops(program) == ["exp", "add"]
    assert same(program, np.random.default_rng(0))


def test_reshapes_between_members_are_followed():
    m = Maker()
    x = m.input(4, 6, 8)
    e = m.reshape(m.exp(x), shape=(24, 8))
    program = m.program(e, m.sum(e, axis=(0,)))
    assert ops(program) == ["exp sum"]
    assert same(program, np.random.default_rng(0))


def test_a_reshape_that_moves_elements_is_a_copy():
    m = Maker()
    x = m.input(4, 6)
    y = m.reshape(m.transpose(x, axes=(1, 0)), shape=(24,))
    program = m.program(y)
    assert ops(program) == ["copy"]
    assert same(program, np.random.default_rng(0))


@pytest.mark.parametrize("dtype", ["c8", "f2"])
def test_types_that_loops_cannot_handle_stay_as_they_are(dtype):
    m = Maker(dtype)
    assert ops(m.program(m.add(m.input(3), 1))) == ["add"]


def test_gelu_is_one_loop_with_what_stands_around_it():
    from dotori.compiler.ir import Instr, Value
    from dotori.compiler.primitives import Slot
    from dotori.ops.normal import NormalCdf

    m = Maker()
    x = m.add(m.input(8, 4), 1.0)
    y = Value(x.shape, x.dtype)
    attrs = {"op": NormalCdf, "rule": "forward", "structure": True}
    attrs |= {"args": (Slot(0),), "kwargs": {}}
    m.instrs.append(Instr("call", (x,), (y,), attrs))
    program = m.program(m.multiply(x, y))
    assert ops(program) == ["add call multiply"]
    assert same(program, np.random.default_rng(0))
