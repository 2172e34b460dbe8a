"""Linear and Bilinear: values, types at the boundary, and what they say."""

import numpy as np
import pytest

import dotori
import dotori.nn.functional as F
from dotori import nn
from dotori.errors import ArgumentError, ShapeError


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_as_in_torch(shape, bias, rng):
    oracle = pytest.importorskip("torch_oracle", reason="needs PyTorch")
    arrays = [rng.standard_normal(shape), rng.standard_normal((4, 3))]
    if bias:
        arrays.append(rng.standard_normal(4))
    oracle.agree(F.linear, oracle.torch.nn.functional.linear, *arrays)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(5,), (2, 5)])
def test_bilinear_as_in_torch(bias, batch, rng):
    oracle = pytest.importorskip("torch_oracle", reason="needs PyTorch")
    shapes = [(*batch, 3), (*batch, 2), (4, 3, 2), (4,)]
    arrays = [rng.standard_normal(s) for s in shapes[: 4 if bias else 3]]
    oracle.agree(F.bilinear, oracle.torch.nn.functional.bilinear, *arrays)


@pytest.mark.parametrize("kind", ["f8", "f2", "i8", "u1", "?"])
def test_data_of_any_type_are_cast_to_the_weight(kind):
    layer = nn.Linear(2, 3)
    x = np.array([[0, 1], [1, 1]])
    y = layer(dotori.tensor(x.astype(kind)))
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y.array, layer(dotori.tensor(x.astype("f4"))).array)


def test_a_double_model_computes_in_double():
    layer = nn.Linear(2, 3, dtype=np.float64)
    assert layer(dotori.ones(1, 2)).dtype == np.float64


def test_initial_weights_are_within_torchs_bound():
    dotori.manual_seed(0)
    layer = nn.Linear(25, 400)
    for p in (layer.weight, layer.bias):
        assert abs(p.array).max() <= 0.2
        assert abs(p.array).max() > 0.19
        assert abs(p.array.mean()) < 0.02


def test_a_layer_without_inputs_is_its_bias():
    layer = nn.Linear(0, 2)
    assert layer(dotori.ones(3, 0)).tolist() == [layer.bias.tolist()] * 3


@pytest.mark.parametrize(
    ("shape", "hint"),
    [
        ((32, 12), ""),
        ((32, 1, 3, 13), None),
        ((32, 13, 1), "; put nn.Flatten() before this layer"),
        ((13, 32), "; x looks transposed, samples are rows"),
        ((), ""),
    ],
)
def test_a_wrong_last_axis(shape, hint):
    weight = dotori.zeros(64, 13)
    if hint is None:
        assert F.linear(dotori.zeros(shape), weight).shape == (*shape[:-1], 64)
        return
    with pytest.raises(ShapeError) as caught:
        F.linear(dotori.zeros(shape), weight)
    assert str(caught.value) == (
        f"linear: x has shape {shape}, but the weight of shape (64, 13) wants its last "
        f"axis to be 13{hint}"
    )


def test_sizes_are_checked_when_the_layer_is_made():
    with pytest.raises(ArgumentError) as caught:
        nn.Linear(3, 2.5)
    assert str(caught.value) == (
        "Linear: out_features must be an int of at least 0, got 2.5"
    )


def test_flatten_is_in_c_order():
    x = dotori.tensor(np.arange(24.0).reshape(1, 2, 3, 4))
    assert nn.Flatten()(x).tolist() == [list(np.arange(24.0))]
    assert nn.Unflatten(1, (2, 12))(nn.Flatten()(x)).shape == (1, 2, 12)
