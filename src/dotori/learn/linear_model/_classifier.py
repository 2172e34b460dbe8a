"""What the linear classifiers share: scores, classes, and sparse coefficients."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from dotori.learn._base import Estimator

Array = NDArray[Any]


class SparseCoefficients:
    """coef_ as an array or as a sparse matrix, which is small after an L1 penalty."""

    coef_: Any

    def sparsify(self) -> Self:
        """Make coef_ a sparse CSR matrix. It pays where more than half are zeros.

        Fitting on with `partial_fit` needs `densify` first.
        """
        check_is_fitted(self)
        if not sparse.issparse(self.coef_):
            self.coef_ = sparse.csr_matrix(self.coef_)
        return self

    def densify(self) -> Self:
        """Make coef_ an array again."""
        check_is_fitted(self)
        if sparse.issparse(self.coef_):
            self.coef_ = self.coef_.toarray()
        return self


class LinearClassifier(SparseCoefficients, ClassifierMixin, Estimator):
    """The parent of classifiers whose scores are X @ coef_.T + intercept_."""

    classes_: Array
    intercept_: Array

    def decision_function(self, X: Any) -> Array:
        """The scores of rows: what is compared to choose a class.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)

        Returns
        -------
        array of shape (n,) for two classes (above 0: the second), else (n, k)
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        found = X @ self.coef_.T
        if sparse.issparse(found):
            found = found.toarray()
        scores: Array = np.asarray(found) + self.intercept_
        return scores.ravel() if scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> Array:
        """The class of each row, of shape (n,).

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
        """
        scores = self.decision_function(X)
        chosen = scores.argmax(axis=1) if scores.ndim == 2 else (scores > 0).astype(int)
        found: Array = self.classes_[chosen]
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
