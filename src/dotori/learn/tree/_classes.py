"""The four trees: of questions that are tried, or drawn; for classes or numbers."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin

from dotori.learn.tree import _targets
from dotori.learn.tree._base import BaseTree

Array = NDArray[Any]


class DecisionTreeClassifier(ClassifierMixin, BaseTree):
    """A tree of questions about single columns, whose leaves are fractions of classes.

    Parameters
    ----------
    criterion : {"gini", "entropy", "log_loss"}
        What a question must lower: Gini's impurity, or the entropy (two names), so that
        the gain is the information gain. See `dotori.algorithms.tree.criteria`.
    splitter : {"best", "random"}
        "best" tries every threshold, "random" one for each column.
    max_depth : int, optional
        The most questions before a leaf; no limit if None.
    min_samples_split, min_samples_leaf : int or float
        The fewest samples of a node that is split, and of a leaf; as a float, a part of
        all samples.
    min_weight_fraction_leaf : float
        The smallest part of all weight that may be in a leaf.
    max_features : int, float, {"sqrt", "log2"} or None
        How many columns a node looks at, drawn at random; all of them if None.
    random_state : int, RandomState or None
        Of the draws, where there are any. Questions of equal gain are not drawn from:
        without `max_features` a tree does not depend on it.
    max_leaf_nodes : int, optional
        Grow the best leaves first, up to this many.
    min_impurity_decrease : float
        The least that a question must gain, weighted with the node's part of samples.
    class_weight : dict, list of dict, "balanced" or None
        The weight of each class; "balanced" gives all classes the same in sum.
    ccp_alpha : float
        The price of a leaf in cost-complexity pruning; see
        `dotori.algorithms.tree.pruning`.
    monotonic_cst : array-like of int, shape (d,), optional
        1 where the probability of the second of two classes must not fall as the column
        rises, -1 where it must not rise.
    categorical_features : "from_dtype", array-like or None
        Which columns are categories, to be split by subsets: those whose type says so
        in a frame, or bools, numbers or names of columns. scikit-learn has no such
        parameter; tables of numbers are treated as it does.

    Attributes
    ----------
    tree_ : dotori.algorithms.tree.Tree
        The nodes as arrays.
    classes_ : ndarray, or list of ndarray by output
    n_classes_ : int, or ndarray by output
    n_outputs_, n_features_in_, max_features_ : int
    feature_names_in_ : ndarray of str
        Where X has names.
    feature_importances_ : ndarray, shape (d,)
    categories_ : list or None
        The categories of each column, None for a column of numbers.
    is_categorical_ : ndarray of bool, shape (d,), or None
    history_ : dict of lists
        The splits with their gains.

    References
    ----------
    Breiman, Friedman, Olshen and Stone, "Classification and regression trees", 1984.
    Quinlan, "Induction of decision trees", Machine Learning 1, 1986.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier(max_depth=2).fit(X, y)
    >>> tree.predict(X[[0, 60, 120]]).tolist()
    [0, 1, 2]
    >>> [round(gain, 3) for gain in tree.history_["gain"]]
    [0.333, 0.26]
    """

    def __init__(
        self,
        *,
        criterion: Any = "gini",
        splitter: Any = "best",
        max_depth: Any = None,
        min_samples_split: Any = 2,
        min_samples_leaf: Any = 1,
        min_weight_fraction_leaf: Any = 0.0,
        max_features: Any = None,
        random_state: Any = None,
        max_leaf_nodes: Any = None,
        min_impurity_decrease: Any = 0.0,
        class_weight: Any = None,
        ccp_alpha: Any = 0.0,
        monotonic_cst: Any = None,
        categorical_features: Any = "from_dtype",
    ) -> None:
        super().__init__(
            criterion=criterion,
            splitter=splitter,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            random_state=random_state,
            min_impurity_decrease=min_impurity_decrease,
            class_weight=class_weight,
            ccp_alpha=ccp_alpha,
            monotonic_cst=monotonic_cst,
            categorical_features=categorical_features,
        )

    def _encoded(self, y: Array, weight: Array | None) -> tuple[Array, Array | None]:
        numbers = _targets.encoded_classes(self, y)
        by_class = _targets.weight_of_classes(self.class_weight, y)
        return numbers, _targets.product(weight, by_class)

    def predict(self, X: Any, check_input: bool = True) -> Array:
        """The most frequent class of each row's leaf; the first of equals.

        Parameters
        ----------
        X : array-like, frame or sparse matrix, shape (n, d)
        check_input : bool
            False passes over the checks of X, which must then be a float32 array.

        Returns
        -------
        ndarray, shape (n,) or (n, outputs)
        """
        return _targets.predicted_classes(self, self.predict_proba(X, check_input))

    def predict_proba(self, X: Any, check_input: bool = True) -> Any:
        """The fraction of each class in each row's leaf.

        Parameters
        ----------
        X, check_input
            As for `predict`.

        Returns
        -------
        ndarray, shape (n, classes), or a list of such by output
        """
        return _targets.by_output(self, self._answers(X, check_input))

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithms of `predict_proba`; -inf for classes that are not there."""
        return _targets.logarithms(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class DecisionTreeRegressor(RegressorMixin, BaseTree):
    """A tree of questions about single columns, whose leaves are means (or medians).

    Parameters
    ----------
    criterion : {"squared_error", "absolute_error", "poisson"}
        What a question must lower: the variance, the mean distance from the median,
        or the Poisson deviance (for counts). "friedman_mse", which scikit-learn
        deprecates, gives the trees of "squared_error".
    splitter, max_depth, min_samples_split, min_samples_leaf, min_weight_fraction_leaf,
    max_features, random_state, max_leaf_nodes, min_impurity_decrease, ccp_alpha,
    monotonic_cst, categorical_features
        As for `DecisionTreeClassifier`; constraints are on the answer.

    Attributes
    ----------
    tree_, n_outputs_, n_features_in_, max_features_, feature_names_in_,
    feature_importances_, categories_, is_categorical_, history_
        As for `DecisionTreeClassifier`.

    References
    ----------
    Breiman, Friedman, Olshen and Stone, "Classification and regression trees", 1984.

    Examples
    --------
    >>> tree = DecisionTreeRegressor(max_depth=1).fit([[1], [2], [3]], [1.0, 1.0, 4.0])
    >>> tree.predict([[0], [9]]).tolist()
    [1.0, 4.0]
    """

    def __init__(
        self,
        *,
        criterion: Any = "squared_error",
        splitter: Any = "best",
        max_depth: Any = None,
        min_samples_split: Any = 2,
        min_samples_leaf: Any = 1,
        min_weight_fraction_leaf: Any = 0.0,
        max_features: Any = None,
        random_state: Any = None,
        max_leaf_nodes: Any = None,
        min_impurity_decrease: Any = 0.0,
        ccp_alpha: Any = 0.0,
        monotonic_cst: Any = None,
        categorical_features: Any = "from_dtype",
    ) -> None:
        super().__init__(
            criterion=criterion,
            splitter=splitter,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            random_state=random_state,
            min_impurity_decrease=min_impurity_decrease,
            ccp_alpha=ccp_alpha,
            monotonic_cst=monotonic_cst,
            categorical_features=categorical_features,
        )

    def predict(self, X: Any, check_input: bool = True) -> Array:
        """The mean (or median) of each row's leaf.

        Parameters
        ----------
        X : array-like, frame or sparse matrix, shape (n, d)
        check_input : bool
            False passes over the checks of X, which must then be a float32 array.

        Returns
        -------
        ndarray of float64, shape (n,) or (n, outputs)
        """
        answers = self._answers(X, check_input)[:, :, 0]
        return answers[:, 0] if self.n_outputs_ == 1 else answers


class ExtraTreeClassifier(DecisionTreeClassifier):
    """A `DecisionTreeClassifier` of random thresholds, for `ExtraTreesClassifier`.

    Each node looks at the square root of the number of columns, with one threshold for
    each that is drawn between its smallest and its largest value there.

    Parameters
    ----------
    criterion, splitter, max_depth, min_samples_split, min_samples_leaf,
    min_weight_fraction_leaf, max_features, random_state, max_leaf_nodes,
    min_impurity_decrease, class_weight, ccp_alpha, monotonic_cst, categorical_features
        As for `DecisionTreeClassifier`.

    References
    ----------
    Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.

    Examples
    --------
    >>> tree = ExtraTreeClassifier(random_state=0).fit([[0], [1]], ["no", "yes"])
    >>> tree.predict([[0], [1]]).tolist()
    ['no', 'yes']
    """

    def __init__(
        self,
        *,
        criterion: Any = "gini",
        splitter: Any = "random",
        max_depth: Any = None,
        min_samples_split: Any = 2,
        min_samples_leaf: Any = 1,
        min_weight_fraction_leaf: Any = 0.0,
        max_features: Any = "sqrt",
        random_state: Any = None,
        max_leaf_nodes: Any = None,
        min_impurity_decrease: Any = 0.0,
        class_weight: Any = None,
        ccp_alpha: Any = 0.0,
        monotonic_cst: Any = None,
        categorical_features: Any = "from_dtype",
    ) -> None:
        super().__init__(
            criterion=criterion,
            splitter=splitter,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            random_state=random_state,
            max_leaf_nodes=max_leaf_nodes,
            min_impurity_decrease=min_impurity_decrease,
            class_weight=class_weight,
            ccp_alpha=ccp_alpha,
            monotonic_cst=monotonic_cst,
            categorical_features=categorical_features,
        )


class ExtraTreeRegressor(DecisionTreeRegressor):
    """A `DecisionTreeRegressor` of random thresholds, for `ExtraTreesRegressor`.

    Parameters
    ----------
    criterion, splitter, max_depth, min_samples_split, min_samples_leaf,
    min_weight_fraction_leaf, max_features, random_state, min_impurity_decrease,
    max_leaf_nodes, ccp_alpha, monotonic_cst, categorical_features
        As for `DecisionTreeRegressor`.

    References
    ----------
    Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.

    Examples
    --------
    >>> tree = ExtraTreeRegressor(random_state=0).fit([[0], [1]], [2.0, 3.0])
    >>> tree.predict([[0], [1]]).tolist()
    [2.0, 3.0]
    """

    def __init__(
        self,
        *,
        criterion: Any = "squared_error",
        splitter: Any = "random",
        max_depth: Any = None,
        min_samples_split: Any = 2,
        min_samples_leaf: Any = 1,
        min_weight_fraction_leaf: Any = 0.0,
        max_features: Any = 1.0,
        random_state: Any = None,
        min_impurity_decrease: Any = 0.0,
        max_leaf_nodes: Any = None,
        ccp_alpha: Any = 0.0,
        monotonic_cst: Any = None,
        categorical_features: Any = "from_dtype",
    ) -> None:
        super().__init__(
            criterion=criterion,
            splitter=splitter,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            random_state=random_state,
            min_impurity_decrease=min_impurity_decrease,
            ccp_alpha=ccp_alpha,
            monotonic_cst=monotonic_cst,
            categorical_features=categorical_features,
        )
