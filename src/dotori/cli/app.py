"""The commands and their options; what they do is in `train.py` and `apply.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import dotori
from dotori.tabular import options as allowed

app = typer.Typer(
    name="dotori",
    help="Machine learning on NumPy: train, judge and use a model of a table.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DATA = "Table: CSV, TSV, Parquet, Feather, npz; or a built-in name such as diabetes."
MODEL, NETWORK, TRAINING, SPLIT = "Model", "Network", "Training", "Data"

Json = Annotated[bool, typer.Option("--json", help="One JSON object for machines.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Model = Annotated[Path, typer.Argument(help="A model file that `train` has written.")]
Data = Annotated[Path, typer.Argument(help="A table with the columns of the training.")]


def _choice(values: tuple[str, ...]) -> str:
    return ", ".join(values)


def _option(*names: str, help: str, panel: str) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel, show_default=False)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(dotori.__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print it."),
    ] = False,
) -> None:
    pass


@app.command()
def train(
    data: Annotated[
        str | None, typer.Argument(help=DATA + " Without one: diabetes.")
    ] = None,
    target: Annotated[
        str | None, _option("--target", "-t", help="Column to predict.", panel=SPLIT)
    ] = None,
    output: Annotated[
        Path | None, _option("--output", "-o", help="Model file.", panel=SPLIT)
    ] = None,
    valid_file: Annotated[
        Path | None,
        _option("--valid", help="Table to validate on, your own.", panel=SPLIT),
    ] = None,
    test_fraction: Annotated[
        float | None,
        _option("--test-fraction", help="Share of rows to test on.", panel=SPLIT),
    ] = None,
    valid_fraction: Annotated[
        float | None,
        _option("--valid-fraction", help="Share to validate on.", panel=SPLIT),
    ] = None,
    task: Annotated[
        str | None, _option("--task", help=_choice(allowed.TASKS), panel=SPLIT)
    ] = None,
    drop: Annotated[
        list[str] | None,
        _option("--drop", help="Column to leave out; repeat it.", panel=SPLIT),
    ] = None,
    sample_weight: Annotated[
        str | None,
        _option("--sample-weight", help="Column of row weights.", panel=SPLIT),
    ] = None,
    class_weight: Annotated[
        str | None, _option("--class-weight", help="none, balanced", panel=SPLIT)
    ] = None,
    scale: Annotated[
        str | None, _option("--scale", help=_choice(allowed.SCALES), panel=SPLIT)
    ] = None,
    kind: Annotated[
        str | None,
        _option("--model", "-m", help=_choice(allowed.MODELS), panel=MODEL),
    ] = None,
    alpha: Annotated[
        float | None,
        _option(
            "--alpha",
            help="Penalty of linear (1), logistic (1), tree (0).",
            panel=MODEL,
        ),
    ] = None,
    depth: Annotated[
        int | None,
        _option("--depth", help="Of a tree (6), a forest (0: no limit).", panel=MODEL),
    ] = None,
    trees: Annotated[
        int | None, _option("--trees", help="Of a forest (200).", panel=MODEL)
    ] = None,
    clusters: Annotated[
        int | None,
        _option("--clusters", help="Of kmeans; without: the best number.", panel=MODEL),
    ] = None,
    folds: Annotated[
        int | None,
        _option("--folds", help="Of auto's cross validation (5).", panel=MODEL),
    ] = None,
    time_budget: Annotated[
        float | None,
        _option("--time-budget", help="Of auto, in seconds (60).", panel=MODEL),
    ] = None,
    hidden: Annotated[
        str | None,
        _option("--hidden", help="Sizes, such as 64,32; 0: linear.", panel=NETWORK),
    ] = None,
    activation: Annotated[
        str | None,
        _option("--activation", help=_choice(allowed.ACTIVATIONS), panel=NETWORK),
    ] = None,
    dropout: Annotated[
        float | None, _option("--dropout", help="Share dropped.", panel=NETWORK)
    ] = None,
    loss: Annotated[
        str | None, _option("--loss", help=_choice(allowed.LOSSES), panel=TRAINING)
    ] = None,
    optimizer: Annotated[
        str | None,
        _option("--optimizer", help=_choice(allowed.OPTIMIZERS), panel=TRAINING),
    ] = None,
    lr: Annotated[
        float | None, _option("--lr", help="Learning rate.", panel=TRAINING)
    ] = None,
    schedule: Annotated[
        str | None,
        _option("--schedule", help=_choice(allowed.SCHEDULES), panel=TRAINING),
    ] = None,
    momentum: Annotated[
        float | None, _option("--momentum", help="SGD, RMSprop.", panel=TRAINING)
    ] = None,
    weight_decay: Annotated[
        float | None, _option("--weight-decay", help="Of weights.", panel=TRAINING)
    ] = None,
    l1: Annotated[
        float | None, _option("--l1", help="L1 penalty.", panel=TRAINING)
    ] = None,
    l2: Annotated[
        float | None, _option("--l2", help="L2 penalty.", panel=TRAINING)
    ] = None,
    clip: Annotated[
        float | None, _option("--clip", help="Largest gradient norm.", panel=TRAINING)
    ] = None,
    batch_size: Annotated[
        int | None, _option("--batch-size", help="Rows a step.", panel=TRAINING)
    ] = None,
    epochs: Annotated[
        int | None, _option("--epochs", help="At most so many.", panel=TRAINING)
    ] = None,
    patience: Annotated[
        int | None,
        _option("--patience", help="Epochs without gain; 0: all.", panel=TRAINING),
    ] = None,
    seed: Annotated[
        int | None, _option("--seed", help="Of all random numbers.", panel=TRAINING)
    ] = None,
    config: Annotated[
        Path | None,
        _option("--config", "-c", help="TOML with these names.", panel=TRAINING),
    ] = None,
    resume: Annotated[
        Path | None,
        _option("--resume", help="Go on from a checkpoint file.", panel=TRAINING),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a model and show how good it is beside simple baselines.

    Without arguments: a network on the built-in diabetes data. The task is found from
    the target. --model auto tries models by cross validation and keeps the best.
    """
    from dotori.cli.train import Request, run

    given = {
        "model": kind,
        "alpha": alpha,
        "depth": depth,
        "trees": trees,
        "clusters": clusters,
        "folds": folds,
        "time_budget": time_budget,
        "test": test_fraction,
        "valid": valid_fraction,
        "task": task,
        "drop": drop,
        "sample_weight": sample_weight,
        "class_weight": class_weight,
        "scale": scale,
        "hidden": hidden,
        "activation": activation,
        "dropout": dropout,
        "loss": loss,
        "optimizer": optimizer,
        "lr": lr,
        "schedule": schedule,
        "momentum": momentum,
        "weight_decay": weight_decay,
        "l1": l1,
        "l2": l2,
        "clip": clip,
        "batch_size": batch_size,
        "epochs": epochs,
        "patience": patience,
        "seed": seed,
    }
    options = {name: value for name, value in given.items() if value is not None}
    place = {"data": data, "target": target, "output": output, "valid_file": valid_file}
    request = Request.build(place, options, config, resume)
    raise typer.Exit(run(request, as_json=json, quiet=quiet))


