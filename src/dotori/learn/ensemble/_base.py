"""`BaseForest`: what forests of decision trees share."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, issparse
from scipy.sparse import hstack as sparse_hstack
from sklearn.base import MultiOutputMixin, is_classifier
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
)

from dotori.algorithms.tree.bootstrap import Bootstrap
from dotori.algorithms.tree.stacked import Stack
from dotori.algorithms.tree.tree import Tree
from dotori.errors import ArgumentError, DataError
from dotori.learn._arguments import boolean, number
from dotori.learn._base import Estimator
from dotori.learn._callbacks import with_callbacks
from dotori.learn.ensemble._growing import draws_of, grown
from dotori.learn.tree import _table, _targets
from dotori.learn.tree._rules import check_parameters, columns_per_node

Array = NDArray[Any]


class BaseForest(MultiOutputMixin, Estimator):
    """Fitting and what is said of fitted trees; subclasses have the parameters."""

    _unstored: ClassVar[tuple[str, ...]] = ("estimators_",)
    _splitter: ClassVar[str]  # of all trees
    _kind: ClassVar[Any]  # the estimator that one tree is
    _seeds: Array  # of the trees
    estimator_params: ClassVar[tuple[str, ...]] = (
        "criterion",
        "max_depth",
        "min_samples_split",
        "min_samples_leaf",
        "min_weight_fraction_leaf",
        "max_features",
        "max_leaf_nodes",
        "min_impurity_decrease",
        "random_state",
        "ccp_alpha",
        "monotonic_cst",
    )

    def __init__(
        self,
        n_estimators: Any,
        *,
        criterion: Any,
        max_depth: Any,
        min_samples_split: Any,
        min_samples_leaf: Any,
        min_weight_fraction_leaf: Any,
        max_features: Any,
        max_leaf_nodes: Any,
        min_impurity_decrease: Any,
        bootstrap: Any,
        oob_score: Any,
        n_jobs: Any,
        random_state: Any,
        verbose: Any,
        warm_start: Any,
        class_weight: Any = None,
        ccp_alpha: Any,
        max_samples: Any,
        monotonic_cst: Any,
        categorical_features: Any,
    ) -> None:
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.bootstrap = bootstrap
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start
        self.class_weight = class_weight
        self.ccp_alpha = ccp_alpha
        self.max_samples = max_samples
        self.monotonic_cst = monotonic_cst
        self.categorical_features = categorical_features

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Grow the trees, on all threads.

        Parameters
        ----------
        X : array-like, frame or sparse matrix, shape (n, d)
            Is compared in float32. NaN is a missing value where X is dense.
        y : array-like, shape (n,) or (n, outputs)
            Classes, or numbers.
        sample_weight : array-like, shape (n,), optional
            With `bootstrap`, how likely each sample is drawn.

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
        self._check_parameters()
        if issparse(y):
            raise DataError("sparse multilabel-indicator for y is not supported.")
        x, y = _table.fitted_table(self, X, y)
        check_consistent_length(x, y)
        target = self._columns(y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, x, dtype=np.float64)
        target, by_class = self._encoded(target, sample_weight)
        weight = _targets.product(sample_weight, by_class)
        self._bootstrap: Bootstrap | None = None
        if self.bootstrap:
            draws = draws_of(self.max_samples, len(x), sample_weight, weight)
            self._bootstrap = Bootstrap.of(x, target, weight, draws)
        self._n_samples = len(x)
        stack = Stack(self.n_estimators)
        for tree in self._trees_before():
            stack.add(tree)
        before, about = len(stack), {"sample_weight": sample_weight}
        most = self.n_estimators - before
        with self._tasks("tree", X, y, most=most, metadata=about) as tasks:
            self._seeds = grown(self, x, target, weight, stack, tasks)
        if is_classifier(self):
            _targets.unwrap(self)
        more = len(stack) > before
        if more:
            self._forest = stack.forest()
            self._restore()
        if self.oob_score and (more or not hasattr(self, "oob_score_")):
            self._score_out_of_bag(x, target)
        return self

    def _check_parameters(self) -> None:
        check_parameters(self)
        number(self, "n_estimators", low=1, integer=True)
        boolean(self, "bootstrap")
        boolean(self, "warm_start")
        number(self, "n_jobs", integer=True, none=True)
        if not callable(self.oob_score):
            boolean(self, "oob_score")
        if not isinstance(self.verbose, (bool, np.bool_)):
            number(self, "verbose", low=0, integer=True)
        if isinstance(self.max_samples, numbers.Integral):
            number(self, "max_samples", low=1, integer=True)
        else:
            number(self, "max_samples", low=0, open_low=True, none=True)
        name = type(self).__name__
        if self.max_samples is not None and not self.bootstrap:
            raise ArgumentError(
                f"{name}: max_samples={self.max_samples!r} is the size of a bootstrap "
                "sample; set bootstrap=True, or max_samples=None"
            )
        if self.oob_score and not self.bootstrap:
            raise ArgumentError(
                f"{name}: Out of bag estimation only available if bootstrap=True"
            )

    def _columns(self, y: Array) -> Array:
        """y as a table of outputs; sets their number."""
        if y.ndim == 2 and y.shape[1] == 1:
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected. Please "
                "change the shape of y to (n_samples,), for example using ravel().",
                DataConversionWarning,
                stacklevel=4,
            )
        target = np.atleast_1d(y)
        target = target.reshape(len(target), -1)
        self.n_outputs_ = target.shape[1]
        return target

    def _encoded(self, y: Array, weight: Array | None) -> tuple[Array, Array | None]:
        """What is learnt, and the weight of each sample's class."""
        return _targets.numbers_for(self, y), None

    def _trees_before(self) -> list[Tree]:
        """The trees that a warm start keeps."""
        if not (self.warm_start and hasattr(self, "_forest")):
            return []
        before = [self._forest.tree(t) for t in range(len(self._forest))]
        if self.n_estimators < len(before):
            raise ArgumentError(
                f"{type(self).__name__}: n_estimators={self.n_estimators} must be "
                f"larger or equal to len(estimators_)={len(before)} when "
                "warm_start==True"
            )
        if self.n_estimators == len(before):
            warnings.warn(
                "Warm-start fitting without increasing n_estimators does not fit new "
                "trees.",
                UserWarning,
                stacklevel=4,
            )
        return before

    def _restore(self) -> None:
        """Make `estimators_` from the forest's arrays, of which they are views."""
        self.estimators_ = [
            self._tree_estimator(self._forest.tree(t), int(seed))
            for t, seed in enumerate(self._seeds)
        ]

    def _tree_estimator(self, tree: Tree, seed: int) -> Any:
        params = {name: getattr(self, name) for name in self.estimator_params}
        made = self._kind(**params | {"random_state": seed})
        made.tree_ = tree
        made.n_features_in_ = tree.n_features
        made.n_outputs_ = tree.n_outputs
        made.max_features_ = columns_per_node(self.max_features, tree.n_features)
        made.is_categorical_ = made.categories_ = None
        if is_classifier(self):
            made.classes_ = [np.arange(k, dtype=np.float64) for k in tree.n_classes]
            made.n_classes_ = tree.n_classes
            _targets.unwrap(made)
        return made

    def _score_out_of_bag(self, x: Array, y: Array) -> None:
        if is_classifier(self) and type_of_target(y) == "multiclass-multioutput":
            raise DataError(
                "The type of target cannot be used to compute OOB estimates. Got "
                "multiclass-multioutput while only the following are supported: "
                "continuous, continuous-multioutput, binary, multiclass, "
                "multilabel-indicator."
            )
        bootstrap: Any = self._bootstrap
        answers, trees = self._forest.out_of_bag(x, bootstrap, self._seeds)
        if not trees.all():
            warnings.warn(
                "Some inputs do not have OOB scores. This probably means too few trees "
                "were used to compute any reliable OOB estimates.",
                UserWarning,
                stacklevel=4,
            )
        score = self.oob_score if callable(self.oob_score) else None
        self._set_out_of_bag(answers, y.astype(np.float64), score)

    def _set_out_of_bag(self, answers: Array, y: Array, score: Any) -> None:
        """Set the attributes, from answers of shape (n, outputs, classes)."""
        raise NotImplementedError

    def _rows(self, X: Any) -> Any:
        check_is_fitted(self, "estimators_")
        return _table.predicted_table(self, X)

    def _answers(self, X: Any) -> Array:
        """The mean of the trees' answers: shape (n, outputs, classes)."""
        answers: Array = _table.in_blocks(self._rows(X), self._forest.predict)
        return answers

    def apply(self, X: Any) -> Array:
        """The leaf in which each row ends, in each tree.

        Parameters
        ----------
        X : array-like, frame or sparse matrix, shape (n, d)

        Returns
        -------
        ndarray of int64, shape (n, trees)
        """
        leaves: Array = _table.in_blocks(self._rows(X), self._forest.apply)
        return leaves

    def decision_path(self, X: Any) -> tuple[Any, Array]:
        """The nodes that each row passes, in all trees.

        Parameters
        ----------
        X : array-like, frame or sparse matrix, shape (n, d)

        Returns
        -------
        indicator : csr_matrix, shape (n, nodes of all trees)
        n_nodes_ptr : ndarray of int64, shape (trees + 1,)
            Columns ``n_nodes_ptr[t]`` to ``n_nodes_ptr[t + 1]`` are those of tree t.
        """
        leaves = self.apply(X)
        parts = []
        for t in range(len(self._forest)):
            tree = self._forest.tree(t)
            indptr, indices = tree.ways(leaves[:, t])
            ones = np.ones(len(indices), np.int64)
            shape = (len(leaves), tree.node_count)
            parts.append(csr_matrix((ones, indices, indptr), shape=shape))
        return sparse_hstack(parts).tocsr(), self._forest.first.copy()

    @property
    def feature_importances_(self) -> Array:
        """What the splits on each column gain, in parts of 1, over all trees."""
        check_is_fitted(self)
        trees = [e.tree_ for e in self.estimators_ if e.tree_.node_count > 1]
        if not trees:
            return np.zeros(self.n_features_in_)
        mean = np.mean([tree.compute_feature_importances() for tree in trees], axis=0)
        importances: Array = mean / mean.sum()
        return importances

    @property
    def estimators_samples_(self) -> list[Array]:
        """The rows that each tree was grown on, as they were drawn."""
        check_is_fitted(self)
        if self._bootstrap is None:
            return [np.arange(self._n_samples) for _ in self._seeds]
        return [self._bootstrap.rows(seed) for seed in self._seeds.tolist()]

    @property
    def history_(self) -> dict[str, list[int]]:
        """Of each tree its number of "nodes" and of "leaves", and its "depth"."""
        check_is_fitted(self)
        trees = [e.tree_ for e in self.estimators_]
        return {
            "nodes": [tree.node_count for tree in trees],
            "leaves": [tree.n_leaves for tree in trees],
            "depth": [tree.max_depth for tree in trees],
        }

    @property
    def estimator(self) -> Any:
        """A tree that has not been fitted, of the kind that the forest is made of."""
        return self._kind()

    @property
    def estimator_(self) -> Any:
        """As `estimator`, once there are fitted ones."""
        check_is_fitted(self)
        return self._kind()

    def __len__(self) -> int:
        return len(self.estimators_)

    def __getitem__(self, index: int) -> Any:
        return self.estimators_[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.estimators_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        return tags
