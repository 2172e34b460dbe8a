"""Decision trees as estimators, against scikit-learn's on the same data and options."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sklearn = pytest.importorskip("sklearn", reason="the estimators need scikit-learn")

import sklearn.tree as theirs
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.exceptions import NotFittedError

import dotori.learn.tree as ours
from dotori.errors import ArgumentError, DataError
from dotori.learn import load
from tree_oracle import assert_same_tree, from_sklearn

CLASSIFIERS = [load_iris, load_wine, load_breast_cancer]


def both(name, x, y, weight=None, **params):
    """The same estimator of both libraries, fitted."""
    return [
        getattr(library, name)(**params).fit(x, y, sample_weight=weight)
        for library in (ours, theirs)
    ]


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@pytest.mark.parametrize("load_data", CLASSIFIERS)
def test_classifiers_split_for_split(load_data, criterion):
    x, y = load_data(return_X_y=True)
    params = {"criterion": criterion, "min_samples_leaf": 6, "random_state": 0}
    a, b = both("DecisionTreeClassifier", x, y, **params)
    assert_same_tree(a.tree_, b.tree_)
    # questions that tie in training may answer new rows differently, seen ones hardly
    assert a.score(x, y) == pytest.approx(b.score(x, y), abs=0.01)
    assert a.get_n_leaves() == pytest.approx(b.get_n_leaves(), abs=1)
    assert a.classes_.tolist() == b.classes_.tolist()
    assert (a.n_classes_, a.n_outputs_, a.max_features_) == (
        b.n_classes_,
        b.n_outputs_,
        b.max_features_,
    )


@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
def test_regressors_split_for_split(criterion):
    x, y = load_diabetes(return_X_y=True)
    keep = slice(0, 150)
    params = {"criterion": criterion, "min_samples_leaf": 12, "random_state": 0}
    a, b = both("DecisionTreeRegressor", x[keep], y[keep], **params)
    assert_same_tree(a.tree_, b.tree_)
    assert a.score(x[keep], y[keep]) == pytest.approx(
        b.score(x[keep], y[keep]), abs=0.01
    )


@given(seed=st.integers(0, 10**6), weighted=st.booleans(), classes=st.booleans())
@settings(max_examples=15)
def test_rules_of_growth_are_scikit_learns(seed, weighted, classes):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(80, 3))
    y = np.sin(2 * x[:, 0]) + x[:, 1] + rng.normal(size=80) / 2
    if classes:
        y = np.digitize(y, [-0.5, 0.5])
    weight = rng.random(80) if weighted else None
    rules = {
        "max_depth": int(rng.integers(2, 6)),
        "min_samples_split": [2, 9, 0.2][rng.integers(3)],
        "min_samples_leaf": [3, 5, 0.06][rng.integers(3)],
        "min_weight_fraction_leaf": [0.0, 0.05][rng.integers(2)],
        "min_impurity_decrease": [0.0, 0.01][rng.integers(2)],
        "random_state": 0,
    }
    name = "DecisionTreeClassifier" if classes else "DecisionTreeRegressor"
    a, b = both(name, x, y, weight, **rules)
    assert_same_tree(a.tree_, b.tree_)


@pytest.mark.parametrize("name", ["DecisionTreeClassifier", "DecisionTreeRegressor"])
def test_best_leaves_first_until_there_are_enough(name):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    y = np.sin(3 * x[:, 0]) + x[:, 1] + rng.normal(size=200) / 5
    y = y if name.endswith("Regressor") else (y > 0).astype(int)
    a, b = both(name, x, y, max_leaf_nodes=9, random_state=0, min_samples_leaf=5)
    assert a.get_n_leaves() == 9
    assert assert_same_tree(a.tree_, b.tree_) == 1


@pytest.mark.parametrize("name", ["DecisionTreeClassifier", "DecisionTreeRegressor"])
def test_answers_that_may_only_rise_or_fall(name):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    y = x[:, 0] - x[:, 1] + rng.normal(size=200)
    y = y if name.endswith("Regressor") else (y > 0).astype(int)
    signs = [1, -1, 0]
    a, b = both(name, x, y, monotonic_cst=signs, min_samples_leaf=8, random_state=0)
    assert assert_same_tree(a.tree_, b.tree_) == 1
    new = rng.normal(size=(100, 3))
    answer = (
        a.predict if name.endswith("Regressor") else lambda t: a.predict_proba(t)[:, 1]
    )
    for column, sign in enumerate(signs):
        more = new.copy()
        more[:, column] += rng.random(100)
        assert sign == 0 or np.all(sign * (answer(more) - answer(new)) >= 0)


def test_missing_values_and_several_outputs():
    x, y = load_iris(return_X_y=True)
    rng = np.random.default_rng(0)
    x[rng.random(x.shape) < 0.2] = np.nan
    both_y = np.stack([y, y > 0], axis=1)
    a, b = both("DecisionTreeClassifier", x, both_y, min_samples_leaf=8, random_state=0)
    assert_same_tree(a.tree_, b.tree_)
    assert a.predict(x).shape == (150, 2)
    assert [p.shape for p in a.predict_proba(x)] == [(150, 3), (150, 2)]
    assert [c.tolist() for c in a.classes_] == [[0, 1, 2], [0, 1]]
    assert a.n_classes_.tolist() == [3, 2]
    new = np.full((1, 4), np.nan)
    np.testing.assert_allclose(a.predict_proba(new)[0], b.predict_proba(new)[0])


def test_weights_of_classes():
    x, y = load_wine(return_X_y=True)
    weight = np.random.default_rng(0).random(len(y))
    for class_weight in ("balanced", {0: 1.0, 1: 5.0, 2: 0.5}):
        params = {"class_weight": class_weight, "max_depth": 3, "min_samples_leaf": 9}
        a, b = both("DecisionTreeClassifier", x, y, weight, random_state=0, **params)
        assert_same_tree(a.tree_, b.tree_)


def test_a_sparse_table_is_a_dense_one():
    rng = np.random.default_rng(0)
    dense = rng.normal(size=(60, 5)) * (rng.random((60, 5)) < 0.4)
    y = (dense[:, 0] > dense[:, 1]).astype(int)
    tree = ours.DecisionTreeClassifier(max_depth=4)
    for kind in (sparse.csr_matrix, sparse.csc_array, sparse.coo_matrix):
        packed = kind(dense)
        again = ours.DecisionTreeClassifier(max_depth=4).fit(packed, y)
        np.testing.assert_array_equal(
            again.predict_proba(packed), tree.fit(dense, y).predict_proba(dense)
        )
        path = again.decision_path(packed)
        assert (path != tree.decision_path(dense)).nnz == 0
    with pytest.raises(ValueError, match="contains NaN"):
        tree.fit(sparse.csr_matrix([[np.nan], [1.0]]), [0, 1])


def test_ways_and_logarithms():
    x, y = load_iris(return_X_y=True)
    a, b = both("DecisionTreeClassifier", x, y, max_depth=2, random_state=0)
    path = a.decision_path(x)
    assert sparse.issparse(path) and path.shape == (150, a.tree_.node_count)
    np.testing.assert_array_equal(path.indptr, b.decision_path(x).indptr)
    np.testing.assert_array_equal(a.apply(x), b.apply(x))
    with np.errstate(divide="ignore"):
        expected = b.predict_log_proba(x)
    np.testing.assert_array_equal(a.predict_log_proba(x), expected)


def test_pruning_and_its_path():
    x, y = load_breast_cancer(return_X_y=True)
    x, y = x[:200, :6], y[:200]
    a, b = (
        library.DecisionTreeClassifier(min_samples_leaf=4, random_state=0)
        for library in (ours, theirs)
    )
    path, wanted = (e.cost_complexity_pruning_path(x, y) for e in (a, b))
    np.testing.assert_allclose(path.ccp_alphas, wanted.ccp_alphas, atol=1e-9)
    np.testing.assert_allclose(path.impurities, wanted.impurities, atol=1e-9)
    assert not hasattr(a, "tree_")
    alpha = path.ccp_alphas[-3:-1].mean()
    a, b = (e.set_params(ccp_alpha=alpha).fit(x, y) for e in (a, b))
    assert a.get_n_leaves() == b.get_n_leaves()
    np.testing.assert_array_equal(a.predict(x), b.predict(x))


def test_the_history_is_the_splits_with_their_gains():
    x, y = load_iris(return_X_y=True)
    tree = ours.DecisionTreeClassifier(max_depth=3).fit(x, y)
    history = tree.history_
    assert history["node"][0] == 0 and history["depth"][0] == 0
    assert len(history["gain"]) == tree.get_n_leaves() - 1
    leaves = tree.tree_.children_left < 0
    left = (
        tree.tree_.weighted_n_node_samples[leaves] @ tree.tree_.impurity[leaves] / 150
    )
    assert sum(history["gain"]) == pytest.approx(tree.tree_.impurity[0] - left)


def frame(kind, names, numbers):
    if kind == "pandas":
        pandas = pytest.importorskip("pandas", reason="frames of pandas")
        column = pandas.Categorical(names)
        return pandas.DataFrame({"letter": column, "number": numbers})
    polars = pytest.importorskip("polars", reason="frames of polars")
    column = polars.Series(names, dtype=polars.Categorical)
    return polars.DataFrame({"letter": column, "number": numbers})


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_categories_of_a_frame_are_split_by_subsets(kind, tmp_path):
    rng = np.random.default_rng(0)
    letters = rng.choice(list("abcdef"), 120)
    table = frame(kind, letters.tolist(), rng.normal(size=120))
    y = np.isin(letters, ["a", "d"])
    tree = ours.DecisionTreeClassifier().fit(table, y)
    assert tree.get_depth() == 1 and tree.score(table, y) == 1
    assert tree.feature_names_in_.tolist() == ["letter", "number"]
    assert sorted(tree.categories_[0]) == list("abcdef") and tree.categories_[1] is None
    assert tree.is_categorical_.tolist() == [True, False]
    # other categories, in another order, of which the tree knows some
    new = frame(kind, ["z", "d", None, "b"], [0.0] * 4)
    assert y.mean() < 0.5  # the answer where the category is missing or unknown
    assert tree.predict(new).tolist() == [False, True, False, False]
    tree.save(tmp_path / "tree.dotori")
    again = load(tmp_path / "tree.dotori")
    assert again.predict(new).tolist() == tree.predict(new).tolist()


def test_categories_by_number_name_and_mask():
    rng = np.random.default_rng(0)
    x = np.stack([rng.normal(size=90), rng.integers(0, 7, 90) * 10], axis=1)
    y = np.isin(x[:, 1], [0, 30, 50]).astype(int)
    plain = ours.DecisionTreeClassifier().fit(x, y)
    assert plain.categories_ is None and plain.get_depth() > 1
    for which in ([1], [False, True]):
        tree = ours.DecisionTreeClassifier(categorical_features=which).fit(x, y)
        assert tree.get_depth() == 1 and tree.score(x, y) == 1
        assert tree.predict([[0.0, 50.0], [0.0, 10.0]]).tolist() == [1, 0]
    pandas = pytest.importorskip("pandas", reason="names of columns")
    table = pandas.DataFrame(x, columns=["a", "b"])
    tree = ours.DecisionTreeClassifier(categorical_features=["b"]).fit(table, y)
    assert tree.get_depth() == 1
    for wrong in (["c"], [2], "all", [0.5]):
        with pytest.raises(ArgumentError, match="categorical_features"):
            ours.DecisionTreeClassifier(categorical_features=wrong).fit(table, y)
    tree = ours.DecisionTreeRegressor(categorical_features=[1], monotonic_cst=[0, 1])
    with pytest.raises(ArgumentError, match="categories have no order"):
        tree.fit(x, y)


@pytest.mark.parametrize("name", ["ExtraTreeClassifier", "ExtraTreeRegressor"])
def test_random_thresholds_depend_on_the_seed(name):
    x, y = load_iris(return_X_y=True)
    first, again, other = (
        getattr(ours, name)(random_state=seed, max_depth=4).fit(x, y)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.tree_.threshold, again.tree_.threshold)
    assert first.tree_.threshold.tolist() != other.tree_.threshold.tolist()
    assert first.score(x, y) > 0.5


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"criterion": "mse"}, "criterion must be one of 'gini'"),
        ({"splitter": "worst"}, "splitter must be one of"),
        ({"max_depth": 0}, "max_depth must be a whole number >= 1 or None"),
        ({"min_samples_split": 1}, "min_samples_split"),
        ({"min_samples_leaf": 1.0}, "min_samples_leaf"),
        ({"min_weight_fraction_leaf": 0.6}, "min_weight_fraction_leaf"),
        ({"max_features": "all"}, "max_features"),
        ({"max_features": 0}, "max_features"),
        ({"max_features": 1.5}, "max_features"),
        ({"max_leaf_nodes": 1}, "max_leaf_nodes"),
        ({"ccp_alpha": -1.0}, "ccp_alpha"),
        ({"monotonic_cst": [1]}, r"monotonic_cst has shape \(1,\)"),
        (
            {"monotonic_cst": [2, 0, 0, 0]},
            "must be None or an array-like of -1, 0 or 1",
        ),
        ({"monotonic_cst": [1, 0, 0, 0]}, "multiclass"),
    ],
)
def test_impossible_parameters_are_refused(params, message):
    x, y = load_iris(return_X_y=True)
    with pytest.raises(ArgumentError, match=message):
        ours.DecisionTreeClassifier(**params).fit(x, y)


def test_impossible_targets_are_refused():
    tree = ours.DecisionTreeRegressor(criterion="poisson")
    with pytest.raises(DataError, match="negative"):
        tree.fit([[0.0], [1.0]], [1.0, -1.0])
    with pytest.raises(DataError, match="not positive"):
        tree.fit([[0.0], [1.0]], [0.0, 0.0])
    two = np.zeros((2, 2))
    with pytest.raises(ArgumentError, match="multiple outputs"):
        ours.DecisionTreeRegressor(monotonic_cst=[1]).fit([[0.0], [1.0]], two)
    with pytest.raises(NotFittedError):
        tree.predict([[0.0]])  # what a fit that failed has left does not matter


def test_an_old_name_of_a_criterion_is_taken_with_a_warning():
    x, y = load_diabetes(return_X_y=True)
    with pytest.warns(FutureWarning, match="friedman_mse"):
        old = ours.DecisionTreeRegressor(criterion="friedman_mse", max_depth=2).fit(
            x, y
        )
    new = ours.DecisionTreeRegressor(max_depth=2).fit(x, y)
    np.testing.assert_array_equal(old.predict(x), new.predict(x))


def test_rules_as_text_are_scikit_learns():
    x, y = load_iris(return_X_y=True)
    a, b = both("DecisionTreeClassifier", x, y, min_samples_leaf=20, random_state=0)
    a.tree_ = from_sklearn(b.tree_)  # two columns tie at the root
    for how in (
        {},
        {"show_weights": True, "decimals": 1},
        {"feature_names": list("pqrs"), "class_names": list("abc"), "spacing": 1},
        {"max_depth": 1},
    ):
        assert ours.export_text(a, **how) == theirs.export_text(b, **how)
    a, b = both("DecisionTreeRegressor", x, y, max_depth=1)
    a.tree_ = from_sklearn(b.tree_)
    assert ours.export_text(a) == theirs.export_text(b)
    with pytest.raises(ArgumentError, match="feature_names must be 4 names, got 1"):
        ours.export_text(a, feature_names=["only one"])


def test_a_question_about_categories_as_text():
    pandas = pytest.importorskip("pandas", reason="a frame with categories")
    table = pandas.DataFrame({"sky": pandas.Categorical(["red", "blue", "grey"] * 4)})
    tree = ours.DecisionTreeClassifier().fit(table, [1, 0, 0] * 4)
    text = ours.export_text(tree, feature_names=["sky"])
    assert "sky in {red}" in text or "sky in {blue, grey}" in text
    assert "sky not in {" in text


def test_a_graph_for_graphviz(tmp_path):
    x, y = load_iris(return_X_y=True)
    a, b = both("DecisionTreeClassifier", x, y, min_samples_leaf=20, random_state=0)
    a.tree_ = from_sklearn(b.tree_)
    for how in ({}, {"proportion": True, "class_names": True, "max_depth": 1}):
        expected = theirs.export_graphviz(b, **how).replace(', fillcolor="#C0C0C0"', "")
        assert ours.export_graphviz(a, **how) == expected.rstrip("\n")
    filled = ours.export_graphviz(a, filled=True, rounded=True, class_names=list("abc"))
    assert filled.count("fillcolor=") == a.tree_.node_count
    ours.export_graphviz(a, tmp_path / "tree.dot")
    assert (tmp_path / "tree.dot").read_text() == ours.export_graphviz(a)


def test_a_picture():
    matplotlib = pytest.importorskip("matplotlib", reason="draws the tree")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    x, y = load_iris(return_X_y=True)
    tree = ours.DecisionTreeClassifier(max_depth=3).fit(x, y)
    _, ax = pyplot.subplots()
    drawn = ours.plot_tree(tree, filled=True, class_names=list("abc"), ax=ax)
    assert len(drawn) == tree.tree_.node_count
    assert "gini = 0.667" in drawn[0].get_text() and "class = a" in drawn[1].get_text()
    places = np.array([box.xyann for box in drawn])
    assert np.all((places > 0) & (places < 1))
    left, right = tree.tree_.children_left, tree.tree_.children_right
    inside = left >= 0
    assert np.all(places[left[inside], 0] < places[right[inside], 0])
    assert np.all(places[left[inside], 1] < places[inside, 1])
    assert len(ours.plot_tree(tree, max_depth=0, ax=ax)) == 3
    pyplot.close("all")
