"""What the command line shows to a person: tables and sentences, drawn by Rich."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dotori.tabular.describe import describe
from dotori.tabular.explain import explain
from dotori.tabular.progress import scores_table

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
    "inertia": "inertia",
    "inertia_a_row": "a row",
    "silhouette": "silhouette",
}
_MODELS = {"mean": "mean only", "frequencies": "class shares only"}
_MOST_ROWS = 30


def plan(job: Job) -> None:
    """What is about to be trained, and what was decided about the data."""
    target, rows = job.target, {k: len(v) for k, v in job.parts.items()}
    parts = [f"{rows['train']} rows to train"]
    if rows["valid"] or job.options.model == "mlp":
        parts.append(f"{rows['valid']} to validate")
    parts.append(f"{rows['test']} to test")
    what = f"predicting [bold]{escape(target.name)}[/] ({_task(job)}) from"
    if target.is_clusters:
        what = "finding clusters in"
    Console(stderr=True).print(
        f"{what} {len(job.preprocessor.schema.used)} columns; {', '.join(parts)}; "
        f"{_planned(job)}"
    )
    notes(job.notes)


def _task(job: Job) -> str:
    target = job.target
    classes = "" if target.is_regression else f", {len(target.classes)} classes"
    return f"{target.task}{classes}"


def _planned(job: Job) -> str:
    """The model that is about to be trained."""
    options = job.options
    if options.model == "auto":
        return "the best of several models"
    if options.model == "kmeans" and options.clusters is None:
        return "k-means, as many clusters as fit best"
    if options.model != "mlp":
        return describe(options)
    inputs, outputs = job.preprocessor.num_features, job.target.num_outputs
    return f"network {'-'.join(map(str, [inputs, *options.hidden, outputs]))}"


def notes(sentences: Sequence[str]) -> None:
    """What the user should know."""
    console = Console(stderr=True)
    for note in sentences:
        console.print(f"[dim]note: {escape(note)}[/]")


def results(model: TableModel) -> None:
    """The figures of the model and of the baselines, on training and test rows."""
    console, found = Console(), model.results
    if "choice" in found:
        choice(found["choice"])
    if "tried" in found:
        numbers_of_clusters(found["tried"], int(model.options.clusters or 0))
    own = "network" if model.options.model == "mlp" else describe(model.options)
    parts = ["train", "valid", "test"]
    if model.options.model == "mlp" and "test" in found:
        parts.remove("valid")  # it has chosen the epoch
    splits = [part for part in parts if part in found]
    names = [n for n in _NAMES if n in found["train"]]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("rows")
    for name in names:
        table.add_column(_NAMES[name], justify="right")
    for label, scores in {own: found, **found["baselines"]}.items():
        for split in splits:
            shown = _MODELS.get(label, label) if split == splits[0] else ""
            cells = [figure(scores[split].get(name)) for name in names]
            bold = "bold" if label == own and split == splits[-1] else None
            table.add_row(shown, split, *cells, style=bold)
        table.add_section()
    console.print(table)
    if "confusion" in found[splits[-1]]:
        confusion(model, found[splits[-1]]["confusion"], splits[-1])
    if "epochs" in found:
        console.print(f"best epoch {found['best_epoch']} of {found['epochs']}")


def choice(found: dict[str, Any]) -> None:
    """What was tried by cross validation, the best first."""
    rows = sorted(
        found["trials"], key=lambda row: (row["mean"] is None, row["mean"] or 0.0)
    )
    Console().print(
        f"{found['folds']}-fold cross validation on the training rows, "
        f"{found['seconds']:.0f} s of {found['time_budget']:g} s",
        highlight=False,
    )
    Console().print(scores_table(rows, found["scoring"], found["chosen"]))


def numbers_of_clusters(tried: list[dict[str, Any]], chosen: int) -> None:
    """Inertia and silhouette for each number of clusters."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("clusters", "inertia a row", "silhouette"):
        table.add_column(title, justify="right")
    for one in tried:
        cells = [figure(one["inertia_a_row"]), figure(one["silhouette"])]
        bold = "bold" if one["clusters"] == chosen else None
        table.add_row(str(one["clusters"]), *cells, style=bold)
    Console().print(table)


def explained(model: TableModel) -> None:
    """Coefficients, importances, splits or centres."""
    found = explain(model)
    console = Console()
    console.print()
    for line in found.get("splits", []):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if "importances" in found:
        rows = [[name, f"{share:.1%}"] for name, share in found["importances"].items()]
        _columns(["column", "importance"], rows)
    if "coefficients" in found:
        _coefficients(found["coefficients"], model.target.classes)
    if "centers" in found:
        names = list(found["centers"][0])
        clusters = [str(i) for i in range(len(found["centers"]))]
        rows = [["rows", *map(str, found["sizes"])]]
        rows += [[n, *(figure(c[n]) for c in found["centers"])] for n in names]
        _columns(["cluster", *clusters], rows)


def _coefficients(rows: list[dict[str, Any]], classes: Sequence[Any]) -> None:
    """The largest ones first, by the scaled columns; the intercept last."""
    *slopes, intercept = rows
    slopes.sort(key=lambda row: -max(map(abs, row["scaled"])))
    both = len(intercept["scaled"]) == 1
    titles = ["a unit", "scaled"] if both else [str(label) for label in classes]
    cells = [
        [row["name"], *map(figure, row["per_unit"] + row["scaled"] * both)]
        for row in [*slopes, intercept]
    ]
    _columns(["coefficient" if both else "a unit", *titles], cells)


def _columns(titles: list[str], rows: list[list[str]]) -> None:
    """A table of so many rows as can be looked at."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    widest = min(30, max(len(row[0]) for row in rows))
    table.add_column(escape(titles[0]), min_width=widest)
    for title in titles[1:]:
        table.add_column(escape(title), justify="right")
    for row in rows[:_MOST_ROWS]:
        table.add_row(*map(escape, row))
    Console().print(table)
    if len(rows) > _MOST_ROWS:
        Console().print(f"and {len(rows) - _MOST_ROWS} more: see --json")


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
