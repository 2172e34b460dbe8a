"""OneHotEncoder: a column of zeros and ones for each category."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import (
    _check_feature_names_in,
    check_array,
    check_is_fitted,
)

from dotori.algorithms.encoding import as_categories
from dotori.algorithms.imputation import is_nan
from dotori.errors import ArgumentError, DataError, ShapeError
from dotori.learn._arguments import boolean, choice
from dotori.learn._callbacks import with_callbacks
from dotori.learn.preprocessing._categories import INFREQUENT, CategoryEncoder

_UNKNOWN = ("error", "ignore", "infrequent_if_exist", "warn")


class OneHotEncoder(CategoryEncoder):
    """A column of zeros and ones for each category of each column.

    Parameters
    ----------
    categories : "auto" or list of lists
        The categories of each column; those that are found otherwise.
    drop : {"first", "if_binary"}, array of shape (d,) or None
        A category of each column that gets no column, as the others tell it.
    sparse_output : bool
    dtype : type of the result
    handle_unknown : {"error", "ignore", "infrequent_if_exist", "warn"}
        What becomes of other categories later: an error, zeros, or what is rare.
    min_frequency : int or float, optional
        Categories in fewer rows, or a smaller share of them, count as rare: all of them
        together get one column.
    max_categories : int, optional
        The most columns for a column, with that for what is rare.
    feature_name_combiner : "concat" or callable
        Makes the name of a column of the old one and the category.

    Attributes
    ----------
    categories_ : list of arrays
    drop_idx_ : array of shape (d,) or None
        The categories without a column.
    infrequent_categories_ : list of arrays or None

    Examples
    --------
    >>> encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    >>> encoder.fit_transform([["red", 1], ["blue", 2], ["red", 2]]).tolist()
    [[0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 1.0]]
    >>> encoder.transform([["green", 1]]).tolist()
    [[0.0, 0.0, 1.0, 0.0]]
    >>> encoder.get_feature_names_out(["colour", "size"]).tolist()
    ['colour_blue', 'colour_red', 'size_1', 'size_2']
    """

    drop_idx_: Any
    _dropped: Any

    def __init__(
        self,
        *,
        categories: Any = "auto",
        drop: Any = None,
        sparse_output: bool = True,
        dtype: Any = np.float64,
        handle_unknown: str = "error",
        min_frequency: float | None = None,
        max_categories: int | None = None,
        feature_name_combiner: Any = "concat",
    ) -> None:
        self.categories = categories
        self.sparse_output = sparse_output
        self.dtype = dtype
        self.handle_unknown = handle_unknown
        self.drop = drop
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.feature_name_combiner = feature_name_combiner

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> OneHotEncoder:
        """Find the categories of the columns of X, of shape (n, d)."""
        boolean(self, "sparse_output")
        choice(self, "handle_unknown", _UNKNOWN)
        with self._tasks("fit", X, y, most=0):
            self._learn(X, check=self.handle_unknown == "error")
            self._dropped = self._find_dropped()
            self.drop_idx_ = self._before_grouping(self._dropped)
        return self

    def _widths(self) -> list[int]:
        """How many categories each column has, what is rare counted as one."""
        return [int(group.max(initial=-1)) + 1 for group in self._groups]

    def _find_dropped(self) -> Any:
        """The category of each column that gets no column, after grouping, or None."""
        if self.drop is None:
            return None
        if isinstance(self.drop, str):
            choice(self, "drop", ("first", "if_binary"))
            first = self.drop == "first"
            found = [0 if first or width == 2 else None for width in self._widths()]
        else:
            wanted = np.asarray(self.drop, dtype=object)
            if len(wanted) != len(self.categories_):
                raise ArgumentError(
                    "`drop` should have length equal to the number of features "
                    f"({len(self.categories_)}), got {len(wanted)}"
                )
            found = [self._place_to_drop(j, value) for j, value in enumerate(wanted)]
            absent = [j for j, place in enumerate(found) if place is None]
            if absent:
                listed = [f"Category: {wanted[j]}, Feature: {j}" for j in absent]
                raise ArgumentError(
                    "The following categories were supposed to be dropped, but were "
                    "not found in the training data.\n" + "\n".join(listed)
                )
        return as_categories(found, object)

    def _place_to_drop(self, j: int, value: Any) -> int | None:
        categories = self.categories_[j]
        for i, category in enumerate(categories):
            if category == value or (is_nan(category) and is_nan(value)):
                if self._rare[j] is not None and i in self._rare[j]:
                    raise ArgumentError(
                        f"Unable to drop category {category!r} from feature {j} "
                        "because it is infrequent"
                    )
                return int(self._groups[j][i])
        return None

    def _before_grouping(self, dropped: Any) -> Any:
        if dropped is None:
            return None
        found = [
            None if place is None else int(np.flatnonzero(group == place)[0])
            for place, group in zip(dropped, self._groups, strict=True)
        ]
        return as_categories(found, object)

    def _tables(self) -> tuple[list[Any], int]:
        """For each column, where a category goes (one place later), and all columns.

        The first entry is for unknown categories; -1 stands for none.
        """
        tables, start = [], 0
        to_rare = self.handle_unknown in ("infrequent_if_exist", "warn")
        for j, width in enumerate(self._widths()):
            dropped = None if self._dropped is None else self._dropped[j]
            columns = start + np.arange(width)
            if dropped is not None:
                columns = np.insert(columns[:-1], dropped, -1)
            unknown = -1
            if to_rare and self._rare[j] is not None:
                unknown = columns[width - 1]
            tables.append(np.concatenate([[unknown], columns[self._groups[j]]]))
            start += width - (dropped is not None)
        return tables, start

    def transform(self, X: Any) -> Any:
        """Zeros and ones, of shape (n, columns), sparse or dense."""
        check_is_fitted(self)
        places = self._places(X, refuse=self.handle_unknown == "error")
        self._warn_of_unknown(places)
        tables, width = self._tables()
        pairs = zip(tables, places, strict=True)
        columns = np.stack([table[place + 1] for table, place in pairs], axis=1)
        there = columns >= 0
        if not self.sparse_output:
            found = np.zeros((len(columns), width), self.dtype)
            rows = np.repeat(np.arange(len(columns)), there.sum(axis=1))
            found[rows, columns[there]] = 1
            return found
        starts = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int32)
        indices = columns[there].astype(np.int32)
        ones = np.ones(len(indices), self.dtype)
        return sparse.csr_matrix((ones, indices, starts), shape=(len(columns), width))

    def _warn_of_unknown(self, places: list[Any]) -> None:
        """Unknown categories that can no more be told from others."""
        if self.handle_unknown != "warn" and (
            self.drop is None or self.handle_unknown == "error"
        ):
            return
        unknown = [j for j, place in enumerate(places) if (place < 0).any()]
        if unknown:
            zeros = self.handle_unknown == "ignore"
            become = "all zeros" if zeros else "the infrequent category"
            warnings.warn(
                f"Found unknown categories in columns {unknown} during transform. "
                f"These unknown categories will be encoded as {become}",
                UserWarning,
                stacklevel=3,
            )

    def _names(self, j: int) -> Any:
        """What the columns of column `j` stand for, before one is dropped."""
        categories, together = self.categories_[j], self._rare[j]
        if together is None:
            return categories
        alone = np.delete(categories, together).astype(object)
        return np.append(alone, as_categories([INFREQUENT], object))

    def inverse_transform(self, X: Any) -> Any:
        """The categories; None for rows of zeros, and for what is rare its name."""
        check_is_fitted(self)
        X = check_array(X, accept_sparse="csr")
        width = self._tables()[1]
        if X.shape[1] != width:
            raise ShapeError(
                "Shape of the passed X data is not correct. Expected "
                f"{width} columns, got {X.shape[1]}."
            )
        names = [self._names(j) for j in range(len(self.categories_))]
        kind = np.result_type(*[n.dtype for n in names])
        found = np.empty((X.shape[0], len(names)), dtype=kind)
        unknown = np.zeros(found.shape, bool)
        start = 0
        for j, of_column in enumerate(names):
            dropped = None if self._dropped is None else self._dropped[j]
            kept = of_column if dropped is None else np.delete(of_column, dropped)
            part = X[:, start : start + len(kept)]
            start += len(kept)
            zero = np.asarray(part.sum(axis=1)).ravel() == 0
            if len(kept):
                found[:, j] = kept[np.asarray(part.argmax(axis=1)).ravel()]
            if dropped is not None:
                found[zero, j] = of_column[dropped]
            elif zero.any():
                self._check_zeros(j, zero)
                unknown[:, j] = zero
        if unknown.any():
            found = found.astype(object)
            found[unknown] = None
        return found

    def _check_zeros(self, j: int, zero: Any) -> None:
        """Rows of zeros mean something only if unknown categories become that."""
        if self.handle_unknown == "error" or (
            self.handle_unknown != "ignore" and self._rare[j] is not None
        ):
            raise DataError(
                f"Samples {np.flatnonzero(zero)} can not be inverted when drop=None "
                f"and handle_unknown={self.handle_unknown!r} as they are all zeros"
            )

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Names such as "colour_red"; shape (columns,)."""
        check_is_fitted(self)
        features = _check_feature_names_in(self, input_features)
        combine = self.feature_name_combiner
        if combine == "concat":

            def combine(feature: Any, category: Any) -> str:
                return f"{feature}_{category}"

        names = []
        for j, feature in enumerate(features):
            dropped = None if self._dropped is None else self._dropped[j]
            for i, category in enumerate(self._names(j)):
                if i != dropped:
                    names.append(combine(feature, category))
                    if not isinstance(names[-1], str):
                        raise TypeError(
                            "When `feature_name_combiner` is a callable, it should "
                            f"return a Python string. Got {type(names[-1])} instead."
                        )
        return np.array(names, dtype=object)
