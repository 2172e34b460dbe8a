"""From arrays, lists, Arrow tables and data frames to a Table, column by column."""

from __future__ import annotations

import datetime
import decimal
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.data.table import Column, Kind, Table, check_unique
from dotori.errors import DataError, need


def table_from_frame(frame: Any, names: Sequence[str] | None = None) -> Table:
    """What :meth:`Table.from_frame` does."""
    if isinstance(frame, np.ndarray):
        return _from_array(frame, names)
    if isinstance(frame, Mapping):
        check_unique([str(name) for name in frame], "the mapping")
        return Table({str(k): column_from_values(str(k), v) for k, v in frame.items()})
    return _from_narwhals(frame)


def _from_array(array: NDArray[Any], names: Sequence[str] | None) -> Table:
    if array.dtype.names is not None:
        fields = array.dtype.names
        return Table({name: column_from_array(name, array[name]) for name in fields})
    if array.ndim != 2:
        raise DataError(
            f"Table.from_frame: an array of shape (n, d) was wanted, got {array.shape}"
        )
    if names is None:
        names = [f"x{i}" for i in range(array.shape[1])]
    if len(names) != array.shape[1]:
        raise DataError(
            f"Table.from_frame: {len(names)} names were given for an array of shape "
            f"{array.shape}"
        )
    check_unique(names, "the list of names")
    pairs = zip(names, array.T, strict=True)
    return Table({name: column_from_array(name, values) for name, values in pairs})


def _from_narwhals(frame: Any) -> Table:
    """pandas, Polars, Arrow, or whatever else narwhals knows."""
    narwhals = need("narwhals", "cli", "reading a data frame")
    names = _native_names(frame)
    check_unique(names, "the data frame")
    try:
        wrapped = narwhals.from_native(frame, eager_only=True)
    except TypeError as error:
        raise DataError(
            "Table.from_frame: a table was wanted (pandas, Polars, Arrow, a mapping of "
            f"names to arrays, or an array), got {type(frame).__name__}; a lazy frame "
            "must be collected first"
        ) from error
    series = [wrapped[:, i] for i in range(len(names))]
    pairs = zip(names, series, strict=True)
    return Table({name: _from_series(name, values) for name, values in pairs})


def _native_names(frame: Any) -> list[str]:
    """The names as the frame has them, before narwhals refuses two of one name."""
    if hasattr(frame, "collect"):  # a lazy frame, whose names cost a query
        return []
    columns: Any = getattr(frame, "column_names", None)  # pyarrow's
    if columns is None:
        columns = getattr(frame, "columns", ())
    try:
        return [str(name) for name in columns]
    except TypeError:
        return []


def _from_series(name: str, series: Any) -> Column:
    narwhals = need("narwhals", "cli", "reading a data frame")
    if series.dtype == narwhals.Object:
        return column_from_values(name, series.to_list())
    return column_from_arrow(name, series.to_arrow())


def column_from_values(name: str, values: Any) -> Column:
    """A column from an array or from a list of Python values, None for a gap."""
    if isinstance(values, Column):
        return values
    if isinstance(values, np.ndarray):
        return column_from_array(name, values)
    return _from_objects(name, list(values))


