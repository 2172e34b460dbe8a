"""RMSprop (Tieleman and Hinton, 2012)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dotori.kernels.optim import rmsprop
from dotori.optim.flat import Run
from dotori.optim.optimizer import Group, Optimizer
from dotori.optim.settings import Rate, check_flags, check_settings


class RMSprop(Optimizer):
    """s <- alpha s + (1 - alpha) g^2;  p <- p - lr g / (sqrt(s) + eps).

    Tieleman and Hinton, "Neural networks for machine learning", lecture 6.5, 2012.
    With `centered`, the variance s - mean(g)^2 takes the place of s (Graves,
    "Generating sequences with recurrent neural networks", 2013, equations 38 to 41).
    With `momentum`, v <- momentum v + g / (sqrt(s) + eps) and p <- p - lr v.

    Parameters
    ----------
    params : iterable of parameters or groups
    lr : float or tensor
    alpha, eps, weight_decay, momentum : float
    centered, maximize : bool
    capturable, foreach, differentiable
        As PyTorch takes them: see `dotori.optim.settings.check_flags`.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([1.0], requires_grad=True)
    >>> optimizer = RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> _ = optimizer.step()
    >>> round(w.item(), 4)
    0.9
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Rate = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings = {"lr": lr, "alpha": alpha, "eps": eps, "momentum": momentum}
        check_settings("RMSprop", **settings, weight_decay=weight_decay)
        check_flags("RMSprop", foreach=foreach, differentiable=differentiable)
        defaults = {
            **settings,
            "weight_decay": weight_decay,
            "centered": centered,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def update(self, run: Run, group: Group) -> None:
        g = run.gradient()
        rmsprop(
            run.values,
            -g if group["maximize"] else g,
            run.state("square_avg"),
            run.state("momentum_buffer") if group["momentum"] > 0 else None,
            run.state("grad_avg") if group["centered"] else None,
            float(group["lr"]),
            float(group["alpha"]),
            1.0 - group["alpha"],
            float(group["eps"]),
            float(group["weight_decay"]),
            float(group["momentum"]),
        )
