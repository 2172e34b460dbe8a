"""Least squares: certified values, the definitions, and awkward tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.algorithms._stored import from_document, to_document
from dotori.algorithms.linear import krylov
from dotori.algorithms.linear.gradient_descent import (
    gradient,
    gradient_descent,
    half_mean_squared_error,
)
from dotori.algorithms.linear.gram import Rows, column_moments, moments
from dotori.algorithms.linear.least_squares import (
    LinearModel,
    by_qr,
    least_squares,
    normal_equations,
)
from dotori.algorithms.linear.nonnegative import nonnegative
from dotori.algorithms.linear.triangle import by_cholesky, by_reflections, triangle
from dotori.errors import (
    ArgumentError,
    DataError,
    LinAlgError,
    NonFiniteError,
    ShapeError,
)
from dotori.kernels import _threads

# NIST, Statistical Reference Datasets, Longley: employment, deflator, GNP, unemployed,
# armed forces, population, year; and the certified coefficients, the intercept first.
LONGLEY = np.array(
    [
        [60323, 83.0, 234289, 2356, 1590, 107608, 1947],
        [61122, 88.5, 259426, 2325, 1456, 108632, 1948],
        [60171, 88.2, 258054, 3682, 1616, 109773, 1949],
        [61187, 89.5, 284599, 3351, 1650, 110929, 1950],
        [63221, 96.2, 328975, 2099, 3099, 112075, 1951],
        [63639, 98.1, 346999, 1932, 3594, 113270, 1952],
        [64989, 99.0, 365385, 1870, 3547, 115094, 1953],
        [63761, 100.0, 363112, 3578, 3350, 116219, 1954],
        [66019, 101.2, 397469, 2904, 3048, 117388, 1955],
        [67857, 104.6, 419180, 2822, 2857, 118734, 1956],
        [68169, 108.4, 442769, 2936, 2798, 120445, 1957],
        [66513, 110.8, 444546, 4681, 2637, 121950, 1958],
        [68655, 112.6, 482704, 3813, 2552, 123366, 1959],
        [69564, 114.2, 502601, 3931, 2514, 125368, 1960],
        [69331, 115.7, 518173, 4806, 2572, 127852, 1961],
        [70551, 116.9, 554894, 4007, 2827, 130081, 1962],
    ]
)
X, Y = LONGLEY[:, 1:], LONGLEY[:, 0]
CERTIFIED = np.array(
    [
        -3482258.63459582,
        15.0618722713733,
        -0.0358191792925910,
        -2.02022980381683,
        -1.03322686717359,
        -0.0511041056535807,
        1829.15146461355,
    ]
)
RESIDUAL_SUM, R_SQUARED = 836424.055505915, 0.995479004577296

# NIST, Wampler2: a polynomial of degree 5, without errors.
POWERS = np.arange(21.0)[:, None] ** np.arange(1, 6)
WAMPLER2 = np.array([1, 0.1, 0.01, 0.001, 0.0001, 0.00001])


def digits(model, certified):
    """The least number of correct digits, -log10 of the relative error."""
    found = np.append(model.intercept, model.coef)
    return -np.log10(np.max(np.abs(found - certified) / np.abs(certified)) + 1e-16)


def test_longley_has_the_certified_digits():
    assert digits(normal_equations(X, Y), CERTIFIED) > 6.5
    assert digits(by_qr(X, Y), CERTIFIED) > 10
    found = least_squares(X, Y)
    assert digits(found.model, CERTIFIED) > 12
    assert found.rank == 6
    residual = Y - found.model.predict(X)
    assert residual @ residual == pytest.approx(RESIDUAL_SUM, rel=1e-10)
    total = np.square(Y - Y.mean()).sum()
    assert 1 - residual @ residual / total == pytest.approx(R_SQUARED, rel=1e-12)


def test_cholesky_loses_half_of_the_digits_that_reflections_keep():
    solved = by_cholesky(moments(X, Y), 6)
    assert solved is not None
    rough, _, _ = solved.solve(0.0)
    fine, _, _ = by_reflections(Rows(X, Y[:, None])).solve(0.0)
    errors = [np.max(np.abs(b[:, 0] / CERTIFIED[1:] - 1)) for b in (rough, fine)]
    assert errors[0] < 1e-10 and errors[1] < 1e-12


def test_wampler_needs_a_smaller_tolerance():
    """Its columns reach from 20 to 3 million: singular values lie below 1e-6."""
    target = WAMPLER2[0] + POWERS @ WAMPLER2[1:]
    assert digits(least_squares(POWERS, target, tolerance=0).model, WAMPLER2) > 12
    assert digits(by_qr(POWERS, target), WAMPLER2) > 11
    assert least_squares(POWERS, target).rank < 5


def test_gradient_descent_on_longley_needs_scaled_columns_and_patience():
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    found = gradient_descent(scaled, Y, learning_rate=0.4, epochs=3000)
    coef = found.model.coef / X.std(axis=0)
    model = LinearModel(coef, found.model.intercept - coef @ X.mean(axis=0))
    assert digits(model, CERTIFIED) < 3  # far from it in the flat directions
    residual = Y - model.predict(X)
    assert residual @ residual < 1.2 * RESIDUAL_SUM  # and near to it where it counts
    with pytest.raises(NonFiniteError, match=r"learning rate below 0\.4"):
        gradient_descent(X, Y, learning_rate=0.4, epochs=3000)


def table(n, d, seed=0, k=1):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + 3, rng.normal(size=(n, k)), rng.random(n) + 0.1


def definition(x, y, w, centred):
    """Means, Gram matrix, cross products and squares, as they are written."""
    mean_x, mean_y = (np.average(v, axis=0, weights=w) * centred for v in (x, y))
    x, y = x - mean_x, y - mean_y
    return mean_x, mean_y, (x.T * w) @ x, (x.T * w) @ y, (w * (y.T**2)).sum(axis=1)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("n", [1, 7, 3000])
def test_moments_are_their_definition(n, weighted, centred):
    x, y, w = table(n, 4, k=2)
    found = moments(x, y, w if weighted else None, centred)
    w = w if weighted else np.ones(n)
    names = ("mean_x", "mean_y", "gram", "cross", "square")
    for name, value in zip(names, definition(x, y, w, centred), strict=True):
        np.testing.assert_allclose(
            getattr(found, name), value, rtol=1e-9, atol=1e-9, err_msg=name
        )
    assert found.weight == pytest.approx(w.sum()) and found.rows == n


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("centred", [True, False])
def test_moments_of_columns_and_of_sparse_matrices(centred, weighted):
    sparse = pytest.importorskip("scipy.sparse", reason="sparse matrices")
    x, y, w = table(200, 5, k=2)
    x = np.where(x > 3, x, 0)
    weight = w if weighted else None
    found = moments(x, y, weight, centred)
    there = moments(sparse.csc_array(x), y, weight, centred)
    np.testing.assert_allclose(there.gram, found.gram, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(there.cross, found.cross, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(there.square, found.square, rtol=1e-9)
    for rows in (x, sparse.csc_array(x)):
        some = column_moments(rows, y, weight, centred)
        np.testing.assert_allclose(some.mean_x, found.mean_x, atol=1e-12)
        np.testing.assert_allclose(some.mean_y, found.mean_y, atol=1e-12)
        np.testing.assert_allclose(some.square_x, np.diagonal(found.gram), rtol=1e-9)
        np.testing.assert_allclose(some.cross, found.cross, rtol=1e-9, atol=1e-9)


def test_moments_do_not_depend_on_layout_or_threads(monkeypatch):
    x, y, w = table(40_000, 20)
    plain = moments(x, y, w)
    assert len(Rows(x, y, w).chunks()) > 1  # or nothing is shown here
    for threads in (1, 2, 3):
        monkeypatch.setattr(_threads._threads, "number", threads)
        monkeypatch.setattr(_threads._threads, "_pool", None)
        np.testing.assert_array_equal(moments(x, y, w).gram, plain.gram)
    wide = np.repeat(x, 2, axis=1)
    for other in (np.asfortranarray(x), wide[:, ::2], x[::-1][::-1]):
        np.testing.assert_allclose(moments(other, y, w).gram, plain.gram, rtol=1e-12)
    rough = moments(x.astype(np.float32), y, w, dtype=np.float32)
    np.testing.assert_allclose(rough.gram, plain.gram, rtol=1e-3, atol=1e-2 * 40)


@pytest.mark.parametrize("fortran", [True, False])
def test_reflections_in_chunks_are_those_of_all_rows(monkeypatch, fortran):
    x, y, w = table(40_000, 20)
    rows = Rows(np.asfortranarray(x) if fortran else x, y, w)
    assert len(rows.chunks()) > 1
    found = by_reflections(rows)
    sums = moments(x, y, w)
    np.testing.assert_allclose(found.r.T @ found.r, sums.gram, rtol=1e-9, atol=1e-7)
    np.testing.assert_allclose(found.r.T @ found.c, sums.cross, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(found.mean_x, sums.mean_x, rtol=1e-12)
    monkeypatch.setattr(_threads._threads, "number", 3)
    monkeypatch.setattr(_threads._threads, "_pool", None)
    np.testing.assert_array_equal(by_reflections(rows).r, found.r)


def test_means_far_from_zero_cost_no_digits():
    x, y, _ = table(5000, 3)
    far = moments(x * 2.0**-10 + 2.0**30, y)  # which is exact
    near = moments(x * 2.0**-10 + 2.0**30 - 2.0**30, y)
    np.testing.assert_allclose(far.gram, near.gram, rtol=1e-9)
    sorted_rows = np.sort(x, axis=0) * 1e6
    expected = definition(sorted_rows, y, np.ones(5000), True)[2]
    np.testing.assert_allclose(moments(sorted_rows, y).gram, expected, rtol=1e-10)


def test_constant_columns_have_moments_of_exactly_zero():
    x = np.full((3000, 2), 0.1)
    x[:, 1] = np.arange(3000)
    gram = moments(x, np.ones(3000)).gram
    assert (gram[0] == 0).all() and gram[1, 1] > 0


def oracle(x, y, w, intercept, tolerance=1e-6):
    """Centred and weighted rows into LAPACK."""
    w = np.ones(len(x)) if w is None else w
    first = x[0] * intercept  # constant columns become zero, not what rounding leaves
    x = x - first
    mean_x, mean_y = (np.average(v, axis=0, weights=w) * intercept for v in (x, y))
    root = np.sqrt(w)[:, None]
    b, _, rank, singular = np.linalg.lstsq(
        root * (x - mean_x), root * (y - mean_y), rcond=tolerance
    )
    return b.T, mean_y - (first + mean_x) @ b, rank, singular


@given(
    n=st.integers(1, 30),
    d=st.integers(1, 12),
    k=st.integers(1, 3),
    seed=st.integers(0, 1000),
    weighted=st.booleans(),
    intercept=st.booleans(),
    spoiled=st.sampled_from(["", "equal", "constant", "zero", "dependent", "rows"]),
)
def test_all_tables_have_lapacks_solution(n, d, k, seed, weighted, intercept, spoiled):
    x, y, w = table(n, d, seed, k)
    if spoiled == "equal":
        x[:, -1] = x[:, 0]
    elif spoiled in ("constant", "zero"):
        x[:, 0] = 7.0 * (spoiled == "constant")
    elif spoiled == "dependent":
        x[:, -1] = x @ np.arange(d)
    elif spoiled == "rows":
        x[:] = x[:1]
    weight = w if weighted else None
    found = least_squares(x, y, weight, intercept)
    coef, free, rank, singular = oracle(x, y, weight, intercept)
    assert found.rank == rank
    np.testing.assert_allclose(found.model.coef, coef, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(found.model.intercept, free, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(
        found.singular, singular, rtol=1e-7, atol=1e-7 * max(singular.max(), 1)
    )


@pytest.mark.parametrize("spoiled", ["", "equal", "nearly", "constant", "scales"])
@pytest.mark.parametrize("weighted", [True, False])
def test_long_tables_have_lapacks_solution(weighted, spoiled):
    """Those that go through the Gram matrix, if it is good enough for them."""
    x, y, w = table(30_000, 8, k=2)
    if spoiled == "equal":
        x[:, 1] = x[:, 0]
    elif spoiled == "nearly":
        x[:, 1] = x[:, 0] + 1e-5 * w
    elif spoiled == "constant":
        x[:, 1] = 0.1
    elif spoiled == "scales":
        x *= np.logspace(-2, 2, 8)
    weight = w if weighted else None
    found = least_squares(x, y, weight)
    coef, free, rank, singular = oracle(x, y, weight, True)
    assert found.rank == rank
    np.testing.assert_allclose(found.model.coef, coef, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(found.model.intercept, free, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found.singular, singular, atol=1e-9 * singular[0])


def test_the_way_to_the_triangle_depends_on_the_condition():
    x, y, _ = table(30_000, 8)
    sums = moments(x, y)
    assert by_cholesky(sums, 8) is not None
    x[:, 1] = x[:, 0] + 1e-5 * y[:, 0]
    assert by_cholesky(moments(x, y), 8) is None
    x *= np.logspace(-3, 3, 8)  # scales are no condition: columns are scaled first
    x[:, 1] = y[:, 0]
    assert by_cholesky(moments(x, y), 8) is not None
    reflected = by_reflections(Rows(x, y))
    np.testing.assert_allclose(
        reflected.r.T @ reflected.r, triangle(x, y).r.T @ triangle(x, y).r, rtol=1e-9
    )


def test_weights_are_repeated_rows():
    x, y, _ = table(50, 3)
    times = np.random.default_rng(1).integers(0, 4, 50)
    found = least_squares(x, y, times).model
    repeated = least_squares(np.repeat(x, times, axis=0), np.repeat(y, times, axis=0))
    np.testing.assert_allclose(found.coef, repeated.model.coef, rtol=1e-10)
    np.testing.assert_allclose(found.intercept, repeated.model.intercept, rtol=1e-10)


def test_what_is_not_finite_is_refused_and_what_is_large_is_not():
    x, y, _ = table(20_000, 8)
    for value in (np.nan, np.inf):
        for row in (0, 19_999):
            spoiled = x.copy()
            spoiled[row, 3] = value
            with pytest.raises(DataError, match="finite"):
                least_squares(spoiled, y)
            with pytest.raises(DataError, match="finite"):
                least_squares(spoiled[row : row + 1], y[:1])
    small = least_squares(x, y).model
    large = least_squares(x * 1e170, y).model  # whose squares overflow
    np.testing.assert_allclose(large.coef * 1e170, small.coef, rtol=1e-9)
    with pytest.raises(ShapeError, match=r"got \(20000, 8\) and \(3, 1\)"):
        least_squares(x, y[:3])
    with pytest.raises(ShapeError, match="n >= 1"):
        least_squares(x[:0], y[:0])


@given(
    n=st.integers(1, 40),
    d=st.integers(1, 25),
    seed=st.integers(0, 1000),
    mean=st.sampled_from([0, 1, 3]),
    spoiled=st.sampled_from(["", "equal", "zero", "scales"]),
)
def test_nonnegative_solutions_obey_their_conditions(n, d, seed, mean, spoiled):
    """Kuhn and Tucker: the slope is zero where z > 0, and uphill where z = 0."""
    x, y, _ = table(n, d, seed)
    x = x - 3 + mean
    b = y[:, 0] + x @ np.linspace(0, 1, d)
    if spoiled == "equal":
        x[:, -1] = x[:, 0]
    elif spoiled == "zero":
        x[:, d // 2] = 0
    elif spoiled == "scales":
        x *= np.logspace(-2, 2, d)
    z = nonnegative(x, b)
    slope = x.T @ (b - x @ z)
    assert (z >= 0).all()
    scale = 1e-9 * np.linalg.norm(x) * np.linalg.norm(b)
    assert (slope <= scale).all() and (np.abs(slope[z > 0]) <= scale).all()


def test_nonnegative_of_equal_columns_and_of_too_few_steps():
    x, y, _ = table(20, 2)
    doubled = np.column_stack([x, x, np.zeros(20)])
    z = nonnegative(doubled, y[:, 0])
    single = nonnegative(x, y[:, 0])
    np.testing.assert_allclose(doubled @ z, x @ single, atol=1e-10)
    with pytest.raises(LinAlgError, match="after 1 sets"):
        nonnegative(np.eye(3), np.ones(3), max_iter=1)
    assert least_squares(x, -x.sum(axis=1), positive=True).model.coef.tolist() == [0, 0]


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("damp", [0.0, 0.7])
@pytest.mark.parametrize("shape", [(30, 6), (5, 9)])
def test_lsqr_and_conjugate_gradients_solve_what_they_are_given(shape, damp, weighted):
    x, y, w = table(*shape)
    mean, w = x.mean(axis=0), w if weighted else None
    columns = krylov.Columns(x, mean, w)
    dense = (x - mean) * np.sqrt(1 if w is None else w[:, None])
    below = np.vstack([dense, damp * np.eye(shape[1])])
    b = np.append(y, np.zeros(shape[1]))
    wanted = np.linalg.lstsq(below, b, rcond=1e-12)[0]
    v, steps = krylov.lsqr(columns, y[:, 0], damp, 1e-14, 100)
    np.testing.assert_allclose(v, wanted, rtol=1e-7, atol=1e-9)
    assert 0 < steps <= 30
    if damp:
        matrix = dense.T @ dense + damp**2 * np.eye(shape[1])
        v, _ = krylov.conjugate_gradients(
            lambda u: matrix @ u, dense.T @ y[:, 0], 1e-13, 100
        )
        np.testing.assert_allclose(v, wanted, rtol=1e-7, atol=1e-9)
    zeros, steps = krylov.conjugate_gradients(lambda u: 0 * u, np.ones(3), 1e-9, 9)
    assert not zeros.any() and steps == 0  # a matrix that is not definite
    zeros, steps = krylov.lsqr(columns, np.zeros(shape[0]), damp, 1e-14, 100)
    assert not zeros.any() and steps == 0


def test_columns_multiply_float32_rows_in_float64():
    x, _, w = table(300, 400)
    rows = x.astype(np.float32)
    mean = rows.mean(axis=0, dtype=np.float64)
    dense = (rows.astype(np.float64) - mean) * np.sqrt(w)[:, None]
    v, u = np.linspace(-1, 1, 400), np.linspace(1, 2, 300)
    fine = krylov.Columns(rows, mean, w)
    fine.step = 7  # several blocks
    np.testing.assert_allclose(fine.times(v), dense @ v, atol=1e-10)
    np.testing.assert_allclose(fine.transposed_times(u), dense.T @ u, atol=1e-10)
    fast = krylov.Columns(rows, mean, w, precise=False)
    np.testing.assert_allclose(fast.times(v), dense @ v, atol=2e-3)


def test_the_gradient_against_finite_differences():
    x, y, _ = table(20, 3)
    theta, y = np.array([0.3, -1.0, 2.0]), y[:, 0]
    step = 1e-6 * np.eye(3)
    slopes = [
        (
            half_mean_squared_error(x, y, theta + h)
            - half_mean_squared_error(x, y, theta - h)
        )
        / 2e-6
        for h in step
    ]
    np.testing.assert_allclose(gradient(x, y, theta), slopes, rtol=1e-6)


def test_gradient_descent_comes_to_the_exact_solution():
    x, y, _ = table(60, 3)
    x, y = x - 3, y[:, 0] + x @ [1.0, 2.0, 3.0]
    exact = by_qr(x, y)
    found = gradient_descent(x, y, learning_rate=0.5, epochs=300)
    np.testing.assert_allclose(found.model.coef, exact.coef, rtol=1e-8)
    assert found.model.intercept == pytest.approx(exact.intercept, rel=1e-8)
    assert len(found.loss) == 301 and (np.diff(found.loss) <= 1e-12).all()
    residual = y - x @ exact.coef - exact.intercept
    assert found.loss[-1] == pytest.approx(residual @ residual / 120)
    some = gradient_descent(x, y, learning_rate=0.01, epochs=300, batch_size=7)
    again = gradient_descent(x, y, learning_rate=0.01, epochs=300, batch_size=7)
    np.testing.assert_allclose(some.model.coef, exact.coef, atol=0.1)
    np.testing.assert_array_equal(some.model.coef, again.model.coef)
    with pytest.raises(ArgumentError, match="learning_rate > 0"):
        gradient_descent(x, y, learning_rate=0.0)


def test_textbook_forms_agree_with_the_solver():
    x, y, _ = table(40, 5)
    wanted = least_squares(x, y[:, 0]).model
    for form in (normal_equations, by_qr):
        found = form(x, y[:, 0])
        np.testing.assert_allclose(found.coef, wanted.coef, rtol=1e-8)
        assert found.intercept == pytest.approx(wanted.intercept, rel=1e-8)


def test_linear_models_are_stored_and_check_their_shapes():
    arrays = {}
    model = LinearModel(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, 1.0]))
    read = from_document(to_document(model, arrays), arrays)
    x = np.array([[1.0, 1.0]])
    np.testing.assert_array_equal(read.predict(x), [[3.5, 8.0]])
    with pytest.raises(ShapeError, match=r"got x of shape \(1, 3\)"):
        model.predict(np.ones((1, 3)))
    with pytest.raises(ShapeError, match=r"got \(3,\)"):
        LinearModel(np.ones((2, 2)), np.ones(3))
