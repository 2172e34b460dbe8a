"""A trained model of a table: it takes rows as they come, gives labels or amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori import nn
from dotori.data.read import read_table
from dotori.data.table import Table
from dotori.errors import ArgumentError, DataError, FormatError
from dotori.io import read_model, write_model
from dotori.tabular.clusters import judge_clusters
from dotori.tabular.options import Options
from dotori.tabular.predictors import (
    NetworkPredictor,
    Predictor,
    predictor_from_state,
)
from dotori.tabular.preprocess import Preprocessor
from dotori.tabular.score import score
from dotori.tabular.target import Target

KIND = "tabular model"


@dataclass
class TableModel:
    """Preprocessing, predictor and target of a model: all that `predict` needs.

    Attributes
    ----------
    preprocessor : Preprocessor
        From a table to a matrix.
    target : Target
    predictor : Predictor
        A network, coefficients, trees or centres.
    options : Options
        What it was trained with.
    results : dict
        The figures on each split, and those of the baselines; and how the training
        went. ``results["choice"]`` is the table of what was tried, if it was chosen.

    Examples
    --------
    >>> import dotori
    >>> model = dotori.fit("diabetes", epochs=2)
    >>> columns = model.preprocessor.schema.used
    >>> model.predict({column.name: [50.0] for column in columns}).shape
    (1,)
    """

    preprocessor: Preprocessor
    target: Target
    predictor: Predictor
    options: Options
    results: dict[str, Any] = field(default_factory=dict)

    @property
    def network(self) -> nn.Module:
        """The network; ArgumentError if the model is of another kind."""
        if not isinstance(self.predictor, NetworkPredictor):
            raise ArgumentError(
                f"the model is a {self.predictor.name}, not a network; what it holds "
                "is its predictor"
            )
        return self.predictor.network

    @network.setter
    def network(self, network: nn.Module) -> None:
        self.predictor = NetworkPredictor(network)

    # ------------------------------------------------------------ prediction

    def predict(self, data: Any) -> NDArray[Any]:
        """The amount, the label, or the number of the cluster, of each row.

        Parameters
        ----------
        data : path, Table, data frame or mapping of columns
            With the columns of the training; others are ignored.

        Raises
        ------
        DataError
            If a column is missing or of another kind, or holds an infinite value.
        """
        output = self.raw_output(as_table(data, self))
        if self.target.is_regression:
            return output
        return np.array(self.target.decode(self.target.choose(output)))

    def predict_proba(self, data: Any) -> NDArray[np.float64]:
        """The probability of each class, in the order of ``target.classes``.

        Raises
        ------
        DataError
            If the target is an amount, or there are clusters instead of one.
        """
        if self.target.is_clusters:
            raise DataError("clusters have no probabilities; use distances")
        if self.target.is_regression:
            raise DataError(
                f"the target {self.target.name!r} is an amount and has no "
                "probabilities; use predict"
            )
        return self.raw_output(as_table(data, self))

    def distances(self, data: Any) -> NDArray[np.float64]:
        """The distance of each row to each cluster's centre, in scaled columns.

        Raises
        ------
        DataError
            If the model has no clusters.
        """
        if not self.target.is_clusters:
            raise DataError(f"{self.predictor.name} has no clusters; use predict")
        return self.raw_output(as_table(data, self))

    def evaluate(self, data: Any) -> dict[str, Any]:
        """Judge the model on other rows: see `score`, and `judge_clusters`.

        They must have the target, unless there is none.
        """
        table = as_table(data, self, with_target=not self.target.is_clusters)
        if not len(table):
            raise DataError("evaluate: the table has no rows; at least one is wanted")
        if self.target.is_clusters:
            return judge_clusters(self.preprocessor.transform(table), self.predictor)
        true = self.target.encode(table)
        return score(self.target, true, self.raw_output(table))

    def raw_output(self, table: Table) -> NDArray[np.float64]:
        """Amounts of shape (n,), or probabilities of shape (n, classes).

        Distances of shape (n, clusters), if there is no target.
        """
        return self.predictor.output(self.preprocessor.transform(table), self.target)

    # ------------------------------------------------------------ on disk

    def save(self, path: Any) -> None:
        """Write the model to one file, atomically."""
        arrays, preprocessing = self.preprocessor.to_state()
        fitted, about = self.predictor.to_state()
        arrays = {f"preprocessor.{k}": v for k, v in arrays.items()} | fitted
        document = {
            "target": self.target.to_json(),
            "preprocessor": preprocessing,
            "options": self.options.to_mapping(),
            "results": self.results,
            **about,
        }
        write_model(path, arrays, document, kind=KIND)

    @classmethod
    def load(cls, path: Any) -> TableModel:
        """Read a model file; nothing in it is executed.

        Raises
        ------
        FormatError
            If the file is truncated, damaged or of another kind.
        """
        arrays, document = read_model(path, kind=KIND)
        try:
            preprocessor = Preprocessor.from_state(
                _under("preprocessor.", arrays), document["preprocessor"]
            )
            target = Target.from_json(document["target"])
            options = Options.from_mapping(document["options"])
            width = len(preprocessor.feature_names_out)
            predictor = predictor_from_state(arrays, document, width, target, options)
            results = dict(document["results"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise FormatError(
                f"{path} has the form of a model file, but its parts do not fit "
                f"together: {error}"
            ) from error
        return cls(preprocessor, target, predictor, options, results)

    def __repr__(self) -> str:
        what = self.predictor.name
        if isinstance(self.predictor, NetworkPredictor):
            what = f"hidden {'-'.join(map(str, self.options.hidden)) or 'linear'}"
        of = "" if self.target.is_clusters else f" of {self.target.name!r}"
        return (
            f"TableModel({self.target.task}{of} from "
            f"{len(self.preprocessor.schema.used)} columns, {what})"
        )


def load(path: Any) -> TableModel:
    """The trained model in a file: see `TableModel.load`."""
    return TableModel.load(path)


def as_table(data: Any, model: TableModel, with_target: bool = False) -> Table:
    """The rows in `data` with the columns that `model` needs.

    A file is read with the kinds of columns that the training found.
    """
    if isinstance(data, (str, Path)):
        return read_table(data, column_types=column_types(model, with_target))
    return Table.from_frame(data)


def column_types(model: TableModel, with_target: bool = False) -> dict[str, Any]:
    """The kinds of the columns that a file for `model` should have."""
    types = dict(model.preprocessor.schema.column_types)
    if with_target:
        types[model.target.name] = model.target.kind
    return types


def _under(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    n = len(prefix)
    return {name[n:]: a for name, a in arrays.items() if name.startswith(prefix)}
