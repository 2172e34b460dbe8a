"""Clipping gradients, by their norm over all parameters or element by element.

`foreach` is taken as PyTorch takes it; it changes nothing here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from dotori._tensor import Tensor
from dotori.autograd import note_change, wrap
from dotori.backend import is_captured
from dotori.errors import CaptureError, NonFiniteError

Tensors = Tensor | Iterable[Tensor]


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients in place so that their joint norm is at most `max_norm`.

    g <- g * min(1, max_norm / (norm + 1e-6)); Pascanu, Mikolov and Bengio, "On the
    difficulty of training recurrent neural networks", ICML 2013, algorithm 1.

    Parameters
    ----------
    parameters : tensor, or iterable of tensors
        Those without a gradient are left out.
    max_norm : float
    norm_type : float
        p of the p-norm; ``math.inf`` takes the largest element.
    error_if_nonfinite : bool

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
    total = get_total_norm(grads, norm_type, error_if_nonfinite)
    _clip(grads, float(max_norm), total)
    return total


def clip_grads_with_norm_(
    parameters: Tensors,
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Scale the gradients by ``min(1, max_norm / (total_norm + 1e-6))``, in place.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([0.0, 0.0], requires_grad=True)
    >>> w.grad = dotori.tensor([3.0, 4.0])
    >>> clip_grads_with_norm_([w], 1.0, get_total_norm([w.grad]))
    >>> [round(v, 3) for v in w.grad.tolist()]
    [0.6, 0.8]
    """
    _clip(_gradients(parameters), float(max_norm), total_norm)


def clip_grad_value_(
    parameters: Tensors, clip_value: float, foreach: bool | None = None
) -> None:
    """Keep each element of the gradients within [-clip_value, clip_value], in place.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([0.0, 0.0], requires_grad=True)
    >>> w.grad = dotori.tensor([3.0, -0.5])
    >>> clip_grad_value_(w, 1.0)
    >>> w.grad.tolist()
    [1.0, -0.5]
    """
    limit = float(clip_value)
    for g in _gradients(parameters):
        if is_captured(g.array):
            g.array = np.clip(g.array, -limit, limit)
            continue
        np.clip(g.array, -limit, limit, out=g.array)
        _note(g, "clip_grad_value_")


def get_total_norm(
    tensors: Tensors,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all elements of all tensors together; 0 for none.

    Examples
    --------
    >>> import dotori
    >>> get_total_norm([dotori.tensor([3.0]), dotori.tensor([[4.0]])]).item()
    5.0
    """
    given = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    kind = float(norm_type)
    if given and is_captured(given[0].array):
        return _captured_norm(given, kind, error_if_nonfinite)
    with np.errstate(all="ignore"):
        norms = [_norm(t.array.reshape(-1), kind) for t in given]
        total = _norm(np.array(norms), kind) if norms else 0.0
    if error_if_nonfinite and not math.isfinite(total):
        raise NonFiniteError(
            f"the norm of the gradients is {total}, so they cannot be clipped; look "
            "for the layer that gives NaN or infinity with dotori.nn.find_nonfinite"
        )
    dtypes = [t.dtype for t in given] or [np.dtype(np.float32)]
    return wrap(np.asarray(total, np.result_type(*dtypes)))


def _captured_norm(given: list[Tensor], kind: float, check: bool) -> Tensor:
    """`get_total_norm` in a captured step, which cannot look at numbers."""
    if check:
        raise CaptureError("error_if_nonfinite=True looks at the norm at each step")
    from dotori.functions.join import cat
    from dotori.linalg import vector_norm

    norms = [vector_norm(t, kind).reshape(1) for t in given]
    return vector_norm(cat(norms), kind)


def _gradients(parameters: Tensors) -> list[Tensor]:
    given = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in given if p.grad is not None]


def _clip(grads: list[Tensor], max_norm: float, total: Tensor) -> None:
    if not is_captured(total.array):
        _scale(grads, max_norm, float(total))
        return
    factor = np.minimum(max_norm / (total.array + 1e-6), 1.0)
    for g in grads:
        g.array = g.array * factor.astype(g.dtype)


def _scale(grads: list[Tensor], max_norm: float, total: float) -> None:
    factor = max_norm / (total + 1e-6)
    if factor >= 1:
        return
    with np.errstate(all="ignore"):
        for g in grads:  # also by NaN, which must stay visible
            np.multiply(g.array, g.dtype.type(factor), out=g.array)
            _note(g, "clip_grad_norm_")


def _note(g: Tensor, by: str) -> None:
    if g.node is not None:  # a gradient that has a gradient itself
        note_change(g.array, by)


def _norm(g: Any, kind: float) -> float:
    """The p-norm; in float64 where the squares leave float32's range."""
    if kind == 2.0:
        square = float(np.dot(g, g))
        if math.isfinite(square) and square > 1e-30:
            return math.sqrt(square)
    if not g.size:
        return math.inf if kind == -math.inf else 0.0
    return float(np.linalg.norm(g.astype(np.float64), kind))
