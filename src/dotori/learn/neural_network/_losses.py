"""What the MLP estimators descend, and what they report.

A loss is a sum over outputs and a weighted mean over samples, computed from the
network's outputs z before softmax, logistic or exp, which is exact where probabilities
would round to 0 or 1. `loss_` is scikit-learn's measure of the same: it holds the
probabilities of log-losses within [eps, 1 - eps], and takes the mean over the outputs
of a regression, whose gradient is that of the sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dotori
from dotori._tensor import Tensor
from dotori.errors import ArgumentError
from dotori.nn import functional as F

Array = NDArray[Any]


class Loss:
    """One loss; called with outputs and targets of a batch.

    Parameters
    ----------
    terms : callable
        ``terms(z, y)`` of shape (n,) or (n, outputs).
    output : {"softmax", "logistic", "identity", "exp"}
        What makes predictions of z.
    clip : bool
        Whether a reported term is at most -log(eps).
    mean_outputs : bool
        Whether the mean over outputs is reported, not the sum.

    Attributes
    ----------
    one_hot : bool
        Whether classes come as rows with a 1, not as numbers.
    """

    def __init__(
        self,
        terms: Callable[[Tensor, Tensor], Tensor],
        output: str,
        *,
        clip: bool = False,
        mean_outputs: bool = False,
    ) -> None:
        self.terms, self.output = terms, output
        self.clip, self.mean_outputs = clip, mean_outputs
        self.one_hot = terms is cross_entropy

    def __call__(
        self, z: Tensor, y: Tensor, weight: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """What is descended, and what is reported: two means over the samples.

        Parameters
        ----------
        z : Tensor, shape (n, outputs)
        y : Tensor, shape (n, outputs) or (n,)
        weight : Tensor, shape (n,), optional
        """
        terms = self.terms(z, y)
        if terms.ndim == 0:
            return self._of_mean(terms, weight)
        shown = terms.detach()
        if self.clip:
            shown = shown.clamp(max=-math.log(np.finfo(z.dtype).eps))
        descended = _mean(_over_outputs(terms), weight)
        outputs = math.prod(terms.shape[1:]) if self.mean_outputs else 1
        if not self.clip and outputs == 1:
            return descended, descended.detach()
        return descended, _mean(_over_outputs(shown), weight) / outputs

    @staticmethod
    def _of_mean(mean: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        if weight is not None:
            raise ArgumentError(
                "the loss gave one number for a batch, which leaves no place for the "
                "weights of samples or classes; let it give one for each sample"
            )
        return mean, mean.detach()


def _over_outputs(terms: Tensor) -> Tensor:
    """(n, ...) -> (n,): the sum over outputs."""
    if terms.ndim == 1:
        return terms
    rows = terms if terms.ndim == 2 else terms.reshape(len(terms), -1)
    return rows[:, 0] if rows.shape[1] == 1 else rows.sum(1)


def _mean(each: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return each.mean()
    return (each * weight).sum() / weight.sum()


# ---------------------------------------------------------------- the formulas


def cross_entropy(z: Tensor, y: Tensor) -> Tensor:
    """log sum_k exp(z_k) - sum_k y_k z_k, for rows y that are 1 at the class.

    The largest z_k is taken off all, which changes nothing and keeps exp in bounds.
    """
    z = z - z.detach().amax(1, keepdim=True)
    return dotori.log(dotori.exp(z).sum(1)) - (z * y).sum(1)


def binary_cross_entropy(z: Tensor, y: Tensor) -> Tensor:
    """-y log p - (1 - y) log(1 - p) with p = 1 / (1 + exp(-z))."""
    terms: Tensor = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    return terms


def half_squared_error(z: Tensor, y: Tensor) -> Tensor:
    """(z - y)^2 / 2."""
    halves: Tensor = (z - y).square() * 0.5
    return halves


def poisson_deviance(z: Tensor, y: Tensor) -> Tensor:
    """Half the deviance, y log(y / mu) - y + mu with mu = exp(z)."""
    deviance: Tensor = dotori.exp(z) - y * z + (dotori.xlogy(y, y) - y)
    return deviance


# ---------------------------------------------------------------- by name


def classification_loss(owner: str, loss: Any, output: str) -> Loss:
    """The loss of a classifier, for its kind of output, softmax or logistic."""
    if loss in ("log_loss", "cross_entropy") and isinstance(loss, str):
        terms = cross_entropy if output == "softmax" else binary_cross_entropy
        return Loss(terms, output, clip=True)
    return Loss(_own(owner, loss, "log_loss"), output)


def regression_loss(owner: str, loss: Any) -> Loss:
    """The loss of a regressor."""
    if isinstance(loss, str) and loss == "squared_error":
        return Loss(half_squared_error, "identity", mean_outputs=True)
    if isinstance(loss, str) and loss == "poisson":
        return Loss(poisson_deviance, "exp")
    named = {"absolute_error": "l1_loss", "huber": "huber_loss"}
    given = named.get(loss, loss) if isinstance(loss, str) else loss
    names = "squared_error, poisson, absolute_error, huber"
    if isinstance(loss, (int, tuple, list)):  # where it stood before scikit-learn 1.7
        names = f"the first argument; write hidden_layer_sizes={loss!r}. It is {names}"
    own = _own(owner, given, names)
    return Loss(own, "identity", mean_outputs=True)


def _own(owner: str, loss: Any, names: str) -> Callable[[Tensor, Tensor], Tensor]:
    """A loss from `dotori.nn.functional` by name, or the user's own function."""
    if callable(loss) and not isinstance(loss, str):
        function: Callable[[Tensor, Tensor], Tensor] = loss
        return function
    if isinstance(loss, str) and ("loss" in loss or "entropy" in loss):
        found = getattr(F, loss, None)
        if found is not None:
            return lambda z, y: found(z, y, reduction="none")
    raise ArgumentError(
        f"{owner}: loss must be {names}, the name of a loss of dotori.nn.functional, "
        f"or a function of outputs and targets; got {loss!r}"
    )


def activate(output: str, z: Array) -> Array:
    """Predictions from a network's outputs (n, outputs), in place."""
    if output == "softmax":
        z -= z.max(axis=1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(axis=1, keepdims=True)
    elif output == "logistic":
        # exp of what is not positive: no overflow on either side
        positive = z >= 0
        e = np.exp(-np.abs(z))
        np.divide(np.where(positive, 1, e), 1 + e, out=z)
    elif output == "exp":
        np.exp(z, out=z)
    return z
