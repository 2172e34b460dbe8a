"""Channels side by side in memory: PyTorch's `channels_last`."""

import numpy as np
import pytest

import dotori
from dotori.errors import ShapeError


def test_strides_are_pytorchs():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    for shape, name in [
        ((2, 3, 4, 5), "channels_last"),
        ((2, 3, 4, 5, 6), "channels_last_3d"),
    ]:
        ours, theirs = dotori.zeros(*shape), torch.zeros(*shape)
        x = ours.contiguous(memory_format=getattr(dotori, name))
        z = theirs.contiguous(memory_format=getattr(torch, name))
        assert x.stride() == z.stride() and x.shape == tuple(z.shape)
        assert x.is_contiguous(memory_format=getattr(dotori, name))
        assert not x.is_contiguous()
        assert ours.to(memory_format=getattr(dotori, name)).stride() == z.stride()
        assert x.contiguous().is_contiguous()


def test_values_and_gradients_stay():
    values = np.arange(24.0).reshape(1, 2, 3, 4)
    x = dotori.tensor(values, requires_grad=True)
    y = x.contiguous(memory_format=dotori.channels_last)
    np.testing.assert_array_equal(y.detach().array, values)
    (y * y).sum().backward()
    np.testing.assert_array_equal(x.grad.array, 2 * values)
    assert y.contiguous(memory_format=dotori.channels_last) is y


def test_only_pictures_have_it():
    with pytest.raises(ShapeError, match=r"pictures.*got the shape \(3, 4\)"):
        dotori.zeros(3, 4).contiguous(memory_format=dotori.channels_last)
    assert not dotori.zeros(3, 4).is_contiguous(memory_format=dotori.channels_last)
    assert repr(dotori.channels_last) == "dotori.channels_last"


def test_a_module_takes_it():
    net = dotori.nn.Linear(2, 3)
    assert net.to(memory_format=dotori.channels_last) is net
