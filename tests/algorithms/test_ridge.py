"""Ridge regression by each of its ways, against rows that carry the penalty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.algorithms.linear import ridge as ways
from dotori.algorithms.linear.ridge import (
    ridge,
    ridge_by_products,
    ridge_equations,
    ridge_nonnegative,
)
from dotori.errors import ArgumentError, DataError


def table(n, d, seed=0, k=1):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + 3, rng.normal(size=(n, k)), rng.random(n) + 0.1


def oracle(x, y, alpha, w, intercept):
    """Least squares of the table with sqrt(alpha) I below."""
    w = np.ones(len(x)) if w is None else w
    mean_x, mean_y = (np.average(v, axis=0, weights=w) * intercept for v in (x, y))
    root, d = np.sqrt(w)[:, None], x.shape[1]
    below = np.vstack([root * (x - mean_x), np.sqrt(alpha) * np.eye(d)])
    b = np.vstack([root * (y - mean_y), np.zeros((d, y.shape[1]))])
    slopes = np.linalg.lstsq(below, b, rcond=1e-13)[0]
    return slopes.T, mean_y - mean_x @ slopes


@given(
    n=st.integers(1, 30),
    d=st.integers(1, 12),
    alpha=st.sampled_from([1e-3, 1.0, 1e3]),
    seed=st.integers(0, 1000),
    weighted=st.booleans(),
    intercept=st.booleans(),
    stable=st.booleans(),
)
def test_all_tables(n, d, alpha, seed, weighted, intercept, stable):
    x, y, w = table(n, d, seed, 2)
    x[:, -1] = x[:, 0]
    weight = w if weighted else None
    coef, free = oracle(x, y, alpha, weight, intercept)
    exact = {"rtol": 1e-7, "atol": 1e-9}
    found, _ = ridge(x, y, alpha, weight, intercept, stable)
    np.testing.assert_allclose(found.coef, coef, **exact)
    np.testing.assert_allclose(found.intercept, free, **exact)
    for method in ("cg", "lsqr"):
        found, steps = ridge_by_products(
            x, y, alpha, weight, intercept, method, 1e-13, 1000
        )
        np.testing.assert_allclose(found.coef, coef, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(found.intercept, free, rtol=1e-5, atol=1e-6)
        assert len(steps) == 2


def test_the_textbook_form_and_prices_of_their_own():
    x, y, _ = table(200, 5, k=3)
    alphas = np.array([0.1, 5.0, 0.1])
    together, stable = ridge(x, y, alphas)
    assert not stable
    for i, alpha in enumerate(alphas):
        alone = ridge_equations(x, y[:, i], alpha)
        np.testing.assert_allclose(together.coef[i], alone.coef, rtol=1e-9)
        assert together.intercept[i] == pytest.approx(alone.intercept, rel=1e-9)
    wide = ridge(x[:3], y[:3], alphas)[0]
    for i, alpha in enumerate(alphas):
        alone = ridge_equations(x[:3], y[:3, i], alpha)
        np.testing.assert_allclose(wide.coef[i], alone.coef, rtol=1e-8)
    with pytest.raises(ArgumentError, match="one alpha or one for each of 3 targets"):
        ridge(x, y, [1.0, 2.0])


@pytest.mark.parametrize("shape", [(50, 6), (4, 9)])
def test_singular_values_where_equations_lose_too_much(shape):
    x, y, _ = table(*shape)
    x[:, 1] = x[:, 0]
    found, stable = ridge(x, y, 0.0)
    coef, free = oracle(x, y, 0.0, None, True)
    assert stable  # the centred table is singular, and nothing is added
    np.testing.assert_allclose(found.coef, coef, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found.intercept, free, rtol=1e-7, atol=1e-9)
    assert not ridge(x, y, 1.0)[1]


def test_large_float32_tables_are_multiplied_as_they_are(monkeypatch):
    monkeypatch.setattr(ways, "_LARGE", 4)
    x, y, _ = table(3000, 6)
    x = x.astype(np.float32)
    wanted, _ = oracle(x.astype(np.float64), y, 1.0, None, True)
    found, stable = ridge(x, y, 1.0)
    assert not stable
    np.testing.assert_allclose(found.coef, wanted, rtol=1e-4, atol=1e-6)
    x[:, 1] = x[:, 0] + np.float32(0.01) * x[:, 2]  # for which that would be too rough
    wanted, _ = oracle(x.astype(np.float64), y, 1.0, None, True)
    found, _ = ridge(x, y, 1.0)
    np.testing.assert_allclose(found.coef, wanted, rtol=1e-6, atol=1e-8)


def test_sparse_matrices_by_every_way():
    sparse = pytest.importorskip("scipy.sparse", reason="sparse matrices")
    for shape in ((80, 6), (6, 20)):
        x, y, w = table(*shape, k=2)
        x = np.where(x > 3.3, x, 0)
        rows = sparse.csr_array(x)
        for intercept in (True, False):
            coef, free = oracle(x, y, 0.5, w, intercept)
            for found in (
                ridge(rows, y, 0.5, w, intercept)[0],
                ridge_by_products(rows, y, 0.5, w, intercept, "lsqr", 1e-13)[0],
            ):
                np.testing.assert_allclose(found.coef, coef, rtol=1e-6, atol=1e-8)
                np.testing.assert_allclose(found.intercept, free, atol=1e-7)
            dense = ridge_nonnegative(x, y, 0.5, w, intercept)
            found = ridge_nonnegative(rows, y, 0.5, w, intercept)
            np.testing.assert_allclose(found.coef, dense.coef, atol=1e-7)
            assert (dense.coef >= 0).all()


@given(st.integers(1, 30), st.integers(1, 8), st.integers(0, 1000))
def test_nonnegative_coefficients_obey_their_conditions(n, d, seed):
    x, y, _ = table(n, d, seed)
    found = ridge_nonnegative(x, y[:, 0], 0.5)
    residual = y[:, 0] - found.predict(x)
    slope = (x - x.mean(axis=0)).T @ residual - 0.5 * found.coef
    assert (found.coef >= 0).all()
    assert (slope <= 1e-8).all() and (np.abs(slope[found.coef > 0]) <= 1e-8).all()


def test_what_is_not_finite_is_refused():
    x, y, _ = table(2000, 5)
    x[7, 3] = np.nan
    for call in (
        lambda: ridge(x, y),
        lambda: ridge(x[:20, :], y[:20]),
        lambda: ridge(x[5:8], y[5:8]),
        lambda: ridge(x, y, stable=True),
        lambda: ridge_nonnegative(x, y),
    ):
        with pytest.raises(DataError, match="finite"):
            call()
