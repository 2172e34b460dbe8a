"""Schedules in cycles, with momentum falling while the rate rises."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from dotori.errors import ArgumentError
from dotori.optim.lr_scheduler.base import (
    LRScheduler,
    check_optimizer,
    per_group,
    saved_function,
    set_value,
)
from dotori.optim.optimizer import Group, Optimizer


class _Cycling(LRScheduler):
    """What both schedules share: momentum, which is beta1 where there are betas."""

    cycle_momentum: bool
    use_beta1: bool

    def _begin_momentum(
        self, optimizer: Optimizer, base: Any, largest: Any, anew: bool
    ) -> tuple[list[Any], list[Any]]:
        """Check and note the momenta, and, `anew`, set the largest ones."""
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ArgumentError(
                f"{type(self).__name__}: {type(optimizer).__name__} has neither "
                "momentum nor betas; pass cycle_momentum=False"
            )
        self.use_beta1 = "betas" in optimizer.defaults
        bases = per_group("base_momentum", optimizer, base)
        maxima = per_group("max_momentum", optimizer, largest)
        if anew:
            groups = optimizer.param_groups
            for group, low, high in zip(groups, bases, maxima, strict=True):
                self._set_momentum(group, high)
                group["max_momentum"], group["base_momentum"] = high, low
        return bases, maxima

    def _set_momentum(self, group: Group, value: float) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


class CyclicLR(_Cycling):
    """Up from base_lr to max_lr along a line, and down again; momentum the other way.

    Smith, "Cyclical learning rates for training neural networks", WACV 2017, section
    3.1. The height of cycle n (or step t) is scaled by `scale_fn`: 1 for
    "triangular", 2^-(n-1) for "triangular2", gamma^t for "exp_range".

    Parameters
    ----------
    optimizer : Optimizer
    base_lr, max_lr : float, or one for each group
    step_size_up, step_size_down : int
        Steps upwards, and downwards (the same by default).
    mode : {"triangular", "triangular2", "exp_range"}
    gamma : float
    scale_fn : function of a number, optional
        Takes the place of `mode`.
    scale_mode : {"cycle", "iterations"}
        What `scale_fn` is given.
    cycle_momentum : bool
    base_momentum, max_momentum : float, or one for each group
    last_epoch : int

    Examples
    --------
    >>> import dotori
    >>> w = dotori.ones(1, requires_grad=True)
    >>> optimizer = dotori.optim.SGD([w], lr=0.1, momentum=0.9)
    >>> schedule = CyclicLR(optimizer, base_lr=0.0, max_lr=1.0, step_size_up=2)
    >>> for _ in range(5):
    ...     group = optimizer.param_groups[0]
    ...     print(group["lr"], round(group["momentum"], 2))
    ...     _ = optimizer.step()
    ...     schedule.step()
    0.0 0.9
    0.5 0.85
    1.0 0.8
    0.5 0.85
    0.0 0.9
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("CyclicLR", optimizer)
        base_lrs = per_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                set_value(group, "lr", lr)
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        if scale_fn is None and mode not in _SCALES:
            raise ArgumentError(
                f"CyclicLR: mode must be one of {', '.join(_SCALES)}, got {mode!r}; "
                "or give scale_fn"
            )
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        self.scale_mode = scale_mode if scale_fn else _SCALES[mode][0]
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._begin_momentum(
                optimizer, base_momentum, max_momentum, last_epoch == -1
            )
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The height of cycle x, or at step x."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        return _SCALES[self.mode][1](x, self.gamma)

    def get_lr(self) -> list[Any]:
        t = self.last_epoch / self.total_size
        cycle = math.floor(1 + t)
        x = 1.0 + t - cycle
        ratio = self.step_ratio
        share = x / ratio if x <= ratio else (x - 1) / (ratio - 1)
        by_cycle = self.scale_mode == "cycle"
        height = share * self.scale_fn(cycle if by_cycle else self.last_epoch)
        if self.cycle_momentum:
            for group, low, high in zip(
                self.optimizer.param_groups,
                self.base_momentums,
                self.max_momentums,
                strict=True,
            ):
                self._set_momentum(group, high - (high - low) * height)
        pairs = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * height for low, high in pairs]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser; of functions only objects' attributes."""
        own = saved_function(self._scale_fn_custom)
        return {**super().state_dict(), "_scale_fn_custom": own}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave, here or in PyTorch."""
        rest = {k: v for k, v in state_dict.items() if k != "_scale_fn_custom"}
        super().load_state_dict(rest)
        kept = state_dict["_scale_fn_custom"]
        if kept is not None and self._scale_fn_custom is not None:
            self._scale_fn_custom.__dict__.update(kept)


#: mode -> (what it counts, the height from it and gamma)
_SCALES: dict[str, tuple[str, Callable[[float, float], float]]] = {
    "triangular": ("cycle", lambda n, gamma: 1.0),
    "triangular2": ("cycle", lambda n, gamma: 2.0 ** (1 - n)),
    "exp_range": ("iterations", lambda t, gamma: gamma**t),
}


class OneCycleLR(_Cycling):
    """One rise to max_lr and a long fall to almost nothing; momentum the other way.

    From max_lr / div_factor up to max_lr in the first `pct_start` of the steps, then
    down to 1 / final_div_factor of the start; in `three_phase` first back to the start
    as fast as it rose. Smith and Topin, "Super-convergence: very fast training of
    neural networks using large learning rates", 2018, section 3.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float, or one for each group
    total_steps : int, optional
        Or give `epochs` and `steps_per_epoch`.
    epochs, steps_per_epoch : int, optional
    pct_start : float
        In [0, 1].
    anneal_strategy : {"cos", "linear"}
    cycle_momentum : bool
    base_momentum, max_momentum : float, or one for each group
    div_factor, final_div_factor : float
    three_phase : bool
    last_epoch : int

    Examples
    --------
    >>> import dotori
    >>> w = dotori.ones(1, requires_grad=True)
    >>> optimizer = dotori.optim.SGD([w], lr=0.1, momentum=0.9)
    >>> schedule = OneCycleLR(optimizer, max_lr=1.0, total_steps=5, pct_start=0.6)
    >>> rates = []
    >>> for _ in range(4):
    ...     rates += schedule.get_last_lr()
    ...     _ = optimizer.step()
    ...     schedule.step()
    >>> [round(rate, 4) for rate in rates + schedule.get_last_lr()]
    [0.04, 0.52, 1.0, 0.5, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("OneCycleLR", optimizer)
        self.total_steps = _steps(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ArgumentError(
                f"OneCycleLR: pct_start must be a float in [0, 1], got {pct_start!r}"
            )
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(
                "OneCycleLR: anneal_strategy must be 'cos' or 'linear', got "
                f"{anneal_strategy!r}"
            )
        self._anneal_func_type = anneal_strategy
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        max_lrs = per_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, top in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = top / div_factor
                group["max_lr"] = top
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._begin_momentum(
                optimizer, base_momentum, max_momentum, last_epoch == -1
            )
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        t = self.last_epoch
        if t > self.total_steps:
            raise ArgumentError(
                f"OneCycleLR: step {t} of a cycle made for {self.total_steps} steps"
            )
        start, phase = 0.0, self._schedule_phases[0]
        for phase in self._schedule_phases:
            if t <= phase["end_step"] or phase is self._schedule_phases[-1]:
                break
            start = phase["end_step"]
        share = (t - start) / (phase["end_step"] - start)
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                self._set_momentum(
                    group, self._between(group, phase, "momentum", share)
                )
        groups = self.optimizer.param_groups
        return [self._between(group, phase, "lr", share) for group in groups]

    def _between(
        self, group: Group, phase: dict[str, Any], what: str, share: float
    ) -> Any:
        """What lies `share` of the way from the start of a phase to its end."""
        start, end = group[phase[f"start_{what}"]], group[phase[f"end_{what}"]]
        if self._anneal_func_type == "linear":
            return (end - start) * share + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)


def _steps(total: int | None, epochs: int | None, per_epoch: int | None) -> int:
    """The length of the cycle."""
    given = {"total_steps": total}
    if total is None:
        given = {"epochs": epochs, "steps_per_epoch": per_epoch}
        if epochs is None or per_epoch is None:
            raise ArgumentError(
                "OneCycleLR: give total_steps, or epochs and steps_per_epoch"
            )
    product = 1
    for name, value in given.items():
        if not isinstance(value, int) or value < 1:
            raise ArgumentError(
                f"OneCycleLR: {name} must be a whole number, at least 1, got {value!r}"
            )
        product *= value
    return product


def _phases(steps: int, pct_start: float, three: bool) -> list[dict[str, Any]]:
    """Where each phase ends, and between which settings of a group it leads."""

    def phase(end: float, lr: str, momentum: str) -> dict[str, Any]:
        (start_lr, end_lr), (start, stop) = lr.split(), momentum.split()
        return {
            "end_step": end,
            "start_lr": f"{start_lr}_lr",
            "end_lr": f"{end_lr}_lr",
            "start_momentum": f"{start}_momentum",
            "end_momentum": f"{stop}_momentum",
        }

    top = float(pct_start * steps) - 1
    rise = phase(top, "initial max", "max base")
    if not three:
        return [rise, phase(steps - 1, "max min", "base max")]
    back = float(2 * pct_start * steps) - 2
    return [
        rise,
        phase(back, "max initial", "base max"),
        phase(steps - 1, "initial min", "max max"),
    ]
