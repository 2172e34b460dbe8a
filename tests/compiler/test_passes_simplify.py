"""Passes leave the numbers as they are, and do what they are for."""

import numpy as np
import pytest
from hypothesis import given
from programs import Case, checked, programs

from dotori.compiler.interpret import evaluate
from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.numpy_plan import NumPyPlan
from dotori.compiler.passes import STANDARD, simplified
from dotori.compiler.passes.algebra import with_less_work
from dotori.compiler.passes.common import without_repetition
from dotori.compiler.passes.constants import with_constants_folded
from dotori.compiler.passes.dead import without_dead_code

F4, F8, I8 = np.dtype("f4"), np.dtype("f8"), np.dtype("i8")


@pytest.mark.parametrize("a_pass", [*STANDARD, simplified])
@given(case=programs())
def test_a_pass_changes_no_numbers(a_pass, case: Case):
    program = a_pass(case.program)
    checked(case, lambda inputs, host: evaluate(program, inputs, host))


@given(case=programs())
def test_what_is_simplified_can_be_planned(case: Case):
    checked(case, NumPyPlan(simplified(case.program)).run)


@given(case=programs())
def test_simplified_is_as_simple_as_it_gets(case: Case):
    once = simplified(case.program)
    assert len(once.instrs) <= len(case.program.instrs) + 2  # a product turned around
    assert simplified(once).instrs == once.instrs


class Steps:
    """One instruction after the other, the last one's output being the result."""

    def __init__(self, shape=(2, 3), dtype=F4):
        self.x = Value(shape, dtype, "input", name="x")
        self.instrs = []

    def __call__(self, op, *inputs, to=None, shape=None, **attrs):
        first = next(x for x in inputs if isinstance(x, Value))
        y = Value(first.shape if shape is None else shape, to or first.dtype)
        self.instrs.append(Instr(op, inputs, (y,), attrs))
        return y

    def program(self, *outputs):
        outputs = outputs or self.instrs[-1].outputs
        return Program([self.x], [], self.instrs, list(outputs))


def ops(program):
    return [instr.op for instr in program.instrs]


def test_dead_code_goes_and_checks_stay():
    s = Steps()
    s("exp", s.x)
    finite = s("all", s("isfinite", s.x, to=bool), shape=(), axis=(0, 1))
    s.instrs.append(Instr("require", (finite,), (), {"error": ValueError}))
    y = s("sqrt", s.x)
    found = without_dead_code(s.program(y))
    assert ops(found) == ["isfinite", "all", "require", "sqrt"]


def test_what_only_an_update_reads_is_alive():
    s = Steps()
    state = Value((2, 3), F4, "state", np.zeros((2, 3), F4))
    program = Program([s.x], [], s.instrs, [], [(state, s("exp", s.x))])
    assert ops(without_dead_code(program)) == ["exp"]


def test_numbers_of_other_types_are_other_operands():
    """x * 2 and x * 2.0 differ where x holds integers; x + 1 and x + True do not run."""
    s = Steps(dtype=I8)
    a, b = s("multiply", s.x, 2), s("multiply", s.x, 2.0, to=F8)
    assert ops(without_repetition(s.program(a, b))) == ["multiply", "multiply"]
    again = s("multiply", s.x, 2)
    found = without_repetition(s.program(a, again))
    assert found.outputs[0] is found.outputs[1]


def test_zeros_of_other_signs_are_other_operands():
    s = Steps()
    a, b = s("add", s.x, 0.0), s("add", s.x, -0.0)
    assert ops(without_repetition(s.program(a, b))) == ["add", "add"]


def test_other_axes_are_other_sums_and_equal_slices_are_one():
    s = Steps((3, 3))
    e, f = (
        s("slice", s.x, shape=(2, 3), index=(slice(k, k + 2), slice(None)))
        for k in (0, 1)
    )
    assert ops(without_repetition(s.program(e, f))) == ["slice", "slice"]
    a = s("sum", s.x, shape=(3,), axis=(0,), keepdims=False)
    b = s("sum", s.x, shape=(3,), axis=(1,), keepdims=False)
    c, d = (s("slice", s.x, shape=(3,), index=(0, slice(0, 3))) for _ in "cd")
    found = without_repetition(s.program(a, b, c, d)).outputs
    assert found[0] is not found[1] and found[2] is found[3]


def test_equal_constants_are_one():
    s = Steps()
    one, same = (Value((), F4, "constant", np.float32(3)) for _ in "ab")
    found = without_repetition(s.program(s("add", s.x, one), s("add", s.x, same)))
    assert found.outputs[0] is found.outputs[1]


