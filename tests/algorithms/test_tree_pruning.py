"""Weakest links: a tree worked out by hand, and scikit-learn's path and pruned trees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.algorithms.tree import Tree
from dotori.algorithms.tree.pruning import pruned, pruning_path
from tree_oracle import assert_equal_trees, from_sklearn


def by_hand():
    """Risks: root 0.5, node 1 0.2 (leaves 0.05 + 0.05), node 4 0.1."""
    return Tree.of(
        children_left=[1, 2, -1, -1, -1],
        children_right=[4, 3, -1, -1, -1],
        feature=[0, 0, -2, -2, -2],
        threshold=[3.0, 1.0, -2, -2, -2],
        value=np.arange(5.0)[:, None, None],
        impurity=[0.5, 0.4, 0.2, 0.2, 0.2],
        n_node_samples=[8, 4, 2, 2, 4],
        weighted_n_node_samples=[8.0, 4.0, 2.0, 2.0, 4.0],
    )


def test_a_path_by_hand():
    alphas, risks = pruning_path(by_hand())
    # node 1: (0.2 - 0.1) / 1; then the root: (0.5 - 0.3) / 1
    np.testing.assert_allclose(alphas, [0, 0.1, 0.2])
    np.testing.assert_allclose(risks, [0.2, 0.3, 0.5])


@pytest.mark.parametrize(("alpha", "nodes"), [(0, 5), (0.09, 5), (0.11, 3), (0.21, 1)])
def test_trees_at_a_price(alpha, nodes):
    tree = pruned(by_hand(), alpha)
    assert tree.node_count == nodes
    if nodes == 3:
        assert tree.value.ravel().tolist() == [0, 1, 4]
        assert tree.children_left.tolist() == [1, -1, -1]
        assert tree.predict([[2.0], [4.0]]).ravel().tolist() == [1, 4]


def test_a_leaf_alone_has_nothing_to_prune():
    leaf = pruned(by_hand(), 9.0)
    assert [part.tolist() for part in pruning_path(leaf)] == [[0.0], [0.5]]
    assert pruned(leaf, 1.0).node_count == 1


def test_pruning_leaves_the_whole_tree_as_it_is():
    tree = by_hand()
    pruned(tree, 1.0)
    assert tree.children_left.tolist() == [1, 2, -1, -1, -1]


@given(seed=st.integers(0, 10**6), classes=st.booleans(), weights=st.booleans())
def test_path_and_trees_are_scikit_learns(seed, classes, weights):
    sklearn_tree = pytest.importorskip("sklearn.tree", reason="the oracle")
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(70, 3))
    y = np.sin(2 * x[:, 0]) + rng.normal(size=70) / 2
    w = rng.random(70) if weights else None
    if classes:
        y = np.digitize(y, [-0.5, 0.5])
    name = "DecisionTreeClassifier" if classes else "DecisionTreeRegressor"
    make = getattr(sklearn_tree, name)
    theirs = make(random_state=0)
    path = theirs.cost_complexity_pruning_path(x, y, sample_weight=w)
    ours = from_sklearn(theirs.fit(x, y, sample_weight=w).tree_)
    alphas, risks = pruning_path(ours)
    np.testing.assert_allclose(alphas, path.ccp_alphas, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(risks, path.impurities, rtol=1e-9, atol=1e-12)
    between = (alphas[:-1] + alphas[1:]) / 2
    for alpha in between[np.diff(alphas) > 1e-9][::7]:
        less = make(random_state=0, ccp_alpha=alpha).fit(x, y, sample_weight=w)
        assert_equal_trees(pruned(ours, alpha), less.tree_)
