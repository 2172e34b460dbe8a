"""What a callback is: something that the trainer tells what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

if TYPE_CHECKING:
    from dotori.train.trainer import Trainer

#: What one epoch brought: "epoch", "loss", "valid_loss", "lr" and the metrics.
Record: TypeAlias = dict[str, Any]


class Callback:
    """Override what you need; each method is told the trainer.

    A callback may read everything of the trainer, and set ``trainer.stopping = True``.
    What it must remember over an interruption goes into its `state_dict`: numbers,
    strings, arrays, and lists and dicts of them.

    Examples
    --------
    >>> class Stop(Callback):
    ...     def on_epoch_end(self, trainer, record):
    ...         trainer.stopping = record["loss"] < 0.1
    """

    order: ClassVar[int] = 0
    """Callbacks with a lower number are told first."""

    def on_train_start(self, trainer: Trainer) -> None:
        """Before the first step of `fit`, also of a resumed one."""

    def on_epoch_start(self, trainer: Trainer) -> None:
        """Before the first batch of an epoch."""

    def on_step_end(self, trainer: Trainer) -> None:
        """After each update of the weights."""

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        """After validation; the record may be added to."""

    def on_interrupt(self, trainer: Trainer) -> None:
        """After Ctrl-C, when the step at hand is finished."""

    def on_train_end(self, trainer: Trainer) -> None:
        """After the last epoch, or when training was stopped or interrupted."""

    def state_dict(self) -> dict[str, Any]:
        """What a resumed training needs; nothing by default."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
