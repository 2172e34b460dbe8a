"""Averages of models over the training: stochastic weight averaging, and EMA."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from dotori._tensor import Tensor
from dotori.autograd import no_grad, note_change, wrap
from dotori.backend import to_device
from dotori.errors import ArgumentError
from dotori.nn.module import Module
from dotori.optim.lr_scheduler.base import LRScheduler, per_group
from dotori.optim.optimizer import Optimizer

Average = Callable[[Tensor, Tensor, Any], Tensor]
Averages = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """a <- decay a + (1 - decay) p: the exponential moving average, tensor by tensor.

    Polyak and Juditsky, 1992, with weights that fall exponentially.

    Examples
    --------
    >>> import dotori
    >>> get_ema_avg_fn(0.75)(dotori.tensor(0.0), dotori.tensor(4.0), 1).item()
    1.0
    """
    _check_decay(decay)

    def average(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        with no_grad():
            return averaged * decay + current * (1 - decay)

    return average


def get_swa_avg_fn() -> Average:
    """a <- a + (p - a) / (n + 1): the plain mean of what was seen, tensor by tensor.

    Izmailov, Podoprikhin, Garipov, Vetrov and Wilson, "Averaging weights leads to wider
    optima and better generalization", UAI 2018, algorithm 1.

    Examples
    --------
    >>> import dotori
    >>> get_swa_avg_fn()(dotori.tensor(2.0), dotori.tensor(5.0), 2).item()
    3.0
    """

    def average(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        with no_grad():
            return averaged + (current - averaged) / (float(num_averaged) + 1)

    return average


def get_ema_multi_avg_fn(decay: float = 0.999) -> Averages:
    """a <- a + (1 - decay)(p - a) for all tensors, in place.

    Examples
    --------
    >>> import dotori
    >>> a = [dotori.tensor(0.0)]
    >>> get_ema_multi_avg_fn(0.75)(a, [dotori.tensor(4.0)], 1)
    >>> a[0].item()
    1.0
    """
    _check_decay(decay)

    def average(averaged: Any, current: Any, num_averaged: Any) -> None:
        _approach(averaged, current, 1 - decay)

    return average


def get_swa_multi_avg_fn() -> Averages:
    """a <- a + (p - a) / (n + 1) for all tensors, in place.

    Examples
    --------
    >>> import dotori
    >>> a = [dotori.tensor(2.0)]
    >>> get_swa_multi_avg_fn()(a, [dotori.tensor(5.0)], 2)
    >>> a[0].item()
    3.0
    """

    def average(averaged: Any, current: Any, num_averaged: Any) -> None:
        _approach(averaged, current, 1 / (float(num_averaged) + 1))

    return average


def _check_decay(decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ArgumentError(f"the decay of an average lies in [0, 1], got {decay}")


def _approach(averaged: Any, current: Any, share: float) -> None:
    """Go `share` of the way; whole numbers are cut to whole numbers."""
    for a, p in zip(averaged, current, strict=True):
        _write(a, a.array + share * (p.array - a.array))


def _write(tensor: Tensor, value: Any) -> None:
    np.copyto(tensor.array, value, casting="unsafe")
    note_change(tensor.array, "AveragedModel.update_parameters")


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of those seen in the training.

    Call `update_parameters` after each step, or each epoch. The first call copies;
    later ones average by `avg_fn` or `multi_avg_fn`, or equally without either
    (Izmailov and others, UAI 2018, algorithm 1).

    Parameters
    ----------
    model : Module
    device : str, optional
    avg_fn : function of (averaged, current, number averaged), optional
        Gives the new average of one tensor.
    multi_avg_fn : function of (list, list, number averaged), optional
        Writes the new averages of all tensors into the first list.
    use_buffers : bool
        Average the buffers as well; otherwise they are copied.

    Attributes
    ----------
    module : Module
        The averaged model; calling this one calls it.
    n_averaged : Tensor
        How many times `update_parameters` was called.

    Examples
    --------
    >>> import dotori
    >>> from dotori import nn
    >>> model = nn.Linear(1, 1, bias=False)
    >>> mean = AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     model.weight.data = dotori.tensor([[value]])
    ...     mean.update_parameters(model)
    >>> mean.module.weight.item()
    3.0
    """

    n_averaged: Tensor
    module: Module

    def __init__(
        self,
        model: Module,
        device: str | None = None,
        avg_fn: Average | None = None,
        multi_avg_fn: Averages | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ArgumentError(
                "AveragedModel: give avg_fn or multi_avg_fn, not both of them"
            )
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", wrap(np.array(0, np.int64)))
        self.avg_fn, self.multi_avg_fn = avg_fn, multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the model's present parameters into the average."""
        own, given = self._averaged(self.module), self._averaged(model)
        n = int(self.n_averaged.item())
        if n == 0:
            for a, p in zip(own, given, strict=True):
                _write(a, p.array)
        elif self.avg_fn is not None:
            for a, p in zip(own, given, strict=True):
                _write(a, self.avg_fn(a, p, self.n_averaged).array)
        else:
            self._average_all(own, given)
        if not self.use_buffers:
            for a, p in zip(self.module.buffers(), model.buffers(), strict=True):
                _write(a, p.array)
        self.n_averaged.array += 1

    def _averaged(self, model: Module) -> list[Tensor]:
        buffers = model.buffers() if self.use_buffers else ()
        return [t.detach() for t in chain(model.parameters(), buffers)]

    def _average_all(self, own: list[Tensor], given: list[Tensor]) -> None:
        """All tensors of one dtype at once, as `multi_avg_fn` expects them."""
        function = self.multi_avg_fn or get_swa_multi_avg_fn()
        for dtype in dict.fromkeys(t.dtype for t in own):
            places = [i for i, t in enumerate(own) if t.dtype == dtype]
            mine = [own[i] for i in places]
            function(mine, [given[i] for i in places], self.n_averaged)
            for t in mine:
                note_change(t.array, "AveragedModel.update_parameters")


def update_bn(loader: Iterable[Any], model: Module, device: str | None = None) -> None:
    """Compute the running statistics of `model` anew, as means over the data.

    Averaged weights have never seen data, so the statistics of their normalisations are
    wrong (Izmailov and others, UAI 2018, section 3.2). Works on batch norm; does
    nothing without it.

    Parameters
    ----------
    loader : iterable of batches
        A batch is the input, or a list or tuple that begins with it.
    model : Module
    device : str, optional

    Examples
    --------
    >>> from dotori import nn
    >>> update_bn([], nn.Linear(2, 1))
    """
    from dotori.nn.batch_norm import _BatchNorm

    found = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    if not found:
        return
    momenta = [module.momentum for module in found]
    was_training = model.training
    model.train()
    try:
        for module in found:
            module.reset_running_stats()
            module.momentum = None  # a plain mean over all batches
        with no_grad():
            for batch in loader:
                x = batch[0] if isinstance(batch, (list, tuple)) else batch
                model(x if device is None else wrap(to_device(x.array, device)))
    finally:
        for module, momentum in zip(found, momenta, strict=True):
            module.momentum = momentum
        model.train(was_training)


class SWALR(LRScheduler):
    """From the present rate to `swa_lr` in `anneal_epochs` steps, then constant.

    lr_t = (1 - a) lr_0 + a swa_lr, where a rises from 0 to 1 along a line or a cosine.
    The constant rate lets the weights wander around an optimum, where their average
    lies (Izmailov and others, UAI 2018, section 3.1).

    Parameters
    ----------
    optimizer : Optimizer
    swa_lr : float, or one for each group
    anneal_epochs : int
    anneal_strategy : {"cos", "linear"}
    last_epoch : int

    Examples
    --------
    >>> import dotori
    >>> optimizer = dotori.optim.SGD([dotori.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = SWALR(optimizer, 0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> rates = []
    >>> for _ in range(4):
    ...     rates += schedule.get_last_lr()
    ...     _ = optimizer.step()
    ...     schedule.step()
    >>> rates
    [1.0, 0.75, 0.5, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | Sequence[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(
                "SWALR: anneal_strategy must be 'cos' or 'linear', got "
                f"{anneal_strategy!r}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ArgumentError(
                "SWALR: anneal_epochs must be a whole number, at least 0, got "
                f"{anneal_epochs!r}"
            )
        for group, lr in zip(
            optimizer.param_groups, per_group("swa_lr", optimizer, swa_lr), strict=True
        ):
            group["swa_lr"] = lr
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """How much of the way is done after `step` steps."""
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return (
            t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2
        )

    def get_lr(self) -> list[Any]:
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            lr, goal = group["lr"], group["swa_lr"]
            # The rate that the way began with, so that the rate may be changed by hand.
            start = goal if before == 1 else (lr - before * goal) / (1 - before)
            rates.append(goal * now + start * (1 - now))
        return rates
