"""k-means on tables: silhouettes, the number of clusters, figures, distances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dotori
from dotori.errors import DataError
from dotori.tabular.clusters import silhouette


def blobs(n=120, centers=((0, 0), (8, 0), (0, 9)), seed=0):
    rng = np.random.default_rng(seed)
    which = np.arange(n) % len(centers)
    x = np.array(centers, float)[which] + rng.normal(size=(n, 2))
    return {"a": x[:, 0].tolist(), "b": x[:, 1].tolist()}, which


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 60), st.integers(1, 6))
def test_silhouette_as_scikit_learn(seed, n, k):
    metrics = pytest.importorskip("sklearn.metrics", reason="the reference")
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 4, size=(n, 2)) + rng.normal(size=(n, 2)) * (seed % 2)
    labels = rng.integers(0, k, n) * 3
    found = silhouette(x, labels)
    if not 2 <= len(np.unique(labels)) < n:
        assert found is None
    else:
        wanted = metrics.silhouette_score(x, labels)
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def test_a_sample_for_the_silhouette_of_many_rows():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(3000, 2)), rng.normal(size=(3000, 2)) + 9])
    labels = np.repeat([0, 1], 3000)
    some, other = silhouette(x, labels, 500), silhouette(x, labels, 1500)
    assert some == silhouette(x, labels, 500)
    assert some == pytest.approx(other, abs=0.02)


def learn():
    return pytest.importorskip("sklearn", reason="fitting needs scikit-learn")


def test_the_number_of_clusters_is_found():
    learn()
    columns, which = blobs()
    model = dotori.fit(columns, model="kmeans")
    assert model.options.clusters == 3
    assert [row["clusters"] for row in model.results["tried"]] == list(range(2, 11))
    found = model.predict(columns)
    # one number for each group
    assert len({(int(a), int(b)) for a, b in zip(found, which, strict=True)}) == 3
    assert model.results["train"]["silhouette"] > 0.5
    one = model.results["baselines"]["one cluster"]
    assert one["train"]["inertia"] > 5 * model.results["train"]["inertia"]
    assert one["train"]["silhouette"] is None


def test_figures_distances_and_centres():
    learn()
    columns, _ = blobs()
    model = dotori.fit(columns, model="kmeans", clusters=3, test=0.0)
    distances = model.distances(columns)
    assert distances.shape == (120, 3)
    found = model.evaluate(columns)
    assert found["inertia"] == pytest.approx((distances.min(axis=1) ** 2).sum())
    assert found["inertia_a_row"] == pytest.approx(found["inertia"] / 120)
    assert found["sizes"] == np.bincount(model.predict(columns)).tolist() == [40] * 3
    assert model.results["train"] == found
    from dotori.tabular.explain import explain

    about = explain(model)
    assert about["sizes"] == [40, 40, 40]
    labels = model.predict(columns)
    for number, center in enumerate(about["centers"]):
        for name in ("a", "b"):
            mean = np.mean(np.array(columns[name])[labels == number])
            assert center[name] == pytest.approx(mean, abs=1e-4)


def test_a_target_is_left_out():
    learn()
    columns, which = blobs()
    columns["kind"] = [f"kind {i}" for i in which]
    model = dotori.fit(columns, "kind", model="kmeans", clusters=3)
    assert [f.name for f in model.preprocessor.schema.used] == ["a", "b"]
    # and is not wanted later
    del columns["kind"]
    assert len(model.predict(columns)) == 120
    with pytest.raises(DataError, match="clusters have no probabilities"):
        model.predict_proba(columns)


def test_too_few_rows():
    learn()
    with pytest.raises(DataError, match="different rows"):
        dotori.fit({"a": [1.0, 2.0] * 5, "b": [3.0, 1.0] * 5}, model="kmeans")
    with pytest.raises(DataError, match="kmeans"):
        dotori.fit({"a": [1.0, 2.0, 4.0]}, model="kmeans", clusters=8, test=0.0)


def test_rows_without_weight_have_no_influence():
    learn()
    columns, _ = blobs()
    columns["w"] = [0.0 if i >= 100 else 1.0 for i in range(120)]
    own = {"model": "kmeans", "clusters": 3, "sample_weight": "w", "test": 0.0}
    a = dotori.fit(columns, scale="none", **own)
    columns["a"] = columns["a"][:100] + [30.0] * 20
    b = dotori.fit(columns, scale="none", **own)
    order = [np.lexsort(m.predictor.centers.T) for m in (a, b)]
    np.testing.assert_allclose(
        a.predictor.centers[order[0]], b.predictor.centers[order[1]], rtol=1e-4
    )
