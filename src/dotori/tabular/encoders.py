"""How one column becomes one or more columns of numbers.

An encoder is fitted on the training split's column, and from then on is data: it knows
its output's names, writes its part of the matrix, and goes into the model file as JSON.
What it meets later and did not see in training is counted in a :class:`Surprises`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dotori.data.table import KINDS, Column, Kind
from dotori.tabular.target import labels_of

Matrix = NDArray[np.float64]

# From this many rows on, a category seen in one row only shares the place of the
# unseen ones: one row teaches nothing about it, but all of them train that place.
_FOLD_FROM = 50
_PARTS = ("year", "month", "day", "weekday", "hour")
_PERIODS = {"month": 12, "day": 31, "weekday": 7, "hour": 24}
_FIRST = {"month": 1, "day": 1}


@dataclass
class Surprises:
    """What a table held that the training split did not, counted by column.

    Examples
    --------
    >>> surprises = Surprises()
    >>> surprises.unseen["city"] += 2
    >>> surprises.notes()
    ["column 'city': 2 values that the training did not see, taken as 'other'"]
    """

    filled: Counter[str] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)

    def notes(self) -> list[str]:
        """A sentence for each column."""
        filled = [
            f"column {name!r}: {count} gaps, of which the training saw none, filled "
            "with its middle value"
            for name, count in self.filled.items()
            if count
        ]
        return filled + [
            f"column {name!r}: {count} values that the training did not see, taken as "
            "'other'"
            for name, count in self.unseen.items()
            if count
        ]


class Encoder(Protocol):
    """What the preprocessor needs of an encoder."""

    @property
    def name(self) -> str:
        """The column that it encodes."""

    @property
    def kind(self) -> Kind:
        """The kind of that column in the table."""

    @property
    def names(self) -> list[str]:
        """The names of its output columns."""

    @property
    def scaled(self) -> int:
        """How many of them, the first ones, are amounts that want scaling."""

    def encode(self, column: Column, out: Matrix, surprises: Surprises) -> None:
        """Fill `out` of shape (n, len(names))."""

    def decode(self, part: Matrix) -> dict[str, Column]:
        """The column or columns that gave this part of the matrix."""

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain JSON values."""


@dataclass(frozen=True)
class NumberEncoder:
    """Numbers and booleans: gaps take the median, and 1 in a column of their own."""

    name: str
    kind: Kind
    fill: float
    indicator: bool

    @classmethod
    def fit(cls, name: str, column: Column) -> NumberEncoder:
        """The median of what is there, and whether there are gaps."""
        present = column.present().astype(np.float64)
        fill = float(np.median(present)) if len(present) else 0.0
        return cls(name, column.kind, fill, bool(column.missing.any()))

    @property
    def names(self) -> list[str]:
        """The column's own name, and that of the indicator of gaps."""
        return [self.name, f"{self.name} missing"] if self.indicator else [self.name]

    @property
    def scaled(self) -> int:
        """The value; the indicator stays 0 or 1."""
        return 1

    def encode(self, column: Column, out: Matrix, surprises: Surprises) -> None:
        """Write the values and the indicator."""
        out[:, 0] = column.values
        if column.missing.any():
            out[column.missing, 0] = self.fill
        if self.indicator:
            out[:, 1] = column.missing
        else:
            surprises.filled[self.name] += column.num_missing

    def decode(self, part: Matrix) -> dict[str, Column]:
        """The numbers, gaps where the indicator is 1."""
        missing = part[:, 1] > 0.5 if self.indicator else np.zeros(len(part), bool)
        values = np.where(missing, np.nan, part[:, 0])
        if self.kind == "boolean":
            return {self.name: Column("boolean", part[:, 0] > 0.5, missing)}
        return {self.name: Column("number", values, missing)}

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class CategoryEncoder:
    """One-hot: a place for each category, one for all others, one for gaps."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    gaps: bool

    @classmethod
    def fit(cls, name: str, column: Column, max_categories: int) -> CategoryEncoder:
        """The most frequent categories, in alphabetic order."""
        labels, counts = _count_labels(column)
        seen = [i for i in np.argsort(-counts, kind="stable") if counts[i] > 0]
        if len(column) >= _FOLD_FROM and counts.max(initial=0) > 1:
            seen = [i for i in seen if counts[i] > 1]
        chosen = sorted(labels[i] for i in seen[:max_categories])
        return cls(name, column.kind, tuple(chosen), bool(column.missing.any()))

    @property
    def names(self) -> list[str]:
        """``column=label`` for each category, then ``other``, then ``missing``."""
        places = [f"{self.name}={label}" for label in self.labels]
        places.append(f"{self.name} other")
        return [*places, f"{self.name} missing"] if self.gaps else places

    @property
    def scaled(self) -> int:
        """None: all columns are 0 or 1."""
        return 0

    def encode(self, column: Column, out: Matrix, surprises: Surprises) -> None:
        """Write a single 1 into each row."""
        other = len(self.labels)
        places = {label: i for i, label in enumerate(self.labels)}
        labels, codes = _text_labels(column)
        lookup = np.array([places.get(v, other) for v in labels] + [other])
        place = lookup[np.where(column.missing, len(labels), codes)]
        if self.gaps:
            place[column.missing] = other + 1
        surprises.unseen[self.name] += int(np.count_nonzero(place == other))
        out[...] = 0
        out[np.arange(len(place)), place] = 1

    def decode(self, part: Matrix) -> dict[str, Column]:
        """The labels; a gap for what went to the place of the others."""
        place = part.argmax(axis=1)
        missing = place >= len(self.labels)
        codes = np.where(missing, -1, place).astype(np.int32)
        return {self.name: Column("text", codes, missing, self.labels)}

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain JSON values."""
        return {**asdict(self), "labels": list(self.labels)}


