"""Read a table from a file: CSV, TSV, Parquet, Feather or Arrow, npz."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import IO, Any

from dotori.data.arrow import rechunk, table_from_arrow
from dotori.data.delimited import Layout, chunks_by_csv, find_layout
from dotori.data.files import FileKind, Path, check_readable, file_kind, open_bytes
from dotori.data.frame import column_from_array
from dotori.data.table import (
    KINDS,
    Column,
    Kind,
    Table,
    check_unique,
    unknown_column,
)
from dotori.errors import ArgumentError, DataError, need

_FIRST_ROWS = 10_000  # that the csv module reads to find the kinds


def read_table(
    path: Path,
    *,
    columns: Sequence[str] | None = None,
    column_types: Mapping[str, Kind] | None = None,
    names: Sequence[str] | None = None,
    delimiter: str | None = None,
    encoding: str = "utf-8",
) -> Table:
    """Read a whole table.

    Parameters
    ----------
    path : str or PathLike
        A file whose name ends in ``.csv``, ``.tsv``, ``.txt``, ``.parquet``,
        ``.feather``, ``.arrow`` or ``.npz``, with or without ``.gz``, ``.bz2``,
        ``.xz`` or ``.zst`` after it.
    columns : sequence of str, optional
        The columns to read, in this order; all without it.
    column_types : mapping of str to {"number", "text", "boolean", "datetime"}, optional
        Kinds of a text file's columns that are known, such as ``table.kinds`` of
        another file. A value that is not of its column's kind is an error then. A
        column without one takes the first kind that fits all of its values.
    names : sequence of str, optional
        The columns' names for a text file without a header line.
    delimiter : str, optional
        The character between fields; a comma or tab by the file's name, or what its
        first line shows.
    encoding : str
        The encoding of a text file, such as ``"cp949"``.

    Returns
    -------
    Table
        Gaps are empty fields and the usual words (NA, NaN, null, None, ...). An npz
        file's array ``X`` of shape (n, ...) becomes columns x0, x1, ..., and each of
        its arrays of shape (n,) one column.

    Raises
    ------
    DataError
        If there is no such file, it is empty, damaged, of another kind or encoding, or
        a line has too many or too few fields, or a wrong value.
    MissingDependencyError
        If the format needs pyarrow, and it is not installed. Text files and npz do not.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "homes.csv"
    >>> _ = path.write_text("rooms,city,price\\n3,Seoul,9.5\\n2,Jeju,\\n")
    >>> read_table(path)
    Table(2 rows: rooms number, city text, price number)
    """
    source = _Source.open(path, column_types)
    if source.is_text:
        return _read_text(
            source.layout(columns, column_types, names, delimiter, encoding)
        )
    return source.checked(_whole(source, columns))


def iter_table(
    path: Path,
    chunk_rows: int = 65_536,
    *,
    columns: Sequence[str] | None = None,
    column_types: Mapping[str, Kind] | None = None,
    names: Sequence[str] | None = None,
    delimiter: str | None = None,
    encoding: str = "utf-8",
) -> Iterator[Table]:
    """Read a table in pieces of `chunk_rows` rows, so that it may exceed the memory.

    The parameters and errors are those of :func:`read_table`. The kinds that
    `column_types` leaves open are those of the first thousands of rows (a megabyte of
    text); a later value of another kind is an error, so give the kinds that the
    training saw. An npz file is read whole.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "long.csv"
    >>> _ = path.write_text("x\\n" + "1\\n" * 5)
    >>> [len(piece) for piece in iter_table(path, 2)]
    [2, 2, 1]
    """
    if chunk_rows < 1:
        raise ArgumentError(f"chunk_rows must be at least 1, got {chunk_rows}")
    source = _Source.open(path, column_types)
    if source.is_text:
        layout = source.layout(columns, column_types, names, delimiter, encoding)
        yield from _iter_text(layout, chunk_rows)
    elif source.kind.format == "npz":
        table = source.checked(_whole(source, columns))
        for start in range(0, len(table), chunk_rows):
            yield table.slice(start, start + chunk_rows)
    else:
        yield from _iter_arrow(source, chunk_rows, columns)


@dataclass(frozen=True)
class _Source:
    """A file that is there, and what its name says of it."""

    path: str
    kind: FileKind

    @classmethod
    def open(cls, path: Path, column_types: Mapping[str, Kind] | None) -> _Source:
        for name, kind in (column_types or {}).items():
            if kind not in KINDS:
                raise ArgumentError(
                    f"column_types[{name!r}] must be one of {KINDS}, got {kind!r}"
                )
        name = check_readable(path)
        return cls(name, file_kind(name))

    @property
    def is_text(self) -> bool:
        return self.kind.format in ("csv", "tsv")

    def layout(
        self,
        columns: Sequence[str] | None,
        kinds: Mapping[str, Kind] | None,
        names: Sequence[str] | None,
        delimiter: str | None,
        encoding: str,
    ) -> Layout:
        return find_layout(
            self.path, self.kind, columns, kinds or {}, names, delimiter, encoding
        )

    def checked(self, table: Table) -> Table:
        """The table, if there is anything in it."""
        if not table.names:
            raise DataError(f"{self.path!r} holds no columns")
        if not len(table):
            raise DataError(f"{self.path!r} has columns but no rows")
        return table

    def check_columns(self, wanted: Sequence[str] | None, known: list[str]) -> None:
        check_unique(known, repr(self.path))
        for name in wanted or ():
            if name not in known:
                raise DataError(f"{self.path!r}: {unknown_column(name, known)}")


def _read_text(layout: Layout) -> Table:
    from dotori.data.delimited_arrow import read_by_arrow

    try:
        return read_by_arrow(layout)
    except ImportError:
        with closing(chunks_by_csv(layout, None)) as whole:
            return next(whole)


def _iter_text(layout: Layout, chunk_rows: int) -> Iterator[Table]:
    from dotori.data.delimited_arrow import chunks_by_arrow

    if any(name not in layout.kinds for name in layout.columns):
        layout = replace(layout, kinds={**_first_kinds(layout), **layout.kinds})
    chunks = chunks_by_arrow(layout, chunk_rows)
    try:
        first = next(chunks)
    except ImportError:
        yield from chunks_by_csv(layout, chunk_rows)
        return
    yield first
    yield from chunks


def _first_kinds(layout: Layout) -> dict[str, Kind]:
    """The kinds in the first block, fixed for all: fractions may follow integers."""
    from dotori.data.delimited_arrow import chunks_by_arrow

    try:
        with closing(chunks_by_arrow(layout, None)) as blocks:
            return _settled(next(blocks))
    except ImportError:
        with closing(chunks_by_csv(layout, _FIRST_ROWS)) as blocks:
            return _settled(next(blocks))


def _settled(table: Table) -> dict[str, Kind]:
    """Kinds by name; a column of gaps may become anything later, so it is text."""
    return {
        name: "text" if column.missing.all() else column.kind
        for name, column in table.items()
    }


def _whole(source: _Source, columns: Sequence[str] | None) -> Table:
    if source.kind.format == "npz":
        table = _read_npz(source)
        source.check_columns(columns, table.names)
        return table if columns is None else table.select(columns)
    with _arrow_batches(source, 1 << 16, columns) as (batches, schema):
        arrow = need("pyarrow", "cli", "reading a table")
        return table_from_arrow(arrow.Table.from_batches(batches, schema))


def _iter_arrow(
    source: _Source, chunk_rows: int, columns: Sequence[str] | None
) -> Iterator[Table]:
    start = 1
    with _arrow_batches(source, chunk_rows, columns) as (batches, schema):
        for piece in rechunk(batches, schema, chunk_rows):
            yield table_from_arrow(piece, start)
            start += piece.num_rows
    if start == 1:
        raise DataError(f"{source.path!r} has columns but no rows")


@contextmanager
def _arrow_batches(
    source: _Source, rows: int, columns: Sequence[str] | None
) -> Iterator[tuple[Iterable[Any], Any]]:
    """The record batches of a Parquet or Arrow file, and their schema."""
    form = source.kind.format
    arrow = need("pyarrow", "cli", f"reading a {form} file")
    try:
        with open_bytes(source.path, source.kind.compression) as file:
            # Both formats are read from their end: a compressed one is unpacked first.
            if source.kind.compression:
                file = io.BytesIO(file.read())
            read = _parquet if form == "parquet" else _ipc
            yield read(source, file, rows, columns)
    except (arrow.ArrowException, OSError, UnicodeError, OverflowError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise DataError(
            f"{source.path!r} is not a whole {form} file ({reason}); write or get it "
            "again"
        ) from error


def _parquet(
    source: _Source, file: IO[bytes], rows: int, columns: Sequence[str] | None
) -> tuple[Iterable[Any], Any]:
    parquet = need("pyarrow.parquet", "cli", "reading a Parquet file")
    reader = parquet.ParquetFile(file)
    schema = reader.schema_arrow
    source.check_columns(columns, schema.names)
    batches = map(_validated, reader.iter_batches(batch_size=rows, columns=columns))
    if columns is None:
        return batches, schema
    # iter_batches keeps the file's order of columns, not the one that was asked for.
    return _selected(batches, schema, columns)


def _ipc(
    source: _Source, file: IO[bytes], rows: int, columns: Sequence[str] | None
) -> tuple[Iterable[Any], Any]:
    """An Arrow file (which Feather version 2 is), or a stream of record batches."""
    ipc = need("pyarrow.ipc", "cli", "reading an Arrow file")
    magic = file.read(6)
    file.seek(0)
    reader = ipc.open_file(file) if magic == b"ARROW1" else ipc.open_stream(file)
    schema = reader.schema
    source.check_columns(columns, schema.names)
    batches: Iterable[Any] = reader
    if magic == b"ARROW1":
        batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
    batches = map(_validated, batches)
    return (batches, schema) if columns is None else _selected(batches, schema, columns)


def _validated(batch: Any) -> Any:
    """pyarrow believes the offsets in a file, and a wrong one ends the process."""
    batch.validate(full=True)
    return batch


def _selected(
    batches: Iterable[Any], schema: Any, columns: Sequence[str]
) -> tuple[Iterable[Any], Any]:
    arrow = need("pyarrow", "cli", "reading a table")
    wanted = arrow.schema([schema.field(name) for name in columns])
    return (batch.select(list(columns)) for batch in batches), wanted


def _read_npz(source: _Source) -> Table:
    from dotori.io.npz import load_npz

    columns: dict[str, Column] = {}
    names: list[str] = []
    for name, array in load_npz(source.path).items():
        if array.ndim == 0:
            raise DataError(
                f"{source.path!r}: the array {name!r} is a single value; arrays of "
                "shape (n,) or (n, ...) were wanted"
            )
        if array.ndim == 1:
            parts = {name: array}
        else:
            flat = array.reshape(len(array), -1)
            parts = {f"{name.lower()}{i}": flat[:, i] for i in range(flat.shape[1])}
        names += parts
        columns |= {k: column_from_array(k, v) for k, v in parts.items()}
    check_unique(names, repr(source.path))
    return Table(columns)
