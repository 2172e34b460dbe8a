"""Adam and AdamW (Kingma and Ba, 2015; Loshchilov and Hutter, 2019)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dotori._tensor import Tensor
from dotori.errors import ArgumentError
from dotori.kernels.optim import adam
from dotori.optim.flat import Run
from dotori.optim.optimizer import Group, Optimizer
from dotori.optim.settings import Rate, check_betas, check_flags, check_settings


class Adam(Optimizer):
    """m <- b1 m + (1-b1) g; v <- b2 v + (1-b2) g^2; p <- p - lr mhat/(sqrt(vhat)+eps).

    mhat = m / (1 - b1^t) and vhat = v / (1 - b2^t) correct the start at zero
    (Kingma and Ba, algorithm 1). `weight_decay` adds weight_decay * p to g; with
    `decoupled_weight_decay` it shrinks p by lr * weight_decay instead, which is AdamW.

    Parameters
    ----------
    params : iterable of parameters or groups
    lr : float or tensor
    betas : (float, float), or two tensors
    eps : float
    weight_decay : float
    amsgrad : bool
        Use the largest v so far (Reddi, Kale and Kumar, 2018).
    maximize : bool
        Go up the gradient.
    foreach, capturable, differentiable, fused
        As PyTorch takes them: see `dotori.optim.settings.check_flags`.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([1.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> _ = optimizer.step()
    >>> round(w.item(), 4)
    0.9
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Rate = 1e-3,
        betas: tuple[Rate, Rate] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        name = type(self).__name__
        check_settings(name, lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas(name, betas)
        check_flags(name, foreach=foreach, fused=fused, differentiable=differentiable)
        if [type(b) for b in betas] != [float, float] and not all(
            isinstance(b, Tensor) for b in betas
        ):
            raise ArgumentError(
                f"{name}: betas must be two floats or two tensors, got {betas}"
            )
        if foreach and not capturable and isinstance(lr, Tensor):
            raise ArgumentError(f"{name}: foreach=True wants lr as a float")
        defaults = {
            "lr": lr,
            "betas": (float(betas[0]), float(betas[1])),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "foreach": foreach,
            "maximize": maximize,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def update(self, run: Run, group: Group) -> None:
        (beta1, beta2), t = group["betas"], run.step + 1
        lr, decay, keep = float(group["lr"]), group["weight_decay"], 1.0
        if group["decoupled_weight_decay"]:
            decay, keep = 0.0, 1.0 - lr * decay
        correction = (1 - beta2**t) ** 0.5
        g = run.gradient()
        adam(
            run.values,
            -g if group["maximize"] else g,
            run.state("exp_avg"),
            run.state("exp_avg_sq"),
            run.state("max_exp_avg_sq") if group["amsgrad"] else None,
            lr * correction / (1 - beta1**t),
            1.0 - beta1,
            1.0 - beta2,
            float(beta2),
            group["eps"] * correction,
            float(decay),
            keep,
        )


class AdamW(Adam):
    """Adam with decoupled weight decay: p <- (1 - lr weight_decay) p, then Adam's step.

    Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019,
    algorithm 2. The parameters are Adam's.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([1.0], requires_grad=True)
    >>> optimizer = AdamW([w], lr=0.1, weight_decay=0.5)
    >>> w.grad = dotori.tensor([2.0])
    >>> _ = optimizer.step()
    >>> round(w.item(), 4)
    0.85
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Rate = 1e-3,
        betas: tuple[Rate, Rate] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
