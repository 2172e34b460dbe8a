"""The job: from a table to a trained model, with its figures beside the baselines'."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dotori.data.table import Table
from dotori.errors import ArgumentError
from dotori.random import Generator
from dotori.tabular import baseline
from dotori.tabular.clusters import TRIED, choose_number, judge_clusters
from dotori.tabular.families import check_task
from dotori.tabular.model import TableModel
from dotori.tabular.network import choose_loss
from dotori.tabular.options import Options
from dotori.tabular.parts import (
    Part,
    Prepared,
    open_data,
    prepare,
    split_table,
    split_valid,
)
from dotori.tabular.predictors import ClusterPredictor, NetworkPredictor, Predictor
from dotori.tabular.progress import FitProgress
from dotori.tabular.score import score
from dotori.tabular.target import Target, drop_missing_target, infer_target
from dotori.tabular.training import best_epoch, fingerprint, train_network
from dotori.tabular.watch import Watcher
from dotori.train import Callback, Progress, Trainer

_CLUSTERS = 3  # a stream of random numbers; others are in `parts` and `training`


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
    """Train a model on a table: a network, or what ``model=`` names.

    Parameters
    ----------
    data : path, name of a built-in data set, Table, data frame or mapping of columns
    target : str, optional
        The column to predict; built-in data sets know theirs, clusters need none.
    valid : path or table, optional
        Rows to validate on, instead of a share of `data`.
    options : Options, optional
    callbacks : sequence of Callback
        For the training of a network.
    checkpoint : path, optional
        Where to save what `resume` needs: after Ctrl-C, and every ten epochs. Of a
        network.
    resume : bool
        Go on from `checkpoint`, to the same weights as if nothing had happened.
    progress : bool
        Show how the training goes.
    **changes
        Single options by name, such as ``hidden=(128, 64)`` or ``model="forest"``.

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
    if callbacks and options.model != "mlp":
        raise ArgumentError(
            "callbacks are told of a network's training, not of one with "
            f"model={options.model!r}; leave them out"
        )
    job = Job.prepare(data, target, options, valid)
    shown = (*callbacks, Progress(names=job.shown_names)) if progress else callbacks
    watcher = FitProgress() if progress else None
    return job.run(shown, checkpoint=checkpoint, resume=resume, watcher=watcher)


