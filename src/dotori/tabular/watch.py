"""Who hears how the fitting of a model, or the choice of one, goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dotori.tabular.choose import Trial


class Watcher:
    """Override what you need; here nothing is done."""

    def on_search(self, trials: Sequence[Trial], folds: int, scoring: str) -> None:
        """Before the first candidate; `scoring` is "rmse" or "log_loss"."""

    def on_fold(self, trial: Trial) -> None:
        """After each fold that a candidate was judged on."""

    def on_trial(self, trial: Trial) -> None:
        """After a candidate, whether it has a score or a note."""

    def on_search_end(self, trials: Sequence[Trial]) -> None:
        """After the last one, and after Ctrl-C."""

    def on_fit(self, what: str, steps: int | None) -> None:
        """Before a model is fitted; `steps` are its trees or the like, if known."""

    def on_step(self, text: str = "") -> None:
        """After each step."""

    def on_fit_end(self, done: bool = True) -> None:
        """After the fit; `done` is False after an error and Ctrl-C."""
