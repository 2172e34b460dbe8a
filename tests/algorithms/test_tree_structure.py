"""Trees as arrays: ways to the leaves, importances, many trees at once, bad arrays."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.algorithms import _stored
from dotori.algorithms.tree import Tree
from dotori.algorithms.tree.stacked import Forest
from dotori.errors import ArgumentError, DataError, FormatError, ShapeError
from dotori.kernels import _threads
from tree_oracle import from_sklearn


def small():
    """x0 <= 1 ? (x1 <= 5 ? A : B) : C, where missing x1 go left."""
    return Tree.of(
        children_left=[1, 2, -1, -1, -1],
        children_right=[4, 3, -1, -1, -1],
        feature=[0, 1, -2, -2, -2],
        threshold=[1.0, 5.0, -2, -2, -2],
        value=[[[0.0]], [[0.0]], [[10.0]], [[20.0]], [[30.0]]],
        impurity=[4.0, 2.0, 0.0, 1.0, 0.5],
        n_node_samples=[8, 4, 2, 2, 4],
        weighted_n_node_samples=[8.0, 4.0, 2.0, 2.0, 4.0],
        missing_go_to_left=[False, True, False, False, False],
    )


def test_ways_and_answers_of_a_small_tree():
    tree, nan = small(), np.nan
    x = [[1.0, 5.0], [1.0, 5.1], [1.1, 0.0], [nan, 0.0], [0.0, nan]]
    assert tree.apply(x).tolist() == [2, 3, 4, 4, 2]
    assert tree.predict(x).ravel().tolist() == [10, 20, 30, 30, 10]
    indptr, indices = tree.decision_path(x)
    ways = [indices[i:j].tolist() for i, j in itertools.pairwise(indptr)]
    assert ways == [[0, 1, 2], [0, 1, 3], [0, 4], [0, 4], [0, 1, 2]]
    assert (tree.node_count, tree.n_leaves, tree.max_depth) == (5, 3, 2)
    assert (tree.n_outputs, tree.max_n_classes, tree.n_features) == (1, 1, 2)
    assert tree.parents.tolist() == [-1, 0, 1, 1, 0]


def test_gains_add_up_to_what_the_tree_takes_from_the_impurity():
    tree = small()
    leaves = tree.children_left < 0
    left = (tree.weighted_n_node_samples * tree.impurity)[leaves].sum() / 8
    assert tree.gains().sum() == pytest.approx(tree.impurity[0] - left)
    importances = tree.compute_feature_importances()
    assert importances.sum() == pytest.approx(1)
    # (8*4 - 4*2 - 4*0.5) and (4*2 - 2*1), over 8
    plain = tree.compute_feature_importances(normalize=False)
    assert plain.tolist() == [22 / 8, 6 / 8]


def test_a_question_about_categories():
    words = np.zeros((3, 2), np.uint64)
    words[0] = [1 << 3, 1 << 2]  # 3 and 66
    tree = Tree.of(
        children_left=[1, -1, -1],
        children_right=[2, -1, -1],
        feature=[0, -2, -2],
        threshold=[np.nan, -2, -2],
        value=np.zeros((3, 1, 1)),
        categories=words,
    )
    x = np.array([[3], [66], [2], [67], [128], [1e9], [-1], [np.nan]])
    assert tree.apply(x).tolist() == [1, 1, 2, 2, 2, 2, 2, 2]


def test_a_threshold_between_neighbours_of_float32_separates_them():
    number = np.float32(1)
    for _ in range(8):
        above = np.nextafter(number, np.float32(2))
        tree = Tree.of(
            children_left=[1, -1, -1],
            children_right=[2, -1, -1],
            feature=[0, -2, -2],
            threshold=[(float(number) + float(above)) / 2, -2, -2],
            value=np.zeros((3, 1, 1)),
        )
        assert tree.apply([[number], [above]]).tolist() == [1, 2]
        number = above


def test_a_leaf_alone_is_a_tree():
    tree = Tree.of(
        children_left=[-1],
        children_right=[-1],
        feature=[-2],
        threshold=[-2],
        value=[[[7.0]]],
        n_features=3,
    )
    assert tree.predict(np.zeros((2, 3))).tolist() == [[7.0], [7.0]]
    assert tree.max_depth == 0
    assert tree.compute_feature_importances().tolist() == [0, 0, 0]
    assert tree.apply(np.zeros((0, 3))).shape == (0,)


@pytest.mark.parametrize(
    "change",
    [
        {"children_left": np.array([0, 2, -1, -1, -1])},  # round and round
        {"children_left": np.array([9, 2, -1, -1, -1])},
        {"children_right": np.array([-1, 3, -1, -1, -1])},
        {"children_right": np.array([4, 3, 4, -1, -1])},
        {"feature": np.array([2, 1, -2, -2, -2])},
        {"feature": np.array([0, -1, -2, -2, -2])},
        {"feature": np.array([0, 1, -2, -2])},
        {"threshold": np.zeros(5, np.float32)},
        {"value": np.zeros((5, 1, 2))},
        {"value": np.zeros((5, 1))},
        {"categories": np.zeros(5, np.uint64)},
    ],
)
def test_what_is_no_tree_is_refused(change):
    with pytest.raises(DataError, match="Tree"):
        dataclasses.replace(small(), **change)


def test_a_table_of_another_width_is_refused():
    with pytest.raises(ShapeError, match=r"grown on 2 columns.*got \(3, 1\)"):
        small().apply(np.zeros((3, 1)))


def test_through_a_document_and_back():
    arrays = {}
    document = _stored.to_document(Forest.of([small(), small()]), arrays)
    again = _stored.from_document(document, arrays)
    x = np.array([[0.0, 9.0]])
    assert again.predict(x).tolist() == [[[20.0]]]
    for name, array in arrays.items():
        if np.array_equal(array, np.tile(small().children_left, 2)):
            damaged = arrays | {name: np.full(10, 77)}
            with pytest.raises(FormatError):
                _stored.from_document(document, damaged)
            break
    else:
        raise AssertionError("there are no left children in the file")


def test_a_forest_is_its_trees():
    tree = small()
    other = Tree.of(
        children_left=[1, -1, -1],
        children_right=[2, -1, -1],
        feature=[1, -2, -2],
        threshold=[np.nan, -2, -2],
        value=[[[0.0]], [[1.0]], [[2.0]]],
        categories=[[2], [0], [0]],
    )
    forest = Forest.of([tree, other, tree])
    rng = np.random.default_rng(0)
    x = rng.integers(0, 7, (50, 2)).astype(float)
    leaves = np.stack([t.apply(x) for t in (tree, other, tree)], axis=1)
    np.testing.assert_array_equal(forest.apply(x), leaves)
    mean = (2 * tree.predict(x) + other.predict(x)) / 3
    np.testing.assert_allclose(forest.predict(x)[:, :, 0], mean)
    assert len(forest) == 3
    np.testing.assert_array_equal(forest.tree(1).apply(x), leaves[:, 1])
    with pytest.raises(ArgumentError, match="at least one tree"):
        Forest.of([])


def test_the_number_of_threads_changes_nothing(monkeypatch):
    forest = Forest.of([small()] * 7)
    x = np.random.default_rng(0).normal(size=(20_000, 2)) * 4
    alone = forest.predict(x)
    monkeypatch.setattr(_threads._threads, "number", 3)
    np.testing.assert_array_equal(forest.predict(x), alone)


@given(seed=st.integers(0, 10**6), depth=st.integers(1, 6), missing=st.booleans())
def test_ways_and_importances_are_scikit_learns(seed, depth, missing):
    sklearn_tree = pytest.importorskip("sklearn.tree", reason="the oracle")
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 3)).round(1).astype(np.float32)
    y = rng.integers(0, 3, (60, 2))
    if missing:
        x[rng.random(x.shape) < 0.2] = np.nan
    theirs = sklearn_tree.DecisionTreeClassifier(max_depth=depth, random_state=seed)
    theirs.fit(x, y)
    ours = from_sklearn(theirs.tree_)
    new = rng.normal(size=(80, 3)).astype(np.float32)
    new[rng.random(new.shape) < 0.2 * missing] = np.nan
    np.testing.assert_array_equal(ours.apply(new), theirs.apply(new))
    np.testing.assert_array_equal(ours.predict(new), theirs.tree_.predict(new))
    indptr, indices = ours.decision_path(new)
    path = theirs.decision_path(new)
    np.testing.assert_array_equal(indptr, path.indptr)
    np.testing.assert_array_equal(indices, path.indices)
    np.testing.assert_allclose(
        ours.compute_feature_importances(), theirs.feature_importances_, rtol=1e-12
    )
    assert ours.max_depth == theirs.get_depth()
    assert ours.n_leaves == theirs.get_n_leaves()
