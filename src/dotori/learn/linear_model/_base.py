"""What the linear models for amounts share: checked rows, prediction, types."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from dotori.algorithms.linear.least_squares import LinearModel
from dotori.learn._base import Estimator

Array = NDArray[Any]
_FORMATS = ("csr", "csc", "coo")


class LinearRegressor(MultiOutputMixin, RegressorMixin, Estimator):
    """The parent of linear models for amounts: x @ coef_ + intercept_."""

    coef_: Any
    intercept_: Any
    n_features_in_: int
    fit_intercept: bool

    def _checked(
        self, X: Any, y: Any, sample_weight: Any, accept_sparse: Any = _FORMATS
    ) -> tuple[Any, Array, Array | None]:
        """X, y and weights as arrays of one float type.

        Whether a dense X is finite is not asked, which would take as long as the half
        of a fit: solvers find out by themselves and call `_refuse_infinite`.
        """
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=list(accept_sparse) if accept_sparse else False,
            dtype=[np.float64, np.float32],
            ensure_all_finite=sparse.issparse(X),
            multi_output=True,
            y_numeric=True,
        )
        y = y.astype(X.dtype, copy=False)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, X, dtype=X.dtype, ensure_non_negative=True
            )
        return X, y, sample_weight

    def _refuse_infinite(self, X: Any) -> None:
        """Raise scikit-learn's error if X is not finite."""
        validate_data(self, X, reset=False, accept_sparse=True)

    def _keep(self, model: LinearModel, dtype: Any, flat: bool = True) -> None:
        """Set coef_ and intercept_ in the type of the rows.

        `flat`: coefficients of a single target have one axis, whatever y has.
        """
        coef = np.ascontiguousarray(model.coef, dtype)
        self.coef_ = coef[0] if flat and coef.ndim == 2 and len(coef) == 1 else coef
        scalar = np.ndim(model.intercept) == 0
        self.intercept_ = np.asarray(model.intercept, dtype)[() if scalar else ...]
        if not self.fit_intercept:
            self.intercept_ = 0.0

    def predict(self, X: Any) -> Array:
        """Predict the targets of some rows.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)

        Returns
        -------
        array of shape (n,) or (n, k)
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=list(_FORMATS), reset=False)
        found: Array = X @ self.coef_.T + self.intercept_
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
