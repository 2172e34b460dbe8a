"""Order along an axis, beside PyTorch and NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dotori
from dotori.errors import ArgumentError, AxisError, DTypeError, ShapeError
from torch_oracle import agree, same, torch

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5)


@st.composite
def arrays_and_axis(draw, ties=False):
    shape = draw(SHAPES)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    a = rng.integers(-2, 3, shape) if ties else rng.standard_normal(shape)
    return a.astype(np.float64), draw(st.integers(-len(shape), len(shape) - 1))


@given(arrays_and_axis(ties=True), st.booleans())
def test_equal_elements_keep_their_order(case, descending):
    a, axis = case
    ours = dotori.sort(dotori.tensor(a), axis, descending)
    theirs = torch.sort(torch.tensor(a), dim=axis, descending=descending, stable=True)
    same(ours.values, theirs.values)
    same(ours.indices, theirs.indices)
    same(dotori.argsort(dotori.tensor(a), axis, descending), theirs.indices)


@given(arrays_and_axis(), st.booleans())
def test_gradients_go_back_to_where_elements_came_from(case, descending):
    a, axis = case
    agree(
        lambda x: dotori.sort(x, axis, descending).values ** 2,
        lambda x: torch.sort(x, axis, descending).values ** 2,
        a,
    )


@given(arrays_and_axis(), st.data())
def test_the_first_k(case, data):
    a, axis = case
    k, largest = data.draw(st.integers(0, a.shape[axis])), data.draw(st.booleans())
    ours = dotori.topk(dotori.tensor(a), k, axis, largest)
    same(ours.indices, torch.topk(torch.tensor(a), k, axis, largest).indices)
    agree(
        lambda x: dotori.topk(x, k, axis, largest).values,
        lambda x: torch.topk(x, k, axis, largest).values,
        a,
    )
    if k:
        agree(
            lambda x: dotori.kthvalue(x, k, axis, largest).values,
            lambda x: torch.kthvalue(x, k, axis, largest).values,
            a,
        )


def test_nan_is_the_largest():
    a = np.array([1.0, math.nan, 3.0, -math.inf, math.inf])
    for descending in (False, True):
        ours = dotori.tensor(a).sort(descending=descending)
        theirs = torch.tensor(a).sort(descending=descending)
        same(ours.values, theirs.values)
        same(ours.indices, theirs.indices)
    assert math.isnan(dotori.tensor(a).topk(1).values.item())


def test_without_axes_and_without_elements():
    for call in ("sort()", "topk(1)", "kthvalue(1)", "sort(0, True)"):
        x = eval(f"dotori.tensor(3.0).{call}", {"dotori": dotori})
        t = eval(f"torch.tensor(3.0).{call}", {"torch": torch})
        same(x.values, t.values)
        same(x.indices, t.indices)
    same(dotori.zeros((2, 0)).sort().values, torch.zeros((2, 0)).sort().values)


def test_numpys_functions_give_values_alone():
    a = np.random.default_rng(0).standard_normal((3, 4))
    t = dotori.tensor(a, requires_grad=True)
    for axis in (0, -1, None):
        np.testing.assert_array_equal(np.sort(t, axis).array, np.sort(a, axis))
        np.testing.assert_array_equal(np.argsort(t, axis).array, np.argsort(a, axis))
    np.sort(t, axis=0)[0].sum().backward()
    np.testing.assert_array_equal(t.grad.array, a == a.min(axis=0))
    line = np.array([1.0, 2.0, 2.0, 5.0])
    for side in ("left", "right"):
        found = np.searchsorted(dotori.tensor(line), dotori.tensor([2.0, 9.0]), side)
        np.testing.assert_array_equal(
            found.array, np.searchsorted(line, [2.0, 9.0], side)
        )
    np.testing.assert_array_equal(np.isin(t.detach(), a[0]).array, np.isin(a, a[0]))
    np.testing.assert_array_equal(np.unique(t.detach()).array, np.unique(a))


# ------------------------------------------------------------------ distinct values


@given(arrays_and_axis(ties=True), st.booleans(), st.booleans(), st.booleans())
@pytest.mark.parametrize("name", ["unique", "unique_consecutive"])
def test_distinct_values_with_all_flags(name, case, inverse, counts, along):
    a, axis = case
    flags = {"return_inverse": inverse, "return_counts": counts}
    if along:
        flags["dim"] = axis
    ours = getattr(dotori, name)(dotori.tensor(a), **flags)
    theirs = getattr(torch, name)(torch.tensor(a), **flags)
    if not (inverse or counts):
        ours, theirs = (ours,), (theirs,)
    assert len(ours) == len(theirs)
    for x, t in zip(ours, theirs, strict=True):
        same(x, t)


@pytest.mark.parametrize("name", ["unique", "unique_consecutive"])
def test_no_nan_equals_another(name):
    a = np.array([3.0, math.nan, math.nan, 3.0])
    same(getattr(dotori, name)(dotori.tensor(a)), getattr(torch, name)(torch.tensor(a)))


def test_slices_of_nothing_are_refused():
    with pytest.raises(ShapeError, match="are empty"):
        dotori.unique(dotori.zeros((3, 0)), dim=0)


@pytest.mark.parametrize("invert", [False, True])
def test_isin(invert):
    a, b = np.array([[1, 2], [3, 2]]), np.array([2, 7])
    ours = dotori.isin(dotori.tensor(a), dotori.tensor(b), invert=invert)
    same(ours, torch.isin(torch.tensor(a), torch.tensor(b), invert=invert))
    assert dotori.isin(2, [2, 3]).item()


# ------------------------------------------------------------------ places in an order


@given(
    st.lists(st.integers(-5, 5), min_size=1),
    st.lists(st.integers(-6, 6)),
    st.booleans(),
)
def test_places_in_an_order(line, values, right):
    a, b = np.sort(np.array(line)), np.array(values, np.int64)
    ours = dotori.searchsorted(dotori.tensor(a), dotori.tensor(b), right=right)
    same(ours, torch.searchsorted(torch.tensor(a), torch.tensor(b), right=right))
    ours = dotori.bucketize(
        dotori.tensor(b), dotori.tensor(a), right=right, out_int32=True
    )
    theirs = torch.bucketize(
        torch.tensor(b), torch.tensor(a), right=right, out_int32=True
    )
    same(ours, theirs)


def test_places_row_by_row_and_with_a_sorter():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 3, 5)), rng.standard_normal((2, 3, 4))
    order = np.argsort(a, axis=-1)
    ours, theirs = (
        module.searchsorted(
            module.tensor(a),
            module.tensor(b),
            sorter=module.tensor(order),
            side="right",
        )
        for module in (dotori, torch)
    )
    same(ours, theirs)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: dotori.topk(x, 4), ArgumentError, "k must be from 0 to 3"),
        (lambda x: dotori.kthvalue(x, 0), ArgumentError, "k must be from 1 to 3"),
        (lambda x: dotori.sort(x, 1), AxisError, "axis 1 lies outside"),
        (lambda x: dotori.sort(x, 1.0), AxisError, "an integer, got 1.0"),
        (lambda x: dotori.sort(x + 1j), DTypeError, "have no order"),
        (lambda x: dotori.searchsorted(x, x, side="up"), ArgumentError, "left or right"),
        (lambda x: dotori.searchsorted(x, x, side="left", right=True), ArgumentError, "contradicts"),
        (lambda x: dotori.searchsorted(x, x, sorter=[0, 1, 3]), ArgumentError, "below 3"),
        (lambda x: dotori.searchsorted(x, x, sorter=[0, 1]), ShapeError, "must be equal"),
        (lambda x: dotori.searchsorted(dotori.ones((2, 3)), x), ShapeError, "all axes of x"),
        (lambda x: dotori.bucketize(x, dotori.ones((2, 2))), ShapeError, "need one axis"),
    ],
)  # fmt: skip
def test_wrong_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call(dotori.tensor([1.0, 2.0, 3.0]))
