"""MissingIndicator: columns that say where gaps are."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from scipy import sparse as sp
from sklearn.base import TransformerMixin
from sklearn.utils.validation import (
    _check_feature_names_in,
    check_is_fitted,
    validate_data,
)

from dotori.algorithms.imputation import is_missing, is_nan
from dotori.errors import ArgumentError, DataError
from dotori.learn._arguments import boolean, choice
from dotori.learn._base import Estimator
from dotori.learn._callbacks import with_callbacks

_KINDS = "iufO"


def is_na(value: Any) -> bool:
    """Whether a value is pandas.NA."""
    return type(value).__name__ == "NAType"


def check_kind(estimator: Any, X: Any) -> None:
    """Refuse types in which the marker of gaps cannot occur, or that have no order."""
    kind, marker = type(estimator).__name__, estimator.missing_values
    if X.dtype.kind in "fiu" and not is_na(marker) and not isinstance(marker, Real):
        raise ArgumentError(
            f"{kind}: 'X' and 'missing_values' types are expected to be both "
            f"numerical, got X of {X.dtype} and missing_values of {type(marker)}"
        )
    if X.dtype.kind not in _KINDS:
        raise DataError(
            f"{kind} does not support data with dtype {X.dtype}. Please provide "
            "numbers, or strings as an array of objects."
        )
    if sp.issparse(X) and not is_na(marker) and marker == 0:
        raise ArgumentError(
            f"{kind}: Sparse input with missing_values=0 is not supported, as all "
            "that is not stored would be missing. Provide a dense array instead."
        )


def gaps(X: Any, marker: Any) -> Any:
    """A mask of the gaps; sparse for sparse input."""
    if not sp.issparse(X):
        return is_missing(X, marker)
    mask = X.copy().astype(bool)
    mask.data = is_missing(X.data, marker)
    return mask


class MissingIndicator(TransformerMixin, Estimator):
    """A column of bools for each feature, or each feature with gaps.

    Parameters
    ----------
    missing_values : number, str, None, NaN or pandas.NA
        What marks a gap.
    features : {"missing-only", "all"}
        Which features get a column.
    sparse : bool or "auto"
        Whether the result is sparse; "auto" makes it as the input is.
    error_on_new : bool
        Whether gaps are refused in features that had none when fitted.

    Attributes
    ----------
    features_ : int array
        The features that get a column.

    Examples
    --------
    >>> indicator = MissingIndicator().fit([[1.0, np.nan], [2.0, 3.0]])
    >>> indicator.transform([[1.0, 2.0], [1.0, np.nan]]).tolist()
    [[False], [True]]
    """

    features_: Any

    def __init__(
        self,
        *,
        missing_values: Any = np.nan,
        features: str = "missing-only",
        sparse: Any = "auto",
        error_on_new: bool = True,
    ) -> None:
        self.missing_values = missing_values
        self.features = features
        self.sparse = sparse
        self.error_on_new = error_on_new

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> MissingIndicator:
        """Find the features of X, of shape (n, d), that have gaps."""
        X = self._read(X, reset=True)
        with self._tasks("fit", X, y, most=0):
            return self.fit_mask(gaps(X, self.missing_values))

    def fit_mask(self, mask: Any) -> MissingIndicator:
        """`fit` with the gaps themselves, a bool array or sparse matrix."""
        choice(self, "features", ("missing-only", "all"))
        boolean(self, "error_on_new")
        choice(self, "sparse", ("auto", True, False))
        self.n_features_in_ = mask.shape[1]
        wanted = _with_gaps(mask) if self.features == "missing-only" else slice(None)
        self.features_ = np.arange(mask.shape[1])[wanted]
        return self

    def transform(self, X: Any) -> Any:
        """Whether there is a gap; a bool array or sparse matrix with shape (n, k)."""
        check_is_fitted(self)
        return self.transform_mask(
            gaps(self._read(X, reset=False), self.missing_values)
        )

    def transform_mask(self, mask: Any) -> Any:
        """`transform` with the gaps themselves."""
        if self.features == "missing-only" and self.error_on_new:
            new = np.setdiff1d(np.flatnonzero(_with_gaps(mask)), self.features_)
            if len(new):
                raise DataError(
                    f"MissingIndicator: The features {new} have missing values in "
                    "transform but have no missing values in fit."
                )
        if sp.issparse(mask):
            mask = mask.tocsc()
            mask.eliminate_zeros()
            if self.sparse is False:
                mask = mask.toarray()
        elif self.sparse is True:
            mask = sp.csc_matrix(mask)
        return mask[:, self.features_]

    def _read(self, X: Any, reset: bool) -> Any:
        marker = self.missing_values
        nan = "allow-nan" if is_nan(marker) or is_na(marker) else True
        X = validate_data(
            self,
            X,
            reset=reset,
            accept_sparse=("csc", "csr"),
            dtype=None,
            ensure_all_finite=nan,
        )
        check_kind(self, X)
        return X

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Names such as "missingindicator_x0"; shape (k,)."""
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)[self.features_]
        return np.array([f"missingindicator_{name}" for name in names], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _with_gaps(mask: Any) -> Any:
    return np.asarray(mask.sum(axis=0)).ravel() > 0
