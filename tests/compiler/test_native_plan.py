"""Compiled steps: equal to the reference, whatever the number of threads."""

import re
from itertools import pairwise

import numpy as np
import pytest
from hand_made import Maker, layer_norm, softmax
from hypothesis import given, settings
from programs import Case, checked, programs

from dotori.compiler.interpret import evaluate
from dotori.compiler.native import loops, matrices, pairs
from dotori.compiler.native.plan import NativePlan, threads_for
from dotori.kernels.optim import adam

pytest.importorskip("numba", reason="native steps are compiled by Numba")


@settings(max_examples=6)
@given(programs())
def test_a_compiled_program_is_equal_to_the_reference(case: Case):
    checked(case, NativePlan(case.program, threads=1).run)


def classifier(rng, batch=12, sizes=(9, 16, 5)):
    """A step: two layers with a mask between, cross entropy, Adam."""
    m = Maker()
    shapes = [(sizes[1], sizes[0]), (sizes[1],), (sizes[2], sizes[1]), (sizes[2],)]
    ends = np.cumsum([0, *(int(np.prod(s)) for s in shapes)])
    flat = m.state(0.3 * rng.standard_normal(ends[-1]).astype("f4"))
    parts = [m.slice(flat, index=(slice(a, b),)) for a, b in pairwise(ends)]
    w1, b1, w2, b2 = (m.reshape(p, shape=s) for p, s in zip(parts, shapes, strict=True))
    x, label = m.input(batch, sizes[0]), m.input(batch, dtype="i8")
    mask = m.given(batch, sizes[1])
    h = m.maximum(m.add(m.matmul(x, m.transpose(w1, axes=(1, 0))), b1), 0.0)
    h = m.multiply(h, mask)
    z = m.add(m.matmul(h, m.transpose(w2, axes=(1, 0))), b2)
    y = softmax(m, z)
    hot = m.equal(m.reshape(label, shape=(batch, 1)), m.constant(np.arange(sizes[2])))
    loss = m.sum(m.negative(m.log(m.sum(m.where(hot, y, 0.0), axis=(1,)))), axis=(0,))
    dz = m.subtract(y, m.cast(hot, to="f4"))
    dh = m.multiply(m.multiply(m.matmul(dz, w2), mask), m.greater(h, 0.0))
    products = [
        m.matmul(m.transpose(dh, axes=(1, 0)), x),
        m.sum(dh, axis=(0,)),
        m.matmul(m.transpose(dz, axes=(1, 0)), h),
        m.sum(dz, axis=(0,)),
    ]
    joined = m.concatenate(*[m.reshape(g, shape=(g.size,)) for g in products], axis=0)
    first, second = (m.state(np.zeros(ends[-1], "f4")) for _ in range(2))
    rate = m.given(dtype="f8")
    m.require(m.isfinite(loss), ArithmeticError)
    args = (flat, joined, first, second, None, rate, 0.1, 0.01, 0.99, 1e-8, 0.0, 1.0)
    new = m.kernel(adam, args, (flat, first, second))
    m.updates = list(zip((flat, first, second), new, strict=True))
    return m.program(loss, y)


def numbers(program, rng, steps):
    """Inputs and host values of some steps."""
    inputs, host = [], []
    for _ in range(steps):
        x, label = program.inputs
        picked = rng.integers(0, program.outputs[1].shape[1], label.shape)
        inputs.append([rng.standard_normal(x.shape).astype("f4"), picked])
        mask = program.host[0]
        host.append([(rng.random(mask.shape) < 0.8).astype("f4"), 0.01])
    return inputs, host


def trained(program, run):
    """What `run` gives and leaves; the states are as before then."""
    before = [s.array.copy() for s in program.states()]
    outputs = run()
    after = [s.array.copy() for s in program.states()]
    for state, array in zip(program.states(), before, strict=True):
        state.array[...] = array
    return [y for step in outputs for y in step] + after


def runs_of(stacked):
    """The outputs of each run, from each output of all runs."""
    return list(zip(*stacked, strict=True))


