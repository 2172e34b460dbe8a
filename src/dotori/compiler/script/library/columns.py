"""What a script needs to read files: weights, arrays, and the columns of a table.

As all of the library, what a script calls is copied into it.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any


def read_safetensors(path: Path) -> dict[str, Array]:
    """The arrays of a file: a length, so many bytes of JSON, then all numbers."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    types = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}
    types |= {"I16": "<i2", "I8": "i1", "U8": "u1", "BOOL": "?"}
    arrays = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__":
            first, end = entry["data_offsets"]
            flat = np.frombuffer(
                data[start + first : start + end], types[entry["dtype"]]
            )
            arrays[name] = flat.reshape(entry["shape"]).copy()
    return arrays


def read_array(name: str, dtype: Any) -> Array:
    """The numbers of a .npy file, or of a .csv file with or without a line of names."""
    if not name.endswith(".csv"):
        return np.load(name).astype(dtype)
    first = Path(name).read_text().split("\n")[0]
    has_names = any(c.isalpha() and c not in "eE" for c in first)
    return np.loadtxt(name, dtype, delimiter=",", skiprows=int(has_names), ndmin=2)


# What counts as a gap in a table.
GAPS = set(",NA,N/A,n/a,#N/A,#NA,<NA>,NaN,nan,-NaN,-nan,NULL,null,None".split(","))


def read_table(name: str) -> dict[str, list[str]]:
    """The columns of a CSV file, as text, by their names."""
    with open(name, newline="", encoding="utf-8-sig") as file:
        first = file.readline()
        file.seek(0)
        delimiter = "," if "," in first else max(";\t|,", key=first.count)
        names, *rows = [row for row in csv.reader(file, delimiter=delimiter) if row]
    for row in rows:
        if len(row) != len(names):
            raise ValueError(f"{name}: {len(names)} fields were wanted, got {row}")
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return {n.strip(): list(c) for n, c in zip(names, columns, strict=True)}


def number(
    fields: list[str], fill: float, shift: float, factor: float, gaps: bool = False
) -> list[Array]:
    """(x - shift) / factor; a gap takes `fill`, and 1 in a column of its own.

    There is no such column where the training saw no gaps.
    """
    x = np.array([np.nan if f in GAPS else float(f) for f in fields], float)
    if np.isinf(x).any():
        raise ValueError("a number is infinite; correct it, or leave it empty")
    missing = np.isnan(x)
    scaled = (np.where(missing, fill, x) - shift) / factor
    return [scaled, missing] if gaps else [scaled]


def boolean(
    fields: list[str], fill: float, shift: float, factor: float, gaps: bool = False
) -> list[Array]:
    """As `number`, with 1 for true and 0 for false."""
    values = {"true": "1", "false": "0"}
    texts = [f if f in GAPS else values[f.lower()] for f in fields]
    return number(texts, fill, shift, factor, gaps)


def category(fields: list[str], labels: list[str], gaps: bool = False) -> list[Array]:
    """A column for each label, 1 where it stands; then one for all other labels.

    Gaps have a column of their own at the end if the training saw some.
    """
    place = {label: i for i, label in enumerate(labels)}
    other = len(labels)
    none = other + 1 if gaps else other
    at = np.array([none if f in GAPS else place.get(f, other) for f in fields], int)
    return list((at == np.arange(other + 1 + gaps)[:, None]).astype(float))


def number_label(field: str) -> str:
    """The label of a category that is a number: 3 and 3.0 are both "3"."""
    if field in GAPS:
        return field
    x = float(field)
    return str(int(x)) if x.is_integer() else str(x)


def boolean_label(field: str) -> str:
    """The label of a category that is true or false, in any letters."""
    return field if field in GAPS else field.capitalize()


def date(
    fields: list[str],
    parts: dict[str, float],
    fill: int,
    shift: list[float],
    factor: list[float],
    gaps: bool = False,
) -> list[Array]:
    """Parts of dates, scaled; a part with a period is the sine and cosine of it.

    `parts` has the period of each part, 0 for none. A gap takes the date `fill`, and 1
    in a column of its own where the training saw gaps.
    """
    missing = np.array([f in GAPS for f in fields], bool)
    moments = np.array([fill if f in GAPS else microseconds(f) for f in fields], int)
    columns = []
    for part, period in parts.items():
        x = date_part(moments, part)
        if period:
            angle = (x - (part in ("month", "day"))) * (2 * np.pi / period)
            columns += [np.sin(angle), np.cos(angle)]
        else:
            columns.append(x)
    columns = [(x - a) / b for x, a, b in zip(columns, shift, factor, strict=True)]
    return [*columns, missing] if gaps else columns


def microseconds(field: str) -> int:
    """A date as microseconds since 1970 in UTC; a time alone is one of that day."""
    text = field if len(field) >= 10 and field[4] == "-" else f"1970-01-01T{field}"
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    start = datetime(1970, 1, 1, tzinfo=UTC)
    return (moment - start) // timedelta(microseconds=1)


def date_part(moments: Array, part: str) -> Array:
    """Year, month (1-12), day (1-31), weekday (Monday is 0) or hour, in UTC."""
    times = moments.astype("datetime64[us]")
    days, months = times.astype("datetime64[D]"), times.astype("datetime64[M]")
    if part == "year":
        return months.astype("datetime64[Y]").astype(int) + 1970
    if part == "month":
        return months.astype(int) % 12 + 1
    if part == "day":
        return (days - months.astype("datetime64[D]")).astype(int) + 1
    if part == "weekday":
        return (days.astype(int) + 3) % 7  # 1970 began on a Thursday
    return (times - days).astype(int) // 3_600_000_000
