"""The source of native steps, run as plain Python, computes what the reference does."""

import re

import numpy as np
import pytest
from hand_made import Maker, layer_norm, softmax
from hypothesis import given
from plain_step import PlainStep
from programs import Case, checked, close, programs

from dotori.compiler.interpret import evaluate
from dotori.compiler.ir import Instr, Value
from dotori.compiler.native import loops, matrices, pairs
from dotori.compiler.native import plan as native_plan
from dotori.compiler.native.plan import NativePlan
from dotori.compiler.primitives import Slot
from dotori.kernels.optim import adam
from dotori.ops.embedding import TakeRows


@pytest.fixture(autouse=True, scope="module")
def plain():
    """Without Numba: steps are the Python that they are written in."""
    loads = pytest.MonkeyPatch()
    loads.setattr(native_plan.runtime, "load", PlainStep)
    yield
    loads.undo()


@pytest.fixture(scope="module")
def all_shared():
    """Threads share even the smallest loops and products."""
    limits = pytest.MonkeyPatch()
    limits.setattr(loops, "LEAST_SHARED", 8)
    limits.setattr(matrices, "LEAST_SHARED", 1)
    limits.setattr(pairs, "LEAST_SHARED", 1)
    yield
    limits.undo()


@given(programs())
def test_the_source_is_equal_to_the_reference(case: Case):
    checked(case, NativePlan(case.program, threads=1).run)


@given(programs())
def test_threads_meet_where_they_must(all_shared, case: Case):
    """Python's own threads run the source, with a real barrier."""
    checked(case, NativePlan(case.program, threads=3).run)


@given(programs())
def test_runs_do_not_disturb_each_other(case: Case):
    wanted = evaluate(case.program, case.inputs, case.host)
    plan = NativePlan(case.program, threads=1)
    found = []
    for _ in range(2):
        case.reset()
        inputs = [np.array(x.T, order="C").T for x in case.inputs]
        found.append(plan.run(inputs, case.host))
    for outputs in found:
        for a, b in zip(outputs, wanted, strict=True):
            close(a, b, case.tolerance())
    case.reset()


