"""``--model auto``: models compared by cross validation, within a budget of time.

The training rows are cut into folds. A candidate is fitted on all folds but one and
judged on that one, once for each fold (Stone, Journal of the Royal Statistical Society
B 36 (1974), 111-147). Everything is learned anew for each fold, the preprocessing as
well, so that nothing of the rows that judge is known. Amounts are judged by the RMSE,
classes by the log loss, which tells good probabilities from lucky ones.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.data.table import Table
from dotori.errors import DataError, DotoriError
from dotori.tabular.deadline import Clock, Deadline, OutOfTime, StopInTime
from dotori.tabular.describe import describe
from dotori.tabular.estimators import fit_estimator, need_estimators
from dotori.tabular.network import row_weights
from dotori.tabular.options import Options
from dotori.tabular.parts import Prepared, prepare, split_valid
from dotori.tabular.predictors import NetworkPredictor, Predictor
from dotori.tabular.target import Target
from dotori.tabular.training import train_network
from dotori.tabular.watch import Watcher
from dotori.train import metrics

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]
FOLDS = 5
BUDGET = 60.0
_KEPT_BYTES = 2**28  # matrices of folds that are kept for the next candidate


@dataclass
class Trial:
    """A candidate, and how it did.

    Attributes
    ----------
    options : Options
        What to train if it is the best.
    label : str
    scores, accuracies : list of float
        On each fold: RMSE or log loss, and for classes the share that was right.
    seconds : float
        For all its folds.
    note : str
        Why it has no score, if it has none.
    """

    options: Options
    label: str
    scores: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    note: str = ""
    complete: bool = False

    @property
    def mean(self) -> float | None:
        """The mean score over the folds; None unless all were judged."""
        return float(np.mean(self.scores)) if self.complete else None

    def to_json(self) -> dict[str, Any]:
        """A row of the table of scores."""
        done = self.complete
        right = float(np.mean(self.accuracies)) if done and self.accuracies else None
        return {
            "model": self.options.model,
            "label": self.label,
            "mean": self.mean,
            "sd": float(np.std(self.scores, ddof=1)) if done else None,
            "accuracy": right,
            "folds": len(self.scores),
            "seconds": self.seconds,
            "note": self.note,
        }


@dataclass
class Choice:
    """The best candidate, and the table of all of them."""

    best: Trial
    trials: list[Trial]
    table: dict[str, Any]
    interrupted: bool


def candidates(target: Target, options: Options) -> list[Trial]:
    """What is tried, in this order: the quickest ones first.

    Examples
    --------
    >>> amounts = Target("y", "number", "regression")
    >>> [trial.label for trial in candidates(amounts, Options(model="auto"))][:3]
    ['linear, alpha 1', 'tree, depth 6', 'linear, alpha 0.1']
    """
    line, alphas = "linear", (0.1, 10.0, 100.0)
    if not target.is_regression:
        line, alphas = "logistic", (0.01, 0.1, 10.0)
    settings: list[tuple[str, dict[str, Any]]] = [
        (line, {"alpha": 1.0}),
        ("tree", {"depth": 6}),
        *((line, {"alpha": alpha}) for alpha in alphas),
        ("tree", {"depth": 3}),
        ("tree", {"depth": 0, "alpha": 0.003}),
        ("tree", {"depth": 0, "alpha": 0.01}),
        ("forest", {"trees": 50, "depth": 8}),
        ("forest", {"trees": 200}),
        ("mlp", {"hidden": (64, 32)}),
        ("mlp", {"hidden": (16,)}),
        ("mlp", {"hidden": (128, 64), "dropout": 0.2}),
    ]
    every = [options.of(name, **own) for name, own in settings]
    return [Trial(one, describe(one)) for one in every]


def choose(
    table: Table,
    target: Target,
    options: Options,
    watcher: Watcher | None = None,
    clock: Clock = time.monotonic,
) -> Choice:
    """Compare the candidates on the rows of the training split.

    Parameters
    ----------
    table : Table
        The training split, as it was read.
    target : Target
    options : Options
        Those of ``auto``: `folds`, `time_budget`, and what every model takes.
    watcher : Watcher, optional
        Hears of each fold.
    clock : callable
        Seconds, from any start.

    Returns
    -------
    Choice
        After Ctrl-C the best so far. A candidate that the budget does not reach, or
        that would not be ready within it, is left out and says so; the first one is
        always finished.

    Raises
    ------
    DataError
        If no candidate could be fitted.
    KeyboardInterrupt
        If Ctrl-C came before the first one was finished.
    """
    need_estimators("auto")
    search = _Search(table, target, options, watcher or Watcher(), clock)
    interrupted = False
    search.watcher.on_search(search.trials, len(search.folds), search.scoring)
    try:
        search.run()
    except KeyboardInterrupt:
        interrupted = True
        if not any(trial.complete for trial in search.trials):
            raise
        for trial in search.trials:
            if not trial.complete:
                trial.note = trial.note or "stopped by Ctrl-C"
    finally:
        search.watcher.on_search_end(search.trials)
    judged = [trial for trial in search.trials if trial.complete]
    if not judged:
        notes = "; ".join(f"{t.label}: {t.note}" for t in search.trials[:4])
        raise DataError(f"--model auto: no model could be fitted ({notes})")
    best = min(judged, key=lambda trial: float(trial.mean or 0.0))
    return Choice(best, search.trials, search.table(best), interrupted)


class _Search:
    """The state of a choice: folds, what is left of the budget, matrices kept."""

    def __init__(
        self,
        table: Table,
        target: Target,
        options: Options,
        watcher: Watcher,
        clock: Clock,
    ) -> None:
        self.whole, self.target, self.options = table, target, options
        self.watcher = watcher
        self.scoring = "rmse" if target.is_regression else "log_loss"
        self.folds = cut_folds(table, target, options)
        self.trials = candidates(target, options)
        budget = BUDGET if options.time_budget is None else options.time_budget
        self.deadline = Deadline(budget, clock)
        self._kept: dict[int, Prepared] = {}

    def run(self) -> None:
        """Try every candidate, as far as the time allows."""
        for trial in self.trials:
            self._try(trial)
            self.watcher.on_trial(trial)

    def table(self, best: Trial) -> dict[str, Any]:
        """The table of scores as JSON values."""
        return {
            "scoring": self.scoring,
            "folds": len(self.folds),
            "time_budget": self.deadline.budget,
            "seconds": self.deadline.spent,
            "chosen": best.label,
            "trials": [trial.to_json() for trial in self.trials],
        }

    def _try(self, trial: Trial) -> None:
        began, folds = self.deadline.spent, len(self.folds)
        must_finish = not any(other.complete for other in self.trials)
        self.deadline.begin(folds)
        for number in range(folds):
            try:
                if not must_finish and self.deadline.passed_by(number):
                    raise OutOfTime
                self._judge(trial, number, stop_early=not must_finish)
            except OutOfTime:
                after = f" after {number} of {folds} folds" if number else ""
                trial.note = f"out of time{after}"
                return
            except (DotoriError, ArithmeticError, MemoryError) as error:
                trial.note = f"failed: {error}"
                return
            trial.seconds = self.deadline.spent - began
            self.watcher.on_fold(trial)
        if not np.isfinite(trial.scores).all():
            trial.note = "failed: its score is not a finite number"
            return
        trial.complete = True

    def _judge(self, trial: Trial, number: int, stop_early: bool) -> None:
        """Fit the candidate without one fold, and judge it on that fold."""
        if trial.options.model == "mlp":
            data, predictor = self._network(number, trial.options, stop_early)
        else:
            data = self._prepared(number)
            predictor = self._estimator(number, data, trial.options, stop_early)
        held, target = data.parts["held"], data.target
        output = predictor.output(held.x, target)
        weight = row_weights(target.task, held.y, held.weight, self.options)
        if weight is not None and not weight.any():
            weight = None
        if target.is_regression:
            trial.scores.append(metrics.rmse(held.y, output, sample_weight=weight))
            return
        labels = list(range(len(target.classes)))
        trial.scores.append(
            metrics.log_loss(held.y, output, labels=labels, sample_weight=weight)
        )
        right = held.y == output.argmax(axis=1)
        trial.accuracies.append(float(np.average(right, weights=weight)))

    def _estimator(
        self, number: int, data: Prepared, options: Options, stop_early: bool
    ) -> Predictor:
        """What an estimator learns from a fold's training rows."""
        part, late = data.parts["train"], False

        def stop(done: float) -> bool:
            nonlocal late
            late = late or self.deadline.passed_by(number + done)
            return late

        fitted = fit_estimator(
            part.x,
            part.y,
            part.weight,
            data.target,
            options,
            stop=stop if stop_early else None,
        )
        if late:
            raise OutOfTime
        return fitted.predictor

    def _network(
        self, number: int, options: Options, stop_early: bool
    ) -> tuple[Prepared, Predictor]:
        """A network that validates on a share of the fold's own training rows."""
        train, held = (self.whole.take(rows) for rows in self.folds[number])
        tables = {**split_valid(train, self.target, options), "held": held}
        data = prepare(tables, self.target, options)
        timer = StopInTime(self.deadline, number, options.patience)
        trainer = train_network(data, options, [timer] if stop_early else [])
        if trainer.interrupted:
            raise KeyboardInterrupt
        if timer.late:
            raise OutOfTime
        return data, NetworkPredictor(trainer.model.eval())

    def _prepared(self, number: int) -> Prepared:
        """The matrices of a fold, kept for the next candidate if they are small."""
        if number in self._kept:
            return self._kept[number]
        train, held = (self.whole.take(rows) for rows in self.folds[number])
        data = prepare({"train": train, "held": held}, self.target, self.options)
        size = sum(part.x.nbytes for part in data.parts.values())
        if size * len(self.folds) <= _KEPT_BYTES:
            self._kept[number] = data
        return data


def cut_folds(table: Table, target: Target, options: Options) -> list[Fold]:
    """The rows that train and the rows that judge, for each fold.

    Classes have about the same shares in all folds. There are fewer folds than asked
    for where there are fewer rows, or where no class has as many.

    Raises
    ------
    DataError
        If there are not two rows (of one class).
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    wanted = FOLDS if options.folds is None else options.folds
    y = target.encode(table)
    most = len(y) if target.is_regression else int(np.bincount(y).max())
    if most < 2:
        raise DataError("--model auto needs more rows: folds have at least one each")
    kind = KFold if target.is_regression else StratifiedKFold
    folds = kind(min(wanted, most), shuffle=True, random_state=options.seed)
    with warnings.catch_warnings():  # a rare class is not in all folds: that is fine
        warnings.simplefilter("ignore")
        return list(folds.split(np.zeros((len(y), 1)), y))
