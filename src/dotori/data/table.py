"""A table: named columns, each with its values, its gaps and its kind.

Every reader and every data frame becomes a :class:`Table`, so the rest of the library
knows one form only. There are four kinds of column:

========  =====================================  =====================
kind      ``values``                             under a gap
========  =====================================  =====================
number    any integer or floating-point array    0 or NaN
text      int32 codes into ``categories``        -1
boolean   bool array                             False
datetime  ``datetime64[us]`` array, UTC          NaT
========  =====================================  =====================

A text is stored once and its rows hold a number: choosing rows, counting and one-hot
encoding of a million rows then touch numbers only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dotori.errors import ArgumentError, DataError

Kind: TypeAlias = Literal["number", "text", "boolean", "datetime"]
KINDS: tuple[Kind, ...] = ("number", "text", "boolean", "datetime")


class Column:
    """One column: read-only values, a mask of gaps, and a kind.

    Parameters
    ----------
    kind : {"number", "text", "boolean", "datetime"}
        What the values are; see the table above.
    values : array of shape (n,)
        The values; for text, codes into `categories`.
    missing : bool array of shape (n,), optional
        True where there is no value. Without it, nothing is missing.
    categories : sequence of str, optional
        The distinct texts, for the kind text only.

    Examples
    --------
    >>> missing = np.array([False, False, True])
    >>> colour = Column("text", np.array([0, 1, -1]), missing, ["red", "blue"])
    >>> colour.to_list()
    ['red', 'blue', None]
    """

    __slots__ = ("categories", "kind", "missing", "values")

    def __init__(
        self,
        kind: Kind,
        values: NDArray[Any],
        missing: ArrayLike | None = None,
        categories: Sequence[str] = (),
    ) -> None:
        if kind not in KINDS:
            raise ArgumentError(f"a column's kind must be one of {KINDS}, got {kind!r}")
        mask = np.zeros(len(values), bool) if missing is None else np.asarray(missing)
        if values.ndim != 1 or mask.shape != values.shape or mask.dtype != bool:
            raise DataError(
                "Column: values and a bool mask of one shape (n,) were wanted, got "
                f"{values.shape} and {mask.dtype} {mask.shape}"
            )
        self.kind: Kind = kind
        self.values = _read_only(values)
        self.missing = _read_only(mask)
        self.categories = tuple(categories)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def num_missing(self) -> int:
        """How many rows have no value."""
        return int(np.count_nonzero(self.missing))

    def take(self, rows: NDArray[np.integer[Any]] | slice) -> Column:
        """The column of these rows; a slice costs nothing."""
        return Column(self.kind, self.values[rows], self.missing[rows], self.categories)

    def present(self) -> NDArray[Any]:
        """The values that are there, without the gaps."""
        return self.values[~self.missing] if self.missing.any() else self.values

    def as_float(self) -> NDArray[np.float64]:
        """Numbers, or False and True as 0 and 1, in float64; NaN where missing."""
        if self.kind not in ("number", "boolean"):
            raise DataError(f"a column of {self.kind} cannot be taken as numbers")
        values = self.values.astype(np.float64)
        if self.missing.any():
            values[self.missing] = np.nan
        return values

    def to_list(self) -> list[Any]:
        """The values as Python objects, None where missing."""
        if self.kind == "text":
            lookup = np.array([*self.categories, None], dtype=object)
            return list(lookup[self.values])
        values: list[Any] = self.values.tolist()
        for row in np.flatnonzero(self.missing):
            values[row] = None
        return values

    def value(self, row: int) -> Any:
        """The value of one row as a Python object, for messages."""
        return self.take(slice(row, row + 1)).to_list()[0]

    def __repr__(self) -> str:
        return f"Column({self.kind}, {len(self)} rows, {self.num_missing} missing)"


class Table:
    """Named columns of one length; nothing in it changes.

    Parameters
    ----------
    columns : mapping of str to Column
        The columns, in order.
    row_numbers : int array or range, optional
        The number that each row has in its source, for messages; they count from 1.
        Rows that are taken or sliced keep theirs.

    Examples
    --------
    >>> cities = ["Seoul", "Jeju", "Jeju"]
    >>> table = Table.from_frame({"age": [31, 45, None], "city": cities})
    >>> table
    Table(3 rows: age number, city text)
    >>> table.take(np.array([2, 0]))["city"].to_list()
    ['Jeju', 'Seoul']
    """

    __slots__ = ("_columns", "_length", "_rows")

    def __init__(
        self,
        columns: Mapping[str, Column],
        row_numbers: NDArray[np.int64] | range | None = None,
    ) -> None:
        self._columns = dict(columns)
        lengths = {name: len(column) for name, column in self._columns.items()}
        self._length = next(iter(lengths.values()), 0)
        for name, length in lengths.items():
            if length != self._length:
                raise DataError(
                    f"Table: columns of one length were wanted, but {name!r} has "
                    f"{length} rows and {next(iter(lengths))!r} has {self._length}"
                )
        self._rows = range(1, self._length + 1) if row_numbers is None else row_numbers

    @classmethod
    def from_frame(cls, frame: Any, names: Sequence[str] | None = None) -> Table:
        """Make a table from a data frame or from arrays.

        Parameters
        ----------
        frame : Table, mapping, NumPy array, or pandas, Polars or Arrow table
            A mapping of names to arrays or lists, a structured array, an array of
            shape (n, d), or a frame (through narwhals, in the extra ``cli``). NaN,
            NaT, None and null are gaps.
        names : sequence of str, optional
            The names of the d columns of an array of shape (n, d); otherwise they are
            x0, x1, ...

        Raises
        ------
        DataError
            If two columns share a name, lengths differ, or a column holds something
            else than numbers, text, booleans or dates, or a mixture of them.

        Examples
        --------
        >>> Table.from_frame(np.zeros((2, 3)))
        Table(2 rows: x0 number, x1 number, x2 number)
        """
        from dotori.data.frame import table_from_frame

        return frame if isinstance(frame, Table) else table_from_frame(frame, names)

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return list(self._columns)

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kind of each column, which `read_table` takes as ``column_types``."""
        return {name: column.kind for name, column in self._columns.items()}

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self._length, len(self._columns)

    def __len__(self) -> int:
        return self._length

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def items(self) -> Iterable[tuple[str, Column]]:
        """Pairs of name and column, in order."""
        return self._columns.items()

    def __getitem__(self, name: str) -> Column:
        try:
            return self._columns[name]
        except KeyError:
            raise DataError(unknown_column(name, self._columns)) from None

    def row_number(self, row: int) -> int:
        """The number of this row in its source, counted from 1, for messages."""
        return int(self._rows[row])

    def select(self, names: Iterable[str]) -> Table:
        """A table of these columns, in this order."""
        return Table({name: self[name] for name in names}, self._rows)

    def drop(self, names: Iterable[str]) -> Table:
        """A table without these columns."""
        gone = set(names)
        for name in gone:
            _ = self[name]
        return self.select(name for name in self._columns if name not in gone)

    def with_column(self, name: str, column: Column) -> Table:
        """A table with this column added at the end, or replaced in its place."""
        return Table({**self._columns, name: column}, self._rows)

    def take(self, rows: ArrayLike) -> Table:
        """A table of these rows: indices, or a mask of n bools."""
        index = np.asarray(rows)
        if index.dtype == bool:
            index = np.flatnonzero(index)
        elif index.size == 0:
            index = index.astype(np.int64)
        numbers = np.asarray(self._rows, dtype=np.int64)[index]
        return Table({k: c.take(index) for k, c in self._columns.items()}, numbers)

    def slice(self, start: int, stop: int | None = None) -> Table:
        """A table of rows start, ..., stop - 1, without a copy."""
        part = slice(start, stop)
        columns = {k: c.take(part) for k, c in self._columns.items()}
        return Table(columns, self._rows[part])

    def to_dict(self) -> dict[str, list[Any]]:
        """Lists of Python values by name, None where missing."""
        return {name: column.to_list() for name, column in self._columns.items()}

    def __repr__(self) -> str:
        shown = [f"{name} {column.kind}" for name, column in self._columns.items()]
        if len(shown) > 8:
            shown[7:] = [f"... {len(shown)} columns"]
        return f"Table({self._length} rows: {', '.join(shown)})"


def unknown_column(name: str, known: Iterable[str]) -> str:
    """The sentence for a column that is not there, with the names closest to it."""
    import difflib  # late: only a mistake needs it

    names = list(known)
    close = difflib.get_close_matches(str(name), names, n=3, cutoff=0.6)
    if close:
        meant = " or ".join(map(repr, close))
        return f"there is no column {name!r}; did you mean {meant}?"
    shown = ", ".join(map(repr, names[:20])) + (", ..." if len(names) > 20 else "")
    return f"there is no column {name!r}; the columns are {shown or '(none)'}"


def check_unique(names: Sequence[str], place: str) -> None:
    """Refuse a table in which two columns share a name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(
                f"{place} has two columns named {name!r}; rename or remove one of them"
            )
        seen.add(name)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
