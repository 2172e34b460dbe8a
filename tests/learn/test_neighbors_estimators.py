"""The estimators with neighbours beside scikit-learn's on the same data and options."""

import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the estimators and their oracle")

from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import neighbors as theirs
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.exceptions import DataConversionWarning
from sklearn.metrics import DistanceMetric, pairwise_distances

from dotori.learn import KNeighborsClassifier, KNeighborsRegressor, NearestNeighbors
from dotori.learn import neighbors as ours

RNG = np.random.default_rng(0)
CLOUD = RNG.normal(size=(80, 4))
OTHER = RNG.normal(size=(30, 4))


def both(name, *data, **params):
    return [getattr(m, name)(**params).fit(*data) for m in (ours, theirs)]


def same_neighbours(models, X, rtol=1e-7):
    (a, i), (b, j) = (model.kneighbors(X) for model in models)
    np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-7)
    np.testing.assert_array_equal(i, j)
    assert a.dtype == b.dtype and i.dtype == j.dtype
    for mode in ("connectivity", "distance"):
        mine, other = (m.kneighbors_graph(X, mode=mode) for m in models)
        np.testing.assert_allclose(
            mine.toarray(), other.toarray(), rtol=rtol, atol=1e-7
        )


@pytest.mark.parametrize("algorithm", ["auto", "brute", "kd_tree", "ball_tree"])
@pytest.mark.parametrize(
    ("metric", "params"),
    [
        ("minkowski", {}),
        ("minkowski", {"p": 1}),
        ("minkowski", {"p": 3}),
        ("minkowski", {"p": np.inf}),
        ("minkowski", {"metric_params": {"w": np.array([1.0, 2.0, 0.5, 3.0])}}),
        ("euclidean", {}),
        ("l1", {}),
        ("cityblock", {}),
        ("chebyshev", {}),
        ("cosine", {}),
        ("sqeuclidean", {}),
        ("canberra", {}),
        ("seuclidean", {"metric_params": {"V": np.array([1.0, 2.0, 0.5, 3.0])}}),
    ],
    ids=str,
)
def test_metrics(algorithm, metric, params):
    params = {"algorithm": algorithm, "metric": metric, "n_neighbors": 4, **params}
    try:
        models = both("NearestNeighbors", CLOUD, **params)
    except ValueError:
        with pytest.raises(ValueError, match=r"metric|not valid"):
            NearestNeighbors(**params).fit(CLOUD)
        with pytest.raises(ValueError, match=r"[Mm]etric|not valid"):
            theirs.NearestNeighbors(**params).fit(CLOUD)
        return
    assert models[0]._fit_method == models[1]._fit_method
    assert models[0].effective_metric_ == models[1].effective_metric_
    same_neighbours(models, OTHER)
    same_neighbours(models, None)


