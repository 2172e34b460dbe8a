"""Dropout: how much, at which scale, reproducibly, and backward as forward."""

import numpy as np
import pytest

import dotori
import dotori.nn.functional as F
from dotori import nn
from dotori.errors import ArgumentError, ShapeError


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_share_and_scale(p):
    dotori.manual_seed(0)
    n = 100_000
    y = F.dropout(dotori.ones(n), p).array
    kept = y != 0
    # five standard deviations of a binomial share
    assert abs(kept.mean() - (1 - p)) < 5 * np.sqrt(p * (1 - p) / n)
    assert set(y[kept]) == {np.float32(1 / (1 - p))}


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (F.dropout, (4, 5)),
        (F.dropout1d, (4, 5, 3)),
        (F.dropout2d, (4, 5, 3, 2)),
        (F.dropout3d, (4, 5, 3, 2, 2)),
        (F.alpha_dropout, (4, 5)),
        (F.feature_alpha_dropout, (4, 5, 3)),
    ],
)
class TestEveryKind:
    def test_the_seed_fixes_it(self, function, shape):
        x = dotori.ones(shape)
        draws = []
        for seed in (1, 1, 2):
            dotori.manual_seed(seed)
            draws.append(function(x, 0.5, True).array)
        np.testing.assert_array_equal(draws[0], draws[1])
        assert (draws[0] != draws[2]).any()

    def test_backward_drops_what_forward_dropped(self, function, shape, rng):
        x = dotori.tensor(rng.standard_normal(shape), requires_grad=True)
        dotori.manual_seed(5)
        y = function(x, 0.4, True)
        dotori.manual_seed(6)  # what is drawn in between changes nothing
        y.sum().backward()
        dotori.manual_seed(5)
        moved = function(x.detach() + 1.0, 0.4, True)
        np.testing.assert_allclose(x.grad.array, (moved - y.detach()).array, atol=1e-12)
        assert 0 in x.grad.array

    def test_inference_is_the_tensor_itself(self, function, shape):
        x = dotori.ones(shape)
        assert function(x, 0.5, False) is x

    def test_p_0_is_the_tensor_itself(self, function, shape):
        x = dotori.ones(shape)
        assert function(x, 0.0, True) is x

    def test_p_1_is_zero_and_so_is_its_gradient(self, function, shape):
        x = dotori.ones(shape, requires_grad=True)
        y = function(x, 1.0, True)
        y.sum().backward()
        assert not y.array.any()
        assert not x.grad.array.any()

    @pytest.mark.parametrize("kind", [np.float32, np.float64])
    def test_the_type_stays(self, function, shape, kind):
        assert function(dotori.ones(shape, dtype=kind), 0.5, True).dtype == kind

    @pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
    def test_p_outside_of_0_to_1(self, function, shape, p):
        with pytest.raises(ArgumentError) as caught:
            function(dotori.ones(shape), p, True)
        assert str(caught.value) == (
            f"{function.__name__}: p is a probability, from 0 to 1, got {p}"
        )


@pytest.mark.parametrize("spatial", [1, 2, 3])
@pytest.mark.parametrize("batch", [(), (6,)])
def test_channels_are_dropped_whole(spatial, batch):
    dotori.manual_seed(0)
    x = dotori.ones((*batch, 8, *(3,) * spatial))
    y = getattr(F, f"dropout{spatial}d")(x, 0.5).array
    rows = y.reshape(-1, 3**spatial)
    assert set(rows.mean(axis=1)) == {0.0, 2.0}
    assert set(rows.std(axis=1)) == {0.0}


def test_channels_need_their_axes():
    with pytest.raises(ShapeError) as caught:
        F.dropout2d(dotori.ones(3, 3))
    assert str(caught.value) == (
        "dropout2d: x has shape (3, 3); it must be (batch, channels) and 2 spatial "
        "axes, or the same without the batch"
    )


@pytest.mark.parametrize("p", [0.2, 0.5])
def test_alpha_dropout_keeps_mean_and_variance(p):
    dotori.manual_seed(0)
    x = F.selu(dotori.randn(400_000, dtype=np.float64))
    y = F.alpha_dropout((x - x.mean()) / float(x.array.std()), p, training=True).array
    assert abs(y.mean()) < 0.02
    assert abs(y.std() - 1) < 0.02


def test_second_gradient_goes_through_the_same_mask():
    dotori.manual_seed(0)
    x = dotori.tensor(np.ones(6), requires_grad=True)
    y = F.dropout(x, 0.5)
    (g,) = dotori.autograd.grad((y * y).sum(), x, create_graph=True)
    (h,) = dotori.autograd.grad(g.sum(), x)
    np.testing.assert_array_equal(h.array, 2 * y.array**2)


def test_the_module_follows_train_and_eval():
    dotori.manual_seed(0)
    layer, x = nn.Dropout(0.5), dotori.ones(1000)
    assert 400 < np.count_nonzero(layer(x).array) < 600
    assert layer.eval()(x) is x
    assert repr(layer) == "Dropout(p=0.5, inplace=False)"


def test_the_module_checks_p_when_it_is_made():
    with pytest.raises(ArgumentError) as caught:
        nn.Dropout(2)
    assert str(caught.value) == "Dropout: p is a probability, from 0 to 1, got 2"