def column_from_array(name: str, values: NDArray[Any]) -> Column:
    """A column from a NumPy array of shape (n,); masked arrays keep their mask."""
    if values.ndim != 1:
        raise DataError(
            f"column {name!r}: an array of shape (n,) was wanted, got {values.shape}"
        )
    # Without the module, which is slow to load, nothing can be masked.
    if "numpy.ma" in sys.modules and isinstance(values, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(values)
        return _with_gaps(column_from_array(name, values.filled()), mask)
    code = values.dtype.kind
    if code in "iu":
        return Column("number", values)
    if code == "f":
        return Column("number", values, np.isnan(values))
    if code == "b":
        return Column("boolean", values)
    if code == "M":
        return Column("datetime", _microseconds(name, values), np.isnat(values))
    if code == "m":
        seconds = values / np.timedelta64(1, "s")
        return Column("number", seconds, np.isnan(seconds))
    if code in "USTO":
        return _from_objects(name, values.tolist())
    raise DataError(
        f"column {name!r}: numbers, text, booleans or dates were wanted, got an array "
        f"of {values.dtype}"
    )


def _microseconds(name: str, values: NDArray[Any]) -> NDArray[np.datetime64]:
    times: NDArray[np.datetime64] = values.astype("datetime64[us]")
    finer = np.datetime_data(values.dtype)[0] in ("us", "ns", "ps", "fs", "as")
    # NumPy wraps around without a word.
    if not finer and not np.array_equal(times.astype(values.dtype), values, True):
        raise DataError(f"column {name!r} holds dates beyond the years +-290000")
    return times


def _with_gaps(column: Column, mask: NDArray[np.bool_]) -> Column:
    """The same column with more gaps; what lies under a gap follows the kind."""
    if not mask.any():
        return column
    values = column.values.copy()
    values[mask] = _blank(column.kind, values.dtype)
    return Column(column.kind, values, column.missing | mask, column.categories)


def _blank(kind: Kind, dtype: np.dtype[Any]) -> Any:
    if kind == "number":
        return np.nan if dtype.kind == "f" else 0
    return {"text": -1, "boolean": False, "datetime": np.datetime64("NaT")}[kind]


def _from_objects(name: str, values: list[Any]) -> Column:
    """A column from Python values, which must all be of one kind."""
    kinds = [_kind_of(value) for value in values]
    found = {kind for kind in kinds if kind is not None}
    if not found:
        return missing_column(len(values))
    if len(found) > 1 or "other" in found:
        raise DataError(_mixture(name, values, kinds))
    missing = np.array([kind is None for kind in kinds], dtype=bool)
    kind = found.pop()
    if kind == "text":
        return text_column(values, missing)
    if kind == "number":
        return _number_column(values, missing)
    if kind == "boolean":
        flags = [bool(v) and not m for v, m in zip(values, missing, strict=True)]
        return Column("boolean", np.array(flags, dtype=bool), missing)
    times = [None if m else _utc(v) for v, m in zip(values, missing, strict=True)]
    return Column("datetime", np.array(times, dtype="datetime64[us]"), missing)


def missing_column(length: int) -> Column:
    """A column of gaps only: it is taken for numbers, and fits any kind."""
    return Column("number", np.full(length, np.nan), np.ones(length, bool))


def text_column(values: Iterable[Any], missing: NDArray[np.bool_]) -> Column:
    """A column of text from strings (or bytes in UTF-8); gaps may hold anything."""
    codes: dict[str, int] = {}
    rows = (
        -1 if gap else codes.setdefault(_as_text(value), len(codes))
        for value, gap in zip(values, missing.tolist(), strict=True)
    )
    return Column("text", np.fromiter(rows, np.int32, len(missing)), missing, [*codes])


def _as_text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _number_column(values: list[Any], missing: NDArray[np.bool_]) -> Column:
    if missing.any():
        gaps = missing.tolist()
        values = [np.nan if g else v for v, g in zip(values, gaps, strict=True)]
        return Column("number", np.array(values, dtype=np.float64), missing)
    array = np.array(values)
    if array.dtype.kind not in "iuf":  # decimals, or integers beyond 64 bits
        array = np.array(values, dtype=np.float64)
    return Column("number", array)


def _kind_of(value: Any) -> Kind | str | None:
    """The kind of one Python value; None for a gap, "other" for what has no kind."""
    if value is None:
        return None
    if isinstance(value, (bool, np.bool_)):
        return "boolean"
    if isinstance(value, (int, float, np.integer, np.floating, decimal.Decimal)):
        return "number" if value == value else None
    if isinstance(value, (str, bytes)):
        return "text"
    if isinstance(value, (datetime.date, np.datetime64)):
        return "datetime" if value == value else None
    # pandas.NA and pandas.NaT: told by name, for pandas is not imported here.
    return None if type(value).__name__ in ("NAType", "NaTType") else "other"


def _utc(value: Any) -> Any:
    """A datetime without a zone, in UTC."""
    zoned = isinstance(value, datetime.datetime) and value.tzinfo is not None
    return value.astimezone(datetime.UTC).replace(tzinfo=None) if zoned else value


def _mixture(name: str, values: list[Any], kinds: Sequence[str | None]) -> str:
    """The sentence for a column of several kinds: where the second one begins."""
    if "other" in kinds:
        row = kinds.index("other")
        return (
            f"column {name!r} holds a {type(values[row]).__name__} in row {row + 1}; "
            "numbers, text, booleans or dates were wanted: convert or drop the column"
        )
    first = next(kind for kind in kinds if kind is not None)
    row = next(i for i, kind in enumerate(kinds) if kind not in (None, first))
    return (
        f"column {name!r} mixes {first} with {kinds[row]}: row {row + 1} holds "
        f"{values[row]!r}; convert the column to one kind"
    )


def column_from_arrow(name: str, array: Any) -> Column:
    """A column from a pyarrow Array or ChunkedArray."""
    pa = need("pyarrow", "cli", "reading an Arrow table")
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):  # before pyarrow 26, if it is empty
            array = pa.concat_arrays(array.chunks or [pa.array([], array.type)])
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    kind = arrow_kind(array.type)
    if kind == "missing":
        return missing_column(len(array))
    if kind == "other":
        raise DataError(
            f"column {name!r} has the type {array.type}; numbers, text, booleans or "
            "dates were wanted: convert or drop the column"
        )
    missing = np.asarray(array.is_null())
    if kind == "text":
        return _arrow_text(array, missing)
    if kind == "boolean":
        return Column("boolean", np.asarray(array.fill_null(False)), missing)
    if kind == "datetime":
        times = np.asarray(_arrow_time(array)).astype("datetime64[us]")
        return Column("datetime", times, missing)
    return _arrow_number(array, missing)


