"""Random forests and extremely randomized trees, for classes and for numbers."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import compute_sample_weight

from dotori.errors import ArgumentError
from dotori.learn.ensemble._base import BaseForest
from dotori.learn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
    _targets,
)

Array = NDArray[Any]


class _ForestClassifier(ClassifierMixin, BaseForest):
    """What forests for classes share."""

    def _encoded(self, y: Array, weight: Array | None) -> tuple[Array, Array | None]:
        numbers = _targets.encoded_classes(self, y)
        asked = self.class_weight
        if isinstance(asked, str) and asked in ("balanced", "balanced_subsample"):
            if asked == "balanced_subsample" and self.bootstrap:
                return numbers, None  # tree by tree, from what was drawn
            asked = self._balanced(y, weight)
        elif asked is not None and not isinstance(asked, (dict, list)):
            raise ArgumentError(
                f"{type(self).__name__}: class_weight must be a dict, a list of dicts "
                "by output, 'balanced', 'balanced_subsample' or None, got "
                f"{asked!r}"
            )
        if asked is None:
            return numbers, None
        return numbers, compute_sample_weight(asked, y)

    def _balanced(self, y: Array, weight: Array | None) -> Any:
        """A dict for each output: weights by which all its classes weigh the same."""
        found = []
        for k, classes in enumerate(self.classes_):
            # scikit-learn counts the weight of samples from 1.8 on; here always
            w = np.ones(len(y)) if weight is None else weight
            number = np.searchsorted(classes, y[:, k])
            each = w.sum() / (len(classes) * np.bincount(number, w))
            found.append(dict(zip(classes.tolist(), each.tolist(), strict=True)))
        return found[0] if len(found) == 1 else found

    def predict(self, X: Any) -> Array:
        """The class with the largest mean probability over the trees.

        Parameters
        ----------
        X : array-like, frame or sparse matrix, shape (n, d)

        Returns
        -------
        ndarray, shape (n,) or (n, outputs)
        """
        return _targets.predicted_classes(self, self.predict_proba(X))

    def predict_proba(self, X: Any) -> Any:
        """The mean over the trees of the fractions of classes in each row's leaf.

        Parameters
        ----------
        X : array-like, frame or sparse matrix, shape (n, d)

        Returns
        -------
        ndarray, shape (n, classes), or a list of such by output
        """
        return _targets.by_output(self, self._answers(X))

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithms of `predict_proba`; -inf for classes that no leaf has."""
        return _targets.logarithms(self.predict_proba(X))

    def _set_out_of_bag(self, answers: Array, y: Array, score: Any) -> None:
        by_class = answers.swapaxes(1, 2)  # scikit-learn: outputs come last
        found = by_class[:, :, 0] if self.n_outputs_ == 1 else by_class
        self.oob_decision_function_ = np.ascontiguousarray(found)
        score = score or _metric("accuracy_score")
        self.oob_score_ = score(y, self.oob_decision_function_.argmax(axis=1))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class _ForestRegressor(RegressorMixin, BaseForest):
    """What forests for numbers share."""

    def predict(self, X: Any) -> Array:
        """The mean of the trees' answers.

        Parameters
        ----------
        X : array-like, frame or sparse matrix, shape (n, d)

        Returns
        -------
        ndarray of float64, shape (n,) or (n, outputs)
        """
        answers = self._answers(X)[:, :, 0]
        return answers[:, 0] if self.n_outputs_ == 1 else answers

    def _set_out_of_bag(self, answers: Array, y: Array, score: Any) -> None:
        found = answers[:, :, 0]
        self.oob_prediction_ = found[:, 0] if self.n_outputs_ == 1 else found
        score = score or _metric("r2_score")
        self.oob_score_ = score(y, self.oob_prediction_)


def _metric(name: str) -> Any:
    """One of scikit-learn's, which takes long to load and is seldom needed."""
    return getattr(import_module("sklearn.metrics"), name)


