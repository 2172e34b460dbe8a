"""Schedules along a cosine, once or with warm restarts."""

from __future__ import annotations

import math
from typing import Any

from dotori.errors import ArgumentError
from dotori.optim.lr_scheduler.base import LRScheduler, on_the_host
from dotori.optim.optimizer import Optimizer


class CosineAnnealingLR(LRScheduler):
    """lr_t = eta_min + (lr_0 - eta_min)(1 + cos(pi t / T_max)) / 2.

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR
    2017, equation 5, without restarts: after T_max the rate rises again.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
    eta_min : float
    last_epoch : int

    Examples
    --------
    >>> import dotori
    >>> optimizer = dotori.optim.SGD([dotori.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = CosineAnnealingLR(optimizer, T_max=4)
    >>> rates = []
    >>> for _ in range(5):
    ...     rates += schedule.get_last_lr()
    ...     _ = optimizer.step()
    ...     schedule.step()
    >>> [round(rate, 4) for rate in rates]
    [1.0, 0.8536, 0.5, 0.1464, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def _height(self, t: float) -> float:
        return 1 + math.cos(math.pi * t / self.T_max)

    def get_lr(self) -> list[Any]:
        if self._is_initial:
            return self._current()
        t, low = self.last_epoch, self.eta_min
        if self._step_count == 1 and t > 0:
            return self._get_closed_form_lr()
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:  # up again from the bottom
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            now = self._current()
            return [
                lr + (base - low) * rise
                for base, lr in zip(self.base_lrs, now, strict=True)
            ]
        factor = self._height(t) / self._height(t - 1)
        return [factor * (lr - low) + low for lr in self._current()]

    def _get_closed_form_lr(self) -> list[Any]:
        share = self._height(self.last_epoch) / 2
        low = self.eta_min
        return [low + (base - low) * share for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """lr_t = eta_min + (lr_0 - eta_min)(1 + cos(pi T_cur / T_i)) / 2, again and again.

    T_cur counts from the last restart; the period T_i begins at T_0 and grows by the
    factor T_mult. Loshchilov and Hutter, ICLR 2017, section 3, equation 5.

    Parameters
    ----------
    optimizer : Optimizer
    T_0 : int
        At least 1.
    T_mult : int
        At least 1.
    eta_min : float
    last_epoch : int

    Examples
    --------
    >>> import dotori
    >>> optimizer = dotori.optim.SGD([dotori.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
    >>> rates = []
    >>> for _ in range(7):
    ...     rates += schedule.get_last_lr()
    ...     _ = optimizer.step()
    ...     schedule.step()
    >>> [round(rate, 4) for rate in rates]
    [1.0, 0.5, 1.0, 0.8536, 0.5, 0.1464, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        for name, value in (("T_0", T_0), ("T_mult", T_mult)):
            if not isinstance(value, int) or value < 1:
                raise ArgumentError(
                    f"CosineAnnealingWarmRestarts: {name} must be a whole number, at "
                    f"least 1, got {value!r}"
                )
        if not isinstance(eta_min, (int, float)):
            raise ArgumentError(
                "CosineAnnealingWarmRestarts: eta_min must be a number, got "
                f"{type(eta_min).__name__}"
            )
        self.T_0, self.T_i, self.T_mult = T_0, T_0, T_mult
        self.eta_min: float = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        share = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        low = self.eta_min
        return [low + (base - low) * share for base in self.base_lrs]

    @on_the_host
    def step(self, epoch: float | None = None) -> None:
        """Go on by one, or to `epoch`, which may be a fraction of batches done."""
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            epoch = 0 if epoch is None else epoch
            self._jump(epoch)
        self.last_epoch = math.floor(epoch)
        self._set(self.get_lr())

    def _jump(self, epoch: float) -> None:
        if epoch < 0:
            raise ArgumentError(
                f"CosineAnnealingWarmRestarts: epoch must be at least 0, got {epoch}"
            )
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            # n whole periods last T_0 (T_mult^n - 1) / (T_mult - 1) together.
            grown = epoch / self.T_0 * (self.T_mult - 1) + 1
            n = int(math.log(grown, self.T_mult))
            whole = self.T_0 * (self.T_mult**n - 1) / (self.T_mult - 1)
            self.T_cur, self.T_i = epoch - whole, self.T_0 * self.T_mult**n