def test_constants_are_folded_through_each_other_up_to_a_size():
    s = Steps()
    c = Value((2, 3), F4, "constant", np.full((2, 3), 4, F4))
    y = s("add", s.x, s("sqrt", s("add", c, 5.0)))
    found = with_constants_folded(s.program(y))
    assert ops(found) == ["add"]
    np.testing.assert_array_equal(found.instrs[0].inputs[1].array, 3)
    huge = s("broadcast_to", c, shape=(10_000, 2, 3))
    assert ops(with_constants_folded(s.program(huge)))[-1] == "broadcast_to"


IDENTITIES = {
    "x * 1": lambda s: s("multiply", s.x, 1),
    "1.0 * x": lambda s: s("multiply", 1.0, s.x),
    "x / 1": lambda s: s("divide", s.x, 1),
    "x + -0.0": lambda s: s("add", s.x, -0.0),
    "x - 0": lambda s: s("subtract", s.x, 0),
    "x ^ 1": lambda s: s("power", s.x, 1),
    "-(-x)": lambda s: s("negative", s("negative", s.x)),
    "x'' ": lambda s: s(
        "transpose",
        s("transpose", s.x, shape=(3, 2), axes=(1, 0)),
        shape=(2, 3),
        axes=(1, 0),
    ),
    "reshaped back": lambda s: s(
        "reshape", s("reshape", s.x, shape=(6,)), shape=(2, 3)
    ),
    "cast to float64 and back": lambda s: s("cast", s("cast", s.x, to=F8), to=F4),
    "copy": lambda s: s("copy", s.x),
    "all of it": lambda s: s("slice", s.x, index=(slice(None), slice(0, 3))),
    "one part": lambda s: s("concatenate", s.x, axis=0),
    "sum over no axis": lambda s: s("sum", s.x, axis=(), keepdims=False),
    "broadcast to its shape": lambda s: s("broadcast_to", s.x),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_what_is_x_becomes_x(name):
    s = Steps()
    y = IDENTITIES[name](s)
    found = simplified(s.program(y))
    assert found.outputs == [s.x] and not found.instrs


SAME_BITS = {
    "x + 0.0 makes -0.0 to 0.0": lambda s: s("add", s.x, 0.0),
    "x - -0.0 as well": lambda s: s("subtract", s.x, -0.0),
    "x / 3 is no product": lambda s: s("divide", s.x, 3.0),
    "x / 8": lambda s: s("divide", s.x, 8.0),
    "x * -1": lambda s: s("multiply", s.x, -1.0),
    "|-x|": lambda s: s("absolute", s("negative", s.x)),
    "(-x)^2": lambda s: s("square", s("negative", s.x)),
    "x - -x": lambda s: s("subtract", s.x, s("negative", s.x)),
    "x + -x": lambda s: s("add", s.x, s("negative", s.x)),
    "float64 in between": lambda s: s("cast", s("cast", s.x, to=F8), to=np.dtype("f2")),
    "x + 0 in float64": lambda s: s("add", s.x, np.float64(0), to=F8),
}


@pytest.mark.parametrize("name", SAME_BITS)
def test_rules_give_the_same_bits(name):
    """For signed zeros, infinities, NaN, the smallest and the largest numbers too."""
    numbers = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 3e38, -1.5, 0.1]
    s = Steps((len(numbers),))
    given_numbers = np.array(numbers, F4)
    if name.endswith("float64"):
        zero = Value((), F8, "constant", np.float64(0))
        s("add", s.x, zero, to=F8)
    else:
        SAME_BITS[name](s)
    program = s.program()
    wanted = evaluate(program, [given_numbers])[0]
    found = evaluate(with_less_work(program), [given_numbers])[0]
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)
    numbers = ~np.isnan(wanted)  # NaN has no sign that anyone could rely on
    np.testing.assert_array_equal(
        np.signbit(found)[numbers], np.signbit(wanted)[numbers]
    )


