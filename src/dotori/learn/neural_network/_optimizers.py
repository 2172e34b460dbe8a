"""scikit-learn's Adam and SGD as dotori optimisers, and any other by name.

Both are dotori's own up to where the numbers enter. scikit-learn's Adam adds epsilon to
sqrt(v) before the correction of the bias; its SGD keeps the velocity -lr v in place of
v, which is another only when the rate changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dotori import optim
from dotori.errors import ArgumentError
from dotori.kernels.optim import adam
from dotori.nn import Module
from dotori.optim.flat import Run
from dotori.optim.optimizer import Group

#: Below this rate an adaptive one is not divided any more.
SMALLEST_RATE = 1e-6


class Adam(optim.Adam):
    """p <- p - lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps).

    The form that section 2 of Kingma and Ba, "Adam: a method for stochastic
    optimization" (ICLR 2015) recommends for speed, in which eps is not corrected.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([1.0], requires_grad=True)
    >>> w.grad = dotori.tensor([2.0])
    >>> _ = Adam([w], lr=0.1).step()
    >>> round(w.item(), 4)
    0.9
    """

    def update(self, run: Run, group: Group) -> None:
        (beta1, beta2), t = group["betas"], run.step + 1
        rate = float(group["lr"]) * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
        state = run.state("exp_avg"), run.state("exp_avg_sq")
        new = 1.0 - beta1, 1.0 - beta2
        eps = float(group["eps"])
        adam(run.values, run.gradient(), *state, None, rate, *new, beta2, eps, 0.0, 1.0)


def set_rate(optimizer: optim.Optimizer, rate: float) -> None:
    """Another learning rate, under which the velocity goes on as it is.

    scikit-learn's velocity is u <- momentum u - lr g. dotori's buffer b has the rate
    outside, u = -lr b, so it is multiplied by old rate / new rate.
    """
    for group, layout in zip(optimizer.param_groups, optimizer._layouts, strict=True):
        old, group["lr"] = float(group["lr"]), rate
        for flat in layout.flats if layout is not None and old != rate else ():
            velocity = flat.arrays.get("momentum_buffer")
            if velocity is not None:
                velocity *= old / rate


class Rate:
    """How scikit-learn's SGD changes its rate between epochs.

    Parameters
    ----------
    kind : {"constant", "invscaling", "adaptive"}
    start, power : float
        invscaling: start / (t + 1)^power, for t samples seen.

    Examples
    --------
    >>> Rate("invscaling", 0.1, 0.5).after_epoch(99)
    0.01
    """

    def __init__(self, kind: str, start: float, power: float) -> None:
        self.kind, self.start, self.power = kind, start, power

    def after_epoch(self, samples: int) -> float | None:
        """The rate of the epoch that follows, or None if it stays."""
        if self.kind != "invscaling":
            return None
        return float(self.start / (samples + 1) ** self.power)

    def after_standstill(self, rate: float) -> float | None:
        """A fifth of `rate` where training does not get on; None: it is to stop."""
        if self.kind != "adaptive" or rate <= SMALLEST_RATE:
            return None
        return rate / 5


def build_optimizer(owner: str, estimator: Any, network: Module) -> optim.Optimizer:
    """What the parameters `solver` and `optimizer` of an estimator say."""
    params = list(network.parameters())
    rate = float(estimator.learning_rate_init)
    if estimator.optimizer is not None:
        return _chosen(owner, estimator.optimizer, params, rate)
    if estimator.solver == "adam":
        betas = float(estimator.beta_1), float(estimator.beta_2)
        return Adam(params, lr=rate, betas=betas, eps=float(estimator.epsilon))
    momentum = float(estimator.momentum)
    nesterov = bool(estimator.nesterovs_momentum) and momentum > 0
    return optim.SGD(params, lr=rate, momentum=momentum, nesterov=nesterov)


def _chosen(owner: str, wanted: Any, params: list[Any], rate: float) -> optim.Optimizer:
    """An optimiser by name, by name with options, by class or from a function."""
    name, options = _with_options(wanted)
    kind: Any = name
    if isinstance(name, str):
        known = {k.lower(): k for k in optim.__all__ if k[0].isupper()}
        if name.lower() not in known or name.lower() == "optimizer":
            raise ArgumentError(
                f"{owner}: optimizer {name!r} is none of dotori.optim's: "
                f"{', '.join(sorted(set(known.values()) - {'Optimizer', 'LBFGS'}))}"
            )
        kind = getattr(optim, known[name.lower()])
    if kind is optim.LBFGS:
        raise ArgumentError(
            f"{owner}: optim.LBFGS needs a closure over the whole data; use "
            "solver='lbfgs', with optimizer=None"
        )
    if isinstance(kind, type) and issubclass(kind, optim.Optimizer):
        made: Any = kind(params, **{"lr": rate, **options})
    elif callable(kind) and not isinstance(kind, str):
        made = kind(params, **options)
    else:
        made = None
    if not isinstance(made, optim.Optimizer):
        raise ArgumentError(
            f"{owner}: optimizer must be a name, a class of dotori.optim, a pair of "
            f"such and a dict of options, or a function from parameters to an "
            f"optimiser; got {wanted!r}"
        )
    return made


def build_schedule(owner: str, wanted: Any, optimizer: optim.Optimizer) -> Any:
    """The learning-rate schedule that `schedule` says, or None."""
    if wanted is None:
        return None
    name, options = _with_options(wanted)
    kind: Callable[..., Any] | None = name if callable(name) else None
    if isinstance(name, str):
        kind = getattr(optim.lr_scheduler, name, None)
        if name not in optim.lr_scheduler.__all__:
            raise ArgumentError(
                f"{owner}: schedule {name!r} is none of dotori.optim.lr_scheduler's: "
                f"{', '.join(_names(optim.lr_scheduler.__all__))}"
            )
    if kind is None:
        raise ArgumentError(
            f"{owner}: schedule must be a name, a class of dotori.optim.lr_scheduler, "
            f"a pair of such and a dict of options, or a function from an optimiser to "
            f"a schedule; got {wanted!r}"
        )
    return kind(optimizer, **options)


def _with_options(wanted: Any) -> tuple[Any, dict[str, Any]]:
    """``(name, options)`` from a name, or from such a pair."""
    if isinstance(wanted, (tuple, list)) and len(wanted) == 2:
        name, options = wanted
        return name, dict(options)
    return wanted, {}


def _names(names: Iterable[str]) -> list[str]:
    return sorted(set(names) - {"LRScheduler"})
