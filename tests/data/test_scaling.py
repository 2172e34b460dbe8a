"""Scaling of plain arrays: the book's numbers, scikit-learn, and hard columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dotori.data.scaling import (
    Scaling,
    fit_scaling,
    image_to_vector,
    minmax,
    normalize_rows,
    standardize,
)
from dotori.errors import ArgumentError, NonFiniteError, ShapeError

MATRICES = arrays.arrays(
    np.float64,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.floats(-1e12, 1e12),
)


@pytest.mark.parametrize("scale", [standardize, minmax])
def test_a_constant_column_becomes_zero(scale):
    for value in (0.0, 0.1, 7.0, 1e17, -3e-9):
        assert scale(np.full((5, 1), value)).tolist() == [[0.0]] * 5


@given(MATRICES)
def test_as_scikit_learn(x):
    preprocessing = pytest.importorskip("sklearn.preprocessing", reason="the reference")
    spread = x.max(axis=0) - x.min(axis=0)
    # Where it, too, keeps its digits, and does not take the column for constant.
    x = x[:, spread > 1e-3 * np.abs(x).max(axis=0) + 1e-9]
    if x.size:
        expected = preprocessing.StandardScaler().fit_transform(x)
        np.testing.assert_allclose(standardize(x), expected, rtol=1e-9, atol=1e-9)
        expected = preprocessing.MinMaxScaler().fit_transform(x)
        np.testing.assert_allclose(minmax(x), expected, rtol=1e-9, atol=1e-9)


@given(MATRICES, st.sampled_from(["standard", "minmax", "none"]))
def test_the_inverse_gives_back_what_was_given(x, kind):
    scaling = fit_scaling(x, kind)
    back = scaling.invert(scaling.apply(x))
    largest = np.abs(x).max(axis=0, keepdims=True)
    assert (np.abs(back - x) <= 1e-14 * largest).all()


def test_statistics_do_not_lose_digits_to_an_offset():
    """Halves around 2**52: the naive mean of squares would keep none of them."""
    x = 2.0**51 + np.array([[0.0], [1.0], [2.0], [3.0]])
    scaling = Scaling.standard(x)
    assert scaling.factor[0] == pytest.approx(np.sqrt(1.25), rel=1e-12)
    assert scaling.shift[0] == 2.0**51 + 1.5


def test_large_numbers_do_not_overflow():
    x = np.array([[-4e307], [4e307]])
    assert standardize(x).tolist() == [[-1.0], [1.0]]
    assert minmax(x).tolist() == [[0.0], [1.0]]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, bool])
def test_types(dtype):
    x = np.array([[0, 1], [1, 0], [1, 1]], dtype=dtype)
    wanted = dtype if np.dtype(dtype).kind == "f" else np.float64
    for function in (standardize, minmax, normalize_rows):
        assert function(x).dtype == wanted
    assert standardize(np.array([1.0, 3.0])).tolist() == [-1.0, 1.0]


@pytest.mark.parametrize("scale", [standardize, minmax])
def test_wrong_input_is_refused(scale):
    with pytest.raises(ShapeError, match="at least one row"):
        scale(np.zeros((0, 3)))
    with pytest.raises(ShapeError, match=r"shape \(n, d\) was wanted, got \(1, 1, 1\)"):
        scale(np.zeros((1, 1, 1)))
    for value in (np.nan, np.inf, 1.7e308):
        with pytest.raises(NonFiniteError, match="finite numbers up to"):
            scale(np.array([[value], [0.0]]))
    with pytest.raises(ArgumentError, match="'standard', 'minmax' or 'none'"):
        fit_scaling(np.zeros((1, 1)), "robust")


def test_rows_of_length_one():
    x = np.array([[0.0, 3.0, 4.0], [1.0, 6.0, 4.0]])
    expected = [[0, 0.6, 0.8], [0.13736056, 0.82416338, 0.54944226]]
    np.testing.assert_allclose(normalize_rows(x), expected, atol=5e-9)
    hard = np.array([[0.0, 0.0], [3e200, 4e200], [3e-200, 4e-200]])
    np.testing.assert_allclose(
        normalize_rows(hard), [[0, 0], [0.6, 0.8], [0.6, 0.8]], rtol=1e-15
    )
    assert normalize_rows(np.zeros((2, 0))).shape == (2, 0)
    with pytest.raises(ShapeError, match=r"\(n, d\) was wanted, got \(3,\)"):
        normalize_rows(np.zeros(3))


def test_images_are_laid_out_in_c_order():
    image = np.arange(24).reshape(2, 4, 3)
    assert image_to_vector(image).tolist() == [[i] for i in range(24)]
    batch = np.stack([image, image + 100])
    assert image_to_vector(batch)[1].tolist() == list(range(100, 124))
    assert image_to_vector(np.zeros((0, 2, 2, 1))).shape == (0, 4)
    transposed = np.asfortranarray(image)
    assert image_to_vector(transposed).tolist() == image_to_vector(image).tolist()
    with pytest.raises(ShapeError, match=r"\(h, w, c\) .* got \(2, 2\)"):
        image_to_vector(np.zeros((2, 2)))