class RandomForestClassifier(_ForestClassifier):
    """Trees on bootstrap samples, each node of which looks at some columns only.

    Their answers differ, as they have seen different samples and columns, and the mean
    of many varies less than one of them.

    Parameters
    ----------
    n_estimators : int
        The number of trees.
    criterion, max_depth, min_samples_split, min_samples_leaf,
    min_weight_fraction_leaf, max_features, max_leaf_nodes, min_impurity_decrease,
    ccp_alpha, monotonic_cst, categorical_features
        Of each tree: see `DecisionTreeClassifier`.
    bootstrap : bool
        Grow each tree on a sample drawn with replacement; on all samples if False.
    oob_score : bool or callable
        Score the forest on what each of its trees has not seen. A callable is given y
        and the prediction; accuracy is the default.
    n_jobs : int, optional
        Is taken for compatibility: the trees grow on all of dotori's threads, as many
        as OMP_NUM_THREADS says, and are the same for any number.
    random_state : int, RandomState or None
        Of samples and columns.
    verbose : int
        From 2 on, a line is written for each tree.
    warm_start : bool
        Keep the trees of the last fit, and add what is missing to `n_estimators`.
    class_weight : dict, list of dict, "balanced", "balanced_subsample" or None
        The weight of each class; "balanced_subsample" balances the sample of each tree.
    max_samples : int or float, optional
        The size of a bootstrap sample, or its part of all weight. If None, as many
        draws as samples; where all of `sample_weight` are whole numbers, as many as
        they count, so that a weight is the same as that many copies.

    Attributes
    ----------
    estimators_ : list of DecisionTreeClassifier
        The trees; their arrays are views of the forest's.
    classes_, n_classes_, n_outputs_, n_features_in_, feature_names_in_, categories_,
    is_categorical_, feature_importances_
        As for `DecisionTreeClassifier`.
    estimators_samples_ : list of ndarray
        The rows that were drawn for each tree.
    oob_score_ : float
    oob_decision_function_ : ndarray, shape (n, classes) or (n, classes, outputs)
        What the trees that have not seen a sample say of it.
    history_ : dict of lists
        Nodes, leaves and depth of each tree.

    Notes
    -----
    The trees do not depend on the order of the rows. Their random numbers are not
    scikit-learn's, so that the same seed gives other trees than there.

    References
    ----------
    Breiman, "Random forests", Machine Learning 45, 2001.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(10, oob_score=True, random_state=0).fit(X, y)
    >>> forest.oob_score_ > 0.9
    True
    """

    _splitter: ClassVar[str] = "best"
    _kind: ClassVar[Any] = DecisionTreeClassifier

    def __init__(
        self,
        n_estimators: Any = 100,
        *,
        criterion: Any = "gini",
        max_depth: Any = None,
        min_samples_split: Any = 2,
        min_samples_leaf: Any = 1,
        min_weight_fraction_leaf: Any = 0.0,
        max_features: Any = "sqrt",
        max_leaf_nodes: Any = None,
        min_impurity_decrease: Any = 0.0,
        bootstrap: Any = True,
        oob_score: Any = False,
        n_jobs: Any = None,
        random_state: Any = None,
        verbose: Any = 0,
        warm_start: Any = False,
        class_weight: Any = None,
        ccp_alpha: Any = 0.0,
        max_samples: Any = None,
        monotonic_cst: Any = None,
        categorical_features: Any = "from_dtype",
    ) -> None:
        super().__init__(
            n_estimators,
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            min_impurity_decrease=min_impurity_decrease,
            bootstrap=bootstrap,
            oob_score=oob_score,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
            class_weight=class_weight,
            ccp_alpha=ccp_alpha,
            max_samples=max_samples,
            monotonic_cst=monotonic_cst,
            categorical_features=categorical_features,
        )


class RandomForestRegressor(_ForestRegressor):
    """Trees on bootstrap samples, whose answers' mean is the prediction.

    Parameters
    ----------
    n_estimators, criterion, max_depth, min_samples_split, min_samples_leaf,
    min_weight_fraction_leaf, max_features, max_leaf_nodes, min_impurity_decrease,
    ccp_alpha, monotonic_cst, categorical_features, bootstrap, oob_score, n_jobs,
    random_state, verbose, warm_start, max_samples
        As for `RandomForestClassifier`; a node looks at all columns, and the score is
        R^2.

    Attributes
    ----------
    oob_prediction_ : ndarray, shape (n,) or (n, outputs)
    estimators_, n_outputs_, n_features_in_, feature_names_in_, categories_,
    is_categorical_, feature_importances_, estimators_samples_, oob_score_, history_
        As for `RandomForestClassifier`.

    References
    ----------
    Breiman, "Random forests", Machine Learning 45, 2001.

    Examples
    --------
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 0.0, 1.0, 1.0]
    >>> forest = RandomForestRegressor(50, random_state=0).fit(X, y)
    >>> bool(forest.predict([[0.0]])[0] < 0.5 < forest.predict([[3.0]])[0])
    True
    """

    _splitter: ClassVar[str] = "best"
    _kind: ClassVar[Any] = DecisionTreeRegressor

    def __init__(
        self,
        n_estimators: Any = 100,
        *,
        criterion: Any = "squared_error",
        max_depth: Any = None,
        min_samples_split: Any = 2,
        min_samples_leaf: Any = 1,
        min_weight_fraction_leaf: Any = 0.0,
        max_features: Any = 1.0,
        max_leaf_nodes: Any = None,
        min_impurity_decrease: Any = 0.0,
        bootstrap: Any = True,
        oob_score: Any = False,
        n_jobs: Any = None,
        random_state: Any = None,
        verbose: Any = 0,
        warm_start: Any = False,
        ccp_alpha: Any = 0.0,
        max_samples: Any = None,
        monotonic_cst: Any = None,
        categorical_features: Any = "from_dtype",
    ) -> None:
        super().__init__(
            n_estimators,
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            min_impurity_decrease=min_impurity_decrease,
            bootstrap=bootstrap,
            oob_score=oob_score,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
            ccp_alpha=ccp_alpha,
            max_samples=max_samples,
            monotonic_cst=monotonic_cst,
            categorical_features=categorical_features,
        )


