"""What programs for PyTorch rely on: names of arguments, gradients at kinks, errors."""

import inspect
import math

import numpy as np
import pytest

import dotori
from dotori.errors import DotoriError, ShapeError

OTHER = (
    "add sub mul div true_divide floor_divide remainder fmod maximum minimum fmax fmin "
    "atan2 hypot logaddexp logaddexp2 copysign nextafter eq ne lt le gt ge isclose "
    "allclose equal logical_and logical_or logical_xor bitwise_and bitwise_or "
    "bitwise_xor bitwise_left_shift bitwise_right_shift gcd lcm xlogy matmul"
)


@pytest.mark.parametrize("name", OTHER.split())
def test_the_second_argument_is_other(name):
    assert list(inspect.signature(getattr(dotori, name)).parameters)[1] == "other"


def test_pytorchs_keywords():
    x = dotori.tensor([1.0, 2.0])
    assert dotori.add(x, other=x, alpha=2).tolist() == [3.0, 6.0]
    assert x.pow(exponent=3).tolist() == [1.0, 8.0]
    assert dotori.float_power(x, exponent=2).tolist() == [1.0, 4.0]
    assert dotori.lerp(x, end=x * 3, weight=0.5).tolist() == [2.0, 4.0]
    assert dotori.special.gammainc(x, other=x).shape == (2,)
    assert dotori.special.xlog1py(x, other=x).shape == (2,)


def test_both_ends_of_a_line_are_met_exactly():
    a, b = dotori.tensor([1e20]), dotori.tensor([1.0])
    assert dotori.lerp(a, b, 1.0).item() == 1.0
    assert dotori.lerp(a, b, dotori.tensor([1.0])).item() == 1.0
    assert dotori.lerp(a, b, 0.0).item() == a.item()


def test_what_was_picked_lies_in_order():
    x = dotori.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert x[:, [2, 0]].view(-1).tolist() == [3.0, 1.0, 6.0, 4.0]


def test_ravel_shares_whole_memory_alone():
    x = dotori.zeros(2, 2)
    x.ravel()[0] = 1.0
    x[:, 1].ravel()[0] = 1.0  # of a column, a copy
    assert x.tolist() == [[1.0, 0.0], [0.0, 0.0]]


KINKS = {
    "maximum": (lambda T, a, b: T.maximum(a, b), [math.inf, -math.inf, math.nan]),
    "minimum": (lambda T, a, b: T.minimum(a, b), [math.inf, -math.inf, 0.0]),
    "atan2": (lambda T, a, b: T.atan2(a, b), [0.0, 1e-200, 1e200]),
    "softshrink": (
        lambda T, a, b: T.nn.functional.softshrink(a) + b,
        [0.5, -0.5, 0.25, 1.0],
    ),
}


@pytest.mark.parametrize("name", KINKS)
def test_gradients_where_there_is_none_in_the_strict_sense(name):
    torch = pytest.importorskip("torch", reason="PyTorch decides at kinks")
    function, points = KINKS[name]
    found = []
    for T in (dotori, torch):
        a, b = (T.tensor(points, dtype=T.float64, requires_grad=True) for _ in "ab")
        function(T, a, b).sum().backward()
        found.append([a.grad.numpy(), b.grad.numpy()])
    if name == "atan2":  # the square of 1e-200 is 0: PyTorch gives 0, or infinity
        assert found[0][0].tolist() == pytest.approx([0.0, 5e199, 5e-201])
        found = [[g[:1] for g in grads] for grads in found]
    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize(
    "mistake",
    [
        lambda x: x.sum("rows"),
        lambda x: x.softmax(None),
        lambda x: x.softmax(1.5),
        lambda x: x.unsqueeze(None),
        lambda x: x.unbind("a"),
        lambda x: x.flatten("a"),
        lambda x: x.flip("a"),
        lambda x: x.reshape(None),
        lambda x: x.reshape("a", 3),
        lambda x: x.permute("a", "b"),
        lambda x: x.transpose("a", 0),
        lambda x: x.expand("a"),
        lambda x: x.size(7),
        lambda x: x.item(),
        lambda x: x & x,
        lambda x: x | 2.5,
        lambda x: ~x,
        lambda x: -(x > 0),
        lambda x: (x > 0) - (x > 0),
    ],
)
def test_mistakes_are_named(mistake):
    with pytest.raises(DotoriError):
        mistake(dotori.ones(2, 3))


@pytest.mark.parametrize("name", ["where", "isclose", "allclose"])
def test_shapes_that_do_not_go_together_are_named(name):
    a, b = dotori.ones(2), dotori.ones(3)
    inputs = (a > 0, a, b) if name == "where" else (a, b)
    with pytest.raises(ShapeError, match=r"\(2,\) and \(3,\) do not"):
        getattr(dotori, name)(*inputs)


@pytest.mark.parametrize("far", [math.inf, -math.inf, 800.0])
def test_logaddexp_far_out_has_the_gradient_of_the_larger_one(far):
    a = dotori.tensor([far, 0.0], dtype=np.float64, requires_grad=True)
    b = dotori.tensor([0.0, far], dtype=np.float64, requires_grad=True)
    dotori.logaddexp(a, b).sum().backward()
    share = float(far > 0)
    assert a.grad.tolist() == [share, 1 - share]
    assert b.grad.tolist() == [1 - share, share]
