"""MinMaxScaler and MaxAbsScaler: columns between two bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import OneToOneFeatureMixin, TransformerMixin

from dotori.algorithms.scaling import Step, column_range, usable
from dotori.errors import ArgumentError, DTypeError
from dotori.learn._arguments import boolean
from dotori.learn._base import Estimator
from dotori.learn._callbacks import with_callbacks
from dotori.learn.preprocessing._columns import (
    change,
    check_finite,
    read,
    scale_columns,
    to_change,
)


def _range_of(scaler: Any, X: Any) -> tuple[Any, Any]:
    low, high = column_range(X)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        check_finite(scaler, X)
    return low, high


class MinMaxScaler(OneToOneFeatureMixin, TransformerMixin, Estimator):
    """(x - minimum) / (maximum - minimum), column by column, or any other range.

    NaN is left out of the statistics and stays. Columns of equal numbers become the
    lower bound.

    Parameters
    ----------
    feature_range : tuple (low, high)
        What minimum and maximum become.
    copy : bool
        False changes the array that is transformed, if it holds floats.
    clip : bool
        Whether later numbers beyond the range become its bounds.

    Attributes
    ----------
    data_min_, data_max_, data_range_ : arrays of shape (d,)
    scale_, min_ : arrays of shape (d,)
        The result is ``X * scale_ + min_``.
    n_samples_seen_ : int

    Examples
    --------
    >>> scaler = MinMaxScaler().fit([[1.0], [3.0]])
    >>> scaler.transform([[1.0], [2.0], [5.0]]).tolist()
    [[0.0], [0.5], [2.0]]
    """

    data_min_: Any
    data_max_: Any
    n_samples_seen_: Any

    def __init__(
        self,
        feature_range: tuple[float, float] = (0, 1),
        *,
        copy: bool = True,
        clip: bool = False,
    ) -> None:
        self.feature_range = feature_range
        self.copy = copy
        self.clip = clip

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> MinMaxScaler:
        """Minimum and maximum of the columns of X, of shape (n, d)."""
        self.__dict__.pop("n_samples_seen_", None)
        return self._learn(X, y)

    @with_callbacks
    def partial_fit(self, X: Any, y: Any = None) -> MinMaxScaler:
        """More rows: the range becomes that of all that was ever given."""
        return self._learn(X, y)

    def _learn(self, X: Any, y: Any) -> MinMaxScaler:
        bounds = self._bounds()
        if sparse.issparse(X):
            raise DTypeError(
                "MinMaxScaler does not support sparse input, as its zeros would not "
                "stay zeros. Consider using MaxAbsScaler instead."
            )
        first = not hasattr(self, "n_samples_seen_")
        X = read(self, X, reset=first)
        bottom, top = (X.dtype.type(bound) for bound in bounds)
        with self._tasks("fit", X, y, most=0):
            low, high = _range_of(self, X)
            seen = len(X)
            if not first:
                low = np.fmin(self.data_min_, low)
                high = np.fmax(self.data_max_, high)
                seen += self.n_samples_seen_
            self.data_min_, self.data_max_ = low, high
            self.data_range_ = high - low
            self.scale_ = (top - bottom) / usable(self.data_range_)
            self.min_ = bottom - low * self.scale_
            self.n_samples_seen_ = seen
        return self

    def _bounds(self) -> tuple[float, float]:
        boolean(self, "copy")
        boolean(self, "clip")
        bounds = self.feature_range
        if not isinstance(bounds, tuple) or len(bounds) != 2:
            raise ArgumentError(
                "MinMaxScaler: feature_range must be a tuple (low, high), "
                f"got {bounds!r}"
            )
        if not bounds[0] < bounds[1]:
            raise ArgumentError(
                "MinMaxScaler: feature_range must have its minimum below its maximum, "
                f"got {bounds}"
            )
        return bounds

    def transform(self, X: Any) -> Any:
        """The scaled rows; float32 stays float32."""
        X, target = to_change(self, X, copy=self.copy)
        steps: list[Step] = [(np.multiply, self.scale_), (np.add, self.min_)]
        if self.clip:
            low, high = (np.full(len(self.scale_), b) for b in self.feature_range)
            steps += [(np.maximum, low), (np.minimum, high)]
        return change(self, X, target, steps)

    def inverse_transform(self, X: Any) -> Any:
        """The rows that `transform` made X of."""
        X, target = to_change(self, X, copy=self.copy, back=True)
        return change(
            self, X, target, [(np.subtract, self.min_), (np.divide, self.scale_)]
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class MaxAbsScaler(OneToOneFeatureMixin, TransformerMixin, Estimator):
    """x / max |x|, column by column: zeros stay zeros, also in sparse matrices.

    Parameters
    ----------
    copy : bool
        False changes what is transformed, if it holds floats.
    clip : bool
        Whether later numbers beyond -1 and 1 become these.

    Attributes
    ----------
    max_abs_, scale_ : arrays of shape (d,)
        The largest absolute value, and what is divided by.
    n_samples_seen_ : int

    Examples
    --------
    >>> MaxAbsScaler().fit_transform([[1.0, 0.0], [-4.0, 2.0]]).tolist()
    [[0.25, 0.0], [-1.0, 1.0]]
    """

    max_abs_: Any
    n_samples_seen_: Any

    def __init__(self, *, copy: bool = True, clip: bool = False) -> None:
        self.copy = copy
        self.clip = clip

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> MaxAbsScaler:
        """The largest absolute values of the columns of X, of shape (n, d)."""
        self.__dict__.pop("n_samples_seen_", None)
        return self._learn(X, y)

    @with_callbacks
    def partial_fit(self, X: Any, y: Any = None) -> MaxAbsScaler:
        """More rows: the statistics become those of all that was ever given."""
        return self._learn(X, y)

    def _learn(self, X: Any, y: Any) -> MaxAbsScaler:
        boolean(self, "copy")
        boolean(self, "clip")
        first = not hasattr(self, "n_samples_seen_")
        X = read(self, X, reset=first, accept_sparse=("csr", "csc"))
        with self._tasks("fit", X, y, most=0):
            if sparse.issparse(X):
                largest = _largest_stored(X)
            else:
                low, high = _range_of(self, X)
                largest = np.maximum(np.abs(low), np.abs(high))
            seen = X.shape[0]
            if not first:
                largest = np.fmax(self.max_abs_, largest)
                seen += self.n_samples_seen_
            self.max_abs_, self.scale_ = largest, usable(largest)
            self.n_samples_seen_ = seen
        return self

    def transform(self, X: Any) -> Any:
        """The scaled rows; float32 stays float32."""
        return self._times(X, back=False)

    def inverse_transform(self, X: Any) -> Any:
        """The rows that `transform` made X of."""
        return self._times(X, back=True)

    def _times(self, X: Any, back: bool) -> Any:
        X, target = to_change(
            self, X, copy=self.copy, accept_sparse=("csr", "csc"), back=back
        )
        clip = self.clip and not back
        if sparse.issparse(X):
            X = scale_columns(X, self.scale_ if back else 1 / self.scale_)
            if clip:
                np.clip(X.data, -1, 1, out=X.data)
            return X
        steps: list[Step] = [(np.multiply if back else np.divide, self.scale_)]
        if clip:
            one = np.ones(len(self.scale_))
            steps += [(np.maximum, -one), (np.minimum, one)]
        return change(self, X, target, steps)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _largest_stored(X: Any) -> Any:
    rows = X.tocsr()
    stored = np.bincount(rows.indices, minlength=X.shape[1])
    # what is not stored is zero; without any, there may be nothing but NaN
    largest = np.where(stored < X.shape[0], 0, np.nan).astype(X.dtype)
    np.fmax.at(largest, rows.indices, np.abs(rows.data))
    return largest
