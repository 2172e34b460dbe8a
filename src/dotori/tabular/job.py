"""The job: from a table to a trained model, with its figures beside the baselines'."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.data import DataLoader, TensorDataset
from dotori.data.builtin import builtin_names, load_builtin
from dotori.data.read import read_table
from dotori.data.schema import infer_schema
from dotori.data.table import Table
from dotori.errors import ArgumentError, DataError
from dotori.random import Generator, use_generator
from dotori.tabular import baseline
from dotori.tabular.model import TableModel, network_output
from dotori.tabular.network import (
    BatchLoss,
    build_network,
    build_optimizer,
    build_schedule,
    choose_loss,
    row_weights,
)
from dotori.tabular.options import Options
from dotori.tabular.preprocess import Preprocessor
from dotori.tabular.score import score
from dotori.tabular.split import train_valid_test_split
from dotori.tabular.target import Target, drop_missing_target, infer_target
from dotori.train import Callback, Checkpoint, EarlyStopping, Progress, Trainer, running

# Streams derived from the seed, so that each choice is independent of the others.
_SPLIT, _WEIGHTS, _ORDER = 0, 1, 2


@dataclass
class Part:
    """One split as the network sees it: inputs, encoded target, weights of rows."""

    x: NDArray[np.float32]
    y: NDArray[Any]
    weight: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.y)


def fit(
    data: Any = "diabetes",
    target: str | None = None,
    *,
    valid: Any = None,
    options: Options | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: Any = None,
    resume: bool = False,
    progress: bool = False,
    **changes: Any,
) -> TableModel:
    """Train a model on a table.

    Parameters
    ----------
    data : path, name of a built-in data set, Table, data frame or mapping of columns
    target : str, optional
        The column to predict; built-in data sets know theirs.
    valid : path or table, optional
        Rows to validate on, instead of a share of `data`.
    options : Options, optional
    callbacks : sequence of Callback
    checkpoint : path, optional
        Where to save what `resume` needs: after Ctrl-C, and every ten epochs.
    resume : bool
        Go on from `checkpoint`, to the same weights as if nothing had happened.
    progress : bool
        Show how the training goes.
    **changes
        Single options by name, such as ``hidden=(128, 64)`` or ``epochs=50``.

    Returns
    -------
    TableModel
        Its ``results`` hold the figures of each split and of the baselines.

    Raises
    ------
    DataError, ArgumentError
        If the data or the options cannot be used; the message says what to do.

    Examples
    --------
    >>> model = fit("diabetes", epochs=5, seed=1)
    >>> sorted(model.results["test"])
    ['mae', 'r2', 'rmse']
    """
    options = (options or Options()).replace(**changes)
    job = Job.prepare(data, target, options, valid)
    shown = (*callbacks, Progress(names=job.shown_names)) if progress else callbacks
    return job.run(shown, checkpoint=checkpoint, resume=resume)


class Job:
    """A training that is ready to run: data split and preprocessed, network not yet.

    Attributes
    ----------
    target : Target
    preprocessor : Preprocessor
        Fitted on the training split only.
    parts : dict of str to Part
        "train", "valid" (may be empty) and "test" (may be empty).
    notes : list of str
        What was decided about the data, for the user to know.
    interrupted : bool
        Whether Ctrl-C ended `run`.
    """

    def __init__(
        self,
        target: Target,
        preprocessor: Preprocessor,
        parts: dict[str, Part],
        options: Options,
        notes: list[str],
    ) -> None:
        self.target = target
        self.preprocessor = preprocessor
        self.parts = parts
        self.options = options
        self.notes = notes
        self.interrupted = False
        self.trainer: Trainer | None = None
        choose_loss(target.task, options)

    @classmethod
    def prepare(
        cls, data: Any, target_name: str | None, options: Options, valid: Any = None
    ) -> Job:
        """Read, split and preprocess; every mistake in the data is found here."""
        table, target_name = open_data(data, target_name)
        table, n_dropped = drop_missing_target(table, target_name)
        target = infer_target(table, target_name, options.task)
        tables = _split(table, target, options, valid)
        features = _feature_names(table, target_name, options)
        train = tables["train"].select(features)
        preprocessor = Preprocessor.fit(train, infer_schema(train), scale=options.scale)
        if target.is_regression:
            target = target.fit_scale(target.encode(tables["train"]))
        parts = {
            name: _part(part, target, preprocessor, options)
            for name, part in tables.items()
        }
        part = parts["train"]
        part.weight = row_weights(target.task, part.y, part.weight, options)
        notes = preprocessor.schema.notes()
        if n_dropped:
            notes.append(f"{n_dropped} rows without a {target_name!r} are left out")
        return cls(target, preprocessor, parts, options, notes)

    @property
    def shown_names(self) -> dict[str, str]:
        """What a progress bar shows of an epoch's record."""
        names = {"loss": "loss", "valid_loss": "valid"}
        headline = "RMSE" if self.target.is_regression else "accuracy"
        return {**names, "valid_score": headline}

    def run(
        self,
        callbacks: Sequence[Callback] = (),
        checkpoint: Any = None,
        resume: bool = False,
        about: dict[str, Any] | None = None,
    ) -> TableModel:
        """Train, and judge the result on each split.

        `checkpoint`, `resume` as in `fit`; `about` is kept in the checkpoint.
        """
        seed = Generator(self.options.seed)
        with use_generator(seed.derive(_WEIGHTS)):
            trainer = self.trainer = self._trainer(callbacks, checkpoint, about)
            train, valid = self._loaders(seed.derive(_ORDER))
            if resume:
                kept = trainer.load(checkpoint)
                if kept.get("fingerprint") != self.fingerprint():
                    raise DataError(
                        f"{checkpoint} belongs to other data or options; resume with "
                        "those that it was started with, or start anew"
                    )
            trainer.fit(train, valid, epochs=self.options.epochs)
        self.interrupted = trainer.interrupted
        return self._finish(trainer)

    def fingerprint(self) -> str:
        """A digest of the prepared data and of the options that shape the training."""
        digest = hashlib.blake2b(digest_size=16)
        for part in self.parts.values():
            digest.update(part.x.tobytes() + part.y.tobytes())
        shaping = self.options.replace(epochs=1).to_mapping()
        digest.update(repr(sorted(shaping.items())).encode())
        return digest.hexdigest()

    def _trainer(
        self, callbacks: Sequence[Callback], checkpoint: Any, about: Any
    ) -> Trainer:
        options, target = self.options, self.target
        model = build_network(
            self.parts["train"].x.shape[1], target.num_outputs, options
        )
        optimizer = build_optimizer(model, options)
        every: list[Callback] = list(callbacks)
        if options.patience and len(self.parts["valid"]):
            every.insert(0, EarlyStopping("valid_loss", options.patience))
        if checkpoint is not None:
            kept = {**(about or {}), "fingerprint": self.fingerprint()}
            every.append(Checkpoint(checkpoint, every_epochs=10, about=kept))
        return Trainer(
            model,
            BatchLoss(choose_loss(target.task, options)),
            optimizer,
            schedule=build_schedule(optimizer, options),
            metrics={"score": _Score(target)},
            clip_norm=options.clip or None,
            l1=options.l1,
            l2=options.l2,
            callbacks=every,
        )

    def _loaders(self, generator: Generator) -> tuple[Any, Any]:
        train = DataLoader(
            self._dataset(self.parts["train"]),
            batch_size=self.options.batch_size,
            shuffle=True,
            generator=generator,
        )
        if not len(self.parts["valid"]):
            return train, None
        valid = DataLoader(self._dataset(self.parts["valid"]), batch_size=1024)
        return train, valid

    def _dataset(self, part: Part) -> TensorDataset:
        """The target as the loss wants it: standardised, 0/1, or class numbers."""
        y = part.y
        if self.target.is_regression:
            y = self.target.scale(y).astype(np.float32)[:, np.newaxis]
        elif self.target.num_outputs == 1:
            y = y.astype(np.float32)[:, np.newaxis]
        arrays = [part.x, y] + ([] if part.weight is None else [part.weight])
        return TensorDataset(*arrays)

    def _finish(self, trainer: Trainer) -> TableModel:
        network = trainer.model.eval()
        results: dict[str, Any] = {}
        for name, part in self.parts.items():
            if len(part):
                output = network_output(network, self.target, part.x)
                results[name] = score(self.target, part.y, output)
        results["baselines"] = self.baselines()
        results["rows"] = {name: len(part) for name, part in self.parts.items()}
        results["history"] = trainer.history.to_dict()
        stopping = [c for c in trainer.callbacks if isinstance(c, EarlyStopping)]
        results["best_epoch"] = stopping[0].best_epoch if stopping else trainer.epoch
        results["epochs"] = trainer.epoch
        return TableModel(
            self.preprocessor, self.target, network, self.options, results
        )

    def baselines(self) -> dict[str, dict[str, Any]]:
        """The figures of a constant and of a linear model, fitted on the same rows."""
        train, found = self.parts["train"], {}
        for name, model in baseline.fit_baselines(
            self.target, train.x, train.y, train.weight
        ).items():
            found[name] = {
                split: score(self.target, part.y, model.predict(part.x))
                for split, part in self.parts.items()
                if len(part)
            }
        return found


