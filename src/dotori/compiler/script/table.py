"""A trained model of a table as a script: from a CSV file to predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.compiler.script.export import write_both
from dotori.compiler.script.model import model_function
from dotori.compiler.script.text import broken, literal, load_text, script_text
from dotori.errors import ArgumentError
from dotori.io.atomic import FilePath

if TYPE_CHECKING:
    from dotori.tabular.model import TableModel

_PERIODS = {"month": 12, "day": 31, "weekday": 7, "hour": 24}


def export_table_script(
    model: TableModel, path: FilePath, weights: str = "npz"
) -> tuple[Path, Path]:
    """Write a table's model as a script that reads a CSV file and prints predictions.

    All of the preprocessing stands in the script, in numbers and words. It needs Python
    and NumPy, and the file of weights beside it.

    Parameters
    ----------
    model : TableModel
    path : str or PathLike
        The script, ``.py``.
    weights : {"npz", "safetensors"}

    Returns
    -------
    script, weights : Path
        The two files.

    Raises
    ------
    OSError
        If a file cannot be written. The old ones, if any, are as they were.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import dotori
    >>> model = dotori.fit("diabetes", epochs=2)
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> script, _ = export_table_script(model, folder / "diabetes.py")
    >>> "import numpy as np" in script.read_text()
    True
    """
    target = Path(path)
    if target.suffix != ".py":
        raise ArgumentError(f"a script's name ends in .py, got {str(path)!r}")
    width = model.preprocessor.num_features
    network = model_function(model.network, [np.zeros((2, width), np.float32)])
    stored = target.with_suffix(f".{weights}")
    parts = [
        load_text(weights, network.source),
        features_source(model),
        network.source,
        _predictions(model),
        _main(model),
    ]
    text = script_text(_docstring(model, target.stem, stored.name), parts)
    write_both(target, text, stored, network.weights)
    return target, stored


def features_source(model: TableModel) -> str:
    """The function that turns columns of text into the network's matrix."""
    scaling, at, lines = model.preprocessor.scaling, 0, []
    for encoder in model.preprocessor.encoders:
        end = at + len(encoder.names)
        shift, factor = scaling.shift[at:end].tolist(), scaling.factor[at:end].tolist()
        lines.append(_column(encoder, shift, factor))
        at = end
    width = model.preprocessor.num_features
    doc = f"What the network takes, shape (n, {width}), from columns of text."
    return "\n".join(
        [
            "def features(table):",
            f'    """{doc}"""',
            "    columns = [",
            *(broken(f"        {line},") for line in lines),
            "    ]",
            "    return np.column_stack(columns).astype(np.float32)",
        ]
    )


def _column(encoder: Any, shift: Sequence[float], factor: Sequence[float]) -> str:
    """What becomes of one column, as a call."""
    fields = f"table[{literal(encoder.name)}]"
    if hasattr(encoder, "labels"):
        return _category(encoder, fields)
    gaps = ", gaps=True" if encoder.indicator else ""
    n = encoder.scaled
    if hasattr(encoder, "parts"):
        cyclic = _PERIODS if encoder.cyclic else {}
        parts = {part: cyclic.get(part, 0) for part in encoder.parts}
        texts = ", ".join(f'"{part}": {period}' for part, period in parts.items())
        scale = f"{list(shift[:n])}, {list(factor[:n])}"
        return f"*date({fields}, {{{texts}}}, {encoder.fill}, {scale}{gaps})"
    scale = f"shift={shift[0]!r}, factor={factor[0]!r}"
    function = "boolean" if encoder.kind == "boolean" else "number"
    return f"*{function}({fields}, fill={encoder.fill!r}, {scale}{gaps})"


def _category(encoder: Any, fields: str) -> str:
    if encoder.kind in ("number", "boolean"):
        fields = f"[{encoder.kind}_label(field) for field in {fields}]"
    labels = ", ".join(map(literal, encoder.labels))
    gaps = ", gaps=True" if encoder.gaps else ""
    return f"*category({fields}, [{labels}]{gaps})"


def _predictions(model: TableModel) -> str:
    target = model.target
    if target.is_regression:
        return f'''def predictions(table):
    """The {_phrase(target.name)} of each row: what the network gives, in its units."""
    y = predict(features(table))[:, 0].astype(np.float64)
    return y * {target.std!r} + {target.mean!r}'''
    labels = ", ".join(_label(label) for label in target.classes)
    classes = broken(f"CLASSES = [{labels}]")
    if target.num_outputs == 1:
        logits = (
            "    y = predict(features(table)).astype(np.float64)  # log-odds of the "
            "second\n    scores = np.column_stack([np.zeros(len(y)), y])"
        )
    else:
        logits = "    scores = predict(features(table)).astype(np.float64)"
    return f'''{classes}


def probabilities(table):
    """The probability of each class for each row, shape (n, {len(target.classes)})."""
{logits}
    return softmax(scores)'''


def _phrase(name: str) -> str:
    return name if name.isprintable() and '"' not in name else "amount"


def _label(label: Any) -> str:
    if isinstance(label, bool):
        return f'"{str(label).lower()}"'
    return literal(label) if isinstance(label, str) else repr(label)


def _main(model: TableModel) -> str:
    return "\n".join(_main_lines(model))


def _main_lines(model: TableModel) -> Iterator[str]:
    names = ", ".join(literal(e.name) for e in model.preprocessor.encoders)
    yield broken(f"COLUMNS = [{names}]")
    yield from ("", "", "def main():", "    if len(sys.argv) < 2:")
    yield '        sys.exit(f"usage: python {sys.argv[0]} table.csv")'
    yield "    table = read_table(sys.argv[1])"
    yield "    gone = [name for name in COLUMNS if name not in table]"
    yield "    if gone:"
    yield "        sys.exit(f\"the table lacks the columns {', '.join(gone)}\")"
    yield '    out = csv.writer(sys.stdout, lineterminator="\\n")'
    if model.target.is_regression:
        yield '    out.writerow(["prediction"])'
        yield "    out.writerows([y] for y in predictions(table).tolist())"
    else:
        yield '    out.writerow(["prediction", *(f"probability_{c}" for c in CLASSES)])'
        yield "    for row in probabilities(table):"
        yield "        out.writerow([CLASSES[row.argmax()], *row.tolist()])"
    yield from ("", "", 'if __name__ == "__main__":', "    main()")


def _docstring(model: TableModel, name: str, stored: str) -> str:
    target = model.target
    what = "amount" if target.is_regression else "class"
    columns = len(model.preprocessor.encoders)
    drawn = repr(model.network).splitlines()
    function = "predictions" if target.is_regression else "probabilities"
    return "\n".join(
        [
            f"Predicts the {what} {target.name!r} from a table, in plain NumPy.",
            "",
            "From the command line,",
            "",
            f"    python {name}.py table.csv > predictions.csv",
            "",
            f"where the table has the {columns} columns named below; or from Python,",
            "",
            f"    from {name} import {function}, read_table",
            f'    y = {function}(read_table("table.csv"))',
            "",
            "`features` turns the columns into numbers, `predict` is the network; its",
            f"weights lie in {stored}:",
            "",
            *("    " + line for line in drawn),
        ]
    )
