"""Forests as estimators: samples, out of bag, warm starts, and scikit-learn's quality."""

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn", reason="the estimators need scikit-learn")

import sklearn.ensemble as theirs
from scipy import sparse
from sklearn.datasets import load_diabetes, load_iris, make_classification
from sklearn.metrics import balanced_accuracy_score

import dotori.learn.ensemble as ours
from dotori.errors import ArgumentError, DataError
from dotori.learn import load
from dotori.learn.tree import DecisionTreeClassifier, ExtraTreeRegressor
from tree_oracle import assert_same_tree

NAMES = [
    "RandomForestClassifier",
    "RandomForestRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
]


def data(name):
    if name.endswith("Regressor"):
        x, y = load_diabetes(return_X_y=True)
        return x[:120], y[:120]
    return load_iris(return_X_y=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_forest_is_the_mean_of_its_trees(name):
    x, y = data(name)
    forest = getattr(ours, name)(4, random_state=0).fit(x, y)
    trees = forest.estimators_
    assert len(trees) == len(forest) == 4 and list(forest) == trees
    method = "predict" if name.endswith("Regressor") else "predict_proba"
    mean = np.mean([getattr(tree, method)(x) for tree in trees], axis=0)
    np.testing.assert_allclose(getattr(forest, method)(x), mean, rtol=1e-12)
    np.testing.assert_array_equal(
        forest.apply(x), np.stack([tree.apply(x) for tree in trees], axis=1)
    )
    path, first = forest.decision_path(x)
    assert (
        first.tolist() == np.cumsum([0] + [t.tree_.node_count for t in trees]).tolist()
    )
    third = path[:, first[2] : first[3]]
    assert (third != trees[2].decision_path(x)).nnz == 0
    assert forest.feature_importances_.sum() == pytest.approx(1)
    assert forest.history_["leaves"] == [tree.get_n_leaves() for tree in trees]


@pytest.mark.parametrize("name", NAMES)
def test_one_tree_without_samples_or_draws_is_scikit_learns(name):
    if name.startswith("Extra"):
        pytest.skip("their thresholds are drawn")
    x, y = data(name)
    params = {
        "n_estimators": 1,
        "bootstrap": False,
        "max_features": None,
        "min_samples_leaf": 8,
        "random_state": 0,
    }
    a, b = (getattr(library, name)(**params).fit(x, y) for library in (ours, theirs))
    assert_same_tree(a.estimators_[0].tree_, b.estimators_[0].tree_)


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_tree_is_grown_on_its_sample(name):
    x, y = data(name)
    rows = {"min_samples_leaf": 5, "max_features": None, "random_state": 0}
    forest = getattr(ours, name)(3, **rows).fit(x, y)
    assert len({tuple(sample) for sample in forest.estimators_samples_}) == 3
    for tree, sample in zip(forest, forest.estimators_samples_, strict=True):
        assert len(sample) == len(x)
        counts = np.bincount(sample, minlength=len(x)).astype(float)
        alone = type(tree)(min_samples_leaf=5).fit(x, y, sample_weight=counts)
        assert_same_tree(alone.tree_, tree.tree_)


def test_quality_and_out_of_bag_are_scikit_learns_within_the_noise_of_seeds():
    x, y = make_classification(
        500, 12, n_informative=5, n_classes=3, flip_y=0.1, random_state=0
    )
    train, test = slice(0, 250), slice(250, None)
    scores = {}
    for library in (ours, theirs):
        found = []
        for seed in range(5):
            forest = library.RandomForestClassifier(
                40, oob_score=True, random_state=seed, min_samples_leaf=3
            ).fit(x[train], y[train])
            found.append([forest.score(x[test], y[test]), forest.oob_score_])
        scores[library.__name__] = np.array(found)
    a, b = scores.values()
    noise = np.sqrt(a.var(axis=0, ddof=1) / 5 + b.var(axis=0, ddof=1) / 5)
    assert np.all(np.abs(a.mean(axis=0) - b.mean(axis=0)) < 4 * noise + 0.01)


def test_out_of_bag_is_what_other_trees_say():
    x, y = data("RandomForestRegressor")
    forest = ours.RandomForestRegressor(
        12, oob_score=True, random_state=0, min_samples_leaf=5
    ).fit(x, y)
    out = np.ones((len(x), 12), bool)
    for t, sample in enumerate(forest.estimators_samples_):
        out[sample, t] = False
    answers = np.stack([tree.predict(x) for tree in forest], axis=1)
    mean = (answers * out).sum(axis=1) / out.sum(axis=1)
    np.testing.assert_allclose(forest.oob_prediction_, mean)
    residual = ((y - mean) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert forest.oob_score_ == pytest.approx(1 - residual)


def test_a_score_of_ones_own_and_several_outputs():
    x, y = load_iris(return_X_y=True)
    forest = ours.RandomForestClassifier(
        15, oob_score=balanced_accuracy_score, random_state=0, max_depth=3
    ).fit(x, y)
    expected = balanced_accuracy_score(y, forest.oob_decision_function_.argmax(axis=1))
    assert forest.oob_score_ == expected
    labels = np.stack([y > 0, y > 1], axis=1).astype(int)
    forest.set_params(oob_score=True).fit(x, labels)
    assert forest.oob_decision_function_.shape == (150, 2, 2)
    assert forest.predict(x).shape == (150, 2) and len(forest.predict_proba(x)) == 2
    assert forest.oob_score_ > 0.8
    with pytest.raises(DataError, match="multiclass-multioutput"):
        forest.fit(x, np.stack([y, y], axis=1))
    with pytest.warns(UserWarning, match="do not have OOB scores"):
        ours.RandomForestClassifier(1, oob_score=True, random_state=0).fit(x, y)


@pytest.mark.parametrize("name", NAMES)
def test_a_warm_start_adds_the_trees_that_a_longer_fit_has(name):
    x, y = data(name)
    params = {"random_state": 3, "max_depth": 3}
    whole = getattr(ours, name)(6, **params).fit(x, y)
    grown = getattr(ours, name)(2, warm_start=True, **params).fit(x, y)
    first = grown.estimators_[0].tree_
    grown.set_params(n_estimators=6).fit(x, y)
    np.testing.assert_array_equal(grown.predict(x), whole.predict(x))
    np.testing.assert_array_equal(grown.estimators_[0].tree_.threshold, first.threshold)
    for a, b in zip(grown.estimators_samples_, whole.estimators_samples_, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="does not fit new trees"):
        grown.fit(x, y)
    with pytest.raises(ArgumentError, match="n_estimators=3 must be larger"):
        grown.set_params(n_estimators=3).fit(x, y)


def test_a_warm_start_without_a_seed_keeps_the_samples_of_its_trees():
    x, y = load_iris(return_X_y=True)
    forest = ours.RandomForestClassifier(2, warm_start=True, max_depth=2).fit(x, y)
    before = forest.estimators_samples_
    forest.set_params(n_estimators=3).fit(x, y)
    after = forest.estimators_samples_
    assert len(after) == 3
    for a, b in zip(before, after, strict=False):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", NAMES)
def test_equal_seeds_give_equal_forests_whatever_the_order_of_rows(name):
    x, y = data(name)
    y = np.round(y)
    order = np.random.default_rng(0).permutation(len(x))
    a, b, other = (
        getattr(ours, name)(3, random_state=seed, max_depth=3, bootstrap=True).fit(
            x[i], y[i]
        )
        for i, seed in ((slice(None), 5), (order, 5), (slice(None), 6))
    )
    np.testing.assert_allclose(a.predict(x), b.predict(x), rtol=1e-9)
    assert not np.array_equal(
        a.estimators_[0].tree_.threshold, other.estimators_[0].tree_.threshold
    )


@pytest.mark.parametrize("max_samples", [20, 0.25])
def test_the_size_of_a_sample(max_samples):
    x, y = load_iris(return_X_y=True)
    forest = ours.RandomForestClassifier(2, max_samples=max_samples).fit(x, y)
    sizes = {len(sample) for sample in forest.estimators_samples_}
    assert sizes == {20 if max_samples == 20 else 37}
    assert {int(tree.tree_.weighted_n_node_samples[0]) for tree in forest} == sizes


def test_classes_that_are_balanced_in_each_sample():
    x, y = make_classification(300, 5, weights=[0.9], random_state=0)
    for class_weight in ("balanced", "balanced_subsample", {0: 1, 1: 9}):
        forest = ours.RandomForestClassifier(
            3, class_weight=class_weight, random_state=0, max_depth=2
        ).fit(x, y)
        roots = np.mean([tree.tree_.value[0, 0] for tree in forest], axis=0)
        assert abs(roots[0] - 0.5) < 0.12
        if class_weight == "balanced_subsample":
            np.testing.assert_allclose(roots, 0.5)
    with pytest.raises(ArgumentError, match="class_weight must be"):
        ours.RandomForestClassifier(1, class_weight="fair").fit(x, y)


def test_the_kinds_of_trees_and_what_they_know():
    x, y = load_iris(return_X_y=True)
    forest = ours.RandomForestClassifier(2, max_features="log2", random_state=0).fit(
        x, y
    )
    tree = forest.estimators_[0]
    assert isinstance(tree, DecisionTreeClassifier) and tree.max_features_ == 2
    assert tree.classes_.tolist() == [0.0, 1.0, 2.0]
    assert isinstance(forest.estimator_, DecisionTreeClassifier)
    extra = ours.ExtraTreesRegressor(1, random_state=0).fit(x, y)
    assert isinstance(extra.estimators_[0], ExtraTreeRegressor)
    assert np.array_equal(extra.estimators_samples_[0], np.arange(150))


def test_a_sparse_table_and_missing_values():
    x, y = load_iris(return_X_y=True)
    forest = ours.RandomForestClassifier(3, random_state=0, max_depth=3)
    dense = forest.fit(x, y).predict_proba(x)
    np.testing.assert_array_equal(
        forest.fit(sparse.csc_matrix(x), y).predict_proba(sparse.csr_matrix(x)), dense
    )
    x[::3, 0] = np.nan
    assert forest.fit(x, y).score(x, y) > 0.9
    with pytest.raises(DataError, match="sparse multilabel-indicator"):
        forest.fit(x, sparse.csr_matrix(np.eye(150)))


def test_a_file_brings_back_trees_and_samples(tmp_path):
    x, y = load_iris(return_X_y=True)
    before = ours.RandomForestClassifier(3, random_state=0, max_depth=3).fit(x, y)
    before.save(tmp_path / "forest.dotori")
    after = load(tmp_path / "forest.dotori")
    np.testing.assert_array_equal(after.predict_proba(x), before.predict_proba(x))
    for a, b in zip(after.estimators_, before.estimators_, strict=True):
        np.testing.assert_array_equal(a.predict_proba(x), b.predict_proba(x))
        assert a.random_state == b.random_state
    for a, b in zip(after.estimators_samples_, before.estimators_samples_, strict=True):
        np.testing.assert_array_equal(a, b)
    after.set_params(warm_start=True, n_estimators=5).fit(x, y)
    assert len(after) == 5


def test_lines_while_trees_grow(capsys):
    x, y = load_iris(return_X_y=True)
    ours.RandomForestClassifier(2, verbose=2, max_depth=1).fit(x, y)
    assert "building tree 2 of 2" in capsys.readouterr().out
    ours.RandomForestClassifier(2, max_depth=1).fit(x, y)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_estimators": 0}, "n_estimators"),
        ({"max_samples": 0.0}, "max_samples"),
        ({"oob_score": "yes"}, "oob_score"),
        ({"n_jobs": "all"}, "n_jobs"),
        ({"bootstrap": False, "oob_score": True}, "only available if bootstrap=True"),
        ({"bootstrap": False, "max_samples": 3}, "set bootstrap=True"),
        ({"criterion": "squared_error"}, "criterion must be one of 'gini'"),
    ],
)
def test_impossible_parameters_are_refused(params, message):
    x, y = load_iris(return_X_y=True)
    with pytest.raises(ArgumentError, match=message):
        ours.RandomForestClassifier(**params).fit(x, y)
