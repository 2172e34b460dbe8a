"""LinearRegression, Ridge, Lasso and ElasticNet beside scikit-learn's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn", reason="the estimators need scikit-learn")

from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import linear_model as theirs
from sklearn.datasets import load_diabetes, make_regression
from sklearn.exceptions import ConvergenceWarning

from dotori.errors import ArgumentError
from dotori.learn import linear_model as ours

NEW = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9)
DIABETES = load_diabetes(return_X_y=True)

#: Both at a precision at which iterations make no difference.
TIGHT = {
    "LinearRegression": {},
    "Ridge": {"tol": 1e-12},
    "Lasso": {"tol": 1e-11, "max_iter": 20_000, "alpha": 0.1},
    "ElasticNet": {"tol": 1e-11, "max_iter": 20_000, "alpha": 0.1},
}
NAMES = list(TIGHT)


def both(name, X, y, weight=None, **params):
    params = {**TIGHT[name], **params}
    with warnings.catch_warnings():
        # what theirs says of tight tolerances, and of tables of one row
        warnings.simplefilter("ignore")
        return [
            getattr(module, name)(**params).fit(X, y, sample_weight=weight)
            for module in (ours, theirs)
        ]


def assert_same(a, b, X, rtol=1e-6, atol=1e-8):
    scale = max(np.abs(b.coef_).max(initial=0), 1e-30)
    np.testing.assert_allclose(a.coef_, b.coef_, rtol=rtol, atol=rtol * scale + 1e-12)
    np.testing.assert_allclose(a.predict(X), b.predict(X), rtol=rtol, atol=100 * atol)
    assert a.coef_.shape == b.coef_.shape and a.coef_.dtype == b.coef_.dtype
    assert np.shape(a.intercept_) == np.shape(b.intercept_)
    assert a.predict(X).dtype == b.predict(X).dtype


def problem(n=60, d=5, seed=0, k=None):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + 2
    y = X @ rng.normal(size=(d, k or 1)) + rng.normal(size=(n, k or 1))
    return X, y if k else y[:, 0], rng.random(n) + 0.1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("intercept", [True, False])
def test_diabetes(name, intercept):
    X, y = DIABETES
    a, b = both(name, X, y, fit_intercept=intercept)
    assert_same(a, b, X)
    if name == "LinearRegression" and intercept:
        assert a.score(X, y) == pytest.approx(0.5177, abs=1e-4)  # Efron et al., 2004
        assert a.rank_ == 10
        np.testing.assert_allclose(a.singular_, b.singular_, rtol=1e-9)


@given(
    name=st.sampled_from(NAMES),
    n=st.integers(2, 40),
    d=st.integers(1, 8),
    seed=st.integers(0, 1000),
    k=st.sampled_from([None, 1, 3]),
    weighted=st.booleans(),
    intercept=st.booleans(),
    spoiled=st.sampled_from(["", "constant", "rows", "order", "slices"]),
)
def test_random_problems(name, n, d, seed, k, weighted, intercept, spoiled):
    X, y, w = problem(n, d, seed, k)
    if spoiled == "constant":
        X[:, 0] = 2.0
    elif spoiled == "rows":
        X, y = np.repeat(X[: n // 2 + 1], 2, axis=0), np.repeat(y[: n // 2 + 1], 2, 0)
        w = np.repeat(w[: n // 2 + 1], 2)
    elif spoiled == "order":
        X = np.asfortranarray(X)
    elif spoiled == "slices":
        X = np.repeat(X, 2, axis=1)[:, ::2]
    params = {} if NEW or name != "LinearRegression" else {"tol": 1e-15}
    if params and n <= d:
        return  # older ones have another tolerance for what counts as zero
    a = getattr(ours, name)(**{**TIGHT[name], "fit_intercept": intercept, **params})
    _, b = both(name, X, y, w if weighted else None, fit_intercept=intercept)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        a.fit(X, y, w if weighted else None)
    assert_same(a, b, X, rtol=2e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 3), (20, 40), (3000, 12)])
def test_shapes(name, shape):
    X, y, w = problem(*shape)
    a, b = both(name, X, y, w)
    assert_same(a, b, X)


@pytest.mark.skipif(not NEW, reason="the tolerance of 1.9 says what counts as zero")
def test_equal_and_dependent_columns_share_their_coefficient():
    X, y, _ = problem(50, 4)
    for table in (
        np.column_stack([X, X[:, :2]]),
        np.column_stack([X, X @ [1.0, 2.0, 3.0, 4.0]]),
    ):
        a, b = both("LinearRegression", table, y)
        assert_same(a, b, table)
        assert a.rank_ == b.rank_ == 4
        np.testing.assert_allclose(a.singular_, b.singular_, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32(name):
    X, y, w = problem(400, 5)
    X, y = X.astype(np.float32), y.astype(np.float32)
    a = getattr(ours, name)().fit(X, y, w)
    assert a.coef_.dtype == a.predict(X).dtype == np.float32
    assert np.asarray(a.intercept_).dtype == np.float32
    fine = getattr(ours, name)().fit(X.astype(np.float64), y, w)
    np.testing.assert_allclose(a.coef_, fine.coef_, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "kind", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array]
)
@pytest.mark.parametrize("weighted", [True, False])
def test_sparse_tables(name, kind, weighted):
    X, y, w = problem(80, 6, k=2)
    X = np.where(X > 2.5, X, 0)
    weight = w if weighted else None
    # older ones of theirs have no `tol` for LinearRegression
    params = {"tol": 1e-14} if NEW and name == "LinearRegression" else {}
    a, b = both(name, kind(X), y, weight, **params)
    if name == "LinearRegression":
        a = ours.LinearRegression(tol=1e-14).fit(kind(X), y, weight)
    dense, _ = both(name, X, y, weight)
    assert_same(a, dense, X)
    np.testing.assert_allclose(a.coef_, b.coef_, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(a.predict(kind(X)), dense.predict(X), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weighted", [True, False])
def test_positive_coefficients(name, weighted):
    X, y, w = problem(60, 8)
    a, b = both(name, X, y, w if weighted else None, positive=True)
    assert (a.coef_ >= 0).all() and (a.coef_ == 0).any()
    # scikit-learn's Ridge takes L-BFGS here, whose precision is its own
    assert_same(a, b, X, rtol=1e-3 if name == "Ridge" else 1e-6, atol=1e-4)
    free, _ = both(name, X, y)
    assert (free.coef_ < 0).any()


@pytest.mark.parametrize(
    "solver", ["auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga"]
)
def test_every_solver_of_ridge_has_one_answer(solver):
    X, y, w = problem(100, 5, k=3)
    alpha = np.array([0.1, 1.0, 10.0])
    a, _ = both("Ridge", X, y, w, alpha=alpha, solver=solver)
    _, b = both("Ridge", X, y, w, alpha=alpha, solver="cholesky")
    assert_same(a, b, X)
    assert a.solver_ == ("cholesky" if solver == "auto" else solver)
    assert a.n_iter_.shape == (3,) and (a.n_iter_ >= 1).all()
    few = ours.Ridge(solver=solver, max_iter=1).fit(X, y)
    assert (few.n_iter_ == 1).all()


@pytest.mark.parametrize("name", ["Lasso", "ElasticNet"])
def test_lasso_on_more_columns_than_rows(name):
    X, y = make_regression(80, 300, n_informative=8, noise=5.0, random_state=0)
    a, b = both(name, X, y, alpha=1.0)
    assert_same(a, b, X, rtol=1e-5)
    np.testing.assert_array_equal(a.coef_ != 0, b.coef_ != 0)
    assert sparse.issparse(a.sparse_coef_)
    np.testing.assert_array_equal(a.sparse_coef_.toarray()[0], a.coef_)
    a, b = both(name, sparse.csc_array(X), y, alpha=1.0)
    assert_same(a, b, X, rtol=1e-5)


@pytest.mark.parametrize("tol", [1e-3, 1e-6])
def test_the_gap_is_below_what_was_asked_for(tol):
    X, y, _ = problem(100, 20)
    model = ours.Lasso(alpha=0.05, tol=tol).fit(X, y)
    assert 0 <= model.dual_gap_ <= tol * np.mean((y - y.mean()) ** 2)
    assert model.history_["dual_gap"][-1] == pytest.approx(model.dual_gap_, abs=1e-15)
    residual = y - model.predict(X)
    objective = np.mean(residual**2) / 2 + 0.05 * np.abs(model.coef_).sum()
    assert model.history_["objective"][-1] == pytest.approx(objective)
    assert model.history_["iteration"][-1] == model.n_iter_
    targets = ours.Lasso(alpha=0.05, tol=tol).fit(X, np.column_stack([y, y**2]))
    assert targets.dual_gap_.shape == (2,) and len(targets.n_iter_) == 2
    assert len(targets.history_["dual_gap"]) == 2


@pytest.mark.parametrize("selection", ["cyclic", "random"])
def test_a_fit_that_is_cut_short_warns_and_goes_on(selection):
    X, y, _ = problem(100, 30)
    X[:, 1:] += 5 * X[:, :1]
    params = {"alpha": 0.01, "tol": 1e-10, "selection": selection, "random_state": 0}
    model = ours.Lasso(max_iter=2, warm_start=True, **params)
    with pytest.warns(ConvergenceWarning, match="duality gap is"):
        model.fit(X, y)
    assert model.n_iter_ == 2
    model.set_params(max_iter=10_000).fit(X, y)
    whole = ours.Lasso(max_iter=10_000, **params).fit(X, y)
    np.testing.assert_allclose(model.coef_, whole.coef_, atol=1e-6)
    again = model.fit(X, y)
    assert again.n_iter_ < whole.n_iter_
    with pytest.raises(ArgumentError, match="warm_start needs coef_"):
        model.fit(X, np.column_stack([y, y]))


def test_weights_are_relative_and_one_number_is_none():
    X, y, w = problem(60, 4)
    for name in ("Lasso", "ElasticNet"):
        model = getattr(ours, name)(alpha=0.1, tol=1e-10)
        plain = model.fit(X, y).coef_
        np.testing.assert_array_equal(model.fit(X, y, 3.0).coef_, plain)
        some = model.fit(X, y, w).coef_
        np.testing.assert_allclose(model.fit(X, y, 7 * w).coef_, some, rtol=1e-9)


def test_weights_of_zero_are_rows_left_out():
    X, y, w = problem(60, 4)
    w[::3] = 0
    for name in NAMES:
        a = getattr(ours, name)(**TIGHT[name]).fit(X, y, w)
        b = getattr(ours, name)(**TIGHT[name]).fit(X[w > 0], y[w > 0], w[w > 0])
        np.testing.assert_allclose(a.coef_, b.coef_, rtol=1e-7, atol=1e-9)


def test_a_gram_matrix_is_used_checked_or_made_again():
    X, y, w = problem(60, 4)
    X = X - X.mean(axis=0)
    wanted = ours.ElasticNet(alpha=0.1).fit(X, y)
    found = ours.ElasticNet(alpha=0.1, precompute=X.T @ X).fit(X, y)
    np.testing.assert_allclose(found.coef_, wanted.coef_, rtol=1e-9)
    thin = ours.ElasticNet(alpha=0.1, precompute=X.T @ X).fit(sparse.csc_array(X), y)
    np.testing.assert_allclose(thin.coef_, wanted.coef_, rtol=1e-9)
    found = ours.ElasticNet(alpha=0.1, precompute=True).fit(X, y)
    np.testing.assert_allclose(found.coef_, wanted.coef_, rtol=1e-9)
    with pytest.warns(UserWarning, match="recomputed"):
        found = ours.ElasticNet(alpha=0.1, precompute=X.T @ X).fit(X + 5, y)
    np.testing.assert_allclose(found.coef_, wanted.coef_, rtol=1e-9)
    with pytest.raises(ValueError, match="single element"):
        ours.ElasticNet(precompute=2 * X.T @ X).fit(X, y)
    with pytest.raises(ArgumentError, match=r"of shape \(4, 4\), got one of"):
        ours.ElasticNet(precompute=np.eye(3)).fit(X, y)
    scaled = w * (60 / w.sum())
    weighted = X - np.average(X, axis=0, weights=w)
    gram = (weighted.T * scaled) @ weighted
    found = ours.ElasticNet(alpha=0.1, precompute=gram).fit(weighted, y, w)
    wanted = ours.ElasticNet(alpha=0.1).fit(weighted, y, w)
    np.testing.assert_allclose(found.coef_, wanted.coef_, rtol=1e-9)


@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csc_array])
def test_paths(kind, positive):
    X, y = make_regression(50, 12, n_informative=4, noise=1.0, random_state=0)
    X, y = X - X.mean(axis=0), y - y.mean()
    tight = {"tol": 1e-10, "max_iter": 100_000, "positive": positive}
    few = {"alphas": 7} if NEW else {"n_alphas": 7}
    for ratio in (1.0, 0.5):
        a = ours.enet_path(kind(X), y, l1_ratio=ratio, alphas=7, **tight)
        b = theirs.enet_path(kind(X), y, l1_ratio=ratio, **few, **tight)
        np.testing.assert_allclose(a[0], b[0], rtol=1e-9)
        np.testing.assert_allclose(a[1], b[1], rtol=1e-5, atol=1e-6)
    *_, sweeps = ours.lasso_path(kind(X), y, alphas=[0.1, 1.0], return_n_iter=True)
    assert len(sweeps) == 2
    assert ours.Lasso.path is ours.enet_path
    with pytest.raises(ArgumentError, match="no parameters"):
        ours.enet_path(X, y, epsilon=1.0)
    with pytest.raises(ArgumentError, match="selection must be"):
        ours.enet_path(X, y, selection="best")
    with pytest.raises(ValueError, match=r"y of shape \(n,\) was wanted"):
        ours.enet_path(X, np.column_stack([y, y]))


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (ours.Ridge(alpha=-1.0), "alpha must be a number >= 0, got -1"),
        (ours.Ridge(alpha=[1.0, -1.0]), "alpha must be numbers >= 0"),
        (ours.Ridge(alpha=[1.0, 2.0]), "number of targets and of penalties"),
        (ours.Ridge(solver="best"), "solver must be one of 'auto'"),
        (ours.Ridge(solver="lbfgs"), "only with positive=True"),
        (ours.Ridge(solver="svd", positive=True), "does not support positive"),
        (ours.Lasso(alpha=-1.0), "alpha must be"),
        (ours.Lasso(selection="best"), "selection must be"),
        (ours.Lasso(max_iter=0), "max_iter must be"),
        (ours.Lasso(precompute="auto"), "precompute must be"),
        (ours.ElasticNet(l1_ratio=1.5), "l1_ratio must be"),
        (ours.LinearRegression(fit_intercept="yes"), "fit_intercept must be"),
        (ours.LinearRegression(tol=-1.0), "tol must be"),
    ],
)
def test_parameters_are_checked(estimator, message):
    X, y, _ = problem()
    with pytest.raises(ArgumentError, match=message):
        estimator.fit(X, y)


def test_an_alpha_of_zero_is_warned_of():
    X, y, _ = problem()
    with pytest.warns(UserWarning, match="take LinearRegression"):
        found = ours.Lasso(alpha=0.0, tol=1e-12).fit(X, y)
    wanted = ours.LinearRegression().fit(X, y)
    np.testing.assert_allclose(found.coef_, wanted.coef_, rtol=1e-6)


def test_sparse_tables_have_no_decomposition_with_an_intercept():
    X, y, _ = problem()
    rows = sparse.csr_array(X)
    with pytest.raises(ArgumentError, match="intercept on sparse data"):
        ours.Ridge(solver="cholesky").fit(rows, y)
    exact = ours.Ridge(solver="cholesky", fit_intercept=False)
    dense = ours.Ridge(fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(exact.fit(rows, y).coef_, dense.coef_, rtol=1e-9)
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        ours.LinearRegression(positive=True).fit(rows, y)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(60, 5), (20, 300)])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_infinite_rows_are_refused_as_scikit_learn_does(name, shape, value):
    X, y, _ = problem(*shape)
    X[7, 3] = value
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        getattr(ours, name)().fit(X, y)
    X[7, 3] = 1.0
    y[3] = value
    with pytest.raises(ValueError, match=r"Input y contains (NaN|infinity)"):
        getattr(ours, name)().fit(X, y)


@pytest.mark.parametrize("name", ["Lasso", "ElasticNet"])
def test_values_whose_squares_overflow_are_told_of(name):
    X, y, _ = problem(60, 5)
    X[3, 3] = 1e200
    with pytest.raises(ValueError, match="scale columns with very large values down"):
        getattr(ours, name)().fit(X, y)
    for model in (ours.Ridge(), ours.Ridge(positive=True), ours.LinearRegression()):
        assert np.isfinite(model.fit(X, y).coef_).all()  # they have other ways
