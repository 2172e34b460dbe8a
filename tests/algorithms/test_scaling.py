"""Moments, ranges and quantiles of columns against NumPy in float64 and by definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori import kernels
from dotori.algorithms import moments, scaling
from dotori.algorithms.moments import Moments, column_moments, welford
from dotori.data.scaling import minmax, normalize_rows, standardize
from dotori.errors import ArgumentError, ShapeError
from dotori.kernels import _threads


@st.composite
def tables(draw):
    """Matrices of many shapes, layouts and offsets; some with NaN."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, d = draw(st.integers(1, 700)), draw(st.sampled_from([1, 2, 3, 50, 701]))
    x = rng.normal(size=(n, d)) * 10.0 ** draw(st.integers(-3, 3))
    x += draw(st.sampled_from([0.0, 1.0, -1e4]))
    if draw(st.booleans()):
        x[:, rng.integers(d)] = rng.normal()
    if draw(st.booleans()):
        x[rng.random((n, d)) < 0.2] = np.nan
    x = x.astype(draw(st.sampled_from([np.float32, np.float64])))
    layout = draw(st.sampled_from("CFS"))
    return np.asfortranarray(x) if layout == "F" else x[::-2] if layout == "S" else x


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Several blocks, and rows that do not fill the long ones."""
    monkeypatch.setattr(moments, "BLOCK", 1 << 9)
    monkeypatch.setattr(moments, "_LONG", 128)


def exact(x, weights=None):
    """Count, mean and sum of squares in the textbook's two passes, in long double."""
    wide = x.astype(np.longdouble)
    w = np.ones(len(x)) if weights is None else weights
    w = np.where(np.isnan(x), 0, w[:, None]).astype(np.longdouble)
    count = w.sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean = np.nansum(w * wide, axis=0) / count
        return count, mean, np.nansum(w * (wide - mean) ** 2, axis=0)


@given(tables(), st.booleans())
def test_moments_are_those_of_two_passes(x, weighted):
    weights = np.random.default_rng(0).integers(1, 5, len(x)) * 0.5
    weights = weights if weighted else None
    found = column_moments(x, weights)
    count, mean, squares = (a.astype(float) for a in exact(x, weights))
    size = np.nanmax(np.abs(x), axis=0, initial=0).astype(float)
    np.testing.assert_array_equal(found.count, count)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-12, atol=1e-13 * size.max())
    bound = 1e-12 * squares + 1e-24 * count * size**2
    assert (np.abs(found.squares - squares) <= bound)[count > 0].all()


def test_a_large_offset_and_a_late_jump_cost_no_digits():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 3)) + np.array([1e9, 0.0, -1e6])
    x[3900:, 1] += 1e7  # nothing like the rows that were looked at first
    found = column_moments(x)
    _, mean, squares = exact(x)
    np.testing.assert_allclose(found.mean, mean.astype(float), rtol=1e-15)
    np.testing.assert_allclose(found.squares, squares.astype(float), rtol=1e-9)


def test_a_first_guess_that_is_far_off_is_noticed(monkeypatch):
    monkeypatch.setattr(moments, "_SAMPLE", 1)
    x = np.random.default_rng(0).normal(size=(9000, 1)) + 1e9
    x[0] = 0  # all that is looked at
    found = column_moments(x[1:].copy()).join(column_moments(x[:1]))
    whole = column_moments(x)
    np.testing.assert_allclose(whole.squares, exact(x)[2].astype(float), rtol=1e-14)
    np.testing.assert_allclose(whole.squares, found.squares, rtol=1e-14)


def test_equal_numbers_have_no_spread_at_all():
    x = np.full((5001, 2), [0.1, 1e9 / 3])
    found = column_moments(x)
    assert found.mean.tolist() == x[0].tolist() and not found.squares.any()
    assert found.constant().all()
    x[0] += 1
    assert not column_moments(x).constant().any()


@given(tables(), st.integers(0, 700))
def test_parts_are_joined(x, cut):
    joined = column_moments(x[:cut]).join(column_moments(x[cut:]))
    whole = column_moments(x)
    np.testing.assert_array_equal(joined.count, whole.count)
    size = np.nanmax(np.abs(x), initial=0).astype(float)
    np.testing.assert_allclose(joined.mean, whole.mean, rtol=1e-12, atol=1e-12 * size)
    there = whole.count > 0
    np.testing.assert_allclose(
        joined.squares[there], whole.squares[there], rtol=1e-10, atol=1e-14 * size**2
    )


def test_welford_is_the_definition():
    values = np.random.default_rng(0).normal(size=100) + 5
    n, mean, squares = welford(values)
    assert n == 100 and mean == pytest.approx(values.mean(), rel=1e-14)
    assert squares == pytest.approx(((values - values.mean()) ** 2).sum(), rel=1e-12)


