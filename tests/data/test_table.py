"""Tables from every kind of frame, against the values that the frames show."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.data.table import Column, Table
from dotori.errors import ArgumentError, DataError

WHEN = datetime.datetime(2024, 2, 29, 13, 30)


def test_lists_give_each_kind_of_column():
    table = Table.from_frame(
        {
            "count": [1, 2, 3],
            "amount": [0.5, None, float("nan")],
            "word": ["a", None, "a"],
            "flag": [True, None, False],
            "when": [WHEN, None, WHEN],
            "nothing": [None, None, None],
        }
    )
    assert table.kinds == {
        "count": "number",
        "amount": "number",
        "word": "text",
        "flag": "boolean",
        "when": "datetime",
        "nothing": "number",
    }
    assert table.to_dict() == {
        "count": [1, 2, 3],
        "amount": [0.5, None, None],
        "word": ["a", None, "a"],
        "flag": [True, None, False],
        "when": [WHEN, None, WHEN],
        "nothing": [None, None, None],
    }


@pytest.mark.parametrize(
    ("array", "kind", "values"),
    [
        (np.array([1, 2], np.uint8), "number", [1, 2]),
        (np.array([1.5, np.nan], np.float32), "number", [1.5, None]),
        (np.array([True, False]), "boolean", [True, False]),
        (np.array(["a", "bc"]), "text", ["a", "bc"]),
        (np.array([b"a", b"bc"]), "text", ["a", "bc"]),
        (np.array(["x", None], object), "text", ["x", None]),
        (np.array(["2024-02-29T13:30", "NaT"], "M8[m]"), "datetime", [WHEN, None]),
        (np.array([60, "NaT"], "m8[s]"), "number", [60.0, None]),
        (np.ma.array([1, 2], mask=[False, True]), "number", [1, None]),
        (np.arange(4)[::-2], "number", [3, 1]),
        (np.array([1, 2], ">i4"), "number", [1, 2]),
        (np.array([], float), "number", []),
    ],
    ids=str,
)
def test_arrays_of_each_type(array, kind, values):
    column = Table.from_frame({"x": array})["x"]
    assert column.kind == kind
    assert column.to_list() == values


def test_arrays_of_two_axes_and_structured_arrays():
    matrix = np.arange(6.0).reshape(3, 2)
    assert Table.from_frame(matrix).names == ["x0", "x1"]
    assert Table.from_frame(matrix, ["a", "b"])["b"].to_list() == [1, 3, 5]
    records = np.array([(1, 2.5)], dtype=[("n", int), ("v", float)])
    assert Table.from_frame(records).to_dict() == {"n": [1], "v": [2.5]}


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"a": [1, "x"]}, r"column 'a' mixes number with text: row 2 holds 'x'"),
        (
            {"a": [None, True, 2]},
            r"column 'a' mixes boolean with number: row 3 holds 2",
        ),
        ({"a": [1, [2]]}, r"column 'a' holds a list in row 2"),
        ({"a": np.array([1j])}, r"column 'a'.*complex128"),
        ({"a": np.zeros((2, 2))}, r"column 'a'.*\(n,\) was wanted, got \(2, 2\)"),
        ({"a": [1], "b": [1, 2]}, r"'b' has 2 rows and 'a' has 1"),
        ({1: [1], "1": [1]}, r"two columns named '1'"),
        (np.zeros(3), r"shape \(n, d\) was wanted, got \(3,\)"),
        (np.array(["300000-01-01"], "M8[Y]")[:, None], r"beyond the years"),
    ],
    ids=str,
)
def test_what_cannot_be_a_table_is_refused(frame, message):
    with pytest.raises(DataError, match=message):
        Table.from_frame(frame)


def test_names_must_fit_the_array():
    with pytest.raises(DataError, match=r"3 names were given for .* \(1, 2\)"):
        Table.from_frame(np.zeros((1, 2)), ["a", "b", "c"])
    with pytest.raises(DataError, match="two columns named 'a'"):
        Table.from_frame(np.zeros((1, 2)), ["a", "a"])


def test_something_else_than_a_frame():
    pytest.importorskip("narwhals", reason="data frames need narwhals")
    for thing in (3, None, "text", [1, 2]):
        with pytest.raises(DataError, match="a table was wanted"):
            Table.from_frame(thing)


def _pandas_frame(pd):
    return pd.DataFrame(
        {
            "whole": [1, 2, 3],
            "gap": [1.5, None, 3.0],
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "word": ["a", None, "b"],
            "level": pd.Categorical([3, 1, 3]),
            "flag": [True, False, True],
            "maybe": pd.array([True, None, False], dtype="boolean"),
            "when": pd.to_datetime(["2024-02-29 13:30", None, "2024-02-29 13:30"]),
            "zoned": pd.to_datetime(["2024-02-29 22:30"] * 3).tz_localize("Asia/Seoul"),
            "span": pd.to_timedelta([1, 2, 3], "min"),
            "object": pd.Series([1, None, 3], dtype=object),
        }
    )


_EXPECTED = {
    "whole": [1, 2, 3],
    "gap": [1.5, None, 3.0],
    "nullable": [1, None, 3],
    "word": ["a", None, "b"],
    "level": ["3", "1", "3"],
    "flag": [True, False, True],
    "maybe": [True, None, False],
    "when": [WHEN, None, WHEN],
    "zoned": [WHEN, WHEN, WHEN],
    "span": [60.0, 120.0, 180.0],
    "object": [1, None, 3],
}


def test_pandas():
    pd = pytest.importorskip("pandas", reason="a pandas frame")
    pytest.importorskip("pyarrow", reason="data frames need pyarrow")
    assert Table.from_frame(_pandas_frame(pd)).to_dict() == _EXPECTED


def test_pandas_backed_by_arrow():
    pd = pytest.importorskip("pandas", reason="a pandas frame")
    pytest.importorskip("pyarrow", reason="data frames need pyarrow")
    frame = _pandas_frame(pd).drop(columns=["level"])
    table = Table.from_frame(frame.convert_dtypes(dtype_backend="pyarrow"))
    assert table.to_dict() == {k: v for k, v in _EXPECTED.items() if k != "level"}


def test_polars():
    pl = pytest.importorskip("polars", reason="a Polars frame")
    pytest.importorskip("narwhals", reason="data frames need narwhals")
    frame = pl.DataFrame(
        {
            "small": pl.Series([1, None], dtype=pl.UInt8),
            "nan": [1.5, float("nan")],
            "word": ["a", None],
            "category": pl.Series(["x", None], dtype=pl.Categorical),
            "date": [datetime.date(2024, 2, 29), None],
            "time": [datetime.time(13, 30), None],
            "decimal": pl.Series(["1.25", None]).cast(pl.Decimal(10, 2)),
            "null": [None, None],
        }
    )
    assert Table.from_frame(frame).to_dict() == {
        "small": [1, None],
        "nan": [1.5, None],
        "word": ["a", None],
        "category": ["x", None],
        "date": [datetime.datetime(2024, 2, 29), None],
        "time": [datetime.datetime(1970, 1, 1, 13, 30), None],
        "decimal": [1.25, None],
        "null": [None, None],
    }
    with pytest.raises(DataError, match="collected first"):
        Table.from_frame(frame.lazy())
    with pytest.raises(DataError, match=r"column 'a' has the type .*list"):
        Table.from_frame(pl.DataFrame({"a": [[1]]}))


def test_arrow():
    pa = pytest.importorskip("pyarrow", reason="an Arrow table")
    pytest.importorskip("narwhals", reason="data frames need narwhals")
    word = pa.chunked_array([["a"], [None, "a"]])
    codes = pa.DictionaryArray.from_arrays([0, 1, None], ["x", "x"])
    frame = pa.table({"word": word, "code": codes, "n": [1, None, 3]})
    assert Table.from_frame(frame).to_dict() == {
        "word": ["a", None, "a"],
        "code": ["x", "x", None],
        "n": [1, None, 3],
    }


@pytest.mark.parametrize("library", ["pandas", "pyarrow"])
def test_duplicate_names(library):
    pytest.importorskip("narwhals", reason="data frames need narwhals")
    module = pytest.importorskip(library, reason=f"a frame of {library}")
    if library == "pandas":
        frame = module.DataFrame([[1, 2]], columns=["a", "a"])
    else:
        frame = module.table([[1], [2]], names=["a", "a"])
    with pytest.raises(DataError, match="two columns named 'a'"):
        Table.from_frame(frame)


@pytest.mark.parametrize("rows", [0, 1])
def test_frames_without_rows_or_with_one(rows):
    pd = pytest.importorskip("pandas", reason="a pandas frame")
    pytest.importorskip("pyarrow", reason="data frames need pyarrow")
    frame = pd.DataFrame({"a": [1.5], "b": ["x"]}).iloc[:rows]
    table = Table.from_frame(frame)
    assert table.shape == (rows, 2)
    assert table.to_dict() == {"a": [1.5][:rows], "b": ["x"][:rows]}


def test_rows_and_columns_can_be_chosen():
    table = Table.from_frame({"a": [1, 2, 3, 4], "b": ["w", "x", "y", None]})
    taken = table.take([3, 0])
    assert taken.to_dict() == {"a": [4, 1], "b": [None, "w"]}
    assert [taken.row_number(i) for i in range(2)] == [4, 1]
    assert table.take(np.array([False, True, False, True]))["a"].to_list() == [2, 4]
    assert table.take([]).shape == (0, 2)
    assert table.slice(1, 3).to_dict() == {"a": [2, 3], "b": ["x", "y"]}
    assert table.slice(1).take([2]).row_number(0) == 4
    assert table.select(["b"]).names == ["b"]
    assert table.drop(["b"]).names == ["a"]
    assert table.with_column("c", table["a"]).names == ["a", "b", "c"]
    assert "a" in table and "z" not in table and list(table) == ["a", "b"]


def test_unknown_columns_get_a_suggestion():
    table = Table.from_frame({"price": [1], "rooms": [2]})
    with pytest.raises(DataError, match="no column 'prise'; did you mean 'price'"):
        _ = table["prise"]
    with pytest.raises(DataError, match="the columns are 'price', 'rooms'"):
        table.drop(["zzzzzz"])


def test_nothing_in_a_table_can_be_written_to():
    values = np.arange(3.0)
    column = Table.from_frame({"a": values})["a"]
    with pytest.raises(ValueError, match="read-only"):
        column.values[0] = 1
    values[0] = 5.0  # the caller's own array stays writable


def test_columns_refuse_what_does_not_fit():
    with pytest.raises(ArgumentError, match="kind must be one of"):
        Column("colour", np.zeros(1))  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"shape \(n,\)"):
        Column("number", np.zeros(2), np.zeros(3, bool))
    with pytest.raises(DataError, match="cannot be taken as numbers"):
        Table.from_frame({"a": ["x"]})["a"].as_float()


_VALUES = st.one_of(
    st.lists(st.none() | st.integers(-(2**53), 2**53), max_size=30),
    st.lists(st.none() | st.floats(allow_nan=False), max_size=30),
    st.lists(st.none() | st.text(max_size=5), max_size=30),
    st.lists(st.none() | st.booleans(), max_size=30),
    st.lists(
        st.none() | st.datetimes(timezones=st.just(datetime.UTC) | st.none()),
        max_size=30,
    ),
)


@given(_VALUES)
def test_values_come_back_as_they_were_given(values):
    plain = [
        v.replace(tzinfo=None) if isinstance(v, datetime.datetime) else v
        for v in values
    ]
    assert Table.from_frame({"x": values})["x"].to_list() == plain
