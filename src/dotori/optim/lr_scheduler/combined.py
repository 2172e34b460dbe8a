"""Schedules of schedules: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from dotori.errors import ArgumentError, DTypeError
from dotori.optim.lr_scheduler.base import (
    LRScheduler,
    on_the_host,
    set_value,
    values,
)
from dotori.optim.lr_scheduler.plateau import ReduceLROnPlateau
from dotori.optim.optimizer import Optimizer


class _Combined(LRScheduler):
    """What both have in common: schedules of one optimiser, and their states."""

    _schedulers: Sequence[LRScheduler]

    def _check(self, schedulers: Sequence[Any], optimizer: Optimizer | None) -> None:
        name = type(self).__name__
        if not schedulers:
            raise ArgumentError(f"{name} was given no schedules")
        for i, schedule in enumerate(schedulers):
            if not hasattr(schedule, "optimizer"):
                raise DTypeError(
                    f"{name}: schedule {i} has no optimizer, it is a "
                    f"{type(schedule).__name__}"
                )
            if isinstance(schedule, ReduceLROnPlateau):
                raise ArgumentError(
                    f"{name}: schedule {i} is a ReduceLROnPlateau, whose step wants a "
                    "figure; step it by itself"
                )
            wanted = schedulers[0].optimizer if optimizer is None else optimizer
            if schedule.optimizer is not wanted:
                raise ArgumentError(
                    f"{name}: schedule {i}, a {type(schedule).__name__}, belongs to "
                    "another optimiser"
                )

    def state_dict(self) -> dict[str, Any]:
        """The state, and that of each schedule under "_schedulers"."""
        states = [schedule.state_dict() for schedule in self._schedulers]
        return {**super().state_dict(), "_schedulers": states}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave, here or in PyTorch."""
        rest = {k: v for k, v in state_dict.items() if k != "_schedulers"}
        super().load_state_dict(rest)
        pairs = zip(self._schedulers, state_dict["_schedulers"], strict=True)
        for schedule, state in pairs:
            schedule.load_state_dict(state)


class SequentialLR(_Combined):
    """The first schedule until the first milestone, then the second, and so on.

    Each counts its own steps from 0. Make all of them first: they set no rate after
    that but when it is their turn.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : list of schedules of this optimiser
    milestones : list of int
        One fewer than schedules.
    last_epoch : int

    Examples
    --------
    >>> import dotori
    >>> from dotori.optim.lr_scheduler import ExponentialLR, LinearLR
    >>> optimizer = dotori.optim.SGD([dotori.ones(1, requires_grad=True)], lr=1.0)
    >>> warmup = LinearLR(optimizer, start_factor=0.25, total_iters=3)
    >>> decay = ExponentialLR(optimizer, gamma=0.5)
    >>> schedule = SequentialLR(optimizer, [warmup, decay], milestones=[3])
    >>> rates = []
    >>> for _ in range(6):
    ...     rates += schedule.get_last_lr()
    ...     _ = optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.25, 0.5, 0.75, 1.0, 0.5, 0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        self._check(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ArgumentError(
                f"SequentialLR: {len(schedulers)} schedules want "
                f"{len(schedulers) - 1} milestones, got {len(milestones)}"
            )
        self._schedulers, self._milestones = schedulers, milestones
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        # All schedules have made their first step at once: take those steps back, and
        # let only the one whose turn it is make it again.
        for group in optimizer.param_groups:
            set_value(group, "lr", group["initial_lr"])
        for schedule in schedulers:
            _undo(schedule)
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    @on_the_host
    def step(self, epoch: int | None = None) -> None:
        """Go on by one with the schedule whose turn it is."""
        if epoch is not None:
            raise ArgumentError("SequentialLR.step goes on by one, it cannot jump")
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        schedule = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            schedule._update_lr(0)
        else:
            schedule.step()
        self._last_lr = schedule.get_last_lr()


def _undo(schedule: LRScheduler) -> None:
    """Take the first step back, of what a combined schedule holds as well."""
    if isinstance(schedule, _Combined):
        for inner in schedule._schedulers:
            _undo(inner)
    else:
        schedule.last_epoch -= 1


class ChainedScheduler(_Combined):
    """All schedules at every step, each from the rate that the last one has set.

    Parameters
    ----------
    schedulers : list of schedules of one optimiser
    optimizer : Optimizer, optional

    Examples
    --------
    >>> import dotori
    >>> from dotori.optim.lr_scheduler import ConstantLR, ExponentialLR
    >>> optimizer = dotori.optim.SGD([dotori.ones(1, requires_grad=True)], lr=1.0)
    >>> parts = [ConstantLR(optimizer, 0.5, 2), ExponentialLR(optimizer, 0.5)]
    >>> schedule = ChainedScheduler(parts)
    >>> rates = []
    >>> for _ in range(4):
    ...     rates += schedule.get_last_lr()
    ...     _ = optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.5, 0.25, 0.25, 0.125]
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        self._check(schedulers, optimizer)
        self._schedulers = schedulers
        self.optimizer = schedulers[0].optimizer
        self._last_lr = values(self.optimizer, "lr")

    @on_the_host
    def step(self, epoch: int | None = None) -> None:
        """Go on by one with every schedule."""
        if epoch is not None:
            raise ArgumentError("ChainedScheduler.step goes on by one, it cannot jump")
        for schedule in self._schedulers:
            schedule.step()
        self._last_lr = values(self.optimizer, "lr")
