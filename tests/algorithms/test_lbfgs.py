"""L-BFGS against SciPy's, against exact minima, and where functions misbehave."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.algorithms.lbfgs import Place, line_search, minimise, two_loops


def rosenbrock(x):
    """The banana valley, with its minimum 0 at (1, ..., 1)."""
    a, b = x[:-1], x[1:]
    gradient = np.zeros_like(x)
    gradient[:-1] += -400 * a * (b - a * a) - 2 * (1 - a)
    gradient[1:] += 200 * (b - a * a)
    return float(np.sum(100 * (b - a * a) ** 2 + (1 - a) ** 2)), gradient


def quadratic(matrix, slope):
    return lambda x: (float(x @ matrix @ x / 2 - slope @ x), matrix @ x - slope)


def random_problem(seed, n, power):
    rng = np.random.default_rng(seed)
    q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    matrix = (q * np.logspace(0, power, n)) @ q.T
    return (matrix + matrix.T) / 2, rng.standard_normal(n)


@pytest.mark.parametrize("n", [2, 10, 40])
def test_rosenbrocks_valley(n):
    found = minimise(rosenbrock, np.full(n, -1.0), 1000, 1e-9)
    np.testing.assert_allclose(found.point, 1, rtol=1e-8)
    assert found.reason == "gradient" and np.abs(found.gradient).max() <= 1e-9
    assert found.iterations == len(found.values) - 1 < found.evaluations
    assert all(
        a > b for a, b in zip(found.values[:-3], found.values[1:-2], strict=True)
    )


def test_about_as_many_evaluations_as_scipy():
    optimize = pytest.importorskip("scipy.optimize", reason="the reference")
    start = np.full(20, -1.0)
    theirs = optimize.minimize(rosenbrock, start, jac=True, method="L-BFGS-B")
    ours = minimise(rosenbrock, start, 1000, np.abs(theirs.jac).max())
    assert ours.evaluations <= 1.3 * theirs.nfev


@given(st.integers(0, 1000), st.integers(1, 12), st.floats(0, 3))
def test_quadratics_end_at_their_minimum(seed, n, power):
    matrix, slope = random_problem(seed, n, power)
    found = minimise(quadratic(matrix, slope), np.zeros(n), 3000, 1e-8)
    assert found.reason in ("gradient", "flat")
    np.testing.assert_allclose(found.point, np.linalg.solve(matrix, slope), atol=1e-6)


def test_the_inverse_hessian_makes_it_one_step():
    matrix, slope = random_problem(0, 30, 6)
    inverse = np.linalg.inv(matrix)
    about = {"inverse": lambda v: inverse @ v, "tolerance": 1e-8}
    found = minimise(quadratic(matrix, slope), np.zeros(30), **about)
    assert found.iterations <= 2 and found.evaluations <= 3


def test_pairs_continue_what_was_learnt():
    matrix, slope = random_problem(1, 15, 2)
    function = quadratic(matrix, slope)
    whole = minimise(function, np.zeros(15), 30, 1e-12)
    first = minimise(function, np.zeros(15), 10, 1e-12)
    second = minimise(function, first.point, 20, 1e-12, pairs=first.pairs)
    np.testing.assert_allclose(second.values[-1], whole.values[-1], rtol=1e-12)
    assert [*first.values[:-1], *second.values] == pytest.approx(whole.values)


def test_two_loops_is_the_inverse_of_the_bfgs_matrix():
    """The recursion against the update of the whole matrix (their equation 6.17)."""
    matrix, _ = random_problem(2, 5, 1)
    rng = np.random.default_rng(3)
    steps = rng.standard_normal((3, 5))
    pairs = [(s, matrix @ s) for s in steps]
    s, y = pairs[-1]
    h = np.eye(5) * (s @ y) / (y @ y)
    for s, y in pairs:
        left = np.eye(5) - np.outer(s, y) / (s @ y)
        h = left @ h @ left.T + np.outer(s, s) / (s @ y)
    gradient = rng.standard_normal(5)
    np.testing.assert_allclose(two_loops(gradient, pairs), -h @ gradient)


def test_pairs_without_curvature_are_passed_over():
    pairs = [(np.array([1.0, 0.0]), np.array([-1.0, 0.0]))]
    gradient = np.array([0.3, 0.4])
    np.testing.assert_array_equal(two_loops(gradient, pairs), -gradient)


@given(st.floats(0.01, 100), st.integers(0, 1000))
def test_the_line_search_meets_the_strong_wolfe_conditions(scale, seed):
    rng = np.random.default_rng(seed)
    start = 2 * rng.standard_normal(4)
    value, gradient = rosenbrock(start)
    direction = -scale * gradient / np.linalg.norm(gradient)
    slope = gradient @ direction
    here = Place(0.0, value, gradient, start)
    new, trials = line_search(rosenbrock, here, direction)
    assert new is not None and 1 <= trials <= 30
    assert new.value <= value + 1e-4 * new.size * slope
    assert abs(new.gradient @ direction) <= 0.9 * abs(slope)


def test_values_beyond_the_domain_shorten_the_step():
    """-log(x) + x is infinite from 0 down; the first step would go there."""

    def barrier(x):
        if x[0] <= 0:
            return np.inf, np.array([np.nan])
        return float(x[0] - np.log(x[0])), 1 - 1 / x

    found = minimise(barrier, np.array([50.0]), 100, 1e-9, inverse=lambda v: 1e3 * v)
    np.testing.assert_allclose(found.point, 1)


def test_it_ends_where_rounding_hides_the_rest():
    """A tolerance that cannot be reached costs a few steps, not all of them."""
    matrix, slope = random_problem(4, 6, 2)
    found = minimise(quadratic(matrix, slope), np.zeros(6), 10_000, 0.0)
    assert found.reason == "flat" and found.iterations < 200
    np.testing.assert_allclose(found.point, np.linalg.solve(matrix, slope), rtol=1e-6)


def test_a_start_that_is_not_finite_ends_at_once():
    found = minimise(lambda x: (np.nan, x), np.ones(2), 50)
    assert found.iterations == 0 and found.reason == "flat"


def test_limits_and_callers_end_it():
    start = np.full(5, -1.0)
    assert minimise(rosenbrock, start, 0).reason == "iterations"
    assert minimise(rosenbrock, np.ones(5), 0).reason == "gradient"
    assert minimise(rosenbrock, start, 7).iterations == 7
    seen = []
    found = minimise(rosenbrock, start, each=lambda *about: bool(seen.append(about)))
    assert [value for _, value in seen] == found.values[1:]
    found = minimise(rosenbrock, start, each=lambda point, value: True)
    assert found.reason == "stopped" and found.iterations == 1
    assert minimise(rosenbrock, start, decrement=1e9).reason == "flat"
