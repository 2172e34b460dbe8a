"""The guard against NaN and infinity: cheap while all is well, exact when it is not.

Each step it looks at two numbers that are at hand: the loss, and one sum over the
gradient of the parameter nearest to the input, through which anything that goes wrong
on the way back passes. Only when one of them is not finite, the step is run again
under observation, with the same random numbers, to find the layer at fault.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori import nn
from dotori._tensor import Tensor
from dotori.backend import is_captured
from dotori.errors import NonFiniteError
from dotori.random import default_generator

if TYPE_CHECKING:
    from dotori.train.trainer import Trainer


class SuspiciousStep(Exception):
    """A captured step met a number that is not finite, and changed nothing."""


class Guard:
    """Watches the steps of one model."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        named = list(model.named_parameters())
        first = [p for _, p in named[:2]]  # a weight and its bias: watch the smaller
        self._watched = min(first, key=lambda p: p.numel(), default=None)
        self._mark: Any = None

    def before_step(self) -> None:
        """Remember where the random numbers stand."""
        self._mark = default_generator().mark()

    def rewind(self) -> None:
        """Put the random numbers back to where they stood before the step."""
        default_generator().rewind(self._mark)

    def after_backward(
        self, total: Tensor, step: Callable[[], Tensor], trainer: Trainer
    ) -> None:
        """Raise `NonFiniteError` with the layer at fault, before any weight changes.

        `total` is what the gradients are of. In a captured step each run looks at it,
        and at the gradient that is watched, and raises `SuspiciousStep`.
        """
        if is_captured(total.array):
            self._require_finite(total.array)
            return
        loss = float(total.array)
        if math.isfinite(loss) and self._gradient_is_finite():
            return
        self.rewind()
        fault = nn.find_nonfinite(self.model, step)
        where = f" in {fault}" if fault is not None else ""
        raise NonFiniteError(
            f"step {trainer.step + 1} of epoch {trainer.epoch + 1}: the loss is "
            f"{loss}, NaN or infinity first appeared{where}; the weights are as they "
            "were before this step. Try a lower learning rate, gradient clipping, or "
            "look for infinite or huge values in the data"
        )

    def _require_finite(self, total: Any) -> None:
        good = np.isfinite(total)
        if self._watched is not None and self._watched.grad is not None:
            watched: Any = self._watched.grad.array
            good = good & np.isfinite(watched.sum())
        total.trace.require(good, SuspiciousStep)

    def _gradient_is_finite(self) -> bool:
        grad = None if self._watched is None else self._watched.grad
        if grad is None:
            return True
        array = grad.array
        return math.isfinite(array.sum()) or bool(np.isfinite(array).all())
