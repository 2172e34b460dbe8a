"""Steps from the signs of gradients: Rprop, and Lion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from dotori.errors import ArgumentError
from dotori.optim.flat import Run
from dotori.optim.optimizer import Group, Optimizer
from dotori.optim.settings import Rate, check_betas, check_flags, check_settings


class Rprop(Optimizer):
    """p <- p - sign(g) d: each element has a step d of its own, only g's sign counts.

    d grows by ``etas[1]`` while g keeps its sign; where the sign turned, d shrinks by
    ``etas[0]`` and g counts as 0 for this step and the next comparison. d begins at
    `lr` and stays within `step_sizes`. For gradients over all data, not batches.

    Riedmiller and Braun, "A direct adaptive method for faster backpropagation
    learning: the RPROP algorithm", ICNN 1993, section 3; without taking steps back,
    as in iRprop- of Igel and Hüsken, "Improving the Rprop learning algorithm", 2000.

    Parameters
    ----------
    params : iterable of parameters or groups
    lr : float or tensor
    etas : (float, float)
    step_sizes : (float, float)
    maximize : bool
        Go up the gradient.
    foreach, capturable, differentiable
        As PyTorch takes them: see `dotori.optim.settings.check_flags`.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([1.0], requires_grad=True)
    >>> optimizer = Rprop([w], lr=0.25)
    >>> for g in (8.0, 0.1, -3.0):
    ...     w.grad = dotori.tensor([g])
    ...     _ = optimizer.step()
    ...     print(round(w.item(), 4))
    0.75
    0.45
    0.45
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Rate = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_settings("Rprop", lr=lr)
        check_flags("Rprop", foreach=foreach, differentiable=differentiable)
        if not 0 < etas[0] < 1 < etas[1]:
            raise ArgumentError(
                f"Rprop: etas must be one number in (0, 1) and one above 1, got {etas}"
            )
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def update(self, run: Run, group: Group) -> None:
        if run.step == 0:
            run.state("step_size")[...] = float(group["lr"])
        (shrink, grow), (smallest, largest) = group["etas"], group["step_sizes"]
        for p, g, before, d in run.blocks(group, "prev", "step_size"):
            same = g * before
            d[same > 0] *= grow
            d[same < 0] *= shrink
            np.clip(d, smallest, largest, out=d)
            before[...] = g
            before[same < 0] = 0
            p -= np.sign(before) * d


class Lion(Optimizer):
    """p <- (1 - lr weight_decay) p - lr sign(b1 m + (1-b1) g);  m <- b2 m + (1-b2) g.

    Every element moves by lr, so lr should be 3 to 10 times smaller than AdamW's and
    weight_decay as many times larger. Chen, Liang, Huang, Real and others, "Symbolic
    discovery of optimization algorithms", NeurIPS 2023, algorithm 2.

    PyTorch has no Lion; the arguments are those of its other optimisers.

    Parameters
    ----------
    params : iterable of parameters or groups
    lr : float or tensor
    betas : (float, float)
    weight_decay : float
    maximize : bool
        Go up the gradient.
    foreach, capturable, differentiable
        As PyTorch takes them: see `dotori.optim.settings.check_flags`.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = Lion([w], lr=0.25)
    >>> w.grad = dotori.tensor([8.0, -0.1])
    >>> _ = optimizer.step()
    >>> w.tolist()
    [0.75, 1.25]
    """

    numbers: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        params: Iterable[Any],
        lr: Rate = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_settings("Lion", lr=lr, weight_decay=weight_decay)
        check_betas("Lion", betas)
        check_flags("Lion", foreach=foreach, differentiable=differentiable)
        defaults = {
            "lr": lr,
            "betas": betas,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def update(self, run: Run, group: Group) -> None:
        lr, (b1, b2) = float(group["lr"]), group["betas"]
        for p, g, m in run.blocks(group, "exp_avg", decoupled=True):
            p -= lr * np.sign(b1 * m + (1 - b1) * g)
            m *= b2
            m += (1 - b2) * g