def _text_labels(column: Column) -> tuple[list[str], NDArray[np.int64]]:
    """Labels as text, so that a category may be a number: 3 and 3.0 are both '3'."""
    if column.kind == "text":
        return list(column.categories), column.values.astype(np.int64)
    labels, codes = labels_of(column)
    return [str(label) for label in labels], codes


def _count_labels(column: Column) -> tuple[list[str], NDArray[np.int64]]:
    """The labels in alphabetic order, and in how many rows each is."""
    labels, codes = _text_labels(column)
    counts = np.bincount(codes[~column.missing], minlength=len(labels))
    order = sorted(range(len(labels)), key=labels.__getitem__)
    return [labels[i] for i in order], counts[order]


@dataclass(frozen=True)
class DateEncoder:
    """Dates: those of year, month, day, weekday and hour that vary in training.

    With `cyclic`, each part but the year is the sine and cosine of its place in the
    circle, so that December lies beside January.
    """

    name: str
    kind: Kind
    fill: int  # microseconds since 1970
    parts: tuple[str, ...]
    cyclic: bool
    indicator: bool

    @classmethod
    def fit(cls, name: str, column: Column, cyclic: bool) -> DateEncoder:
        """The middle date, and the parts that vary."""
        present = np.sort(column.present().astype(np.int64))
        fill = int(present[len(present) // 2]) if len(present) else 0
        values = {part: date_part(present, part) for part in _PARTS}
        varying = [part for part, v in values.items() if len(np.unique(v)) > 1]
        gaps = bool(column.missing.any())
        return cls(name, column.kind, fill, tuple(varying), cyclic, gaps)

    @property
    def names(self) -> list[str]:
        """``column year`` and so on, and that of the indicator of gaps."""
        names = []
        for part in self.parts:
            both = self.cyclic and part in _PERIODS
            ends = [f"{part} sine", f"{part} cosine"] if both else [part]
            names += [f"{self.name} {end}" for end in ends]
        return [*names, f"{self.name} missing"] if self.indicator else names

    @property
    def scaled(self) -> int:
        """All but the indicator."""
        return len(self.names) - int(self.indicator)

    def encode(self, column: Column, out: Matrix, surprises: Surprises) -> None:
        """Write the parts and the indicator."""
        times = column.values.astype(np.int64)
        times = np.where(column.missing, self.fill, times)
        place = 0
        for part in self.parts:
            value = date_part(times, part)
            if self.cyclic and part in _PERIODS:
                angle = (value - _FIRST.get(part, 0)) * (2 * np.pi / _PERIODS[part])
                out[:, place], out[:, place + 1] = np.sin(angle), np.cos(angle)
                place += 2
            else:
                out[:, place] = value
                place += 1
        if self.indicator:
            out[:, place] = column.missing
        else:
            surprises.filled[self.name] += column.num_missing

    def decode(self, part: Matrix) -> dict[str, Column]:
        """The parts as columns of numbers: the date itself cannot be had from them."""
        return {
            name: Column("number", part[:, i].copy())
            for i, name in enumerate(self.names[: self.scaled])
        }

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain JSON values."""
        return {**asdict(self), "parts": list(self.parts)}


def date_part(microseconds: NDArray[np.int64], part: str) -> NDArray[np.int64]:
    """Year, month (1-12), day (1-31), weekday (Monday is 0) or hour of dates in UTC.

    Examples
    --------
    >>> days = np.array(["2026-11-21T07:30"], "datetime64[us]").astype(np.int64)
    >>> [int(date_part(days, part)[0]) for part in ("year", "month", "day")]
    [2026, 11, 21]
    >>> int(date_part(days, "weekday")[0]), int(date_part(days, "hour")[0])
    (5, 7)
    """
    times = microseconds.astype("datetime64[us]")
    days = times.astype("datetime64[D]")
    months = times.astype("datetime64[M]")
    value: NDArray[np.int64]
    if part == "year":
        value = times.astype("datetime64[Y]").astype(np.int64) + 1970
    elif part == "month":
        value = months.astype(np.int64) % 12 + 1
    elif part == "day":
        value = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    elif part == "weekday":
        value = (days.astype(np.int64) + 3) % 7  # 1970 began on a Thursday
    else:
        value = (times - days).astype(np.int64) // 3_600_000_000
    return value


def encoder_from_json(document: Mapping[str, Any]) -> Encoder:
    """The encoder from what `to_json` gave; KeyError, TypeError or ValueError else."""
    values = dict(document)
    if values["kind"] not in KINDS:
        raise ValueError(f"kind {values['kind']!r}")
    if "fill" not in values:
        values["labels"] = tuple(str(label) for label in values["labels"])
        return CategoryEncoder(**values)
    if "parts" in values:
        values["parts"] = tuple(values["parts"])
        if not set(values["parts"]) <= set(_PARTS):
            raise ValueError(f"parts of a date: {values['parts']}")
        return DateEncoder(**values)
    return NumberEncoder(**{**values, "fill": float(values["fill"])})
