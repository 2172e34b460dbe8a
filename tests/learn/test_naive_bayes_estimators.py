"""GaussianNB and MultinomialNB beside scikit-learn's on the same data and options."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the estimators and their oracle")

from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import naive_bayes as theirs
from sklearn.datasets import load_digits, load_iris, load_wine

from dotori.learn import GaussianNB, MultinomialNB
from dotori.learn import naive_bayes as ours


def same(name, fit, X, **params):
    """Both fitted by the function `fit` say the same of X."""
    models = [getattr(m, name)(**params) for m in (ours, theirs)]
    for model in models:
        fit(model)
    mine, other = models
    for method in ("predict_joint_log_proba", "predict_log_proba", "predict_proba"):
        wanted = getattr(other, method)(X)
        np.testing.assert_allclose(
            getattr(mine, method)(X), wanted, rtol=1e-8, atol=1e-9, err_msg=method
        )
    np.testing.assert_array_equal(mine.predict(X), other.predict(X))
    return mine, other


@pytest.mark.parametrize("load", [load_iris, load_wine, load_digits])
def test_gaussian_on_the_bundled_sets(load):
    X, y = load(return_X_y=True)
    mine, other = same("GaussianNB", lambda m: m.fit(X, y), X)
    for name in ("theta_", "var_", "class_prior_", "class_count_", "epsilon_"):
        a, b = getattr(mine, name), getattr(other, name)
        np.testing.assert_allclose(a, b, rtol=1e-12, err_msg=name)
        assert np.asarray(a).dtype == np.asarray(b).dtype


@st.composite
def samples(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, d, k = draw(st.integers(4, 80)), draw(st.integers(1, 5)), draw(st.integers(1, 4))
    X = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-1, 2, d) + rng.normal(size=d)
    X[:, 0] += 3 * rng.normal(size=n)
    X = np.asfortranarray(X) if draw(st.booleans()) else X
    y = np.array(["a", "b", "c", "d"])[rng.integers(k, size=n)]
    weights = rng.integers(0, 4, n) / 2 + 0.5 if draw(st.booleans()) else None
    return X, y, weights


@given(samples())
def test_gaussian_on_random_problems(drawn):
    X, y, weights = drawn
    smoothing = {"var_smoothing": 1e-3}
    same("GaussianNB", lambda m: m.fit(X, y, sample_weight=weights), X, **smoothing)


@given(samples(), st.integers(1, 3))
def test_gaussian_by_parts_is_gaussian_of_all(drawn, parts):
    X, y, weights = drawn
    model = GaussianNB(var_smoothing=1e-3)
    for part in np.array_split(np.arange(len(X)), parts):
        w = None if weights is None else weights[part]
        model.partial_fit(X[part], y[part], classes=np.unique(y), sample_weight=w)
    whole = GaussianNB(var_smoothing=1e-3).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(model.theta_, whole.theta_, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        model.var_ - model.epsilon_, whole.var_ - whole.epsilon_, rtol=1e-7, atol=1e-9
    )
    np.testing.assert_allclose(model.class_prior_, whole.class_prior_, rtol=1e-12)


def test_gaussian_in_float32_stays_there():
    X, y = load_wine(return_X_y=True)
    mine = GaussianNB().fit(X.astype(np.float32), y)
    assert mine.theta_.dtype == mine.predict_proba(X.astype(np.float32)).dtype
    assert mine.theta_.dtype == np.float32
    wide = GaussianNB().fit(X, y)
    np.testing.assert_allclose(mine.var_, wide.var_, rtol=1e-5)
    assert (mine.predict(X.astype(np.float32)) == wide.predict(X)).all()


def test_given_priors_are_checked():
    X, y = load_iris(return_X_y=True)
    same("GaussianNB", lambda m: m.fit(X, y), X, priors=[0.2, 0.3, 0.5])
    for priors, message in [
        ([0.5, 0.5], "must match number of classes"),
        ([0.5, 0.4, 0.4], "sum of the priors should be 1"),
        ([-0.5, 0.7, 0.8], "must be non-negative"),
    ]:
        with pytest.raises(ValueError, match=message):
            GaussianNB(priors=priors).fit(X, y)
    with pytest.raises(ValueError, match="var_smoothing must be a number >= 0"):
        GaussianNB(var_smoothing=-1).fit(X, y)


@pytest.mark.parametrize("kind", [GaussianNB, MultinomialNB])
def test_classes_of_parts_are_checked(kind):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        kind().partial_fit(X, y)
    model = kind().partial_fit(X[:50], y[:50], classes=[0, 1])
    with pytest.raises(ValueError, match="not the same as on last call"):
        model.partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"\[2\].*do not exist in the initial classes"):
        model.partial_fit(X, y)


@given(samples(), st.booleans(), st.sampled_from([0.0, 0.3, "array"]), st.booleans())
def test_multinomial_on_random_counts(drawn, as_sparse, alpha, fit_prior):
    X, y, weights = drawn
    X = np.floor(np.abs(X)) + (alpha == 0.0)
    alpha = np.arange(1, X.shape[1] + 1) / 2 if alpha == "array" else alpha
    given_X = sparse.csc_matrix(X) if as_sparse else X
    mine, other = same(
        "MultinomialNB",
        lambda m: m.fit(given_X, y, sample_weight=weights),
        given_X,
        alpha=alpha,
        fit_prior=fit_prior,
    )
    for name in ("feature_count_", "feature_log_prob_", "class_log_prior_"):
        np.testing.assert_allclose(
            getattr(mine, name), getattr(other, name), rtol=1e-12, atol=1e-14
        )


def test_multinomial_by_parts_and_with_priors():
    X, y = load_digits(return_X_y=True)

    def fit(model):
        for part in np.array_split(np.arange(len(X)), 4):
            model.partial_fit(X[part], y[part], classes=np.arange(10))

    same("MultinomialNB", fit, X)
    same("MultinomialNB", lambda m: m.fit(X, y), X, class_prior=[0.1] * 10)
    with pytest.raises(ValueError, match="must match number of classes"):
        MultinomialNB(class_prior=[0.5, 0.5]).fit(X, y)


def test_alphas_of_multinomial_are_checked():
    X, y = load_iris(return_X_y=True)
    for alpha, message in [
        (-1.0, "alpha must be a number >= 0"),
        ([1.0, 2.0], "alpha must be a number, or one for each of 4 features"),
        ([1.0, 2.0, -1.0, 1.0], "alpha must be >= 0, got -1"),
    ]:
        with pytest.raises(ValueError, match=message):
            MultinomialNB(alpha=alpha).fit(X, y)
    with pytest.raises(ValueError, match="Negative values"):
        MultinomialNB().fit(-X, y)
    with pytest.warns(UserWarning, match="alpha too small"):
        small = MultinomialNB(alpha=0.0, force_alpha=False).fit(X * [0, 1, 1, 1], y)
    assert np.isfinite(small.feature_log_prob_).all()
