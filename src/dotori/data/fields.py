"""What the text of one field means: a gap, a number, a boolean, a date, or text."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dotori.data.frame import missing_column, text_column
from dotori.data.table import Column, Kind

MISSING_WORDS = (
    *("", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "-NaN", "-nan"),
    *("NULL", "null", "None"),
)
_GAPS = frozenset(MISSING_WORDS)
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_NUMBER = re.compile(
    r"\s*[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|inf|infinity|nan)\s*",
    re.IGNORECASE | re.ASCII,
)
_INTEGER = re.compile(r"\s*-?\d{1,19}\s*", re.ASCII)
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)?)?",
    re.ASCII,
)
_TIME = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,9})?)?", re.ASCII)


def wrong_field(field: str, kind: Kind) -> bool:
    """Whether a field that is not a gap fails to be of this kind.

    Examples
    --------
    >>> wrong_field("12.5", "number"), wrong_field("cheap", "number")
    (False, True)
    """
    if field in _GAPS or kind == "text":
        return False
    if kind == "number":
        return _NUMBER.fullmatch(field) is None
    if kind == "boolean":
        return field not in _TRUE and field not in _FALSE
    return _moment(field) is None


def column_from_fields(fields: Sequence[str], kind: Kind | None = None) -> Column:
    """A column from the texts of its fields.

    Parameters
    ----------
    fields : sequence of str
        One field a row, as written in the file.
    kind : str, optional
        The kind, if it is known (every field must then be a gap or of this kind);
        otherwise the first that fits all fields of integer, boolean, date, number
        and text. Numbers of a known kind are float64, whatever these ones look like.

    Examples
    --------
    >>> column_from_fields(["1", "", "2.5"]).to_list()
    [1.0, None, 2.5]
    >>> column_from_fields(["1", "2", "x"]).kind
    'text'
    """
    missing = np.array([field in _GAPS for field in fields], dtype=bool)
    present = [field for field in fields if field not in _GAPS]
    if not present and kind != "text":
        return missing_column(len(fields))
    known, kind = kind, kind or _guess(present)
    if kind == "text":
        return text_column(fields, missing)
    if kind == "boolean":
        return _placed("boolean", np.array([f in _TRUE for f in present]), missing)
    if kind == "datetime":
        moments = np.array([_moment(f) for f in present], dtype="datetime64[us]")
        return _placed("datetime", moments, missing)
    return _numbers(present, missing, whole=known is None)


def _guess(present: Sequence[str]) -> Kind:
    if all(map(_NUMBER.fullmatch, present)):
        return "number"
    if all(field in _TRUE or field in _FALSE for field in present):
        return "boolean"
    if all(map(_DATE.fullmatch, present)) or all(map(_TIME.fullmatch, present)):
        return (
            "text" if any(_moment(field) is None for field in present) else "datetime"
        )
    return "text"


def _numbers(present: Sequence[str], missing: NDArray[np.bool_], whole: bool) -> Column:
    if whole and all(map(_INTEGER.fullmatch, present)):
        values = [int(field) for field in present]
        if all(-(2**63) <= value < 2**63 for value in values):
            return _placed("number", np.array(values, dtype=np.int64), missing)
    return _placed("number", np.array([float(f) for f in present]), missing)


def _placed(
    kind: Kind, present: NDArray[np.generic], gaps: NDArray[np.bool_]
) -> Column:
    """The values that are there, put in their rows; zeros, NaN or NaT elsewhere."""
    blank = {"f": np.nan, "M": np.datetime64("NaT")}.get(present.dtype.kind, 0)
    values = np.full(len(gaps), blank, dtype=present.dtype)
    values[~gaps] = present
    if present.dtype.kind == "f":
        gaps = gaps | np.isnan(values)
    return Column(kind, values, gaps)


def _moment(field: str) -> np.datetime64 | None:
    """A date or a time in UTC; a time alone counts from the first of January 1970."""
    if _TIME.fullmatch(field):
        field = f"1970-01-01T{field}"
    elif not _DATE.fullmatch(field):
        return None
    if len(field) == 10:
        return _parsed(field)
    zone = re.search(r"(Z|[+-]\d\d(:?\d\d)?)$", field[11:])
    local = _parsed(field[: 11 + zone.start()] if zone else field)
    if local is None or zone is None or zone[0] == "Z":
        return local
    digits = zone[0][1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    east = np.timedelta64(minutes, "m")
    return local - east if zone[0][0] == "+" else local + east


def _parsed(text: str) -> np.datetime64 | None:
    try:
        return np.datetime64(text, "us")
    except ValueError:  # such as the 31st of February
        return None
