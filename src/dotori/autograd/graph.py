"""Nodes, tensors' places among them, and what is recorded in this thread.

A tensor is an array and a `Node`. A node holds what the gradient rule needs and the
nodes of its inputs, never a tensor, so nothing forms a cycle and a graph is freed as
soon as its last tensor goes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd.changes import changes
from dotori.backend import Array, Namespace

if TYPE_CHECKING:
    from dotori._tensor import Tensor
    from dotori.ops._op import Op

_order = count().__next__

GRAD, OBSERVE, STALE, CAPTURE = 1, 2, 4, 8  # the bits of Recording.flags


class State:
    """What happens in one thread while operations run.

    Attributes
    ----------
    flags : int
        GRAD, OBSERVE, STALE and CAPTURE, or 0.
    observer : callable or None
        Called after every operation, with the flag OBSERVE.
    capture : Capture or None
        The capture that is going on, with the flag CAPTURE: see `dotori.compiler`.
    anomaly : bool
        Whether a walk looks for NaN: see `dotori.autograd.anomaly`.
    quietly : callable
        ``quietly(f, ...)`` is ``f(...)`` without NumPy's floating-point warnings:
        infinities and NaN are values, as in PyTorch. It enters a context that was made
        once, for a twentieth of what ``np.errstate(all="ignore")`` costs.
    """

    __slots__ = ("anomaly", "capture", "flags", "observer", "quietly")

    def __init__(self) -> None:
        self.flags = GRAD
        self.observer: Callable[..., None] | None = None
        self.capture: Any = None
        self.anomaly = False
        context = Context()
        context.run(np.seterr, all="ignore")  # NumPy keeps it in the context
        self.quietly = context.run


class Recording(threading.local):
    """Each thread has its own state."""

    def __init__(self) -> None:
        self.state = State()


recording = Recording()


NO_ATTRS: dict[str, Any] = {}


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
        self.tick = changes.tick
        self.grad: Tensor | None = None
        self.hooks: list[Any] | None = None

    @property
    def name(self) -> str:
        return "leaf" if self.op is None else self.op.__name__

    def __repr__(self) -> str:
        return f"<{self.name} node, shape {self.shape}, {self.dtype}>"


class Pick(Node):
    """Output `index` of the `of` outputs of the operation at `source`."""

    __slots__ = ("index", "of", "source")

    def __init__(self, source: Node, index: int, of: int, array: Array) -> None:
        super().__init__(source.op, (), NO_ATTRS, (source,), array)
        self.source, self.index, self.of = source, index, of


def leaf(array: Array) -> Node:
    """A node without an operation: gradients for it are added up in its `grad`."""
    return Node(None, (), NO_ATTRS, (), array)


class Variable:
    """What the graph knows of a tensor: an array, and the node that it came from.

    `node` is None where no gradient is wanted, and `origin` is there for views alone:
    see `dotori.autograd.views`. `Tensor` is the one subclass.
    """

    __slots__ = ("__weakref__", "array", "node", "origin")
    array: Array
    node: Node | None
    origin: Any


_tensor_class: type[Tensor]
_tensor_namespace: Namespace


def use_tensor_class(cls: type[Tensor], namespace: Namespace) -> None:
    """`cls`: what operations return; `namespace`: what rules on tensors use."""
    global _tensor_class, _tensor_namespace
    _tensor_class, _tensor_namespace = cls, namespace


def tensor_namespace() -> Namespace:
    """`xp` for tensors."""
    return _tensor_namespace


def as_variable(value: Any) -> Tensor:
    """`value` itself if it is a tensor, else a tensor around it."""
    return value if isinstance(value, _tensor_class) else _tensor_class(value)


def wrap(array: Array, node: Node | None = None) -> Tensor:
    """A tensor around `array`, without a copy or a check."""
    tensor = object.__new__(_tensor_class)
    tensor.array = array
    tensor.node = node
    return tensor