def test_training_steps_are_those_of_the_reference():
    rng = np.random.default_rng(0)
    program = classifier(rng)
    inputs, host = numbers(program, rng, 4)
    steps = list(zip(inputs, host, strict=True))
    plan = NativePlan(program)
    wanted = trained(program, lambda: [evaluate(program, *step) for step in steps])
    single = trained(program, lambda: [plan.run(*step) for step in steps])
    many = trained(
        program, lambda: runs_of(plan.run_many(inputs, list(zip(*host, strict=True))))
    )
    for a, b, c in zip(single, wanted, many, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(a, c)


def test_results_do_not_depend_on_the_number_of_threads(monkeypatch):
    for module in (loops, matrices, pairs):
        monkeypatch.setattr(module, "LEAST_SHARED", 64)
    rng = np.random.default_rng(0)
    program = classifier(rng, batch=40)
    inputs, host = numbers(program, rng, 3)

    def run(threads):
        plan = NativePlan(program, threads)
        one = trained(program, lambda: [plan.run(inputs[0], host[0])])
        return one + trained(
            program, lambda: plan.run_many(inputs, list(zip(*host, strict=True)))
        )

    first, second, third = run(1), run(2), run(3)
    for a, b, c in zip(first, second, third, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def test_double_precision_is_exact_to_rounding():
    m, rng = Maker("f8"), np.random.default_rng(0)
    x, w, b = m.input(40, 24), m.input(24), m.input(24)
    y = m.tanh(m.erf(layer_norm(m, x, w, b)))
    program = m.program(softmax(m, y), m.log(m.add(m.exp(y), 1.0)))
    inputs = [rng.standard_normal(v.shape) for v in program.inputs]
    for a, b in zip(
        NativePlan(program).run(inputs), evaluate(program, inputs), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def test_large_inputs_of_any_layout_and_outputs_that_stay():
    m, rng = Maker(), np.random.default_rng(0)
    x = m.input(200, 300)
    plan = NativePlan(m.program(m.add(x, 1.0), m.sum(x, axis=(0,)), x))
    given = [rng.standard_normal((200, 300)).astype("f4") for _ in range(3)]
    given[1] = np.asfortranarray(given[1])
    given[2] = np.repeat(given[2], 2, axis=1)[:, ::2]
    found = [plan.run([array]) for array in given]
    for array, (more, total, same) in zip(given, found, strict=True):
        np.testing.assert_array_equal(more, array + np.float32(1))
        np.testing.assert_allclose(total, array.sum(axis=0), rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(same, array)
    many = plan.run_many([[array] for array in given], [])
    for one, two in zip(found, runs_of(many), strict=True):
        for a, b in zip(one, two, strict=True):
            np.testing.assert_array_equal(a, b)


def test_empty_batches():
    m = Maker()
    x, w = m.input(0, 4), m.input(4, 3)
    y = m.maximum(m.add(m.matmul(x, w), 1.0), 0.0)
    plan = NativePlan(m.program(y, m.sum(y, axis=(0,))))
    empty, total = plan.run([np.zeros((0, 4), "f4"), np.ones((4, 3), "f4")])
    assert empty.shape == (0, 3) and not total.any()


def test_loops_become_vectors():
    """Of a step without products, all arithmetic of floats is packed."""
    from dotori.compiler.native import build

    m = Maker()
    x, b, mask, dy = m.input(64, 32), m.input(32), m.input(64, 32), m.input(64, 32)
    h = m.multiply(m.maximum(m.add(x, b), 0.0), mask)
    dx = m.multiply(m.multiply(dy, mask), m.greater(h, 0.0))
    program = m.program(h, dx, m.sum(dx, axis=(0,)), m.max(x, axis=(1,)))
    [segment] = NativePlan(program)._segments
    text = build.lowered(segment.source)
    vectors = re.findall(r"(fadd|fmul|fcmp|select)[^\n]*<\d+ x float>", text)
    assert {"fadd", "fmul"} <= set(vectors)
    assert len(re.findall(r"fmul[^\n]* float ", text)) <= 4  # what a row leaves over


def test_small_programs_run_on_one_thread():
    rng = np.random.default_rng(0)
    assert threads_for(classifier(rng)) == 1
