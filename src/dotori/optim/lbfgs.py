"""L-BFGS: quasi-Newton steps from the last gradients (Nocedal and Wright, 2006)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.autograd import enable_grad, note_change, wrap
from dotori.errors import ArgumentError
from dotori.optim.line_search import strong_wolfe
from dotori.optim.optimizer import Optimizer
from dotori.optim.settings import Rate, check_settings

Array = NDArray[Any]
State = dict[str, Any]

#: A pair with a smaller product y s would make the Hessian's approximation useless.
LEAST_CURVATURE = 1e-10


class LBFGS(Optimizer):
    """p <- p + t d, where d = -H g and H, from the last steps and gradients, ~ 1/f''.

    One `step` makes up to `max_iter` such iterations and calls `closure` for each, at
    least: for losses over all data. H is that of Nocedal and Wright, "Numerical
    optimization", 2nd edition, 2006, algorithms 7.4 and 7.5; t is `lr`, or found along
    d by their algorithms 3.5 and 3.6 with ``line_search_fn="strong_wolfe"``.

    Parameters
    ----------
    params : iterable of parameters
        One group only.
    lr : float or tensor
    max_iter : int
        Iterations for each `step`.
    max_eval : int, optional
        Evaluations of the closure for each `step`; by default 1.25 * max_iter.
    tolerance_grad, tolerance_change : float
        Stop where no gradient is larger, or no change of a parameter or the loss.
    history_size : int
        How many steps are remembered: 2 * history_size + 2 times the parameters.
    line_search_fn : {None, "strong_wolfe"}

    Examples
    --------
    The minimum of a parabola in one step:

    >>> import dotori
    >>> w = dotori.tensor([5.0, -3.0], requires_grad=True)
    >>> optimizer = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - dotori.tensor([1.0, 2.0])) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> round(optimizer.step(closure).item(), 3), [round(v, 3) for v in w.tolist()]
    (41.0, [1.0, 2.0])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Rate = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_settings("LBFGS", lr=lr)
        if line_search_fn not in (None, "strong_wolfe"):
            raise ArgumentError(
                "LBFGS: line_search_fn must be None or 'strong_wolfe', got "
                f"{line_search_fn!r}"
            )
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: Any) -> None:
        if self.param_groups:
            raise ArgumentError(
                "LBFGS takes one group: its steps are made for all parameters together"
            )
        super().add_param_group(param_group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make up to `max_iter` iterations; returns the loss before the first.

        `closure` clears the gradients, computes the loss with gradients, and returns
        it.
        """
        if closure is None:
            raise ArgumentError(
                "LBFGS.step needs a closure that computes the loss anew"
            )
        with np.errstate(all="ignore"):
            return self._iterate(closure)

    def _iterate(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        state = self.state[group["params"][0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        before = state["func_evals"]
        start, g = self._evaluate(closure)
        state["func_evals"] += 1
        loss = float(start)
        if _largest(g) <= group["tolerance_grad"]:
            return start
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            d = _direction(g, state, group["history_size"])
            t = float(group["lr"])
            if state["n_iter"] == 1:
                t *= min(1.0, 1.0 / float(np.abs(g).sum()))
            state.update(d=wrap(d), t=t, prev_flat_grad=wrap(g.copy()), prev_loss=loss)
            if float(g @ d) > -group["tolerance_change"]:
                break
            tries = group["max_eval"] - (state["func_evals"] - before)
            old, last = loss, iteration == group["max_iter"]
            loss, g = self._advance(closure, state, loss, g, tries, last)
            if (
                state["func_evals"] - before >= group["max_eval"]
                or _largest(g) <= group["tolerance_grad"]
                or _largest(d * state["t"]) <= group["tolerance_change"]
                or abs(loss - old) < group["tolerance_change"]
            ):
                break
        return start

    def _advance(
        self,
        closure: Callable[[], Any],
        state: State,
        loss: float,
        g: Array,
        tries: int,
        last: bool,
    ) -> tuple[float, Array]:
        """Go along d; returns the loss and its gradient there.

        Without a line search, the `last` iteration leaves the evaluation to the next
        step, which may be given other data.
        """
        d, t = state["d"].array, state["t"]
        if self.param_groups[0]["line_search_fn"] is None:
            self._move(t * d)
            if last:
                return loss, g
            state["func_evals"] += 1
            tensor, g = self._evaluate(closure)
            return float(tensor), g
        here = [p.array.copy() for p in self.param_groups[0]["params"]]

        def along(t: float) -> tuple[float, Array]:
            self._move(t * d)
            tensor, g = self._evaluate(closure)
            for p, value in zip(self.param_groups[0]["params"], here, strict=True):
                p.array[...] = value
            return float(tensor), g

        loss, g, t, calls = strong_wolfe(along, t, d, loss, g, tries)
        state["t"] = t
        state["func_evals"] += calls
        self._move(t * d)
        return loss, g

    def _evaluate(self, closure: Callable[[], Any]) -> tuple[Any, Array]:
        """What the closure gives, and the gradients in a row."""
        with enable_grad():
            loss = closure()
        rows = [
            np.zeros(p.numel(), p.dtype) if p.grad is None else p.grad.array.reshape(-1)
            for p in self.param_groups[0]["params"]
        ]
        return loss, np.concatenate(rows)

    def _move(self, by: Array) -> None:
        """Add a row to the parameters."""
        at = 0
        for p in self.param_groups[0]["params"]:
            p.array += by[at : at + p.numel()].reshape(p.shape)
            at += p.numel()
            note_change(p.array, "LBFGS.step")


def _largest(row: Array) -> float:
    return float(np.abs(row).max(initial=0.0))


def _direction(g: Array, state: State, history_size: int) -> Array:
    """-H g, after what the last step has shown of the curvature went into H."""
    if state["n_iter"] == 1:
        state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
        return -g
    y = g - state["prev_flat_grad"].array
    s = state["d"].array * float(state["t"])
    curvature = float(y @ s)
    if curvature > LEAST_CURVATURE:
        for name, new in (
            ("old_dirs", wrap(y)),
            ("old_stps", wrap(s)),
            ("ro", 1.0 / curvature),
        ):
            state[name] = [*state[name], new][-history_size:]
        state["H_diag"] = curvature / float(y @ y)
    pairs = [
        (y.array, s.array, float(rho))
        for y, s, rho in zip(
            state["old_dirs"], state["old_stps"], state["ro"], strict=True
        )
    ]
    return _two_loops(-g, pairs, float(state["H_diag"]))


def _two_loops(
    q: Array, pairs: list[tuple[Array, Array, float]], scale: float
) -> Array:
    """H q without building H: Nocedal and Wright, algorithm 7.4."""
    alphas = []
    for y, s, rho in reversed(pairs):
        alphas.append(rho * float(s @ q))
        q = q - alphas[-1] * y
    r = scale * q
    for (y, s, rho), alpha in zip(pairs, reversed(alphas), strict=True):
        r = r + (alpha - rho * float(y @ r)) * s
    return r
