"""ReLU over large arrays equals NumPy's line, whatever the order of axes."""

import numpy as np
import pytest

import dotori
from dotori.kernels import activation
from dotori.ops.activation import LARGE


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 3, 1, 2), (3, 2, 1, 0)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_pictures(order, dtype):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((16, 24, 20, 32)).astype(dtype).transpose(order)
    a.flat[:3] = np.nan, 0, -0.0
    dy = rng.standard_normal(a.shape).astype(dtype)
    x = dotori.tensor(a, requires_grad=True)
    y = x.relu()
    assert a.size > LARGE and y.array.strides == x.array.strides
    np.testing.assert_array_equal(y.detach().array, np.maximum(a, 0))
    for gradient in (dy, np.empty_like(a)):
        gradient[...] = dy
        x.grad = None
        y.backward(dotori.tensor(gradient), retain_graph=True)
        np.testing.assert_array_equal(x.grad.array, dy * (np.maximum(a, 0) > 0))


def test_gaps_and_other_types_are_not_flat():
    x = np.zeros((4, 6))
    assert activation.alike(x, x.copy()) and activation.alike(x.T, x.T.copy("F"))
    assert not activation.alike(x[:, ::2])
    assert not activation.alike(np.broadcast_to(x[:1], (4, 6)))
    assert not activation.alike(x, x.astype("f"))
    assert not activation.alike(x, np.asfortranarray(x))
    assert not activation.alike(x.astype(int))
