"""A schedule that looks at a figure: lower the rate when it stops improving."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dotori.errors import ArgumentError
from dotori.optim.lr_scheduler.base import (
    LRScheduler,
    check_optimizer,
    on_the_host,
    set_value,
    values,
)
from dotori.optim.optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """lr <- max(factor lr, min_lr) when a figure was not better for `patience` calls.

    Call ``step(figure)`` after each epoch, with the validation loss for example.
    Better than the best so far means, for "min", below best (1 - threshold) with
    `threshold_mode` "rel", or below best - threshold with "abs".

    Parameters
    ----------
    optimizer : Optimizer
    mode : {"min", "max"}
    factor : float
        Below 1.
    patience : int
        So many calls in a row without a better figure are borne.
    threshold : float
    threshold_mode : {"rel", "abs"}
    cooldown : int
        Calls to wait after a change.
    min_lr : float, or one for each group
    eps : float
        Smaller changes are not made.

    Examples
    --------
    >>> import dotori
    >>> optimizer = dotori.optim.SGD([dotori.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    >>> for loss in (3.0, 2.0, 2.5, 2.1):
    ...     schedule.step(loss)
    >>> schedule.get_last_lr(), schedule.best
    ([0.5], 2.0)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1:
            raise ArgumentError(f"ReduceLROnPlateau: factor must be < 1, got {factor}")
        check_optimizer("ReduceLROnPlateau", optimizer)
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ArgumentError(
                "ReduceLROnPlateau: mode must be 'min' or 'max' and threshold_mode "
                f"'rel' or 'abs', got {mode!r} and {threshold_mode!r}"
            )
        n = len(optimizer.param_groups)
        several = isinstance(min_lr, (list, tuple))
        self.default_min_lr = None if several else min_lr
        self.min_lrs: list[Any] = list(min_lr) if several else [min_lr] * n  # type: ignore[arg-type]
        if len(self.min_lrs) != n:
            raise ArgumentError(
                f"ReduceLROnPlateau: min_lr has {len(self.min_lrs)} values, the "
                f"optimiser {n} groups"
            )
        self.optimizer = optimizer
        self.factor, self.patience, self.cooldown = factor, patience, cooldown
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.eps = eps
        self.last_epoch = 0
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self._last_lr = values(optimizer, "lr")
        self._reset()

    def _reset(self) -> None:
        """Forget the best figure."""
        self.best = self.mode_worse
        self.cooldown_counter = self.num_bad_epochs = 0

    @property
    def in_cooldown(self) -> bool:
        """Whether figures do not count for now."""
        return self.cooldown_counter > 0

    def _is_better(self, value: float, best: float) -> bool:
        sign = 1.0 if self.mode == "min" else -1.0
        if self.threshold_mode == "rel":
            return sign * value < sign * best * (1.0 - sign * self.threshold)
        return sign * value < sign * best - self.threshold

    @on_the_host
    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take note of a figure, and lower the rates if it is time."""
        value = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(value, self.best):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = values(self.optimizer, "lr")

    def _reduce_lr(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise ArgumentError(
                    f"ReduceLROnPlateau: min_lr has {len(self.min_lrs)} values, the "
                    f"optimiser {len(groups)} groups by now; extend min_lrs"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, least)
            if old - new > self.eps:
                set_value(group, "lr", new)