class _Score:
    """RMSE in the target's own unit, or accuracy, batch by batch while training."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.metric: Any = (
            running.RMSE() if target.is_regression else running.Accuracy()
        )

    def reset(self) -> None:
        self.metric.reset()

    def update(self, output: Any, true: Any, weight: Any = None) -> None:
        if self.target.is_regression:
            output, true = self.target.unscale(output), self.target.unscale(true)
            self.metric.update(output[:, 0], true[:, 0], weight)
        elif self.target.num_outputs == 1:
            chosen = (output[:, 0] > 0).astype(np.int64)
            self.metric.update(chosen, true[:, 0].astype(np.int64), weight)
        else:
            self.metric.update(output.argmax(axis=1), true, weight)

    def compute(self) -> float:
        return float(self.metric.compute())


def open_data(data: Any, target: str | None) -> tuple[Table, str]:
    """The table behind a path, a built-in name or a frame, and the target's name."""
    if isinstance(data, str) and data in builtin_names() and not Path(data).exists():
        table = load_builtin(data)
        return table, target or table.names[-1]
    table = (
        read_table(data) if isinstance(data, (str, Path)) else Table.from_frame(data)
    )
    if target is None:
        raise ArgumentError(
            "which column is to be predicted? Name it: --target NAME on the command "
            f"line, target='NAME' in Python; the columns are {', '.join(table.names)}"
        )
    return table, target


