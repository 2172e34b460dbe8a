"""A table as trees take it: float32 and dense, categories as numbers.

A frame's categorical columns (pandas' ``category``, polars' ``Categorical`` and
``Enum``) are split by subsets of their categories. Missing ones, and ones that were not
there when the tree was fitted, are missing values to the tree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import check_array, validate_data

from dotori.errors import ArgumentError

Array = NDArray[Any]
_DENSE_AT_ONCE = 1 << 22  # numbers of a sparse table that are unpacked at a time


def fitted_table(estimator: Any, X: Any, y: Any) -> tuple[Array, Array]:
    """X and y for a fit; sets what the estimator remembers of the columns."""
    columns = _categorical_columns(estimator, X)
    estimator.is_categorical_ = estimator.categories_ = None
    if columns:
        found = {j: _known(_column(X, j)) for j in columns}
        numbers = {j: _numbers(_column(X, j), known) for j, known in found.items()}
        X = _replaced(X, numbers)
        d = X.shape[1]
        estimator.is_categorical_ = np.isin(np.arange(d), columns)
        estimator.categories_ = [found.get(j) for j in range(d)]
    of_y = {"ensure_2d": False, "dtype": None}
    how = (_how(X, "csc"), of_y)
    X, y = validate_data(estimator, X, y, validate_separately=how)
    return _dense(X), y


def predicted_table(estimator: Any, X: Any) -> Any:
    """X for a prediction: an array of float32, or a sparse matrix in rows."""
    if getattr(estimator, "categories_", None) is not None and not issparse(X):
        if not hasattr(X, "shape"):
            X = np.array(X, dtype=object)
        known = enumerate(estimator.categories_)
        X = _replaced(
            X,
            {
                j: _numbers(_column(X, j), categories)
                for j, categories in known
                if categories is not None and j < X.shape[1]
            },
        )
    return validate_data(estimator, X, reset=False, **_how(X, "csr"))


def in_blocks(X: Any, predict: Callable[[Array], Any]) -> Any:
    """`predict` of a table; of a sparse one, block after block of rows unpacked."""
    if not issparse(X):
        return predict(X)
    n, d = X.shape
    step = max(1, _DENSE_AT_ONCE // max(d, 1))
    starts = range(0, n, step)
    return np.concatenate([predict(_dense(X[i : i + step])) for i in starts])


def _how(X: Any, sparse_format: str) -> dict[str, Any]:
    """How scikit-learn checks a table: NaN is a missing value where X is dense."""
    return {
        "dtype": np.float32,
        "accept_sparse": sparse_format,
        "ensure_all_finite": True if issparse(X) else "allow-nan",
    }


def _dense(X: Any) -> Array:
    dense: Array = X.toarray() if issparse(X) else X
    return dense


def _categorical_columns(estimator: Any, X: Any) -> list[int]:
    """The places of the columns that are to be split by category."""
    asked = estimator.categorical_features
    names = list(getattr(X, "columns", []))
    if isinstance(asked, str) and asked == "from_dtype":
        return [j for j in range(len(names)) if _is_category(_column(X, j).dtype)]
    if asked is None:
        return []
    given = np.asarray(asked)
    d = X.shape[1] if hasattr(X, "shape") else np.shape(X)[1]
    if given.dtype == bool and given.shape == (d,):
        return [j for j in range(d) if given[j]]
    if given.dtype.kind in "US" and set(given.tolist()) <= set(names):
        return [names.index(name) for name in given.tolist()]
    if given.dtype.kind in "iu" and np.all((given >= 0) & (given < d)):
        return [int(j) for j in given.ravel()]
    raise ArgumentError(
        f"{type(estimator).__name__}: categorical_features must be 'from_dtype', None, "
        f"or which of the {d} columns are categories, as bools, numbers or names, got "
        f"{asked!r}"
    )


def _is_category(dtype: Any) -> bool:
    name = str(dtype)
    return name == "category" or name.startswith(("Categorical", "Enum("))


def _column(X: Any, j: int) -> Any:
    if hasattr(X, "iloc"):
        return X.iloc[:, j]
    if hasattr(X, "columns"):
        return X[X.columns[j]]
    return np.asarray(X)[:, j]


def _known(column: Any) -> Array:
    """The categories that occur, in order: the frame's if it has one, else sorted."""
    if hasattr(column, "cat") and hasattr(column.cat, "codes"):
        codes = np.unique(column.cat.codes.to_numpy())
        return np.asarray(column.cat.categories.to_numpy()[codes[codes >= 0]])
    values = {v for v in _values(column) if v is not None and v == v}
    return np.array(sorted(values, key=lambda v: (str(type(v)), v)), dtype=object)


def _numbers(column: Any, known: Array) -> Array:
    """The number of each value among the known categories, NaN for all others."""
    number = {category: float(i) for i, category in enumerate(known.tolist())}
    if hasattr(column, "cat") and hasattr(column.cat, "codes"):
        names = column.cat.categories.tolist()
        table = np.array([number.get(name, np.nan) for name in names] + [np.nan])
        codes = column.cat.codes.to_numpy()
        return np.asarray(table[codes], np.float32)  # the code of what is missing is -1
    return np.array([number.get(v, np.nan) for v in _values(column)], np.float32)


def _values(column: Any) -> list[Any]:
    values: list[Any] = (
        column.to_list() if hasattr(column, "to_list") else column.tolist()
    )
    return values


def _replaced(X: Any, columns: dict[int, Array]) -> Any:
    """The table with these columns in place of its own; X itself is left as it is."""
    if hasattr(X, "with_columns"):
        series = [type(X[X.columns[j]])(X.columns[j], v) for j, v in columns.items()]
        return X.with_columns(series)
    if hasattr(X, "iloc"):
        X = X.copy(deep=False)
        for j, values in columns.items():
            X.isetitem(j, values)
        return X
    X = check_array(X, dtype=None, ensure_all_finite=False).astype(object)
    for j, values in columns.items():
        X[:, j] = values
    return X
