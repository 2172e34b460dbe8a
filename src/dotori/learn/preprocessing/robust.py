"""RobustScaler: median and quantiles, which outliers do not move."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import OneToOneFeatureMixin, TransformerMixin

from dotori.algorithms.scaling import Step, column_quantiles, quantiles, usable
from dotori.errors import ArgumentError
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


class RobustScaler(OneToOneFeatureMixin, TransformerMixin, Estimator):
    """(x - median) / (third quartile - first quartile), column by column.

    NaN is left out of the statistics and stays.

    Parameters
    ----------
    with_centering : bool
        Whether the median is taken off.
    with_scaling : bool
        Whether the distance of the quantiles is divided by.
    quantile_range : tuple (low, high)
        The quantiles, in per cent.
    copy : bool
        False changes what is transformed, if it holds floats.
    unit_variance : bool
        Whether the distance is that of a normal distribution with variance 1, so that
        normally distributed columns get variance 1.

    Attributes
    ----------
    center_, scale_ : arrays of shape (d,), or None
        The median, and what is divided by.

    Examples
    --------
    >>> scaler = RobustScaler().fit([[1.0], [2.0], [3.0], [4.0], [1000.0]])
    >>> scaler.center_.tolist(), scaler.scale_.tolist()
    ([3.0], [2.0])
    """

    center_: Any
    scale_: Any

    def __init__(
        self,
        *,
        with_centering: bool = True,
        with_scaling: bool = True,
        quantile_range: tuple[float, float] = (25.0, 75.0),
        copy: bool = True,
        unit_variance: bool = False,
    ) -> None:
        self.with_centering = with_centering
        self.with_scaling = with_scaling
        self.quantile_range = quantile_range
        self.unit_variance = unit_variance
        self.copy = copy

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> RobustScaler:
        """Median and quantiles of the columns of X, of shape (n, d)."""
        for name in ("with_centering", "with_scaling", "unit_variance", "copy"):
            boolean(self, name)
        X = read(self, X, reset=True, accept_sparse="csc")
        low, high = self._percents()
        if sparse.issparse(X) and self.with_centering:
            raise UncentrableError("RobustScaler", "with_centering")
        with self._tasks("fit", X, y, most=0):
            fractions = [low / 100, 0.5, high / 100]
            found = (
                _sparse_quantiles(X, fractions)
                if sparse.issparse(X)
                else column_quantiles(X, fractions)
            )
            if not sparse.issparse(X):
                check_finite(self, X)
            self.center_ = found[1].astype(X.dtype) if self.with_centering else None
            self.scale_ = None
            if self.with_scaling:
                self.scale_ = usable(found[2] - found[0])
                if self.unit_variance:
                    self.scale_ = self.scale_ / _normal_distance(low, high)
        return self

    def _percents(self) -> tuple[float, float]:
        bounds = self.quantile_range
        if not isinstance(bounds, tuple) or len(bounds) != 2:
            raise ArgumentError(
                "RobustScaler: quantile_range must be a tuple (low, high), "
                f"got {bounds!r}"
            )
        if not 0 <= bounds[0] <= bounds[1] <= 100:
            raise ArgumentError(
                "RobustScaler: quantile_range must have 0 <= low <= high <= 100, "
                f"got {bounds}"
            )
        return bounds

    def transform(self, X: Any) -> Any:
        """The scaled rows; float32 stays float32."""
        X, target = to_change(self, X, copy=self.copy, accept_sparse=("csr", "csc"))
        if sparse.issparse(X):
            return scale_columns(X, 1 / self.scale_) if self.with_scaling else X
        steps: list[Step] = [(np.subtract, self.center_)] if self.with_centering else []
        steps += [(np.divide, self.scale_)] if self.with_scaling else []
        return change(self, X, target, steps)

    def inverse_transform(self, X: Any) -> Any:
        """The rows that `transform` made X of."""
        X, target = to_change(
            self, X, copy=self.copy, accept_sparse=("csr", "csc"), back=True
        )
        if sparse.issparse(X):
            return scale_columns(X, self.scale_) if self.with_scaling else X
        steps: list[Step] = [(np.multiply, self.scale_)] if self.with_scaling else []
        steps += [(np.add, self.center_)] if self.with_centering else []
        return change(self, X, target, steps)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = not self.with_centering
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _sparse_quantiles(X: Any, fractions: list[float]) -> Any:
    found = np.empty((len(fractions), X.shape[1]))
    for j in range(X.shape[1]):
        stored = X.data[X.indptr[j] : X.indptr[j + 1]]
        column = np.zeros(X.shape[0], X.dtype)
        column[: len(stored)] = stored
        found[:, j] = quantiles(column, fractions)
    return found


def _normal_distance(low: float, high: float) -> float:
    """How far apart the quantiles of the standard normal distribution are."""
    ends = [
        np.inf * (1 if q == 100 else -1)
        if q in (0, 100)
        else NormalDist().inv_cdf(q / 100)
        for q in (low, high)
    ]
    return float(ends[1] - ends[0])