def _feature_names(table: Table, target: str, options: Options) -> list[str]:
    left_out = {target, *options.drop}
    if options.sample_weight is not None:
        left_out.add(options.sample_weight)
    kept = table.drop(left_out).names
    if not kept:
        raise DataError("no column is left to predict from; drop fewer columns")
    return kept


def _split(
    table: Table, target: Target, options: Options, valid: Any
) -> dict[str, Table]:
    own_valid = None if valid is None else open_data(valid, target.name)[0]
    share = options.valid if own_valid is None else 0.0
    classes = None if target.is_regression else target.encode(table)
    split = train_valid_test_split(
        len(table),
        (1.0 - share - options.test, share, options.test),
        Generator(options.seed).derive(_SPLIT),
        stratify=classes,
        class_names=None if target.is_regression else target.classes,
    )
    tables = {name: table.take(rows) for name, rows in split._asdict().items()}
    if own_valid is not None:
        tables["valid"] = drop_missing_target(own_valid, target.name)[0]
    return tables


def _part(
    table: Table, target: Target, preprocessor: Preprocessor, options: Options
) -> Part:
    x = preprocessor.transform(table)
    y = target.encode(table)
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
    if not values.any():
        raise DataError(f"the weights {name!r} are all 0; at least one must not be")
    return values.astype(np.float32)
