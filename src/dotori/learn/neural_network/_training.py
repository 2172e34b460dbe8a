"""Training an MLP estimator: dotori's `Trainer` with scikit-learn's loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil
from typing import Any

import dotori
from dotori import nn, optim
from dotori._tensor import Tensor
from dotori.learn.neural_network._losses import Loss
from dotori.learn.neural_network._network import weights_of
from dotori.learn.neural_network._sparse import SparseRows, forward
from dotori.nn.utils import clip_grad_norm_
from dotori.train import Trainer
from dotori.train.callback import Callback

#: A training of fewer steps is not captured: that takes as long as they do.
WORTH_CAPTURING = 40
#: Seconds that a training takes at least, or at most, for which machine code is waited
#: for at once, or compiled beside the training. Compiling takes about two.
WORTH_WAITING, WORTH_COMPILING = 4.0, 12.0

NEVER = 1 << 62


class MLPTrainer(Trainer):
    """Steps on mean loss + alpha / (2 w) sum W^2, for the sum w of a batch's weights.

    Parameters
    ----------
    network : nn.Module
    loss : Loss
    optimizer : optim.Optimizer
    alpha : float
        Of weights, not of intercepts; each batch has its own w, as in scikit-learn.
    clip_norm : float, optional
        The longest gradient.
    schedule : learning-rate schedule, optional
        Stepped after every epoch.
    callbacks : sequence of Callback
    """

    def __init__(
        self,
        network: nn.Module,
        loss: Loss,
        optimizer: optim.Optimizer,
        *,
        alpha: float = 0.0,
        clip_norm: float | None = None,
        schedule: Any = None,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        super().__init__(
            network,
            loss,  # type: ignore[arg-type]
            optimizer,
            schedule=schedule,
            clip_norm=clip_norm,
            callbacks=callbacks,
            guard=False,
        )
        self.alpha = alpha
        self.check: Callable[[], Mapping[str, Any]] = dict
        self._decayed = weights_of(network)
        self._native_from: int | None = None
        self._least = self._most = self._each = 0

    def expect(self, least: int, most: int, each: int) -> None:
        """Say how many epochs will come, of `each` steps: what they run as depends.

        Shapes and these numbers alone decide, so that a fit repeats itself to the bit.
        """
        self._least, self._most, self._each = least, most, each

    def train_step(self, batch: Sequence[Any]) -> float:
        """One update; captured where the number of steps to come is worth it."""
        if len(batch) > 2 and not batch[2].array.any():
            return 0.0  # a batch that does not count
        if isinstance(batch[0], SparseRows):  # what SciPy does cannot be captured
            return float(self.update(*batch).array)
        full = len(batch[0]) == self._loader.batch_size
        # a last, smaller batch is a capture of its own, run once in an epoch
        done, runs = self.epoch, self._most
        if full:
            done, runs = self.step, self._most * self._each
        if done < (1 if runs >= WORTH_CAPTURING else WORTH_CAPTURING):
            return float(self.update(*batch).array)
        if self._compiled is None:
            from dotori.compiler.step import Compiled

            self._compiled = Compiled(self.update, "auto", strict=False)
        self._compiled.count = self.step if full else 0
        loss = float(self._compiled(*batch).array)
        if full and self._native_from is None:
            self._native_from = self._decide()
        return loss

    def _decide(self) -> int:
        """From which step on machine code runs; it is compiled before."""
        from dotori.compiler import cost

        entry = next(reversed(list(self._compiled.entries())), None)
        if entry is None:
            return NEVER
        each = cost.seconds(entry.program)
        least, most = (n * self._each * each for n in (self._least, self._most))
        if least >= WORTH_WAITING:
            entry.start, entry.switch = 0, 0
        elif most >= WORTH_COMPILING:
            entry.start, entry.switch = 0, self.step + ceil(WORTH_WAITING / each)
        elif self._most > 1:  # of `partial_fit`, nobody knows how many will come
            entry.start = entry.switch = NEVER
        return int(entry.switch)

    def update(self, *batch: Any) -> Tensor:
        """Forward, loss, backward, clipping, the optimiser's step; the loss to report.

        Parameters
        ----------
        *batch
            Inputs, targets and, where there are any, weights.
        """
        self.optimizer.zero_grad()
        x, y, *rest = batch
        weight = rest[0] if rest else None
        descended, shown = self.loss(forward(self.model, x), y, weight)
        if self.alpha and self._decayed:
            total = len(x) if weight is None else weight.sum()
            rate = self.alpha / total
            # w * detached w has the value w^2 and the gradient w, half of that of w^2
            norm = _sum([_dot(w) for w in self._decayed])
            descended = descended + norm * rate
            shown = shown + norm.detach() * (rate * 0.5)
        descended.backward()
        if self.clip_norm is not None:
            clip_grad_norm_(self._parameters, self.clip_norm)
        self.optimizer.step()
        return shown

    def release(self) -> None:
        """Forget the data."""
        self._loader, self.check = None, dict
        self.callbacks = []

    def evaluate(self, data: Iterable[Any]) -> dict[str, Any]:
        """What the estimator finds on its validation rows."""
        self.model.eval()
        return dict(self.check())


def _dot(w: Tensor) -> Tensor:
    flat = w.reshape(-1)
    norm: Tensor = dotori.dot(flat, flat.detach())
    return norm


def _sum(terms: list[Tensor]) -> Tensor:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
