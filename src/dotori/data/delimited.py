"""CSV and TSV: the layout of the text, and reading it with the csv module alone.

pyarrow reads the same files many times faster (``delimited_arrow.py``) and gives the
same columns (but for hexadecimal numbers, which are text here). This file is what the
core has without it, and what finds the line at fault when pyarrow has met one.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from dotori.data.fields import column_from_fields, wrong_field
from dotori.data.files import FileKind, open_bytes
from dotori.data.table import Column, Kind, Table, check_unique, unknown_column
from dotori.errors import DataError


@dataclass(frozen=True)
class Layout:
    """How to read one text table, by its first lines and the caller's wishes."""

    path: str
    compression: str
    delimiter: str
    encoding: str
    names: tuple[str, ...]  # as written in the file, or as given
    header: bool  # whether the first line holds the names
    columns: tuple[str, ...]  # the names of those that are wanted, without blanks
    kinds: Mapping[str, Kind]  # kinds that are known beforehand, by name

    @property
    def places(self) -> dict[str, int]:
        """Where each column that is wanted lies in a row."""
        known = {name.strip(): i for i, name in enumerate(self.names)}
        return {name: known[name] for name in self.columns}

    def open_rows(self) -> Generator[tuple[int, list[str]], None, None]:
        """Each data row's fields with the number of its line, by the csv module."""
        with (
            open_bytes(self.path, self.compression) as file,
            closing(_csv_rows(file, self.encoding, self.delimiter, self.path)) as rows,
        ):
            for number, row in itertools.islice(rows, int(self.header), None):
                if len(row) != len(self.names):
                    raise DataError(
                        f"{self.path!r}, line {number}: {len(row)} fields where the "
                        f"first line has {len(self.names)}; a field with a "
                        f"{self.delimiter!r} in it needs quotes around it"
                    )
                yield number, row


def find_layout(
    path: str,
    kind: FileKind,
    columns: Sequence[str] | None,
    kinds: Mapping[str, Kind],
    names: Sequence[str] | None,
    delimiter: str | None,
    encoding: str,
) -> Layout:
    """Read the first lines of a text table, and refuse what is no table."""
    with open_bytes(path, kind.compression) as file:
        delimiter = delimiter or _guess_delimiter(file, kind.delimiter)
    with (
        open_bytes(path, kind.compression) as file,
        closing(_csv_rows(file, encoding, delimiter, path)) as rows,
    ):
        first, second = next(rows, (0, []))[1], next(rows, None)
    if not first:
        raise DataError(f"{path!r} is empty; a table with a header line was wanted")
    header = names is None
    if header and second is None:
        raise DataError(f"{path!r} has a header line but no rows below it")
    given = tuple(first) if names is None else tuple(names)
    _check_names(path, given, first, header)
    known = [name.strip() for name in given]
    for name in columns or ():
        if name not in known:
            raise DataError(f"{path!r}: {unknown_column(name, known)}")
    wanted = tuple(known if columns is None else columns)
    return Layout(
        path, kind.compression, delimiter, encoding, given, header, wanted, kinds
    )


def _check_names(
    path: str, names: tuple[str, ...], first: list[str], header: bool
) -> None:
    if header and all(wrong_field(name, "number") is False for name in names):
        raise DataError(
            f"{path!r}: the first line holds numbers where the names of the columns "
            "were wanted; add a header line, or give names=[...]"
        )
    if len(names) != len(first):
        raise DataError(
            f"{path!r}: {len(names)} names were given for {len(first)} columns"
        )
    check_unique([name.strip() for name in names], repr(path))


def _guess_delimiter(file: Any, usual: str) -> str:
    """The usual one, unless the first line has none of it but has others."""
    line = file.readline(1 << 20)
    if usual.encode() in line:
        return usual
    count, other = max((line.count(d), d.decode()) for d in (b";", b"\t", b"|", b","))
    return other if count else usual


def _csv_rows(
    file: Any, encoding: str, delimiter: str, path: str
) -> Generator[tuple[int, list[str]], None, None]:
    """(line number, fields) of each line that is not blank."""
    wanted = "utf-8-sig" if encoding.lower().replace("_", "-") == "utf-8" else encoding
    try:
        text = io.TextIOWrapper(file, wanted, newline="")
    except LookupError:
        raise DataError(f"there is no encoding {encoding!r}; try 'utf-8'") from None
    reader = csv.reader(text, delimiter=delimiter)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except UnicodeError as error:
        raise not_text(path, encoding) from error
    except csv.Error as error:
        raise DataError(
            f"{path!r}, line {reader.line_num}: not a line of a text table ({error})"
        ) from error
    finally:
        text.detach()  # the file is closed by who opened it


def not_text(path: str, encoding: str) -> DataError:
    return DataError(
        f"{path!r} is not text in {encoding}; save it as UTF-8, or give the encoding "
        "that it has, such as encoding='cp949' or 'latin-1'"
    )


def chunks_by_csv(
    layout: Layout, chunk_rows: int | None
) -> Generator[Table, None, None]:
    """The table in pieces, or whole, read by the csv module."""
    places, start = layout.places, 1
    with closing(layout.open_rows()) as rows:
        while part := list(itertools.islice(rows, chunk_rows)):
            fields = list(zip(*(row for _, row in part), strict=True))
            columns = {
                name: _fields_column(layout, name, fields[place], part)
                for name, place in places.items()
            }
            yield Table(columns, range(start, start + len(part)))
            start += len(part)


def _fields_column(
    layout: Layout,
    name: str,
    fields: Sequence[str],
    rows: Sequence[tuple[int, list[str]]],
) -> Column:
    kind = layout.kinds.get(name)
    bad = next((i for i, v in enumerate(fields) if kind and wrong_field(v, kind)), None)
    if kind and bad is not None:
        raise wrong_value(layout, name, kind, fields[bad], rows[bad][0])
    return column_from_fields(fields, kind)


def wrong_value(
    layout: Layout, name: str, kind: Kind, value: str, line: int
) -> DataError:
    return DataError(
        f"{layout.path!r}, line {line}: column {name!r} should hold a {kind}, but "
        f"holds {value!r}; correct it, or leave it empty if it is not known"
    )
