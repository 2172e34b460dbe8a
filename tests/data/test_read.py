"""Reading files: round trips, the two CSV readers against each other, and mistakes."""

from __future__ import annotations

import builtins
import bz2
import gzip
import lzma

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dotori.data.read import iter_table, read_table
from dotori.data.table import Table
from dotori.errors import ArgumentError, DataError, DotoriError, MissingDependencyError

PLAIN = "age,city,fee,member,since\n31,Seoul,1.5,true,2024-02-29\n45,,,false,\n"
VALUES = {
    "age": [31, 45],
    "city": ["Seoul", None],
    "fee": [1.5, None],
    "member": [True, False],
    "since": [np.datetime64("2024-02-29", "us").item(), None],
}


@pytest.fixture(params=["pyarrow", "csv module"])
def reader(request, monkeypatch):
    """Each of the two readers of text."""
    if request.param == "pyarrow":
        pytest.importorskip("pyarrow", reason="the fast reader of text")
    else:
        forbid_pyarrow(monkeypatch)
    return request.param


def forbid_pyarrow(monkeypatch):
    """Act as where pyarrow is not installed."""
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.partition(".")[0] == "pyarrow":
            raise ImportError("no pyarrow here")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)


def write(folder, name, text):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.csv", bytes),
        ("a.CSV", bytes),
        ("a.txt", bytes),
        ("a.csv.gz", gzip.compress),
        ("a.csv.bz2", bz2.compress),
        ("a.csv.xz", lzma.compress),
        ("가 나.csv", bytes),
    ],
)
def test_text_of_every_kind(reader, tmp_path, name, pack):
    table = read_table(write(tmp_path, name, pack(PLAIN.encode())))
    assert table.to_dict() == VALUES


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("a.tsv", "a\tb\n1\tx,y\n", {"a": [1], "b": ["x,y"]}),
        ("a.csv", "a;b\n1;2\n", {"a": [1], "b": [2]}),
        ("a.csv", "a|b\n1|2\n", {"a": [1], "b": [2]}),
        ("a.csv", "\ufeffa,b\n1,2\n", {"a": [1], "b": [2]}),
        ("a.csv", "a,b\r\n1,2\r\n", {"a": [1], "b": [2]}),
        ("a.csv", "a,b\n1,2", {"a": [1], "b": [2]}),
        ("a.csv", "a,b\n\n1,2\n\n3,4\n", {"a": [1, 3], "b": [2, 4]}),
        ("a.csv", " a , b\n1,2\n", {"a": [1], "b": [2]}),
        ("a.csv", 'a,b\n"1","x,""y""\nz"\n', {"a": [1], "b": ['x,"y"\nz']}),
        ("a.csv", "a\nNA\nnull\n3\n", {"a": [None, None, 3]}),
        ("a.csv", "a\n1\n2.5\n", {"a": [1, 2.5]}),
        ("a.csv", "a\n1e3\n-.5\n", {"a": [1000, -0.5]}),
        ("a.csv", "a\n9223372036854775808\n1\n", {"a": [2.0**63, 1.0]}),
        ("a.csv", "a\n1_0\n2\n", {"a": ["1_0", "2"]}),
        ("a.csv", "a\ntrue\nmaybe\n", {"a": ["true", "maybe"]}),
        ("a.csv", "a\nTrue\nfalse\n", {"a": [True, False]}),
        ("a.csv", "a,b\n,1\nNA,2\n", {"a": [None, None], "b": [1, 2]}),
        ("a.csv", "a\n2024-02-30\n", {"a": ["2024-02-30"]}),
        ("a.csv", "a\n한글\n", {"a": ["한글"]}),
    ],
)
def test_forms_of_text(reader, tmp_path, name, text, values):
    assert read_table(write(tmp_path, name, text)).to_dict() == values


@pytest.mark.parametrize(
    "field",
    [
        "2024-02-29T13:30:15.25",
        "2024-02-29 13:30",
        "2024-02-29T22:30:15+09:00",
        "13:30:15",
        "13:30",
    ],
)
def test_both_readers_agree_about_dates(tmp_path, monkeypatch, field):
    pytest.importorskip("pyarrow", reason="the fast reader of text")
    path = write(tmp_path, "a.csv", f"a,b\n{field},1\n,2\n")
    fast = read_table(path)
    forbid_pyarrow(monkeypatch)
    slow = read_table(path)
    assert fast["a"].kind == slow["a"].kind == "datetime"
    assert fast.to_dict() == slow.to_dict()
    assert slow["a"].value(0) is not None


