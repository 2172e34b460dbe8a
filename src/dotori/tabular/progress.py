"""Progress of a fit, or of a choice among models, for a person to watch."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

from dotori.tabular.watch import Watcher

if TYPE_CHECKING:
    from dotori.tabular.choose import Trial

_SCORES = {"rmse": "RMSE", "log_loss": "log loss"}


class FitProgress(Watcher):
    """A bar, and a live table of scores, where Rich draws on a terminal; else lines.

    Parameters
    ----------
    stream : text file, optional
        Standard error by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self._drawing: Any = None
        self._bar: Any = None
        self._task: Any = None
        self._trials: Sequence[Trial] = ()
        self._folds, self._scoring = 0, ""
        self._what, self._started = "", 0.0

    # ------------------------------------------------------------ a choice

    def on_search(self, trials: Sequence[Trial], folds: int, scoring: str) -> None:
        """Draw the empty table, or say what begins."""
        self._trials, self._folds, self._scoring = trials, folds, scoring
        if not self._is_terminal():
            self._say(
                f"{len(trials)} models, each judged on {folds} folds by "
                f"{_SCORES[scoring]}"
            )
            return
        self._bar = _bar(self.stream)
        self._task = self._bar.add_task("models", total=len(trials) * folds, shown="")
        self._drawing = _live(self.stream, self._table)
        self._drawing.start()

    def on_fold(self, trial: Trial) -> None:
        """One step of the bar."""
        if self._bar is not None:
            self._bar.update(self._task, advance=1, shown=trial.label)

    def on_trial(self, trial: Trial) -> None:
        """A line for the candidate; on a terminal its row is filled."""
        if self._bar is not None:
            self._bar.update(
                self._task,
                completed=(self._trials.index(trial) + 1) * self._folds,
            )
            return
        row = trial.to_json()
        self._say(f"  {trial.label:32} {score_text(row):20} {trial.seconds:6.1f} s")

    def on_search_end(self, trials: Sequence[Trial]) -> None:
        """Leave nothing behind on the terminal: the results have the table."""
        if self._drawing is not None:
            self._drawing.stop()
            self._drawing = self._bar = None

    def _table(self) -> Any:
        from rich.console import Group

        rows = [t.to_json() for t in self._trials if t.scores or t.note]
        return Group(scores_table(rows, self._scoring), self._bar)

    # ------------------------------------------------------------ a fit

    def on_fit(self, what: str, steps: int | None) -> None:
        """Begin a bar."""
        self._what, self._started = what, time.monotonic()
        if self._is_terminal():
            self._bar = _bar(self.stream)
            self._task = self._bar.add_task(what, total=steps or 1, shown="")
            self._bar.start()

    def on_step(self, text: str = "") -> None:
        """One step of the bar."""
        if self._bar is not None:
            self._bar.update(self._task, advance=1, shown=text)

    def on_fit_end(self, done: bool = True) -> None:
        """End the bar; a line says how long it took."""
        if self._bar is not None:
            if done:
                total = self._bar.tasks[0].total
                self._bar.update(self._task, completed=total)
            self._bar.stop()
            self._bar = None
        elif done:
            took = time.monotonic() - self._started
            self._say(f"{self._what}: {took:.1f} s")

    def _say(self, line: str) -> None:
        self.stream.write(line.rstrip() + "\n")
        self.stream.flush()

    def _is_terminal(self) -> bool:
        if not getattr(self.stream, "isatty", lambda: False)():
            return False
        try:
            import rich as rich
        except ImportError:
            return False
        return True


def score_text(row: dict[str, Any]) -> str:
    """A candidate's score with its spread over the folds, or why it has none.

    Examples
    --------
    >>> score_text({"mean": 54.31, "sd": 2.1, "note": ""})
    '54.31 +- 2.1'
    """
    if row["mean"] is None:
        return str(row["note"]) or "..."
    return f"{row['mean']:.4g} +- {row['sd']:.2g}"


def scores_table(rows: Sequence[dict[str, Any]], scoring: str, best: str = "") -> Any:
    """The table of scores, drawn by Rich; the row of the best is bold."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    classes = scoring == "log_loss"
    table.add_column("model", no_wrap=True)
    table.add_column(_SCORES[scoring], justify="right")
    if classes:
        table.add_column("accuracy", justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("")
    for row in rows:
        right = [f"{row['accuracy']:.4g}" if row["accuracy"] is not None else "-"]
        cells = [
            escape(row["label"]),
            score_text(row) if row["mean"] is not None else "-",
            *(right if classes else []),
            f"{row['seconds']:.1f}",
            escape(row["note"]),
        ]
        table.add_row(*cells, style="bold" if row["label"] == best else None)
    return table


def _bar(stream: TextIO) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[shown]}", markup=False),
        TimeElapsedColumn(),
        console=Console(file=stream),
        refresh_per_second=8,
    )


def _live(stream: TextIO, draw: Any) -> Any:
    from rich.console import Console
    from rich.live import Live

    return Live(
        get_renderable=draw,
        console=Console(file=stream),
        refresh_per_second=8,
        transient=True,
    )