class ExtraTreesClassifier(_ForestClassifier):
    """Trees of random thresholds: extremely randomized trees.

    Each node draws one threshold for each of the columns that it looks at, and takes
    the best of these. All trees see all samples, unless `bootstrap` is True.

    Parameters
    ----------
    n_estimators, criterion, max_depth, min_samples_split, min_samples_leaf,
    min_weight_fraction_leaf, max_features, max_leaf_nodes, min_impurity_decrease,
    ccp_alpha, monotonic_cst, categorical_features, bootstrap, oob_score, n_jobs,
    random_state, verbose, warm_start, class_weight, max_samples
        As for `RandomForestClassifier`.

    Attributes
    ----------
    estimators_ : list of ExtraTreeClassifier
    classes_, n_classes_, n_outputs_, n_features_in_, feature_names_in_, categories_,
    is_categorical_, feature_importances_, estimators_samples_, oob_score_,
    oob_decision_function_, history_
        As for `RandomForestClassifier`.

    References
    ----------
    Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> ExtraTreesClassifier(10, random_state=0).fit(X, y).score(X, y)
    1.0
    """

    _splitter: ClassVar[str] = "random"
    _kind: ClassVar[Any] = ExtraTreeClassifier

    def __init__(
        self,
        n_estimators: Any = 100,
        *,
        criterion: Any = "gini",
        max_depth: Any = None,
        min_samples_split: Any = 2,
        min_samples_leaf: Any = 1,
        min_weight_fraction_leaf: Any = 0.0,
        max_features: Any = "sqrt",
        max_leaf_nodes: Any = None,
        min_impurity_decrease: Any = 0.0,
        bootstrap: Any = False,
        oob_score: Any = False,
        n_jobs: Any = None,
        random_state: Any = None,
        verbose: Any = 0,
        warm_start: Any = False,
        class_weight: Any = None,
        ccp_alpha: Any = 0.0,
        max_samples: Any = None,
        monotonic_cst: Any = None,
        categorical_features: Any = "from_dtype",
    ) -> None:
        super().__init__(
            n_estimators,
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            min_impurity_decrease=min_impurity_decrease,
            bootstrap=bootstrap,
            oob_score=oob_score,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
            class_weight=class_weight,
            ccp_alpha=ccp_alpha,
            max_samples=max_samples,
            monotonic_cst=monotonic_cst,
            categorical_features=categorical_features,
        )


class ExtraTreesRegressor(_ForestRegressor):
    """Trees of random thresholds, whose answers' mean is the prediction.

    Parameters
    ----------
    n_estimators, criterion, max_depth, min_samples_split, min_samples_leaf,
    min_weight_fraction_leaf, max_features, max_leaf_nodes, min_impurity_decrease,
    ccp_alpha, monotonic_cst, categorical_features, bootstrap, oob_score, n_jobs,
    random_state, verbose, warm_start, max_samples
        As for `RandomForestRegressor`.

    Attributes
    ----------
    estimators_ : list of ExtraTreeRegressor
    oob_prediction_, n_outputs_, n_features_in_, feature_names_in_, categories_,
    is_categorical_, feature_importances_, estimators_samples_, oob_score_, history_
        As for `RandomForestRegressor`.

    References
    ----------
    Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.

    Examples
    --------
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 0.0, 1.0, 1.0]
    >>> ExtraTreesRegressor(10, random_state=0).fit(X, y).predict([[0.0]]).tolist()
    [0.0]
    """

    _splitter: ClassVar[str] = "random"
    _kind: ClassVar[Any] = ExtraTreeRegressor

    def __init__(
        self,
        n_estimators: Any = 100,
        *,
        criterion: Any = "squared_error",
        max_depth: Any = None,
        min_samples_split: Any = 2,
        min_samples_leaf: Any = 1,
        min_weight_fraction_leaf: Any = 0.0,
        max_features: Any = 1.0,
        max_leaf_nodes: Any = None,
        min_impurity_decrease: Any = 0.0,
        bootstrap: Any = False,
        oob_score: Any = False,
        n_jobs: Any = None,
        random_state: Any = None,
        verbose: Any = 0,
        warm_start: Any = False,
        ccp_alpha: Any = 0.0,
        max_samples: Any = None,
        monotonic_cst: Any = None,
        categorical_features: Any = "from_dtype",
    ) -> None:
        super().__init__(
            n_estimators,
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            min_impurity_decrease=min_impurity_decrease,
            bootstrap=bootstrap,
            oob_score=oob_score,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
            ccp_alpha=ccp_alpha,
            max_samples=max_samples,
            monotonic_cst=monotonic_cst,
            categorical_features=categorical_features,
        )
