"""Write a table, whole or piece by piece, to a file that appears when it is whole."""

from __future__ import annotations

import bz2
import contextlib
import csv
import gzip
import io
from types import TracebackType
from typing import IO, Any, Protocol

import numpy as np

from dotori.data.arrow import table_to_arrow
from dotori.data.files import FileKind, Path, file_kind
from dotori.data.table import Column, Table
from dotori.errors import ArgumentError, DataError, need
from dotori.io.atomic import atomic_write

_BLOCK = 65_536  # rows


def write_table(table: Table, path: Path) -> None:
    """Write a table to CSV, TSV, Parquet, Feather or Arrow, by the name's extension.

    See :class:`TableWriter` for what it does and raises.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "out.csv"
    >>> write_table(Table.from_frame({"x": [0.1, None], "y": ["a", "b"]}), path)
    >>> path.read_text()
    'x,y\\n0.1,a\\n,b\\n'
    """
    with TableWriter(path) as out:
        out.write(table)


class TableWriter:
    """Write pieces of one table to a file that appears, whole, at the end of the block.

    Parameters
    ----------
    path : str or PathLike
        A name that ends in ``.csv``, ``.tsv`` or ``.txt`` (also with ``.gz``, ``.bz2``
        or ``.xz``), ``.parquet``, ``.feather`` or ``.arrow``.

    Raises
    ------
    DataError
        If the extension is not known, or a piece has other columns than the first.
    MissingDependencyError
        If the format needs pyarrow, and it is not installed. CSV does not.
    OSError
        If the folder is missing or may not be written to, or the disk is full. Whatever
        is raised, inside of the block too, the old file is left as it was.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "out.csv"
    >>> with TableWriter(path) as out:
    ...     out.write(Table.from_frame({"x": [1, 2]}))
    ...     out.write(Table.from_frame({"x": [3]}))
    >>> path.read_text().split()
    ['x', '1', '2', '3']
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kind = file_kind(path)
        if self._kind.format == "npz":
            raise DataError(
                f"{str(path)!r}: a table is not written as npz; use .csv, .parquet or "
                ".feather"
            )
        if self._kind.format in ("parquet", "arrow"):
            need("pyarrow", "cli", f"writing a {self._kind.format} file")
        self._stack: contextlib.ExitStack | None = None
        self._sink: _Sink | None = None
        self._names: list[str] | None = None

    def __enter__(self) -> TableWriter:
        with contextlib.ExitStack() as stack:
            file: IO[bytes] = stack.enter_context(atomic_write(self.path))
            file = stack.enter_context(_compressed(file, self._kind.compression))
            self._sink = _sink(file, self._kind)
            self._stack = stack.pop_all()
        return self

    def write(self, table: Table) -> None:
        """Add the rows of this table."""
        if self._sink is None:
            raise ArgumentError(
                "TableWriter: write() was called outside of its block; "
                "use `with TableWriter(path) as out:`"
            )
        if self._names is not None and table.names != self._names:
            raise DataError(
                f"TableWriter: columns {self._names} were wanted, as in the first "
                f"piece, got {table.names}"
            )
        self._names = table.names
        self._sink.write(table)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stack, sink = self._stack, self._sink
        self._stack = self._sink = None
        if stack is None or sink is None:
            return
        if error is not None:
            with contextlib.suppress(Exception):
                sink.close()  # or pyarrow would write into the closed file later
            stack.__exit__(kind, error, trace)
            return
        with stack:
            sink.close()


class _Sink(Protocol):
    """Where the pieces go; closing it writes the end, but leaves the file open."""

    def write(self, table: Table) -> None: ...

    def close(self) -> None: ...


def _sink(file: IO[bytes], kind: FileKind) -> _Sink:
    if kind.format in ("csv", "tsv"):
        return TextSink(file, kind.delimiter)
    return _ArrowSink(file, kind.format)


@contextlib.contextmanager
def _compressed(file: IO[bytes], compression: str) -> Any:
    if compression == ".gz":
        # mtime=0: the same table gives the same bytes.
        with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
            yield packed
    elif compression == ".bz2":
        with bz2.open(file, "wb") as packed:
            yield packed
    elif compression == ".xz":
        import lzma  # late: few files need it

        with lzma.open(file, "wb") as packed:
            yield packed
    elif compression:
        raise DataError(f"writing {compression} is not supported; use .gz")
    else:
        yield file


class TextSink:
    """Writes tables as delimited text to an open file, one header for all."""

    def __init__(self, file: IO[bytes], delimiter: str = ",") -> None:
        self._file, self._delimiter = file, delimiter
        self._begun = False

    def write(self, table: Table) -> None:
        # A block at a time, so that the text of a large table stays small.
        for start in range(0, max(len(table), 1), _BLOCK):
            self._write_block(table.slice(start, start + _BLOCK))

    def _write_block(self, table: Table) -> None:
        text = io.StringIO(newline="")
        rows = csv.writer(text, delimiter=self._delimiter, lineterminator="\n")
        if not self._begun:
            rows.writerow(table.names)
            self._begun = True
        fields = [_fields(column) for _, column in table.items()]
        rows.writerows(zip(*fields, strict=True))
        self._file.write(text.getvalue().encode())

    def close(self) -> None:
        """Nothing is held back."""


def _fields(column: Column) -> list[Any]:
    """What the csv module is to write: shortest exact numbers, ISO dates, lower-case
    booleans, nothing for a gap."""
    if column.kind == "boolean":
        return [None if v is None else str(v).lower() for v in column.to_list()]
    if column.kind == "datetime":
        texts = np.datetime_as_string(column.values, unit="us", timezone="naive")
        return ["" if m else t for t, m in zip(texts, column.missing, strict=True)]
    if column.values.dtype == np.float32:
        # str() of a float32 is its shortest exact form; of its float64, not.
        texts = column.values.astype(str)
        return ["" if m else t for t, m in zip(texts, column.missing, strict=True)]
    return column.to_list()


class _ArrowSink:
    def __init__(self, file: IO[bytes], form: str) -> None:
        self._file, self._form = file, form
        self._writer: Any = None
        self._schema: Any = None

    def write(self, table: Table) -> None:
        arrow = table_to_arrow(table)
        if self._writer is None:
            self._schema = arrow.schema
            self._writer = self._open(arrow.schema)
        elif arrow.schema != self._schema:
            arrow = arrow.cast(self._schema)
        self._writer.write_table(arrow)

    def _open(self, schema: Any) -> Any:
        if self._form == "parquet":
            parquet = need("pyarrow.parquet", "cli", "writing a Parquet file")
            return parquet.ParquetWriter(self._file, schema)
        ipc = need("pyarrow.ipc", "cli", "writing an Arrow file")
        return ipc.new_file(self._file, schema)

    def close(self) -> None:
        if self._writer is None:
            self._writer = self._open(need("pyarrow", "cli", "writing").schema([]))
        self._writer.close()
