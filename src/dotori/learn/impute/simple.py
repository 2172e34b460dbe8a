"""SimpleImputer: gaps filled column by column."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy import sparse as sp
from sklearn.base import TransformerMixin
from sklearn.utils.validation import (
    _check_feature_names_in,
    check_is_fitted,
    validate_data,
)

from dotori.algorithms.imputation import fill, is_missing, is_nan, most_frequent
from dotori.algorithms.moments import column_moments
from dotori.algorithms.scaling import column_quantiles, quantiles
from dotori.errors import ArgumentError, DataError
from dotori.learn._arguments import boolean, choice
from dotori.learn._base import Estimator
from dotori.learn._callbacks import with_callbacks
from dotori.learn.impute.indicator import MissingIndicator, check_kind, gaps, is_na

_STRATEGIES = ("mean", "median", "most_frequent", "constant")


class SimpleImputer(TransformerMixin, Estimator):
    """Fills gaps by the mean, median or most frequent value of their column.

    Parameters
    ----------
    missing_values : number, str, None, NaN or pandas.NA
        What marks a gap.
    strategy : {"mean", "median", "most_frequent", "constant"} or callable
        A function gets the values of a column that are there.
    fill_value : object, optional
        For "constant"; 0 for numbers and "missing_value" for strings otherwise.
    copy : bool
        False fills the gaps of the array that is transformed, if its type allows that.
    add_indicator : bool
        Whether columns are added that say where gaps were.
    keep_empty_features : bool
        Whether columns without any value are filled with 0 (or `fill_value`); they are
        left out otherwise.

    Attributes
    ----------
    statistics_ : array of shape (d,)
        What gaps are filled with; NaN for columns that are left out.
    indicator_ : MissingIndicator or None

    Examples
    --------
    >>> imputer = SimpleImputer().fit([[1.0, np.nan], [3.0, 8.0]])
    >>> imputer.transform([[np.nan, 5.0], [7.0, np.nan]]).tolist()
    [[2.0, 5.0], [7.0, 8.0]]
    """

    statistics_: Any
    indicator_: Any
    _fit_dtype: Any

    def __init__(
        self,
        *,
        missing_values: Any = np.nan,
        strategy: Any = "mean",
        fill_value: Any = None,
        copy: bool = True,
        add_indicator: bool = False,
        keep_empty_features: bool = False,
    ) -> None:
        self.missing_values = missing_values
        self.strategy = strategy
        self.fill_value = fill_value
        self.copy = copy
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> SimpleImputer:
        """Find what the gaps of each column of X, of shape (n, d), are filled with."""
        for name in ("copy", "add_indicator", "keep_empty_features"):
            boolean(self, name)
        if not callable(self.strategy):
            choice(self, "strategy", _STRATEGIES)
        X = self._read(X, reset=True)
        self._fit_dtype = X.dtype
        with self._tasks("fit", X, y, most=0):
            self.indicator_ = None
            if self.add_indicator:
                indicator = MissingIndicator(
                    missing_values=self.missing_values, error_on_new=False
                )
                self.indicator_ = indicator.fit_mask(gaps(X, self.missing_values))
            self.statistics_ = self._statistics(X)
        return self

    def _read(self, X: Any, reset: bool) -> Any:
        marker = self.missing_values
        nan = "allow-nan" if is_nan(marker) or is_na(marker) else True
        try:
            X = validate_data(
                self,
                X,
                reset=reset,
                accept_sparse="csc",
                dtype=self._type_wanted(X, reset),
                force_writeable=not reset,
                ensure_all_finite=nan,
                copy=self.copy and not reset,
            )
        except ValueError as error:
            if "could not convert" in str(error):
                raise DataError(
                    f"Cannot use {self.strategy} strategy with non-numeric data:\n"
                    f"{error}"
                ) from None
            raise
        check_kind(self, X)
        if self.strategy == "constant":
            self._check_constant(X, reset)
        return X

    def _type_wanted(self, X: Any, reset: bool) -> Any:
        if not reset and self._fit_dtype.kind == "O":
            return self._fit_dtype
        if self.strategy not in ("most_frequent", "constant"):
            return [np.float64, np.float32, np.float16]
        # a list of strings would become an array of another kind
        texts = isinstance(X, list) and any(
            isinstance(v, str) for row in X for v in row
        )
        return object if texts else None

    def _check_constant(self, X: Any, reset: bool) -> None:
        kind = self._fit_dtype if not reset else type(self.fill_value)
        if reset and self.fill_value is None:
            return
        if not np.can_cast(kind, X.dtype, casting="same_kind"):
            raise ArgumentError(
                f"SimpleImputer: fill_value={self.fill_value!r} (of type {kind!r}) "
                f"cannot be cast to the input data that is {X.dtype!r}; pass a value "
                "of that kind, such as a NumPy scalar"
            )

    def _statistics(self, X: Any) -> Any:
        if self.strategy == "constant":
            return self._constants(X)
        if sp.issparse(X):
            columns = (_stored(X, j, self.missing_values) for j in range(X.shape[1]))
            found = np.array([self._of_sparse(*column) for column in columns], float)
        elif self.strategy in ("mean", "median"):
            found = self._middle(X)
        else:
            kind = object if X.dtype.kind == "O" else np.float64
            found = np.empty(X.shape[1], kind)
            for j in range(X.shape[1]):
                found[j] = self._of_column(X[:, j])
        if self.keep_empty_features:
            found[is_missing(found, np.nan)] = 0
        return found

    def _middle(self, X: Any) -> Any:
        """Means or medians of all columns."""
        if not (is_nan(self.missing_values) or is_na(self.missing_values)):
            X = np.where(gaps(X, self.missing_values), X.dtype.type(np.nan), X)
        if self.strategy == "mean":
            return column_moments(X, squares=False).mean.astype(X.dtype)
        return column_quantiles(X, [0.5])[0].astype(X.dtype)

    def _of_column(self, column: Any) -> Any:
        values = column[~is_missing(column, self.missing_values)]
        if callable(self.strategy):
            return self.strategy(values)
        return most_frequent(values)

    def _of_sparse(self, values: Any, zeros: int) -> Any:
        n = len(values) + zeros
        if callable(self.strategy):
            return self.strategy(values)
        if self.strategy == "mean":
            return values.sum() / n if n else np.nan
        if self.strategy == "most_frequent":
            return most_frequent(values, zeros)
        return quantiles(np.concatenate([values, np.zeros(zeros)]), [0.5])[0]

    def _constants(self, X: Any) -> Any:
        value = self.fill_value
        if value is None:
            value = 0 if X.dtype.kind in "iuf" else "missing_value"
        kind = float if sp.issparse(X) else object
        found = np.full(X.shape[1], value, dtype=kind)
        if not self.keep_empty_features:
            missing = gaps(X, self.missing_values)
            if sp.issparse(X):
                stored, absent = np.diff(X.indptr), missing.sum(axis=0)
                found[np.asarray(absent).ravel() == stored] = np.nan
            else:
                found[missing.all(axis=0)] = np.nan
        return found

    def transform(self, X: Any) -> Any:
        """X with its gaps filled, and the indicator's columns."""
        check_is_fitted(self)
        X = self._read(X, reset=False)
        mask = None
        if self.add_indicator or not self._marked_by_nan(X):
            mask = gaps(X, self.missing_values)
        statistics: Any = self.statistics_
        columns: Any = slice(None)
        if not self.keep_empty_features:
            kept = ~is_missing(statistics, np.nan)
            if not kept.all():
                self._warn_of(~kept)
                columns = np.flatnonzero(kept)
                X, statistics = X[:, columns], statistics[kept]
        values = statistics.astype(self._fit_dtype)
        if sp.issparse(X):
            places = is_missing(X.data, self.missing_values)
            of_column = np.repeat(np.arange(X.shape[1]), np.diff(X.indptr))
            X.data[places] = values[of_column[places]]
        else:
            fill(X, values, None if mask is None else mask[:, columns])
        if not self.add_indicator:
            return X
        added = self.indicator_.transform_mask(mask)
        if sp.issparse(X):
            return sp.hstack([X, added], format=X.format)
        return np.hstack([X, added])

    def _marked_by_nan(self, X: Any) -> bool:
        marker = self.missing_values
        return X.dtype.kind == "f" and (is_nan(marker) or is_na(marker))

    def _warn_of(self, empty: Any) -> None:
        names = np.flatnonzero(empty)
        if hasattr(self, "feature_names_in_"):
            names = self.feature_names_in_[names]
        warnings.warn(
            f"Skipping features without any observed values: {names}. At least one "
            "non-missing value is needed for imputation with "
            f"strategy='{self.strategy}'.",
            stacklevel=3,
        )

    def inverse_transform(self, X: Any) -> Any:
        """The table with its gaps, where the indicator's columns say they were."""
        check_is_fitted(self)
        if not self.add_indicator:
            raise ArgumentError(
                "'inverse_transform' works only when 'SimpleImputer' is instantiated "
                f"with 'add_indicator=True'. Got 'add_indicator={self.add_indicator}' "
                "instead."
            )
        said = len(self.indicator_.features_)
        width = X.shape[1] - said
        kept = np.ones(len(self.statistics_), bool)
        if not self.keep_empty_features:
            kept = ~is_missing(self.statistics_, np.nan)
        missing = np.zeros((X.shape[0], len(kept)), bool)
        missing[:, self.indicator_.features_] = X[:, width:].astype(bool)
        found = np.zeros((X.shape[0], len(kept)))
        found[:, kept] = X[:, :width]
        found[missing] = self.missing_values
        return found

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """The names of the columns that are kept, and the indicator's."""
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        kept = ~is_missing(self.statistics_, np.nan)
        if self.indicator_ is None:
            return names[kept]
        added = self.indicator_.get_feature_names_out(names)
        return np.concatenate([names[kept], added])

    def __sklearn_tags__(self) -> Any:
        marker = self.missing_values
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = is_nan(marker) or is_na(marker)
        return tags


def _stored(X: Any, j: int, marker: Any) -> tuple[Any, int]:
    """The values of a sparse column that are there, and how many zeros there are."""
    stored = X.data[X.indptr[j] : X.indptr[j + 1]]
    there = stored[~is_missing(stored, marker)]
    other = there[there != 0]
    return other, X.shape[0] - len(stored) + len(there) - len(other)
