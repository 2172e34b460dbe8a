"""KMeans and MiniBatchKMeans beside scikit-learn's: the same labels from the same start."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sklearn = pytest.importorskip("sklearn", reason="the estimators need scikit-learn")

import scipy.sparse
from sklearn import cluster, datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import homogeneity_completeness_v_measure

from dotori.algorithms.kmeans import bounds as kmeans_bounds
from dotori.algorithms.kmeans import search as kmeans_search
from dotori.errors import ArgumentError
from dotori.learn import PCA, KMeans, MiniBatchKMeans
from dotori.learn.cluster import _kmeans


def both(X, k, start, weights=None, **options):
    """Ours and scikit-learn's, from the same start."""
    found = []
    for kind in (KMeans, cluster.KMeans):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", (ConvergenceWarning, RuntimeWarning))
            model = kind(k, init=start.copy(), n_init=1, **options)
            found.append(model.fit(X, sample_weight=weights))
    return found


def assert_same(ours, theirs, rtol=1e-9, scale=1.0):
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    assert ours.labels_.dtype == theirs.labels_.dtype == np.int32
    assert ours.n_iter_ == theirs.n_iter_
    centers = ours.cluster_centers_, theirs.cluster_centers_
    assert centers[0].dtype == centers[1].dtype
    np.testing.assert_allclose(*centers, rtol=rtol, atol=rtol * scale)
    inertia = ours.inertia_, theirs.inertia_
    np.testing.assert_allclose(*inertia, rtol=rtol, atol=rtol * scale**2)


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, d = draw(st.integers(1, 300)), draw(st.integers(1, 24))
    k = draw(st.integers(1, min(n, 40)))
    kind = draw(st.sampled_from(["normal", "ties", "equal", "scales", "far", "twice"]))
    x = rng.normal(size=(n, d))
    if kind == "ties":
        x = rng.integers(-2, 3, (n, d)).astype(float)
    elif kind == "equal":
        x = np.repeat(x[:1], n, axis=0)
    elif kind == "scales":
        x *= 10.0 ** rng.integers(-3, 4, d)
    elif kind == "far":
        x += 1000 * rng.integers(0, 2, (n, 1))
    elif kind == "twice":
        x[n // 2 :] = x[: n - n // 2]
    x = x.astype(draw(st.sampled_from([np.float64, np.float32])))
    weights = draw(st.sampled_from([None, "whole", "any"]))
    if weights == "whole":
        weights = rng.integers(0, 3, n).astype(float)
        weights[rng.integers(n)] = 1.0
    elif weights == "any":
        weights = rng.random(n)
    start = x[rng.integers(0, n, k)]  # some rows more than once: empty clusters
    return x, k, start, weights, draw(st.sampled_from([300, 1, 2]))


@given(problems())
def test_labels_are_scikit_learns(problem):
    X, k, start, weights, most = problem
    ours, theirs = both(X, k, start, weights, max_iter=most)
    rtol = 1e-3 if X.dtype == np.float32 else 1e-8
    assert_same(ours, theirs, rtol, scale=float(np.abs(X).max()) * len(X))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_labels_with_bounds_are_scikit_learns(seed, weighted, monkeypatch):
    """The search for large tables, in many small blocks."""
    monkeypatch.setattr(_kmeans, "pays", lambda shape, k: True)
    for module in (kmeans_bounds, kmeans_search):
        monkeypatch.setattr(module, "CACHE", 1 << 13)
    rng = np.random.default_rng(seed)
    n, d, k = rng.integers(500, 3000), rng.integers(2, 30), rng.integers(2, 60)
    X = rng.normal(size=(n, d)) + 2 * rng.normal(size=(9, d))[rng.integers(0, 9, n)]
    weights = rng.random(n) if weighted else None
    start = X[rng.integers(0, n, k)]
    assert_same(*both(X, k, start, weights), rtol=1e-9, scale=10.0)
    small = X.astype(np.float32)
    ours, theirs = both(small, k, start.astype(np.float32), weights, max_iter=3)
    assert np.mean(ours.labels_ == theirs.labels_) > 0.99
    np.testing.assert_allclose(ours.inertia_, theirs.inertia_, rtol=1e-4)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
def test_the_bundled_tables(name, algorithm):
    X = getattr(datasets, f"load_{name}")().data
    start = X[np.random.default_rng(0).permutation(len(X))[:5]]
    ours, theirs = both(X, 5, start, algorithm=algorithm)
    assert_same(ours, theirs, scale=float(np.abs(X).max()))
    new = X[::3] + 0.1
    np.testing.assert_array_equal(ours.predict(new), theirs.predict(new))
    np.testing.assert_allclose(ours.transform(new), theirs.transform(new), rtol=1e-6)
    np.testing.assert_allclose(ours.score(new), theirs.score(new))


def test_digits_from_the_components():
    """scikit-learn's example; its page (0.18) prints V-measure 0.693 for this start."""
    X, y = datasets.load_digits(return_X_y=True)
    X = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1)
    start = PCA(10).fit(X).components_
    ours, theirs = both(X, 10, start)
    assert_same(ours, theirs, scale=10.0)
    found = homogeneity_completeness_v_measure(y, ours.labels_)
    assert found == pytest.approx((0.673, 0.715, 0.693), abs=0.015)
    assert ours.inertia_ == pytest.approx(71820, rel=0.02)


