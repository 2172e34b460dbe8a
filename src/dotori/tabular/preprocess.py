"""From a table to the matrix of numbers that a network takes.

Fitted on the training split only, the preprocessor is then pure data, and part of the
model file: any later table becomes a matrix in exactly the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.data.scaling import Scaling, fit_scaling
from dotori.data.schema import Feature, Schema, check_finite
from dotori.data.table import Column, Kind, Table
from dotori.errors import DataError, FormatError
from dotori.tabular.encoders import (
    CategoryEncoder,
    DateEncoder,
    Encoder,
    NumberEncoder,
    Surprises,
    encoder_from_json,
)

# Rows at a time, so that the float64 copy of a large table stays small.
_BLOCK = 65_536


@dataclass(frozen=True)
class Preprocessor:
    """What the training split taught: fills, categories, parts of dates, scaling.

    Use :meth:`fit` to make one. Each feature of the schema becomes one or more columns
    of the matrix:

    - a number or boolean: itself, scaled; if the training split has gaps in it, these
      take the median, and a second column is 1 there;
    - a category: a column for each category with 1 for the row's own, one for those
      that the training did not see or that are rare, and one for gaps if it saw any;
    - a date: the parts that vary, scaled, in UTC, and an indicator of gaps likewise.

    Examples
    --------
    >>> from dotori.data.schema import infer_schema
    >>> train = Table.from_frame({"age": [20, 40, None], "city": ["A", "B", "A"]})
    >>> preprocessor = Preprocessor.fit(train, infer_schema(train), scale="minmax")
    >>> preprocessor.feature_names_out
    ['age', 'age missing', 'city=A', 'city=B', 'city other']
    >>> preprocessor.transform(train).tolist()[2]
    [0.5, 1.0, 1.0, 0.0, 0.0]
    >>> later = Table.from_frame({"city": ["C"], "age": [60], "more": [1]})
    >>> preprocessor.transform(later).tolist()
    [[2.0, 0.0, 0.0, 0.0, 1.0]]
    """

    schema: Schema
    encoders: tuple[Encoder, ...]
    scaling: Scaling
    scale: str

    @classmethod
    def fit(
        cls,
        table: Table,
        schema: Schema,
        scale: str = "standard",
        *,
        cyclic_dates: bool = False,
    ) -> Preprocessor:
        """Learn from the training split.

        Parameters
        ----------
        table : Table
            The training split, and nothing else.
        schema : Schema
            What each column is good for.
        scale : {"standard", "minmax", "none"}
            Mean 0 and deviation 1, minimum 0 and maximum 1, or as they are. It concerns
            amounts and dates; columns of 0 and 1 stay so. Statistics are taken in
            float64, after gaps are filled. A column that does not vary becomes 0.
        cyclic_dates : bool
            Whether month, day, weekday and hour become a sine and a cosine.

        Raises
        ------
        DataError
            If there are no rows, a column is missing or of another kind than in the
            schema, or a value is infinite.
        ArgumentError
            If `scale` is none of the three.
        """
        if not len(table):
            raise DataError("Preprocessor.fit: the table has no rows")
        encoders = tuple(
            _fit_encoder(
                feature,
                _column(table, feature.name, feature.kind),
                schema.max_categories,
                cyclic_dates,
            )
            for feature in schema.used
        )
        width = sum(len(encoder.names) for encoder in encoders)
        unscaled = cls(
            schema, encoders, Scaling(np.zeros(width), np.ones(width)), scale
        )
        shift, factor = np.zeros(width), np.ones(width)
        for encoder, part in unscaled._parts():
            columns = slice(part.start, part.start + encoder.scaled)
            found = fit_scaling(
                unscaled._encode(table, encoder, Surprises())[:, : encoder.scaled],
                scale,
            )
            shift[columns], factor[columns] = found.shift, found.factor
        return cls(schema, encoders, Scaling(shift, factor), scale)

    @property
    def feature_names_out(self) -> list[str]:
        """The names of the matrix's columns."""
        return [name for encoder in self.encoders for name in encoder.names]

    @property
    def num_features(self) -> int:
        """The width d of the matrix."""
        return len(self.scaling.shift)

    @property
    def column_types(self) -> dict[str, Kind]:
        """The columns wanted of a table and their kinds, for `read_table`."""
        return {encoder.name: encoder.kind for encoder in self.encoders}

    def transform(
        self, table: Table, surprises: Surprises | None = None
    ) -> NDArray[np.float32]:
        """The matrix of a table, shape (n, d).

        Parameters
        ----------
        table : Table
            It must have the columns of the training; others are ignored.
        surprises : Surprises, optional
            Counts gaps and categories that the training did not see.

        Raises
        ------
        DataError
            If a column is missing or of another kind, a value is infinite, or so far
            from the training's values that float32 cannot hold it. The matrix never
            has a NaN or an infinity.
        """
        surprises = Surprises() if surprises is None else surprises
        self._check_columns(table)
        matrix = np.empty((len(table), self.num_features), dtype=np.float32)
        for start in range(0, len(table), _BLOCK):
            block = table.slice(start, start + _BLOCK)
            for encoder, part in self._parts():
                values = self._encode(block, encoder, surprises)
                if encoder.scaled:
                    scaling = Scaling(
                        self.scaling.shift[part], self.scaling.factor[part]
                    )
                    values = scaling.apply(values)
                    _check_range(block, encoder.name, values)
                matrix[start : start + _BLOCK, part] = values
        return matrix

    def inverse_transform(self, matrix: NDArray[Any]) -> Table:
        """The table that gave this matrix, as far as the matrix tells.

        Numbers come back up to float32's rounding, with their gaps if the training saw
        gaps; a category that it did not see comes back as a gap; dates come back as
        their parts.
        """
        if matrix.ndim != 2 or matrix.shape[1] != self.num_features:
            raise DataError(
                f"inverse_transform: a matrix of shape (n, {self.num_features}) was "
                f"wanted, got {matrix.shape}"
            )
        values = self.scaling.invert(matrix)
        columns: dict[str, Column] = {}
        for encoder, part in self._parts():
            columns |= encoder.decode(values[:, part])
        return Table(columns)

    def to_state(self) -> tuple[dict[str, NDArray[np.float64]], dict[str, Any]]:
        """Arrays and a JSON document, for the model file."""
        arrays = {"shift": self.scaling.shift, "factor": self.scaling.factor}
        encoders = [encoder.to_json() for encoder in self.encoders]
        return arrays, {
            "scale": self.scale,
            "schema": self.schema.to_json(),
            "encoders": encoders,
        }

    @classmethod
    def from_state(
        cls, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]
    ) -> Preprocessor:
        """The preprocessor from what :meth:`to_state` gave; FormatError otherwise."""
        try:
            encoders = tuple(encoder_from_json(item) for item in document["encoders"])
            shift, factor = (
                np.asarray(arrays[name], np.float64) for name in ("shift", "factor")
            )
            width = sum(len(encoder.names) for encoder in encoders)
            sound = np.isfinite(shift).all() and np.isfinite(factor).all()
            if shift.shape != (width,) or factor.shape != (width,) or not sound:
                raise ValueError(f"scaling of shape {shift.shape} for {width} columns")
            if not (factor > 0).all():
                raise ValueError("a factor that is not above 0")
            return cls(
                Schema.from_json(document["schema"]),
                encoders,
                Scaling(shift, factor),
                str(document["scale"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"not a preprocessor of dotori: {error!r}") from error

    def _parts(self) -> list[tuple[Encoder, slice]]:
        """Each encoder with the columns of the matrix that it fills."""
        ends = accumulate(len(encoder.names) for encoder in self.encoders)
        return [
            (encoder, slice(end - len(encoder.names), end))
            for encoder, end in zip(self.encoders, ends, strict=True)
        ]

    def _encode(
        self, table: Table, encoder: Encoder, surprises: Surprises
    ) -> NDArray[np.float64]:
        column = _column(table, encoder.name, encoder.kind)
        out = np.empty((len(table), len(encoder.names)))
        encoder.encode(column, out, surprises)
        return out

    def _check_columns(self, table: Table) -> None:
        gone = [e.name for e in self.encoders if e.name not in table]
        if gone:
            raise DataError(
                f"the table lacks the column{'s' * (len(gone) > 1)} "
                f"{', '.join(map(repr, gone))}; the model was trained on "
                f"{', '.join(repr(encoder.name) for encoder in self.encoders)}"
            )


def _fit_encoder(
    feature: Feature, column: Column, max_categories: int, cyclic: bool
) -> Encoder:
    if feature.role == "category":
        return CategoryEncoder.fit(feature.name, column, max_categories)
    if feature.role == "datetime":
        return DateEncoder.fit(feature.name, column, cyclic)
    return NumberEncoder.fit(feature.name, column)


def _column(table: Table, name: str, kind: Kind) -> Column:
    """The table's column in the kind that the training saw, all infinities refused."""
    column = table[name]
    check_finite(table, name)
    if column.kind == kind:
        return column
    if column.missing.all():
        return _all_missing(kind, len(column))
    if kind == "number" and column.kind == "boolean":
        return Column("number", column.values.astype(np.int64), column.missing)
    if kind == "boolean" and column.kind == "number":
        if np.isin(column.present(), (0, 1)).all():
            flags = (column.values == 1) & ~column.missing
            return Column("boolean", flags, column.missing)
    row = int(np.argmin(column.missing))
    raise DataError(
        f"column {name!r} holds {_NOUNS[column.kind]} ({column.value(row)!r} in row "
        f"{table.row_number(row)}), but the model was trained on {_NOUNS[kind]}; "
        "convert the column"
    )


_NOUNS: dict[Kind, str] = {
    "number": "numbers",
    "text": "text",
    "boolean": "true and false",
    "datetime": "dates",
}


def _all_missing(kind: Kind, length: int) -> Column:
    blanks: Mapping[Kind, Any] = {
        "number": np.full(length, np.nan),
        "text": np.full(length, -1, np.int32),
        "boolean": np.zeros(length, bool),
        "datetime": np.full(length, np.datetime64("NaT"), "datetime64[us]"),
    }
    return Column(kind, blanks[kind], np.ones(length, bool))


def _check_range(table: Table, name: str, values: NDArray[np.float64]) -> None:
    """Refuse what float32 cannot hold, rather than hand on an infinity."""
    within = np.abs(values) <= np.finfo(np.float32).max
    if not within.all():
        row = int(np.argmin(within.all(axis=1)))
        raise DataError(
            f"column {name!r}, row {table.row_number(row)}: the value "
            f"{table[name].value(row)!r} is too far from those of the training; "
            "correct it, or leave it empty if it is not known"
        )
