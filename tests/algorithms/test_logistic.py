"""Logistic regression: certified values, derivatives, and what one method owes another."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori import kernels
from dotori.algorithms.logistic import loss as logistic_loss
from dotori.algorithms.logistic.fit import fit_logistic
from dotori.algorithms.logistic.l1 import minimise_l1, subgradient
from dotori.algorithms.logistic.loss import LogisticLoss
from dotori.algorithms.logistic.model import (
    LogisticModel,
    logistic_descent,
    logistic_newton,
    sigmoid,
    softmax,
)
from dotori.algorithms.logistic.newton import hessian, hessian_product
from dotori.algorithms.logistic.start import inverse_at_zero, squares
from dotori.errors import ArgumentError, ShapeError

# Spector and Mazzeo, J. Econ. Educ. 11 (1980), 37-44; Greene, Econometric Analysis,
# table of the example "Probability models": GPA, TUCE, PSI, and whether the grade rose.
SPECTOR = np.array(
    [
        (2.66, 20, 0, 0), (2.89, 22, 0, 0), (3.28, 24, 0, 0), (2.92, 12, 0, 0),
        (4.00, 21, 0, 1), (2.86, 17, 0, 0), (2.76, 17, 0, 0), (2.87, 21, 0, 0),
        (3.03, 25, 0, 0), (3.92, 29, 0, 1), (2.63, 20, 0, 0), (3.32, 23, 0, 0),
        (3.57, 23, 0, 0), (3.26, 25, 0, 1), (3.53, 26, 0, 0), (2.74, 19, 0, 0),
        (2.75, 25, 0, 0), (2.83, 19, 0, 0), (3.12, 23, 1, 0), (3.16, 25, 1, 1),
        (2.06, 22, 1, 0), (3.62, 28, 1, 1), (2.89, 14, 1, 0), (3.51, 26, 1, 0),
        (3.54, 24, 1, 1), (2.83, 27, 1, 1), (3.39, 17, 1, 1), (2.67, 24, 1, 0),
        (3.65, 21, 1, 1), (4.00, 23, 1, 1), (3.10, 21, 1, 0), (2.39, 19, 1, 1),
    ]
)  # fmt: skip
X, Y = SPECTOR[:, :3], SPECTOR[:, 3].astype(int)
COEFFICIENTS = [2.82611297201, 0.0951576702557, 2.37868772835]
ERRORS = [1.26294, 0.141554, 1.06456, 4.93132]


def problem(seed, n=60, d=4, k=3, dtype=np.float64, weighted=True):
    rng = np.random.default_rng(seed)
    x = (rng.standard_normal((n, d)) * [1, 10, 0.1, 1][:d] + [0, 3, 0, -1][:d]).astype(
        dtype
    )
    y = rng.integers(0, k, n)
    y[:k] = np.arange(k)
    weight = rng.uniform(0, 2, n).astype(dtype) if weighted else None
    return x, y, weight


def derivative(function, at, step=1e-5):
    """Central differences along each coordinate, of shape (coordinates, ...)."""
    units = step * np.eye(at.size)
    return np.array([(function(at + u) - function(at - u)) / (2 * step) for u in units])


@pytest.mark.parametrize("method", ["lbfgs", "newton", "newton-cg"])
def test_spectors_certified_coefficients(method):
    fit = fit_logistic(X, Y, 2, method=method, tolerance=1e-10, max_iter=200)
    np.testing.assert_allclose(fit.theta[0, :3], COEFFICIENTS, rtol=1e-6)
    np.testing.assert_allclose(fit.theta[0, 3], -13.0213, atol=5e-5)
    assert fit.converged and fit.finite


def test_spectors_certified_standard_errors():
    fit = fit_logistic(X, Y, 2, method="newton", tolerance=1e-10)
    information = hessian(LogisticLoss(X, Y, 2), fit.theta.ravel()) * len(Y)
    found = np.sqrt(np.diagonal(np.linalg.inv(information)))
    np.testing.assert_allclose(found, ERRORS, rtol=5e-6)


def test_the_textbooks_find_it_too():
    ones = np.column_stack([X, np.ones(len(X))])
    theta, losses = logistic_newton(ones, Y)
    np.testing.assert_allclose(theta[:3], COEFFICIENTS, rtol=1e-6)
    fit = fit_logistic(X, Y, 2, tolerance=1e-11, max_iter=200)
    np.testing.assert_allclose(theta, fit.theta[0], rtol=1e-8)
    assert all(a > b for a, b in pairwise(losses))
    scaled = ones / [1, 10, 1, 1]
    _, losses = logistic_descent(scaled, Y, rate=0.5, steps=50)
    assert all(a > b for a, b in pairwise(losses))
    assert losses[0] == pytest.approx(math.log(2)) and len(losses) == 51
    # one step by hand: from 0, theta = -rate X^T (1/2 - y) / m
    step, _ = logistic_descent(scaled, Y, rate=0.5, steps=1)
    np.testing.assert_allclose(step, -0.5 * scaled.T @ (0.5 - Y) / len(Y))


def test_the_textbooks_with_a_penalty_are_the_solver():
    fit = fit_logistic(X, Y, 2, l2=0.1, intercept=False, tolerance=1e-11)
    theta, _ = logistic_newton(X, Y, l2=0.1)
    np.testing.assert_allclose(fit.theta[0], theta, rtol=1e-6)
    theta, _ = logistic_descent(X, Y, l2=0.1, rate=0.01, steps=3000)
    np.testing.assert_allclose(theta, fit.theta[0], rtol=1e-2)


def test_textbook_refuses_what_it_cannot_use():
    with pytest.raises(ShapeError, match=r"got \(32, 3\) and \(31,\)"):
        logistic_descent(X, Y[1:])
    with pytest.raises(ArgumentError, match="must be 0 or 1"):
        logistic_newton(X, Y + 1)


@given(st.integers(0, 10_000), st.sampled_from([2, 3, 5]), st.booleans())
def test_gradient_and_hessian_are_the_derivatives(seed, k, intercept):
    x, y, weight = problem(seed, 30, 3, k)
    loss = LogisticLoss(x, y, k, weight, 0.3, intercept, 0.2 if intercept else 0.0)
    rng = np.random.default_rng(seed)
    at = 0.3 * rng.standard_normal(loss.shape).ravel()
    gradient = loss(at)[1]
    np.testing.assert_allclose(
        derivative(lambda p: loss(p)[0], at), gradient, atol=1e-7
    )
    matrix = hessian(loss, at)
    slopes = derivative(lambda p: loss(p)[1], at)
    np.testing.assert_allclose(slopes, matrix, atol=1e-6)
    vector = rng.standard_normal(at.size)
    product = hessian_product(loss, at.reshape(loss.shape))
    np.testing.assert_allclose(product(vector), matrix @ vector, atol=1e-10)


@given(st.integers(0, 10_000), st.sampled_from([2, 4]))
def test_the_loss_is_its_definition(seed, k):
    x, y, weight = problem(seed, 25, 4, k)
    loss = LogisticLoss(x, y, k, weight, 0.5)
    theta = np.random.default_rng(seed).standard_normal(loss.shape)
    scores = x @ theta[:, :4].T + theta[:, 4]
    if k == 2:
        scores = np.column_stack([np.zeros(len(x)), scores])
    log_p = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    wanted = -np.average(log_p[np.arange(len(y)), y], weights=weight)
    wanted += 0.25 * np.square(theta[:, :4]).sum()
    np.testing.assert_allclose(loss(theta.ravel())[0], wanted, rtol=1e-12)


def test_tiny_losses_keep_their_digits():
    """At a margin of 40 each row costs exp(-40), which 1 + exp(-40) has no room for."""
    x, y = np.full((1000, 1), 40.0), np.ones(1000, int)
    value, gradient = LogisticLoss(x, y, 2, intercept=False)(np.ones(1))
    assert value == pytest.approx(math.exp(-40), rel=1e-12, abs=0)
    assert gradient[0] == pytest.approx(-40 * math.exp(-40), rel=1e-12, abs=0)


@pytest.mark.parametrize("k", [2, 3])
def test_scores_of_any_size_are_finite(k):
    x, y, _ = problem(1, k=k)
    value, gradient = LogisticLoss(1e4 * x, y, k)(np.ones(5 * (1 if k == 2 else k)))
    assert np.isfinite(value) and np.isfinite(gradient).all()


def test_blocks_and_threads_change_nothing(monkeypatch):
    x, y, weight = problem(5, 5000, 4, 3)
    at = 0.1 * np.random.default_rng(5).standard_normal(15)
    whole = LogisticLoss(x, y, 3, weight)(at)
    monkeypatch.setattr(logistic_loss, "_BLOCK_BYTES", 4000)
    monkeypatch.setattr(logistic_loss, "_SMALL", 0)
    threads, cut = kernels.number(), []
    try:
        for number in (1, 2, 3):
            kernels._threads.set_number(number)
            cut.append(LogisticLoss(x, y, 3, weight)(at))
    finally:
        kernels._threads.set_number(threads)
    np.testing.assert_allclose(cut[0][0], whole[0], rtol=1e-13)
    np.testing.assert_allclose(cut[0][1], whole[1], rtol=1e-9, atol=1e-15)
    for value, gradient in cut[1:]:
        assert value == cut[0][0]
        np.testing.assert_array_equal(gradient, cut[0][1])


def test_a_sample_of_blocks_is_the_loss_of_their_rows(monkeypatch):
    monkeypatch.setattr(logistic_loss, "_BLOCK_BYTES", 1)
    x, y, weight = problem(6, 64 * 8, 4, 3)
    some = LogisticLoss(x, y, 3, weight, 0.1).sampled(4)
    rows = np.concatenate([np.arange(64 * b, 64 * b + 64) for b in (2, 6)])
    at = 0.1 * np.random.default_rng(6).standard_normal(15)
    value, gradient = LogisticLoss(x[rows], y[rows], 3, weight[rows], 0.1)(at)
    assert some.count == 128
    np.testing.assert_allclose(some(at)[0], value)
    np.testing.assert_allclose(some(at)[1], gradient)


@pytest.mark.parametrize("weighted", [False, True])
def test_many_rows_begin_on_a_part_of_them_and_end_on_all(monkeypatch, weighted):
    x, y, weight = problem(7, 64 * 40, 4, 3, weighted=weighted)
    about = {"weight": weight, "l2": 1e-3, "tolerance": 1e-9}
    plain = fit_logistic(x, y, 3, **about)
    monkeypatch.setattr(logistic_loss, "_BLOCK_BYTES", 1)
    sampled = fit_logistic(x, y, 3, **about)
    np.testing.assert_allclose(sampled.theta, plain.theta, atol=1e-7)
    assert sampled.losses != plain.losses and sampled.converged
    assert sampled.iterations == len(sampled.losses) - 1


def test_the_start_is_the_inverse_hessian():
    """For two classes exactly; its product with a vector, intercept included."""
    x, y, weight = problem(8, 80, 4, 2)
    loss = LogisticLoss(x, y, 2, weight, 0.01, intercept_l2=0.02)
    vector = np.random.default_rng(8).standard_normal(5)
    exact = LogisticLoss(x, y, 2, weight, 0.01)
    wanted = np.linalg.solve(hessian(exact, np.zeros(5)), vector)
    found = inverse_at_zero(exact)(vector)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    assert np.isfinite(inverse_at_zero(loss)(vector)).all()
    diagonal = np.diagonal(hessian(exact, np.zeros(5)))[:4] - 0.01
    np.testing.assert_allclose(squares(exact)[0, :4], diagonal, rtol=1e-12)


@pytest.mark.parametrize("case", ["constant", "duplicate", "wide", "zero", "unscaled"])
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("method", ["lbfgs", "newton", "newton-cg"])
def test_columns_of_all_kinds(case, k, method):
    """All methods end at the same probabilities, with a gradient that is zero."""
    x, y, _ = problem(9, 40, 4, k)
    if case == "constant":
        x[:, 1] = 7.0
    elif case == "duplicate":
        x[:, 2] = x[:, 0]
    elif case == "wide":
        x = np.random.default_rng(1).standard_normal((12, 30))
        y = y[:12]
    elif case == "zero":
        x[:, 3] = 0.0
    else:
        x = x * [1e-4, 1e3, 1, 1]
    about = {"l2": 0.01, "tolerance": 1e-9, "max_iter": 500}
    fit = fit_logistic(x, y, k, method=method, **about)
    gradient = LogisticLoss(x, y, k, l2=0.01)(fit.theta.ravel())[1]
    assert np.abs(gradient).max() <= 1e-8
    other = fit_logistic(x, y, k, method="newton", **about)
    np.testing.assert_allclose(fit.model.predict(x), other.model.predict(x), atol=1e-6)


def test_float32_rows_are_multiplied_in_float32_and_end_near():
    x, y, weight = problem(10, 500, 4, 3)
    fine = fit_logistic(x, y, 3, weight=weight, l2=0.01, tolerance=1e-6)
    single = x.astype(np.float32)
    rough = fit_logistic(single, y, 3, weight=weight, l2=0.01, tolerance=1e-6)
    np.testing.assert_allclose(rough.theta, fine.theta, atol=2e-4)
    assert rough.iterations < 60


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("few", [0, 1000], ids=["fista", "newton"])
def test_l1_ends_where_the_subgradient_is_zero(k, few, monkeypatch):
    from dotori.algorithms.logistic import l1 as logistic_l1

    monkeypatch.setattr(logistic_l1, "_FEW", few)
    x, y, weight = problem(11, 80, 4, k)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    loss = LogisticLoss(x, y, k, weight, 0.01)
    level = np.full(loss.shape, 0.03)
    level[:, -1] = 0.0
    found = minimise_l1(loss, np.zeros(loss.shape), 0.03, 0.0, 2000, 1e-8)
    assert found.reason == "gradient"
    rest = subgradient(found.point, loss(found.point)[1], level.ravel())
    assert np.abs(rest).max() <= 1e-8
    assert (found.point == 0).any() and (found.point != 0).any()
    rng = np.random.default_rng(11)
    for _ in range(50):  # no neighbour is lower
        near = found.point + 0.01 * rng.standard_normal(found.point.size)
        value = loss(near)[0] + level.ravel() @ np.abs(near)
        assert value >= found.value


def test_a_model_is_plain_arrays():
    rng = np.random.default_rng(12)
    model = LogisticModel(rng.standard_normal((3, 2)), rng.standard_normal(3))
    x = rng.standard_normal((7, 2))
    np.testing.assert_allclose(model.predict(x), softmax(model.scores(x)))
    np.testing.assert_allclose(model.predict(x).sum(axis=1), 1)
    assert model.predict(x[:0]).shape == (0, 3)
    two = LogisticModel(np.array([[1.0, -1.0]]), np.array([0.5]))
    np.testing.assert_allclose(two.predict(x)[:, 1], sigmoid(x[:, 0] - x[:, 1] + 0.5))
    assert two.predict(x[:0]).shape == (0, 2)
    with pytest.raises(ShapeError, match="LogisticModel"):
        LogisticModel(np.zeros((3, 2)), np.zeros(2))


def test_a_model_in_a_document_comes_back():
    from dotori.algorithms._stored import from_document, to_document

    arrays = {}
    model = LogisticModel(np.array([[1.0, 2.0]]), np.array([0.5]))
    back = from_document(to_document(model, arrays), arrays)
    np.testing.assert_array_equal(back.coef, model.coef)
    np.testing.assert_array_equal(back.intercept, model.intercept)


def test_sparse_rows_are_the_same_rows():
    sparse = pytest.importorskip("scipy.sparse", reason="makes sparse matrices")
    x, y, weight = problem(13, 90, 4, 3)
    x[np.abs(x) < 0.5] = 0
    rows = sparse.csr_array(x)
    for method in ("lbfgs", "newton", "newton-cg"):
        about = {"weight": weight, "l2": 0.01, "tolerance": 1e-9, "method": method}
        dense, thin = (fit_logistic(a, y, 3, **about) for a in (x, rows))
        np.testing.assert_allclose(thin.theta, dense.theta, atol=1e-6)
    dense, thin = (fit_logistic(a, y, 3, l1=0.02, tolerance=1e-9) for a in (x, rows))
    np.testing.assert_allclose(thin.theta, dense.theta, atol=1e-7)


def test_rows_that_are_not_finite_are_told():
    x = X.copy()
    x[3, 1] = np.nan
    for about in ({}, {"method": "newton"}, {"l1": 0.1}):
        with np.errstate(all="ignore"):
            assert not fit_logistic(x, Y, 2, **about).finite
