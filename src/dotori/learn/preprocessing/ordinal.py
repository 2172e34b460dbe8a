"""OrdinalEncoder: categories by their number."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_array, check_is_fitted

from dotori.algorithms.imputation import is_missing, is_nan
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.learn._arguments import choice
from dotori.learn._callbacks import with_callbacks
from dotori.learn.preprocessing._categories import INFREQUENT, CategoryEncoder


class OrdinalEncoder(OneToOneFeatureMixin, CategoryEncoder):
    """Each category by its place among the sorted categories of its column.

    The order means something to a model only if it does for the categories; trees can
    do without.

    Parameters
    ----------
    categories : "auto" or list of lists
        The categories of each column, in the order that is wanted.
    dtype : type of the result
    handle_unknown : {"error", "use_encoded_value"}
        Whether other categories later are an error or become `unknown_value`.
    unknown_value : int or NaN, optional
    encoded_missing_value : int or NaN
        What NaN becomes.
    min_frequency : int or float, optional
        Categories in fewer rows, or a smaller share of them, count as rare and get one
        number together, after all others.
    max_categories : int, optional
        The most numbers for a column, with that for what is rare.

    Attributes
    ----------
    categories_ : list of arrays
    infrequent_categories_ : list of arrays or None

    Examples
    --------
    >>> encoder = OrdinalEncoder(categories=[["low", "middle", "high"]])
    >>> encoder.fit_transform([["high"], ["low"]]).tolist()
    [[2.0], [0.0]]
    """

    def __init__(
        self,
        *,
        categories: Any = "auto",
        dtype: Any = np.float64,
        handle_unknown: str = "error",
        unknown_value: Any = None,
        encoded_missing_value: Any = np.nan,
        min_frequency: float | None = None,
        max_categories: int | None = None,
    ) -> None:
        self.categories = categories
        self.dtype = dtype
        self.handle_unknown = handle_unknown
        self.unknown_value = unknown_value
        self.encoded_missing_value = encoded_missing_value
        self.min_frequency = min_frequency
        self.max_categories = max_categories

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> OrdinalEncoder:
        """Find the categories of the columns of X, of shape (n, d)."""
        choice(self, "handle_unknown", ("error", "use_encoded_value"))
        self._check_unknown_value()
        with self._tasks("fit", X, y, most=0):
            self._learn(X, check=self.handle_unknown == "error", ignore_missing=True)
            self._check_codes()
        return self

    def _check_unknown_value(self) -> None:
        value = self.unknown_value
        if self.handle_unknown == "error":
            if value is not None:
                raise DTypeError(
                    "OrdinalEncoder: unknown_value should only be set when "
                    f"handle_unknown is 'use_encoded_value', got {value}."
                )
        elif is_nan(value):
            if np.dtype(self.dtype).kind != "f":
                raise ArgumentError(
                    "OrdinalEncoder: When unknown_value is np.nan, the dtype parameter "
                    f"should be a float dtype. Got {self.dtype}."
                )
        elif not isinstance(value, Integral):
            raise DTypeError(
                "OrdinalEncoder: unknown_value should be an integer or np.nan when "
                f"handle_unknown is 'use_encoded_value', got {value}."
            )

    def _missing(self) -> list[int]:
        """The columns in which NaN is a category."""
        return [
            j
            for j, categories in enumerate(self.categories_)
            if len(categories) and is_nan(categories[-1])
        ]

    def _check_codes(self) -> None:
        """What stands for unknown or missing values must stand for nothing else."""
        missing, marker = self._missing(), self.encoded_missing_value
        widths = [int(group.max(initial=-1)) + 1 for group in self._groups]
        if self.handle_unknown == "use_encoded_value":
            if any(0 <= self.unknown_value < width for width in widths):
                raise ArgumentError(
                    f"OrdinalEncoder: The used value for unknown_value "
                    f"{self.unknown_value} is one of the values already used for "
                    "encoding the seen categories."
                )
        if missing and is_nan(marker) and np.dtype(self.dtype).kind != "f":
            raise ArgumentError(
                f"There are missing values in features {missing}. For OrdinalEncoder "
                f"to encode missing values with dtype: {self.dtype}, set "
                "encoded_missing_value to a non-nan value, or set dtype to a float"
            )
        taken: Any = [j for j in missing if 0 <= marker < widths[j]]
        if taken:
            if hasattr(self, "feature_names_in_"):
                taken = self.feature_names_in_[taken]
            raise ArgumentError(
                f"OrdinalEncoder: encoded_missing_value ({marker}) is already used to "
                f"encode a known category in features: {taken}"
            )

    def transform(self, X: Any) -> Any:
        """The numbers of the categories, of shape (n, d)."""
        check_is_fitted(self)
        refuse = self.handle_unknown == "error"
        places, missing = self._places(X, refuse=refuse), set(self._missing())
        found = np.empty((len(places[0]), len(places)), self.dtype)
        for j, place in enumerate(places):
            # one entry before the categories for unknown ones, one after for NaN
            table = np.zeros(len(self.categories_[j]) + 1, self.dtype)
            table[1 : 1 + len(self._groups[j])] = self._groups[j]
            if not refuse:
                table[0] = self.unknown_value
            if j in missing:
                table[-1] = self.encoded_missing_value
            found[:, j] = table[place + 1]
        return found

    def inverse_transform(self, X: Any) -> Any:
        """The categories; None for unknown ones, and for what is rare its name."""
        check_is_fitted(self)
        X = check_array(X, ensure_all_finite="allow-nan")
        if X.shape[1] != len(self.categories_):
            raise ShapeError(
                "Shape of the passed X data is not correct. Expected "
                f"{len(self.categories_)} columns, got {X.shape[1]}."
            )
        kind = np.result_type(*[c.dtype for c in self.categories_])
        if self.handle_unknown != "error" or any(r is not None for r in self._rare):
            kind = np.dtype(object)
        found = np.empty(X.shape, dtype=kind)
        missing = set(self._missing())
        for j, categories in enumerate(self.categories_):
            numbers, together = X[:, j], self._rare[j]
            left = np.ones(len(X), bool)
            if j in missing:
                gap = is_missing(numbers, self.encoded_missing_value)
                found[gap, j], left = categories[-1], left & ~gap
            if self.handle_unknown != "error":
                unknown = left & is_missing(numbers, self.unknown_value)
                found[unknown, j], left = None, left & ~unknown
            known = categories[: len(self._groups[j])]
            if together is not None:
                is_rare = left & (numbers == self._groups[j].max())
                found[is_rare, j], left = INFREQUENT, left & ~is_rare
                known = np.delete(known, together)
            found[left, j] = known[numbers[left].astype(np.int64)]
        return found
