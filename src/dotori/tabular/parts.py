"""A table's rows as a model sees them: opened, split, turned into matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.data.builtin import builtin_names, load_builtin
from dotori.data.read import read_table
from dotori.data.schema import infer_schema
from dotori.data.table import Table
from dotori.errors import ArgumentError, DataError
from dotori.random import Generator
from dotori.tabular.network import row_weights
from dotori.tabular.options import Options
from dotori.tabular.preprocess import Preprocessor
from dotori.tabular.split import train_valid_test_split
from dotori.tabular.target import Target, drop_missing_target

_SPLIT = 0  # the split's own stream of random numbers


@dataclass
class Part:
    """One split as a model sees it: inputs, encoded target, weights of rows.

    Without a target, `y` is as long as `x` and means nothing.
    """

    x: NDArray[np.float32]
    y: NDArray[Any]
    weight: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.y)


@dataclass
class Prepared:
    """Splits that are ready for a model, and what turned them into that.

    Attributes
    ----------
    target : Target
    preprocessor : Preprocessor
        Fitted on the training split only.
    parts : dict of str to Part
    """

    target: Target
    preprocessor: Preprocessor
    parts: dict[str, Part]


def prepare(tables: Mapping[str, Table], target: Target, options: Options) -> Prepared:
    """Fit the preprocessing and the target's scale on ``tables["train"]``, apply both.

    What the other tables hold has no influence on how anything is encoded.
    """
    features = feature_names(tables["train"], target, options)
    train = tables["train"].select(features)
    preprocessor = Preprocessor.fit(train, infer_schema(train), scale=options.scale)
    if target.is_regression:
        target = target.fit_scale(target.encode(tables["train"]))
    parts = {
        name: _part(part, target, preprocessor, options)
        for name, part in tables.items()
    }
    part = parts["train"]
    if part.weight is not None and not part.weight.any():
        name = options.sample_weight
        raise DataError(f"the weights {name!r} are all 0; at least one must not be")
    part.weight = row_weights(target.task, part.y, part.weight, options)
    return Prepared(target, preprocessor, parts)


def open_data(
    data: Any, target: str | None, optional: bool = False
) -> tuple[Table, str]:
    """The table behind a path, a built-in name or a frame, and the target's name.

    If the target is `optional`, its name may be empty.
    """
    if isinstance(data, str) and data in builtin_names() and not Path(data).exists():
        table = load_builtin(data)
        return table, target or table.names[-1]
    table = (
        read_table(data) if isinstance(data, (str, Path)) else Table.from_frame(data)
    )
    if target is None and optional:
        return table, ""
    if target is None:
        raise ArgumentError(
            "which column is to be predicted? Name it: --target NAME on the command "
            f"line, target='NAME' in Python; the columns are {', '.join(table.names)}"
        )
    return table, target


def feature_names(table: Table, target: Target, options: Options) -> list[str]:
    """The columns to predict from: all but the target, weights and dropped ones."""
    left_out = set(options.drop) if target.is_clusters else {target.name, *options.drop}
    if options.sample_weight is not None:
        left_out.add(options.sample_weight)
    kept = table.drop(left_out).names
    if not kept:
        raise DataError("no column is left to predict from; drop fewer columns")
    return kept


def split_table(
    table: Table, target: Target, options: Options, valid: Any = None
) -> dict[str, Table]:
    """Training, validation and test; a validation table of one's own if it is given.

    Only a network validates while it is trained. Other models get these rows as well.
    """
    own_valid = None if valid is None else open_data(valid, target.name)[0]
    takes_share = options.model == "mlp" and own_valid is None
    share = options.valid if takes_share else 0.0
    plain = target.is_regression or target.is_clusters
    classes = None if plain else target.encode(table)
    split = train_valid_test_split(
        len(table),
        (1.0 - share - options.test, share, options.test),
        Generator(options.seed).derive(_SPLIT),
        stratify=classes,
        class_names=None if plain else target.classes,
    )
    tables = {name: table.take(rows) for name, rows in split._asdict().items()}
    if own_valid is not None and not target.is_clusters:
        own_valid = drop_missing_target(own_valid, target.name)[0]
    if own_valid is not None:
        tables["valid"] = own_valid
    return tables


def split_valid(table: Table, target: Target, options: Options) -> dict[str, Table]:
    """Training and validation out of rows that were a training split before."""
    share = options.valid / (1.0 - options.test)
    classes = None if target.is_regression else target.encode(table)
    if classes is not None and np.unique(classes, return_counts=True)[1].min() < 2:
        classes = None  # a class with one row cannot be in both
    split = train_valid_test_split(
        len(table),
        (1.0 - share, share, 0.0),
        Generator(options.seed).derive(_SPLIT),
        stratify=classes,
    )
    return {"train": table.take(split.train), "valid": table.take(split.valid)}


def _part(
    table: Table, target: Target, preprocessor: Preprocessor, options: Options
) -> Part:
    x = preprocessor.transform(table)
    y = np.zeros(len(x)) if target.is_clusters else target.encode(table)
    if options.sample_weight is None:
        return Part(x, y)
    return Part(x, y, _sample_weights(table, options.sample_weight))


def _sample_weights(table: Table, name: str) -> NDArray[np.float32]:
    column = table[name]
    values = column.as_float()
    wrong = ~np.isfinite(values) | (values < 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"the weight {name!r} must be a number of at least 0 in every row, row "
            f"{table.row_number(row)} holds {column.value(row)!r}"
        )
    return values.astype(np.float32)