@pytest.mark.parametrize(
    ("dtype", "number"), [("u1", 1), ("i1", -128), ("i8", 2**53 + 1)]
)
def test_integers_that_overflow_or_are_rounded_keep_their_numbers(dtype, number):
    s = Steps((1,), np.dtype(dtype))
    wide = Value((1,), I8, "constant", np.array([5]))
    minus = s("negative", s.x)
    outputs = [
        s("add", wide, minus, to=I8),
        s("absolute", minus),
        s("cast", s("cast", s.x, to=F8), to=s.x.dtype),
    ]
    program, given_numbers = s.program(*outputs), [np.array([number], dtype)]
    wanted = evaluate(program, given_numbers)
    for a, b in zip(
        evaluate(with_less_work(program), given_numbers), wanted, strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_a_product_is_made_in_the_order_in_which_it_is_read():
    s = Steps((4, 3))
    w = Value((3, 2), F4, "state", np.arange(6, dtype=F4).reshape(3, 2))
    y = s("transpose", s("matmul", s.x, w, shape=(4, 2)), shape=(2, 4), axes=(1, 0))
    found = simplified(s.program(y))
    assert ops(found) == ["transpose", "transpose", "matmul"]
    x = np.arange(12, dtype=F4).reshape(4, 3)
    np.testing.assert_array_equal(evaluate(found, [x])[0], (x @ w.array).T)


def test_a_product_that_is_read_twice_is_made_once():
    s = Steps((4, 3))
    w = Value((3, 2), F4, "state", np.zeros((3, 2), F4))
    product = s("matmul", s.x, w, shape=(4, 2))
    y = s("transpose", product, shape=(2, 4), axes=(1, 0))
    assert ops(simplified(s.program(y, product))) == ["matmul", "transpose"]


def test_broadcasting_is_left_to_the_operation():
    s = Steps((2, 3))
    row = Value((3,), F4, "state", np.zeros(3, F4))
    wide = s("broadcast_to", row, shape=(2, 3))
    y = s("add", s.x, wide)
    assert ops(simplified(s.program(y))) == ["add"]
    alone = s("exp", wide)
    assert ops(simplified(s.program(alone))) == ["broadcast_to", "exp"]


def test_scaling_all_parts_becomes_scaling_the_whole():
    """What clipping does to gradients before the optimiser joins them."""
    s = Steps((4,))
    factor = s("sqrt", s("sum", s.x, shape=(), axis=(0,), keepdims=False))
    a = s("exp", s("reshape", s.x, shape=(2, 2)))
    b = s("tanh", s.x)
    parts = [s("reshape", s("multiply", p, factor), shape=(4,)) for p in (a, b)]
    y = s("concatenate", *parts, shape=(8,), axis=0)
    found = simplified(s.program(y))
    assert ops(found).count("multiply") == 1 and ops(found)[-1] == "multiply"
    x = np.array([1, 2, 3, 0.5], F4)
    np.testing.assert_array_equal(
        evaluate(found, [x])[0], evaluate(s.program(y), [x])[0]
    )


@pytest.mark.parametrize("other", ["another factor", "another function", "read again"])
def test_what_differs_between_parts_stays_with_them(other):
    s = Steps((4,))
    a, b = s("exp", s.x), s("tanh", s.x)
    left = s("multiply", a, 2.0)
    right = {
        "another factor": lambda: s("multiply", b, 3.0),
        "another function": lambda: s("add", b, 2.0),
        "read again": lambda: s("multiply", b, 2.0),
    }[other]()
    y = s("concatenate", left, right, shape=(8,), axis=0)
    outputs = (y, right) if other == "read again" else (y,)
    assert ops(simplified(s.program(*outputs)))[-1] == "concatenate"


def test_the_norm_of_norms_takes_no_roots_in_between():
    s = Steps((3,))
    norms = []
    for part in (s.x, s("tanh", s.x)):
        square = s("square", s("absolute", part))
        norm = s("sqrt", s("sum", square, shape=(), axis=(0,), keepdims=False))
        norms.append(s("reshape", norm, shape=(1,)))
    square = s("square", s("absolute", s("concatenate", *norms, shape=(2,), axis=0)))
    y = s("sqrt", s("sum", square, shape=(), axis=(0,), keepdims=False))
    found = simplified(s.program(y))
    assert ops(found).count("sqrt") == 1 and "absolute" not in ops(found)
    x = np.array([1, -2, np.nan], F4)
    for numbers in (x[:2].repeat(2)[:3], x):
        wanted = evaluate(s.program(y), [numbers])[0]
        np.testing.assert_allclose(evaluate(found, [numbers])[0], wanted, rtol=1e-6)


def test_the_square_of_a_root_of_what_may_be_negative_stays():
    s = Steps()
    y = s("square", s("sqrt", s.x))
    assert ops(simplified(s.program(y))) == ["sqrt", "square"]