class Job:
    """A training that is ready to run: data split and preprocessed, model not yet.

    Attributes
    ----------
    target : Target
    preprocessor : Preprocessor
        Fitted on the training split only.
    parts : dict of str to Part
        "train", "valid" (may be empty) and "test" (may be empty).
    options : Options
    notes : list of str
        What was decided about the data, for the user to know.
    interrupted : bool
        Whether Ctrl-C ended `run`, so that there is a checkpoint to go on from.
    """

    def __init__(
        self,
        tables: dict[str, Table],
        target: Target,
        options: Options,
        notes: Sequence[str] = (),
    ) -> None:
        self.tables = tables
        self._use(prepare(tables, target, options))
        self.options = options
        self.notes = self.preprocessor.schema.notes() + list(notes)
        self.interrupted = False
        self.trainer: Trainer | None = None
        if options.model == "mlp":
            choose_loss(target.task, options)

    @classmethod
    def prepare(
        cls, data: Any, target_name: str | None, options: Options, valid: Any = None
    ) -> Job:
        """Read, split and preprocess; every mistake in the data is found here."""
        if options.model == "kmeans":
            return cls._prepare_clusters(data, target_name, options, valid)
        table, target_name = open_data(data, target_name)
        table, n_dropped = drop_missing_target(table, target_name)
        target = infer_target(table, target_name, options.task)
        check_task(options.model, target.task)
        tables = split_table(table, target, options, valid)
        notes = []
        if n_dropped:
            notes = [f"{n_dropped} rows without a {target_name!r} are left out"]
        return cls(tables, target, options, notes)

    @classmethod
    def _prepare_clusters(
        cls, data: Any, target_name: str | None, options: Options, valid: Any
    ) -> Job:
        """Without a target; a column that would be one elsewhere is left out."""
        table, name = open_data(data, target_name, optional=True)
        notes = []
        if name:
            _ = table[name]
            options = options.replace(drop=(*options.drop, name))
            notes = [f"column {name!r} is left out: clusters need no target"]
        target = Target.clusters()
        return cls(split_table(table, target, options, valid), target, options, notes)

    def _use(self, data: Prepared) -> None:
        self.target, self.preprocessor = data.target, data.preprocessor
        self.parts = data.parts

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
        watcher: Watcher | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> TableModel:
        """Train, and judge the result on each split.

        `callbacks`, `checkpoint` and `resume` are for networks, as in `fit`; `about` is
        kept in the checkpoint. `watcher` hears of other models and of ``auto``, whose
        budget is measured by `clock`.
        """
        watcher = watcher or Watcher()
        if self.options.model == "mlp":
            return self._train_network(callbacks, checkpoint, resume, about)
        if resume or checkpoint is not None:
            raise ArgumentError(
                "checkpoints are of a network's training, not of one with "
                f"model={self.options.model!r}; leave them out"
            )
        if self.options.model == "auto":
            return self._choose(callbacks, watcher, clock)
        if self.options.model == "kmeans":
            return self._find_clusters(watcher)
        return self._fit(watcher)

    def fingerprint(self) -> str:
        """A digest of the prepared data and of the options that shape the training."""
        return fingerprint(self._prepared(), self.options)

    def _prepared(self) -> Prepared:
        return Prepared(self.target, self.preprocessor, self.parts)

    def _train_network(
        self,
        callbacks: Sequence[Callback],
        checkpoint: Any = None,
        resume: bool = False,
        about: dict[str, Any] | None = None,
    ) -> TableModel:
        trainer = self.trainer = train_network(
            self._prepared(), self.options, callbacks, checkpoint, resume, about
        )
        self.interrupted = trainer.interrupted
        return self._finish(
            NetworkPredictor(trainer.model.eval()),
            history=trainer.history.to_dict(),
            best_epoch=best_epoch(trainer),
            epochs=trainer.epoch,
        )

    def _fit(self, watcher: Watcher) -> TableModel:
        """Fit an estimator on the training split."""
        from dotori.tabular.estimators import fit_estimator

        part = self.parts["train"]
        fitted = fit_estimator(
            part.x, part.y, part.weight, self.target, self.options, watcher
        )
        self.notes += fitted.notes
        return self._finish(fitted.predictor, seconds=fitted.seconds)

    def _choose(
        self,
        callbacks: Sequence[Callback],
        watcher: Watcher,
        clock: Callable[[], float],
    ) -> TableModel:
        """Compare models by cross validation; train the best on the whole split."""
        from dotori.tabular.choose import choose

        found = choose(self.tables["train"], self.target, self.options, watcher, clock)
        if found.interrupted:
            self.notes.append("Ctrl-C ended the search; the best so far is kept")
        self.options = found.best.options
        if self.options.model != "mlp":
            model = self._fit(watcher)
        else:
            if not len(self.parts["valid"]):
                train = self.tables["train"]
                self.tables |= split_valid(train, self.target, self.options)
                self._use(prepare(self.tables, self.target, self.options))
            model = self._train_network(callbacks)
            if self.interrupted:
                raise KeyboardInterrupt
        model.results["choice"] = found.table
        return model

    def _find_clusters(self, watcher: Watcher) -> TableModel:
        """Fit k-means, with the number of clusters that is given or the best one."""
        train, about = self.parts["train"], {}
        if self.options.clusters is None:
            k, about["tried"] = self._number_of_clusters(train, watcher)
            self.options = self.options.replace(clusters=k)
        self.target = Target.clusters(int(self.options.clusters or 0))
        model = self._fit(watcher)
        model.results |= about
        return model

    def _number_of_clusters(
        self, train: Part, watcher: Watcher
    ) -> tuple[int, list[dict[str, Any]]]:
        from dotori.tabular.estimators import fit_estimator

        def fit(k: int, x: Any, weight: Any) -> Predictor:
            options = self.options.replace(clusters=k)
            return fit_estimator(x, x, weight, self.target, options).predictor

        def watch(k: int, figures: dict[str, Any]) -> None:
            found = figures["silhouette"] or 0.0
            watcher.on_step(f"{k} clusters: silhouette {found:.3f}")

        seed = Generator(self.options.seed).derive(_CLUSTERS)
        watcher.on_fit("number of clusters", len(TRIED))
        done = False
        try:
            found = choose_number(train.x, train.weight, fit, watch, seed)
            done = True
        finally:
            watcher.on_fit_end(done)
        return found

    def _finish(self, predictor: Predictor, **about: Any) -> TableModel:
        """The model with its figures, those of the baselines, and `about` it."""
        results = self._judge(predictor)
        results["baselines"] = self.baselines()
        results["rows"] = {name: len(part) for name, part in self.parts.items()}
        results |= about
        return TableModel(
            self.preprocessor, self.target, predictor, self.options, results
        )

    def _judge(self, model: Any) -> dict[str, dict[str, Any]]:
        """The figures of a predictor or of a baseline on each split."""
        return {
            name: self._score(part, model)
            for name, part in self.parts.items()
            if len(part)
        }

    def _score(self, part: Part, model: Any) -> dict[str, Any]:
        if self.target.is_clusters:
            return judge_clusters(part.x, model)
        if hasattr(model, "output"):
            return score(self.target, part.y, model.output(part.x, self.target))
        return score(self.target, part.y, model.predict(part.x))

    def baselines(self) -> dict[str, dict[str, Any]]:
        """The figures of a constant and of a linear model, fitted on the same rows.

        Those of one cluster, where there is no target.
        """
        train = self.parts["train"]
        if self.target.is_clusters:
            from dotori.algorithms.kmeans.lloyd import KMeansModel

            center = np.average(
                train.x.astype(np.float64), axis=0, weights=train.weight
            )
            one = KMeansModel(center[np.newaxis])
            return {"one cluster": self._judge(ClusterPredictor(one))}
        found = baseline.fit_baselines(self.target, train.x, train.y, train.weight)
        return {name: self._judge(model) for name, model in found.items()}
