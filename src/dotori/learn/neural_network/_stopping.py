"""What happens at the end of each epoch: records, the rate, and whether to go on."""

from __future__ import annotations

import math
import sys
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from dotori.learn._callbacks import Tasks
from dotori.learn.neural_network._optimizers import Rate, set_rate
from dotori.train.callback import Callback, Record


class Stopping(Callback):
    """scikit-learn's rules for the end: no gain of `tol` for more than some epochs.

    Parameters
    ----------
    estimator : MLP estimator
        Whose `loss_curve_`, `validation_scores_` and the like are written.
    samples : int
        Rows of an epoch.
    rate : Rate
        What becomes of the learning rate.
    incremental : bool
        Whether this is one epoch of `partial_fit`.

    Attributes
    ----------
    best : dict
        The network's state at the best validation score; empty without early stopping.
    """

    order = -2

    def __init__(
        self, estimator: Any, samples: int, rate: Rate, incremental: bool
    ) -> None:
        self.estimator, self.samples = estimator, samples
        self.rate, self.incremental = rate, incremental
        self.best: dict[str, Any] = {}

    def on_epoch_end(self, trainer: Any, record: Record) -> None:
        estimator = self.estimator
        estimator.n_iter_ += 1
        estimator.t_ += self.samples
        estimator.loss_ = record["loss"]
        estimator.loss_curve_.append(record["loss"])
        if estimator.verbose:
            say(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        if "valid_loss" in record:
            estimator.validation_loss_curve_.append(record["valid_loss"])
            estimator.validation_scores_.append(record["valid_score"])
        history = vars(estimator).setdefault("history_", {})
        for name, values in _columns(record).items():
            history.setdefault(name, []).append(values)
        self._count(trainer, record)
        rate = self.rate.after_epoch(estimator.t_)
        if rate is not None:
            set_rate(trainer.optimizer, rate)
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            self._stand_still(trainer)
        self._give_up(trainer)

    def _count(self, trainer: Any, record: Record) -> None:
        """How many epochs have passed without a gain of `tol`."""
        estimator = self.estimator
        if estimator.early_stopping:
            score = record["valid_score"]
            if estimator.verbose:
                say(f"Validation score: {score:f}")
            stands = score < estimator.best_validation_score_ + estimator.tol
            if score > estimator.best_validation_score_:
                estimator.best_validation_score_ = score
                state = trainer.model.state_dict()
                self.best = {k: v.array.copy() for k, v in state.items()}
        else:
            loss = record["loss"]
            stands = loss > estimator.best_loss_ - estimator.tol
            if loss < estimator.best_loss_:  # never NaN
                estimator.best_loss_ = loss
        count = estimator._no_improvement_count + 1 if stands else 0
        estimator._no_improvement_count = count

    def _stand_still(self, trainer: Any) -> None:
        """Another learning rate, or the end."""
        estimator = self.estimator
        what = "Validation score" if estimator.early_stopping else "Training loss"
        text = (
            f"{what} did not improve more than tol={estimator.tol:f} for "
            f"{estimator.n_iter_no_change} consecutive epochs."
        )
        rate = self.rate.after_standstill(
            float(trainer.optimizer.param_groups[0]["lr"])
        )
        if rate is None:
            trainer.stopping = True
            small = " Learning rate too small." if self.rate.kind == "adaptive" else ""
            text += small + " Stopping."
        else:
            estimator._no_improvement_count = 0
            set_rate(trainer.optimizer, rate)
            text += f" Setting learning rate to {rate:f}"
        if estimator.verbose:
            say(text)

    def _give_up(self, trainer: Any) -> None:
        """Warn where the last epoch is over and the loss still falls."""
        estimator = self.estimator
        last = estimator.n_iter_ == estimator.max_iter
        if last and not trainer.stopping and not self.incremental:
            warnings.warn(
                f"{type(estimator).__name__}: the loss still falls after max_iter="
                f"{estimator.max_iter} epochs; raise max_iter, or tol if the fit is "
                "good enough",
                ConvergenceWarning,
                stacklevel=2,
            )


def say(text: str) -> None:
    """Print a line of a fit with ``verbose=True``."""
    sys.stdout.write(text + "\n")


def _columns(record: Record) -> dict[str, Any]:
    """What goes into `history_`."""
    names = {"valid_loss": "validation_loss", "valid_score": "validation_score"}
    return {names.get(k, k): v for k, v in record.items() if k != "epoch"}


class Reporting(Callback):
    """Tells scikit-learn's callbacks of the epochs.

    Parameters
    ----------
    tasks : Tasks
    fitted : callable
        The attributes of an estimator that would stop now.
    """

    order = 2

    def __init__(self, tasks: Tasks, fitted: Any) -> None:
        self.tasks, self.fitted = tasks, fitted

    def on_epoch_start(self, trainer: Any) -> None:
        self.tasks.begin()

    def on_epoch_end(self, trainer: Any, record: Record) -> None:
        if self.tasks.end(self.fitted):
            trainer.stopping = True


def begin(estimator: Any, watched: bool) -> None:
    """The attributes of a training that has not begun.

    `watched` says whether there are validation rows.
    """
    estimator.n_iter_ = estimator.t_ = 0
    estimator.loss_curve_ = []
    estimator.validation_scores_ = [] if watched else None
    estimator.validation_loss_curve_ = [] if watched else None
    estimator.history_ = {}
    estimator._no_improvement_count = 0
    early = estimator.early_stopping
    estimator.best_validation_score_ = -math.inf if early else None
    estimator.best_loss_ = None if early else np.inf
