"""Variants of Adam: Adamax, NAdam, RAdam."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar

from dotori.kernels.adaptive import adamax, nadam, radam
from dotori.optim.flat import Run
from dotori.optim.optimizer import Group, Optimizer
from dotori.optim.settings import Rate, check_betas, check_flags, check_settings


class Adamax(Optimizer):
    """m <- b1 m + (1-b1) g;  u <- max(b2 u, |g| + eps);  p <- p - lr/(1-b1^t) m/u.

    Adam with the largest gradient in place of the root of the mean square: Kingma and
    Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 2.
    `weight_decay` adds weight_decay * p to g.

    Parameters
    ----------
    params : iterable of parameters or groups
    lr : float or tensor
    betas : (float, float)
    eps, weight_decay : float
    maximize : bool
        Go up the gradient.
    foreach, capturable, differentiable
        As PyTorch takes them: see `dotori.optim.settings.check_flags`.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([1.0], requires_grad=True)
    >>> optimizer = Adamax([w], lr=0.25)
    >>> w.grad = dotori.tensor([8.0])
    >>> _ = optimizer.step()
    >>> round(w.item(), 4)
    0.75
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Rate = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_settings("Adamax", lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas("Adamax", betas)
        check_flags("Adamax", foreach=foreach, differentiable=differentiable)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def update(self, run: Run, group: Group) -> None:
        (b1, b2), eps, t = group["betas"], group["eps"], run.step + 1
        rate = float(group["lr"]) / (1 - b1**t)
        for p, g, m, u in run.blocks(group, "exp_avg", "exp_inf"):
            adamax(p, g, m, u, rate, 1.0 - b1, float(b2), float(eps))


class NAdam(Optimizer):
    """Adam with Nesterov's momentum: the step looks ahead by the momentum to come.

    mu_t = b1 (1 - 0.96^(t momentum_decay) / 2), P_t = mu_1 ... mu_t and m, v as in
    Adam; p <- p - lr (mu_(t+1) m / (1 - P_(t+1)) + (1 - mu_t) g / (1 - P_t)) /
    (sqrt(v / (1 - b2^t)) + eps).

    Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016, algorithm 2
    with the schedule of mu from its section 3. `weight_decay` adds weight_decay * p to
    g, or shrinks p by lr * weight_decay with `decoupled_weight_decay`.

    Parameters
    ----------
    params : iterable of parameters or groups
    lr : float or tensor
    betas : (float, float)
    eps, weight_decay, momentum_decay : float
    decoupled_weight_decay : bool
    maximize : bool
        Go up the gradient.
    foreach, capturable, differentiable
        As PyTorch takes them: see `dotori.optim.settings.check_flags`.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([1.0], requires_grad=True)
    >>> optimizer = NAdam([w], lr=0.1)
    >>> w.grad = dotori.tensor([2.0])
    >>> _ = optimizer.step()
    >>> round(w.item(), 4)
    0.8944
    """

    numbers: ClassVar[tuple[str, ...]] = ("step", "mu_product")

    def __init__(
        self,
        params: Iterable[Any],
        lr: Rate = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings = {"eps": eps, "weight_decay": weight_decay}
        check_settings("NAdam", lr=lr, momentum_decay=momentum_decay, **settings)
        check_betas("NAdam", betas)
        check_flags("NAdam", foreach=foreach, differentiable=differentiable)
        defaults = {
            "lr": lr,
            "betas": betas,
            **settings,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def update(self, run: Run, group: Group) -> None:
        (b1, b2), eps, t = group["betas"], group["eps"], run.step + 1
        lr, decoupled = float(group["lr"]), group["decoupled_weight_decay"]
        mu, ahead = (
            b1 * (1 - 0.5 * 0.96 ** (k * group["momentum_decay"])) for k in (t, t + 1)
        )
        product = run.numbers.get("mu_product", 1.0) * mu
        run.numbers["mu_product"] = product
        now, next_ = lr * (1 - mu) / (1 - product), lr * ahead / (1 - product * ahead)
        shares = 1.0 - b1, 1.0 - b2, float(b2), 1.0 / (1 - b2**t), float(eps)
        states = ("exp_avg", "exp_avg_sq")
        for p, g, m, v in run.blocks(group, *states, decoupled=decoupled):
            nadam(p, g, m, v, now, next_, *shares)


class RAdam(Optimizer):
    """Adam that trusts v once enough gradients went into it, else plain momentum.

    With n = 2 / (1-b2) - 1 and n_t = n - 2 t b2^t / (1 - b2^t), and m and v as in
    Adam: where n_t > 5, p <- p - lr r m / (1 - b1^t) * sqrt(1 - b2^t) / (sqrt(v) + eps)
    with r^2 = (n_t-4)(n_t-2) n / ((n-4)(n-2) n_t); else p <- p - lr m / (1 - b1^t).

    Liu, Jiang, He, Chen, Liu, Gao and Han, "On the variance of the adaptive learning
    rate and beyond", ICLR 2020, algorithm 2 (with 5 for its threshold 4, as PyTorch).
    `weight_decay` adds weight_decay * p to g, or shrinks p by lr * weight_decay with
    `decoupled_weight_decay`.

    Parameters
    ----------
    params : iterable of parameters or groups
    lr : float or tensor
    betas : (float, float)
    eps, weight_decay : float
    decoupled_weight_decay : bool
    maximize : bool
        Go up the gradient.
    foreach, capturable, differentiable
        As PyTorch takes them: see `dotori.optim.settings.check_flags`.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([1.0], requires_grad=True)
    >>> optimizer = RAdam([w], lr=0.1)
    >>> w.grad = dotori.tensor([2.0])
    >>> _ = optimizer.step()
    >>> round(w.item(), 4)
    0.8
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Rate = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_settings("RAdam", lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas("RAdam", betas)
        check_flags("RAdam", foreach=foreach, differentiable=differentiable)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def update(self, run: Run, group: Group) -> None:
        (b1, b2), eps, t = group["betas"], group["eps"], run.step + 1
        rate, root = float(group["lr"]) / (1 - b1**t), rectified_root(b2, t)
        states, decoupled = ("exp_avg", "exp_avg_sq"), group["decoupled_weight_decay"]
        trusted = root is not None
        shares = 1.0 - b1, 1.0 - b2, float(b2), float(eps)
        for p, g, m, v in run.blocks(group, *states, decoupled=decoupled):
            radam(p, g, m, v, rate * (root or 1.0), *shares, trusted)


def rectified_root(beta2: float, t: int) -> float | None:
    """r sqrt(1 - beta2^t) of RAdam's step t; None while v is not to be trusted.

    Examples
    --------
    >>> rectified_root(0.999, 5) is None
    True
    >>> round(rectified_root(0.999, 6), 5)
    0.002
    """
    correction = 1 - beta2**t
    n = 2 / (1 - beta2) - 1
    nt = n - 2 * t * beta2**t / correction
    if nt <= 5:
        return None
    square = (nt - 4) * (nt - 2) * n / ((n - 4) * (n - 2) * nt)
    return math.sqrt(square * correction)
