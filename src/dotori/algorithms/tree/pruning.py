r"""Cost-complexity pruning: cutting a tree back where it has learnt too little.

Let R(t) be the risk of node t as a leaf, its impurity times the part of the samples
that reach it, and R(T_t) the sum of the risks of the leaves below it. Each leaf is
charged :math:`\alpha`; the branch below t pays as long as

.. math:: \alpha < \frac{R(t) - R(T_t)}{|T_t| - 1} .

The branch with the smallest such number is the weakest link: it is cut first. Breiman,
Friedman, Olshen and Stone, "Classification and regression trees", 1984, chapter 3.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.tree.tree import Tree

Array = NDArray[Any]


def pruning_path(tree: Tree) -> tuple[Array, Array]:
    """The prices at which one branch after the other is cut, to the root alone.

    Parameters
    ----------
    tree : Tree

    Returns
    -------
    alphas : ndarray, shape (steps + 1,)
        The first is 0, for the whole tree.
    risks : ndarray, shape (steps + 1,)
        The sum of the leaves' risks after each step.

    Examples
    --------
    >>> stump = Tree.of(
    ...     children_left=[1, -1, -1],
    ...     children_right=[2, -1, -1],
    ...     feature=[0, -2, -2],
    ...     threshold=[2.5, -2, -2],
    ...     value=[[[15.0]], [[10.0]], [[20.0]]],
    ...     impurity=[25.0, 0.0, 0.0],
    ...     weighted_n_node_samples=[2.0, 1.0, 1.0],
    ... )
    >>> alphas, risks = pruning_path(stump)
    >>> alphas.tolist(), risks.tolist()
    ([0.0, 25.0], [0.0, 25.0])
    """
    steps = [(alpha, risk) for alpha, _, risk in _weakest_links(tree)]
    alphas, risks = np.array(steps).T
    return alphas, risks


def pruned(tree: Tree, alpha: float) -> Tree:
    """The tree that is left at the price `alpha`.

    Of the subtrees on the pruning path, the smallest whose step costs at most `alpha`.

    Parameters
    ----------
    tree : Tree
    alpha : float
        At least 0; with 0, only splits that gain nothing are cut.
    """
    is_leaf = tree.children_left < 0
    for price, node, _ in _weakest_links(tree):
        if price > alpha:
            break
        if node >= 0:
            is_leaf[node] = True
    return _with_leaves(tree, is_leaf)


def _weakest_links(tree: Tree) -> Iterator[tuple[float, int, float]]:
    """The price, the node that becomes a leaf, and the risk of the whole tree then.

    First 0 and no node (-1). A cut takes the cheapest part out of the branches above
    it, so their prices only rise: a heap with each branch's price as it was is enough,
    where the branch that comes out goes in again if it is dearer now.
    """
    risk, (branch_risk, leaves) = _risks(tree).tolist(), _branches(tree)
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    parents = tree.parents.tolist()
    alive = [child >= 0 for child in left]

    def price(t: int) -> float:
        return float((risk[t] - branch_risk[t]) / (leaves[t] - 1))

    heap = [(price(t), t) for t in range(len(left)) if alive[t]]
    heapq.heapify(heap)
    yield 0.0, -1, branch_risk[0]
    while alive[0]:
        before, node = heapq.heappop(heap)
        if not alive[node]:
            continue
        alpha = price(node)
        if alpha > before:
            heapq.heappush(heap, (alpha, node))
            continue
        _cut(node, alive, left, right)
        more, fewer = risk[node] - branch_risk[node], leaves[node] - 1
        branch_risk[node], above = risk[node], parents[node]
        while above >= 0:
            branch_risk[above] += more
            leaves[above] -= fewer
            above = parents[above]
        yield alpha, node, branch_risk[0]


def _risks(tree: Tree) -> Array:
    """The risk of each node as a leaf."""
    weight = tree.weighted_n_node_samples
    risks: Array = weight * tree.impurity / weight[0]
    return risks


def _branches(tree: Tree) -> tuple[list[float], list[int]]:
    """For each node the risk and the number of the leaves below it."""
    ends = np.flatnonzero(tree.children_left < 0)
    indptr, nodes = tree.ways(ends)
    risks = np.repeat(_risks(tree)[ends], np.diff(indptr))
    total = np.bincount(nodes, risks, minlength=tree.node_count)
    return total.tolist(), np.bincount(nodes, minlength=tree.node_count).tolist()


def _cut(node: int, alive: list[bool], left: list[int], right: list[int]) -> None:
    """Make a leaf of `node`: no node from here on can be cut any more."""
    below = [node]
    while below:
        t = below.pop()
        if alive[t]:
            alive[t] = False
            below += (left[t], right[t])


def _with_leaves(tree: Tree, is_leaf: Array) -> Tree:
    """The part of the tree that is reached without passing through a leaf."""
    reached = np.zeros(tree.node_count, np.bool_)
    reached[0] = True
    level = np.zeros(1, np.int64)
    while len(level):
        level = level[~is_leaf[level]]
        level = np.concatenate([tree.children_left[level], tree.children_right[level]])
        reached[level] = True
    number = np.cumsum(reached) - 1
    ends = is_leaf[reached]

    def kept(array: Array, in_leaves: Any) -> Array:
        found: Array = array[reached].copy()
        found[ends] = in_leaves
        return found

    return replace(
        tree,
        children_left=np.where(ends, -1, number[tree.children_left[reached]]),
        children_right=np.where(ends, -1, number[tree.children_right[reached]]),
        feature=kept(tree.feature, -2),
        threshold=kept(tree.threshold, -2.0),
        impurity=tree.impurity[reached],
        n_node_samples=tree.n_node_samples[reached],
        weighted_n_node_samples=tree.weighted_n_node_samples[reached],
        value=tree.value[reached],
        missing_go_to_left=kept(tree.missing_go_to_left, False),
        categories=kept(tree.categories, 0),
    )
