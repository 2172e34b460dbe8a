"""scikit-learn's parameters of a tree as the rules of growth, checked."""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from dotori.algorithms.tree.growth import Growth
from dotori.errors import ArgumentError
from dotori.learn._arguments import choice, number

Array = NDArray[Any]

CLASSIFICATION = ("gini", "entropy", "log_loss")
REGRESSION = ("squared_error", "absolute_error", "poisson", "friedman_mse")


def check_parameters(estimator: Any) -> None:
    """Refuse impossible values of what trees and forests share.

    Raises
    ------
    ArgumentError
        Naming the parameter, what was wanted and what was given.
    """
    criteria = CLASSIFICATION if is_classifier(estimator) else REGRESSION
    if choice(estimator, "criterion", criteria) == "friedman_mse":
        warnings.warn(
            'criterion="friedman_mse" is deprecated: it gives the trees of '
            '"squared_error", which is the name to use',
            FutureWarning,
            stacklevel=3,
        )
    number(estimator, "max_depth", low=1, integer=True, none=True)
    _count_or_part(estimator, "min_samples_split", 2, with_all=True)
    _count_or_part(estimator, "min_samples_leaf", 1, with_all=False)
    number(estimator, "min_weight_fraction_leaf", low=0, high=0.5)
    if not isinstance(estimator.max_features, str) and estimator.max_features:
        _count_or_part(estimator, "max_features", 1, with_all=True)
    else:
        choice(estimator, "max_features", ("sqrt", "log2", None))
    number(estimator, "max_leaf_nodes", low=2, integer=True, none=True)
    number(estimator, "min_impurity_decrease", low=0)
    number(estimator, "ccp_alpha", low=0)


def _count_or_part(estimator: Any, name: str, fewest: int, with_all: bool) -> None:
    """A whole number from `fewest` on, or a part of all between 0 and 1."""
    if isinstance(getattr(estimator, name), numbers.Integral):
        number(estimator, name, low=fewest, integer=True)
    else:
        number(estimator, name, low=0, high=1, open_low=True, open_high=not with_all)


def rules(
    estimator: Any, splitter: str, shape: tuple[int, int], weight: Array | None
) -> Growth:
    """The rules of growth for a table of this shape, from a checked estimator."""
    n, d = shape
    leaf = _count(estimator.min_samples_leaf, n)
    split = max(2, _count(estimator.min_samples_split, n), 2 * leaf)
    total = n if weight is None else float(weight.sum())
    depth = estimator.max_depth
    return Growth(
        criterion=estimator.criterion,
        splitter=splitter,
        max_depth=2**31 - 1 if depth is None else int(depth),
        min_samples_split=split,
        min_samples_leaf=leaf,
        min_weight_leaf=estimator.min_weight_fraction_leaf * total,
        max_features=columns_per_node(estimator.max_features, d),
        max_leaf_nodes=estimator.max_leaf_nodes,
        min_impurity_decrease=float(estimator.min_impurity_decrease),
        monotonic=_monotonic(estimator, d),
    )


def _count(value: Any, n: int) -> int:
    return int(value) if isinstance(value, numbers.Integral) else math.ceil(value * n)


def columns_per_node(value: Any, d: int) -> int:
    """`max_features` as a number of columns."""
    if value is None:
        return d
    if value == "sqrt":
        return max(1, int(math.sqrt(d)))
    if value == "log2":
        return max(1, int(math.log2(d)))
    if isinstance(value, numbers.Integral):
        return int(value)
    return max(1, int(value * d))


def _monotonic(estimator: Any, d: int) -> Array | None:
    if estimator.monotonic_cst is None:
        return None
    name = type(estimator).__name__
    signs = np.asarray(estimator.monotonic_cst)
    if estimator.n_outputs_ > 1:
        raise ArgumentError(
            f"{name}: Monotonicity constraints are not supported with multiple outputs"
        )
    if signs.shape != (d,):
        raise ArgumentError(
            f"{name}: monotonic_cst has shape {signs.shape} but the input data X has "
            f"{d} features."
        )
    if not np.isin(signs, (-1, 0, 1)).all():
        raise ArgumentError(
            f"{name}: monotonic_cst must be None or an array-like of -1, 0 or 1, but "
            f"got {np.unique(signs)}"
        )
    if is_classifier(estimator) and np.max(estimator.n_classes_) > 2:
        raise ArgumentError(
            f"{name}: Monotonicity constraints are not supported with multiclass "
            "classification"
        )
    categorical = getattr(estimator, "is_categorical_", None)
    if categorical is not None and signs[categorical].any():
        raise ArgumentError(
            f"{name}: categories have no order, so monotonic_cst must be 0 for columns "
            f"{np.flatnonzero(categorical & (signs != 0)).tolist()}"
        )
    return signs.astype(np.int8)