def attention(m: Maker, x, w):
    """Scores and values of four heads, views all the way."""
    b, t, d = x.shape
    flat = m.reshape(x, shape=(b * t, d))
    qkv = m.reshape(m.matmul(flat, w), shape=(b, t, 3, 4, d // 4))
    whole = slice(None)
    q, k, v = (
        m.transpose(m.slice(qkv, index=(whole, whole, i, whole, whole)), axes=axes)
        for i, axes in enumerate([(0, 2, 1, 3), (0, 2, 3, 1), (0, 2, 1, 3)])
    )
    mixed = m.matmul(softmax(m, m.multiply(m.matmul(q, k), 0.5)), v)
    return m.reshape(m.transpose(mixed, axes=(0, 2, 1, 3)), shape=(b * t, d))


def batch_norm(m: Maker, x):
    """Of pictures with their channels last in memory."""
    x = m.transpose(x, axes=(0, 3, 1, 2))
    n, axis = float(x.size // x.shape[1]), (0, 2, 3)
    mean = m.multiply(m.sum(x, axis=axis, keepdims=True), 1 / n)
    d = m.subtract(x, mean)
    var = m.multiply(m.sum(m.multiply(d, d), axis=axis, keepdims=True), 1 / n)
    return m.maximum(m.divide(d, m.sqrt(m.add(var, 1e-5))), 0.0)


def layer_norm_backward(m: Maker, x, dy, w):
    n, axis = float(x.shape[1]), (1,)
    mean = m.divide(m.sum(x, axis=axis, keepdims=True), n)
    d = m.subtract(x, mean)
    var = m.divide(m.sum(m.multiply(d, d), axis=axis, keepdims=True), n)
    scale = m.divide(1.0, m.sqrt(m.add(var, 1e-5)))
    y = m.multiply(d, scale)
    g = m.multiply(dy, w)
    first = m.divide(m.sum(g, axis=axis, keepdims=True), n)
    second = m.divide(m.sum(m.multiply(g, y), axis=axis, keepdims=True), n)
    dx = m.multiply(m.subtract(m.subtract(g, first), m.multiply(y, second)), scale)
    dw, db = m.sum(m.multiply(dy, y), axis=(0,)), m.sum(dy, axis=(0,))
    return m.add(dx, m.add(dw, db))


def clipped(m: Maker, g):
    norm = m.sqrt(m.sum(m.multiply(g, g), axis=(0,)))
    m.require(m.isfinite(norm), ArithmeticError)
    return m.multiply(g, m.minimum(m.divide(1.0, m.add(norm, 1e-6)), 1.0))


def searched(m: Maker, x):
    largest = m.cast(m.argmax(x, axis=1), to="f4")
    return m.add(m.max(x, axis=(1,)), m.add(largest, m.max(x, axis=(0, 1))))


NETS = {
    "softmax": (softmax, [(6, 10)]),
    "layer norm": (layer_norm, [(2, 6, 8), (8,), (8,)]),
    "layer norm, backward": (layer_norm_backward, [(12, 8), (12, 8), (8,)]),
    "batch norm": (batch_norm, [(4, 3, 5, 8)]),
    "attention": (attention, [(2, 6, 16), (16, 48)]),
    "clipping": (clipped, [(40,)]),
    "argmax": (searched, [(8, 9)]),
}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", NETS)
def test_parts_of_networks(all_shared, name, threads):
    m, rng = Maker(), np.random.default_rng(0)
    make, shapes = NETS[name]
    program = m.program(make(m, *(m.input(*shape) for shape in shapes)))
    inputs = [rng.standard_normal(shape).astype("f4") for shape in shapes]
    plan = NativePlan(program, threads)
    [wanted], [found] = evaluate(program, inputs), plan.run(inputs)
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-5)
    assert found.dtype == wanted.dtype
    assert "in Python" not in plan.source()


@pytest.mark.parametrize("op", ["argmax", "argmin", "max", "min"])
def test_a_nan_is_found_first(op):
    x = np.float32([[1, 2, 0], [3, np.nan, 5], [np.nan, 1, np.nan]])
    m = Maker()
    given = m.input(3, 3)
    axis = 1 if op.startswith("arg") else (1,)
    program = m.program(m.make(op, (given,), {"axis": axis}))
    np.testing.assert_array_equal(
        NativePlan(program).run([x])[0], evaluate(program, [x])[0]
    )


def adam_step(rng):
    """A flat state, its parts as weights, gradients joined, the update."""
    m = Maker()
    flat = rng.standard_normal(30).astype("f4")
    values = m.state(flat)
    w = m.reshape(m.slice(values, index=(slice(0, 24),)), shape=(4, 6))
    b = m.slice(values, index=(slice(24, 30),))
    x = m.input(5, 4)
    y = m.add(m.matmul(x, w), b)
    dw = m.reshape(m.matmul(m.transpose(x, axes=(1, 0)), y), shape=(24,))
    joined = m.concatenate(dw, m.sum(y, axis=(0,)), axis=0)
    norm = m.sum(m.multiply(y, y), axis=(0, 1))
    m.require(m.less(norm, 1e6), ArithmeticError)
    first, second = m.state(np.zeros(30, "f4")), m.state(np.zeros(30, "f4"))
    rate = m.given(dtype="f8")
    args = (values, joined, first, second, None, rate, 0.1, 0.01, 0.99, 1e-8, 0.0, 1.0)
    new = m.kernel(adam, args, (values, first, second))
    m.updates = list(zip((values, first, second), new, strict=True))
    return m.program(norm)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_step_of_adam_in_place(all_shared, threads):
    program = adam_step(np.random.default_rng(0))
    states = program.states()
    before = [s.array.copy() for s in states]
    inputs = [np.random.default_rng(1).standard_normal((5, 4)).astype("f4")]
    wanted = [evaluate(program, inputs, [0.1]) for _ in range(3)]
    after = [s.array.copy() for s in states]
    for state, array in zip(states, before, strict=True):
        state.array[...] = array
    plan = NativePlan(program, threads)
    found = [plan.run(inputs, [0.1]) for _ in range(3)]
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
    for state, array in zip(states, after, strict=True):
        np.testing.assert_allclose(state.array, array, rtol=1e-4, atol=1e-6)
    assert "copy" not in plan.source()  # gradients are made where they are read


def test_a_failed_requirement_leaves_the_states_alone():
    program = adam_step(np.random.default_rng(0))
    before = [s.array.copy() for s in program.states()]
    plan = NativePlan(program)
    with pytest.raises(ArithmeticError):
        plan.run([np.full((5, 4), 1e6, "f4")], [0.1])
    for state, array in zip(program.states(), before, strict=True):
        np.testing.assert_array_equal(state.array, array)


def test_layers_of_one_shape_share_their_functions():
    m = Maker()
    h = m.input(8, 16)
    for _ in range(5):
        h = m.maximum(m.add(m.matmul(h, m.input(16, 16)), m.input(16)), 0.0)
    source = NativePlan(m.program(h)).source()
    assert source.count("def loop") <= 2  # the last writes into an output's memory


def test_single_precision_stays_single():
    """An untyped constant would make Numba compute in float64."""
    m = Maker()
    y = m.power(m.add(m.multiply(m.input(8), 2), 0.5), 1.5)
    source = NativePlan(m.program(m.where(m.greater(y, 1), y, 0.25))).source()
    bare = re.findall(r"(?<![\w(.])-?\d+\.\d+", source)
    assert "f4(0.5)" in source and not bare


def test_what_has_no_native_form_runs_in_between():
    m = Maker()
    x = m.input(3, 4)
    z = m.multiply(m.cast(m.exp(x), to="c16"), 2j)
    program = m.program(m.add(m.absolute(z), 1.0))
    inputs = [np.random.default_rng(0).standard_normal((3, 4)).astype("f4")]
    plan = NativePlan(program)
    assert "in Python: multiply" in plan.source()
    np.testing.assert_allclose(
        plan.run(inputs)[0], evaluate(program, inputs)[0], rtol=1e-6
    )


def test_an_embedding_and_its_gradient_need_no_python():
    m = Maker()
    table, index, dy = m.input(7, 3), m.input(2, 4, dtype="i8"), m.input(2, 4, 3)
    y, total = Value((2, 4, 3), dy.dtype), Value((7, 3), dy.dtype)
    for rule, x, made in ("forward", table, y), ("backward", dy, total):
        attrs = {"op": TakeRows, "rule": rule, "args": (Slot(0),), "structure": True}
        attrs["kwargs"] = {"index": Slot(1), "rows": 7, "scale": None}
        m.instrs.append(Instr("call", (x, index), (made,), attrs))
    program = m.program(y, total)
    rng = np.random.default_rng(0)
    inputs = [
        rng.standard_normal((7, 3)).astype("f4"),
        np.array([[0, 6, 6, 2], [1, 6, 0, 5]]),
        rng.standard_normal((2, 4, 3)).astype("f4"),
    ]
    plan = NativePlan(program)
    assert "in Python" not in plan.source()
    for _ in range(2):  # the second run finds what the first left behind
        for a, b in zip(plan.run(inputs), evaluate(program, inputs), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)
