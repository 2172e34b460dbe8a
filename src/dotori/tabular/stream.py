"""Predictions for a file, piece by piece, so that it may be larger than the memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.data.frame import column_from_array
from dotori.data.read import iter_table
from dotori.data.table import Column, Table
from dotori.data.write import TableWriter
from dotori.tabular.model import TableModel, column_types


def predict_file(
    model: TableModel,
    data: Any,
    output: Any,
    *,
    probabilities: bool = False,
    keep: Sequence[str] = (),
    chunk_rows: int = 65_536,
) -> int:
    """Write a prediction for each row of a file to another file, atomically.

    Parameters
    ----------
    model : TableModel
    data : path
    output : path
        Its ending chooses the format, such as ``.csv`` or ``.parquet``.
    probabilities : bool
        Add the probability of each class; of clusters there is none.
    keep : sequence of str
        Columns of `data` to copy to the output, such as an identifier.
    chunk_rows : int
        How many rows are in memory at a time.

    Returns
    -------
    int
        The number of rows.
    """
    rows = 0
    with TableWriter(output) as out:
        for table in iter_predictions(
            model, data, probabilities=probabilities, keep=keep, chunk_rows=chunk_rows
        ):
            out.write(table)
            rows += len(table)
    return rows


def iter_predictions(
    model: TableModel,
    data: Any,
    *,
    probabilities: bool = False,
    keep: Sequence[str] = (),
    chunk_rows: int = 65_536,
) -> Iterator[Table]:
    """Tables of predictions for the pieces of a file; as `predict_file`."""
    types = column_types(model)
    for table in iter_table(data, chunk_rows, column_types=types):
        yield prediction_table(model, table, probabilities, keep)


def prediction_table(
    model: TableModel, table: Table, probabilities: bool, keep: Sequence[str]
) -> Table:
    """The columns kept, the prediction, and the classes' probabilities if wanted.

    Of clusters, the nearest one's number and the distance to its centre.
    """
    columns: dict[str, Column] = {name: table[name] for name in keep}
    output = model.raw_output(table)
    target = model.target
    if target.is_regression:
        columns["prediction"] = Column("number", output)
        return Table(columns)
    columns["prediction"] = _labels(model, target.choose(output))
    if target.is_clusters:
        columns["distance"] = Column("number", output.min(axis=1))
    if probabilities and not target.is_clusters:
        for i, label in enumerate(target.classes):
            columns[f"probability_{label}"] = Column("number", output[:, i].copy())
    return Table(columns)


def _labels(model: TableModel, chosen: NDArray[np.int64]) -> Column:
    classes = model.target.classes
    if model.target.kind == "text":
        names = [str(label) for label in classes]
        return Column("text", chosen.astype(np.int32), categories=names)
    return column_from_array("prediction", np.array(classes)[chosen])
