"""The graph: what was computed from what, and the walk back through it.

This file knows no mathematics. An operation's value and gradient rule come from its
`Op` class; here they are run, recorded and walked (reverse-mode differentiation, as
in Baydin, Pearlmutter, Radul and Siskind, "Automatic differentiation in machine
learning: a survey", JMLR 2018, section 3.2).

A tensor is an array and a `Node`, its place in the graph. A node holds what the rule
needs and the nodes of its inputs, never a tensor, so nothing forms a cycle and a graph
is freed as soon as its last tensor goes.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.backend import Array, Namespace, namespace, namespace_of
from dotori.dtypes import promote_operands, to_floating
from dotori.errors import GradientError, ShapeError

if TYPE_CHECKING:
    from dotori._tensor import Tensor
    from dotori.ops._op import Op

_ndarray = np.ndarray
_order = count().__next__

GRAD, OBSERVE = 1, 2  # the bits of _Mode.flags


class _Mode(threading.local):
    """What happens while operations run; each thread has its own."""

    flags: int = GRAD
    observer: Callable[..., None] | None = None


_mode = _Mode()


class Node:
    """One operation of the graph, or a leaf: a tensor that gradients are kept for.

    Attributes
    ----------
    op : type[Op] or None
        The operation; None for a leaf.
    saved : tuple
        The arrays that the gradient rule sees, in the order of ``op.saves``.
    edges : tuple of (Node or None)
        The nodes of the inputs; None for an input that needs no gradient.
    shape, dtype
        Of the output: an incoming gradient is brought to them.
    order : int
        Rises with creation, so that falling order is a valid order to walk back.
    tick : int
        The moment of creation on the clock of in-place changes.
    """

    __slots__ = (
        "__weakref__",
        "attrs",
        "dtype",
        "edges",
        "grad",
        "hooks",
        "op",
        "order",
        "saved",
        "shape",
        "tick",
    )

    def __init__(
        self,
        op: type[Op] | None,
        saved: tuple[Any, ...],
        attrs: dict[str, Any],
        edges: tuple[Node | None, ...],
        array: Array,
    ) -> None:
        self.op = op
        self.saved: tuple[Any, ...] | None = saved
        self.attrs = attrs
        self.edges = edges
        self.shape = array.shape
        self.dtype = array.dtype
        self.order = _order()
        self.tick = _changes.tick
        self.grad: Tensor | None = None
        self.hooks: list[Callable[[Any], Any]] | None = None

    @property
    def name(self) -> str:
        return "leaf" if self.op is None else self.op.__name__

    def __repr__(self) -> str:
        return f"<{self.name} node, shape {self.shape}, {self.dtype}>"


class _Pick(Node):
    """Output `index` of the `of` outputs of the operation at `source`."""

    __slots__ = ("index", "of", "source")

    def __init__(self, source: Node, index: int, of: int, array: Array) -> None:
        super().__init__(source.op, (), _NO_ATTRS, (source,), array)
        self.source, self.index, self.of = source, index, of


def leaf(array: Array) -> Node:
    """A node without an operation: gradients for it are added up in its `grad`."""
    return Node(None, (), _NO_ATTRS, (), array)


_NO_ATTRS: dict[str, Any] = {}

# --------------------------------------------------------------------------------------
# Tensors are made here and defined in _tensor.py, which registers its class.

_Tensor: type[Tensor]


def use_tensor_class(cls: type[Tensor]) -> None:
    """Called once by _tensor.py: the class whose instances operations return."""
    global _Tensor
    _Tensor = cls


def wrap(array: Array, node: Node | None = None) -> Tensor:
    """A tensor around `array`, without a copy or a check."""
    tensor = object.__new__(_Tensor)
    tensor.array = array
    tensor.node = node
    return tensor


# --------------------------------------------------------------------------------------
# Running and recording an operation


def unary(op: type[Op], x: Any) -> Tensor:
    """`op` of one tensor, without attributes: the short way through `apply`."""
    if not isinstance(x, _Tensor):
        x = _Tensor(x)
    array = x.array
    if op.floats and array.dtype.kind != "f":
        array = to_floating(array)
    xp: Any = np if type(array) is _ndarray else namespace(array)
    y = op.forward(xp, array)
    if type(y) is not _ndarray:
        y = xp.asarray(y)
    node = x.node
    if _mode.flags == GRAD:
        if node is None or not op.differentiable:
            return wrap(y)
        kept = op.keeps_one
        saved = (y,) if kept == "y" else (array,) if kept == "x" else ()
        return wrap(y, Node(op, saved, _NO_ATTRS, (node,), y))
    result: Tensor = _finish(op, (array,), y, (node,), _NO_ATTRS)
    return result


def binary(op: type[Op], a: Any, b: Any) -> Tensor:
    """`op` of two tensors or numbers that broadcast: the short way through `apply`."""
    if isinstance(a, _Tensor):
        x, x_node = a.array, a.node
    else:
        x, x_node = a, None
    if isinstance(b, _Tensor):
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
    if _mode.flags == GRAD:
        if (x_node is None and y_node is None) or not op.differentiable:
            return wrap(z)
        kept = op.keeps_inputs
        if kept:
            return wrap(z, Node(op, (x, y), _NO_ATTRS, (x_node, y_node), z))
    result: Tensor = _finish(op, (x, y), z, (x_node, y_node), _NO_ATTRS)
    return result


def apply(op: type[Op], *inputs: Any, **attrs: Any) -> Any:
    """Run `op` on tensors (or arrays and numbers) and record it if a gradient is due.

    Returns a tensor, or a tuple of tensors where the operation has several outputs.
    """
    arrays, nodes = [], []
    for x in inputs:
        if isinstance(x, _Tensor):
            arrays.append(x.array)
            nodes.append(x.node)
        else:
            arrays.append(x)
            nodes.append(None)
    if op.floats:
        arrays = [to_floating(a) if hasattr(a, "dtype") else a for a in arrays]
    xp = namespace_of(*arrays)
    y = op.forward(xp, *arrays, **attrs)
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
    outputs = tuple(a if hasattr(a, "ndim") else np.asarray(a) for a in outputs)
    if _mode.flags & OBSERVE and _mode.observer is not None:
        _mode.observer(op, arrays, outputs, attrs)
    due = _mode.flags & GRAD and op.differentiable and any(n is not None for n in nodes)
    if not due:
        tensors = tuple(map(wrap, outputs))
        return tensors if several else tensors[0]
    values = (*arrays, *outputs, *extra)
    saved = tuple([values[i] for i in op.keeps(len(arrays))])
    node = Node(op, saved, attrs, nodes, outputs[0])
    if not several:
        return wrap(outputs[0], node)
    return tuple(
        wrap(a, _Pick(node, i, len(outputs), a) if a.dtype.kind in "fc" else None)
        for i, a in enumerate(outputs)
    )


def _broadcast_error(op: type[Op], x: Any, y: Any) -> Exception:
    shapes = np.shape(x), np.shape(y)
    return ShapeError(
        f"{op.__name__}: the shapes {shapes[0]} and {shapes[1]} do not go together; "
        "from the last axis backwards, sizes must be equal or 1"
    )


# --------------------------------------------------------------------------------------
# In-place changes: a clock, and which memory was changed when and by what


class _Changes:
    """The memory that was changed in place, so that backward can refuse stale values.

    Only changes made through dotori are seen. A node remembers the clock's tick at its
    creation: as long as nothing was changed since, there is nothing to look up.
    """

    def __init__(self) -> None:
        self.tick = 0
        self.log: dict[int, tuple[int, str, Any]] = {}

    def note(self, array: Any, by: str) -> None:
        owner = _owner(array)
        key = id(owner)
        known = self.log.get(key)
        self.tick += 1
        gone = known[2] if known else weakref.ref(owner, lambda _: self.forget(key))
        self.log[key] = (self.tick, by, gone)

    def forget(self, key: int) -> None:
        self.log.pop(key, None)

    def check(self, node: Node) -> None:
        for array in node.saved or ():
            found = self.log.get(id(_owner(array)))
            if found is not None and found[0] > node.tick:
                raise GradientError(
                    f"{node.name} needs a value of shape {array.shape} for its "
                    f"gradient, but {found[1]} has changed it in place since; use the "
                    "form that is not in place, or call backward() first"
                )


def _owner(array: Any) -> Any:
    while getattr(array, "base", None) is not None and hasattr(array.base, "dtype"):
        array = array.base
    return array


_changes = _Changes()


def note_change(array: Array, by: str) -> None:
    """Say that `by` (an operation's name) has written into the memory of `array`."""
    _changes.note(array, by)


# --------------------------------------------------------------------------------------
# The walk back


def backward(
    outputs: Sequence[Tensor],
    grads: Sequence[Any],
    *,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> None:
    """Add d(outputs)/d(leaf), weighted by `grads`, to the `grad` of every leaf."""
    _walk(outputs, grads, retain_graph, create_graph, None)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """The gradients of `outputs` with respect to `inputs`, left out of any `.grad`.

    Parameters
    ----------
    outputs : Tensor or sequence of Tensor
    inputs : Tensor or sequence of Tensor
        Leaves or results inside the graph.
    grad_outputs : Tensor, array or sequence, optional
        One for each output, of its shape; 1 for a scalar output.
    create_graph : bool
        Record the gradients themselves, so that they have gradients.
    allow_unused : bool
        Give None, instead of an error, for an input that `outputs` do not depend on.

    Examples
    --------
    >>> import dotori
    >>> x = dotori.tensor(3.0, requires_grad=True)
    >>> (g,) = dotori.autograd.grad(x**3, x, create_graph=True)
    >>> (h,) = dotori.autograd.grad(g, x)
    >>> g.item(), h.item()
    (27.0, 18.0)
    """
    outputs = [outputs] if isinstance(outputs, _Tensor) else list(outputs)
    inputs = [inputs] if isinstance(inputs, _Tensor) else list(inputs)
    if grad_outputs is None or not isinstance(grad_outputs, (list, tuple)):
        grad_outputs = [grad_outputs] * len(outputs)
    for i, x in enumerate(inputs):
        if x.node is None:
            raise GradientError(
                f"grad: input {i} of shape {x.shape} does not require a gradient; "
                "make it with requires_grad=True"
            )
    seeds = [start_gradient(t, g) for t, g in zip(outputs, grad_outputs, strict=True)]
    wanted: dict[Node, Any] = {x.node: None for x in inputs if x.node is not None}
    keep = create_graph if retain_graph is None else retain_graph
    _walk(outputs, seeds, keep, create_graph, wanted)
    found = [wanted[x.node] for x in inputs if x.node is not None]
    for i, g in enumerate(found):
        if g is None and not allow_unused:
            raise GradientError(
                f"grad: the outputs do not depend on input {i} of shape "
                f"{inputs[i].shape}; pass allow_unused=True to get None for it"
            )
    return tuple(g if g is None or isinstance(g, _Tensor) else wrap(g) for g in found)


def start_gradient(output: Tensor, gradient: Any) -> Any:
    """Check and complete the gradient that a walk starts with at `output`."""
    if output.node is None:
        raise GradientError(
            f"backward: the tensor of shape {output.shape} has no graph: nothing that "
            "it was computed from requires a gradient, or it was made under no_grad()"
        )
    if gradient is None:
        if output.array.size != 1:
            raise GradientError(
                f"backward: a gradient can be started only at a single number, but the "
                f"tensor has shape {output.shape}; reduce it first, for example with "
                ".sum() or .mean(), or pass the gradient"
            )
        return np.ones_like(output.array)
    if not isinstance(gradient, _Tensor):
        gradient = wrap(np.asarray(gradient, dtype=output.array.dtype))
    if gradient.shape != output.shape:
        raise ShapeError(
            f"backward: the gradient has shape {gradient.shape}, "
            f"but the tensor has shape {output.shape}; they must be equal"
        )
    return gradient


def _reachable(roots: Iterable[Node]) -> list[Node]:
    """All nodes behind `roots`, each before its inputs; no recursion, any depth."""
    seen = set(roots)
    stack = list(seen)
    while stack:
        for edge in stack.pop().edges:
            if edge is not None and edge not in seen:
                seen.add(edge)
                stack.append(edge)
    return sorted(seen, key=_by_order, reverse=True)


def _by_order(node: Node) -> int:
    return node.order


def _leading_to(wanted: dict[Node, Any], nodes: list[Node]) -> set[Node]:
    """Those of `nodes` from which one of `wanted` can be reached."""
    useful = set(wanted)
    for node in reversed(nodes):
        if any(edge in useful for edge in node.edges):
            useful.add(node)
    return useful


def _walk(
    outputs: Sequence[Tensor],
    seeds: Sequence[Any],
    retain: bool,
    create_graph: bool,
    wanted: dict[Node, Any] | None,
) -> None:
    """Send gradients back from `outputs`, to the leaves or to the `wanted` nodes."""
    pending: dict[Node, Any] = {}
    for output, seed in zip(outputs, seeds, strict=True):
        if not create_graph and isinstance(seed, _Tensor):
            seed = seed.array
        elif create_graph and not isinstance(seed, _Tensor):
            seed = wrap(seed)
        _add(pending, output.node, seed)
    nodes = _reachable(pending)
    useful = None if wanted is None else _leading_to(wanted, nodes)
    flags = _mode.flags
    _mode.flags = (flags | GRAD) if create_graph else (flags & ~GRAD)
    try:
        for node in nodes:
            dy = pending.pop(node, None)
            if dy is None:
                continue
            if node.hooks is not None:
                dy = _run_hooks(node, dy, create_graph)
            if wanted is not None and node in wanted:
                wanted[node] = dy
            if node.op is None:
                if wanted is None:
                    _accumulate(node, dy)
            elif useful is None or node in useful:
                _step(node, dy, pending, useful, create_graph)
                if not retain:
                    node.saved = None
    finally:
        _mode.flags = flags


def _step(
    node: Node, dy: Any, pending: dict[Node, Any], useful: Any, create_graph: bool
) -> None:
    """Send the gradient `dy` of one node's output on to its inputs."""
    edges = node.edges
    if type(node) is _Pick:
        pending.setdefault(node.source, [None] * node.of)[node.index] = dy
        return
    saved = node.saved
    if saved is None:
        raise GradientError(
            f"backward: the graph behind {node.name} was freed by an earlier "
            "backward(); pass retain_graph=True to that one to walk it again"
        )
    if node.tick != _changes.tick:
        _changes.check(node)
    op: Any = node.op
    xp: Namespace
    if create_graph:
        xp, saved = _Tensor.namespace(), _as_tensors(node, saved)
    else:
        first = dy[0] if type(dy) is list else dy
        xp = np if type(first) is _ndarray or first is None else namespace(first)
    if len(edges) == 1 and not op.several:
        dx = op.backward(xp, dy, *saved, **node.attrs)
        _deliver(pending, edges[0], dx, dy)
        return
    if useful is None:
        needs = tuple([edge is not None for edge in edges])
    else:
        needs = tuple([edge in useful for edge in edges])
    dxs = op.backward(xp, dy, needs, *saved, **node.attrs)
    for edge, need, dx in zip(edges, needs, dxs, strict=True):
        if need:
            _deliver(pending, edge, dx, dy)


def _deliver(pending: dict[Node, Any], edge: Any, dx: Any, dy: Any) -> None:
    """Bring `dx` to the shape and dtype of the input and add it to what waits there."""
    if dx is None:
        return
    if dx.shape != edge.shape:
        dx = unbroadcast(dx, edge.shape)
    if dx.dtype is not edge.dtype and dx.dtype != edge.dtype:
        dx = dx.astype(edge.dtype)
    if dx is dy and edge.op is None and type(dx) is _ndarray:
        dx = dx.copy()  # two leaves must never share the memory of their gradients
    _add(pending, edge, dx)


def _add(pending: dict[Node, Any], node: Any, g: Any) -> None:
    waiting = pending.get(node)
    pending[node] = g if waiting is None else waiting + g


def _as_tensors(node: Node, saved: tuple[Any, ...]) -> tuple[Any, ...]:
    """What was saved, as tensors in their places in the graph: inputs and outputs."""
    op: Any = node.op
    n_in, n_out = len(node.edges), len(op.outputs)
    places = []
    for i, value in zip(op.keeps(n_in), saved, strict=True):
        if not hasattr(value, "ndim"):
            places.append(value)
        elif i < n_in:
            places.append(wrap(value, node.edges[i]))
        elif i < n_in + n_out:
            own = node if n_out == 1 else _Pick(node, i - n_in, n_out, value)
            places.append(wrap(value, own))
        else:
            places.append(value)
    return tuple(places)


def _accumulate(node: Node, g: Any) -> None:
    if node.grad is not None:
        old = node.grad
        node.grad = old + g if isinstance(g, _Tensor) else wrap(old.array + g)
    elif isinstance(g, _Tensor):
        node.grad = g
    else:
        owned = g.base is None and g.flags.c_contiguous
        node.grad = wrap(g if owned else g.copy())


def _run_hooks(node: Node, dy: Any, create_graph: bool) -> Any:
    if isinstance(dy, list):
        return dy
    for hook in list(node.hooks or ()):
        tensor = dy if isinstance(dy, _Tensor) else wrap(dy)
        changed = hook(tensor)
        if changed is not None:
            dy = changed if create_graph else changed.array
    return dy


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum `g` over the axes that broadcasting stretched, so that it gets `shape`."""
    extra = len(g.shape) - len(shape)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1
    )
    if axes:
        g = g.sum(axis=axes, keepdims=True)
    return g.reshape(shape)


# --------------------------------------------------------------------------------------
# Modes


class _GradMode:
    """Switch recording for a `with` block or a decorated function, in this thread."""

    on = True

    def __init__(self) -> None:
        self._before: list[int] = []

    def __enter__(self) -> None:
        flags = _mode.flags
        self._before.append(flags)
        _mode.flags = (flags | GRAD) if self.on else (flags & ~GRAD)

    def __exit__(self, *exc: object) -> None:
        grad_before = self._before.pop() & GRAD
        _mode.flags = (_mode.flags & ~GRAD) | grad_before

    def __call__(self, function: Any) -> Any:
        from functools import wraps

        @wraps(function)
        def inner(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        return inner


class no_grad(_GradMode):
    """Operations inside are not recorded.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.ones(2, requires_grad=True)
    >>> with dotori.no_grad():
    ...     y = w * 2
    >>> y.requires_grad
    False
    """

    on = False


class enable_grad(_GradMode):
    """Operations inside are recorded, also within `no_grad`."""

    on = True


class set_grad_enabled(_GradMode):
    """Recording on or off: at once, and for a `with` block where used as one."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.on = bool(mode)
        self._outer = _mode.flags
        _mode.flags = (self._outer | GRAD) if self.on else (self._outer & ~GRAD)

    def __enter__(self) -> None:
        self._before.append(self._outer)

    def __call__(self, function: Any) -> Any:
        _mode.flags = self._outer
        return (enable_grad if self.on else no_grad)()(function)


def is_grad_enabled() -> bool:
    """Whether operations are recorded in this thread."""
    return bool(_mode.flags & GRAD)


class observe:
    """Call ``observer(op, inputs, outputs, attrs)`` after every operation in a block.

    The summary counts multiply-adds with it, and the guard against NaN finds the
    operation at fault. Outside of such a block it costs nothing.
    """

    def __init__(self, observer: Callable[..., None]) -> None:
        self._observer = observer

    def __enter__(self) -> None:
        self._before = _mode.flags, _mode.observer
        _mode.flags, _mode.observer = _mode.flags | OBSERVE, self._observer

    def __exit__(self, *exc: object) -> None:
        flags, _mode.observer = self._before
        _mode.flags = (_mode.flags & ~OBSERVE) | (flags & OBSERVE)
