"""What runs along an axis, beside PyTorch and NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dotori
from dotori.errors import ArgumentError, AxisError, ShapeError
from torch_oracle import agree, same, torch

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


@st.composite
def arrays_and_axis(draw):
    """Whole numbers from -2 to 2, so that there are ties and zeros."""
    shape = draw(SHAPES)
    a = np.random.default_rng(draw(st.integers(0, 99))).integers(-2, 3, shape)
    return a.astype(np.float64), draw(st.integers(-len(shape), len(shape) - 1))


@given(arrays_and_axis())
def test_products_and_their_gradients_where_there_are_zeros(case):
    a, axis = case
    agree(lambda x: x.cumprod(axis), lambda x: x.cumprod(axis), a)


@given(arrays_and_axis())
@pytest.mark.parametrize("name", ["cummax", "cummin"])
def test_extremes_so_far(name, case):
    a, axis = case
    ours = getattr(dotori.tensor(a), name)(axis)
    theirs = getattr(torch.tensor(a), name)(axis)
    same(ours.indices, theirs.indices)
    agree(
        lambda x: getattr(x, name)(axis).values,
        lambda x: getattr(x, name)(axis).values,
        a,
    )


@pytest.mark.parametrize("name", ["cummax", "cummin"])
def test_after_nan_all_is_nan(name):
    a = np.array([1.0, math.nan, 5.0, math.nan, -5.0])
    ours, theirs = getattr(dotori.tensor(a), name)(0), getattr(torch.tensor(a), name)(0)
    same(ours.values, theirs.values)
    same(ours.indices, theirs.indices)


@given(arrays_and_axis(), st.sampled_from([1.0, 1e3]))
def test_logcumsumexp_neither_overflows_nor_loses(case, scale):
    a, axis = case
    agree(
        lambda x: x.logcumsumexp(axis), lambda x: x.logcumsumexp(axis), a * scale,
        second=scale == 1.0,
    )  # fmt: skip


def test_logcumsumexp_of_large_numbers_to_second_order():
    a = np.array([999.0, 1000.0, 1001.5])
    large, small = (dotori.tensor(v, requires_grad=True) for v in (a, a - 1000))
    seconds = []
    for x in (large, small):  # a shift changes no gradient
        (g,) = dotori.autograd.grad(x.logcumsumexp(0)[2], x, create_graph=True)
        seconds.append(dotori.autograd.grad((g * g).sum(), x)[0].array)
    np.testing.assert_allclose(*seconds, rtol=1e-10)
    assert np.isfinite(seconds[0]).all()


def test_logcumsumexp_from_nothing():
    a = np.array([-math.inf, -math.inf, 0.0, 1.0])
    x = dotori.tensor(a, requires_grad=True)
    y = x.logcumsumexp(0)
    same(y.detach(), torch.tensor(a).logcumsumexp(0))
    y[3].backward()
    np.testing.assert_allclose(
        x.grad.array, [0, 0, 1 / (1 + math.e), math.e / (1 + math.e)]
    )


@given(arrays_and_axis(), st.integers(0, 3))
def test_differences(case, n):
    a, axis = case
    agree(lambda x: x.diff(n, axis), lambda x: x.diff(n, axis), a)
    np.testing.assert_array_equal(
        np.diff(dotori.tensor(a), n, axis=axis).array, np.diff(a, n, axis=axis)
    )


def test_ends_of_differences():
    a, end = np.arange(6.0).reshape(2, 3) ** 2, np.ones((2, 1))
    agree(
        lambda x, y: dotori.diff(x, prepend=y, append=y),
        lambda x, y: torch.diff(x, prepend=y, append=y),
        a, end,
    )  # fmt: skip
    assert np.diff(dotori.tensor([1.0, 4.0]), prepend=0).tolist() == [1.0, 3.0]
    same(dotori.tensor([True, False]).diff(), torch.tensor([True, False]).diff())
    with pytest.raises(ShapeError, match="got shape"):
        dotori.diff(dotori.tensor(a), append=dotori.ones((1,)))


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("name", ["trapezoid", "cumulative_trapezoid", "trapz"])
def test_areas(name, axis):
    rng = np.random.default_rng(0)
    y = rng.standard_normal((3, 4))
    ours, theirs = getattr(dotori, name), getattr(torch, name)
    agree(lambda t: ours(t, dx=0.5, dim=axis), lambda t: theirs(t, dx=0.5, dim=axis), y)
    x = np.sort(rng.standard_normal(y.shape[axis]))
    agree(lambda t, u: ours(t, u, dim=axis), lambda t, u: theirs(t, u, dim=axis), y, x)
    full = rng.standard_normal((3, 4))
    agree(
        lambda t, u: ours(t, u, dim=axis), lambda t, u: theirs(t, u, dim=axis), y, full
    )


def test_an_area_has_one_kind_of_distance():
    y = dotori.ones(3)
    with pytest.raises(ArgumentError, match="x or dx"):
        dotori.trapezoid(y, y, dx=1.0)
    with pytest.raises(ShapeError, match="x has 2"):
        dotori.trapezoid(y, dotori.ones(2))


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("spacing", [1, 0.5, [2.0, 0.25], "points"])
def test_slopes(spacing, edge_order):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((4, 5))
    ours = theirs = spacing
    if spacing == "points":
        points = [np.sort(rng.standard_normal(n)) for n in a.shape]
        ours, theirs = map(dotori.tensor, points), map(torch.tensor, points)
        ours, theirs = list(ours), list(theirs)
    for i in (0, 1):
        agree(
            lambda x, i=i: dotori.gradient(x, spacing=ours, edge_order=edge_order)[i],
            lambda x, i=i: torch.gradient(x, spacing=theirs, edge_order=edge_order)[i],
            a,
        )


def test_numpys_slopes():
    a = np.random.default_rng(0).standard_normal((4, 5))
    t = dotori.tensor(a)
    for mine, its in zip(np.gradient(t), np.gradient(a), strict=True):
        np.testing.assert_allclose(mine.array, its)
    points = np.array([0.0, 1.0, 3.0, 4.0])
    found = np.gradient(t, points, axis=0)
    np.testing.assert_allclose(found.array, np.gradient(a, points, axis=0))


def test_wrong_arguments():
    x = dotori.ones((3, 4))
    with pytest.raises(AxisError, match="axis 2 lies outside"):
        x.cumprod(2)
    with pytest.raises(ArgumentError, match="named twice"):
        dotori.gradient(x, dim=(0, -2))
    with pytest.raises(ArgumentError, match="one spacing for each of 2"):
        dotori.gradient(x, spacing=[1.0])
    with pytest.raises(ShapeError, match="needs 3 points"):
        dotori.gradient(dotori.ones(2), edge_order=2)
