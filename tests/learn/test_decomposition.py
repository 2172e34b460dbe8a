"""PCA and TruncatedSVD beside scikit-learn's, and by what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sklearn = pytest.importorskip("sklearn", reason="the estimators need scikit-learn")

import scipy.sparse
from sklearn import datasets, decomposition

from dotori.errors import ArgumentError, DTypeError
from dotori.learn import PCA, TruncatedSVD

ATTRIBUTES = (
    "mean_",
    "explained_variance_",
    "explained_variance_ratio_",
    "singular_values_",
    "components_",
    "noise_variance_",
)


def table(seed=0, n=120, d=8, dtype=np.float64):
    """Columns of different deviation, mixed, with a mean."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(n, d)) * 2.0 ** -np.arange(d) @ rng.normal(size=(d, d))
    return (mixed + rng.normal(size=d)).astype(dtype)


def assert_same(ours, theirs, rtol=1e-6):
    assert ours.n_components_ == theirs.n_components_
    for name in ATTRIBUTES:
        found, wanted = getattr(ours, name), getattr(theirs, name)
        assert np.asarray(found).dtype == np.asarray(wanted).dtype, name
        atol = rtol * float(np.max(np.abs(wanted), initial=0))
        if name == "noise_variance_":  # what the large ones leave
            atol = 1e-3 * rtol * float(np.max(theirs.explained_variance_, initial=0))
        np.testing.assert_allclose(found, wanted, rtol, atol, err_msg=name)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_components", [None, 0, 3, 0.9, "mle"])
@pytest.mark.parametrize("solver", ["auto", "full", "covariance_eigh"])
def test_all_components_are_scikit_learns(solver, n_components, dtype):
    X, rtol = table(dtype=dtype), 1e-6 if dtype == np.float64 else 5e-3
    ours = PCA(n_components, svd_solver=solver).fit(X)
    theirs = decomposition.PCA(n_components, svd_solver=solver).fit(X)
    assert_same(ours, theirs, rtol)
    close = {"rtol": rtol, "atol": 10 * rtol}
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X), **close)
    np.testing.assert_allclose(ours.fit_transform(X), theirs.transform(X), **close)
    if n_components != 0:
        scores = theirs.transform(X)
        back = ours.inverse_transform(scores), theirs.inverse_transform(scores)
        np.testing.assert_allclose(*back, **close)
    np.testing.assert_allclose(ours.get_covariance(), theirs.get_covariance(), **close)
    if dtype == np.float64:
        np.testing.assert_allclose(
            ours.get_precision(), theirs.get_precision(), rtol=1e-6, atol=1e-4
        )
        np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X))
        assert ours.score(X) == pytest.approx(theirs.score(X))


@pytest.mark.parametrize("solver", ["arpack", "randomized"])
@pytest.mark.parametrize("shape", [(120, 8), (30, 60)])
def test_some_components_are_scikit_learns(solver, shape):
    X = table(1, *shape)
    options = {"svd_solver": solver, "random_state": 0, "iterated_power": 9}
    ours, theirs = PCA(4, **options).fit(X), decomposition.PCA(4, **options).fit(X)
    assert_same(ours, theirs)
    np.testing.assert_allclose(ours.fit_transform(X), theirs.transform(X), atol=1e-7)


