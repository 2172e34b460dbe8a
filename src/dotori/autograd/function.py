"""`Function`: an operation of one's own, with a gradient rule of one's own."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, ClassVar

from dotori.autograd.changes import changes
from dotori.autograd.graph import (
    GRAD,
    Node,
    Pick,
    Variable,
    as_variable,
    recording,
    wrap,
)
from dotori.autograd.modes import no_grad
from dotori.autograd.views import current_node
from dotori.errors import GradientError


class Context:
    """What the forward part of a `Function` leaves for its backward part.

    Any attribute may be set on it. Tensors belong into `save_for_backward`: they are
    then checked against changes in place, and their gradients have gradients.

    Attributes
    ----------
    needs_input_grad : tuple of bool
        For each argument, whether its gradient is wanted.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.materialize_grads = True
        self._saved: tuple[Any, ...] = ()
        self._constant: tuple[Any, ...] = ()
        self._outputs: tuple[Any, ...] = ()
        self._node: Callable[[], Node | None] = lambda: None
        self._tick = 0
        self._name = ""

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep inputs, outputs or intermediate tensors (or None)."""
        self._saved = tensors

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Say that these outputs have no gradient."""
        self._constant = tuple(map(id, outputs))

    def set_materialize_grads(self, value: bool) -> None:
        """Whether the gradient of an unused output comes as zeros, or as None."""
        self.materialize_grads = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was given to `save_for_backward`, at its place in the graph."""
        arrays = [t.array for t in self._saved if t is not None]
        changes.check(arrays, self._tick, self._name)
        return tuple(map(self._in_graph, self._saved))

    def _in_graph(self, tensor: Any) -> Any:
        if tensor is None or tensor.node is not None:
            return tensor
        node = self._node()
        for i, output in enumerate(self._outputs):
            if tensor.array is output and node is not None:
                of = len(self._outputs)
                return wrap(output, node if of == 1 else Pick(node, i, of, output))
        return tensor


class _Rule:
    """What the graph sees of a `Function`: the interface of an `Op`, backwards only."""

    function: ClassVar[type[Function]]
    several = True
    differentiable = True
    holomorphic = False  # of complex numbers, the gradient is given as it is
    outputs_vary = False
    outputs = ("y",)
    saves: ClassVar[tuple[str, ...]] = ()

    @staticmethod
    def keeps(n_inputs: int) -> tuple[int, ...]:
        return ()

    @classmethod
    def backward(
        cls, xp: Any, dy: Any, needs: Any, *, ctx: Context, metas: Any
    ) -> list[Any]:
        """One gradient for each argument, arrays for arrays and tensors for tensors."""
        dys = dy if isinstance(dy, list) else [dy]
        recorded = any(isinstance(g, Variable) for g in dys)
        grads = [_gradient(g, ctx, meta) for g, meta in zip(dys, metas, strict=True)]
        found = cls.function.backward(ctx, *grads)
        found = list(found) if isinstance(found, (tuple, list)) else [found]
        if len(found) < len(needs) or any(g is not None for g in found[len(needs) :]):
            raise GradientError(
                f"{cls.__name__}.backward gave {len(found)} gradients for {len(needs)} "
                "arguments of forward; give one for each, None where there is none"
            )
        # What an argument that needs none is given is thrown away by the walk.
        found = [None if g is None else as_variable(g) for g in found[: len(needs)]]
        return found if recorded else [g if g is None else g.array for g in found]


def _gradient(dy: Any, ctx: Context, meta: Any) -> Any:
    if dy is None:
        if not ctx.materialize_grads:
            return None
        shape, dtype, xp = meta
        dy = xp.zeros(shape, dtype)
    return dy if isinstance(dy, Variable) else wrap(dy)


class Function:
    """An operation with a gradient rule of one's own, as in PyTorch.

    A subclass defines two static methods. ``forward(ctx, ...)`` takes tensors and
    anything else and gives a tensor or a tuple of them; nothing in it is recorded.
    ``backward(ctx, dy, ...)`` takes the gradient of each output and gives one for each
    argument of forward, None where there is none. Written with tensors' own methods,
    backward has gradients itself. Instead of taking `ctx`, forward may leave it to a
    third method, ``setup_context(ctx, inputs, output)``.

    `dotori.gradcheck` tells whether the rule is right.

    Examples
    --------
    >>> import dotori
    >>> class Cube(dotori.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...
    ...     @staticmethod
    ...     def backward(ctx, dy):
    ...         (x,) = ctx.saved_tensors
    ...         return dy * 3 * x**2
    >>> x = dotori.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad.item()
    12.0
    """

    forward: ClassVar[Callable[..., Any]]
    backward: ClassVar[Callable[..., Any]]
    setup_context: ClassVar[Callable[..., Any] | None] = None
    _rule: ClassVar[Any]

    def __init_subclass__(cls) -> None:
        cls._rule = type(cls.__name__, (_Rule,), {"function": cls})

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run it on `args`, and record it if one of them requires a gradient.

        Raises
        ------
        GradientError
            When walked back, if `backward` gives too few or too many gradients.
        """
        recorded = bool(recording.state.flags & GRAD)
        nodes = tuple([current_node(a) if recorded else None for a in args])
        due = any(n is not None for n in nodes)
        ctx = Context(tuple([n is not None for n in nodes]))
        with no_grad():
            if cls.setup_context is None:
                result = cls.forward(ctx, *args, **kwargs)
            else:
                result = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, result)
        if not due:
            return result
        several = isinstance(result, (tuple, list))
        outputs = tuple(result) if several else (result,)
        tensors = cls._record(ctx, nodes, tuple(map(as_variable, outputs)), outputs)
        return tensors if several else tensors[0]

    @classmethod
    def _record(
        cls, ctx: Context, nodes: Any, tensors: tuple[Any, ...], given: Any
    ) -> tuple[Any, ...]:
        from dotori.backend import namespace

        arrays = tuple([t.array for t in tensors])
        metas = [(a.shape, a.dtype, namespace(a)) for a in arrays]
        attrs = {"ctx": ctx, "metas": metas}
        node = Node(cls._rule, (), attrs, nodes, arrays[0])
        ctx._outputs, ctx._node = arrays, weakref.ref(node)
        ctx._tick, ctx._name = node.tick, cls.__name__
        of = len(arrays)
        results = []
        for i, (a, t) in enumerate(zip(arrays, given, strict=True)):
            constant = id(t) in ctx._constant or a.dtype.kind not in "fc"
            own = node if of == 1 else Pick(node, i, of, a)
            results.append(wrap(a, None if constant else own))
        return tuple(results)


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """For a `backward` that works on arrays, so that it has no gradient itself.

    With ``create_graph=True`` it raises instead of giving gradients that are constants.
    """
    from functools import wraps

    @wraps(backward)
    def inner(ctx: Context, *grads: Any) -> Any:
        if recording.state.flags & GRAD and any(
            current_node(g) is not None for g in grads
        ):
            raise GradientError(
                f"{ctx._name}.backward is marked once_differentiable: it has no "
                "gradient of its own, which create_graph=True asks for"
            )
        with no_grad():
            return backward(ctx, *grads)

    return inner
