"""What each column of a table is good for: found once, kept in the model file.

The rules, in this order:

1. a column without any value, and one with the same value in every row, is dropped;
2. a column declared in `categorical` is a category, whatever its kind;
3. text that is different in every row (of at least 20) is an identifier, and so are
   whole numbers that are different in every row of a column named like one (``id``,
   ``user_id``, ``index``, ``Unnamed: 0``): both are dropped, unless listed in `keep`;
4. text is a category; of more than `max_categories` distinct texts the most frequent
   ones have a place of their own and the others share one;
5. dates are taken apart into year, month, day, weekday and hour;
6. numbers and booleans are numbers, also integers with few distinct values: 1, 2, 3
   may be an amount. Declare them in `categorical` if they are names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, cast

import numpy as np

from dotori.data.scaling import LARGEST
from dotori.data.table import KINDS, Column, Kind, Table
from dotori.errors import DataError, FormatError

Role: TypeAlias = Literal["number", "category", "datetime", "dropped"]
ROLES: tuple[Role, ...] = ("number", "category", "datetime", "dropped")

_MIN_ROWS_FOR_IDENTIFIER = 20
_IDENTIFIER = re.compile(r"(.*[_ .-])?(id|uuid|index|row|rowid)|unnamed: 0|")


@dataclass(frozen=True)
class Feature:
    """One column: its kind in the table, its role for a model, and why."""

    name: str
    kind: Kind
    role: Role
    note: str = ""
    distinct: int = 0
    missing: int = 0


@dataclass(frozen=True)
class Schema:
    """The columns that a model takes, in order, and those that it leaves out.

    Examples
    --------
    >>> table = Table.from_frame({"age": [31, 45], "city": ["Seoul", "Jeju"],
    ...                           "planet": ["Earth", "Earth"]})
    >>> schema = infer_schema(table)
    >>> [(f.name, f.role) for f in schema.features]
    [('age', 'number'), ('city', 'category'), ('planet', 'dropped')]
    >>> schema.notes()
    ["column 'planet' is left out: it has the same value in every row"]
    """

    features: tuple[Feature, ...]
    max_categories: int = 50

    @property
    def used(self) -> tuple[Feature, ...]:
        """The features that a model takes."""
        return tuple(f for f in self.features if f.role != "dropped")

    @property
    def column_types(self) -> dict[str, Kind]:
        """The kinds of the used columns, for `read_table`."""
        return {feature.name: feature.kind for feature in self.used}

    def notes(self) -> list[str]:
        """One sentence for each decision that a user should know of."""
        return [feature.note for feature in self.features if feature.note]

    def to_json(self) -> dict[str, Any]:
        """The schema as plain JSON values."""
        return {
            "features": [asdict(feature) for feature in self.features],
            "max_categories": self.max_categories,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Schema:
        """The schema from what :meth:`to_json` gave; FormatError for anything else."""
        try:
            features = tuple(_feature(item) for item in document["features"])
            return cls(features, int(document["max_categories"]))
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"not a schema of dotori: {error!r}") from error


def _feature(item: Mapping[str, Any]) -> Feature:
    feature = Feature(
        str(item["name"]),
        cast(Kind, str(item["kind"])),
        cast(Role, str(item["role"])),
        str(item["note"]),
        int(item["distinct"]),
        int(item["missing"]),
    )
    if feature.kind not in KINDS or feature.role not in ROLES:
        raise ValueError(f"kind {feature.kind!r}, role {feature.role!r}")
    return feature


def infer_schema(
    table: Table,
    *,
    categorical: Sequence[str] = (),
    keep: Sequence[str] = (),
    max_categories: int = 50,
) -> Schema:
    """Decide what each column of a table of features is good for.

    Parameters
    ----------
    table : Table
        The features, without the target and without columns to be left out.
    categorical : sequence of str
        Columns whose values are names, whatever they look like.
    keep : sequence of str
        Columns that are not to be taken for identifiers.
    max_categories : int
        How many categories of one column get a place of their own.

    Raises
    ------
    DataError
        If there are no rows, an infinite number, or no column that can be used.

    Examples
    --------
    See :class:`Schema`.
    """
    for name in (*categorical, *keep):
        _ = table[name]
    if not table.names:
        raise DataError("the table has no columns to learn from")
    if not len(table):
        raise DataError("the table has no rows; at least one was wanted")
    features = []
    for name, column in table.items():
        check_finite(table, name)
        declared = name in categorical
        feature = _analyse(name, column, declared, name in keep, max_categories)
        features.append(feature)
    schema = Schema(tuple(features), max_categories)
    if not schema.used:
        raise DataError(
            f"no column of the table can be used: {'; '.join(schema.notes())}"
        )
    return schema


def check_finite(table: Table, name: str) -> None:
    """Refuse a number beyond `LARGEST`, naming its column and row."""
    column = table[name]
    if column.kind != "number" or column.values.dtype.kind != "f":
        return
    infinite = np.abs(column.values) > np.float64(LARGEST)  # float64, or it overflows
    if infinite.any():
        row = int(np.argmax(infinite))
        raise DataError(
            f"column {name!r}, row {table.row_number(row)}: the value is infinite or "
            f"close to it ({column.values[row]}); correct it, or leave it empty if it "
            "is not known"
        )


def _analyse(
    name: str, column: Column, declared: bool, keep: bool, max_categories: int
) -> Feature:
    missing = column.num_missing
    distinct = num_distinct(column)

    def feature(role: Role, note: str = "") -> Feature:
        return Feature(name, column.kind, role, note, distinct, missing)

    def dropped(reason: str) -> Feature:
        return feature("dropped", f"column {name!r} is left out: {reason}")

    if distinct == 0:
        return dropped("it has no values")
    if distinct == 1 and missing == 0 and len(column) > 1:
        return dropped("it has the same value in every row")
    if not (declared or keep) and _is_identifier(name, column, distinct):
        return dropped(
            "its value is different in every row, as of an identifier; "
            "keep it with `keep` if it is not"
        )
    if declared or column.kind == "text":
        note = ""
        if distinct > max_categories:
            note = (
                f"column {name!r} has {distinct} categories: the {max_categories} most "
                "frequent ones are kept, the others count as one"
            )
        return feature("category", note)
    return feature("datetime" if column.kind == "datetime" else "number")


def num_distinct(column: Column) -> int:
    """How many different values there are, gaps not counted."""
    if column.kind == "text":
        return int(np.count_nonzero(np.bincount(column.present(), minlength=1)))
    return len(np.unique(column.present()))


def _is_identifier(name: str, column: Column, distinct: int) -> bool:
    if len(column) < _MIN_ROWS_FOR_IDENTIFIER or distinct < len(column):
        return False
    if column.kind == "text":
        return True
    whole = column.kind == "number" and column.values.dtype.kind in "iu"
    return whole and _IDENTIFIER.fullmatch(name.strip().lower()) is not None
