"""The baselines against scikit-learn's linear models and against exact solutions."""

from __future__ import annotations

import numpy as np
import pytest

from dotori.errors import DataError
from dotori.tabular.baseline import (
    fit_baselines,
    fit_frequencies,
    fit_logistic,
    fit_mean,
    fit_ridge,
    minimise,
)
from dotori.tabular.target import Target

RNG = np.random.default_rng(3)
X = RNG.normal(size=(200, 5)) @ RNG.normal(size=(5, 5)) + 3
Y = X @ [1.0, -2.0, 0.5, 0.0, 3.0] + RNG.normal(size=200)
WEIGHT = RNG.integers(0, 4, 200) / 2


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("alpha", [0.0, 1.0, 100.0])
def test_ridge_as_scikit_learn(weight, alpha):
    linear_model = pytest.importorskip("sklearn.linear_model", reason="the reference")
    theirs = linear_model.Ridge(alpha=alpha).fit(X, Y, sample_weight=weight)
    ours = fit_ridge(X, Y, alpha, weight)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-8)
    np.testing.assert_allclose(ours.weight[:, 0], theirs.coef_, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("k", [2, 4])
def test_logistic_as_scikit_learn(weight, k):
    """Two classes: a softmax of two is a sigmoid with half of the penalty."""
    linear_model = pytest.importorskip("sklearn.linear_model", reason="the reference")
    classes = np.argsort(np.argsort(Y + RNG.normal(size=200))) * k // 200
    theirs = linear_model.LogisticRegression(
        C=1.0 if k > 2 else 2.0, tol=1e-10, max_iter=10_000
    ).fit(X, classes, sample_weight=weight)
    ours = fit_logistic(X, classes, k, sample_weight=weight, max_iter=2000)
    np.testing.assert_allclose(ours.predict(X), theirs.predict_proba(X), atol=2e-4)


def test_classes_that_a_plane_separates_stay_finite():
    x = np.array([[-1e3], [1e3]])
    probability = fit_logistic(x, [0, 1], 2).predict(x)
    assert np.isfinite(probability).all()
    assert probability.argmax(axis=1).tolist() == [0, 1]


def test_dependent_columns_have_a_solution():
    x = np.column_stack([X[:, 0] > 3, X[:, 0] <= 3, np.zeros(200)]).astype(np.float32)
    for alpha in (0.0, 1.0):
        line = fit_ridge(x, Y, alpha)
        assert np.isfinite(line.predict(x)).all()
    means = [Y[x[:, 0] == v].mean() for v in (1, 0)]
    predicted = fit_ridge(x, Y, 0.0).predict(np.eye(3)[:2])
    np.testing.assert_allclose(predicted, means, rtol=1e-6)


def test_constants():
    rows = np.zeros((2, 3))
    assert fit_mean([1.0, 2.0], [3.0, 1.0]).predict(rows).tolist() == [1.25, 1.25]
    frequencies = fit_frequencies([0, 2, 2, 2], 4)
    assert frequencies.predict(rows).tolist() == [[0.25, 0, 0.75, 0]] * 2
    weighted = fit_frequencies([0, 2], 3, [3.0, 1.0])
    assert weighted.predict(rows[:1]).tolist() == [[0.75, 0.0, 0.25]]


def test_the_baselines_of_each_task():
    amounts = fit_baselines(Target("y", "number", "regression"), X, Y)
    assert list(amounts) == ["mean", "linear"]
    assert all(model.predict(X).shape == (200,) for model in amounts.values())
    target = Target("y", "text", "multiclass", ("a", "b", "c"))
    classes = fit_baselines(target, X, np.arange(200) % 3, WEIGHT + 1)
    assert list(classes) == ["frequencies", "logistic"]
    for model in classes.values():
        np.testing.assert_allclose(model.predict(X).sum(axis=1), 1)
        assert model.predict(X[:0]).shape == (0, 3)


def test_matrices_without_rows():
    for fit in (fit_ridge, lambda x, y: fit_logistic(x, y, 2)):
        with pytest.raises(DataError, match=r"n >= 1 was wanted, got \(0, 2\)"):
            fit(np.zeros((0, 2)), [])


def test_the_minimum_of_an_uneven_bowl():
    """Curvatures from 1 to 1e4: steepest descent would crawl."""
    scales = np.logspace(0, 4, 6)
    goal = np.arange(6.0)

    def bowl(point):
        step = point - goal
        return float(scales @ step**2) / 2, scales * step

    np.testing.assert_allclose(minimise(bowl, np.zeros(6), 100), goal, atol=1e-6)
