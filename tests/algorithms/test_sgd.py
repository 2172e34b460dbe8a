"""Stochastic gradient descent: the kernel against the textbook, losses, averages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.algorithms.sgd import (
    LOSSES,
    RATES,
    SGDOptions,
    SGDState,
    fit_sgd,
    sgd_descent,
)
from dotori.errors import ArgumentError, DataError
from dotori.kernels import sgd as kernel
from dotori.random import Generator


def about(loss, code=None):
    """The loss and its slope as functions of (y, score)."""
    code = LOSSES[loss]
    rule = kernel.margin_loss if code <= kernel.MODIFIED_HUBER else kernel.distance_loss
    margin = SGDOptions(loss).margin
    return lambda y, score: rule(code, margin, y, score)


def rows(seed=0, n=40, d=3, classes=True):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    y = x @ np.arange(1.0, d + 1) + 0.3 * rng.standard_normal(n)
    return x, (np.sign(y) if classes else y)


DEFINITIONS = {
    "hinge": lambda y, s: max(0.0, 1 - y * s),
    "perceptron": lambda y, s: max(0.0, -y * s),
    "squared_hinge": lambda y, s: max(0.0, 1 - y * s) ** 2,
    "log_loss": lambda y, s: float(np.logaddexp(0, -y * s)),
    "modified_huber": lambda y, s: (
        max(0, 1 - y * s) ** 2 if y * s >= -1 else -4 * y * s
    ),
    "squared_error": lambda y, s: (s - y) ** 2 / 2,
    "huber": lambda y, s: (
        (s - y) ** 2 / 2 if abs(s - y) <= 0.1 else 0.1 * (abs(s - y) - 0.05)
    ),
    "epsilon_insensitive": lambda y, s: max(0.0, abs(s - y) - 0.1),
    "squared_epsilon_insensitive": lambda y, s: max(0.0, abs(s - y) - 0.1) ** 2,
}


@pytest.mark.parametrize("loss", LOSSES)
@given(y=st.sampled_from([-1.0, 1.0]), score=st.floats(-50, 50))
def test_losses_are_their_definitions_and_slopes_their_derivatives(loss, y, score):
    value, slope = about(loss)(y, score)
    assert value == pytest.approx(DEFINITIONS[loss](y, score), abs=1e-12)
    corners = [y, -y, 0.0, y + 0.1, y - 0.1]
    if min(abs(score - corner) for corner in corners) > 1e-3:
        h = 1e-6
        above, below = (about(loss)(y, score + d)[0] for d in (h, -h))
        assert slope == pytest.approx((above - below) / (2 * h), abs=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_kernel_takes_the_steps_of_the_textbook(loss):
    x, y = rows(classes=LOSSES[loss] <= kernel.MODIFIED_HUBER)
    slope = lambda y, score: about(loss)(y, score)[1]  # noqa: E731
    w, b = sgd_descent(x, y, slope, alpha=0.1, rate=lambda t: 0.05 / t**0.5, epochs=4)
    options = SGDOptions(
        loss,
        alpha=0.1,
        learning_rate="invscaling",
        eta0=0.05,
        max_iter=4,
        tol=None,
        shuffle=False,
    )
    state = fit_sgd(x, y, SGDState(np.zeros(3)), options)
    np.testing.assert_allclose(state.coef, w, rtol=1e-10)
    assert state.intercept == pytest.approx(b)
    assert state.t == 161 and state.epochs == 4 and len(state.losses) == 4


def test_least_squares_end_at_the_least_squares():
    x, y = rows(1, 200, classes=False)
    state = fit_sgd(
        x,
        y,
        SGDState(np.zeros(3)),
        SGDOptions(
            "squared_error",
            alpha=0.0,
            learning_rate="adaptive",
            eta0=0.05,
            max_iter=3000,
            tol=1e-9,
        ),
        generator=Generator(0),
    )
    wanted = np.linalg.lstsq(np.column_stack([x, np.ones(200)]), y, rcond=None)[0]
    np.testing.assert_allclose([*state.coef, state.intercept], wanted, atol=1e-3)
    assert state.converged and state.losses[-1] < state.losses[0]


@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet", None])
def test_the_objective_is_that_of_the_weights(penalty):
    """Norms are kept up to date by formulas: a pass with a tiny rate measures them."""
    x, y = rows(2)
    options = {"loss": "hinge", "penalty": penalty, "alpha": 0.2, "shuffle": False}
    moving = SGDOptions(max_iter=3, tol=None, **options)
    state = fit_sgd(x, y, SGDState(np.zeros(3)), moving)
    still = SGDOptions(
        max_iter=1, learning_rate="constant", eta0=1e-12, tol=None, **options
    )
    again = fit_sgd(x, y, SGDState(state.coef, state.intercept), still)
    ratio = {"l2": 0.0, "l1": 1.0, "elasticnet": 0.15}.get(penalty, 0.0)
    w = state.coef
    losses = np.maximum(0, 1 - y * (x @ w + state.intercept))
    norms = (1 - ratio) / 2 * w @ w + ratio * np.abs(w).sum()
    wanted = losses.mean() + (0.2 * norms if penalty else 0)
    assert again.losses[0] == pytest.approx(wanted, rel=1e-6)


def test_norms_after_many_steps_are_the_weights_norms():
    x, y = rows(3)
    for penalty in ("l2", "l1", "elasticnet"):
        passes = fit_sgd.__globals__["_Passes"](
            x,
            y,
            SGDState(np.zeros(3)),
            SGDOptions("log_loss", penalty, alpha=0.01, shuffle=False),
            None,
            None,
            None,
        )
        for _ in range(20):
            passes.run()
        w, _ = passes.weights()
        known = passes.known
        assert known[kernel.SQUARES] == pytest.approx(w @ w)
        if penalty != "l2":
            assert known[kernel.ABSOLUTES] == pytest.approx(np.abs(w).sum())


@pytest.mark.parametrize("begin", [1, 25])
def test_averages_are_averages_of_the_steps(begin):
    x, y = rows(4)
    options = SGDOptions(
        "log_loss", alpha=0.01, max_iter=1, tol=None, shuffle=False, average=begin
    )
    one = SGDOptions("log_loss", alpha=0.01, max_iter=1, tol=None, shuffle=False)
    whole = fit_sgd(x, y, SGDState(np.zeros(3)), options)
    state, seen, levels = SGDState(np.zeros(3)), [], []
    for i in range(len(x)):
        state = fit_sgd(x, y, state, one, rows=np.array([i]))
        seen.append(state.coef)
        levels.append(state.intercept)
    np.testing.assert_allclose(whole.coef, seen[-1])
    np.testing.assert_allclose(whole.mean_coef, np.mean(seen[begin - 1 :], axis=0))
    assert whole.mean_intercept == pytest.approx(np.mean(levels[begin - 1 :]))
    assert whole.averaged == len(x) - begin + 1


def test_two_passes_average_like_one_fit_of_two():
    x, y = rows(5)
    one, two = (
        SGDOptions("hinge", max_iter=m, tol=None, shuffle=False, average=7)
        for m in (1, 2)
    )
    whole = fit_sgd(x, y, SGDState(np.zeros(3)), two)
    parts = fit_sgd(x, y, fit_sgd(x, y, SGDState(np.zeros(3)), one), one)
    np.testing.assert_allclose(parts.mean_coef, whole.mean_coef)
    assert parts.mean_intercept == pytest.approx(whole.mean_intercept)


def test_a_scale_that_falls_to_zero_does_not_stay():
    """A rate so large that the penalty takes all of the weights at once."""
    x, y = rows(6)
    options = SGDOptions(
        "hinge", alpha=1.0, learning_rate="constant", eta0=2.0, tol=None, max_iter=2,
        shuffle=False, average=1,
    )  # fmt: skip
    state = fit_sgd(x, y, SGDState(np.ones(3)), options)
    assert np.isfinite(state.coef).all() and np.isfinite(state.mean_coef).all()


def test_l1_makes_weights_zero_and_l2_does_not():
    rng = np.random.default_rng(7)
    x = rng.standard_normal((300, 10))
    y = np.sign(x[:, 0])
    zeros = {}
    for penalty in ("l1", "l2"):
        options = SGDOptions("hinge", penalty, alpha=0.02, max_iter=20, shuffle=False)
        zeros[penalty] = (
            fit_sgd(x, y, SGDState(np.zeros(10)), options).coef == 0
        ).sum()
    assert zeros["l2"] == 0 < zeros["l1"]


def test_seeds_give_the_same_fit_and_others_another():
    x, y = rows(8)
    options = SGDOptions("hinge", max_iter=3, tol=None)
    made = [
        fit_sgd(x, y, SGDState(np.zeros(3)), options, generator=Generator(seed)).coef
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_scores_stop_it_and_callers_too():
    x, y = rows(9)
    options = SGDOptions("hinge", shuffle=False, n_iter_no_change=3)
    zero = SGDState(np.zeros(3))
    assert fit_sgd(x, y, zero, options, score=lambda w, b: 0.5).epochs == 4
    assert fit_sgd(x, y, zero, options, each=lambda w, b: True).epochs == 1


@pytest.mark.parametrize("rate", ["pa1", "pa2"])
def test_passive_aggressive_steps_are_their_formulas(rate):
    """Crammer et al., J. Mach. Learn. Res. 7 (2006): tau = loss / ||x||^2, bounded."""
    x, y = rows(10, 20)
    options = SGDOptions(
        "hinge", None, learning_rate=rate, eta0=0.4, max_iter=1, tol=None,
        shuffle=False, fit_intercept=False,
    )  # fmt: skip
    state = fit_sgd(x, y, SGDState(np.zeros(3)), options)
    w = np.zeros(3)
    for row, target in zip(x, y, strict=True):
        loss, square = max(0.0, 1 - target * (row @ w)), row @ row
        tau = min(0.4, loss / square) if rate == "pa1" else loss / (square + 1 / 0.8)
        w = w + tau * target * row
    np.testing.assert_allclose(state.coef, w)


def test_rows_of_zeros_are_no_aggressive_steps():
    x, y = rows(11, 20)
    x[3] = 0
    options = SGDOptions("hinge", None, learning_rate="pa1", max_iter=2, shuffle=False)
    assert np.isfinite(fit_sgd(x, y, SGDState(np.zeros(3)), options).coef).all()


def test_weights_that_become_infinite_are_an_error():
    x, y = rows(12, classes=False)
    options = SGDOptions("squared_error", learning_rate="constant", eta0=1e3)
    with pytest.raises(DataError, match="scale the columns"):
        fit_sgd(1e300 * x, y, SGDState(np.zeros(3)), options)


def test_the_optimal_rate_needs_a_penalty():
    with pytest.raises(ArgumentError, match="alpha must be > 0"):
        fit_sgd(*rows(), SGDState(np.zeros(3)), SGDOptions("hinge", alpha=0.0))
    assert set(RATES) >= {"optimal", "constant", "invscaling", "adaptive"}


@pytest.mark.parametrize("penalty", ["l2", "l1"])
def test_sparse_rows_without_zeros_are_dense_rows(penalty):
    sparse = pytest.importorskip("scipy.sparse", reason="makes sparse matrices")
    x, y = rows(13)
    options = SGDOptions(
        "log_loss", penalty, fit_intercept=False, max_iter=3, tol=None, shuffle=False
    )
    dense = fit_sgd(x, y, SGDState(np.zeros(3)), options)
    thin = fit_sgd(sparse.csr_array(x), y, SGDState(np.zeros(3)), options)
    np.testing.assert_allclose(thin.coef, dense.coef)
