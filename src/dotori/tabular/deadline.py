"""A budget of time, and whether what was begun can be ready within it."""

from __future__ import annotations

from collections.abc import Callable

from dotori.train import Callback, Record, Trainer

Clock = Callable[[], float]
_ENOUGH = 0.02  # of a candidate; of less nothing is concluded


class OutOfTime(Exception):
    """The budget does not reach for a candidate."""


class Deadline:
    """The end of a budget.

    Parameters
    ----------
    budget : float
        Seconds.
    clock : callable
        Seconds, from any start.

    Examples
    --------
    >>> seconds = iter([0, 0, 30, 30])
    >>> deadline = Deadline(60, lambda: next(seconds))
    >>> deadline.begin(5)
    >>> deadline.passed_by(1)  # a fold took 30 s, the other four will take 120
    True
    """

    def __init__(self, budget: float, clock: Clock) -> None:
        self.budget, self.clock = budget, clock
        self.started = self._began = clock()
        self._steps = 1

    @property
    def spent(self) -> float:
        """The seconds since the budget began."""
        return self.clock() - self.started

    def begin(self, steps: int) -> None:
        """A candidate of so many equal steps begins."""
        self._began, self._steps = self.clock(), steps

    def passed_by(self, done: float) -> bool:
        """Whether the candidate, of which so many steps are done, will be too late."""
        now = self.clock()
        left = self.started + self.budget - now
        if done < _ENOUGH * self._steps:
            return left <= 0
        return left <= 0 or (now - self._began) * (self._steps / done - 1) > left


class StopInTime(Callback):
    """Stops the training of a network that will not be ready within the budget.

    Early stopping takes `patience` epochs at least; they are what is counted with.
    """

    def __init__(self, deadline: Deadline, done: int, patience: int) -> None:
        self.deadline, self.done, self.patience = deadline, done, patience
        self.late = False

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        """Stop if it is too late already."""
        least = max(trainer.epoch, min(self.patience, trainer.epochs))
        if self.deadline.passed_by(self.done + trainer.epoch / least):
            self.late = trainer.stopping = True
