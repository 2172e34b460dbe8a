"""The walk back: from outputs to the leaves, each node before its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from dotori.autograd.changes import changes
from dotori.autograd.graph import (
    CAPTURE,
    GRAD,
    Node,
    Pick,
    Variable,
    recording,
    tensor_namespace,
    wrap,
)
from dotori.autograd.views import current_node
from dotori.backend import Namespace, is_array, namespace
from dotori.errors import GradientError, ShapeError

if TYPE_CHECKING:
    from dotori._tensor import Tensor

_ndarray = np.ndarray


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
    outputs = [outputs] if isinstance(outputs, Variable) else list(outputs)
    inputs = [inputs] if isinstance(inputs, Variable) else list(inputs)
    if grad_outputs is None or not isinstance(grad_outputs, (list, tuple)):
        grad_outputs = [grad_outputs] * len(outputs)
    for i, x in enumerate(inputs):
        if current_node(x) is None:
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
    return tuple(g if g is None or isinstance(g, Variable) else wrap(g) for g in found)


def start_gradient(output: Tensor, gradient: Any) -> Any:
    """Check and complete the gradient that a walk starts with at `output`."""
    if current_node(output) is None:
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
        if output.array.dtype.kind == "c":
            raise GradientError(
                "backward: the gradient of a complex number is of no use by itself; "
                "take .real, .imag or .abs(), or pass the gradient"
            )
        return np.ones_like(output.array)
    if not isinstance(gradient, Variable):
        gradient = wrap(np.asarray(gradient, dtype=output.array.dtype))
    if gradient.shape != output.shape:
        raise ShapeError(
            f"backward: the gradient has shape {gradient.shape}, "
            f"but the tensor has shape {output.shape}; they must be equal"
        )
    if gradient.dtype != output.dtype:
        gradient = gradient.astype(output.dtype)
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
        if not create_graph and isinstance(seed, Variable):
            seed = seed.array.copy("K")  # the caller's memory stays the caller's
        elif create_graph and not isinstance(seed, Variable):
            seed = wrap(seed)
        _add(pending, output.node, seed)
    nodes = _reachable(pending)
    useful = None if wanted is None else _leading_to(wanted, nodes)
    flags = recording.state.flags
    recording.state.flags = (flags | GRAD) if create_graph else (flags & ~GRAD)
    step: Callable[..., None] = _careful_step if recording.state.anomaly else _step
    if flags & CAPTURE:
        step = partial(step, run=recording.state.capture.rule)
    try:
        with np.errstate(all="ignore"):  # infinite and NaN gradients are values too
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
                        if node.hooks is not None:
                            _run_hooks_after(node)
                elif useful is None or node in useful:
                    step(node, dy, pending, useful, create_graph)
                    if not retain:
                        node.saved = None
    finally:
        recording.state.flags = flags


def _step(
    node: Node,
    dy: Any,
    pending: dict[Node, Any],
    useful: Any,
    create_graph: bool,
    run: Callable[..., Any] | None = None,
) -> None:
    """Send the gradient `dy` of one node's output on to its inputs.

    `run`, if given, is called with an operation and what its rule would be called with.
    """
    edges = node.edges
    if type(node) is Pick:
        # A rule of the second order sees saved outputs through picks of its own, so
        # one output may have several.
        waiting = pending.setdefault(node.source, [None] * node.of)
        before = waiting[node.index]
        waiting[node.index] = dy if before is None else before + dy
        return
    saved = node.saved
    if saved is None:
        raise GradientError(
            f"backward: the graph behind {node.name} was freed by an earlier "
            "backward(); pass retain_graph=True to that one to walk it again"
        )
    if node.tick != changes.tick:
        changes.check(saved, node.tick, node.name)
    op: Any = node.op
    xp: Namespace
    if create_graph:
        xp, saved = tensor_namespace(), _as_tensors(node, saved)
    else:
        first = dy[0] if type(dy) is list else dy
        xp = np if type(first) is _ndarray or first is None else namespace(first)
    conjugated = node.dtype.kind == "c" and op.holomorphic
    if conjugated:
        dy = _conjugate(dy)
    rule = op.backward if run is None else partial(run, op)
    if len(edges) == 1 and not op.several:
        dx = rule(xp, dy, *saved, **node.attrs)
        _deliver(pending, edges[0], _conjugate(dx) if conjugated else dx, dy)
        return
    # A node is true and None is false: the edges themselves say what is needed.
    needs = edges if useful is None else [edge in useful for edge in edges]
    dxs = rule(xp, dy, needs, *saved, **node.attrs)
    for edge, need, dx in zip(edges, needs, dxs, strict=True):
        if need:
            _deliver(pending, edge, _conjugate(dx) if conjugated else dx, dy)


def _careful_step(
    node: Node,
    dy: Any,
    pending: dict[Node, Any],
    useful: Any,
    create_graph: bool,
    run: Callable[..., Any] | None = None,
) -> None:
    """`_step`, which raises if the rule makes NaN: see `dotori.autograd.anomaly`."""
    if type(node) is Pick:
        return _step(node, dy, pending, useful, create_graph, run)
    made: dict[Node, Any] = {}
    _step(node, dy, made, useful, create_graph, run)
    for edge, g in made.items():
        values = g.array if isinstance(g, Variable) else g
        bad = int((values != values).sum())  # NaN alone differs from itself
        if bad:
            parts = [g for g in (dy if type(dy) is list else [dy]) if g is not None]
            before = sum(int((g != g).sum()) for g in parts)
            raise GradientError(
                f"backward: the rule of {node.name} made NaN of {bad} of {values.size} "
                f"elements of the gradient for its input {node.edges.index(edge)} of "
                f"shape {edge.shape}; the gradient that came to it had {before} NaN"
            )
        _add(pending, edge, g)


def _conjugate(g: Any) -> Any:
    """The complex conjugate of a gradient, or of each in a list.

    A gradient is dL/da + i dL/db for a number a + ib. For y = f(x) that makes it
    dx = conj(f'(x)) dy: the rule of real numbers, f'(x) dy, between two conjugations.
    """
    if type(g) is list:
        return [_conjugate(part) for part in g]
    return g if g is None or g.dtype.kind != "c" else g.conj()


def _deliver(pending: dict[Node, Any], edge: Any, dx: Any, dy: Any) -> None:
    """Bring `dx` to the shape and dtype of the input and add it to what waits there."""
    if dx is None:
        return
    if dx.shape != edge.shape:
        dx = unbroadcast(dx, edge.shape)
    if dx.dtype is not edge.dtype and dx.dtype != edge.dtype:
        if dx.dtype.kind == "c" and edge.dtype.kind != "c":
            dx = dx.real
        dx = dx.astype(edge.dtype)
    if dx is dy and edge.op is None and type(dx) is _ndarray:
        dx = dx.copy("K")  # two leaves must never share the memory of their gradients
    _add(pending, edge, dx)


def _add(pending: dict[Node, Any], node: Any, g: Any) -> None:
    waiting = pending.get(node)
    if waiting is not None:
        g = waiting + g
    if type(g) is not _ndarray and isinstance(g, np.generic):
        g = np.asarray(g)  # NumPy makes a number of arithmetic without axes
    pending[node] = g


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
            own = node if n_out == 1 else Pick(node, i - n_in, n_out, value)
            places.append(wrap(value, own))
        else:
            places.append(value)
    return tuple(places)


def _accumulate(node: Node, g: Any) -> None:
    """Add `g` to what is kept for a leaf; its memory is the leaf's own from then on."""
    old = node.grad
    if not is_array(g):
        node.grad = g if old is None else old + g
    elif old is not None:
        if recording.state.flags & CAPTURE:
            recording.state.capture.add_to_gradient(node, g)
            return
        total = old.array + g
        node.grad = wrap(total if is_array(total) else np.asarray(total))
    else:
        node.grad = wrap(g if g.base is None else g.copy("K"))


def _run_hooks(node: Node, dy: Any, create_graph: bool) -> Any:
    if isinstance(dy, list):
        return dy
    for hook in list(node.hooks or ()):
        if isinstance(hook, After):
            continue
        tensor = dy if isinstance(dy, Variable) else wrap(dy)
        changed = hook(tensor)
        if changed is not None:
            dy = changed if create_graph else changed.array
    return dy


class After:
    """A hook of a leaf that is called with its tensor when `grad` has been added up.

    It does not keep the tensor, which would be a cycle.
    """

    def __init__(self, tensor: Tensor, hook: Callable[[Tensor], Any]) -> None:
        self.tensor, self.hook = ref(tensor), hook


def _run_hooks_after(node: Node) -> None:
    for hook in list(node.hooks or ()):
        if isinstance(hook, After):
            tensor = hook.tensor()
            if tensor is not None:
                hook.hook(tensor)


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum `g` over the axes that broadcasting stretched, so that it gets `shape`."""
    extra = len(g.shape) - len(shape)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1
    )
    if axes:
        g = g.sum(axis=axes, keepdims=True)
    return g.reshape(shape)
