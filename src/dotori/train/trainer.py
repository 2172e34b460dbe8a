"""The training loop, to be read in one sitting.

What happens, and the method in which it does::

    for each epoch                                  Trainer.fit
        for each batch of the training data         Trainer._train_epoch
            forward, loss, backward, clip, step     Trainer.train_step, Trainer.update
        loss and metrics on the validation data     Trainer.evaluate
        the learning-rate schedule, the callbacks   Trainer._end_epoch
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori import nn, optim
from dotori._tensor import Tensor
from dotori.autograd import no_grad
from dotori.errors import ArgumentError
from dotori.functions.creation import as_tensor
from dotori.nn.functional import l1_penalty, l2_penalty
from dotori.random import default_generator, use_generator
from dotori.train import checkpoint
from dotori.train.callback import Callback, Record
from dotori.train.guard import Guard, SuspiciousStep
from dotori.train.history import History, Mean
from dotori.train.interrupt import catch_interrupt

#: Before so many steps, capturing would take longer than it saves.
WORTH_CAPTURING = 20

_EVALUATION = 0x0E7A  # names the random stream of evaluations


class Trainer:
    """Trains a model on batches, watches it on others, and can be stopped and resumed.

    Parameters
    ----------
    model : nn.Module
    loss : callable
        ``loss(prediction, target)``, the mean over the batch; where batches have a
        third part, ``loss(prediction, target, weight)``.
    optimizer : optim.Optimizer
        Over the model's parameters.
    schedule : learning-rate schedule, optional
        Stepped after every epoch, or every step with ``schedule_every="step"``.
    metrics : mapping of str to Metric
        Computed on the validation data, as ``valid_NAME`` in the history.
    clip_norm, clip_value : float, optional
        Limits for the gradient's norm over all parameters, and for each element.
    l1, l2 : float
        Factors of the penalties sum ``|w|`` and sum ``w^2`` over the weights, not the
        biases.
    callbacks : sequence of Callback
    guard : bool
        Look for NaN and infinity at every step, and name the layer at fault.
    compile : {"auto", "numpy", "native", False}
        Capture `update` and run it as a plan: see `dotori.compile`, whose modes these
        are. What cannot be captured runs as it is, after a warning. A step that is
        captured leaves no gradients in ``p.grad``.

    Examples
    --------
    >>> import dotori
    >>> _ = dotori.manual_seed(0)
    >>> x = dotori.randn(64, 3)
    >>> y = x.sum(dim=1, keepdim=True)
    >>> data = dotori.data.DataLoader(dotori.data.TensorDataset(x, y), batch_size=16)
    >>> model = nn.Linear(3, 1)
    >>> trainer = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1))
    >>> history = trainer.fit(data, epochs=20)
    >>> history["loss"][-1] < 1e-3
    True
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Callable[..., Tensor],
        optimizer: optim.Optimizer,
        *,
        schedule: Any = None,
        schedule_every: str = "epoch",
        metrics: Mapping[str, Any] | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        callbacks: Sequence[Callback] = (),
        guard: bool = True,
        compile: str | bool = "auto",
    ) -> None:
        if compile not in ("auto", "numpy", "native", True, False):
            raise ArgumentError(
                f"compile must be 'auto', 'numpy', 'native' or False, got {compile!r}"
            )
        if schedule_every not in ("epoch", "step"):
            raise ArgumentError(
                f"schedule_every must be 'epoch' or 'step', got {schedule_every!r}"
            )
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.schedule = schedule
        self.schedule_every = schedule_every
        self.metrics = dict(metrics or {})
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.l1, self.l2 = l1, l2
        self.callbacks = sorted(callbacks, key=lambda callback: callback.order)
        self._parameters = list(model.parameters())
        self._weights = [p for p in self._parameters if p.ndim > 1]
        self._guard = Guard(model) if guard else None
        self._compile = "auto" if compile is True else compile
        self._compiled: Any = None
        self.history = History()
        self.epoch = 0  # finished epochs
        self.step = 0  # finished updates
        self.epochs = 0  # the goal of the fit at hand
        self.running = Mean()  # the training loss of the epoch at hand
        self.stopping = False
        self.interrupted = False
        self._loader: Any = None
        self._loader_state: dict[str, Any] | None = None

    # ------------------------------------------------------------ the loop

    def fit(
        self, train: Iterable[Any], valid: Iterable[Any] | None = None, *, epochs: int
    ) -> History:
        """Train until `epochs` epochs are done in all, those before a resume included.

        Parameters
        ----------
        train, valid : DataLoader, or an iterable of batches
            A batch is (input, target) or (input, target, weight).

        Returns
        -------
        History
            One record for each epoch; `interrupted` says whether Ctrl-C ended it.

        Raises
        ------
        NonFiniteError
            If the loss or a gradient is NaN or infinite: names the layer at fault.
        """
        self.epochs, self._loader = epochs, train
        self.stopping = self.interrupted = False
        if self._loader_state is not None:
            self._loader.load_state_dict(self._loader_state)
            self._loader_state = None
        self._tell("on_train_start")
        # What overflows is found by the guard, with the layer's name: no warnings.
        with catch_interrupt() as signal, np.errstate(all="ignore"):
            while self.epoch < epochs and not self.stopping:
                if not self._train_epoch(train, signal):
                    self.interrupted = True
                    self._tell("on_interrupt")
                    break
                self._end_epoch(self.evaluate(valid) if valid is not None else {})
        self._tell("on_train_end")
        return self.history

    def _train_epoch(self, train: Iterable[Any], signal: Any) -> bool:
        """One pass over the training data; False if Ctrl-C came, at a step's end."""
        self._tell("on_epoch_start")
        self.model.train()
        for batch in train:
            loss = self.train_step(batch)
            self.running.add(loss, len(batch[0]))
            self.step += 1
            if self.callbacks:
                self._tell("on_step_end")
            if signal.caught:
                return False
        if not self.running.count:
            raise ArgumentError(
                "fit: the training data gave no batch; is it empty, or smaller than "
                "the batch size with drop_last=True?"
            )
        return True

    def train_step(self, batch: Sequence[Any]) -> float:
        """`update`, captured once that pays; returns the loss.

        Override it for a step that is not captured.
        """
        if self._guard is not None:
            self._guard.before_step()
        if not self._compile or self.step < WORTH_CAPTURING:
            return float(self.update(*batch).array)
        if self._compiled is None:
            self._compiled = self._captured_update()
        # Which plan runs depends on the number of the step: it is equal after a resume.
        # The last batch, if smaller, is not worth compiling.
        size = getattr(self._loader, "batch_size", None)
        self._compiled.count = self.step if size in (None, len(batch[0])) else 0
        try:
            return float(self._compiled(*batch).array)
        except SuspiciousStep:  # nothing has changed: look into it, or go on
            assert self._guard is not None
            self._guard.rewind()
            return float(self.update(*batch).array)

    def _captured_update(self) -> Any:
        from dotori.compiler.step import Compiled

        return Compiled(self.update, str(self._compile), strict=False)

    def update(self, *batch: Any) -> Tensor:
        """Forward, loss, backward, clipping, the optimiser's step; returns the loss.

        It runs as a captured step: see `dotori.compile`. Override it for a step of
        another kind.
        """
        self.optimizer.zero_grad()
        loss = self.compute_loss(batch)
        total = self._add_penalties(loss)
        total.backward()
        if self._guard is not None:
            self._guard.after_backward(total, lambda: self.compute_loss(batch), self)
        if self.clip_norm is not None:
            optim.clip_grad_norm_(self._parameters, self.clip_norm)
        if self.clip_value is not None:
            optim.clip_grad_value_(self._parameters, self.clip_value)
        self.optimizer.step()
        if self.schedule is not None and self.schedule_every == "step":
            self.schedule.step()
        return loss

    def compute_loss(self, batch: Sequence[Any]) -> Tensor:
        """The loss of one batch, without penalties."""
        x, *rest = batch
        return self.loss(self.model(x), *rest)

    def _add_penalties(self, loss: Tensor) -> Tensor:
        if self.l1:
            loss = loss + self.l1 * l1_penalty(self._weights)
        if self.l2:
            loss = loss + self.l2 * l2_penalty(self._weights)
        return loss

    def _end_epoch(self, valid: Mapping[str, Any]) -> None:
        record: Record = {
            "epoch": self.epoch + 1,
            "loss": self.running.value,
            **{f"valid_{name}": value for name, value in valid.items()},
            "lr": float(self.optimizer.param_groups[0]["lr"]),
        }
        self.running.reset()
        self.epoch += 1
        self.history.append(record)
        if self.schedule is not None and self.schedule_every == "epoch":
            if isinstance(self.schedule, optim.ReduceLROnPlateau):
                watched = "valid_loss" if "valid_loss" in record else "loss"
                self.schedule.step(record[watched])
            else:
                self.schedule.step()
        for callback in self.callbacks:
            callback.on_epoch_end(self, record)

    # ------------------------------------------------------------ using the model

    def evaluate(self, data: Iterable[Any]) -> dict[str, Any]:
        """The mean loss and the metrics on other data.

        Nothing of the training moves on: neither weights nor random numbers.
        """
        self.model.eval()
        mean = Mean()
        for metric in self.metrics.values():
            metric.reset()
        aside = default_generator().derive(_EVALUATION)
        with no_grad(), use_generator(aside), np.errstate(all="ignore"):
            for batch in data:
                x, target, *weight = batch
                prediction = self.model(x)
                loss = self.loss(prediction, target, *weight)
                mean.add(float(loss.array), len(target))
                arrays = [as_tensor(part).array for part in (target, *weight)]
                for metric in self.metrics.values():
                    metric.update(prediction.array, *arrays)
        found = {name: metric.compute() for name, metric in self.metrics.items()}
        return {"loss": mean.value, **found}

    def predict(self, x: Any, batch_size: int = 1024) -> NDArray[Any]:
        """The model's output for an array of inputs, batch by batch."""
        self.model.eval()
        array = as_tensor(x).array
        with no_grad():
            parts = [
                self.model(as_tensor(array[i : i + batch_size])).array
                for i in range(0, max(len(array), 1), batch_size)
            ]
        return np.concatenate(parts)

    # ------------------------------------------------------------ stopping and resuming

    def state_dict(self) -> dict[str, Any]:
        """Everything that makes a resumed training equal to one that never stopped."""
        schedule = None if self.schedule is None else self.schedule.state_dict()
        has_state = hasattr(self._loader, "state_dict")
        return {
            "model": {k: v.array for k, v in self.model.state_dict().items()},
            "optimizer": self.optimizer.state_dict(),
            "schedule": schedule,
            "loader": self._loader.state_dict() if has_state else None,
            "generator": default_generator().get_state(),
            "callbacks": [callback.state_dict() for callback in self.callbacks],
            "history": self.history.records,
            "running": self.running.state_dict(),
            "epoch": self.epoch,
            "step": self.step,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`; `fit` then continues in the middle of its epoch."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])
        for callback, kept in zip(self.callbacks, state["callbacks"], strict=False):
            callback.load_state_dict(kept)
        default_generator().set_state(state["generator"])
        self.history = History(state["history"])
        self.running.load_state_dict(state["running"])
        self.epoch, self.step = state["epoch"], state["step"]
        self._loader_state = state["loader"]

    def save(self, path: Any, about: dict[str, Any] | None = None) -> None:
        """Write a checkpoint, atomically; `about` is kept with it."""
        checkpoint.save(path, self.state_dict(), about)

    def load(self, path: Any) -> dict[str, Any]:
        """Load a checkpoint; returns what `save` was given as `about`."""
        state, about = checkpoint.load(path)
        self.load_state_dict(state)
        return about

    def _tell(self, event: str) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self)

    def __repr__(self) -> str:
        loss = math.nan if not self.history.records else self.history["loss"][-1]
        return (
            f"Trainer({type(self.model).__name__}, {type(self.optimizer).__name__}, "
            f"epoch={self.epoch}, step={self.step}, loss={loss:.4g})"
        )
