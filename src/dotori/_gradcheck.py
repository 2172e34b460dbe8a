"""Gradients held against finite differences, for the library's tests and for anybody.

The central difference (f(x + h) - f(x - h)) / 2h is off by O(h^2); with h = 1e-6 in
float64 it has about nine right digits (Nocedal and Wright, "Numerical optimization",
2nd edition, section 8.1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dotori import autograd
from dotori._tensor import Tensor
from dotori.errors import ArgumentError, DTypeError, GradientError
from dotori.functions.creation import as_tensor, tensor

Function = Callable[..., Any]


def gradcheck(
    func: Function,
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Compare the gradients of `func` with finite differences, element by element.

    Parameters
    ----------
    func : callable
        Takes the inputs, returns a tensor or several. It must give the same value
        each time: seed it if it draws random numbers.
    inputs : tensor, array or sequence of them
        Those that hold float64 are checked; if some require a gradient, those alone.
    eps : float
        The step h of the difference.
    atol, rtol : float
        An element is right if it is off by at most ``atol + rtol * |numerical|``.
    raise_exception : bool
        Raise for a wrong gradient; otherwise return False.

    Raises
    ------
    GradientError
        Names the worst element, both values, and how many others are wrong.

    Examples
    --------
    >>> import dotori
    >>> x = dotori.tensor([0.5, 1.5], dtype=dotori.float64, requires_grad=True)
    >>> gradcheck(lambda x: dotori.exp(x) * x, x)
    True
    """
    tensors, checked = _prepare(inputs)
    outputs = _call(func, tensors)
    if not any(y.requires_grad for y in outputs):
        raise GradientError(
            "gradcheck: no output of the function depends on an input that requires a "
            "gradient; was detach(), numpy() or no_grad() used inside?"
        )
    for k, y in enumerate(outputs):
        if not y.requires_grad:
            continue
        analytical = _analytical_jacobians(y, tensors, checked)
        for i, ours in zip(checked, analytical, strict=True):
            numerical = _numerical_jacobian(func, tensors, i, k, eps)
            message = _worst(ours, numerical, tensors[i].shape, y.shape, atol, rtol)
            if message and not raise_exception:
                return False
            if message:
                where = f"output {k} with respect to input {i}"
                raise GradientError(f"gradcheck: the gradient of {where} {message}")
    return True


