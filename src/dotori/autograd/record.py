"""Running an operation on tensors, and recording it where a gradient is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd.graph import (
    GRAD,
    NO_ATTRS,
    OBSERVE,
    Node,
    Pick,
    Variable,
    as_variable,
    recording,
    wrap,
)
from dotori.backend import is_array, namespace, namespace_of
from dotori.dtypes import promote_operands, to_floating
from dotori.errors import ShapeError

if TYPE_CHECKING:
    from dotori._tensor import Tensor
    from dotori.ops._op import Op

_ndarray = np.ndarray
_SCALARS = (np.generic, bool, int, float)


def unary(op: type[Op], x: Any) -> Tensor:
    """`op` of one tensor, without attributes: the short way through `apply`."""
    if not isinstance(x, Variable):
        x = as_variable(x)
    array = x.array
    if op.floats and array.dtype.kind != "f":
        array = to_floating(array)
    xp: Any = np if type(array) is _ndarray else namespace(array)
    y = op.forward(xp, array)
    if type(y) is not _ndarray:
        y = xp.asarray(y)
    node, flags = x.node, recording.flags
    if flags < OBSERVE:
        if node is None or not flags or not op.differentiable:
            return wrap(y)
        kept = op.keeps_one
        saved: tuple[Any, ...] = ()
        if kept == "y":
            saved = (y,)
        elif kept == "x":
            saved = (array,)
        elif op.saves:
            saved = tuple([(array, y)[i] for i in op.keeps(1)])
        return wrap(y, Node(op, saved, NO_ATTRS, (node,), y))
    result: Tensor = _finish(op, (array,), y, (node,), NO_ATTRS)
    return result


def binary(op: type[Op], a: Any, b: Any) -> Tensor:
    """`op` of two tensors or numbers that broadcast: the short way through `apply`."""
    if isinstance(a, Variable):
        x, x_node = a.array, a.node
    else:
        x, x_node = a, None
    if isinstance(b, Variable):
        y, y_node = b.array, b.node
    else:
        y, y_node = b, None
    kind: Any = type(x)
    other: Any = type(y)
    if not (
        kind is _ndarray
        and (
            (other is _ndarray and x.dtype is y.dtype)
            or (other is float and x.dtype.kind == "f")
        )
        and (not op.floats or x.dtype.kind == "f")
    ):
        x, y = promote_operands(x, y, floats=op.floats)
    xp: Any = np
    if kind is not _ndarray and other is not _ndarray:
        xp = namespace_of(x, y)
    try:
        z = op.forward(xp, x, y)
    except ValueError as error:
        raise _broadcast_error(op, x, y) from error
    if type(z) is not _ndarray:
        z = xp.asarray(z)
    flags = recording.flags
    if flags < OBSERVE:
        if not flags or (x_node is y_node is None) or not op.differentiable:
            return wrap(z)
        kept = op.keeps_inputs
        if kept:
            return wrap(z, Node(op, (x, y), NO_ATTRS, (x_node, y_node), z))
    result: Tensor = _finish(op, (x, y), z, (x_node, y_node), NO_ATTRS)
    return result


def apply(op: type[Op], *inputs: Any, **attrs: Any) -> Any:
    """Run `op` on tensors (or arrays and numbers) and record it if a gradient is due.

    Returns a tensor, or a tuple of tensors where the operation has several outputs.
    """
    arrays: list[Any] = []
    nodes: list[Node | None] = []
    xp: Any = np
    for x in inputs:
        array, node = (x.array, x.node) if isinstance(x, Variable) else (x, None)
        if type(array) is not _ndarray and is_array(array):
            xp = namespace(array)
        if op.floats and hasattr(array, "dtype"):
            array = to_floating(array)
        arrays.append(array)
        nodes.append(node)
    y = op.forward(xp, *arrays, **attrs)
    if op.one_output and recording.flags == GRAD:
        if type(y) is not _ndarray:
            y = xp.asarray(y)
        if not op.differentiable or not any(nodes):
            return wrap(y)
        values = (*arrays, y)
        saved = tuple([values[i] for i in op.keeps(len(arrays))])
        return wrap(y, Node(op, saved, attrs, tuple(nodes), y))
    return _finish(op, tuple(arrays), y, tuple(nodes), attrs)


def _finish(
    op: type[Op],
    arrays: tuple[Any, ...],
    result: Any,
    nodes: tuple[Node | None, ...],
    attrs: dict[str, Any],
) -> Any:
    """Wrap the outputs of `op` in tensors, and record a node if one is due."""
    several = len(op.outputs) > 1
    if op.outputs_vary:
        several, outputs, extra = True, tuple(result), ()
    elif several or op.extras:
        outputs, extra = result[: len(op.outputs)], result[len(op.outputs) :]
    else:
        outputs, extra = (result,), ()
    # Arithmetic without axes gives NumPy's scalars, which are no arrays.
    outputs = tuple(np.asarray(a) if isinstance(a, _SCALARS) else a for a in outputs)
    if recording.flags & OBSERVE and recording.observer is not None:
        recording.observer(op, arrays, outputs, attrs)
    due = (
        recording.flags & GRAD
        and op.differentiable
        and any(n is not None for n in nodes)
    )
    if not due:
        tensors = tuple(map(wrap, outputs))
        return tensors if several else tensors[0]
    values = (*arrays, *outputs, *extra)
    saved = tuple([values[i] for i in op.keeps(len(arrays))])
    node = Node(op, saved, attrs, nodes, outputs[0])
    if not several:
        return wrap(outputs[0], node)
    return tuple(
        wrap(a, Pick(node, i, len(outputs), a) if a.dtype.kind in "fc" else None)
        for i, a in enumerate(outputs)
    )


def _broadcast_error(op: type[Op], x: Any, y: Any) -> Exception:
    shapes = np.shape(x), np.shape(y)
    return ShapeError(
        f"{op.__name__}: the shapes {shapes[0]} and {shapes[1]} do not go together; "
        "from the last axis backwards, sizes must be equal or 1"
    )
