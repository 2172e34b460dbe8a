"""Lasso and elastic net: the conditions of a minimum, and the gap above it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.algorithms.linear import elastic_net as nets
from dotori.algorithms.linear.coordinate_descent import (
    Penalty,
    coordinate_descent,
    elastic_net_gram,
    soft_threshold,
)
from dotori.algorithms.linear.elastic_net import elastic_net, elastic_net_path
from dotori.errors import ArgumentError, DataError
from dotori.random import Generator

TIGHT = {"tolerance": 1e-13, "max_iter": 100_000}


def table(n, d, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) + 1
    used = min(d, 5)
    return x, x[:, :used] @ np.arange(1, used + 1) + rng.normal(size=n), rng.random(n)


def assert_minimum(model, x, y, alpha, l1_ratio, w=None, positive=False, atol=1e-7):
    """The subgradient of the mean loss and the penalty holds a zero."""
    w = np.ones(len(x)) if w is None else w / w.mean()
    residual = y - model.predict(x)
    slope = x.T @ (w * residual) / len(x) - alpha * (1 - l1_ratio) * model.coef
    used, price = model.coef != 0, alpha * l1_ratio
    assert abs(w @ residual) <= atol * len(x) * max(1, np.abs(y).max())
    np.testing.assert_allclose(
        slope[used], price * np.sign(model.coef[used]), atol=atol
    )
    steepest = slope[~used] if positive else np.abs(slope[~used])
    assert (steepest <= price + atol).all()
    assert not positive or (model.coef >= 0).all()


@given(
    n=st.integers(2, 40),
    d=st.integers(1, 15),
    alpha=st.sampled_from([0.01, 0.3, 3.0]),
    l1_ratio=st.sampled_from([0.1, 0.5, 1.0]),
    seed=st.integers(0, 1000),
    weighted=st.booleans(),
    positive=st.booleans(),
    sets=st.booleans(),
)
def test_every_solution_is_a_minimum(
    n, d, alpha, l1_ratio, seed, weighted, positive, sets
):
    x, y, w = table(n, d, seed)
    weight = w if weighted else None
    few = nets._FEW, nets._PRODUCTS, nets._FIRST
    if sets:
        nets._FEW, nets._PRODUCTS, nets._FIRST = 0, 0, 2
    try:
        found = elastic_net(x, y, alpha, l1_ratio, weight, positive=positive, **TIGHT)
    finally:
        nets._FEW, nets._PRODUCTS, nets._FIRST = few
    assert_minimum(found.model, x, y, alpha, l1_ratio, weight, positive)
    assert found.fits[0].converged


@pytest.mark.parametrize(("n", "d"), [(60, 300), (300, 60)])
@pytest.mark.parametrize("largest", [40, 2000])
def test_sets_of_columns_come_to_the_same_minimum(monkeypatch, n, d, largest):
    """Also where a set cannot hold all coefficients that are not zero."""
    x, y, w = table(n, d)
    whole = elastic_net(x, y, 0.05, 0.9, w, gram=True, **TIGHT)
    monkeypatch.setattr(nets, "_FEW", 0)
    monkeypatch.setattr(nets, "_PRODUCTS", 0)
    monkeypatch.setattr(nets, "_LARGEST", largest)
    found = elastic_net(x, y, 0.05, 0.9, w, **TIGHT)
    assert (whole.model.coef != 0).sum() > 10
    np.testing.assert_allclose(found.model.coef, whole.model.coef, atol=1e-8)
    rough = elastic_net(x.astype(np.float32), y, 0.05, 0.9, w, tolerance=1e-4)
    np.testing.assert_allclose(rough.model.coef, whole.model.coef, atol=0.02)


@pytest.mark.parametrize("sets", [True, False])
def test_at_the_end_no_coefficient_would_move_far(monkeypatch, sets):
    """What the tolerance promises of each of them, beside the gap."""
    if sets:
        monkeypatch.setattr(nets, "_FEW", 0)
        monkeypatch.setattr(nets, "_PRODUCTS", 0)
        monkeypatch.setattr(nets, "_FIRST", 5)
    x, y, _ = table(200, 60)
    x[:, 1:] += 2 * x[:, :1]
    x, y = x - x.mean(axis=0), 100 * (y - y.mean())
    fit = elastic_net(x, y, 1.0, 0.9, tolerance=1e-2, max_iter=10_000).fits[0]
    penalty = Penalty(0.9 * 200, 0.1 * 200)
    moves = penalty.moves(fit.w, x.T @ (y - x @ fit.w), np.square(x).sum(axis=0))
    assert fit.converged
    assert moves.max() <= 1e-2 * np.abs(fit.w).max()


def test_the_textbook_loop_comes_to_the_same_minimum():
    x, y, _ = table(80, 6)
    centred, target = x - x.mean(axis=0), y - y.mean()
    w = coordinate_descent(centred, target, l1=0.3 * 80, l2=0.1 * 80, sweeps=2000)
    found = elastic_net(x, y, 0.4, 0.75, **TIGHT)
    np.testing.assert_allclose(found.model.coef, w, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(soft_threshold(np.array([-1.0, 1.0]), 1.0), 0)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("l1", [0.0, 5.0])
@pytest.mark.parametrize("l2", [0.5, 20.0])
def test_the_gap_is_never_below_the_distance_to_the_minimum(l1, l2, positive, rng):
    x, y, _ = table(40, 8)
    x, y = x - x.mean(axis=0), y - y.mean()
    penalty = Penalty(l1, l2, positive, **TIGHT)

    def above(w):
        residual = y - x @ w
        square, along = float(residual @ residual), float(residual @ y)
        value = square / 2 + penalty.price(w)
        return value, penalty.gap(w, x.T @ residual, square, along)

    best = elastic_net_gram(x.T @ x, x.T @ y, float(y @ y), penalty)
    least, gap = above(best.w)
    assert 0 <= best.gap <= 1e-9 and abs(gap) <= 1e-9
    assert best.history["objective"][-1] == pytest.approx(least)
    for size in (0.01, 0.1, 1.0):
        other = best.w + size * rng.normal(size=8)
        value, gap = above(np.abs(other) if positive else other)
        assert gap >= value - least > 0


def test_no_price_is_least_squares_and_a_high_one_is_zero():
    x, y, w = table(60, 5)
    free = elastic_net(x, y, 0.0, 1.0, w, **TIGHT)
    columns = np.sqrt(w)[:, None] * np.column_stack([np.ones(60), x])
    wanted = np.linalg.lstsq(columns, np.sqrt(w) * y, rcond=None)[0]
    np.testing.assert_allclose(free.model.coef, wanted[1:], rtol=1e-8)
    assert free.model.intercept == pytest.approx(wanted[0])
    dear = elastic_net(x, y, 1e6, 1.0, w)
    assert not dear.model.coef.any() and dear.fits[0].converged
    assert dear.model.intercept == pytest.approx(np.average(y, weights=w))


def test_constant_and_equal_columns():
    x, y, _ = table(50, 4)
    x[:, 1], x[:, 3] = 7.0, x[:, 0]
    found = elastic_net(x, y, 0.1, 0.5, **TIGHT).model
    assert found.coef[1] == 0
    assert found.coef[0] == pytest.approx(found.coef[3], rel=1e-6)
    assert_minimum(found, x, y, 0.1, 0.5)


def test_many_equal_columns_and_many_coefficients():
    """What cannot be solved at once, the sweeps do alone."""
    x, y, _ = table(30, 600)
    found = elastic_net(x, y, 50.0, 1e-6, gram=True, **TIGHT).model
    assert (found.coef != 0).sum() > 500
    assert_minimum(found, x, y, 50.0, 1e-6)
    x = x[:, :3]
    doubled = np.column_stack([x, x])
    found = elastic_net(doubled, y, 0.1, 1.0, start=np.ones(6), **TIGHT).model
    assert_minimum(found, doubled, y, 0.1, 1.0)


def test_random_order_repeats_itself_and_comes_to_the_same_minimum():
    x, y, _ = table(60, 8)
    fits = [
        elastic_net(x, y, 0.1, 0.9, generator=Generator(3), **TIGHT) for _ in range(2)
    ]
    np.testing.assert_array_equal(fits[0].model.coef, fits[1].model.coef)
    wanted = elastic_net(x, y, 0.1, 0.9, **TIGHT).model.coef
    np.testing.assert_allclose(fits[0].model.coef, wanted, atol=1e-9)


def test_sweeps_are_limited_and_a_start_saves_them():
    x, y, _ = table(100, 30)
    x[:, 1:] += 3 * x[:, :1]
    short = elastic_net(x, y, 0.01, 1.0, tolerance=1e-12, max_iter=3)
    assert short.fits[0].sweeps == 3 and not short.fits[0].converged
    full = elastic_net(x, y, 0.01, 1.0, tolerance=1e-12)
    assert full.fits[0].sweeps > 10 and full.fits[0].converged
    again = elastic_net(x, y, 0.01, 1.0, tolerance=1e-12, start=full.model.coef)
    assert again.fits[0].sweeps < full.fits[0].sweeps
    asked = []

    def ended():
        asked.append(1)
        return True

    elastic_net(x, y, 0.01, 1.0, tolerance=1e-12, ended=ended)
    assert asked == [1]


def test_objective_and_gap_only_fall():
    x, y, _ = table(100, 30)
    x[:, 1:] += 3 * x[:, :1]
    history = elastic_net(x, y, 0.01, 1.0, tolerance=1e-12).fits[0].history
    assert len(history["objective"]) > 2
    assert (np.diff(history["objective"]) <= 1e-9 * history["objective"][0]).all()
    assert (np.diff(history["iteration"]) > 0).all()
    assert history["dual_gap"][-1] < 1e-6 * history["dual_gap"][0]


def test_sparse_matrices_are_dense_ones():
    sparse = pytest.importorskip("scipy.sparse", reason="sparse matrices")
    for n, d in ((50, 8), (30, 150)):
        x, y, w = table(n, d)
        x = np.where(x > 1.5, x, 0)
        for intercept in (True, False):
            dense, thin = (
                elastic_net(rows, y, 0.05, 0.9, w, intercept, **TIGHT).model
                for rows in (x, sparse.csc_array(x))
            )
            np.testing.assert_allclose(thin.coef, dense.coef, atol=1e-8)
            assert thin.intercept == pytest.approx(dense.intercept, abs=1e-7)


def test_a_gram_matrix_may_be_given():
    x, y, _ = table(50, 8)
    centred = x - x.mean(axis=0)
    gram = centred.T @ centred
    found = elastic_net(centred, y, 0.1, 0.5, gram=gram, **TIGHT).model
    wanted = elastic_net(centred, y, 0.1, 0.5, **TIGHT).model
    np.testing.assert_allclose(found.coef, wanted.coef, atol=1e-10)


@pytest.mark.parametrize("d", [8, 200])
def test_a_path_is_its_solutions(d):
    x, y, _ = table(50, d)
    path = elastic_net_path(x, y, 5, 0.01, 0.7, **TIGHT)
    assert not path.fits[0].w.any() and path.fits[1].w.any()
    for alpha, fit in zip(path.alphas, path.fits, strict=True):
        alone = elastic_net(x, y, alpha, 0.7, fit_intercept=False, **TIGHT)
        np.testing.assert_allclose(fit.w, alone.model.coef, atol=1e-8)
    given = elastic_net_path(x, y, path.alphas[::-1], l1_ratio=0.7, **TIGHT)
    np.testing.assert_array_equal(given.alphas, path.alphas)
    with pytest.raises(ArgumentError, match="l1_ratio=0"):
        elastic_net_path(x, y, l1_ratio=0.0)


def test_targets_are_problems_of_their_own():
    x, y, w = table(50, 8)
    targets = np.column_stack([y, -(y**2)])
    together = elastic_net(x, targets, 0.1, 0.5, w, **TIGHT)
    for i in range(2):
        alone = elastic_net(x, targets[:, i], 0.1, 0.5, w, **TIGHT).model
        np.testing.assert_allclose(together.model.coef[i], alone.coef, atol=1e-10)
        assert together.model.intercept[i] == pytest.approx(alone.intercept)


@pytest.mark.parametrize("d", [8, 200])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(d, value):
    x, y, _ = table(50, d)
    x[7, 3] = value
    with pytest.raises(DataError, match="finite"):
        elastic_net(x, y)