@pytest.mark.parametrize("p", [1, 2, np.inf])
def test_a_tree_where_it_pays(p):
    X, queries = RNG.normal(size=(2000, 3)), RNG.normal(size=(600, 3))
    models = both("NearestNeighbors", X, p=p)
    assert models[0]._tree.pays(queries, 5)
    same_neighbours(models, queries, rtol=1e-13)
    brute = NearestNeighbors(p=p, algorithm="brute").fit(X)
    assert brute._tree is None
    for a, b in zip(brute.kneighbors(), models[0].kneighbors(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_functions_and_distances_as_metrics():
    def largest(x, y):
        return np.abs(x - y).max()

    same_neighbours(both("NearestNeighbors", CLOUD, metric=largest), OTHER)
    metric = DistanceMetric.get_metric("braycurtis")
    same_neighbours(both("NearestNeighbors", CLOUD, metric=metric), OTHER)
    table, queries = pairwise_distances(CLOUD), pairwise_distances(OTHER, CLOUD)
    models = both("NearestNeighbors", table, metric="precomputed")
    same_neighbours(models, queries)
    same_neighbours(models, None)
    with pytest.raises(ValueError, match="must be square"):
        NearestNeighbors(metric="precomputed").fit(queries)
    gaps = np.where(RNG.random(CLOUD.shape) < 0.1, np.nan, CLOUD)
    models = both("NearestNeighbors", gaps, metric="nan_euclidean", n_neighbors=2)
    same_neighbours(models, OTHER)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_sparse_rows(metric):
    X = np.where(RNG.random((60, 20)) < 0.3, RNG.random((60, 20)), 0)
    for form in (sparse.csr_matrix, sparse.csc_array):
        models = both("NearestNeighbors", form(X), metric=metric)
        same_neighbours(models, form(X[:9] + (X[:9] > 0)))
    models = both("NearestNeighbors", X, metric=metric, algorithm="brute")
    same_neighbours(models, sparse.csr_matrix(X[:9] * 2))
    mixed = NearestNeighbors(metric=metric).fit(sparse.csr_matrix(X))
    np.testing.assert_allclose(
        mixed.kneighbors(X[:9])[0], models[0].kneighbors(X[:9])[0], atol=1e-9
    )


@given(st.integers(0, 10**6), st.sampled_from([np.float32, np.float64]))
def test_random_problems(seed, dtype):
    rng = np.random.default_rng(seed)
    n, width = int(rng.integers(2, 60)), int(rng.integers(1, 20))
    X = (rng.normal(size=(n, width)) * 3).astype(dtype)
    y = rng.integers(0, 3, n)
    k = int(rng.integers(1, n))
    queries = rng.normal(size=(20, width)).astype(dtype)
    for weights in ("uniform", "distance", np.exp):
        params = {"n_neighbors": k, "weights": weights}
        mine, other = both("KNeighborsClassifier", np.asfortranarray(X), y, **params)
        np.testing.assert_allclose(
            mine.predict_proba(queries), other.predict_proba(queries), atol=1e-6
        )
        np.testing.assert_array_equal(mine.predict(X), other.predict(X))
        mine, other = both("KNeighborsRegressor", X[:, ::-1], y + 0.5, **params)
        np.testing.assert_allclose(
            mine.predict(queries), other.predict(queries), rtol=1e-5
        )


@pytest.mark.parametrize("load", [load_iris, load_digits])
@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_classes_of_the_bundled_sets(load, weights):
    X, y = load(return_X_y=True)
    mine, other = both("KNeighborsClassifier", X[::2], y[::2], weights=weights)
    assert mine.score(X[1::2], y[1::2]) == other.score(X[1::2], y[1::2])


def test_values_of_a_bundled_set_and_several_outputs():
    X, y = load_diabetes(return_X_y=True)
    Y = np.column_stack([y, -y])
    for weights in ("uniform", "distance"):
        for target in (y, Y):
            models = both("KNeighborsRegressor", X[::2], target[::2], weights=weights)
            a, b = (model.predict(X[1::2]) for model in models)
            np.testing.assert_allclose(a, b, rtol=1e-9)
            assert a.dtype == b.dtype and a.shape == b.shape
    labels = np.column_stack([y > 100, np.round(y / 60)]).astype(int)
    mine, other = both("KNeighborsClassifier", X[::2], labels[::2])
    np.testing.assert_array_equal(mine.predict(X), other.predict(X))
    for a, b in zip(mine.predict_proba(X), other.predict_proba(X), strict=True):
        np.testing.assert_allclose(a, b)
    with pytest.warns(DataConversionWarning, match="column-vector"):
        KNeighborsClassifier().fit(X, labels[:, :1])


def test_rows_are_not_their_own_neighbours():
    X = np.repeat(CLOUD[:10], 3, axis=0)
    model = NearestNeighbors(n_neighbors=2).fit(X)
    distances, indices = model.kneighbors()
    assert not distances.any() and (indices != np.arange(30)[:, None]).all()
    assert (indices // 3 == np.arange(30)[:, None] // 3).all()
    labels = np.arange(30) // 3
    assert KNeighborsClassifier(2).fit(X, labels).score(None, labels) == 1


def test_neighbours_within_a_radius():
    models = both("NearestNeighbors", CLOUD, radius=1.2)
    for X in (OTHER, None):
        found = [m.radius_neighbors(X, sort_results=True) for m in models]
        for part in (0, 1):
            for a, b in zip(found[0][part], found[1][part], strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-9)
        for mode in ("connectivity", "distance"):
            a, b = (m.radius_neighbors_graph(X, 1.5, mode) for m in models)
            np.testing.assert_allclose(a.toarray(), b.toarray(), rtol=1e-9)
    alone = NearestNeighbors().fit(CLOUD).radius_neighbors(OTHER, 0.0)[1]
    assert all(len(row) == 0 for row in alone)
    with pytest.raises(ValueError, match="return_distance must be True"):
        models[0].radius_neighbors(OTHER, return_distance=False, sort_results=True)


def test_what_does_not_fit_is_refused():
    model = NearestNeighbors(n_neighbors=3).fit(CLOUD[:3])
    for X, k, kind, message in [
        (OTHER, 4, ValueError, r"Expected n_neighbors <= n_samples_fit"),
        (None, 3, ValueError, r"Expected n_neighbors < n_samples_fit"),
        (OTHER, 0, ValueError, "Expected n_neighbors > 0"),
        (OTHER, 1.5, TypeError, "does not take"),
    ]:
        with pytest.raises(kind, match=message):
            model.kneighbors(X, k)
    with pytest.raises(ValueError, match="mode must be"):
        model.kneighbors_graph(OTHER, mode="length")
    for params, message in [
        ({"n_neighbors": 0}, "n_neighbors must be"),
        ({"metric": "nearness"}, "metric must be"),
        ({"algorithm": "cover_tree"}, "algorithm must be"),
        ({"metric": "cosine", "algorithm": "kd_tree"}, "metric must be"),
        ({"metric": np.hypot, "algorithm": "kd_tree"}, "callable"),
        ({"p": 0.5, "algorithm": "kd_tree"}, "does not support 0 < p < 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            NearestNeighbors(**params).fit(CLOUD)
    with pytest.raises(ValueError, match="weights must be"):
        KNeighborsRegressor(weights="near").fit(CLOUD, CLOUD[:, 0])
    zero = KNeighborsClassifier(weights=np.zeros_like).fit(CLOUD, np.arange(80) % 2)
    with pytest.raises(ValueError, match="zero weights"):
        zero.predict(OTHER)
    with pytest.warns(UserWarning, match="not distance metrics"):
        NearestNeighbors(p=0.5).fit(CLOUD)
    with pytest.warns(SyntaxWarning, match="found in metric_params"):
        NearestNeighbors(metric_params={"p": 3}).fit(CLOUD)


def test_copies_search_like_the_original():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = KNeighborsClassifier().fit(CLOUD, np.arange(80) % 3)
        again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(OTHER), model.predict(OTHER))
    assert "_finder" not in model.__getstate__()
