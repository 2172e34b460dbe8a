"""Stochastic gradient descent, with momentum and Nesterov's form of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from dotori.errors import ArgumentError
from dotori.kernels.optim import sgd
from dotori.optim.flat import Run
from dotori.optim.optimizer import Group, Optimizer
from dotori.optim.settings import Rate, check_flags, check_settings


class SGD(Optimizer):
    """v <- momentum v + (1 - dampening) g;  p <- p - lr v.

    Without momentum, p <- p - lr g. With `nesterov`, p <- p - lr (g + momentum v).
    `weight_decay` adds weight_decay * p to g. Sutskever, Martens, Dahl and Hinton, "On
    the importance of initialization and momentum in deep learning", ICML 2013,
    equations 1 to 4, in PyTorch's form: the first v is g, and lr multiplies all of v.

    Parameters
    ----------
    params : iterable of parameters or groups
    lr : float or tensor
    momentum, dampening, weight_decay : float
    nesterov : bool
    maximize : bool
        Go up the gradient.
    foreach, differentiable, fused
        As PyTorch takes them: see `dotori.optim.settings.check_flags`.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([1.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> _ = optimizer.step()
    >>> w.item()
    0.5
    """

    numbers: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        params: Iterable[Any],
        lr: Rate = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_settings("SGD", lr=lr, momentum=momentum, weight_decay=weight_decay)
        check_flags("SGD", foreach=foreach, fused=fused, differentiable=differentiable)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ArgumentError("SGD: nesterov needs momentum above 0 and no dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def update(self, run: Run, group: Group) -> None:
        momentum, g = group["momentum"], run.gradient()
        sgd(
            run.values,
            -g if group["maximize"] else g,
            run.state("momentum_buffer") if momentum else None,
            float(group["lr"]),
            float(momentum),
            1.0 - group["dampening"],
            float(group["weight_decay"]),
            bool(group["nesterov"]),
            run.step == 0,
        )
        if not momentum:
            run.step -= 1  # momentum that is switched on later is to begin then
