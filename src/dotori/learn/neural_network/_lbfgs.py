"""The whole-data solver: L-BFGS-B over the weights in a row.

Byrd, Lu, Nocedal and Zhu, "A limited memory algorithm for bound constrained
optimization", SIAM Journal on Scientific Computing 16 (1995), as SciPy has it: with the
same gradients it takes the same way as in scikit-learn.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from dotori import nn
from dotori._tensor import Tensor
from dotori.autograd import note_change
from dotori.learn.neural_network._data import Batches
from dotori.learn.neural_network._losses import Loss
from dotori.learn.neural_network._network import weights_of
from dotori.learn.neural_network._sparse import forward

Array = NDArray[Any]


class WholeLoss:
    """The loss over all rows and its gradient, block by block of rows.

    scikit-learn reports the mean over several outputs of a regression, and gives the
    solver that number with the gradient of the sum. Here it gets the sum for both.

    Parameters
    ----------
    network : nn.Module
    loss : Loss
    alpha : float
    data : Batches
            Of all rows in the order in which they lie.
    total : float
        The sum of all weights, or the number of rows.
    compiled : bool
        Whether blocks are run as a captured step.

    Attributes
    ----------
    shown : float
        The loss to report, of the last call.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: Loss,
        alpha: float,
        data: Batches,
        total: float,
        compiled: bool,
    ) -> None:
        self.network, self.loss, self.alpha = network, loss, alpha
        self.data, self.total = data, total
        self.shown = np.inf
        self.params = list(network.parameters())
        self._decayed = {id(p) for p in weights_of(network)}
        self._block: Callable[..., Any] = self.block
        if compiled:
            from dotori.compiler.step import Compiled

            self._block = Compiled(self.block, "auto", strict=False)

    def block(self, x: Any, y: Tensor, *weight: Tensor) -> Any:
        """What a block adds to the loss, to the loss to report, and to the gradient."""
        for p in self.params:
            p.grad = None
        share = (weight[0].sum() if weight else len(x)) / self.total
        descended, shown = self.loss(forward(self.network, x), y, *weight)
        value = descended * share
        value.backward()
        gradients = [p.grad for p in self.params]
        for p in self.params:
            p.grad = None
        return value.detach(), shown * share, gradients

    def put(self, row: Array) -> None:
        """Make the entries of `row` the network's parameters."""
        start = 0
        for p in self.params:
            end = start + p.array.size
            p.array[...] = row[start:end].reshape(p.array.shape)
            note_change(p.array, "L-BFGS")
            start = end

    def row(self) -> Array:
        """The network's parameters in a row."""
        return np.concatenate([p.array.reshape(-1) for p in self.params])

    def __call__(self, row: Array) -> tuple[float, Array]:
        """The loss with these parameters, and its gradient."""
        self.put(row)
        value, shown, gradient = 0.0, 0.0, np.zeros_like(row)
        for batch in self.data:
            if len(batch) > 2 and not batch[2].array.any():
                continue  # rows that do not count
            part, seen, gradients = self._block(*batch)
            value += float(part.array)
            shown += float(seen.array)
            gradient += np.concatenate([g.array.reshape(-1) for g in gradients])
        start, factor = 0, self.alpha / self.total
        for p in self.params:
            end = start + p.array.size
            if id(p) in self._decayed:
                w = row[start:end]
                penalty = 0.5 * factor * float(w @ w)
                value, shown = value + penalty, shown + penalty
                gradient[start:end] += factor * w
            start = end
        self.shown = shown
        return value, gradient


def minimise(
    estimator: Any, objective: WholeLoss, after: Callable[[float], bool]
) -> None:
    """Run the solver, and set `n_iter_` and `loss_`.

    `after` is called with the loss after each iteration, and may ask to stop.
    """
    from scipy.optimize import minimize

    def watch(row: Array) -> None:
        if after(objective.shown):
            raise StopIteration

    with np.errstate(all="ignore"):
        result = minimize(
            objective,
            objective.row(),
            method="L-BFGS-B",
            jac=True,
            callback=watch,
            options={
                "maxfun": int(estimator.max_fun),
                "maxiter": int(estimator.max_iter),
                "gtol": float(estimator.tol),
            },
        )
    objective(result.x)
    estimator.n_iter_ = min(int(result.nit), int(estimator.max_iter))
    estimator.loss_ = objective.shown
    if result.status not in (0, 99):  # 99: a callback asked to stop
        warnings.warn(
            f"{type(estimator).__name__}: L-BFGS stopped after {result.nit} iterations "
            f"without converging ({result.message}); raise max_iter or max_fun, or "
            "scale the columns of X",
            ConvergenceWarning,
            stacklevel=2,
        )
