"""The target: which task it poses, and its values as a network wants them.

The task by the column's kind:

- text and booleans are classes (two: binary, more: multiclass);
- whole numbers are classes if there are two distinct ones, or at most 20 and on
  average at least 5 rows of each; otherwise amounts;
- floating-point numbers are amounts, unless there are two distinct ones; a column of
  them that holds 0, 1, ..., k or 1, 2, ..., k and nothing else counts as whole numbers;
- ``task=`` overrides all of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dotori.data.fields import wrong_field
from dotori.data.schema import check_finite, num_distinct
from dotori.data.table import Column, Kind, Table
from dotori.errors import ArgumentError, DataError, FormatError

Task: TypeAlias = Literal["regression", "binary", "multiclass", "clustering"]
TASKS: tuple[Task, ...] = ("regression", "binary", "multiclass")
Label: TypeAlias = str | int | float | bool

MAX_CODED_CLASSES = 20
_MIN_ROWS_A_CLASS = 5
_LARGEST = 1e145


@dataclass(frozen=True)
class Target:
    """A target column: its task, and the way there and back.

    Parameters
    ----------
    name : str
        The column.
    kind : str
        The kind of the column that it was found in.
    task : {"regression", "binary", "multiclass", "clustering"}
        What is to be predicted; clusters need no column.
    classes : tuple
        The labels in order; the position of a label is its class number. The numbers
        of the clusters.
    mean, std : float
        Of the training split, for the standardisation of a regression's target.

    Examples
    --------
    >>> table = Table.from_frame({"grade": ["good", "bad", "good"]})
    >>> target = infer_target(table, "grade")
    >>> target.task, target.classes
    ('binary', ('bad', 'good'))
    >>> target.encode(table).tolist()
    [1, 0, 1]
    >>> target.decode(np.array([0, 0]))
    ['bad', 'bad']
    """

    name: str
    kind: Kind
    task: Task
    classes: tuple[Label, ...] = ()
    mean: float = 0.0
    std: float = 1.0

    @property
    def is_regression(self) -> bool:
        """Whether an amount is predicted, not a class."""
        return self.task == "regression"

    @classmethod
    def clusters(cls, count: int = 0) -> Target:
        """What k-means predicts: the number of one of so many clusters."""
        return cls("", "number", "clustering", tuple(range(count)))

    @property
    def is_clusters(self) -> bool:
        """Whether there is no target, and clusters are to be found."""
        return self.task == "clustering"

    @property
    def num_outputs(self) -> int:
        """How many numbers a network gives a row: 1, or one for each class."""
        return len(self.classes) if self.task == "multiclass" else 1

    def encode(self, table: Table) -> NDArray[Any]:
        """The target of each row: float64 amounts, or int64 class numbers.

        Raises DataError for a gap, an infinite value, a wrong kind or a class that the
        training did not see, naming the row.
        """
        column = table[self.name]
        if column.num_missing:
            row = table.row_number(int(np.argmax(column.missing)))
            raise DataError(f"the target {self.name!r} is missing in row {row}")
        if self.is_regression:
            check_finite(table, self.name)
            _check_numeric(table, self.name)
            return column.as_float()
        return self._encode_classes(table, column)

    def _encode_classes(self, table: Table, column: Column) -> NDArray[np.int64]:
        labels, codes = labels_of(column)
        places = {label: i for i, label in enumerate(self.classes)}
        lookup = np.array([places.get(label, -1) for label in labels], dtype=np.int64)
        encoded: NDArray[np.int64] = lookup[codes]
        if (encoded < 0).any():
            row = int(np.argmax(encoded < 0))
            raise DataError(
                f"the target {self.name!r} is {column.value(row)!r} in row "
                f"{table.row_number(row)}, a class that the training did not see; it "
                f"saw {', '.join(map(repr, self.classes[:20]))}"
            )
        return encoded

    def decode(self, classes: ArrayLike) -> list[Label]:
        """The labels of these class numbers."""
        return [self.classes[int(i)] for i in np.asarray(classes)]

    def choose(self, output: NDArray[np.float64]) -> NDArray[np.int64]:
        """The most probable class of each row, or its nearest cluster."""
        if self.is_clusters:
            nearest: NDArray[np.int64] = output.argmin(axis=1)
            return nearest
        chosen: NDArray[np.int64] = output.argmax(axis=1)
        return chosen

    def fit_scale(self, y: ArrayLike) -> Target:
        """The same target with the mean and deviation of the training split's `y`."""
        from dotori.data.scaling import Scaling

        scaling = Scaling.standard(np.asarray(y, np.float64)[:, np.newaxis])
        shift, factor = float(scaling.shift[0]), float(scaling.factor[0])
        return replace(self, mean=shift, std=factor)

    def scale(self, y: ArrayLike) -> NDArray[np.float64]:
        """(y - mean) / std, what the network learns."""
        return (np.asarray(y, np.float64) - self.mean) / self.std

    def unscale(self, y: ArrayLike) -> NDArray[np.float64]:
        """y * std + mean, from what the network gives."""
        values: NDArray[np.float64] = np.asarray(y, np.float64) * self.std
        return values + self.mean

    def to_json(self) -> dict[str, Any]:
        """The target as plain JSON values."""
        return {
            "name": self.name,
            "kind": self.kind,
            "task": self.task,
            "classes": list(self.classes),
            "mean": self.mean,
            "std": self.std,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Target:
        """The target from what :meth:`to_json` gave; FormatError for anything else."""
        try:
            task = document["task"]
            if task not in (*TASKS, "clustering"):
                raise ValueError(f"task {task!r}")
            return cls(
                str(document["name"]),
                document["kind"],
                task,
                tuple(document["classes"]),
                float(document["mean"]),
                float(document["std"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"not a target of dotori: {error!r}") from error


def drop_missing_target(table: Table, name: str) -> tuple[Table, int]:
    """The table without the rows that have no target, and how many those were."""
    column = table[name]
    count = column.num_missing
    if count == len(column):
        raise DataError(
            f"the target {name!r} has no values at all; choose another column"
            if count
            else "the table has no rows; at least one was wanted"
        )
    return (table.take(~column.missing), count) if count else (table, 0)


def infer_target(table: Table, name: str, task: str = "auto") -> Target:
    """Find the task that a column poses.

    Parameters
    ----------
    table : Table
        A table in which every row has a target, see :func:`drop_missing_target`.
    name : str
        The target's column.
    task : {"auto", "regression", "classification", "binary", "multiclass"}
        The task, if the rules above should not decide it.

    Raises
    ------
    ArgumentError
        If `task` is none of these.
    DataError
        If the target has one class only, is constant, infinite, a date, text where
        numbers are wanted, or text that is different in nearly every row.

    Examples
    --------
    >>> infer_target(Table.from_frame({"price": [1.5, 2.5, 9.0]}), "price").task
    'regression'
    """
    known = ("auto", "classification", *TASKS)
    if task not in known:
        raise ArgumentError(f"task must be one of {known}, got {task!r}")
    column = table[name]
    if not len(column) or column.num_missing:
        raise DataError(f"the target {name!r} has gaps; drop their rows first")
    if column.kind == "datetime":
        raise DataError(
            f"the target {name!r} holds dates; turn it into a number, such as days "
            "since a fixed date, and train on that"
        )
    check_finite(table, name)
    if task == "regression" or (task == "auto" and not _is_classes(table, name)):
        return _regression(table, name)
    return _classification(table, name, task)


def _is_classes(table: Table, name: str) -> bool:
    column = table[name]
    if column.kind != "number":
        if column.kind == "text":
            _check_not_numbers_as_text(table, name)
        return True
    distinct = np.unique(column.values)
    if column.values.dtype.kind == "f":
        counts_up = np.arange(len(distinct)) + (1 if distinct[0] == 1 else 0)
        if not np.array_equal(distinct, counts_up):
            return len(distinct) == 2
    few = len(distinct) <= MAX_CODED_CLASSES
    return len(distinct) <= 2 or (
        few and len(column) >= _MIN_ROWS_A_CLASS * len(distinct)
    )


def _check_not_numbers_as_text(table: Table, name: str) -> None:
    """A column of numbers in which one word has made everything text."""
    column = table[name]
    words = [wrong_field(text, "number") for text in column.categories]
    used = np.bincount(column.values, minlength=len(words)) > 0
    bad = np.array(words, dtype=bool)
    good = np.count_nonzero(used & ~bad)
    if good > MAX_CODED_CLASSES and good > np.count_nonzero(used & bad):
        _check_numeric(table, name)


def _check_numeric(table: Table, name: str) -> None:
    column = table[name]
    if column.kind in ("number", "boolean"):
        return
    rows = (i for i, text in enumerate(column.to_list()) if _is_word(text))
    row = next(rows, 0)
    raise DataError(
        f"the target {name!r} should be a number, but row {table.row_number(row)} "
        f"holds {column.value(row)!r}; correct it or leave it empty, or ask for "
        "task='classification'"
    )


def _is_word(value: Any) -> bool:
    return not isinstance(value, str) or wrong_field(value, "number")


def _regression(table: Table, name: str) -> Target:
    _check_numeric(table, name)
    values = table[name].as_float()
    if values.min() == values.max():
        raise DataError(
            f"the target {name!r} is {values[0]:g} in every row, so there is nothing "
            "to learn; choose another column"
        )
    largest = float(np.abs(values).max())
    if largest > _LARGEST:
        raise DataError(
            f"the target {name!r} reaches {largest:g}, too much for a sum of squares; "
            "give it in a larger unit"
        )
    return Target(name, table[name].kind, "regression")


def _classification(table: Table, name: str, task: str) -> Target:
    column = table[name]
    distinct = num_distinct(column)
    if distinct == 1:
        raise DataError(
            f"the target {name!r} has one class only, {column.value(0)!r}; at least "
            "two are wanted"
        )
    if distinct > max(100, len(column) // 2):
        raise DataError(
            f"the target {name!r} has {distinct} different values in {len(column)} "
            "rows, too many for classes; choose another column or task='regression'"
        )
    if task == "binary" and distinct != 2:
        raise DataError(
            f"task='binary' needs two classes, the target {name!r} has {distinct}"
        )
    labels, codes = labels_of(column)
    used = np.bincount(codes, minlength=len(labels)) > 0
    classes = tuple(sorted(x for x, there in zip(labels, used, strict=True) if there))
    chosen: Task = "multiclass" if task == "multiclass" or distinct > 2 else "binary"
    return Target(name, column.kind, chosen, classes)


def labels_of(column: Column) -> tuple[list[Any], NDArray[np.int64]]:
    """Labels, and each row's place among them; whole numbers become int.

    Examples
    --------
    >>> labels_of(Column("number", np.array([2.0, 1.0, 2.0])))
    ([1, 2], array([1, 0, 1]))
    """
    if column.kind == "text":
        return list(column.categories), column.values.astype(np.int64)
    values, codes = np.unique(column.values, return_inverse=True)
    labels = [int(v) if v == int(v) else v for v in values.tolist()]
    if column.kind == "boolean":
        labels = [bool(v) for v in values]
    return labels, codes