def test_the_number_of_threads_changes_no_bit():
    x = np.random.default_rng(0).normal(size=(3001, 7)).astype(np.float32)
    before, found = _threads.number(), []
    for n in (1, 2, 5):
        _threads.set_number(n)
        m = column_moments(x)
        found.append([m.mean.tobytes(), m.squares.tobytes()])
    _threads.set_number(before)
    assert found[0] == found[1] == found[2]
    assert kernels.pending() == 0


def test_shapes_are_checked():
    with pytest.raises(ShapeError, match=r"\(n, d\) was wanted, got \(3,\)"):
        column_moments(np.ones(3))
    with pytest.raises(ShapeError, match=r"weights of shape \(3,\)"):
        column_moments(np.ones((3, 1)), np.ones(2))


def test_a_column_without_numbers_has_no_mean():
    found = column_moments(np.array([[1.0, np.nan], [3.0, np.nan]]))
    assert found.count.tolist() == [2, 0] and np.isnan(found.mean).tolist() == [0, 1]
    more = found.join(Moments(np.ones(2), np.full(2, 5.0), np.zeros(2)))
    np.testing.assert_allclose(more.mean, [3.0, 5.0])
    np.testing.assert_allclose(more.variance, [8 / 3, 0.0])


@given(tables())
def test_steps_by_blocks_are_steps_on_the_whole(x):
    rng = np.random.default_rng(1)
    a, b = (rng.normal(size=x.shape[1]).astype(x.dtype) for _ in "ab")
    wanted = (x - a) / b
    out = np.empty_like(x)
    finite = scaling.apply_steps(x, [(np.subtract, a), (np.divide, b)], out)
    np.testing.assert_array_equal(out, wanted)
    assert finite or not np.isfinite(wanted).all()
    same = x.copy()
    scaling.apply_steps(same, [(np.subtract, a), (np.divide, b)])
    np.testing.assert_array_equal(same, wanted)
    scaling.apply_steps(x, [], out)
    np.testing.assert_array_equal(out, x)


def test_an_infinity_is_noticed_anywhere():
    for i in (0, 333, 999):
        x = np.zeros((1000, 3))
        x[i, 1] = np.inf
        assert not scaling.apply_steps(x, [(np.add, np.ones(3))])
        x[i, :2] = [np.nan, -np.inf]
        assert scaling.has_infinity(x)
        x[i, 1] = 1e308
        assert not scaling.has_infinity(x)


@given(tables())
def test_ranges_leave_nan_out(x):
    low, high = scaling.column_range(x)
    there = ~np.isnan(x).all(axis=0)
    np.testing.assert_array_equal(low[there], np.nanmin(x[:, there], axis=0))
    np.testing.assert_array_equal(high[there], np.nanmax(x[:, there], axis=0))
    assert np.isnan(low[~there]).all() and np.isnan(high[~there]).all()


@given(tables())
def test_quantiles_are_numpys(x):
    x = np.where(np.isnan(x).all(axis=0), x.dtype.type(1), x)
    found = scaling.column_quantiles(x, [0.0, 0.1, 0.5, 0.77, 1.0])
    wanted = np.nanquantile(x.astype(float), [0.0, 0.1, 0.5, 0.77, 1.0], axis=0)
    size = np.nanmax(np.abs(x), initial=0).astype(float)
    eps = 4 * np.finfo(x.dtype).eps
    np.testing.assert_allclose(found, wanted, rtol=eps, atol=eps * size)
    with pytest.raises(ArgumentError, match="0 <= q <= 1"):
        scaling.column_quantiles(x, [1.5])


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_rows_get_their_norm(norm):
    x = np.random.default_rng(0).normal(size=(900, 5))
    x[3] = 0
    out = np.empty_like(x)
    scaling.divide_rows(x, norm, out)
    order = {"l1": 1, "l2": 2, "max": np.inf}[norm]
    norms = np.linalg.norm(out, ord=order, axis=1)
    np.testing.assert_allclose(np.delete(norms, 3), 1, rtol=1e-14)
    assert not out[3].any()
    with pytest.raises(ArgumentError, match="got 'l3'"):
        scaling.row_norms(x, "l3")


def test_the_steps_of_the_estimators_are_the_textbooks_functions():
    x = np.random.default_rng(0).normal(size=(700, 4)) * 3 + 7
    m = column_moments(x)
    out = np.empty_like(x)
    deviation = np.sqrt(m.variance)
    scaling.apply_steps(x, [(np.subtract, m.mean), (np.divide, deviation)], out)
    np.testing.assert_allclose(out, standardize(x), rtol=1e-11, atol=1e-13)
    low, high = scaling.column_range(x)
    scaling.apply_steps(x, [(np.subtract, low), (np.divide, high - low)], out)
    np.testing.assert_allclose(out, minmax(x), rtol=1e-14)
    scaling.divide_rows(x, "l2", out)
    np.testing.assert_allclose(out, normalize_rows(x), rtol=1e-14)
