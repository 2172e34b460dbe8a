"""`LRScheduler`: when rates are computed, set and saved."""

from __future__ import annotations

import types
import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

from dotori._tensor import Tensor
from dotori.autograd.graph import CAPTURE, recording
from dotori.errors import ArgumentError, DTypeError
from dotori.optim.optimizer import Group, Optimizer
from dotori.optim.saved import copied

Step = TypeVar("Step", bound=Callable[..., None])


def on_the_host(step: Step) -> Step:
    """In a captured step, a schedule's step runs as it is, each time."""

    @wraps(step)
    def method(self: Any, *args: Any, **kwargs: Any) -> None:
        if recording.state.flags >= CAPTURE:
            recording.state.capture.act(step, self, *args, **kwargs)
        else:
            step(self, *args, **kwargs)

    return cast(Step, method)


class LRScheduler:
    """The base: a subclass defines `get_lr`, the rates at `last_epoch`.

    Call `step` once after each epoch (or each update). Rates that are tensors are
    changed in place.

    Parameters
    ----------
    optimizer : Optimizer
    last_epoch : int
        How many steps were made before; -1 starts anew.

    Attributes
    ----------
    last_epoch : int
        How often `step` was called.
    base_lrs : list
        The first rate of each group.

    Raises
    ------
    DTypeError
        If `optimizer` is none.
    ArgumentError
        For a `last_epoch` without the groups' "initial_lr", which loading the
        optimiser's state brings.
    """

    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(type(self).__name__, optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise ArgumentError(
                    f"{type(self).__name__}: last_epoch={last_epoch} goes on with an "
                    f"earlier training, but group {i} has no 'initial_lr'; load the "
                    "optimiser's state first"
                )
        self.base_lrs = values(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        self._initial_step()

    def get_lr(self) -> list[Any]:
        """The rates at `last_epoch`, from those that are set now."""
        raise NotImplementedError(f"{type(self).__name__} defines no get_lr")

    def _get_closed_form_lr(self) -> list[Any]:
        """The rates at `last_epoch`, from the first ones alone, where there is a form.

        ``step(epoch)`` uses it to jump.
        """
        return self.get_lr()

    def get_last_lr(self) -> list[Any]:
        """The rates that the last step has set."""
        return self._last_lr

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    @on_the_host
    def step(self, epoch: int | None = None) -> None:
        """Go on by one, or jump to `epoch`, and set the optimiser's rates."""
        if self._step_count == 1 and not self.optimizer._opt_called:
            warnings.warn(
                f"{type(self).__name__}.step was called before the optimiser's: its "
                "first rate was never used; call optimizer.step() first",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        if epoch is None:
            self.last_epoch += 1
            rates = self.get_lr()
        else:
            self.last_epoch = epoch
            rates = self._get_closed_form_lr()
        self._set(rates)

    def _set(self, rates: Sequence[Any]) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            set_value(group, "lr", lr)
        self._last_lr = values(self.optimizer, "lr")

    def _current(self) -> list[Any]:
        return values(self.optimizer, "lr")

    def _scaled(self, factor: float) -> list[Any]:
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser and functions."""
        return {k: v for k, v in self.__dict__.items() if k != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave, here or in PyTorch."""
        self.__dict__.update(state_dict)


def check_optimizer(place: str, optimizer: object) -> None:
    """Refuse what is no optimiser."""
    if not isinstance(optimizer, Optimizer):
        raise DTypeError(
            f"{place}: wanted an Optimizer, got {type(optimizer).__name__}"
        )


def values(optimizer: Optimizer, key: str) -> list[Any]:
    """A setting of every group; tensors are copied."""
    return [copied(group[key]) for group in optimizer.param_groups]


def set_value(group: Group, key: str, value: Any) -> None:
    """Change a setting; a tensor in place, so that all who hold it see it."""
    old = group[key]
    if isinstance(old, Tensor):
        old.array[...] = float(value)
    else:
        group[key] = value


def per_group(name: str, optimizer: Optimizer, given: Any) -> list[Any]:
    """One value for each group, from one for all or a list."""
    n = len(optimizer.param_groups)
    if not isinstance(given, (list, tuple)):
        return [copied(given) for _ in range(n)]
    if len(given) != n:
        raise ArgumentError(
            f"{name} has {len(given)} values, the optimiser {n} groups: give one for "
            "each group, or one for all"
        )
    return list(map(copied, given))


def saved_function(function: Any) -> dict[str, Any] | None:
    """The attributes of an object that is called; a plain function is not saved."""
    plain = function is None or isinstance(function, types.FunctionType)
    return None if plain else dict(function.__dict__)
