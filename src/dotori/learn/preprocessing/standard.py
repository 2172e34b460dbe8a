"""StandardScaler: mean 0 and variance 1 for each column."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import _check_sample_weight

from dotori.algorithms.moments import Moments, column_moments, sparse_moments
from dotori.algorithms.scaling import Step, usable
from dotori.learn._arguments import boolean
from dotori.learn._base import Estimator
from dotori.learn._callbacks import with_callbacks
from dotori.learn.preprocessing._columns import (
    UncentrableError,
    change,
    check_finite,
    read,
    scale_columns,
    to_change,
)


class StandardScaler(OneToOneFeatureMixin, TransformerMixin, Estimator):
    """z = (x - mean) / standard deviation, column by column.

    The deviation is that of the population, sqrt(sum (x - m)^2 / n). NaN is left out of
    the statistics and stays. Columns of equal numbers are only centred.

    Parameters
    ----------
    copy : bool
        False changes the array that is transformed, if it holds floats.
    with_mean : bool
        Whether the mean is taken off.
    with_std : bool
        Whether the deviation is divided by.

    Attributes
    ----------
    mean_, var_, scale_ : float64 arrays of shape (d,), or None
        Mean, variance, and what is divided by.
    n_samples_seen_ : number or array of shape (d,)
        Rows, or sum of weights; by column if there are NaN.

    References
    ----------
    The mean and the variance of several parts: T. F. Chan, G. H. Golub, R. J. LeVeque,
    *Algorithms for computing the sample variance*, The American Statistician 37, 1983.

    Examples
    --------
    >>> scaler = StandardScaler().fit([[1.0, 7.0], [3.0, 7.0]])
    >>> scaler.transform([[1.0, 7.0], [5.0, 8.0]]).tolist()
    [[-1.0, 0.0], [3.0, 1.0]]
    """

    mean_: Any
    var_: Any
    scale_: Any
    n_samples_seen_: Any

    def __init__(
        self, *, copy: bool = True, with_mean: bool = True, with_std: bool = True
    ) -> None:
        self.with_mean = with_mean
        self.with_std = with_std
        self.copy = copy

    @with_callbacks
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> StandardScaler:
        """Mean and variance of the columns of X, of shape (n, d)."""
        for name in ("scale_", "n_samples_seen_", "mean_", "var_"):
            self.__dict__.pop(name, None)
        return self._learn(X, y, sample_weight)

    @with_callbacks
    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: Any = None
    ) -> StandardScaler:
        """More rows: the statistics become those of all that was ever given."""
        return self._learn(X, y, sample_weight)

    def _learn(self, X: Any, y: Any, sample_weight: Any) -> StandardScaler:
        for name in ("copy", "with_mean", "with_std"):
            boolean(self, name)
        first = not hasattr(self, "n_samples_seen_")
        X = read(self, X, reset=first, accept_sparse=("csr", "csc"))
        if sparse.issparse(X) and self.with_mean:
            raise UncentrableError("StandardScaler", "with_mean")
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X, dtype=X.dtype)
        about = {"sample_weight": sample_weight}
        with self._tasks("fit", X, y, most=0, metadata=about):
            found = self._moments(X, weights)
            moments = found if first else self._so_far().join(found)
            self._keep(moments, weighted=weights is not None)
        return self

    def _moments(self, X: Any, weights: Any) -> Moments:
        if sparse.issparse(X):
            return sparse_moments(X, weights)
        found = column_moments(X, weights, squares=self.with_std)
        if not np.isfinite(found.mean).all() or len(X) > found.count.min(initial=0):
            check_finite(self, X)
        return found

    def _so_far(self) -> Moments:
        count = np.zeros(self.n_features_in_) + self.n_samples_seen_
        mean = np.zeros_like(count) if self.mean_ is None else self.mean_
        variance = 0.0 if self.var_ is None else self.var_
        squares = np.where(count > 0, variance * count, 0.0)
        return Moments(count, np.where(count > 0, mean, 0.0), squares)

    def _keep(self, moments: Moments, weighted: bool) -> None:
        count: Any = moments.count
        if not (weighted or self.with_mean or self.with_std):
            count = count.astype(np.int64)  # rows were counted, and nothing else
        equal = bool((count == count[0]).all())
        self.n_samples_seen_ = count[0] if equal else count
        needed = self.with_mean or self.with_std
        self.mean_ = moments.mean if needed else None
        self.var_ = moments.variance if self.with_std else None
        self.scale_ = None
        if self.with_std:
            self.scale_ = usable(np.sqrt(moments.variance), moments.constant())

    def transform(self, X: Any, copy: bool | None = None) -> Any:
        """The scaled rows; float32 stays float32."""
        copy = self.copy if copy is None else copy
        X, target = to_change(self, X, copy=copy, accept_sparse="csr")
        if sparse.issparse(X):
            if self.with_mean:
                raise UncentrableError("StandardScaler", "with_mean")
            return X if self.scale_ is None else scale_columns(X, 1 / self.scale_)
        steps: list[Step] = [(np.subtract, self.mean_)] if self.with_mean else []
        steps += [(np.divide, self.scale_)] if self.with_std else []
        return change(self, X, target, steps)

    def inverse_transform(self, X: Any, copy: bool | None = None) -> Any:
        """The rows that `transform` made X of."""
        copy = self.copy if copy is None else copy
        X, target = to_change(self, X, copy=copy, accept_sparse="csr", back=True)
        if sparse.issparse(X):
            if self.with_mean:
                raise UncentrableError("StandardScaler", "with_mean")
            return X if self.scale_ is None else scale_columns(X, self.scale_)
        steps: list[Step] = [(np.multiply, self.scale_)] if self.with_std else []
        steps += [(np.add, self.mean_)] if self.with_mean else []
        return change(self, X, target, steps)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = not self.with_mean
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
