"""A trained model of a table: it takes rows as they come, gives labels or amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori import nn
from dotori.autograd import no_grad, wrap
from dotori.data.read import read_table
from dotori.data.table import Table
from dotori.errors import DataError, FormatError
from dotori.io import read_model, write_model
from dotori.tabular.network import build_network
from dotori.tabular.options import Options
from dotori.tabular.preprocess import Preprocessor
from dotori.tabular.score import score
from dotori.tabular.target import Target

KIND = "tabular model"
_ROWS_AT_ONCE = 4096


@dataclass
class TableModel:
    """Preprocessing, network and target of a trained model: all that `predict` needs.

    Attributes
    ----------
    preprocessor : Preprocessor
        From a table to a matrix.
    target : Target
    network : nn.Module
    options : Options
        What it was trained with.
    results : dict
        The figures on each split, and those of the baselines; and how the training
        went.

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
    network: nn.Module
    options: Options
    results: dict[str, Any] = field(default_factory=dict)

    # ------------------------------------------------------------ prediction

    def predict(self, data: Any) -> NDArray[Any]:
        """The amount, or the label, of each row.

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
        return np.array(self.target.decode(output.argmax(axis=1)))

    def predict_proba(self, data: Any) -> NDArray[np.float64]:
        """The probability of each class, in the order of ``target.classes``.

        Raises
        ------
        DataError
            If the target is an amount.
        """
        if self.target.is_regression:
            raise DataError(
                f"the target {self.target.name!r} is an amount and has no "
                "probabilities; use predict"
            )
        return self.raw_output(as_table(data, self))

    def evaluate(self, data: Any) -> dict[str, Any]:
        """Judge the model on other rows, which have the target: see `score`."""
        table = as_table(data, self, with_target=True)
        if not len(table):
            raise DataError("evaluate: the table has no rows; at least one is wanted")
        true = self.target.encode(table)
        return score(self.target, true, self.raw_output(table))

    def raw_output(self, table: Table) -> NDArray[np.float64]:
        """Amounts of shape (n,), or probabilities of shape (n, classes)."""
        return network_output(
            self.network, self.target, self.preprocessor.transform(table)
        )

    # ------------------------------------------------------------ on disk

    def save(self, path: Any) -> None:
        """Write the model to one file, atomically."""
        arrays, preprocessing = self.preprocessor.to_state()
        weights = self.network.state_dict()
        arrays = {f"preprocessor.{k}": v for k, v in arrays.items()}
        arrays |= {f"network.{k}": np.asarray(v.array) for k, v in weights.items()}
        document = {
            "target": self.target.to_json(),
            "preprocessor": preprocessing,
            "options": self.options.to_mapping(),
            "results": self.results,
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
            n_inputs = len(preprocessor.feature_names_out)
            network = build_network(n_inputs, target.num_outputs, options)
            network.load_state_dict(_under("network.", arrays))
            results = dict(document["results"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise FormatError(
                f"{path} has the form of a model file, but its parts do not fit "
                f"together: {error}"
            ) from error
        return cls(preprocessor, target, network.eval(), options, results)

    def __repr__(self) -> str:
        hidden = "-".join(map(str, self.options.hidden)) or "linear"
        return (
            f"TableModel({self.target.task} of {self.target.name!r} from "
            f"{len(self.preprocessor.schema.used)} columns, hidden {hidden})"
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


def network_output(
    network: nn.Module, target: Target, x: NDArray[np.float32]
) -> NDArray[np.float64]:
    """What a network gives for a matrix, in the target's own terms."""
    network.eval()
    with no_grad():
        parts = [
            network(wrap(x[i : i + _ROWS_AT_ONCE])).array
            for i in range(0, max(len(x), 1), _ROWS_AT_ONCE)
        ]
    output = np.concatenate(parts).astype(np.float64)
    if target.is_regression:
        return target.unscale(output[:, 0])
    if target.num_outputs == 1:  # the logit of the second class
        output = np.concatenate([np.zeros_like(output), output], axis=1)
    shifted = np.exp(output - output.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = shifted / shifted.sum(axis=1, keepdims=True)
    return probabilities


def _under(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    n = len(prefix)
    return {name[n:]: a for name, a in arrays.items() if name.startswith(prefix)}
