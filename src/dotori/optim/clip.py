"""Clipping gradients, by their norm over all parameters or element by element."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from dotori._tensor import Tensor
from dotori.autograd import wrap
from dotori.errors import NonFiniteError


def _gradients(parameters: Any) -> list[Any]:
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    return [p.grad.array for p in parameters if p.grad is not None]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale the gradients in place so that their joint norm is at most `max_norm`.

    g <- g * min(1, max_norm / (norm + 1e-6)); Pascanu, Mikolov and Bengio, ICML 2013.

    Returns
    -------
    Tensor
        The norm before; it may be NaN or infinite, and then so are the gradients.

    Raises
    ------
    NonFiniteError
        For such a norm, with `error_if_nonfinite`.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([0.0, 0.0], requires_grad=True)
    >>> w.grad = dotori.tensor([3.0, 4.0])
    >>> clip_grad_norm_([w], 1.0).item()
    5.0
    >>> [round(v, 3) for v in w.grad.tolist()]
    [0.6, 0.8]
    """
    grads = _gradients(parameters)
    norms = [_norm(g.reshape(-1), norm_type) for g in grads]
    if norm_type == math.inf:
        total = max(norms, default=0.0)
    else:
        total = sum(n**norm_type for n in norms) ** (1 / norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        raise NonFiniteError(
            f"clip_grad_norm_: the norm of the gradients is {total}; look for the "
            "layer that gives NaN or infinity with dotori.nn.find_nonfinite"
        )
    factor = max_norm / (total + 1e-6)
    if not factor >= 1:  # also NaN, which must stay visible
        for g in grads:
            np.multiply(g, g.dtype.type(factor), out=g)
    dtype = grads[0].dtype if grads else np.float32
    return wrap(np.asarray(total, dtype))


def _norm(g: Any, kind: float) -> float:
    if not g.size:
        return 0.0
    if kind == math.inf:
        return float(np.abs(g).max())
    if kind == 2.0:
        square = float(np.dot(g, g))
        if math.isfinite(square) and square > 1e-30:
            return math.sqrt(square)
    return float((np.abs(g.astype(np.float64)) ** kind).sum() ** (1 / kind))


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Keep each element of the gradients within [-clip_value, clip_value], in place."""
    for g in _gradients(parameters):
        np.clip(g, -clip_value, clip_value, out=g)
