"""Writing in place: values, types, refusals, and graphs that would use stale values."""

import numpy as np
import pytest

import dotori
from dotori.errors import DTypeError, GradientError, ShapeError


def leaf(value):
    return dotori.tensor(value, dtype=dotori.float64, requires_grad=True)


def test_values_are_written_into_the_same_memory():
    t = dotori.tensor([1.0, 4.0])
    memory = t.array
    t += 1
    t *= dotori.tensor([2.0, 3.0])
    t -= np.array([4.0, 5.0])
    t /= 2
    assert t.array is memory and t.tolist() == [0.0, 5.0]
    t.add_(1.0, alpha=2).neg_().clamp_(min=-3).pow_(2)
    assert t.tolist() == [4.0, 9.0]
    assert t.sqrt_().tolist() == [2.0, 3.0]
    assert t.zero_().exp_().tolist() == [1.0, 1.0]
    assert t.fill_(7).tolist() == [7.0, 7.0] and t.copy_([1, 2]).tolist() == [1.0, 2.0]
    assert t.array is memory


def test_setitem_takes_every_index():
    t = dotori.tensor(np.zeros((3, 3)))
    t[0] = 1.0
    t[:, 1] = dotori.tensor([2.0, 3.0, 4.0])
    t[dotori.tensor([2]), 2] = 5.0
    t[t == 0] = -1.0
    assert t.tolist() == [[1.0, 2.0, 1.0], [-1.0, 3.0, -1.0], [-1.0, 4.0, 5.0]]


def test_a_tracked_tensor_refuses_and_says_what_to_do():
    x = leaf([1.0, 2.0])
    for act in (
        lambda: x.add_(1.0),
        lambda: x.sin_(),
        lambda: x[:1].mul_(2.0),
        lambda: x.__setitem__(0, 1.0),
        lambda: x.zero_(),
    ):
        with pytest.raises(GradientError, match=r"_? would change .*no_grad\(\)"):
            act()
    with dotori.no_grad():
        x -= 0.5
    assert x.requires_grad and x.tolist() == [0.5, 1.5]


def test_a_stale_graph_is_refused_also_through_a_view():
    x = leaf([1.0, 2.0, 3.0])
    y = x * x
    with dotori.no_grad():
        x[1:].add_(1.0)
    with pytest.raises(GradientError, match=r"Mul needs .* add_ has changed it"):
        y.backward(np.ones(3))


def test_a_change_that_backward_does_not_need_is_fine():
    x = leaf([1.0, 2.0])
    y = x + 1.0
    with dotori.no_grad():
        x.zero_()
    y.backward(np.ones(2))
    assert x.grad is not None and x.grad.tolist() == [1.0, 1.0]


def test_types_and_shapes_that_do_not_fit():
    t = dotori.tensor([1, 2])
    with pytest.raises(DTypeError, match="cannot be kept as int64"):
        t += 0.5
    with pytest.raises(ShapeError, match=r"\(2,\) and \(3,\) do not go"):
        t.add_(np.ones(3, np.int64))
    with pytest.raises(ShapeError, match=r"setitem: a value of shape \(3,\)"):
        t[:] = np.ones(3)
    f = dotori.tensor([1.0])
    f += np.array([1.0])  # float64 into float32
    assert f.dtype == np.float32
