"""The summary's numbers, worked out by hand."""

import numpy as np
import pytest

import dotori
from dotori import nn
from dotori.errors import ArgumentError


def test_counts_of_a_small_network():
    model = nn.Sequential(nn.Linear(13, 64), nn.ReLU(), nn.Linear(64, 1))
    model[2].requires_grad_(False)
    model[1].eval()
    found = nn.summary(model, (32, 13))
    assert [r.path for r in found.rows] == ["", "0", "1", "2"]
    assert [r.output_shape for r in found.rows[1:]] == [(32, 64), (32, 64), (32, 1)]
    assert [r.parameters for r in found.rows] == [0, 13 * 64 + 64, 0, 65]
    assert [r.multiply_adds for r in found.rows] == [0, 32 * 13 * 64, 0, 32 * 64]
    assert found.multiply_adds == 32 * (13 * 64 + 64)
    assert (found.parameters, found.trainable, found.frozen) == (961, 896, 65)
    assert found.parameter_bytes == 961 * 4
    assert found.output_bytes == 4 * 32 * (64 + 64 + 1)
    assert model.training and not model[1].training, "modes are put back"
    assert all(m._hooks is None for m in model.modules())


def test_a_layer_called_twice_counts_its_parameters_once():
    layer = nn.Linear(3, 3)
    found = nn.summary(nn.Sequential(layer, layer), np.ones((2, 3)))
    assert found.parameters == sum(r.parameters for r in found.rows) == 12
    assert found.multiply_adds == 2 * 2 * 3 * 3


def test_the_table_is_aligned():
    text = str(nn.summary(nn.Sequential(nn.Linear(3, 2)), (5, 3)))
    lines = text.splitlines()
    at = lines[0].index("type")
    assert lines[2][at:].startswith("Sequential") and lines[3][at:].startswith("Linear")
    assert "parameters: 8 (8 trainable)" in lines


def test_several_inputs():
    a, b = dotori.ones(4, 2), dotori.ones(4, 3)
    assert nn.summary(nn.Bilinear(2, 3, 5), [a, b]).rows[0].output_shape == (4, 5)


@pytest.mark.parametrize("wrong", ["32, 13", 3.5, (), (2, 3.5), None])
def test_what_is_no_input_is_refused(wrong):
    with pytest.raises(ArgumentError, match="summary: input must be"):
        nn.summary(nn.Identity(), wrong)


def test_hooks_and_modes_are_put_back_after_a_failure():
    model = nn.Sequential(nn.Linear(3, 2))
    with pytest.raises(dotori.errors.ShapeError):
        nn.summary(model, (5, 4))
    assert model.training and model[0]._hooks is None
