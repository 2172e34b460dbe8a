"""The tree that tries everything: scikit-learn's trees, and what `grow` makes faster."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dotori.algorithms.tree import textbook
from dotori.algorithms.tree.growth import Growth, grow
from dotori.errors import ArgumentError
from tree_oracle import assert_same_tree


def problem(seed, classes, missing, n=40):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)).astype(np.float32)
    signal = np.sin(2 * x[:, 0]) + x[:, 1] + rng.normal(size=n) / 3
    y = np.digitize(signal, [-0.5, 0.5]) if classes else np.exp(signal)
    if missing:
        x[rng.random(x.shape) < 0.15] = np.nan
    return x, y, rng.integers(0, 3, n) * rng.random(n)


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@given(seed=st.integers(0, 10**6), missing=st.booleans(), weighted=st.booleans())
@settings(max_examples=8)
def test_trees_of_classes_are_scikit_learns(criterion, seed, missing, weighted):
    sklearn_tree = pytest.importorskip("sklearn.tree", reason="the oracle")
    x, y, w = problem(seed, True, missing)
    w = w if weighted else None
    theirs = sklearn_tree.DecisionTreeClassifier(
        criterion=criterion, min_samples_leaf=3
    )
    theirs.fit(x, y, sample_weight=w)
    rules = Growth(criterion=criterion, min_samples_leaf=3, min_samples_split=6)
    sizes = np.array([len(np.unique(y))])
    ours = textbook.grow(x, y[:, None], w, rules, sizes)
    assert_same_tree(ours, theirs.tree_)


@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
@given(seed=st.integers(0, 10**6), missing=st.booleans(), weighted=st.booleans())
@settings(max_examples=8)
def test_trees_of_numbers_are_scikit_learns(criterion, seed, missing, weighted):
    sklearn_tree = pytest.importorskip("sklearn.tree", reason="the oracle")
    x, y, w = problem(seed, False, missing and criterion != "absolute_error")
    w = w if weighted else None
    theirs = sklearn_tree.DecisionTreeRegressor(criterion=criterion, max_depth=3)
    theirs.fit(x, y, sample_weight=w)
    rules = Growth(criterion=criterion, max_depth=3)
    ours = textbook.grow(x, y[:, None], w, rules, np.array([1]))
    assert_same_tree(ours, theirs.tree_)


@pytest.mark.parametrize("criterion", ["gini", "squared_error"])
def test_where_gains_do_not_tie_every_node_is_scikit_learns(criterion):
    sklearn_tree = pytest.importorskip("sklearn.tree", reason="the oracle")
    x, y, _ = problem(3, criterion == "gini", False, n=150)
    classes = criterion == "gini"
    kind = "DecisionTreeClassifier" if classes else "DecisionTreeRegressor"
    theirs = getattr(sklearn_tree, kind)(min_samples_leaf=8).fit(x, y)
    rules = Growth(criterion=criterion, min_samples_leaf=8, min_samples_split=16)
    sizes = np.array([len(np.unique(y)) if classes else 1])
    ours = textbook.grow(x, y[:, None], None, rules, sizes)
    assert ours.node_count > 9
    assert assert_same_tree(ours, theirs.tree_) == 1


@pytest.mark.parametrize(
    "rules",
    [
        Growth(),
        Growth(criterion="entropy", max_depth=3),
        Growth(min_samples_leaf=4, min_impurity_decrease=0.01),
        Growth(criterion="squared_error", min_weight_leaf=3.0),
        Growth(criterion="poisson", min_samples_leaf=2, min_samples_split=9),
        Growth(criterion="absolute_error", max_depth=4),
    ],
    ids=str,
)
@given(seed=st.integers(0, 10**6), missing=st.booleans(), weighted=st.booleans())
@settings(max_examples=6)
def test_what_is_fast_grows_the_same(rules, seed, missing, weighted):
    classes = rules.criterion in ("gini", "entropy")
    x, y, w = problem(seed, classes, missing, n=30)
    sizes = np.array([3 if classes else 1])
    args = (x, y[:, None], w if weighted else None, rules, sizes)
    assert_same_tree(grow(*args), textbook.grow(*args))


@pytest.mark.parametrize("criterion", ["gini", "squared_error"])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=15)
def test_subsets_of_categories_are_split_as_well_as_can_be(criterion, seed):
    rng = np.random.default_rng(seed)
    x = np.stack([rng.integers(0, 6, 50), rng.normal(size=50)], axis=1)
    y = (np.isin(x[:, 0], [0, 3, 5]) ^ (rng.random(50) < 0.1)).astype(int)
    x = x.astype(np.float32)
    x[rng.random(50) < 0.1, 0] = np.nan
    rules = Growth(criterion=criterion, max_depth=1)
    categorical = np.array([True, False])
    sizes = np.array([2 if criterion == "gini" else 1])
    target = y[:, None] if criterion == "gini" else y[:, None].astype(float)
    args = (x, target, None, rules, sizes, 0, categorical)
    fast, slow = grow(*args), textbook.grow(*args)
    # all of Breiman's theorem is here: the best of 2^5 subsets is on a line of 6
    assert fast.gains()[0] == pytest.approx(slow.gains()[0], abs=1e-12)
    assert slow.categories[0].any()


def test_random_questions_come_from_the_column_and_the_seed():
    x, y, _ = problem(0, False, True)
    rules = Growth(criterion="squared_error", splitter="random", max_features=2)
    first, again, other = (
        textbook.grow(x, y[:, None], None, rules, np.array([1]), seed)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.threshold, again.threshold)
    assert first.threshold[0] != other.threshold[0]
    inside = first.children_left >= 0
    low, high = np.nanmin(x, axis=0), np.nanmax(x, axis=0)
    column = first.feature[inside]
    assert np.all(first.threshold[inside] >= low[column])
    assert np.all(first.threshold[inside] <= high[column])


def test_several_outputs_share_the_questions():
    x, y, _ = problem(0, True, False)
    both = np.stack([y, (x[:, 2] > 0).astype(int)], axis=1)
    tree = textbook.grow(x, both, None, Growth(max_depth=2), np.array([3, 2]))
    assert tree.value.shape[1:] == (2, 3)
    np.testing.assert_allclose(tree.value.sum(axis=2), 1)
    assert (tree.value[:, 1, 2] == 0).all()


@pytest.mark.parametrize(
    "rules", [Growth(max_leaf_nodes=3), Growth(monotonic=np.array([1, 0, 0]))]
)
def test_what_is_not_in_the_textbook_is_refused(rules):
    x, y, _ = problem(0, True, False)
    with pytest.raises(ArgumentError, match=r"growth\.grow"):
        textbook.grow(x, y[:, None], None, rules, np.array([3]))


def test_too_many_categories_to_try_all_subsets():
    x = np.arange(20, dtype=np.float32)[:, None]
    y = (np.arange(20) % 2)[:, None]
    with pytest.raises(ArgumentError, match="at most 12"):
        textbook.grow(x, y, None, Growth(), np.array([2]), 0, np.array([True]))
