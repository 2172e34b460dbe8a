"""From options to a network, its loss, its optimiser and its schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori import nn, optim
from dotori._tensor import Tensor
from dotori.errors import ArgumentError
from dotori.nn import functional as F
from dotori.tabular.options import Options

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "softplus": nn.Softplus,
    "hardswish": nn.Hardswish,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}

_LOSSES_OF_TASK = {
    "regression": ("mse", "l1", "huber"),
    "binary": ("bce", "cross_entropy"),  # on one logit they are the same
    "multiclass": ("cross_entropy",),
}


def build_network(n_inputs: int, n_outputs: int, options: Options) -> nn.Sequential:
    """A multilayer perceptron: linear, activation and dropout for each hidden layer.

    Examples
    --------
    >>> build_network(13, 1, Options(hidden=(8,), dropout=0.0))
    Sequential(
      (0): Linear(in_features=13, out_features=8, bias=True)
      (1): ReLU()
      (2): Linear(in_features=8, out_features=1, bias=True)
    )
    """
    layers: list[nn.Module] = []
    width = n_inputs
    for size in options.hidden:
        layers += [nn.Linear(width, size), _ACTIVATIONS[options.activation]()]
        if options.dropout:
            layers.append(nn.Dropout(options.dropout))
        width = size
    layers.append(nn.Linear(width, n_outputs))
    return nn.Sequential(*layers)


def choose_loss(task: str, options: Options) -> str:
    """The loss's name for a task.

    Raises
    ------
    ArgumentError
        If the option names a loss that does not fit the task.
    """
    fitting = _LOSSES_OF_TASK[task]
    if options.loss == "auto":
        return fitting[0]
    if options.loss not in fitting:
        raise ArgumentError(
            f"the loss {options.loss!r} does not fit a target for {task}; "
            f"use {' or '.join(fitting)}"
        )
    return fitting[0] if task == "binary" else options.loss


class BatchLoss:
    """The loss of a batch (prediction, target) or (prediction, target, weight).

    With weights it is the weighted mean, sum_i w_i loss_i / sum_i w_i.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._loss: Callable[..., Tensor] = {
            "mse": F.mse_loss,
            "l1": F.l1_loss,
            "huber": F.huber_loss,
            "cross_entropy": F.cross_entropy,
            "bce": F.binary_cross_entropy_with_logits,
        }[name]

    def __call__(
        self, prediction: Tensor, target: Tensor, weight: Tensor | None = None
    ) -> Tensor:
        if weight is None:
            return self._loss(prediction, target)
        each = self._loss(prediction, target, reduction="none").reshape(len(target))
        return (each * weight).sum() / weight.sum()


def build_optimizer(model: nn.Module, options: Options) -> optim.Optimizer:
    """The optimiser, with weight decay on weights but not on biases."""
    groups = optim.param_groups_weight_decay(model, options.weight_decay)
    if options.optimizer == "sgd":
        return optim.SGD(groups, lr=options.lr, momentum=options.momentum)
    if options.optimizer == "rmsprop":
        return optim.RMSprop(groups, lr=options.lr, momentum=options.momentum)
    chosen = optim.AdamW if options.optimizer == "adamw" else optim.Adam
    return chosen(groups, lr=options.lr)


def build_schedule(optimizer: optim.Optimizer, options: Options) -> Any:
    """The learning-rate schedule over the epochs, or None."""
    epochs = options.epochs
    if options.schedule == "cosine":
        return optim.CosineAnnealingLR(optimizer, T_max=epochs)
    if options.schedule == "step":
        return optim.StepLR(optimizer, step_size=max(1, epochs // 3), gamma=0.1)
    if options.schedule == "exponential":
        return optim.ExponentialLR(optimizer, gamma=0.01 ** (1 / epochs))
    if options.schedule == "plateau":
        patience = max(1, options.patience // 3)
        return optim.ReduceLROnPlateau(optimizer, factor=0.3, patience=patience)
    if options.schedule == "onecycle":
        return optim.OneCycleLR(
            optimizer,
            max_lr=options.lr,
            total_steps=epochs + 1,
            cycle_momentum=False,  # momentum is an option of its own
        )
    return None


def row_weights(
    task: str, labels: NDArray[Any], given: NDArray[Any] | None, options: Options
) -> NDArray[np.float32] | None:
    """The weight of each training row, from a column and from the classes' shares.

    A balanced class weight is n / (k n_c): n rows, k classes, n_c rows of the class.
    """
    weight = None if given is None else np.asarray(given, np.float32)
    if options.class_weight == "balanced":
        if task == "regression":
            raise ArgumentError("class_weight needs classes, the target is a number")
        counts = np.bincount(labels)
        by_class = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        balanced = by_class[labels].astype(np.float32)
        weight = balanced if weight is None else weight * balanced
    return weight
