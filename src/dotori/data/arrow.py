"""Between pyarrow's tables and ours, and the files that pyarrow alone can read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from dotori.data.frame import column_from_arrow
from dotori.data.table import Column, Table, check_unique
from dotori.errors import need


def table_from_arrow(arrow: Any, start: int = 1) -> Table:
    """A Table from a pyarrow.Table whose first row has the number `start`."""
    check_unique(arrow.column_names, "the table")
    columns = {
        name: column_from_arrow(name, arrow.column(i))
        for i, name in enumerate(arrow.column_names)
    }
    return Table(columns, range(start, start + arrow.num_rows))


def table_to_arrow(table: Table) -> Any:
    """A pyarrow.Table with the same columns; gaps are nulls."""
    pa = need("pyarrow", "cli", "writing an Arrow or Parquet file")
    arrays = {name: _to_arrow(pa, column) for name, column in table.items()}
    return pa.table(arrays)


def _to_arrow(pa: Any, column: Column) -> Any:
    if column.kind != "text":
        return pa.array(column.values, mask=column.missing)
    codes = pa.array(np.where(column.missing, 0, column.values), mask=column.missing)
    if not column.categories:  # pyarrow cannot look a null up in nothing
        return pa.nulls(len(column), pa.string())
    texts = pa.array(column.categories, pa.string())
    return pa.DictionaryArray.from_arrays(codes, texts).cast(pa.string())


def rechunk(batches: Iterable[Any], schema: Any, rows: int | None) -> Iterator[Any]:
    """pyarrow.Tables of `rows` rows each, the last of the rest, from record batches.

    Without `rows`, each batch that is not empty becomes one.
    """
    pa = need("pyarrow", "cli", "reading a table in pieces")
    held: list[Any] = []
    count = 0
    for batch in batches:
        held.append(batch)
        count += batch.num_rows
        if count < (rows or 1):
            continue
        rows_here = rows or count
        table = pa.Table.from_batches(held, schema)
        for start in range(0, count - count % rows_here, rows_here):
            yield table.slice(start, rows_here)
        held = table.slice(count - count % rows_here).to_batches()
        count %= rows_here
    if count:
        yield pa.Table.from_batches(held, schema)
