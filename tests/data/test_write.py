"""Writing tables: what comes back, what stays when it fails."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.data.read import read_table
from dotori.data.table import Table
from dotori.data.write import TableWriter, write_table
from dotori.errors import ArgumentError, DataError

DATA = {
    "n": [1, 2, 3],
    "v": [0.1, None, 1e300],
    "t": ["a,b", 'say "x"', None],
    "b": [True, None, False],
    "d": [datetime.datetime(2024, 2, 29, 13, 30, 15, 250), None, None],
}
TEXT = ["csv", "tsv", "txt", "csv.gz", "csv.bz2", "csv.xz"]


@pytest.mark.parametrize("extension", [*TEXT, "parquet", "feather", "arrow"])
def test_tables_come_back(tmp_path, extension):
    if extension not in TEXT:
        pytest.importorskip("pyarrow", reason="Parquet and Arrow files")
    path = tmp_path / f"a.{extension}"
    table = Table.from_frame(DATA)
    with TableWriter(path) as out:
        out.write(table.slice(0, 2))
        out.write(table.slice(2, 2))
        out.write(table.slice(2, 3))
    assert read_table(path).to_dict() == DATA
    first = path.read_bytes()
    write_table(table, path)
    assert read_table(path).to_dict() == DATA
    if extension in TEXT:
        assert path.read_bytes() == first  # the pieces do not show


def test_the_text_is_plain(tmp_path):
    path = tmp_path / "a.csv"
    table = Table.from_frame(
        {"x": np.array([0.1, np.nan], np.float32), "y": ["a", "é"]}
    )
    write_table(table, path)
    assert path.read_text(encoding="utf-8") == "x,y\n0.1,a\n,é\n"


def test_a_column_of_gaps_only(tmp_path):
    table = Table.from_frame({"t": ["a", None], "u": [1, 2]}).slice(1)
    for name in ("a.csv", "a.parquet"):
        if name == "a.parquet":
            pytest.importorskip("pyarrow", reason="Parquet files")
        write_table(table, tmp_path / name)
        assert read_table(tmp_path / name).to_dict() == {"t": [None], "u": [2]}


def test_a_failure_leaves_the_old_file(tmp_path):
    table = Table.from_frame(DATA)
    for name in ("a.csv", "a.csv.gz", "a.parquet"):
        if name == "a.parquet":
            pytest.importorskip("pyarrow", reason="Parquet files")
        path = tmp_path / name
        path.write_bytes(b"old")
        with pytest.raises(RuntimeError, match="in between"), TableWriter(path) as out:
            out.write(table)
            raise RuntimeError("in between")
        assert path.read_bytes() == b"old"
        with pytest.raises(DataError, match=r"\['x'\]"), TableWriter(path) as out:
            out.write(table)
            out.write(Table.from_frame({"x": [1]}))
        assert path.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        {p.name for p in tmp_path.iterdir() if not p.name.endswith(".tmp")}
    )


def test_wrong_names(tmp_path):
    with pytest.raises(DataError, match=r"extension \.doc is not one of"):
        TableWriter(tmp_path / "a.doc")
    with pytest.raises(DataError, match=r"use \.csv, \.parquet"):
        TableWriter(tmp_path / "a.npz")
    with pytest.raises(FileNotFoundError), TableWriter(tmp_path / "no" / "a.csv"):
        pass
    with pytest.raises(DataError, match=r"\.zst is not supported"):
        write_table(Table.from_frame(DATA), tmp_path / "a.csv.zst")
    assert list(tmp_path.iterdir()) == []


def test_writing_outside_of_the_block(tmp_path):
    out = TableWriter(tmp_path / "a.csv")
    with pytest.raises(ArgumentError, match="with TableWriter"):
        out.write(Table.from_frame(DATA))


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20),
    st.sampled_from([np.float32, np.float64]),
)
def test_numbers_lose_no_digit_in_text(tmp_path_factory, values, dtype):
    with np.errstate(over="ignore"):
        array = np.array(values).astype(dtype)
    array = array[np.isfinite(array)]
    if not len(array):
        return
    path = tmp_path_factory.mktemp("numbers") / "a.csv"
    write_table(Table.from_frame({"x": array}), path)
    # pyarrow's parser rounds correctly, so the text alone decides.
    assert read_table(path)["x"].values.astype(dtype).tolist() == array.tolist()
