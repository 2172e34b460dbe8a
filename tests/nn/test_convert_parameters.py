"""Parameters as one vector, and back."""

import numpy as np
import pytest

import dotori
from dotori import nn
from dotori.errors import DTypeError, ShapeError


def test_there_and_back():
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    vector = nn.utils.parameters_to_vector(model.parameters())
    assert vector.shape == (11,)
    expected = np.concatenate([p.array.ravel() for p in model.parameters()])
    np.testing.assert_array_equal(vector.array, expected)
    nn.utils.vector_to_parameters(dotori.arange(11.0), model.parameters())
    assert model[0].bias.tolist() == [6.0, 7.0]
    assert model[1].weight.tolist() == [[8.0, 9.0]]


def test_the_vector_is_in_the_parameters_graph():
    layer = nn.Linear(3, 2)
    (nn.utils.parameters_to_vector(layer.parameters()) ** 2).sum().backward()
    np.testing.assert_allclose(layer.weight.grad.array, 2 * layer.weight.array)


def test_parameters_lie_on_the_vector():
    layer, vector = nn.Linear(2, 1), dotori.zeros(3)
    nn.utils.vector_to_parameters(vector, layer.parameters())
    vector.array[...] = 7.0
    assert layer.bias.tolist() == [7.0]


def test_mistakes_change_nothing():
    layer = nn.Linear(2, 1)
    before = layer.weight.array.copy()
    with pytest.raises(ShapeError, match=r"3 elements, the vector has shape \(2,\)"):
        nn.utils.vector_to_parameters(dotori.zeros(2), layer.parameters())
    with pytest.raises(DTypeError, match="got ndarray"):
        nn.utils.vector_to_parameters(np.zeros(3), layer.parameters())
    np.testing.assert_array_equal(layer.weight.array, before)
