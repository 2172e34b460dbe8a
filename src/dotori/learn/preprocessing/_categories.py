"""What the encoders of categories share: reading columns, categories, rare ones."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_array, validate_data

from dotori.algorithms.encoding import as_categories, codes, distinct, grouped, rare
from dotori.algorithms.imputation import is_nan
from dotori.errors import ArgumentError, DataError
from dotori.learn._arguments import number
from dotori.learn._base import Estimator

#: What stands for all rare categories together.
INFREQUENT = "infrequent_sklearn"


class CategoryEncoder(TransformerMixin, Estimator):
    """Knows the categories of each column, and which of them are rare."""

    categories: Any
    min_frequency: Any
    max_categories: Any
    categories_: Any
    _rare: Any
    _groups: Any

    def _columns(self, X: Any) -> list[Any]:
        """The columns of X as arrays, each of its own type."""
        settings: dict[str, Any] = {"dtype": None, "ensure_all_finite": "allow-nan"}
        if hasattr(X, "iloc") and getattr(X, "ndim", 0) == 2:
            return [
                check_array(X.iloc[:, j], ensure_2d=False, **settings)
                for j in range(X.shape[1])
            ]
        read = check_array(X, **settings)
        if not hasattr(X, "dtype") and read.dtype.kind == "U":
            # a list of texts and numbers, which must not all become texts
            read = check_array(X, **{**settings, "dtype": object})
        return [read[:, j] for j in range(read.shape[1])]

    def _learn(self, X: Any, check: bool, ignore_missing: bool = False) -> None:
        """Find the categories; those given are held against X if `check`."""
        self._check_frequencies()
        validate_data(self, X=X, reset=True, skip_check_array=True)
        columns = self._columns(X)
        self.n_features_in_ = len(columns)
        given = isinstance(self.categories, str)
        if given and self.categories != "auto":
            raise ArgumentError(
                f"{type(self).__name__}: categories must be 'auto' or a list of "
                f"categories for each column, got {self.categories!r}"
            )
        if not given and len(self.categories) != len(columns):
            raise ArgumentError(
                "Shape mismatch: if categories is an array, it has to be of shape "
                f"(n_features,), {len(columns)}, got {len(self.categories)}"
            )
        self.categories_, counts = [], []
        for j, column in enumerate(columns):
            if given:
                found, n = distinct(column)
            else:
                found = self._given(j, column)
                places = codes(column, found)
                if check and (places < 0).any():
                    self._refuse(column[places < 0], j, "fit")
                n = np.bincount(places[places >= 0], minlength=len(found))
            self.categories_.append(found)
            counts.append(n)
        self._group(counts, len(columns[0]), ignore_missing)

    def _check_frequencies(self) -> None:
        number(self, "max_categories", low=1, integer=True, none=True)
        least = self.min_frequency
        if isinstance(least, Integral):
            number(self, "min_frequency", low=1)
        elif least is not None:
            number(self, "min_frequency", low=0, high=1, open_low=True, open_high=True)

    def _given(self, j: int, column: Any) -> Any:
        """The categories of column `j` that the user wants."""
        kind = object if column.dtype.kind in "US" else column.dtype
        found = as_categories(list(self.categories[j]), kind)
        if any(is_nan(value) for value in found[:-1]):
            raise ArgumentError(
                "Nan should be the last element in user provided categories, see "
                f"categories {found} in column #{j}"
            )
        if len(found) != len(distinct(found)[0]):
            raise ArgumentError(
                f"In column {j}, the predefined categories contain duplicate elements."
            )
        if column.dtype.kind not in "OUS":
            numbers = found[:-1] if is_nan(found[-1]) else found
            if (np.sort(numbers) != numbers).any():
                raise ArgumentError(
                    "Unsorted categories are not supported for numerical categories, "
                    f"got {found} for column {j}"
                )
        return found

    def _refuse(self, values: Any, j: int, when: str) -> None:
        unknown = distinct(values)[0].tolist()
        raise DataError(
            f"Found unknown categories {unknown} in column {j} during {when}"
        )

    def _group(self, counts: list[Any], rows: int, ignore_missing: bool) -> None:
        """Find the rare categories; NaN is none of them if it is to be ignored."""
        self._rare, self._groups = [], []
        for categories, n in zip(self.categories_, counts, strict=True):
            last_is_nan = len(categories) > 0 and is_nan(categories[-1])
            n = n[:-1] if ignore_missing and last_is_nan else n
            found = rare(n, rows, self.min_frequency, self.max_categories)
            self._rare.append(found)
            self._groups.append(grouped(len(n), found))

    @property
    def infrequent_categories_(self) -> list[Any]:
        """The rare categories of each column, or None."""
        if self.max_categories is None and self.min_frequency is None:
            raise AttributeError(
                "infrequent_categories_ is there with min_frequency or max_categories"
            )
        return [
            None if places is None else categories[places]
            for categories, places in zip(self.categories_, self._rare, strict=True)
        ]

    def _places(self, X: Any, refuse: bool) -> list[Any]:
        """The place of each value among its column's categories; -1 if unknown."""
        columns = self._columns(X)
        validate_data(self, X=X, reset=False, skip_check_array=True)
        found = []
        for j, column in enumerate(columns):
            places = codes(column, self.categories_[j])
            if refuse and (places < 0).any():
                self._refuse(column[places < 0], j, "transform")
            found.append(places)
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags
