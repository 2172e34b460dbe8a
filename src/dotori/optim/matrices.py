"""Optimisers that see a parameter as a matrix: Adafactor, and Muon."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dotori.autograd import enable_grad, note_change, wrap
from dotori.errors import ArgumentError, ShapeError
from dotori.optim.optimizer import Group, Optimizer
from dotori.optim.settings import Rate, check_flags, check_settings

Array = NDArray[Any]


class ByParameter(Optimizer):
    """The base of optimisers that update one parameter after the other, in its shape.

    A subclass defines `update_one`.
    """

    @abstractmethod
    def update_one(
        self, p: Array, g: Array, state: dict[str, Any], group: Group
    ) -> None:
        """Write new values into `p`; what is to be kept goes into `state`."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update each parameter that has a gradient.

        `closure` computes the loss anew, with gradients, and returns it.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        states = self.state
        with np.errstate(all="ignore"):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        g = -p.grad.array if group.get("maximize") else p.grad.array
                        self.update_one(p.array, g, states[p], group)
                        note_change(p.array, f"{type(self).__name__}.step")
        return loss


def _kept(state: dict[str, Any], name: str, shape: tuple[int, ...], like: Array) -> Any:
    """A state array: zeros at first."""
    if name not in state:
        state[name] = wrap(np.zeros(shape, like.dtype))
    return state[name].array


class Adafactor(ByParameter):
    """Adam's second moment from a matrix's row and column means: O(n + m) memory.

    With b = 1 - t^beta2_decay: r <- b r + (1-b) mean of g^2 in each row, c the same in
    each column, v = r c / mean(r); u = g / max(sqrt(v), eps1), clipped to a root mean
    square of d; p <- p - max(eps2, RMS(p)) min(lr, 1/sqrt(t)) u. Vectors keep their
    whole v. First, p shrinks by lr * weight_decay.

    Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost",
    ICML 2018, algorithms 4 and 5, in PyTorch's form.

    Parameters
    ----------
    params : iterable of parameters or groups
    lr : float or tensor
    beta2_decay : float
        At most 0.
    eps : (float or None, float)
        eps1, which is the machine's epsilon for None, and eps2.
    d : float
        At least 1.
    weight_decay : float
    foreach : bool, optional
        As PyTorch takes it: see `dotori.optim.settings.check_flags`.
    maximize : bool
        Go up the gradient.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.ones(2, 2, requires_grad=True)
    >>> optimizer = Adafactor([w], lr=0.25)
    >>> w.grad = dotori.tensor([[4.0, 4.0], [4.0, 4.0]])
    >>> _ = optimizer.step()
    >>> w.tolist()
    [[0.75, 0.75], [0.75, 0.75]]
    >>> optimizer.state[w]["row_var"].shape
    (2, 1)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Rate = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_settings("Adafactor", lr=lr, weight_decay=weight_decay)
        check_settings("Adafactor", eps1=eps[0] or 0.0, eps2=eps[1])
        check_flags("Adafactor", foreach=foreach)
        if not beta2_decay <= 0:
            raise ArgumentError(
                f"Adafactor: beta2_decay must be at most 0, got {beta2_decay}"
            )
        if not d >= 1:
            raise ArgumentError(f"Adafactor: d must be at least 1, got {d}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def update_one(
        self, p: Array, g: Array, state: dict[str, Any], group: Group
    ) -> None:
        lr, (eps1, eps2) = float(group["lr"]), group["eps"]
        eps1 = float(np.finfo(p.dtype).eps) if eps1 is None else eps1
        t = float(state.get("step", 0.0)) + 1
        state["step"] = wrap(np.array(t))
        rate = max(eps2, _rms(p)) * min(lr, 1 / math.sqrt(t))
        if group["weight_decay"]:
            p *= 1 - lr * group["weight_decay"]
        v = self._second_moment(g, state, t ** group["beta2_decay"], eps1)
        u = g / np.sqrt(np.maximum(v, eps1 * eps1))
        p -= rate / max(1.0, _rms(u) / group["d"]) * u

    @staticmethod
    def _second_moment(g: Array, state: dict[str, Any], new: float, eps: float) -> Any:
        """v after `g`, which gets the weight `new`; factored for two axes or more."""
        square = g * g
        if g.ndim < 2:
            v = _kept(state, "variance", g.shape, g)
            v += new * (square - v)
            return v
        row = _kept(state, "row_var", (*g.shape[:-1], 1), g)
        column = _kept(state, "col_var", (*g.shape[:-2], 1, g.shape[-1]), g)
        row += new * (square.mean(axis=-1, keepdims=True) - row)
        column += new * (square.mean(axis=-2, keepdims=True) - column)
        return row * column / np.maximum(row.mean(axis=-2, keepdims=True), eps)


def _rms(x: Array) -> float:
    return float(np.linalg.norm(x.reshape(-1)) / math.sqrt(x.size)) if x.size else 0.0


class Muon(ByParameter):
    """Momentum made orthogonal: every direction of a matrix moves by the same length.

    m <- momentum m + (1 - momentum) g; u = m, or with `nesterov` (1 - momentum) g +
    momentum m; p <- (1 - lr weight_decay) p - lr s O(u), where O(u) = U V^T of the
    singular value decomposition of u, up to what `ns_steps` Newton-Schulz steps reach,
    and s = sqrt(max(1, rows / columns)), or 0.2 sqrt(max(rows, columns)) with
    ``adjust_lr_fn="match_rms_adamw"``.

    Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024;
    the second s is of Liu and others, "Muon is scalable for LLM training", 2025,
    section 2.2. Only for matrices: train biases and the rest with AdamW.

    PyTorch takes the Newton-Schulz steps in bfloat16. Here they are taken in the type
    of the parameter, which is the same algorithm without its rounding.

    Parameters
    ----------
    params : iterable of parameters or groups
        Each of two axes.
    lr : float or tensor
    weight_decay, momentum : float
    nesterov : bool
    ns_coefficients : (float, float, float)
    eps : float
        The least norm that u is divided by.
    ns_steps : int
        Below 100.
    adjust_lr_fn : {None, "original", "match_rms_adamw"}

    Examples
    --------
    >>> import dotori
    >>> w = dotori.zeros(2, 2, requires_grad=True)
    >>> optimizer = Muon([w], lr=0.5, ns_coefficients=(1.5, -0.5, 0.0), ns_steps=20)
    >>> w.grad = dotori.tensor([[3.0, 0.0], [0.0, -0.1]])
    >>> _ = optimizer.step()
    >>> [[round(v, 3) + 0.0 for v in row] for row in w.tolist()]
    [[-0.5, 0.0], [0.0, 0.5]]
    """

    numbers: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        params: Iterable[Any],
        lr: Rate = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check_settings("Muon", lr=lr, momentum=momentum, weight_decay=weight_decay)
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ArgumentError(
                "Muon: adjust_lr_fn must be None, 'original' or 'match_rms_adamw', "
                f"got {adjust_lr_fn!r}"
            )
        if len(ns_coefficients) != 3 or ns_steps >= 100:
            raise ArgumentError(
                "Muon: wanted three ns_coefficients and ns_steps below 100, got "
                f"{ns_coefficients} and {ns_steps}"
            )
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: Any) -> None:
        super().add_param_group(param_group)
        wrong = [p for p in self.param_groups[-1]["params"] if p.ndim != 2]
        if wrong:
            self.param_groups.pop()
            self._layouts.pop()
            raise ShapeError(
                "Muon updates parameters of two axes, got one of shape "
                f"{wrong[0].shape}; give the others to AdamW"
            )

    def update_one(
        self, p: Array, g: Array, state: dict[str, Any], group: Group
    ) -> None:
        lr, momentum = float(group["lr"]), group["momentum"]
        m = _kept(state, "momentum_buffer", g.shape, g)
        m += (1 - momentum) * (g - m)
        u = g + momentum * (m - g) if group["nesterov"] else m
        u = orthogonalized(u, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = p.shape
        scale = math.sqrt(max(1, rows / columns)) if columns else 1.0
        if group["adjust_lr_fn"] == "match_rms_adamw":
            scale = 0.2 * math.sqrt(max(rows, columns))
        p *= 1 - lr * group["weight_decay"]
        p -= lr * scale * u


def orthogonalized(
    x: Array, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Array:
    """U V^T of ``x = U S V^T``, nearly: x <- a x + (b A + c A^2) x with A = x x^T.

    A Newton-Schulz iteration: it acts on every singular value as the polynomial
    a s + b s^3 + c s^5, whose repetition brings all of (0, 1] near 1 (Bernstein and
    Newhouse, "Old optimizer, new norm", 2024, appendix A).

    Examples
    --------
    >>> x = np.array([[3.0, 0.0], [0.0, -0.1]])
    >>> np.round(orthogonalized(x, (1.5, -0.5, 0.0), 20, 1e-7), 3) + 0.0
    array([[ 1.,  0.],
           [ 0., -1.]])
    """
    a, b, c = coefficients
    wide = x.T if x.shape[0] > x.shape[1] else x
    wide = wide / max(float(np.linalg.norm(wide)), eps)
    for _ in range(steps):
        gram = wide @ wide.T
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    return wide.T if x.shape[0] > x.shape[1] else wide
