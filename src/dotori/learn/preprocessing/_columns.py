"""What the scalers share: validation without passes over the data, and the target.

scikit-learn looks for infinities in a pass of its own. The scalers find them in what
they compute anyway, and only then look again, for the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from dotori.algorithms.scaling import Step, apply_steps, has_infinity
from dotori.errors import ArgumentError, DTypeError, ShapeError

FLOATS = (np.float64, np.float32)


class UncentrableError(ArgumentError, DTypeError):
    """The parameter does not fit the type of X, or the other way round."""

    def __init__(self, scaler: str, parameter: str) -> None:
        super().__init__(
            f"{scaler}: Cannot center sparse matrices, whose zeros would not stay "
            f"zeros: pass `{parameter}=False` instead"
        )


def read(scaler: Any, X: Any, *, reset: bool, accept_sparse: Any = False) -> Any:
    """X as numbers to learn from: a matrix of floats, not looked at for infinities."""
    read = validate_data(
        scaler,
        X,
        reset=reset,
        accept_sparse=accept_sparse,
        dtype=list(FLOATS),
        ensure_all_finite=False,
    )
    if sparse.issparse(read):
        check_finite(scaler, read.data)
    return read


def check_finite(scaler: Any, X: Any) -> None:
    """Refuse infinities, in scikit-learn's words; NaN is allowed."""
    if X.ndim == 2 and not has_infinity(X):
        return
    assert_all_finite(
        X, allow_nan=True, estimator_name=type(scaler).__name__, input_name="X"
    )


def to_change(
    scaler: Any, X: Any, *, copy: bool, accept_sparse: Any = False, back: bool = False
) -> tuple[Any, Any]:
    """What is to be transformed, and the memory for the result; both one if sparse.

    `back` is for `inverse_transform`, whose input has no names.
    """
    check_is_fitted(scaler)
    settings: dict[str, Any] = {
        "accept_sparse": accept_sparse,
        "dtype": list(FLOATS),
        "copy": copy and sparse.issparse(X),
        "force_writeable": not copy,
        # in place, an infinity must be found before anything has been changed
        "ensure_all_finite": False if copy else "allow-nan",
    }
    if back:
        given = check_array(X, **settings)
        if given.shape[1] != scaler.n_features_in_:
            raise ShapeError(
                f"{type(scaler).__name__}.inverse_transform: X with "
                f"{scaler.n_features_in_} columns was wanted, got {given.shape}"
            )
    else:
        given = validate_data(scaler, X, reset=False, **settings)
    if sparse.issparse(given):
        check_finite(scaler, given.data)
        return given, given
    known = isinstance(X, (np.ndarray, list, tuple))
    if not copy or (known and not np.may_share_memory(given, np.asarray(X))):
        return given, given  # a conversion is ours already
    return given, np.empty_like(given, subok=False)


def change(scaler: Any, given: Any, target: Any, steps: Sequence[Step]) -> Any:
    """`target` with the steps made on it, in one go over the data."""
    typed = [(operation, row.astype(given.dtype)) for operation, row in steps]
    if not apply_steps(given, typed, target) and given is not target:
        check_finite(scaler, given)
    return target


def scale_columns(X: Any, factor: Any) -> Any:
    """The columns of a sparse matrix times `factor`, in place."""
    if X.format == "csr":
        X.data *= factor.astype(X.dtype)[X.indices]
    else:
        X.data *= np.repeat(factor.astype(X.dtype), np.diff(X.indptr))
    return X
