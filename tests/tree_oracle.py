"""A tree beside scikit-learn's: node by node, as far as gains do not tie."""

from __future__ import annotations

import numpy as np

from dotori.algorithms.tree.tree import Tree

EQUAL = "children_left children_right feature threshold n_node_samples missing_go_to_left".split()
CLOSE = "impurity weighted_n_node_samples value".split()


def from_sklearn(tree):
    """A fitted tree of scikit-learn's as ours."""
    names = [*EQUAL, *CLOSE]
    classes = np.asarray(tree.n_classes)
    arrays = {name: getattr(tree, name) for name in names}
    return Tree.of(**arrays, n_features=tree.n_features, n_classes=classes)


def assert_equal_trees(ours, theirs):
    """All nodes are the same, in the same order."""
    for name in EQUAL:
        np.testing.assert_array_equal(
            getattr(ours, name), getattr(theirs, name), err_msg=name
        )
    for name in CLOSE:
        np.testing.assert_allclose(
            getattr(ours, name),
            getattr(theirs, name),
            rtol=1e-9,
            atol=1e-12,
            err_msg=name,
        )


def assert_same_tree(ours, theirs):
    """Like `assert_equal_trees`, but below a node whose two questions gain the same.

    Returns the part of our nodes that was compared.
    """
    compared, waiting = 0, [(0, 0)]
    while waiting:
        a, b = waiting.pop()
        compared += 1
        assert ours.n_node_samples[a] == theirs.n_node_samples[b]
        for name in CLOSE:
            # theirs has impurities as differences of squares
            atol = 1e-11 * (1 + theirs.impurity[0]) if name == "impurity" else 1e-12
            np.testing.assert_allclose(
                getattr(ours, name)[a], getattr(theirs, name)[b], rtol=1e-9, atol=atol
            )
        if ours.children_left[a] < 0:
            # theirs may split a node that is pure but for the rounding of its impurity
            assert theirs.children_left[b] < 0 or theirs.impurity[b] < 1e-14
            continue
        assert theirs.children_left[b] >= 0
        if (
            ours.feature[a] != theirs.feature[b]
            or ours.threshold[a] != theirs.threshold[b]
        ):
            same = abs(_gain(ours, a) - _gain(theirs, b)) <= 1e-9 * (1 + _gain(ours, a))
            assert same, f"node {a}: another question, with another gain"
            continue
        assert ours.missing_go_to_left[a] == bool(theirs.missing_go_to_left[b])
        waiting.append((ours.children_left[a], theirs.children_left[b]))
        waiting.append((ours.children_right[a], theirs.children_right[b]))
    return compared / ours.node_count


def _gain(tree, node):
    weighted = tree.weighted_n_node_samples * tree.impurity
    below = [tree.children_left[node], tree.children_right[node]]
    return (weighted[node] - weighted[below].sum()) / tree.weighted_n_node_samples[node]
