"""Initial values: exact bounds, deviations, and PyTorch's gains."""

import math

import numpy as np
import pytest

import dotori
from dotori import nn
from dotori.errors import ArgumentError, ShapeError
from dotori.nn import init


def generator():
    return dotori.Generator(7)


def empty(*shape):
    return dotori.zeros(*shape, dtype=np.float64)


@pytest.mark.parametrize(
    ("fill", "bound"),
    [
        (lambda t, g: init.uniform_(t, -0.5, 0.5, g), 0.5),
        (lambda t, g: init.xavier_uniform_(t, 2.0, g), 2 * math.sqrt(6 / 500)),
        (lambda t, g: init.kaiming_uniform_(t, generator=g), math.sqrt(6 / 300)),
        (
            lambda t, g: init.kaiming_uniform_(t, 0, "fan_out", "tanh", g),
            5 / 3 * math.sqrt(3 / 200),
        ),
    ],
)
def test_uniform_values_fill_their_bounds(fill, bound):
    t = empty(200, 300)
    assert fill(t, generator()) is t
    assert abs(t.array).max() <= bound
    assert abs(t.array).max() > 0.999 * bound
    assert t.array.std() == pytest.approx(bound / math.sqrt(3), rel=0.01)
    assert abs(t.array.mean()) < 0.01 * bound


@pytest.mark.parametrize(
    ("fill", "std"),
    [
        (lambda t, g: init.normal_(t, 0.0, 0.3, g), 0.3),
        (lambda t, g: init.xavier_normal_(t, 1.0, g), math.sqrt(2 / 500)),
        (
            lambda t, g: init.kaiming_normal_(t, nonlinearity="relu", generator=g),
            math.sqrt(2 / 300),
        ),
    ],
)
def test_normal_values_have_their_deviation(fill, std):
    t = fill(empty(200, 300), generator())
    assert t.array.std() == pytest.approx(std, rel=0.01)
    kurtosis = ((t.array / t.array.std()) ** 4).mean()
    assert kurtosis == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [(0, 1, -2, 2), (1, 2, -1, 1.5), (0, 1, 4, 100), (0, 0.02, -2, 2)],
)
def test_truncated_values_follow_the_cut_distribution(mean, std, a, b):
    stats = pytest.importorskip("scipy.stats", reason="SciPy is the oracle")
    t = init.trunc_normal_(empty(20_000), mean, std, a, b, generator())
    exact = stats.truncnorm((a - mean) / std, (b - mean) / std, mean, std)
    assert a <= t.array.min() and t.array.max() <= b
    assert stats.kstest(t.array, exact.cdf).pvalue > 1e-3


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (4, 2, 3)])
def test_orthogonal_rows_or_columns(shape):
    w = init.orthogonal_(empty(*shape), 2.0, generator()).array.reshape(shape[0], -1)
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


def test_sparse_columns_have_their_zeros():
    t = init.sparse_(empty(50, 8), 0.21, 1.0, generator())
    assert ((t.array == 0).sum(axis=0) == 11).all()


def test_constants():
    assert init.ones_(empty(2)).tolist() == [1, 1]
    assert init.zeros_(init.ones_(empty(2))).tolist() == [0, 0]
    assert init.eye_(init.ones_(empty(2, 2))).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("shape", "groups"), [((3, 2, 3), 1), ((4, 2, 3, 3), 2), ((2, 3, 3, 4, 5), 1)]
)
def test_dirac_is_pytorchs(shape, groups):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    expected = torch.nn.init.dirac_(torch.empty(shape), groups).numpy()
    assert np.array_equal(init.dirac_(empty(*shape), groups).array, expected)


@pytest.mark.parametrize(
    ("name", "param"),
    [
        ("linear", None), ("conv2d", None), ("conv_transpose3d", None),
        ("sigmoid", None), ("tanh", None), ("relu", None), ("selu", None),
        ("leaky_relu", None), ("leaky_relu", 0.3),
    ],
)  # fmt: skip
def test_gains_are_pytorchs(name, param):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    assert init.calculate_gain(name, param) == torch.nn.init.calculate_gain(name, param)


def test_the_same_generator_gives_the_same_values():
    a, b = (init.normal_(empty(9), generator=generator()) for _ in range(2))
    assert a.tolist() == b.tolist()
    dotori.manual_seed(3)
    c = init.normal_(empty(9)).tolist()
    dotori.manual_seed(3)
    assert init.normal_(empty(9)).tolist() == c


def test_parameters_keep_their_memory_type_and_gradient():
    p = nn.Linear(3, 2).weight
    memory = p.array
    assert init.xavier_uniform_(p) is p
    assert p.array is memory and p.dtype == np.float32 and p.requires_grad


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: init.xavier_uniform_(empty(3)), ShapeError),
        (lambda: init.kaiming_normal_(empty(3, 3), mode="fan"), ArgumentError),
        (lambda: init.calculate_gain("swush"), ArgumentError),
        (lambda: init.eye_(empty(3)), ShapeError),
        (lambda: init.dirac_(empty(3, 3)), ShapeError),
        (lambda: init.dirac_(empty(3, 3, 3), 2), ArgumentError),
        (lambda: init.orthogonal_(empty(3)), ShapeError),
        (lambda: init.sparse_(empty(3, 3), 1.5), ArgumentError),
        (lambda: init.trunc_normal_(empty(3), a=2, b=1), ArgumentError),
    ],
)
def test_what_makes_no_sense_is_refused(call, error):
    with pytest.raises(error):
        call()
