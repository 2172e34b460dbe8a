"""``dotori evaluate``, ``predict`` and ``inspect``: using a model file."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dotori.cli import show
from dotori.data.write import TextSink
from dotori.errors import DataError, FormatError
from dotori.tabular.explain import explain
from dotori.tabular.model import TableModel
from dotori.tabular.stream import iter_predictions, predict_file


def load(path: Path) -> TableModel:
    """A model file, or one sentence on why it cannot be used."""
    if not path.exists():
        raise DataError(
            f"there is no model file {str(path)!r}; `dotori train` makes one"
        )
    return TableModel.load(path)


def evaluate(path: Path, data: Path, as_json: bool) -> None:
    model = load(path)
    scores = model.evaluate(str(data))
    if as_json:
        sys.stdout.write(json.dumps(scores) + "\n")
        return
    show.scores(scores)
    if "confusion" in scores:
        show.confusion(model, scores["confusion"], data.name)


def predict(
    path: Path,
    data: Path,
    output: Path | None,
    probabilities: bool,
    keep: Sequence[str],
    quiet: bool,
) -> None:
    model = load(path)
    if probabilities and model.target.is_regression:
        raise DataError("a predicted amount has no probabilities; leave out -p")
    if probabilities and model.target.is_clusters:
        raise DataError("a cluster has no probability, but a distance; leave out -p")
    if output is None:
        sink = TextSink(sys.stdout.buffer)
        for table in iter_predictions(
            model, str(data), probabilities=probabilities, keep=keep
        ):
            sink.write(table)
        return
    rows = predict_file(
        model, str(data), str(output), probabilities=probabilities, keep=keep
    )
    if not quiet:
        sys.stderr.write(f"{rows} predictions written to {output}\n")


def inspect(path: Path, as_json: bool) -> None:
    model = load(path)
    try:
        if as_json:
            sys.stdout.write(json.dumps(describe(model)) + "\n")
        else:
            _show(model)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise FormatError(
            f"{path}: its results are not those of a training: {error!r}"
        ) from error


def _show(model: TableModel) -> None:
    write = sys.stdout.write
    write(f"{model}\n\n")
    for feature in model.preprocessor.schema.features:
        write(f"  {feature.name}: {feature.kind}, {feature.role}\n")
    if model.target.classes and not model.target.is_clusters:
        write(f"classes: {', '.join(map(str, model.target.classes))}\n")
    if model.options.model == "mlp":
        write(f"\n{model.network!r}\n\n")
    else:
        show.explained(model)
    show.results(model)


def describe(model: TableModel) -> dict[str, Any]:
    """All of a model but its numbers, as JSON values."""
    layers = {}
    if model.options.model == "mlp":
        layers = {n: list(p.shape) for n, p in model.network.named_parameters()}
    return {
        "model": model.options.model,
        "target": model.target.to_json(),
        "schema": model.preprocessor.schema.to_json(),
        "features": list(model.preprocessor.feature_names_out),
        "layers": layers,
        **explain(model),
        "options": model.options.to_mapping(),
        "results": model.results,
    }