def test_sparse_tables():
    rng = np.random.default_rng(0)
    X = scipy.sparse.random(400, 30, 0.2, format="csr", random_state=0)
    weights = rng.random(400)
    ours, theirs = both(X, 6, X[:6].toarray(), weights)
    assert_same(ours, theirs)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X), atol=1e-9)
    again = KMeans(6, random_state=0).fit(X.tocsc(), sample_weight=weights)
    assert again.inertia_ < 1.1 * theirs.inertia_


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_starts_are_as_good_as_scikit_learns(init):
    X, _ = datasets.make_blobs(800, 4, centers=10, random_state=0)
    options = {"init": init, "n_init": 5, "random_state": 0}
    ours = KMeans(10, **options).fit(X).inertia_
    theirs = cluster.KMeans(10, **options).fit(X).inertia_
    assert ours <= 1.2 * theirs


def test_the_best_of_several_runs_is_kept():
    X, _ = datasets.make_blobs(300, 2, centers=8, random_state=3)
    one = [KMeans(8, init="random", n_init=1, random_state=s).fit(X) for s in range(9)]
    many = KMeans(8, init="random", n_init=25, random_state=0).fit(X)
    assert many.inertia_ <= np.median([model.inertia_ for model in one])
    assert many.inertia_ == pytest.approx(-many.score(X))


def test_a_callable_gets_scikit_learns_arguments():
    X = np.random.default_rng(0).normal(size=(90, 2)) + 5
    seen = []

    def first(X, n_clusters, random_state):
        seen.append((X.mean(), type(random_state)))
        return X[:n_clusters].copy()  # scikit-learn writes into it

    ours = KMeans(4, init=first, n_init=1, random_state=0).fit(X)
    theirs = cluster.KMeans(4, init=first, n_init=1, random_state=0).fit(X)
    assert_same(ours, theirs)
    assert seen[0][1] is seen[1][1] and seen[0][0] == pytest.approx(seen[1][0])
    with pytest.raises(ValueError, match=r"initial centers \(3, 2\) does not match"):
        KMeans(4, init=lambda X, k, random_state: X[:3]).fit(X)


@pytest.mark.parametrize("large", [False, True])
def test_the_history(large, monkeypatch):
    monkeypatch.setattr(_kmeans, "pays", lambda shape, k: large)
    X, _ = datasets.make_blobs(500, 3, centers=5, random_state=1)
    model = KMeans(5, init=X[:5], n_init=1).fit(X)
    history = model.history_
    assert len(history["inertia"]) == len(history["centers"]) == model.n_iter_ + 1
    assert (np.diff(history["inertia"]) <= 1e-9).all()
    assert history["inertia"][-1] == model.inertia_
    np.testing.assert_array_equal(history["centers"][-1], model.cluster_centers_)
    np.testing.assert_allclose(history["centers"][0], X[:5])
    for i in (1, 2):
        step = KMeans(5, init=history["centers"][i - 1], n_init=1, max_iter=1).fit(X)
        np.testing.assert_allclose(history["centers"][i], step.cluster_centers_)


def test_the_table_is_never_changed():
    X = np.random.default_rng(0).normal(size=(200, 3))
    before = X.copy()
    KMeans(3, copy_x=False, random_state=0).fit(X)
    np.testing.assert_array_equal(X, before)


