"""Running an operation on tensors, and recording it where a gradient is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import graph
from dotori.autograd.graph import (
    CAPTURE,
    GRAD,
    NO_ATTRS,
    OBSERVE,
    STALE,
    Node,
    Pick,
    Variable,
    as_variable,
    recording,
    wrap,
)
from dotori.autograd.views import current_node, note_origin
from dotori.backend import Namespace, is_array, namespace, namespace_of
from dotori.dtypes import float32, float64, promote_operands, to_floating
from dotori.errors import DTypeError, ShapeError

if TYPE_CHECKING:
    from dotori._tensor import Tensor
    from dotori.ops._op import Op

_ndarray = np.ndarray
_new = object.__new__
_tensor_class: type[Tensor]
_SCALARS = (np.generic, bool, int, float)


def use_tensor_class(cls: type[Tensor], namespace: Namespace) -> None:
    """Called once, by the file that defines `Tensor`: what operations return, and `xp`
    where a rule runs on tensors."""
    global _tensor_class
    _tensor_class = cls
    graph.use_tensor_class(cls, namespace)


def _prepared(op: type[Op], array: Any) -> Any:
    """An input as `op` takes it: as floats, if it asks for them, and not complex."""
    if op.real and array.dtype.kind == "c":
        raise DTypeError(
            f"{op.__name__}: real numbers are wanted, got {array.dtype}; take .real, "
            ".imag or .abs()"
        )
    return to_floating(array) if op.floats else array


def _promoted(op: type[Op], x: Any, y: Any) -> tuple[Any, Any]:
    """Two inputs brought to one type that `op` takes."""
    x, y = promote_operands(x, y, floats=op.floats)
    if op.real:
        _prepared(op, x if is_array(x) else y)
    return x, y


def unary(op: type[Op], x: Any) -> Tensor:
    """`op` of one tensor, without attributes: the short way through `apply`."""
    if not isinstance(x, Variable):
        x = as_variable(x)
    state = recording.state
    if state.flags >= CAPTURE:
        state.capture.enter(x)
    array = x.array
    dtype = array.dtype
    if dtype is not float32 and dtype is not float64 and op.checks:
        array = _prepared(op, array)
    xp: Any = np if type(array) is _ndarray else namespace(array)
    try:
        y = state.quietly(op.forward, xp, array)
    except TypeError as error:
        raise _type_error(op, array) from error
    except RuntimeError as error:
        y = _inside(error, op, xp, array)
    if type(y) is not _ndarray:
        y = xp.asarray(y)
    node: Node | None = x.node
    flags = state.flags
    if flags >= OBSERVE:
        if flags & STALE:
            node = current_node(x)
        found: Tensor = _finish(op, (array,), y, (node,), NO_ATTRS)
        return found
    result = _new(_tensor_class)  # `wrap`, without a call
    result.array = y
    if node is None or not flags or not op.differentiable:
        result.node = None
        return result
    kept = op.keeps_one
    saved: tuple[Any, ...] = ()
    if kept == "y":
        saved = (y,)
    elif kept == "x":
        saved = (array,)
    elif op.saves:
        saved = tuple([(array, y)[i] for i in op.keeps(1)])
    result.node = Node(op, saved, NO_ATTRS, (node,), y)
    return result


def binary(op: type[Op], a: Any, b: Any) -> Tensor:
    """`op` of two tensors or numbers that broadcast: the short way through `apply`."""
    state = recording.state
    if state.flags >= CAPTURE:
        state.capture.enter(a, b)
    x, y, x_node, y_node = a, b, None, None
    if isinstance(a, Variable):
        x, x_node = a.array, a.node
    if isinstance(b, Variable):
        y, y_node = b.array, b.node
    xp: Any = np
    if type(x) is _ndarray:
        dtype = x.dtype
        plain = (type(y) is _ndarray and y.dtype is dtype) or type(y) is float
        if not plain or (dtype is not float32 and dtype is not float64):
            x, y = _promoted(op, x, y)
    else:
        x, y = _promoted(op, x, y)
        xp = namespace_of(x, y)
    try:
        z = state.quietly(op.forward, xp, x, y)
    except TypeError as error:
        raise _type_error(op, x, y) from error
    except ValueError as error:
        raise _broadcast_error(op, x, y) from error
    except RuntimeError as error:
        z = _inside(error, op, xp, x, y)
    if type(z) is not _ndarray:
        z = xp.asarray(z)
    flags = state.flags
    if flags >= OBSERVE or not (op.keeps_inputs or not op.saves):
        if flags & STALE:
            x_node, y_node = current_node(a), current_node(b)
        found: Tensor = _finish(op, (x, y), z, (x_node, y_node), NO_ATTRS)
        return found
    result = _new(_tensor_class)  # `wrap`, without a call
    result.array = z
    if (x_node is None and y_node is None) or not flags or not op.differentiable:
        result.node = None
    else:
        saved = (x, y) if op.keeps_inputs else ()
        result.node = Node(op, saved, NO_ATTRS, (x_node, y_node), z)
    return result


def apply(op: type[Op], *inputs: Any, **attrs: Any) -> Any:
    """Run `op` on tensors (or arrays and numbers) and record it if a gradient is due.

    Returns a tensor, or a tuple of tensors where the operation has several outputs.
    """
    state = recording.state
    if len(inputs) == 1 and op.one_output and state.flags < OBSERVE:
        return _apply_to_one(op, inputs[0], attrs, state)
    if state.flags >= CAPTURE:
        state.capture.enter(*inputs, *attrs.values())
    arrays: list[Any] = []
    nodes: list[Node | None] = []
    xp: Any = np
    for x in inputs:
        array, node = (x.array, x.node) if isinstance(x, Variable) else (x, None)
        if type(array) is not _ndarray and is_array(array):
            xp = namespace(array)
        if op.checks and hasattr(array, "dtype"):
            array = _prepared(op, array)
        arrays.append(array)
        nodes.append(node)
    try:
        y = state.quietly(op.forward, xp, *arrays, **attrs)
    except ValueError as error:
        raise _with_shapes(error, op, arrays) from error
    except RuntimeError as error:
        y = _inside(error, op, xp, *arrays, **attrs)
    flags = state.flags
    if flags == GRAD and op.one_output:
        if type(y) is not _ndarray:
            y = xp.asarray(y)
        if not op.differentiable or not any(nodes):
            return wrap(y)
        values = (*arrays, y)
        saved = tuple([values[i] for i in op.keeps(len(arrays))])
        return wrap(y, Node(op, saved, attrs, tuple(nodes), y))
    if flags & STALE:
        nodes = [current_node(x) for x in inputs]
    result = _finish(op, tuple(arrays), y, tuple(nodes), attrs)
    if op.views:
        note_origin(op, inputs[0], result, attrs)
    return result


def _apply_to_one(op: type[Op], x: Any, attrs: dict[str, Any], state: Any) -> Tensor:
    """`apply` for one input and one output: reductions, and views above all."""
    array, node = (x.array, x.node) if isinstance(x, Variable) else (x, None)
    xp: Any = np
    if type(array) is not _ndarray and is_array(array):
        xp = namespace(array)
    if op.checks and hasattr(array, "dtype"):
        array = _prepared(op, array)
    result = _new(_tensor_class)  # `wrap`, without a call
    if op.views:  # no arithmetic: nothing to be quiet about
        y = op.forward(xp, array, **attrs)
        if y.base is not None and isinstance(x, Variable):
            result.origin = (x, op, attrs, node, x.array)
    else:
        try:
            y = state.quietly(op.forward, xp, array, **attrs)
        except RuntimeError as error:
            y = _inside(error, op, xp, array, **attrs)
        if type(y) is not _ndarray:
            y = xp.asarray(y)
    result.array = y
    if node is None or not state.flags or not op.differentiable:
        result.node = None
        return result
    values = (array, y)
    saved = tuple([values[i] for i in op.keeps(1)]) if op.saves else ()
    result.node = Node(op, saved, attrs, (node,), y)
    return result


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
    state = recording.state
    if state.flags & OBSERVE and state.observer is not None:
        state.observer(op, arrays, outputs, attrs)
    due = state.flags & GRAD and op.differentiable and any(n is not None for n in nodes)
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


def _inside(error: RuntimeError, op: type[Op], *args: Any, **attrs: Any) -> Any:
    """The value of `op` where it runs inside of another one, as a finaliser may."""
    if "already entered" not in str(error):
        raise error
    return op.forward(*args, **attrs)


def _type_error(op: type[Op], *xs: Any) -> Exception:
    types = " and ".join(str(getattr(x, "dtype", type(x).__name__)) for x in xs)
    return DTypeError(f"{op.__name__}: this is not defined for {types}; convert first")


def _with_shapes(error: ValueError, op: type[Op], xs: list[Any]) -> Exception:
    """NumPy's own complaint with the place and the shapes; ours as they are."""
    if type(error) is not ValueError:
        return error
    shapes = " and ".join(str(np.shape(x)) for x in xs)
    return ShapeError(f"{op.__name__}: the shapes {shapes} do not fit: {error}")


def _broadcast_error(op: type[Op], x: Any, y: Any) -> Exception:
    shapes = np.shape(x), np.shape(y)
    return ShapeError(
        f"{op.__name__}: the shapes {shapes[0]} and {shapes[1]} do not go together; "
        "from the last axis backwards, sizes must be equal or 1"
    )