def arrow_kind(kind: Any) -> str:
    """The kind of a table's column for an Arrow type, "missing" or "other"."""
    is_ = need("pyarrow", "cli", "reading an Arrow table").types
    if is_.is_null(kind):
        return "missing"
    if is_.is_boolean(kind):
        return "boolean"
    if is_.is_integer(kind) or is_.is_floating(kind) or is_.is_decimal(kind):
        return "number"
    if is_.is_duration(kind):
        return "number"
    if is_.is_date(kind) or is_.is_timestamp(kind) or is_.is_time(kind):
        return "datetime"
    texts = (is_.is_string, is_.is_large_string, is_.is_string_view)
    if any(test(kind) for test in texts):
        return "text"
    return "text" if is_.is_dictionary(kind) else "other"


def _arrow_text(array: Any, missing: NDArray[np.bool_]) -> Column:
    """Text or a dictionary of anything that can be written as text."""
    pa = need("pyarrow", "cli", "reading an Arrow table")
    if not pa.types.is_dictionary(array.type):
        array = array.cast(pa.large_string()).dictionary_encode()
    labels = array.dictionary.to_pylist()
    codes = np.asarray(array.indices.cast(pa.int32()).fill_null(-1))
    # A dictionary may hold a null, or the same text twice: to the codes of ours.
    ours: dict[str, int] = {}
    places = [-1 if v is None else ours.setdefault(str(v), len(ours)) for v in labels]
    codes = np.array([*places, -1], dtype=np.int32)[codes]
    return Column("text", codes, missing | (codes < 0), [*ours])


def _arrow_time(array: Any) -> Any:
    pa = need("pyarrow", "cli", "reading an Arrow table")
    if pa.types.is_time32(array.type):
        array = array.cast(pa.time32("ms")).cast(pa.int32()).cast(pa.int64())
        array = array.cast(pa.timestamp("ms"))
    elif pa.types.is_time64(array.type):
        array = array.cast(pa.time64("us")).cast(pa.int64()).cast(pa.timestamp("us"))
    return array.cast(pa.timestamp("us"), safe=False)


def _arrow_number(array: Any, missing: NDArray[np.bool_]) -> Column:
    pa = need("pyarrow", "cli", "reading an Arrow table")
    if pa.types.is_duration(array.type):
        seconds = np.asarray(
            array.cast(pa.duration("us")).cast(pa.int64()).fill_null(0)
        )
        return _with_gaps(Column("number", seconds / 1e6), missing)
    if pa.types.is_decimal(array.type):
        array = array.cast(pa.float64())
    gap = np.nan if pa.types.is_floating(array.type) else 0
    values = np.asarray(array.fill_null(pa.scalar(gap, array.type)))
    if values.dtype.kind == "f":
        missing = missing | np.isnan(values)
    return Column("number", values, missing)
