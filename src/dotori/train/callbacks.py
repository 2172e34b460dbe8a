"""Callbacks: stopping early, checkpoints, records as JSON lines."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dotori.errors import ArgumentError
from dotori.io import atomic_write
from dotori.train.callback import Callback, Record

if TYPE_CHECKING:
    from dotori.train.trainer import Trainer


class EarlyStopping(Callback):
    """Stop when `monitor` has not improved for `patience` epochs, and keep the best.

    Parameters
    ----------
    monitor : str
        A name in the records, such as ``"valid_loss"``.
    patience : int
        How many epochs in a row may bring no improvement.
    min_delta : float
        What counts as one.
    mode : {"min", "max"}
        Whether lower or higher is better.
    restore_best : bool
        At the end, give the model the weights of its best epoch.

    Attributes
    ----------
    best : float
        The best value so far.
    best_epoch : int
        The epoch, from 1, that it came from.
    """

    def __init__(
        self,
        monitor: str = "valid_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        mode: str = "min",
        restore_best: bool = True,
    ) -> None:
        if mode not in ("min", "max"):
            raise ArgumentError(f"mode must be 'min' or 'max', got {mode!r}")
        if patience < 1:
            raise ArgumentError(f"patience must be at least 1, got {patience}")
        self.monitor, self.patience, self.min_delta = monitor, patience, min_delta
        self.mode, self.restore_best = mode, restore_best
        self.best = math.inf if mode == "min" else -math.inf
        self.best_epoch = 0
        self.stopped_epoch = 0
        self._weights: dict[str, Any] = {}

    def on_train_start(self, trainer: Trainer) -> None:
        if self.best_epoch and trainer.epoch - self.best_epoch >= self.patience:
            trainer.stopping = True  # resumed after it had stopped

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        value = record.get(self.monitor)
        if value is None:
            raise ArgumentError(
                f"EarlyStopping watches {self.monitor!r}, but an epoch brings "
                f"{sorted(record)}; pass validation data, or another monitor"
            )
        gain = self.best - value if self.mode == "min" else value - self.best
        if gain > self.min_delta or not self.best_epoch:
            self.best, self.best_epoch = float(value), trainer.epoch
            state = trainer.model.state_dict()
            self._weights = {k: v.array.copy() for k, v in state.items()}
        elif trainer.epoch - self.best_epoch >= self.patience:
            self.stopped_epoch = trainer.epoch
            trainer.stopping = True

    def on_train_end(self, trainer: Trainer) -> None:
        if self.restore_best and self._weights and not trainer.interrupted:
            trainer.model.load_state_dict(self._weights)

    def state_dict(self) -> dict[str, Any]:
        best = self.best if math.isfinite(self.best) else None
        return {"best": best, "epoch": self.best_epoch, "weights": self._weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        worst = math.inf if self.mode == "min" else -math.inf
        self.best = worst if state["best"] is None else state["best"]
        self.best_epoch, self._weights = state["epoch"], state["weights"]


class Checkpoint(Callback):
    """Save everything that a resume needs, at intervals and after Ctrl-C.

    Parameters
    ----------
    path : path-like
        One file, replaced atomically.
    every_epochs, every_steps : int
        How often to save; 0 for not at all. After Ctrl-C it always saves.
    about : dict, optional
        JSON values to keep in the file.
    """

    order = 1  # after callbacks whose state it saves

    def __init__(
        self,
        path: Any,
        every_epochs: int = 1,
        every_steps: int = 0,
        about: dict[str, Any] | None = None,
    ) -> None:
        self.path = Path(path)
        self.every_epochs, self.every_steps = every_epochs, every_steps
        self.about = about

    def on_step_end(self, trainer: Trainer) -> None:
        if self.every_steps and trainer.step % self.every_steps == 0:
            trainer.save(self.path, self.about)

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        if self.every_epochs and trainer.epoch % self.every_epochs == 0:
            trainer.save(self.path, self.about)

    def on_interrupt(self, trainer: Trainer) -> None:
        trainer.save(self.path, self.about)


class JSONLines(Callback):
    """Write the records of all epochs to a file, one JSON object a line.

    The file is replaced atomically after each epoch, so that it fits the history also
    after an interruption; equal runs give equal bytes.
    """

    def __init__(self, path: Any) -> None:
        self.path = Path(path)

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        lines = "".join(json.dumps(r) + "\n" for r in trainer.history)
        with atomic_write(self.path) as file:
            file.write(lines.encode())
