"""What the command line shows to a person: tables and sentences, drawn by Rich."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from dotori.tabular.job import Job
    from dotori.tabular.model import TableModel

_NAMES = {
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R2",
    "accuracy": "accuracy",
    "log_loss": "log loss",
    "f1": "F1",
    "roc_auc": "ROC AUC",
}
_MODELS = {"mean": "mean only", "frequencies": "class shares only"}


def plan(job: Job) -> None:
    """What is about to be trained, and what was decided about the data."""
    console = Console(stderr=True)
    target, rows = job.target, {k: len(v) for k, v in job.parts.items()}
    kind: str = target.task
    if not target.is_regression:
        kind += f", {len(target.classes)} classes"
    sizes = "-".join(
        map(
            str,
            [job.preprocessor.num_features, *job.options.hidden, target.num_outputs],
        )
    )
    console.print(
        f"predicting [bold]{escape(target.name)}[/] ({kind}) from "
        f"{len(job.preprocessor.schema.used)} columns; {rows['train']} rows to train, "
        f"{rows['valid']} to validate, {rows['test']} to test; network {sizes}"
    )
    for note in job.notes:
        console.print(f"[dim]note: {escape(note)}[/]")


def results(model: TableModel) -> None:
    """The figures of the network and of the baselines, on training and test rows."""
    console, found = Console(), model.results
    splits: list[str] = [s for s in ("train", "test") if s in found]
    if "test" not in found and "valid" in found:
        splits.append("valid")
    names = [n for n in _NAMES if n in found["train"]]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("rows")
    for name in names:
        table.add_column(_NAMES[name], justify="right")
    for label, scores in {"network": found, **found["baselines"]}.items():
        for split in splits:
            shown = _MODELS.get(label, label) if split == splits[0] else ""
            cells = [figure(scores[split].get(name)) for name in names]
            bold = "bold" if label == "network" and split == splits[-1] else None
            table.add_row(shown, split, *cells, style=bold)
        table.add_section()
    console.print(table)
    if "confusion" in found[splits[-1]]:
        confusion(model, found[splits[-1]]["confusion"], splits[-1])
    console.print(f"best epoch {found['best_epoch']} of {found['epochs']}")


def confusion(model: TableModel, matrix: list[list[int]], split: str) -> None:
    """The confusion matrix, if it is small enough to be read."""
    classes = model.target.classes
    if len(classes) > 12:
        return
    table = Table(
        title=f"confusion on {split}: true class by row, predicted by column",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        title_style="",
        min_width=60,
    )
    table.add_column("")
    for label in classes:
        table.add_column(escape(str(label)), justify="right")
    for label, row in zip(classes, matrix, strict=True):
        table.add_row(escape(str(label)), *map(str, row))
    Console().print(table)


def scores(found: dict[str, Any]) -> None:
    """One column of figures."""
    table = Table(box=box.SIMPLE_HEAD, show_header=False, pad_edge=False)
    for name, shown in _NAMES.items():
        if name in found:
            table.add_row(shown, figure(found[name]))
    Console().print(table)


def saved(path: Path) -> None:
    Console().print(f"model saved to [bold]{escape(str(path))}[/]", soft_wrap=True)


def figure(value: Any) -> str:
    """A figure with four digits; a dash where there is none."""
    if value is None:
        return "-"
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.4g}"