def gradgradcheck(
    func: Function,
    inputs: Tensor | Sequence[Any],
    grad_outputs: Sequence[Any] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Compare the gradients of the gradients of `func` with finite differences.

    Parameters
    ----------
    grad_outputs : sequence of tensors, optional
        Weights for the outputs' elements; fixed irregular numbers by default.

    Others as in `gradcheck`.

    Examples
    --------
    >>> import dotori
    >>> x = dotori.tensor([0.5, 1.5], dtype=dotori.float64, requires_grad=True)
    >>> gradgradcheck(lambda x: dotori.exp(x) * x, x)
    True
    """
    tensors, checked = _prepare(inputs)
    outputs = [y for y in _call(func, tensors) if y.requires_grad]
    if grad_outputs is None:
        grad_outputs = [_irregular(y.shape) for y in outputs]
    weights = [tensor(g, dtype=np.float64, requires_grad=True) for g in grad_outputs]

    def gradients(*args: Tensor) -> tuple[Tensor, ...]:
        xs, ws = args[: len(tensors)], args[len(tensors) :]
        ys = [y for y in _call(func, xs) if y.requires_grad]
        gs = autograd.grad(
            ys, [xs[i] for i in checked], list(ws), create_graph=True, allow_unused=True
        )
        return tuple(g for g in gs if g is not None and g.requires_grad)

    return gradcheck(
        gradients,
        [*tensors, *weights],
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
    )


def _prepare(inputs: Any) -> tuple[list[Tensor], list[int]]:
    """Fresh leaves for the inputs, and the positions of those to check."""
    if isinstance(inputs, Tensor) or not isinstance(inputs, (list, tuple)):
        inputs = [inputs]
    given = [as_tensor(x) for x in inputs]
    floats = [i for i, x in enumerate(given) if x.dtype.kind == "f"]
    chosen = [i for i in floats if given[i].requires_grad] or floats
    if not chosen:
        raise ArgumentError("gradcheck: none of the inputs holds floats")
    for i in chosen:
        if given[i].dtype != np.float64:
            raise DTypeError(
                f"gradcheck: input {i} is {given[i].dtype}; differences need float64: "
                "convert it with .double()"
            )
    fresh = [tensor(x.array, requires_grad=i in chosen) for i, x in enumerate(given)]
    return fresh, chosen


def _call(func: Function, args: Sequence[Tensor]) -> list[Tensor]:
    result = func(*args)
    outputs = list(result) if isinstance(result, (list, tuple)) else [result]
    for y in outputs:
        if not isinstance(y, Tensor):
            raise DTypeError(
                f"gradcheck: the function must return tensors, got {type(y).__name__}"
            )
    return outputs


def _analytical_jacobians(
    y: Tensor, tensors: list[Tensor], checked: list[int]
) -> list[Any]:
    """dy[b]/dx[a] at [a, b], one walk back for each element of y."""
    jacobians = [np.zeros((tensors[i].numel(), y.numel())) for i in checked]
    for b in range(y.numel()):
        seed = np.zeros(y.shape)
        seed.flat[b] = 1.0
        gs = autograd.grad(
            y, [tensors[i] for i in checked], seed, retain_graph=True, allow_unused=True
        )
        for jacobian, g in zip(jacobians, gs, strict=True):
            if g is not None:
                jacobian[:, b] = g.array.ravel()
    return jacobians


def _numerical_jacobian(
    func: Function, tensors: list[Tensor], i: int, k: int, eps: float
) -> Any:
    """(f(x + h) - f(x - h)) / 2h for each element of input `i`, of output `k`."""
    x = tensors[i].array

    def value(a: int, step: float) -> Any:
        moved = x.copy()
        moved.flat[a] += step
        args = [tensor(t.array, requires_grad=t.requires_grad) for t in tensors]
        args[i] = tensor(moved, requires_grad=True)
        return _call(func, args)[k].array.ravel().copy()

    rows = [(value(a, eps) - value(a, -eps)) / (2 * eps) for a in range(x.size)]
    return np.array(rows) if rows else np.zeros((0, 0))


def _worst(
    ours: Any,
    numerical: Any,
    in_shape: tuple[int, ...],
    out_shape: tuple[int, ...],
    atol: float,
    rtol: float,
) -> str | None:
    """A sentence on the element that is furthest off, or None if all are right."""
    if not ours.size:
        return None
    excess = np.abs(ours - numerical) - (atol + rtol * np.abs(numerical))
    excess[~np.isfinite(excess)] = np.inf
    wrong = int((excess > 0).sum())
    if not wrong:
        return None
    a, b = np.unravel_index(int(excess.argmax()), excess.shape)
    at_in, at_out = _position(a, in_shape), _position(b, out_shape)
    difference = abs(ours[a, b] - numerical[a, b])
    return (
        f"is wrong in {wrong} of {excess.size} elements; worst at output element "
        f"{at_out}, input element {at_in}: backward gives {ours[a, b]:.10g}, finite "
        f"differences {numerical[a, b]:.10g}, off by {difference:.3g}"
    )


def _position(flat: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(v) for v in np.unravel_index(int(flat), shape))


def _irregular(shape: tuple[int, ...]) -> Any:
    """Weights without any pattern that a wrong gradient could hide behind."""
    size = int(np.prod(shape, dtype=np.int64))
    golden = 0.6180339887498949 * np.arange(1, size + 1)
    return (0.5 + np.modf(golden)[0]).reshape(shape)
