"""Statistics without NaN, of several variables, beside PyTorch and NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dotori
from dotori.errors import ArgumentError, DTypeError, ShapeError
from torch_oracle import agree, same, torch


@given(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4), st.data())
@pytest.mark.parametrize("name", ["nansum", "nanmean"])
def test_nan_does_not_count(name, shape, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    a = rng.standard_normal(shape)
    a[rng.uniform(size=shape) < 0.3] = math.nan
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    if name == "nanmean":  # a mean of nothing: tested by itself
        np.moveaxis(a, axis, 0)[0] = 1.0
    for args in ((), (axis,), (axis, True)):
        agree(
            lambda x, args=args: getattr(x, name)(*args),
            lambda x, args=args: getattr(x, name)(*args),
            a,
        )
    function = getattr(np, name)
    function = getattr(np, name)
    found = function(dotori.tensor(a), axis)
    np.testing.assert_allclose(found.array, function(a, axis))


def test_the_mean_of_nothing_is_nan_and_has_no_gradient():
    x = dotori.tensor([math.nan, math.nan], requires_grad=True)
    y = x.nanmean()
    y.backward()
    assert math.isnan(y.item())
    assert x.grad.tolist() == [0.0, 0.0]


def test_types_of_sums_without_nan():
    same(dotori.tensor([1, 2]).nansum(), torch.tensor([1, 2]).nansum())
    with pytest.raises(DTypeError, match="floats were wanted"):
        dotori.tensor([1, 2]).nanmean()
    assert dotori.tensor([1.0]).nanmean().dtype == np.float32


@pytest.mark.parametrize("dim", [None, 0, -1])
def test_both_extremes(dim):
    a = np.array([[1.0, 3.0, 1.0], [2.0, 2.0, 0.0]])
    for i in (0, 1):
        agree(
            lambda x, i=i: dotori.aminmax(x, dim=dim)[i],
            lambda x, i=i: torch.aminmax(x, dim=dim)[i],
            a,
        )
    assert dotori.tensor(a).aminmax().max.item() == 3.0


@pytest.mark.parametrize("correction", [0, 1, 2])
@pytest.mark.parametrize("weights", ["none", "f", "a", "both"])
def test_covariances(weights, correction):
    rng = np.random.default_rng(0)
    x, importance = rng.standard_normal((3, 6)), rng.uniform(0.1, 1.0, 6)
    times = np.array([1, 2, 0, 3, 1, 1])

    def function(module):
        def call(t, w):
            kwargs = {"correction": correction}
            if weights in ("f", "both"):
                kwargs["fweights"] = module.tensor(times)
            if weights in ("a", "both"):
                kwargs["aweights"] = w
            return module.cov(t, **kwargs) + 0 * w.sum()

        return call

    agree(function(dotori), function(torch), x, importance)


def test_covariance_of_one_variable_and_of_integers():
    for data in ([1.0, 2.0, 4.0], [1, 2, 4], [[1, 2], [3, 5]]):
        same(dotori.cov(dotori.tensor(data)), torch.cov(torch.tensor(data)))


def test_correlations():
    a = np.random.default_rng(0).standard_normal((3, 6))
    agree(dotori.corrcoef, torch.corrcoef, a)
    agree(dotori.corrcoef, torch.corrcoef, a[0])
    assert dotori.corrcoef(dotori.tensor(a)).array.max() <= 1.0


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.cov(x), lambda x: np.cov(x, rowvar=False), lambda x: np.cov(x[0], x[1]),
        lambda x: np.cov(x, bias=True), lambda x: np.cov(x, ddof=2), lambda x: np.corrcoef(x),
        lambda x: np.corrcoef(x[0], x[1]),
    ],
)  # fmt: skip
def test_numpys_covariances(call):
    a = np.random.default_rng(0).standard_normal((3, 6))
    found = call(dotori.tensor(a))
    assert isinstance(found, dotori.Tensor)
    np.testing.assert_allclose(found.array, call(a))


@pytest.mark.parametrize("p", [1, 2, 3, 0.5, math.inf])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_slices_of_bounded_norm(p, dim):
    a = np.random.default_rng(0).standard_normal((3, 4, 2))
    agree(
        lambda x: dotori.renorm(x, p, dim, 1.5),
        lambda x: torch.renorm(x, p, dim, 1.5),
        a,
    )


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: dotori.cov(dotori.ones((1, 2, 3))), ShapeError, "one or two axes"),
        (lambda x: dotori.cov(x, fweights=[1.0, 2.0, 3.0]), DTypeError, "must be integers"),
        (lambda x: dotori.cov(x, fweights=[1, 2]), ShapeError, r"must have shape \(3,\)"),
        (lambda x: dotori.cov(x, aweights=[-1.0, 1.0, 1.0]), ArgumentError, "not be negative"),
        (lambda x: dotori.cov(x, fweights=[0, 0, 0]), ArgumentError, "all weights are 0"),
        (lambda x: dotori.renorm(x, 2, 0, 1.0), ShapeError, "two axes"),
        (lambda x: dotori.renorm(dotori.ones((2, 2)), -1, 0, 1.0), ArgumentError, "p > 0"),
    ],
)  # fmt: skip
def test_wrong_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call(dotori.tensor([1.0, 2.0, 3.0]))