@given(
    st.integers(0, 10**6),
    st.integers(2, 60),
    st.integers(1, 30),
    st.sampled_from([0.0, 1e3]),
)
def test_tables_of_any_shape(seed, n, d, offset):
    """More columns than rows, constant columns, equal rows, means that are far away."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + offset
    X[:, rng.integers(d)] = 7.0
    X[n // 2] = X[0]
    k = int(rng.integers(1, min(n, d) + 1))
    truth = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[1] ** 2 / (n - 1)
    scale = max(float(truth.sum()), 1e-3)
    for solver in ("full", "covariance_eigh"):
        model = PCA(k, svd_solver=solver).fit(X)
        np.testing.assert_allclose(
            model.explained_variance_, truth[:k], atol=1e-8 * scale
        )
        found = model.components_
        np.testing.assert_allclose(found @ found.T, np.eye(k), atol=1e-8)
        scores = model.transform(X)
        np.testing.assert_allclose(scores.mean(axis=0), 0, atol=1e-7 * (1 + offset))
        np.testing.assert_allclose(
            scores.var(axis=0, ddof=1), truth[:k], atol=1e-7 * scale
        )


def test_digits():
    X = datasets.load_digits().data
    ours, theirs = PCA(20).fit(X), decomposition.PCA(20, svd_solver="full").fit(X)
    assert ours._fit_svd_solver == "covariance_eigh"
    assert_same(ours, theirs)


def test_columns_far_from_zero_lose_nothing():
    """sum x x^T - n m m^T has no digits left here; the products of x - m have all."""
    X = table(2, 3000, 5) + 1e7
    ours = PCA(3, svd_solver="covariance_eigh").fit(X)
    theirs = decomposition.PCA(3, svd_solver="full").fit(X)
    assert_same(ours, theirs)


def test_whitened_scores_have_variance_one():
    X = table(3)
    for solver in ("full", "covariance_eigh", "arpack", "randomized"):
        model = PCA(3, whiten=True, svd_solver=solver, random_state=0).fit(X)
        scores = model.transform(X)
        np.testing.assert_allclose(np.cov(scores.T), np.eye(3), atol=1e-6)
        np.testing.assert_allclose(model.fit_transform(X), scores, atol=1e-6)
        plain = PCA(3, svd_solver=solver, random_state=0).fit(X)
        np.testing.assert_allclose(
            model.inverse_transform(scores),
            plain.inverse_transform(plain.transform(X)),
            atol=1e-6,
        )
        np.testing.assert_allclose(model.get_covariance(), plain.get_covariance())


def test_constant_tables_have_no_directions():
    model = PCA(2, whiten=True).fit(np.ones((6, 3)))
    assert model.explained_variance_ratio_.tolist() == [0.0, 0.0]
    assert np.isfinite(model.transform(np.ones((6, 3)))).all()


@pytest.mark.parametrize("solver", ["auto", "arpack", "covariance_eigh"])
@pytest.mark.parametrize("form", ["csr_array", "csc_matrix"])
def test_sparse_tables(solver, form):
    X = scipy.sparse.random(200, 25, 0.3, random_state=0)
    X = getattr(scipy.sparse, form)(X)
    options = {"svd_solver": solver, "random_state": 0}
    ours, theirs = PCA(4, **options).fit(X), decomposition.PCA(4, **options).fit(X)
    assert_same(ours, theirs)
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X), atol=1e-9)
    assert_same(ours, decomposition.PCA(4, svd_solver="full").fit(X.toarray()))
    with pytest.raises(DTypeError, match="sparse table needs svd_solver 'arpack'"):
        PCA(4, svd_solver="full").fit(X)


def test_auto_chooses_as_scikit_learn_does():
    for shape, wanted in [
        ((100, 5), 3),
        ((40, 30), 3),
        ((600, 400), 3),
        ((600, 400), 390),
        ((600, 400), 0.5),
        ((600, 400), None),
    ]:
        X = np.random.default_rng(0).normal(size=shape)
        ours, theirs = (
            kind(wanted, random_state=0).fit(X) for kind in (PCA, decomposition.PCA)
        )
        assert ours._fit_svd_solver == theirs._fit_svd_solver


def test_the_table_is_changed_only_if_it_may_be():
    X = table(4)
    before = X.copy()
    for solver in ("full", "covariance_eigh", "arpack", "randomized"):
        PCA(2, svd_solver=solver, random_state=0).fit(X)
        np.testing.assert_array_equal(X, before)
    wanted = PCA(2).fit(X).components_
    found = PCA(2, copy=False, svd_solver="full").fit(X)
    np.testing.assert_allclose(found.components_, wanted)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_components": 9}, "n_components=9 must be between 0 and 8"),
        ({"n_components": 1.5}, "n_components must be a number > 0 and < 1"),
        ({"n_components": "all"}, "n_components must be one of 'mle'"),
        ({"n_components": 8, "svd_solver": "arpack"}, "must be between 1 and 7"),
        ({"n_components": "mle", "svd_solver": "arpack"}, "must be between 1 and 7"),
        ({"svd_solver": "fast"}, "svd_solver must be one of 'auto'"),
    ],
)
def test_what_is_not_possible_is_said(options, message):
    with pytest.raises(ArgumentError, match=message):
        PCA(**options).fit(table())
    with pytest.raises(
        ArgumentError, match="only supported if n_samples >= n_features"
    ):
        PCA("mle", svd_solver="full").fit(table(0, 5, 8))


@pytest.mark.parametrize("algorithm", ["randomized", "arpack"])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("shape", [(150, 12), (20, 50)])
def test_truncated_svd_is_scikit_learns(algorithm, sparse, shape):
    X = table(5, *shape)
    X[np.abs(X) < 0.3] = 0
    given = scipy.sparse.csr_matrix(X) if sparse else X
    options = {"algorithm": algorithm, "n_iter": 9, "random_state": 0}
    ours = TruncatedSVD(3, **options)
    theirs = decomposition.TruncatedSVD(3, **options)
    found, wanted = ours.fit_transform(given), theirs.fit_transform(given)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    for name in (
        "components_",
        "singular_values_",
        "explained_variance_",
        "explained_variance_ratio_",
    ):
        np.testing.assert_allclose(
            getattr(ours, name), getattr(theirs, name), atol=1e-7, err_msg=name
        )
    np.testing.assert_allclose(ours.transform(given), wanted, atol=1e-6)
    back = ours.inverse_transform(found), theirs.inverse_transform(wanted)
    np.testing.assert_allclose(*back, atol=1e-6)


def test_truncated_svd_keeps_float32_and_refuses_too_much():
    X = table(6, dtype=np.float32)
    assert TruncatedSVD(2).fit_transform(X).dtype == np.float32
    with pytest.raises(ArgumentError, match=r"n_components\(9\) must be <= n_features"):
        TruncatedSVD(9).fit(X)
    with pytest.raises(ArgumentError, match="must be less than"):
        TruncatedSVD(8, algorithm="arpack").fit(X)
