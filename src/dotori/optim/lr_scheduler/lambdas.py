"""Schedules from functions of the user."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dotori.errors import ArgumentError, DTypeError
from dotori.optim.lr_scheduler.base import LRScheduler, saved_function
from dotori.optim.optimizer import Optimizer

Factor = Callable[[int], float]


class LambdaLR(LRScheduler):
    """lr_t = lr_0 * lr_lambda(t).

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : function of int, or one for each group
    last_epoch : int

    Examples
    --------
    >>> import dotori
    >>> optimizer = dotori.optim.SGD([dotori.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> for _ in range(3):
    ...     _ = optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Factor | Sequence[Factor],
        last_epoch: int = -1,
    ) -> None:
        n, name = len(optimizer.param_groups), type(self).__name__
        many = isinstance(lr_lambda, (list, tuple))
        self.lr_lambdas: list[Any] = list(lr_lambda) if many else [lr_lambda] * n  # type: ignore[arg-type]
        if len(self.lr_lambdas) != n:
            raise ArgumentError(
                f"{name}: wanted {n} functions, one for each group, got "
                f"{len(self.lr_lambdas)}"
            )
        for function in self.lr_lambdas:
            if not callable(function):
                raise DTypeError(
                    f"{name}: lr_lambda must be a function, got "
                    f"{type(function).__name__}"
                )
        super().__init__(optimizer, last_epoch)

    def _factors(self) -> list[float]:
        return [function(self.last_epoch) for function in self.lr_lambdas]

    def get_lr(self) -> list[Any]:
        return [b * f for b, f in zip(self.base_lrs, self._factors(), strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser; of functions only objects' attributes."""
        functions = [saved_function(f) for f in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": functions}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave, here or in PyTorch."""
        rest = {k: v for k, v in state_dict.items() if k != "lr_lambdas"}
        super().load_state_dict(rest)
        for function, kept in zip(
            self.lr_lambdas, state_dict["lr_lambdas"], strict=True
        ):
            if kept is not None:
                function.__dict__.update(kept)


class MultiplicativeLR(LambdaLR):
    """lr_t = lr_(t-1) * lr_lambda(t).

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : function of int, or one for each group
    last_epoch : int

    Examples
    --------
    >>> import dotori
    >>> optimizer = dotori.optim.SGD([dotori.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = MultiplicativeLR(optimizer, lambda t: 0.5)
    >>> for _ in range(3):
    ...     _ = optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.125]
    """

    def get_lr(self) -> list[Any]:
        if self._is_initial:
            return self._current()
        groups = self.optimizer.param_groups
        return [g["lr"] * f for g, f in zip(groups, self._factors(), strict=True)]
