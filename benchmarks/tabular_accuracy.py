"""Test RMSE of the built-in job, over five splits, beside scikit-learn's.

    python benchmarks/tabular_accuracy.py

Each side gets the same rows, preprocessed alike, and the same search: three networks
(one hidden layer of 32, two of 64 and 32, two of 128 and 64) of which the one with the
lowest RMSE on the validation rows is taken. MLPRegressor stops early by its own rule on
a share of the training rows. Ridge's penalty is dotori's baseline. The larger table is
`diamonds` of the package pydataset (53,940 rows), if it is installed.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tarfile
import warnings
from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
from side_by_side import describe_environment
from sklearn.neural_network import MLPRegressor

import dotori
from dotori.tabular.job import Job
from dotori.tabular.options import Options

SEARCH = [(32,), (64, 32), (128, 64)]


def rmse(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean((a - b) ** 2)))


def ours(data: object, target: str | None, options: Options) -> tuple[float, float]:
    """The test RMSE of the network that is best on the validation rows, and ridge's."""
    models = [
        Job.prepare(data, target, options.replace(hidden=hidden)).run()
        for hidden in SEARCH
    ]
    best = min(models, key=lambda m: m.results["valid"]["rmse"])
    linear = best.results["baselines"]["linear"]["test"]["rmse"]
    return best.results["test"]["rmse"], linear


def theirs(data: object, target: str | None, options: Options) -> float:
    job = Job.prepare(data, target, options)
    train, valid, test = (job.parts[name] for name in ("train", "valid", "test"))
    scale, unscale = job.target.scale, job.target.unscale
    found = []
    for hidden in SEARCH:
        model = MLPRegressor(
            hidden_layer_sizes=hidden,
            batch_size=options.batch_size,
            max_iter=options.epochs,
            early_stopping=True,
            n_iter_no_change=options.patience,
            random_state=options.seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(train.x, scale(train.y))
        on_valid = rmse(unscale(model.predict(valid.x)), valid.y)
        found.append((on_valid, rmse(unscale(model.predict(test.x)), test.y)))
    return min(found)[1]


def diamonds() -> dotori.data.Table | None:
    """The table out of the package's archive of CSV files."""
    try:
        files = distribution("pydataset").files or []
    except PackageNotFoundError:
        return None
    archive = next(f.locate() for f in files if str(f).endswith("resources.tar.gz"))
    with tarfile.open(archive) as tar:
        name = next(n for n in tar.getnames() if n.endswith("/diamonds.csv"))
        member = tar.extractfile(name)
        text = member.read().decode() if member else ""
    import pandas as pd

    frame = pd.read_csv(io.StringIO(text), index_col=0)
    return dotori.data.Table.from_frame(frame)


def report(name: str, data: object, target: str | None, options: Options) -> None:
    rows = []
    for seed in range(5):
        chosen = options.replace(seed=seed)
        mine, linear = ours(data, target, chosen)
        rows.append((mine, theirs(data, target, chosen), linear))
        print(f"  seed {seed}: " + "  ".join(f"{v:10.2f}" for v in rows[-1]))
    a, b, c = (statistics.mean(column) for column in zip(*rows, strict=True))
    print(
        f"{name}: mean test RMSE: dotori {a:.2f}, MLPRegressor {b:.2f}, ridge {c:.2f}"
    )
    met = "met" if a <= b and a <= 1.02 * c else "MISSED"
    print(f"wanted: at most MLPRegressor's, and ridge's plus 2 %: {met}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="the built-in data only")
    arguments = parser.parse_args()
    print("                dotori  MLPRegressor     ridge")
    report("diabetes", "diabetes", None, Options())
    table = None if arguments.small else diamonds()
    if table is not None:
        options = Options(batch_size=256, epochs=60, patience=10, dropout=0.0)
        report("diamonds", table, "price", options)
    print(describe_environment())


if __name__ == "__main__":
    main()