def test_warnings_are_scikit_learns():
    X = np.repeat([[0.0], [1.0]], 4, axis=0)
    with pytest.warns(ConvergenceWarning, match="2 distinct clusters"):
        model = KMeans(3, random_state=0).fit(X)
    assert np.isfinite(model.cluster_centers_).all()
    with pytest.warns(RuntimeWarning, match="one run and not n_init=4"):
        KMeans(2, init=X[:5:4], n_init=4).fit(X)
    with pytest.warns(RuntimeWarning, match="no sense with a single cluster"):
        KMeans(1, algorithm="elkan").fit(X)
    with pytest.warns(RuntimeWarning, match="init_size=1 should be at least"):
        MiniBatchKMeans(2, init_size=1, random_state=0).fit(X)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_clusters": 0}, "n_clusters must be a whole number >= 1, got 0"),
        ({"n_clusters": 99}, "n_samples=20 should be >= n_clusters=99"),
        ({"init": "best"}, "init must be one of 'k-means\\+\\+', 'random'"),
        ({"n_init": "many"}, "n_init must be one of 'auto'"),
        ({"algorithm": "full"}, "algorithm must be one of 'lloyd', 'elkan'"),
        ({"tol": -1.0}, "tol must be a number >= 0"),
    ],
)
def test_what_is_not_possible_is_said(options, message):
    with pytest.raises(ArgumentError, match=message):
        KMeans(**{"n_clusters": 2, **options}).fit(np.ones((20, 2)))


def test_verbose_prints_each_iteration(capsys):
    X = np.random.default_rng(0).normal(size=(60, 2))
    model = KMeans(3, verbose=1, random_state=0).fit(X)
    assert capsys.readouterr().out.count("KMeans: iteration") == model.n_iter_


def test_one_row_and_as_many_clusters_as_rows():
    X = np.array([[1.0, 2.0], [5.0, 2.0], [9.0, 9.0]])
    one = KMeans(1).fit(X[:1])
    assert one.inertia_ == 0 and one.cluster_centers_.tolist() == [[1.0, 2.0]]
    assert_same(*both(X, 3, X[::-1].copy()))


def blobs(n=3000):
    return datasets.make_blobs(n, 3, centers=6, cluster_std=0.5, random_state=2)[0]


@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("kind", ["dense", "sparse", "float32", "weighted"])
def test_small_batches_come_near_to_all_rows(init, kind):
    X = blobs()
    weights = np.random.default_rng(0).random(len(X)) if kind == "weighted" else None
    given = {
        "sparse": scipy.sparse.csr_matrix(X),
        "float32": X.astype(np.float32),
    }.get(kind, X)
    options = {"init": init, "n_init": 10, "batch_size": 200, "random_state": 1}
    ours = MiniBatchKMeans(6, **options).fit(given, sample_weight=weights)
    theirs = cluster.MiniBatchKMeans(6, **options).fit(given, sample_weight=weights)
    best = cluster.KMeans(6, n_init=5, random_state=0).fit(X, sample_weight=weights)
    assert best.inertia_ <= ours.inertia_ * (1 + 1e-6)
    assert ours.inertia_ <= (1.1 if init == "k-means++" else 3) * best.inertia_
    assert ours.inertia_ == pytest.approx(-ours.score(given, sample_weight=weights))
    assert ours.cluster_centers_.dtype == theirs.cluster_centers_.dtype
    assert ours.n_iter_ == int(np.ceil(ours.n_steps_ * 200 / 3000))
    assert len(ours.history_["inertia"]) == ours.n_steps_ + 1


def test_partial_fit_is_scikit_learns():
    """Without restarts nothing is random, so the centres are the same."""
    X = blobs(900)
    weights = np.random.default_rng(0).random(900)
    for rows in (X, scipy.sparse.csr_matrix(X), X.astype(np.float32)):
        models = [
            kind(6, init=X[:6], n_init=1, reassignment_ratio=0.0)
            for kind in (MiniBatchKMeans, cluster.MiniBatchKMeans)
        ]
        for start in range(0, 900, 150):
            part = slice(start, start + 150)
            for model in models:
                model.partial_fit(rows[part], sample_weight=weights[part])
            ours, theirs = models
            np.testing.assert_array_equal(ours.labels_, theirs.labels_)
            np.testing.assert_allclose(
                ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-5
            )
            np.testing.assert_allclose(ours.inertia_, theirs.inertia_, rtol=1e-4)
        assert ours.n_steps_ == theirs.n_steps_ == 6


def test_batches_without_labels():
    model = MiniBatchKMeans(6, compute_labels=False, random_state=0).fit(blobs())
    assert not hasattr(model, "labels_")
    assert model.inertia_ == pytest.approx(-model.score(blobs()), rel=0.2)


def test_training_on_batches_ends_when_centres_rest():
    long = MiniBatchKMeans(6, max_no_improvement=None, max_iter=5, random_state=0)
    short = MiniBatchKMeans(6, tol=1.0, max_no_improvement=None, random_state=0)
    assert long.fit(blobs()).n_steps_ == 5 * 3000 // 1024
    assert short.fit(blobs()).n_steps_ == 2
