"""Progress for a person to watch: a live bar on a terminal, else lines."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

from dotori.kernels import pending
from dotori.train.callback import Callback, Record

if TYPE_CHECKING:
    from dotori.train.trainer import Trainer


class Progress(Callback):
    """Shows the epoch, the losses, the metrics and the time left.

    A bar that Rich draws, where Rich is installed and the output is a terminal;
    otherwise about ten lines over the whole training.

    Parameters
    ----------
    stream : text file, optional
        Standard error by default.
    names : dict of str to str, optional
        What to show of a record, and under which name.
    """

    def __init__(
        self, stream: TextIO | None = None, names: dict[str, str] | None = None
    ) -> None:
        self.stream = stream or sys.stderr
        self.names = names
        self._bar: Any = None
        self._task: Any = None
        self._started = self._drawn = 0.0
        self._first_epoch = 0

    def on_train_start(self, trainer: Trainer) -> None:
        self._started, self._first_epoch = time.monotonic(), trainer.epoch
        if self._is_terminal():
            self._bar = _rich_bar(self.stream)
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(
                "training", total=trainer.epochs, completed=trainer.epoch, shown=""
            )

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        now = time.monotonic()
        last = trainer.epoch >= trainer.epochs or trainer.stopping
        if self._bar is not None:
            if now - self._drawn > 0.05 or last:  # drawing costs more than an epoch may
                self._drawn = now
                shown = self.describe(record)
                self._bar.update(self._task, completed=trainer.epoch, shown=shown)
        elif last or trainer.epoch % max(1, trainer.epochs // 10) == 0:
            done = trainer.epoch - self._first_epoch
            left = (now - self._started) / done * (trainer.epochs - trainer.epoch)
            self.stream.write(
                f"epoch {trainer.epoch}/{trainer.epochs}  {self.describe(record)}"
                f"  at most {left:.0f} s left\n"
            )
            self.stream.flush()

    def on_train_end(self, trainer: Trainer) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def describe(self, record: Record) -> str:
        """The record's numbers in one line."""
        names = self.names or {k: k for k in record if k not in ("epoch", "lr")}
        numbers = "  ".join(
            f"{shown} {record[name]:.4g}"
            for name, shown in names.items()
            if isinstance(record.get(name), (int, float))
        )
        return numbers + ("  (compiling kernels meanwhile)" if pending() else "")

    def _is_terminal(self) -> bool:
        return bool(getattr(self.stream, "isatty", lambda: False)())


def _rich_bar(stream: TextIO) -> Any:
    try:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as RichProgress
    except ImportError:
        return None
    return RichProgress(
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[shown]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(compact=True),
        console=Console(file=stream),
        refresh_per_second=8,
    )
