"""Averaged stochastic gradient descent (Polyak and Juditsky, 1992)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from dotori.optim.flat import Run
from dotori.optim.optimizer import Group, Optimizer
from dotori.optim.settings import Rate, check_flags, check_settings


class ASGD(Optimizer):
    """p <- (1 - lambd eta) p - eta g;  ax <- ax + mu (p - ax): the average of p.

    eta = lr / (1 + lambd lr t)^alpha falls with the steps; mu = 1 / max(1, t - t0), so
    that averaging begins after step t0. The average is ``optimizer.state[p]["ax"]``.
    `weight_decay` adds weight_decay * p to g.

    Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", SIAM
    Journal on Control and Optimization, 1992; with the rates of Bottou, "Stochastic
    gradient descent tricks", 2012, section 5.

    Parameters
    ----------
    params : iterable of parameters or groups
    lr : float or tensor
    lambd, alpha, t0, weight_decay : float
    maximize : bool
        Go up the gradient.
    foreach, capturable, differentiable
        As PyTorch takes them: see `dotori.optim.settings.check_flags`.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([1.0], requires_grad=True)
    >>> optimizer = ASGD([w], lr=0.25, lambd=0.0, t0=0)
    >>> for _ in range(2):
    ...     w.grad = dotori.tensor([1.0])
    ...     _ = optimizer.step()
    >>> w.item(), optimizer.state[w]["ax"].item()
    (0.5, 0.5)
    """

    numbers: ClassVar[tuple[str, ...]] = ("step", "eta", "mu")

    def __init__(
        self,
        params: Iterable[Any],
        lr: Rate = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_settings("ASGD", lr=lr, weight_decay=weight_decay)
        check_flags("ASGD", foreach=foreach, differentiable=differentiable)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def update(self, run: Run, group: Group) -> None:
        lr, lambd, t = float(group["lr"]), group["lambd"], run.step + 1
        eta, mu = run.numbers.get("eta", lr), run.numbers.get("mu", 1.0)
        for p, g, ax in run.blocks(group, "ax"):
            p *= 1 - lambd * eta
            p -= eta * g
            if mu == 1:  # also where ax is infinite
                ax[...] = p
            else:
                ax += (p - ax) * mu
        run.numbers["eta"] = lr / (1 + lambd * lr * t) ** group["alpha"]
        run.numbers["mu"] = 1 / max(1, t - group["t0"])
