"""Normalizer: rows of length 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import validate_data

from dotori.algorithms.scaling import divide_rows, usable
from dotori.learn._arguments import boolean, choice
from dotori.learn._base import Estimator
from dotori.learn._callbacks import with_callbacks
from dotori.learn.preprocessing._columns import FLOATS

_NORMS = ("l1", "l2", "max")


class Normalizer(OneToOneFeatureMixin, TransformerMixin, Estimator):
    """x / ||x||, row by row; rows of zeros stay. There is nothing to be fitted.

    Parameters
    ----------
    norm : {"l1", "l2", "max"}
        The sum of absolute values, the Euclidean length, or the largest absolute value.
    copy : bool
        False changes what is transformed, if it holds floats.

    Examples
    --------
    >>> Normalizer().transform([[3.0, 4.0], [0.0, 0.0]]).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """

    def __init__(self, norm: str = "l2", *, copy: bool = True) -> None:
        self.norm = norm
        self.copy = copy

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> Normalizer:
        """Check X, of shape (n, d), and the parameters."""
        choice(self, "norm", _NORMS)
        boolean(self, "copy")
        X = validate_data(self, X, accept_sparse="csr", dtype=list(FLOATS))
        with self._tasks("fit", X, y, most=0):
            return self

    def transform(self, X: Any, copy: bool | None = None) -> Any:
        """The rows with norm 1; float32 stays float32."""
        copy = self.copy if copy is None else copy
        norm = choice(self, "norm", _NORMS)
        X = validate_data(
            self,
            X,
            reset=False,
            accept_sparse="csr",
            dtype=list(FLOATS),
            copy=copy and sparse.issparse(X),
            force_writeable=not copy,
        )
        if sparse.issparse(X):
            return _divide_sparse_rows(X, norm)
        target = np.empty_like(X, subok=False) if copy else X
        divide_rows(X, norm, target)
        return target

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _divide_sparse_rows(X: Any, norm: str) -> Any:
    rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    size = np.abs(X.data)
    if norm == "max":
        norms = np.zeros(X.shape[0])
        np.maximum.at(norms, rows, size)
    else:
        power = size if norm == "l1" else np.square(size.astype(np.float64))
        norms = np.bincount(rows, power, minlength=X.shape[0])
        norms = norms if norm == "l1" else np.sqrt(norms)
    X.data /= usable(norms, norms == 0)[rows].astype(X.dtype)
    return X
