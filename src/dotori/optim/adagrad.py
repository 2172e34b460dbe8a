"""Adagrad and Adadelta: rates from the history of the squared gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dotori.errors import ArgumentError
from dotori.kernels.adaptive import adadelta, adagrad
from dotori.optim.flat import Run
from dotori.optim.optimizer import Group, Optimizer
from dotori.optim.settings import Rate, check_flags, check_settings


class Adagrad(Optimizer):
    """s <- s + g^2;  p <- p - lr / (1 + (t-1) lr_decay) * g / (sqrt(s) + eps).

    Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and
    stochastic optimization", JMLR 2011, figure 1 with diagonal matrices; s begins at
    `initial_accumulator_value`. `weight_decay` adds weight_decay * p to g.

    Parameters
    ----------
    params : iterable of parameters or groups
    lr : float or tensor
    lr_decay, weight_decay, initial_accumulator_value, eps : float
    maximize : bool
        Go up the gradient.
    foreach, differentiable, fused
        As PyTorch takes them: see `dotori.optim.settings.check_flags`.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([1.0], requires_grad=True)
    >>> optimizer = Adagrad([w], lr=0.5)
    >>> w.grad = dotori.tensor([2.0])
    >>> _ = optimizer.step()
    >>> w.item()
    0.5
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Rate = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        settings = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
        }
        check_settings("Adagrad", **settings)
        check_flags(
            "Adagrad", foreach=foreach, fused=fused, differentiable=differentiable
        )
        defaults = {
            **settings,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def update(self, run: Run, group: Group) -> None:
        if run.step == 0:
            run.state("sum")[...] = self.defaults["initial_accumulator_value"]
        rate, eps = (
            float(group["lr"]) / (1 + run.step * group["lr_decay"]),
            group["eps"],
        )
        for p, g, s in run.blocks(group, "sum"):
            adagrad(p, g, s, rate, float(eps))


class Adadelta(Optimizer):
    """s <- rho s + (1-rho) g^2;  d = sqrt(a + eps) / sqrt(s + eps) * g;  p <- p - lr d.

    a <- rho a + (1-rho) d^2 is the running square of the steps, so that the step has
    the unit of p. Zeiler, "ADADELTA: an adaptive learning rate method", 2012,
    algorithm 1. `weight_decay` adds weight_decay * p to g.

    Parameters
    ----------
    params : iterable of parameters or groups
    lr : float or tensor
    rho, eps, weight_decay : float
    maximize : bool
        Go up the gradient.
    foreach, capturable, differentiable
        As PyTorch takes them: see `dotori.optim.settings.check_flags`.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([1.0], requires_grad=True)
    >>> optimizer = Adadelta([w], eps=0.01)
    >>> w.grad = dotori.tensor([3.0])
    >>> _ = optimizer.step()
    >>> round(w.item(), 4)
    0.6855
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Rate = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_settings("Adadelta", lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)
        check_flags("Adadelta", foreach=foreach, differentiable=differentiable)
        if rho > 1:
            raise ArgumentError(f"Adadelta: rho must be at most 1, got {rho}")
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def update(self, run: Run, group: Group) -> None:
        lr, rho, eps = float(group["lr"]), group["rho"], group["eps"]
        for p, g, s, a in run.blocks(group, "square_avg", "acc_delta"):
            adadelta(p, g, s, a, lr, float(rho), 1.0 - rho, float(eps))