@app.command()
def evaluate(model: Model, data: Data, json: Json = False) -> None:
    """Judge a model on a table that has the target; clusters need none."""
    from dotori.cli.apply import evaluate

    evaluate(model, data, json)


@app.command()
def predict(
    model: Model,
    data: Data,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="CSV, Parquet, ...; else CSV is printed."),
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", "-p", help="Add those of the classes.")
    ] = False,
    keep: Annotated[
        list[str] | None, typer.Option("--keep", "-k", help="Column to copy; repeat.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Predict each row of a table, which may be larger than the memory."""
    from dotori.cli.apply import predict

    predict(model, data, output, probabilities, keep or [], quiet)


@app.command()
def export(
    model: Annotated[
        Path, typer.Argument(help="A model file, or a network's weights: safetensors.")
    ],
    to: Annotated[str, typer.Option("--to", help="numpy: a script for NumPy alone.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The script, or the folder for it."),
    ] = None,
    weights: Annotated[
        str,
        typer.Option("--weights", help="Kind of the weights' file: npz, safetensors."),
    ] = "npz",
    network: Annotated[
        str | None,
        typer.Option(help="For weights: what makes the network, as package.file:name."),
    ] = None,
    input: Annotated[
        str | None,
        typer.Option(help="For weights: the shape of one sample, such as 1,28,28."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write a model as a Python script that needs NumPy alone, made to be read.

    From a table's model it reads a CSV file and prints predictions.
    """
    from dotori.cli.export import export

    export(model, to, out, weights, network, input, quiet)


@app.command()
def inspect(model: Model, json: Json = False) -> None:
    """Show what a model file holds: columns, layers, coefficients, splits, figures."""
    from dotori.cli.apply import inspect

    inspect(model, json)
