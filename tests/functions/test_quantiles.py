"""Medians, modes and quantiles, beside PyTorch and NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dotori
from dotori.errors import ArgumentError, DTypeError, ShapeError
from torch_oracle import agree, same, torch

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5)


@st.composite
def arrays_and_axis(draw, nan=False):
    shape = draw(SHAPES)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    a = rng.standard_normal(shape)
    if nan:
        a[rng.uniform(size=shape) < 0.3] = math.nan
    return a, draw(st.integers(-len(shape), len(shape) - 1)), draw(st.booleans())


@given(arrays_and_axis(nan=True))
@pytest.mark.parametrize("name", ["median", "nanmedian"])
def test_medians(name, case):
    a, axis, keep = case
    ours = getattr(dotori.tensor(a), name)(axis, keep)
    theirs = getattr(torch.tensor(a), name)(axis, keep)
    same(ours.values, theirs.values)
    same(getattr(dotori.tensor(a), name)(), getattr(torch.tensor(a), name)())


@given(arrays_and_axis())
@pytest.mark.parametrize("name", ["median", "nanmedian"])
def test_the_gradient_of_a_median_goes_to_its_index(name, case):
    a, axis, keep = case
    agree(
        lambda x: getattr(x, name)(axis, keep).values,
        lambda x: getattr(x, name)(axis, keep).values,
        a,
    )


@pytest.mark.parametrize("a", [[2.0, 1.0, 2.0, 2.0], [3.0], [1.0, math.nan, math.nan]])
def test_equal_elements_share_the_gradient_of_the_median_of_all(a):
    agree(dotori.median, torch.median, np.array(a))
    agree(dotori.nanmedian, torch.nanmedian, np.array(a))


def test_the_index_of_nan_is_the_first_one():
    a = np.array([1.0, math.nan, 0.0, math.nan])
    same(dotori.tensor(a).median(0).indices, torch.tensor(a).median(0).indices)
    same(dotori.tensor(a).nanmedian(0).indices, torch.tensor(a).nanmedian(0).indices)


@given(hnp.arrays(np.int64, SHAPES, elements=st.integers(-2, 2)), st.data())
def test_modes(a, data):
    axis = data.draw(st.integers(-a.ndim, a.ndim - 1))
    ours, theirs = dotori.tensor(a).mode(axis), torch.tensor(a).mode(axis)
    same(ours.values, theirs.values)
    same(ours.indices, theirs.indices)


METHODS = ["linear", "lower", "higher", "midpoint", "nearest"]


@given(arrays_and_axis(), st.lists(st.floats(0, 1), min_size=1, max_size=3))
@pytest.mark.parametrize("method", METHODS)
def test_quantiles(method, case, q):
    a, axis, keep = case

    def function(module):
        shares = module.tensor(q, dtype=module.float64)
        return lambda x: module.quantile(x, shares, axis, keep, interpolation=method)

    agree(function(dotori), function(torch), a)


@given(arrays_and_axis(nan=True), st.floats(0, 1))
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
def test_quantiles_with_nan(name, method, case, q):
    a, axis, keep = case
    ours = getattr(dotori.tensor(a), name)(q, axis, keep, interpolation=method)
    theirs = getattr(torch.tensor(a), name)(q, axis, keep, interpolation=method)
    same(ours, theirs)


def test_the_share_has_a_gradient_too():
    a = np.random.default_rng(0).standard_normal((3, 7))
    agree(
        lambda x, q: dotori.quantile(x, q, 1),
        lambda x, q: torch.quantile(x, q, 1),
        a,
        np.array([0.1, 0.55]),
    )


def test_of_all_elements_and_without_axes():
    a = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    for keep in (False, True):
        same(
            dotori.tensor(a).quantile(0.3, keepdim=keep),
            torch.tensor(a).quantile(0.3, keepdim=keep),
        )
    same(dotori.tensor(3.0).quantile(0.3), torch.tensor(3.0).quantile(0.3))
    same(dotori.tensor(3.0).median(0).values, torch.tensor(3.0).median(0).values)


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize(
    "call",
    [
        lambda x, **k: np.median(x, **k),
        lambda x, **k: np.nanmedian(x, **k),
        lambda x, **k: np.quantile(x, 0.3, **k),
        lambda x, **k: np.quantile(x, [0.3, 0.9], **k),
        lambda x, **k: np.percentile(x, 30, method="lower", **k),
        lambda x, **k: np.nanquantile(x, 0.3, **k),
    ],
)
def test_numpys_functions_give_what_numpy_gives(call, axis, keep):
    a = np.random.default_rng(0).standard_normal((2, 3, 4))
    t = dotori.tensor(a, requires_grad=True)
    found, expected = (
        call(t, axis=axis, keepdims=keep),
        call(a, axis=axis, keepdims=keep),
    )
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found.detach().array, expected)
    found.sum().backward()
    assert t.grad.sum().item() == pytest.approx(found.numel())


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: x.quantile(1.5), ArgumentError, "q must be from 0 to 1"),
        (
            lambda x: x.quantile(0.5, interpolation="no"),
            ArgumentError,
            "must be one of",
        ),
        (lambda x: x.long().quantile(0.5), DTypeError, "got int64"),
        (
            lambda x: x.quantile(dotori.tensor(0.5, dtype="f8")),
            DTypeError,
            "must be equal",
        ),
        (lambda x: x.quantile(dotori.ones((1, 1))), ShapeError, "one axis or none"),
        (lambda x: x[:0].quantile(0.5), ShapeError, "of no elements"),
        (lambda x: x[:0].median(0), ShapeError, "of no elements"),
        (lambda x: x[:0].mode(0), ShapeError, "of no elements"),
    ],
)
def test_wrong_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call(dotori.tensor([1.0, 2.0, 3.0]))