def test_known_kinds_are_kept(reader, tmp_path):
    path = write(tmp_path, "a.csv", "zip,n,day,flag\n01,1,2024-01-01,true\n2,2,,\n")
    kinds = {"zip": "text", "n": "number", "day": "datetime", "flag": "boolean"}
    table = read_table(path, column_types={**kinds, "elsewhere": "text"})
    assert table.kinds == kinds
    assert table["zip"].to_list() == ["01", "2"]
    assert table["n"].values.dtype == np.float64


@pytest.mark.parametrize(
    ("kind", "value"),
    [("number", "1,5"), ("number", "abc"), ("boolean", "2"), ("datetime", "31.12.24")],
)
def test_values_of_another_kind_are_found(reader, tmp_path, kind, value):
    path = write(tmp_path, "a.csv", f'a,b\n"",1\n"",2\n"{value}",3\n')
    message = rf"line 4: column 'a' should hold a {kind}, but holds '{value}'"
    with pytest.raises(DataError, match=message):
        read_table(path, column_types={"a": kind})
    with pytest.raises(DataError, match=message):
        list(iter_table(path, 1, column_types={"a": kind, "b": "number"}))


def test_chosen_columns_in_the_wanted_order(reader, tmp_path):
    path = write(tmp_path, "a.csv", PLAIN)
    assert read_table(path, columns=["fee", "age"]).names == ["fee", "age"]
    with pytest.raises(DataError, match="no column 'citi'; did you mean 'city'"):
        read_table(path, columns=["citi"])


def test_a_file_without_a_header(reader, tmp_path):
    path = write(tmp_path, "a.csv", "1,2\n3,4\n")
    assert read_table(path, names=["p", "q"]).to_dict() == {"p": [1, 3], "q": [2, 4]}
    with pytest.raises(DataError, match="first line holds numbers"):
        read_table(path)
    with pytest.raises(DataError, match="1 names were given for 2 columns"):
        read_table(path, names=["p"])


def test_other_encodings(reader, tmp_path):
    text = "이름,나이\n도토리,3\n"
    for encoding in ("cp949", "utf-16", "euc-kr"):
        path = write(tmp_path, "a.csv", text.encode(encoding))
        table = read_table(path, encoding=encoding)
        assert table.to_dict() == {"이름": ["도토리"], "나이": [3]}
        with pytest.raises(DataError, match=r"not text in utf-8.*encoding="):
            read_table(path)
    with pytest.raises(DataError, match="no encoding 'nonsense'"):
        read_table(path, encoding="nonsense")


def test_bytes_that_are_not_utf8_further_down(reader, tmp_path):
    text = b"a,b\n" + b"1,x\n" * 50 + b"1,\xff\xfe\n"
    path = write(tmp_path, "a.csv", text)
    for kinds in ({}, {"b": "text"}):
        with pytest.raises(DataError, match="not text in utf-8"):
            read_table(path, column_types=kinds)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a\.csv' is empty; a table with a header line"),
        ("\n\n", "is empty"),
        ("a,b\n", "a header line but no rows"),
        ("a,b\n1,2\n3\n", "line 3: 1 fields where the first line has 2"),
        ("a,b\n1,2\n3,4,5\n", "line 3: 3 fields where the first line has 2"),
        ('a,b\n"1\n1",2\n3\n', "line 4: 1 fields"),
        ("a,b,a\n1,2,3\n", "two columns named 'a'"),
        ("a, a\n1,2\n", "two columns named 'a'"),
    ],
)
def test_mistakes_in_text(reader, tmp_path, text, message):
    path = write(tmp_path, "a.csv", text)
    with pytest.raises(DataError, match=message):
        read_table(path)
    with pytest.raises(DataError, match=message):
        list(iter_table(path, 2))


