"""Growing a decision tree fast: the rules of growth, and `grow`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.tree.tree import Tree

Array = NDArray[Any]


@dataclass(frozen=True)
class Growth:
    """What a tree lowers, and when it stops growing.

    Parameters
    ----------
    criterion : str
        "gini", "entropy", "log_loss", "squared_error", "friedman_mse",
        "absolute_error" or "poisson".
    splitter : {"best", "random"}
        Try all thresholds of a column, or a random one.
    max_depth : int
        Questions before a leaf, at most.
    min_samples_split, min_samples_leaf : int
        Samples in a node that is split, and in a leaf, at least.
    min_weight_leaf : float
        Weight of a leaf's samples, at least.
    max_features : int, optional
        Columns that a node looks at; all of them if None.
    max_leaf_nodes : int, optional
        Grow the best leaves first, up to this many.
    min_impurity_decrease : float
        What a split gains, at least, weighted with its share of all samples.
    monotonic : ndarray of int, shape (d,), optional
        1 where the answer must not fall as the column rises, -1 where it must not rise:
        the mean, or the fraction of class 1 of two.
    """

    criterion: str = "gini"
    splitter: str = "best"
    max_depth: int = 2**31 - 1
    min_samples_split: int = 2
    min_samples_leaf: int = 1
    min_weight_leaf: float = 0.0
    max_features: int | None = None
    max_leaf_nodes: int | None = None
    min_impurity_decrease: float = 0.0
    monotonic: Array | None = None


def grow(
    x: Array,
    y: Array,
    weight: Array | None,
    growth: Growth,
    n_classes: Any = None,
    seed: int = 0,
    categorical: Array | None = None,
    ordered: Any = None,
) -> Tree:
    """Grow a tree."""
    from dataclasses import replace

    from dotori.algorithms.tree import textbook

    if growth.max_features is None:
        growth = replace(growth, max_features=x.shape[1])
    sizes = np.ones(y.shape[1], np.int64) if n_classes is None else n_classes
    return textbook.grow(x, y, weight, growth, np.asarray(sizes), seed, categorical)
