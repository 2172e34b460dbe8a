"""`BaseTree`: what the four tree estimators share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import MultiOutputMixin, clone, is_classifier
from sklearn.utils import Bunch
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
)

from dotori.algorithms.tree.growth import grow
from dotori.algorithms.tree.pruning import pruned, pruning_path
from dotori.learn._arguments import choice
from dotori.learn._base import Estimator
from dotori.learn._callbacks import with_callbacks
from dotori.learn._random import generator
from dotori.learn.tree import _table, _targets
from dotori.learn.tree._rules import check_parameters, rules

Array = NDArray[Any]


class BaseTree(MultiOutputMixin, Estimator):
    """Fitting, predicting and pruning; the parameters are those of the subclasses."""

    __metadata_request__fit = {"check_input": UNUSED}  # noqa: RUF012
    __metadata_request__predict = {"check_input": UNUSED}  # noqa: RUF012

    def __init__(
        self,
        *,
        criterion: Any,
        splitter: Any,
        max_depth: Any,
        min_samples_split: Any,
        min_samples_leaf: Any,
        min_weight_fraction_leaf: Any,
        max_features: Any,
        max_leaf_nodes: Any,
        random_state: Any,
        min_impurity_decrease: Any,
        class_weight: Any = None,
        ccp_alpha: Any,
        monotonic_cst: Any,
        categorical_features: Any,
    ) -> None:
        self.criterion = criterion
        self.splitter = splitter
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.random_state = random_state
        self.min_impurity_decrease = min_impurity_decrease
        self.class_weight = class_weight
        self.ccp_alpha = ccp_alpha
        self.monotonic_cst = monotonic_cst
        self.categorical_features = categorical_features

    @with_callbacks
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True
    ) -> Any:
        """Grow the tree.

        Parameters
        ----------
        X : array-like, frame or sparse matrix, shape (n, d)
            Is compared in float32. NaN is a missing value where X is dense.
        y : array-like, shape (n,) or (n, outputs)
            Classes, or numbers.
        sample_weight : array-like, shape (n,), optional
        check_input : bool
            False passes over the checks of X, which must then be a float32 array.

        Returns
        -------
        self

        Raises
        ------
        ArgumentError
            If a parameter has a value outside of what is allowed.
        ValueError
            If X or y cannot be used, with scikit-learn's message.
        """
        check_parameters(self)
        choice(self, "splitter", ("best", "random"))
        if check_input:
            rows, y = _table.fitted_table(self, X, y)
        else:
            rows, self.n_features_in_ = X, X.shape[1]
            self.is_categorical_ = self.categories_ = None
        target = np.atleast_1d(y)
        check_consistent_length(rows, target)
        target = target.reshape(len(target), -1)
        self.n_outputs_ = target.shape[1]
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, rows, dtype=np.float64)
        target, weight = self._encoded(target, sample_weight)
        about = {"sample_weight": sample_weight}
        with self._tasks("fit", X, y, most=0, metadata=about):
            self._grow(rows, target, weight)
        return self

    def _encoded(self, y: Array, weight: Array | None) -> tuple[Array, Array | None]:
        """What is learnt, and how much each sample weighs."""
        return _targets.numbers_for(self, y), weight

    def _grow(self, x: Array, y: Array, weight: Array | None) -> None:
        growth = rules(self, self.splitter, x.shape, weight)
        seed = int(generator(self.random_state).integers(0, 2**31 - 1))
        sizes = np.ones(self.n_outputs_, np.int64)
        if is_classifier(self):
            sizes = np.array([len(classes) for classes in self.classes_], np.int64)
            _targets.unwrap(self)
        self.max_features_ = growth.max_features
        tree = grow(x, y, weight, growth, sizes, seed, self.is_categorical_)
        self.tree_ = pruned(tree, self.ccp_alpha) if self.ccp_alpha > 0 else tree

    def _table(self, X: Any, check_input: bool) -> Any:
        check_is_fitted(self, "tree_")
        return _table.predicted_table(self, X) if check_input else X

    def _answers(self, X: Any, check_input: bool) -> Array:
        """The values of the leaves: shape (n, outputs, classes)."""
        leaves = self.apply(X, check_input)
        answers: Array = self.tree_.value.take(leaves, axis=0)
        return answers

    def apply(self, X: Any, check_input: bool = True) -> Array:
        """The number of the leaf in which each row ends.

        Parameters
        ----------
        X : array-like, frame or sparse matrix, shape (n, d)
        check_input : bool
            False passes over the checks of X, which must then be a float32 array.

        Returns
        -------
        ndarray of int64, shape (n,)
        """
        leaves: Array = _table.in_blocks(self._table(X, check_input), self.tree_.apply)
        return leaves

    def decision_path(self, X: Any, check_input: bool = True) -> Any:
        """The nodes that each row passes, as a sparse matrix.

        Parameters
        ----------
        X : array-like, frame or sparse matrix, shape (n, d)
        check_input : bool
            As for `apply`.

        Returns
        -------
        csr_matrix, shape (n, nodes)
            1 where row i passes node j.
        """
        indptr, indices = self.tree_.ways(self.apply(X, check_input))
        ones = np.ones(len(indices), np.int64)
        shape = (len(indptr) - 1, self.tree_.node_count)
        return csr_matrix((ones, indices, indptr), shape=shape)

    def get_depth(self) -> int:
        """The number of questions on the longest way to a leaf."""
        check_is_fitted(self)
        return int(self.tree_.max_depth)

    def get_n_leaves(self) -> int:
        """The number of leaves."""
        check_is_fitted(self)
        return int(self.tree_.n_leaves)

    @property
    def feature_importances_(self) -> Array:
        """What the splits on each column gain, in parts of 1: shape (d,).

        Columns with many values are overrated; see
        `sklearn.inspection.permutation_importance` for another measure.
        """
        check_is_fitted(self)
        importances: Array = self.tree_.compute_feature_importances()
        return importances

    @property
    def history_(self) -> dict[str, list[Any]]:
        """The splits in the order of the nodes: where, on what, and what they gain.

        Lists under "node", "depth", "feature", "threshold", "samples" and "gain"; the
        gains add up to what the tree takes from the impurity of the root.
        """
        check_is_fitted(self)
        tree = self.tree_
        inside = np.flatnonzero(tree.children_left >= 0)
        columns = {
            "node": inside,
            "depth": tree.depths[inside],
            "feature": tree.feature[inside],
            "threshold": tree.threshold[inside],
            "samples": tree.n_node_samples[inside],
            "gain": tree.gains()[inside],
        }
        return {name: column.tolist() for name, column in columns.items()}

    def cost_complexity_pruning_path(
        self, X: Any, y: Any, sample_weight: Any = None
    ) -> Bunch:
        """The prices (`ccp_alpha`) at which a tree on these data loses its branches.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`. A clone is fitted, not this tree.

        Returns
        -------
        Bunch
            With `ccp_alphas` and `impurities`, the sum of the leaves' impurities that
            is left at each.
        """
        whole = clone(self).set_params(ccp_alpha=0.0)
        whole.fit(X, y, sample_weight=sample_weight)
        alphas, risks = pruning_path(whole.tree_)
        return Bunch(ccp_alphas=alphas, impurities=risks)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        return tags