def test_names_that_are_no_readable_file(tmp_path):
    write(tmp_path, "train.csv", PLAIN)
    with pytest.raises(DataError, match=r"did you mean '.*train\.csv'"):
        read_table(tmp_path / "trian.csv")
    with pytest.raises(DataError, match="check the name"):
        read_table(tmp_path / "zzzz")
    with pytest.raises(DataError, match=r"the folder '.*none' does not exist"):
        read_table(tmp_path / "none" / "a.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(DataError, match=r"extension \.xlsx is not one of"):
        read_table(write(tmp_path, "a.xlsx", "x"))
    with pytest.raises(DataError, match=r"extension \(none\)"):
        read_table(write(tmp_path, "noextension", "x"))
    for name in ("", "a\0b"):
        with pytest.raises(ArgumentError, match="a file name was wanted"):
            read_table(name)


def test_wrong_arguments(tmp_path):
    path = write(tmp_path, "a.csv", PLAIN)
    with pytest.raises(ArgumentError, match=r"column_types\['age'\] must be one of"):
        read_table(path, column_types={"age": "int"})  # type: ignore[dict-item]
    with pytest.raises(ArgumentError, match="chunk_rows must be at least 1"):
        list(iter_table(path, 0))


@pytest.mark.parametrize("extension", [".gz", ".bz2", ".xz"])
def test_damaged_compression(reader, tmp_path, extension):
    pack = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[extension]
    rows = "".join(f"{i},{i * i}\n" for i in range(2000))
    whole = pack(f"a,b\n{rows}".encode())
    for damaged in (b"not compressed at all", whole[:-30], whole[: len(whole) // 2]):
        path = write(tmp_path, f"a.csv{extension}", damaged)
        with pytest.raises(DataError, match="damaged"):
            read_table(path)


@pytest.mark.parametrize("extension", ["parquet", "feather", "arrow"])
def test_files_of_arrow(tmp_path, extension):
    pa = pytest.importorskip("pyarrow", reason="Parquet and Arrow files")
    from dotori.data.write import write_table

    table = read_table(write(tmp_path, "a.csv", PLAIN))
    path = tmp_path / f"a.{extension}"
    write_table(table, path)
    assert read_table(path).to_dict() == VALUES
    assert read_table(path, columns=["fee", "age"]).names == ["fee", "age"]
    with pytest.raises(DataError, match="no column 'agee'; did you mean 'age'"):
        read_table(path, columns=["agee"])
    pieces = list(iter_table(path, 1, columns=["since", "city"]))
    assert [piece.to_dict() for piece in pieces] == [
        {name: [VALUES[name][i]] for name in ("since", "city")} for i in range(2)
    ]
    assert pieces[1].row_number(0) == 2
    packed = write(tmp_path, f"a.{extension}.gz", gzip.compress(path.read_bytes()))
    assert read_table(packed).to_dict() == VALUES
    for damaged in (b"PAR1", b"ARROW1", b"x" * 100, path.read_bytes()[:-40]):
        broken = write(tmp_path, f"b.{extension}", damaged)
        with pytest.raises(DataError, match=r"is not a whole .* file"):
            read_table(broken)
    write_table(Table.from_frame(pa.table({"a": pa.array([], pa.int64())})), path)
    for read in (read_table, lambda p: list(iter_table(p))):
        with pytest.raises(DataError, match="columns but no rows"):
            read(path)


@pytest.mark.parametrize("extension", ["parquet", "feather"])
def test_flipped_bytes_give_a_table_or_a_documented_error(tmp_path, extension):
    """pyarrow itself would believe a wrong offset, and end the process."""
    pytest.importorskip("pyarrow", reason="Parquet and Arrow files")
    from dotori.data.write import write_table

    path = tmp_path / f"a.{extension}"
    write_table(Table.from_frame({"a": [1, 2], "t": ["x", None]}), path)
    whole = path.read_bytes()
    refused = 0
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        try:
            read_table(path)
        except DataError:
            refused += 1
    assert refused > 10


def test_a_stream_of_record_batches(tmp_path):
    pa = pytest.importorskip("pyarrow", reason="Arrow files")
    path = tmp_path / "a.arrows"
    data = pa.table({"a": [1, 2, 3]})
    with pa.ipc.new_stream(path, data.schema) as out:
        out.write_table(data, max_chunksize=2)
    assert read_table(path).to_dict() == {"a": [1, 2, 3]}
    assert [len(piece) for piece in iter_table(path, 2)] == [2, 1]


def test_zstandard(tmp_path):
    pa = pytest.importorskip("pyarrow", reason=".zst is read by pyarrow")
    path = tmp_path / "a.csv.zst"
    with pa.output_stream(path, compression="zstd") as out:
        out.write(PLAIN.encode())
    assert read_table(path).to_dict() == VALUES
    with pytest.raises(DataError, match="damaged"):
        read_table(write(tmp_path, "b.csv.zst", "nothing of the kind"))


def test_npz(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, X=np.arange(12.0).reshape(3, 2, 2), y=np.array(["a", "b", "a"]))
    table = read_table(path)
    assert table.names == ["x0", "x1", "x2", "x3", "y"]
    assert table["x3"].to_list() == [3.0, 7.0, 11.0]
    assert table["y"].to_list() == ["a", "b", "a"]
    assert [len(piece) for piece in iter_table(path, 2, columns=["y"])] == [2, 1]
    np.savez(path, X=np.zeros((3, 2)), y=np.zeros(2))
    with pytest.raises(DataError, match="'y' has 2 rows and 'x0' has 3"):
        read_table(path)
    np.savez(path, n=np.array(3))
    with pytest.raises(DataError, match="'n' is a single value"):
        read_table(path)
    np.savez(path, X=np.zeros((2, 1)), x0=np.zeros(2))
    with pytest.raises(DataError, match="two columns named 'x0'"):
        read_table(path)
    with pytest.raises(DotoriError, match="npz"):
        read_table(write(tmp_path, "b.npz", "not an archive"))


def test_pieces_put_together_are_the_table(reader, tmp_path):
    rows = "".join(f"{i},{'ab'[i % 2]},{i / 4 if i % 3 else ''}\n" for i in range(1000))
    path = write(tmp_path, "a.csv", "n,c,v\n" + rows)
    whole = read_table(path)
    for size in (1, 7, 999, 1000, 5000):
        pieces = list(iter_table(path, size))
        assert [len(p) for p in pieces[:-1]] == [size] * (len(pieces) - 1)
        joined = {n: [v for p in pieces for v in p[n].to_list()] for n in whole}
        assert joined == whole.to_dict()
        if size < 1000:
            assert pieces[1].row_number(0) == size + 1


def test_kinds_come_from_the_first_rows(reader, tmp_path):
    """Fractions may follow integers, and text gaps; text may not follow numbers."""
    path = write(tmp_path, "a.csv", "a,b\n1,\n2.5,x\n")
    pieces = list(iter_table(path, 1))
    assert [p["a"].to_list() for p in pieces] == [[1.0], [2.5]]
    path = write(tmp_path, "b.csv", "a,b\n" + "1,2\n" * 300_000 + "x,2\n")
    with pytest.raises(
        DataError, match=r"line 300002: column 'a' should hold a number"
    ):
        list(iter_table(path, 50_000))


def test_a_word_far_down_makes_the_whole_column_text(reader, tmp_path):
    path = write(tmp_path, "a.csv", "a,b\n" + "1,2\n" * 300_000 + "x,2\n")
    table = read_table(path)
    assert table.kinds == {"a": "text", "b": "number"}
    assert table["a"].value(300_000) == "x"


def test_formats_that_need_pyarrow_say_so(tmp_path, monkeypatch):
    import dotori.errors

    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(dotori.errors.importlib, "import_module", absent)
    path = write(tmp_path, "a.parquet", "PAR1")
    with pytest.raises(MissingDependencyError, match=r'pip install "dotori\[cli\]"'):
        read_table(path)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_CSV = st.one_of(
    st.binary(max_size=200),
    st.text('ab,;"\n\r\t01.- é', max_size=80).map(str.encode),
    _TEXT.map(str.encode),
)


@given(_CSV)
@example(b"a\n1\x00\n")
@example(b'"\n')
@example(b"a\n" + b"x" * 200_000 + b"\n")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_a_table_or_a_documented_error(reader, tmp_path, data):
    path = write(tmp_path, "a.csv", data)
    try:
        table = read_table(path)
    except DataError as error:
        assert "\n" not in str(error).strip()
    else:
        assert len(table) > 0


_FIELDS = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False).map(repr),
    st.sampled_from(["", "NA", "x y", "true", "FALSE", "2024-02-29", "1.", ".5", "é"]),
    st.sampled_from(["+1", "-0", "1e5", "1,5", "Infinity", "- 1", "00"]),
)


@given(st.lists(st.tuples(_FIELDS, _FIELDS), min_size=1, max_size=8))
@settings(max_examples=100)
def test_both_readers_agree(tmp_path_factory, rows):
    pytest.importorskip("pyarrow", reason="the fast reader of text")
    import csv

    path = tmp_path_factory.mktemp("both") / "a.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("a", "b"), *rows])
    fast = read_table(path)
    with pytest.MonkeyPatch.context() as patch:
        forbid_pyarrow(patch)
        slow = read_table(path)
    assert fast.kinds == slow.kinds
    for name in fast:
        left, right = fast[name], slow[name]
        assert left.values.dtype == right.values.dtype
        if left.kind == "number":  # pyarrow rounds the last digit its own way
            np.testing.assert_allclose(left.as_float(), right.as_float(), rtol=1e-15)
        else:
            assert left.to_list() == right.to_list()
